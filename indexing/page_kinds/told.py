"""The kinds of a page of an open document: its small picture is drawn, or made of one that is drawn already."""

from __future__ import annotations

from PIL import Image

from pagesight.indexing.documents import pdfium_pointers as plain
from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.pdf import PdfDocument
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.page_kinds.drawn import LONG_SIDE
from pagesight.indexing.page_kinds.page_kinds import page_kinds
from pagesight.indexing.pages import PageText

# Things that a page draws, beyond which it is not drawn for this alone: some maps and plans take minutes. A guess, not
# measured.
_MOST_OBJECTS = 20_000


def told_kinds(document: OpenDocument, number: int, text: PageText, picture: Image.Image | None = None) -> list[str]:
    """The kinds of a page with these words; ``picture`` is a larger one of it, if there is one.

    Of a page that cannot be drawn, or has too much on it, only its words are looked at. Raises UnknownPage.
    """
    small = picture.copy() if picture else _drawn_small(document, number)
    small.thumbnail((LONG_SIDE, LONG_SIDE))
    return page_kinds(number, text, small)


def _drawn_small(document: OpenDocument, number: int) -> Image.Image:
    try:
        if not _has_too_much(document, number):
            return document.picture(number, long_side=LONG_SIDE)
    except UnreadableDocument:
        pass
    return Image.new("RGB", (LONG_SIDE, LONG_SIDE), "white")


def _has_too_much(document: OpenDocument, number: int) -> bool:
    if not isinstance(document, PdfDocument):
        return False
    with document.page(number) as page:
        return bool(plain.count_objects(plain.address(page.raw)) > _MOST_OBJECTS)
