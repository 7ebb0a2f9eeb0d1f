"""A process that answers requests over its stdin and stdout: started, asked within a time, ended.

Who starts it says how a request is written and an answer read. Only the process that was started here is ended, with
what it started itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Generic, TypeVar, cast

_END_SECONDS = 5.0  # that a process has to end by itself once its stdin has ended; a guess, not measured
_LAST_BYTES = 4096  # of stderr that are kept
_LAST_LINES = 4  # of them that stand in a message

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class WorkerFailed(Exception):
    """A process that could not be started, or did not answer as it should and has ended.

    Whoever asked makes an error for people of it. ``what`` goes on from "the process", such as "ended with exit status
    3"; ``late`` says that it took too long; ``status`` is its exit status, the negative number of a signal, and None
    where it did not end by itself; ``missing_package`` is what Python did not find in its environment; ``last_lines``
    are the last that it wrote to stderr.
    """

    def __init__(
        self,
        what: str,
        *,
        late: bool = False,
        status: int | None = None,
        missing_package: str | None = None,
        last_lines: Sequence[str] = (),
    ) -> None:
        super().__init__(f"the process {what}")
        self.what, self.late, self.status = what, late, status
        self.missing_package, self.last_lines = missing_package, list(last_lines)


class WorkerProcess(Generic[Request, Answer]):
    """A running process. It ends when this object goes, and at the latest with this process.

    ``timeout`` is the seconds that one answer may take. ``write`` puts a request into the process's stdin, which is not
    buffered; ``read`` takes the next answer from its stdout, gives None where that ends before one, and raises
    ValueError, whose text says what came instead, for what is no answer. Raises OSError if the process cannot be
    started.
    """

    def __init__(
        self,
        command: Sequence[str],
        timeout: float,
        write: Callable[[BinaryIO, Request], None],
        read: Callable[[BinaryIO], Answer | None],
    ) -> None:
        self._timeout, self._write, self._read = timeout, write, read
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for pagesight, which then ends this one
        )
        self._requests, self._answers, stderr = _pipes(self._process)
        self._stderr = _LastWords(stderr)
        self._late = False
        self._end = weakref.finalize(self, _end, self._process)

    @property
    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._end.alive and self._process.poll() is None

    def ask(self, request: Request) -> Answer:
        """The answer to a request. Raises WorkerFailed, after which the process has ended."""
        answer, fault = None, None
        try:
            with self._in_time():
                with contextlib.suppress(BrokenPipeError):  # how it ended says more
                    self._write(self._requests, request)
                try:
                    answer = self._read(self._answers)
                except ValueError as error:
                    fault = error
        except BaseException:
            _kill(self._process)  # its answer would come in the place of the next one's
            self.close()
            raise
        if answer is None:
            raise self._failed(f"sent {fault}" if fault else "") from fault
        return answer

    def close(self) -> None:
        """End the process: by the end of its stdin, or after five seconds by force."""
        self._end()

    def kill(self) -> None:
        """End the process at once, with what it started; who waits for its answer gets WorkerFailed."""
        _kill(self._process)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """Ends the process if the block takes too long, which is then as if it had ended by itself."""
        clock = threading.Timer(self._timeout, self._out_of_time)
        clock.start()
        try:
            yield
        finally:
            clock.cancel()
            clock.join()

    def _out_of_time(self) -> None:
        self._late = True
        _kill(self._process)

    def _failed(self, sent: str = "") -> WorkerFailed:
        """The error for a process that did not answer as it should; ends it."""
        by_force = self._end()
        last_lines = self._stderr.lines()
        if self._late:
            return WorkerFailed(f"took longer than {self._timeout:g} s and was ended", late=True, last_lines=last_lines)
        if by_force:
            return WorkerFailed(sent or "closed its pipe, but did not end", last_lines=last_lines)
        status = self._process.returncode
        if sent and status == 0:
            return WorkerFailed(sent, status=status, last_lines=last_lines)
        missing = self._stderr.missing_package()
        ended = _ended(status, missing)
        what = f"{sent} and {ended}" if sent else ended
        return WorkerFailed(what, status=status, missing_package=missing, last_lines=last_lines)


class _LastWords:
    """The end of what a process writes to stderr; reads all of it, so that the process never waits for a reader."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._content = stream, b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def lines(self) -> list[str]:
        """The last lines with a word in them, up to the process's end."""
        lines = [line.strip()[:200] for line in re.split(r"[\r\n]+", self._text()) if re.search(r"\w", line)]
        return lines[-_LAST_LINES:]

    def missing_package(self) -> str | None:
        """The package that Python did not find, if it says so."""
        missing = re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", self._text())
        return missing[1] if missing else None

    def _text(self) -> str:
        self._reader.join(1)  # what the process started itself may hold the pipe open
        return self._content.decode(errors="replace")

    def _read(self) -> None:
        while chunk := self._stream.read(65536):
            self._content = (self._content + chunk)[-_LAST_BYTES:]
        self._stream.close()


def _ended(status: int, missing_package: str | None) -> str:
    """How a process ended by itself, in words."""
    if missing_package:
        return f"finds no package {missing_package} in its environment"
    if status >= 0:
        return f"ended with exit status {status}"
    return f"was ended by {signal.Signals(-status).name}"


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO, BinaryIO]:
    """To and from a process: its stdin, its stdout, its stderr."""
    return cast("tuple[BinaryIO, BinaryIO, BinaryIO]", (process.stdin, process.stdout, process.stderr))


def _end(process: subprocess.Popen[bytes]) -> bool:
    """End a process; says whether it had to be forced."""
    requests, answers, _ = _pipes(process)
    requests.close()
    answers.close()
    try:
        process.wait(_END_SECONDS)
        return False
    except subprocess.TimeoutExpired:
        _kill(process)
        process.wait()
        return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what it started, unless it has ended."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
