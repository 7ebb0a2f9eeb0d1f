"""From an open document to a prepared page."""

from __future__ import annotations

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.printed_label import printed_label
from pagesight.indexing.documents.text import read_page
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.setting_groups import DocumentSettings


def prepare_page(
    document: OpenDocument, number: int, settings: DocumentSettings, long_side: int | None
) -> PreparedPage:
    """The page's words, and its picture with this longer side in pixels unless that is None.

    Raises UnreadableDocument for a page that is damaged, UnknownPage, MissingExtra if OCR is needed and cannot start.
    """
    reading = read_page(document, number, ocr=settings.ocr, languages=settings.ocr_languages)
    picture = document.picture(number, long_side=long_side) if long_side else None
    size, label = document.size(number), printed_label(document, number)
    return PreparedPage(number, reading.text, size, label=label, picture=picture, warnings=reading.warnings)
