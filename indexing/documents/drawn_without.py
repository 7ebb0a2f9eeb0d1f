"""A page drawn without some of what it draws: what of that is seen is where it looks otherwise then."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from PIL import Image

from pagesight.indexing.documents import pdfium_pointers as plain
from pagesight.indexing.documents.document import pixels_for
from pagesight.indexing.documents.pdf import PdfDocument, drawn_page
from pagesight.indexing.pages import WHOLE_PAGE


def drawn_without(document: PdfDocument, number: int, objects: Collection[int], long_side: int) -> Image.Image:
    """The page without these objects, by their addresses, drawn by pdfium whatever the renderer is; RGB.

    Raises UnknownPage, UnreadableDocument.
    """
    points = document.size(number)
    pixels = pixels_for(points, long_side / max(points), document.max_pixels)
    with document.page(number) as page, _switched_off(objects):
        return drawn_page(page, WHOLE_PAGE, pixels)


@contextmanager
def _switched_off(objects: Collection[int]) -> Iterator[None]:
    try:
        for thing in objects:
            plain.set_active(thing, 0)
        yield
    finally:
        for thing in objects:
            plain.set_active(thing, 1)
