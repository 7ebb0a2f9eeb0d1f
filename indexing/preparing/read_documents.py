"""A process that opens documents and prepares their pages, as the messages on its stdin ask.

Whatever a document does to it (endless work, a crash, too much memory), only this process ends. It ends by itself, in
the middle of its work too, as soon as its stdin does. It imports neither Milvus nor an encoder's packages.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.conversion.as_pdf import as_pdf
from pagesight.indexing.conversion.mail import mail_attachments
from pagesight.indexing.documents.attachments import attachments
from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.open import open_document
from pagesight.indexing.documents.pdf import PdfDocument, single_page
from pagesight.indexing.documents.sources import identify
from pagesight.indexing.encoders.workers.serve import pipes, read_message, write_message
from pagesight.indexing.errors import MissingExtra, MissingPath, PagesightError, UnknownPage, UnreadableDocument
from pagesight.indexing.page_kinds.told import told_kinds
from pagesight.indexing.page_text.text import read_page
from pagesight.indexing.preparing.prepare import prepare_page
from pagesight.indexing.preparing.prepared_page import Message, PreparedPage

#: The errors that keep their kind on the way to who asked; all others become UnreadableDocument there.
KINDS: dict[str, type[PagesightError]] = {
    kind.__name__: kind for kind in (MissingExtra, MissingPath, UnknownPage, UnreadableDocument)
}

#: The kind of an answer that says that there was too little memory.
NO_MEMORY = "no memory"


class _DocumentReader:
    """Answers requests; keeps the last document open, since its next page is most likely asked for next."""

    def __init__(self) -> None:
        self._open: tuple[object, OpenDocument] | None = None

    def answer(self, request: dict[str, Any]) -> Message:
        _limit_time(request["seconds"])
        try:
            return _ANSWERS[request["type"]](self, request)
        except MemoryError:
            return _fault(NO_MEMORY, "")
        except PagesightError as error:
            return _fault(type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 (whatever a file raises is that file's fault, and is told)
            said = " ".join([f"{type(error).__name__}:", *str(error).splitlines()[-1:]])
            return _fault("", f"{request['path']} cannot be read: {said[:300]}")

    def _opened(self, request: dict[str, Any]) -> Message:
        document = self._document(request)
        told = {"pages": document.page_count, "warnings": list(document.warnings), "bookmarks": document.bookmarks()}
        return {"type": "opened", **told}, []

    def _page(self, request: dict[str, Any]) -> Message:
        document, settings = self._document(request), DocumentSettings(**request["settings"])
        asked = {name: request[name] for name in ("long_side", "labelled")}
        return prepare_page(document, request["number"], settings, **asked).as_message()

    def _words(self, request: dict[str, Any]) -> Message:
        document, number = self._document(request), request["number"]
        languages = request["settings"]["ocr_languages"]
        reading = read_page(document, number, ocr=request["ocr"], languages=languages)
        return PreparedPage(number, reading.text, document.size(number)).as_message()

    def _kinds(self, request: dict[str, Any]) -> Message:
        page = PreparedPage.from_message(request["page"], request["arrays"])
        return {"type": "kinds", "kinds": told_kinds(self._document(request), page.number, page.text)}, []

    def _size(self, request: dict[str, Any]) -> Message:
        return {"type": "size", "size": self._document(request).size(request["number"])}, []

    def _own_size(self, request: dict[str, Any]) -> Message:
        return {"type": "size", "size": self._document(request).own_size(request["number"])}, []

    def _picture(self, request: dict[str, Any]) -> Message:
        asked = {name: request[name] for name in ("dpi", "long_side", "region")}
        return {"type": "picture"}, [np.asarray(self._document(request).picture(request["number"], **asked))]

    def _single_page(self, request: dict[str, Any]) -> Message:
        document = self._document(request)
        alone = single_page(document, request["number"]) if isinstance(document, PdfDocument) else None
        return {"type": "pdf"}, [np.frombuffer(alone, np.uint8)] if alone else []

    def _as_pdf(self, request: dict[str, Any]) -> Message:
        seconds = request["settings"]["conversion_seconds"]
        path, place = Path(request["path"]), Path(request["place"])
        content, left_out = as_pdf(path, request["kind"], place, seconds, request["passwords"])
        return {"type": "pdf", "left_out": left_out}, [np.frombuffer(content, np.uint8)]

    def _attachments(self, request: dict[str, Any]) -> Message:
        path = Path(request["path"])
        is_mail = identify(path) == "mail"
        held = mail_attachments(path.read_bytes()) if is_mail else attachments(self._document(request))
        arrays = [np.frombuffer(one.content or b"", np.uint8) for one in held]
        sizes = [None if one.content is None else len(one.content) for one in held]
        return {"type": "attachments", "names": [one.name for one in held], "sizes": sizes}, arrays

    def _document(self, request: dict[str, Any]) -> OpenDocument:
        wanted = request["path"], request["settings"], request["passwords"]
        if self._open and self._open[0] == wanted:
            return self._open[1]
        if self._open:
            self._open[1].close()
            self._open = None
        settings = DocumentSettings(**request["settings"])
        document = open_document(
            Path(request["path"]),
            renderer=settings.renderer,
            max_pixels=settings.max_pixels,
            max_pages=settings.pages_per_document,
            image_pixels=settings.image_pixels,
            passwords=request["passwords"],
        )
        self._open = wanted, document
        return document


_ANSWERS: dict[str, Callable[[_DocumentReader, dict[str, Any]], Message]] = {
    "open": _DocumentReader._opened,
    "page": _DocumentReader._page,
    "words": _DocumentReader._words,
    "kinds": _DocumentReader._kinds,
    "size": _DocumentReader._size,
    "own_size": _DocumentReader._own_size,
    "picture": _DocumentReader._picture,
    "single_page": _DocumentReader._single_page,
    "as_pdf": _DocumentReader._as_pdf,
    "attachments": _DocumentReader._attachments,
}


def _fault(kind: str, text: str) -> Message:
    return {"type": "error", "kind": kind, "text": text}, []


def _receive(requests: BinaryIO, inbox: queue.Queue[dict[str, Any]]) -> None:
    """Put each request into the inbox; when there will be no more, end the process at once."""
    try:
        while (message := read_message(requests)) is not None:
            inbox.put({**message[0], "arrays": message[1]})
    finally:
        os._exit(0)


def _limit_memory(megabytes: int) -> None:
    """Refuse this process more memory; not on systems that do not know such a limit."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 1_000_000,) * 2)


def _limit_time(seconds: float) -> None:
    """End this process by SIGPROF once it has worked that long from now on, whatever it does then.

    What counts is the time that it works, not the time that a busy machine keeps it waiting.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _resident() -> int:
    """Megabytes of memory that this process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
    except (OSError, ValueError, IndexError):
        return 0


def main(megabytes: str) -> None:
    """Answer requests from stdin until it ends, with this much memory at most."""
    requests, answers = pipes()
    _limit_memory(int(megabytes))
    inbox: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_receive, args=(requests, inbox), daemon=True).start()
    reader = _DocumentReader()
    while True:
        request, before = inbox.get(), time.process_time()
        header, arrays = reader.answer(request)
        worked = time.process_time() - before
        write_message(answers, {**header, "resident": _resident(), "worked": worked}, arrays)


if __name__ == "__main__":
    main(sys.argv[1])
