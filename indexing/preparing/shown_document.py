"""A document of an index as people and models look at it: by a process of its own, which may be ended.

What a page does to who draws it (endless work, a crash, too much memory) is then that page's failure.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from PIL import Image

from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.documents.document import checked_size
from pagesight.indexing.pages import PageText, Region
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.preparing.prepared_page import Message, PreparedPage


class ShownDocument:
    """A document that the index keeps. Pages count from 1; opening it costs nothing until something is asked of it.

    Whatever it is asked raises UnknownPage; UnreadableDocument for a document or a page that is damaged or took more
    than `DocumentSettings.page_seconds`; MissingExtra where the renderer is not installed.
    """

    def __init__(self, readers: PageReaders, path: Path, called: Path) -> None:
        self.path = path
        self._readers, self._called = readers, called

    def __enter__(self) -> ShownDocument:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing is kept open here."""

    def size(self, number: int) -> tuple[float, float]:
        """See `OpenDocument.size`."""
        width, height = self._asked("size", number)[0]["size"]
        return float(width), float(height)

    def own_size(self, number: int) -> tuple[float, float, str]:
        """See `OpenDocument.own_size`."""
        width, height, unit = self._asked("own_size", number)[0]["size"]
        return float(width), float(height), str(unit)

    def bookmarks(self) -> list[tuple[int, str, int]]:
        """See `OpenDocument.bookmarks`."""
        return self._readers.open(self.path, called=self._called)[2]

    def picture(
        self, number: int, *, dpi: float | None = None, long_side: int | None = None, region: Region | None = None
    ) -> Image.Image:
        """See `OpenDocument.picture`. Raises BadRegion and ValueError, too."""
        region = checked_size(dpi, long_side, region)
        _, (pixels,) = self._asked("picture", number, dpi=dpi, long_side=long_side, region=region)
        return Image.fromarray(pixels)

    def words(self, number: int, *, ocr: bool) -> PageText:
        """The page's words as they are read anew, with or without OCR; see `read_page`."""
        header, arrays = self._asked("words", number, ocr=ocr)
        return PreparedPage.from_message(header, arrays).text

    def single_page(self, number: int) -> bytes | None:
        """A PDF that holds this page alone; None for a document that is no PDF."""
        _, arrays = self._asked("single_page", number)
        return arrays[0].tobytes() if arrays else None

    def _asked(self, what: str, number: int, **options: Any) -> Message:
        return self._readers.ask(self.path, {"type": what, "number": number, **options}, number, called=self._called)


class ShownDocuments:
    """Opens documents to be looked at. The processes that do so start when they are needed and end with `close`."""

    def __init__(self, settings: DocumentSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._readers: tuple[int, PageReaders] | None = None  # and the process that they belong to

    def open(self, path: Path, called: Path) -> ShownDocument:
        """The document at the path, which messages call ``called``."""
        return ShownDocument(self._own_readers(), path, called)

    def start(self) -> None:
        """Start a process, without waiting for it, so that the first picture comes sooner."""
        self._own_readers().start()

    def close(self) -> None:
        """End the processes. A second time does nothing."""
        with self._lock:
            if self._readers and self._readers[0] == os.getpid():
                self._readers[1].close()
            self._readers = None

    def _own_readers(self) -> PageReaders:
        with self._lock:
            if self._readers is None or self._readers[0] != os.getpid():  # a fork's answers would come to its parent
                self._readers = os.getpid(), PageReaders(self._settings, os.cpu_count() or 1)
            return self._readers[1]
