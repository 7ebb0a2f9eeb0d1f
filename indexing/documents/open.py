"""Opens a file as the document that it is by its content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.image import ImageDocument
from pagesight.indexing.documents.pdf import PdfDocument, PopplerDocument
from pagesight.indexing.documents.sources import identify
from pagesight.indexing.errors import UnreadableDocument

# The least bytes of a page, in a document of more than some pages: even a blank one takes an entry of its own in the
# compressed tables. A guess, not measured.
_LEAST_BYTES, _FEW_PAGES = 4, 100


def open_document(
    path: Path | str,
    *,
    renderer: Literal["pdfium", "poppler"] = "pdfium",
    max_pixels: int = 40_000_000,
    max_pages: int | None = None,
    image_pixels: int | None = None,
    passwords: Sequence[str] = (),
) -> OpenDocument:
    """Opens a PDF or an image; use it in a ``with`` statement. No picture will have more than ``max_pixels`` pixels.

    ``passwords`` are tried where a PDF needs one.

    Raises MissingPath; UnreadableDocument for a file that is no document, is damaged, needs another password, has no
    pages, more than ``max_pages``, or, as an image, more than ``image_pixels``; MissingExtra if ``renderer`` is
    "poppler" and poppler is not installed.
    """
    path = Path(path)
    if identify(path) == "image":
        return _limited(ImageDocument(path, max_pixels, image_pixels), max_pages)
    kind = PopplerDocument if renderer == "poppler" else PdfDocument
    return _limited(kind(path, max_pixels, passwords), max_pages)


def _limited(document: OpenDocument, max_pages: int | None) -> OpenDocument:
    """The document, unless it has too many pages, or more than can be true."""
    pages, size = document.page_count, document.path.stat().st_size
    if max_pages is not None and pages > max_pages:
        document.close()
        raise UnreadableDocument(
            f"{document.path} has {pages:,} pages, more than {max_pages:,}. Set PAGESIGHT_PAGES_PER_DOCUMENT to more, "
            "or split it."
        )
    if pages > _FEW_PAGES and pages * _LEAST_BYTES > size:
        document.close()
        raise UnreadableDocument(f"{document.path} promises {pages:,} pages in {size:,} bytes, which cannot be true.")
    return document
