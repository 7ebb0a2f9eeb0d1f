"""Opens a file as the document that it is by its content."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.image import ImageDocument
from pagesight.indexing.documents.pdf import PdfDocument, PopplerDocument
from pagesight.indexing.documents.sources import identify


def open_document(
    path: Path | str, *, renderer: Literal["pdfium", "poppler"] = "pdfium", max_pixels: int = 40_000_000
) -> OpenDocument:
    """Opens a PDF or an image; use it in a ``with`` statement. No picture will have more than ``max_pixels`` pixels.

    Raises MissingPath; UnreadableDocument for a file that is no document, is damaged, needs a password or has no pages;
    MissingExtra if ``renderer`` is "poppler" and poppler is not installed.
    """
    path = Path(path)
    if identify(path) == "image":
        return ImageDocument(path, max_pixels)
    return (PopplerDocument if renderer == "poppler" else PdfDocument)(path, max_pixels)
