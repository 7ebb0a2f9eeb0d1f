"""The number that a PDF notes for a page, such as "iv" or "A-3", as its table of page labels says."""

from __future__ import annotations

import ctypes

import pypdfium2.raw as pdfium

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.pdf import PdfDocument
from pagesight.indexing.page_text.words import cleaned

_LONGEST = 40  # characters; labels are short. A guess, not measured


def printed_label(document: OpenDocument, number: int) -> str | None:
    """What stands for the page's number in the document's own counting; None where that is the number itself."""
    if not isinstance(document, PdfDocument):
        return None
    with document.opened() as pdf:
        count = pdfium.FPDF_GetPageLabel(pdf, number - 1, None, 0)
        if count <= 2:
            return None
        room = ctypes.create_string_buffer(count)
        pdfium.FPDF_GetPageLabel(pdf, number - 1, room, count)
    label = " ".join(cleaned(word) for word in room.raw[: count - 2].decode("utf-16-le", "replace").split())
    return label[:_LONGEST] if label and label != str(number) else None
