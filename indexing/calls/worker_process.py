"""A process that answers messages: started, asked within a time, ended, and its end put into words.

The messages are those of workers/serve.py. Only the process that was started here is ended, with what it started.
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
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

import numpy as np

from pagesight.indexing.encoders.workers.serve import Message, ProtocolError, read_message, write_message
from pagesight.indexing.errors import EncoderError

_PATIENCE = 5.0  # seconds that a process has to end by itself once its stdin has ended
_LAST_WORDS = 4096  # bytes of stderr that are kept
_LAST_LINES = 4


class EncoderProcess:
    """A running process. ``name`` is the encoder's, for messages; ``timeout`` the seconds that one answer may take.

    Raises EncoderError if it cannot be started. It ends when this object goes, and at the latest with this process.
    """

    def __init__(self, name: str, command: Sequence[str], timeout: float) -> None:
        self._name, self._timeout, self._python = name, timeout, command[0]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for pagesight, which then ends this one
            )
        except OSError as error:
            raise EncoderError(
                f"the encoder {name} cannot be started: {command[0]}: {error.strerror or error}. Set "
                "PAGESIGHT_ENCODER_PYTHON to the Python of its environment, such as ENVIRONMENT/bin/python."
            ) from error
        self._requests, self._answers, said = _pipes(self._process)
        self._said = _LastWords(said)
        self._late = False
        self._end = weakref.finalize(self, _end, self._process)

    @property
    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._end.alive and self._process.poll() is None

    def ask(self, header: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> Message:
        """The answer to a message. Raises EncoderError, after which the process has ended."""
        try:
            with self._in_time():
                with contextlib.suppress(BrokenPipeError):  # how it ended says more
                    write_message(self._requests, header, list(arrays))
                answer = read_message(self._answers)
        except ProtocolError as error:
            raise self._failed(f"sent {error}") from error
        except BaseException:
            _kill(self._process)  # its answer would come in the place of the next one's
            self.close()
            raise
        if answer is None:
            raise self._failed()
        return answer

    def close(self) -> None:
        """End the process: by the end of its stdin, or after five seconds by force."""
        self._end()

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

    def _failed(self, sent: str = "") -> EncoderError:
        """The error for a process that did not answer as it should; ends it."""
        by_force = self._end()
        if self._late:
            what = (
                f"took longer than {self._timeout:g} s and was ended. Set PAGESIGHT_ENCODER_TIMEOUT to more, or "
                "PAGESIGHT_PAGES_AT_ONCE to fewer pages"
            )
        elif sent and (by_force or self._process.returncode == 0):
            what = sent
        else:
            ended = "closed its pipe, but did not end" if by_force else self._how_it_ended()
            what = f"{sent} and {ended}" if sent else ended
        return EncoderError(f"the process of the encoder {self._name} {what}.{self._said.shown()}")

    def _how_it_ended(self) -> str:
        status = self._process.returncode
        if missing := re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", self._said.text):
            return f"finds no package {missing[1]} in its environment. Install it there, beside {self._python}"
        if status >= 0:
            return f"ended with exit status {status}"
        killed = "; if the machine ran out of memory, set PAGESIGHT_PAGES_AT_ONCE=1" if status == -9 else ""
        return f"was ended by {signal.Signals(-status).name}{killed}"


class _LastWords:
    """The end of what a process writes to stderr; reads all of it, so that the process never waits for a reader."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._content = stream, b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """It, up to the process's end."""
        self._reader.join(1)  # what it started itself may hold the pipe open
        return self._content.decode(errors="replace")

    def shown(self) -> str:
        """Its last lines, as they stand behind a message; empty if there are none."""
        lines = [line.strip()[:200] for line in re.split(r"[\r\n]+", self.text) if re.search(r"\w", line)]
        return f" It wrote last: {' | '.join(lines[-_LAST_LINES:])}" if lines else ""

    def _read(self) -> None:
        while chunk := self._stream.read(65536):
            self._content = (self._content + chunk)[-_LAST_WORDS:]
        self._stream.close()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO, BinaryIO]:
    """To and from a process: its stdin, its stdout, its stderr."""
    return cast("tuple[BinaryIO, BinaryIO, BinaryIO]", (process.stdin, process.stdout, process.stderr))


def _end(process: subprocess.Popen[bytes]) -> bool:
    """End a process; says whether it had to be forced."""
    requests, answers, _ = _pipes(process)
    requests.close()
    answers.close()
    try:
        process.wait(_PATIENCE)
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
