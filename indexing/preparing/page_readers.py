"""The processes that read documents: started when they are needed, each with limits, replaced when one ends.

What a document does to its process is that document's failure. A process that took too long, or grew, is ended, and the
next request starts another.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from numpy.typing import NDArray

from pagesight.indexing.calls.whole_text import whole_text
from pagesight.indexing.calls.worker_process import WorkerFailed, WorkerProcess
from pagesight.indexing.configuration import environment
from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.documents.kinds import Kind
from pagesight.indexing.documents.passwords import passwords_of
from pagesight.indexing.encoders.workers.serve import read_message, write_message
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.pages import PageText
from pagesight.indexing.preparing.prepared_page import Message, PreparedPage
from pagesight.indexing.preparing.read_documents import KINDS, NO_MEMORY
from pagesight.indexing.settings import key_variables

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from pagesight.indexing.preparing.read_documents import main; main(sys.argv[2])"
)

# One more process is started when those that run have worked so many seconds each: starting one takes 0.7 s of a core,
# and 1.5 s more where it reads by OCR (measured), which a few files don't repay.
_REPAID = 10.0
_STUCK = 20.0  # or when one has been at a page for so long, on a clock; a guess, not measured
_LOOK_AGAIN = 1.0  # seconds after which a thread that waits looks whether that is so

# A process that holds more than this part of its memory after a page makes room for a new one. A guess, not measured.
_GROWN = 0.7

# A process ends itself when it has worked for `page_seconds`, or for `conversion_seconds` where it makes a PDF. It may
# have to wait for a busy machine, and to start: it is ended from here when so many times as long, and so many seconds,
# have passed. Guesses, not measured.
_LONGEST_WAIT, _LONGEST_START = 4, 30.0
_MOST_RUNS = 2  # of LibreOffice for one file: its first one may only make its profile

# Pages are read side by side in processes, so that threads within each would only wait for each other.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class GivenUp(UnreadableDocument):
    """A page that took too long, or ended the process that read it."""


class Ended(GivenUp):
    """A page that ended the process that read it."""


@dataclass
class _ReaderProcess:
    """A process, the document that it has open, whether it has answered before, and since when it is asked."""

    process: WorkerProcess[Message, Message]
    path: Path | None = None
    fresh: bool = True
    since: float = 0.0


class PageReaders:
    """Processes that open documents and prepare their pages; any number of threads may ask.

    ``most`` is how many there are at once, at most. Use it in a ``with`` statement, or close it.
    """

    def __init__(self, settings: DocumentSettings, most: int) -> None:
        self._settings, self._most = settings, most
        self._passwords = passwords_of(settings)
        self._idle: list[_ReaderProcess] = []
        self._busy: list[_ReaderProcess] = []
        self._changed = threading.Condition()
        self._worked = 0.0  # seconds of a core, by all processes
        self._closed = False
        self._unlabelled: set[Path] = set()  # documents whose page labels end what reads them
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # where conversions put what they need

    def __enter__(self) -> PageReaders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start a process, without waiting for it, which the first request then finds; nothing if there is one."""
        with self._changed:
            if not (self._closed or self._idle or self._busy):
                self._idle.append(_ReaderProcess(self._started()))

    def open(self, path: Path, *, called: Path) -> tuple[int, list[str], list[tuple[int, str, int]]]:
        """How many pages the document has, its warnings, and its bookmarks (see `OpenDocument.bookmarks`).

        Raises MissingPath, UnreadableDocument, MissingExtra.
        """
        header, _ = self._ask(path, {"type": "open"}, called.name, called)
        bookmarks = [(int(level), whole_text(title), int(page)) for level, title, page in header["bookmarks"]]
        return int(header["pages"]), [str(warning) for warning in header["warnings"]], bookmarks

    def page(self, path: Path, number: int, long_side: int | None, *, called: Path) -> PreparedPage:
        """A page of the document, with a picture of that longer side in pixels unless it is None.

        ``called`` is what messages call the document.
        Raises UnreadableDocument for a page that cannot be read, GivenUp where it took too long or too much memory,
        UnknownPage, MissingExtra.
        """
        request = {"type": "page", "number": number, "long_side": long_side, "labelled": path not in self._unlabelled}
        try:
            header, arrays = self.ask(path, request, number, called=called)
        except Ended:
            if not request["labelled"]:
                raise
            header, arrays = self.ask(path, {**request, "labelled": False}, number, called=called)
            self._unlabelled.add(path)
        try:
            return PreparedPage.from_message(header, arrays)
        except ValueError as error:
            raise UnreadableDocument(f"p. {number} of {called.name} cannot be read: {error}") from None

    def ask(self, path: Path, request: dict[str, Any], number: int, *, called: Path) -> Message:
        """The answer to a request (see read_documents.py) about the page of that number; raises as `page` does."""
        return self._ask(path, request, f"p. {number} of {called.name}", called)

    def kinds(self, path: Path, number: int, text: PageText, *, called: Path) -> tuple[str, ...]:
        """The kinds of a page with these words, of `page_kinds.KINDS`; raises as `page` does."""
        header, arrays = PreparedPage(number, text, (0.0, 0.0)).as_message()
        request = {"type": "kinds", "number": number, "page": header}
        answer, _ = self._ask(path, request, f"p. {number} of {called.name}", called, arrays)
        return tuple(str(kind) for kind in answer["kinds"])

    def as_pdf(self, path: Path, kind: Kind, *, called: Path) -> tuple[bytes, list[str]]:
        """The PDF of a file of one of `DRAWN_KINDS`, and what is left out of it, each as it goes on from "a.xlsx: ".

        Raises UnreadableDocument, which says what would have it read.
        """
        with self._changed:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="pagesight-")
        request = {"type": "as_pdf", "kind": kind, "place": self._folder.name}
        header, (content,) = self._ask(path, request, called.name, called)
        return content.tobytes(), [str(one) for one in header["left_out"]]

    def attachments(self, path: Path, *, called: Path) -> list[tuple[str, bytes | None]]:
        """The files that the document holds, by name; None for one that is too large to be taken out.

        Raises MissingPath, UnreadableDocument, MissingExtra.
        """
        header, arrays = self._ask(path, {"type": "attachments"}, called.name, called)
        held = zip(header["names"], header["sizes"], arrays, strict=True)
        return [(str(name), None if size is None else content.tobytes()) for name, size, content in held]

    def close(self) -> None:
        """End all processes at once; who waits for an answer gets GivenUp. A second time does nothing."""
        with self._changed:
            self._closed = True
            readers = self._idle + self._busy
            self._idle.clear()
            self._changed.notify_all()
        for reader in readers:
            reader.process.kill()
            reader.process.close()
        if self._folder:
            self._folder.cleanup()

    def _ask(
        self, path: Path, request: dict[str, Any], what: str, called: Path, arrays: Sequence[NDArray[Any]] = ()
    ) -> Message:
        """The answer; a process that worked before and fails is replaced once: it may not be the page's fault."""
        settings = self._settings.model_dump(mode="json", exclude={"passwords", "password_file"})
        limit = "conversion_seconds" if request["type"] == "as_pdf" else "page_seconds"
        common = {"path": str(path), "settings": settings, "passwords": self._passwords, "seconds": settings[limit]}
        while True:
            reader = self._take(path)
            first, answer, failure = reader.fresh, None, None
            try:
                answer = reader.process.ask(({**request, **common}, [*arrays]))
                reader.fresh, reader.path = False, path
            except WorkerFailed as failed:
                failure = failed
            finally:
                self._give_back(reader, answer)
            if answer and answer[0].get("kind") != NO_MEMORY:
                return _checked(answer, path, called)
            if first or self._closed or (failure and _was_late(failure)):
                ended = failure is not None and not _was_late(failure)
                raise (Ended if ended else GivenUp)(self._given_up(what, failure, limit))

    def _take(self, path: Path) -> _ReaderProcess:
        """A process that is free, if possible one that has the document open."""
        with self._changed:
            while True:
                if self._closed:
                    raise GivenUp(f"{path.name} was not read: reading has ended.")
                if self._idle:
                    reader = next((one for one in self._idle if one.path == path), self._idle[0])
                    self._idle.remove(reader)
                    break
                if not self._busy or (len(self._busy) < self._most and self._repays_another()):
                    reader = _ReaderProcess(self._started())
                    break
                self._changed.wait(_LOOK_AGAIN)
            reader.since = time.monotonic()
            self._busy.append(reader)
            return reader

    def _repays_another(self) -> bool:
        """Whether there is so much to do that one more process is worth its start."""
        longest = time.monotonic() - min(reader.since for reader in self._busy)
        return self._worked > _REPAID * len(self._busy) or longest > _STUCK

    def _started(self) -> WorkerProcess[Message, Message]:
        command = [sys.executable, "-c", _START, json.dumps(sys.path), str(self._settings.reader_memory)]
        with environment.set_to(**_ONE_THREAD, **dict.fromkeys(key_variables())):  # a hostile document finds no keys
            longest = max(_LONGEST_WAIT * self._settings.page_seconds, _MOST_RUNS * self._settings.conversion_seconds)
            return WorkerProcess(command, longest + _LONGEST_START, _write, _read)

    def _give_back(self, reader: _ReaderProcess, answer: Message | None) -> None:
        """Lets others have the process, unless it has failed, grew, or all are to end."""
        grown = answer and answer[0].get("resident", 0) > _GROWN * self._settings.reader_memory
        no_memory = answer and answer[0].get("kind") == NO_MEMORY
        with self._changed:
            self._worked += answer[0].get("worked", 0) if answer else 0
            self._busy.remove(reader)
            keep = answer and not (grown or no_memory or self._closed)
            if keep:
                self._idle.append(reader)
            self._changed.notify()
        if not keep:
            reader.process.kill()
            reader.process.close()

    def _given_up(self, what: str, failure: WorkerFailed | None, limit: str) -> str:
        if failure and _was_late(failure):
            return (
                f"{what} took longer than {getattr(self._settings, limit):g} s and was given up. Set "
                f"PAGESIGHT_{limit.upper()} to more to wait for it."
            )
        how = f"the process that read it {failure.what}" if failure else "there was too little memory"
        return (
            f"{what} cannot be read: {how}. It is damaged, or takes more than {self._settings.reader_memory} MB of "
            "memory; set PAGESIGHT_READER_MEMORY to more if you trust it."
        )


def _was_late(failure: WorkerFailed) -> bool:
    return failure.late or (hasattr(signal, "SIGPROF") and failure.status == -signal.SIGPROF)


def _checked(answer: Message, path: Path, called: Path) -> Message:
    """The answer, unless it is an error, which is raised; it calls the document as people know it."""
    header, _ = answer
    if header["type"] == "error":
        text = header["text"].replace(str(path), str(called)).replace(path.name, called.name)
        raise KINDS.get(header["kind"], UnreadableDocument)(text)
    return answer


def _write(stream: BinaryIO, message: Message) -> None:
    write_message(stream, *message)


def _read(stream: BinaryIO) -> Message | None:
    return read_message(stream)
