"""The process of an encoder, which speaks the messages of workers/serve.py, and its failures with what helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from numpy.typing import NDArray

from pagesight.indexing.calls.worker_process import WorkerFailed, WorkerProcess
from pagesight.indexing.encoders.workers.serve import Message, read_message, write_message
from pagesight.indexing.errors import EncoderError


class EncoderProcess:
    """A running process. ``name`` is the encoder's, for messages; ``timeout`` the seconds that one answer may take.

    Raises EncoderError if it cannot be started. It ends when this object goes, and at the latest with this process.
    """

    def __init__(self, name: str, command: Sequence[str], timeout: float) -> None:
        self._name, self._python = name, command[0]
        try:
            self._process = WorkerProcess[Message, Message](command, timeout, _write, read_message)
        except OSError as error:
            raise EncoderError(
                f"the encoder {name} cannot be started: {command[0]}: {error.strerror or error}. Set "
                "PAGESIGHT_ENCODER_PYTHON to the Python of its environment, such as ENVIRONMENT/bin/python."
            ) from error

    @property
    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._process.runs

    def ask(self, header: dict[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> Message:
        """The answer to a message. Raises EncoderError, after which the process has ended."""
        try:
            return self._process.ask((header, list(arrays)))
        except WorkerFailed as failure:
            last = f" It wrote last: {' | '.join(failure.last_lines)}" if failure.last_lines else ""
            raise EncoderError(
                f"the process of the encoder {self._name} {failure.what}{self._advice(failure)}.{last}"
            ) from failure

    def close(self) -> None:
        """End the process: by the end of its stdin, or after five seconds by force."""
        self._process.close()

    def _advice(self, failure: WorkerFailed) -> str:
        """What helps, as it goes on from how the process failed; empty where nobody knows."""
        if failure.late:
            return ". Set PAGESIGHT_ENCODER_TIMEOUT to more, or PAGESIGHT_PAGES_AT_ONCE to fewer pages"
        if failure.missing_package:
            return f". Install it there, beside {self._python}"
        if failure.status == -9:
            return "; if the machine ran out of memory, set PAGESIGHT_PAGES_AT_ONCE=1"
        return ""


def _write(stream: BinaryIO, message: Message) -> None:
    write_message(stream, *message)
