"""A page's picture for a browser: whole or a region, as large as asked for, with places marked. All of it waits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pagesight.indexing.documents.document import check_region
from pagesight.indexing.documents.own_files import MAKER
from pagesight.indexing.documents.png import png
from pagesight.indexing.errors import BadRegion
from pagesight.indexing.highlight.best_places import best_boxes
from pagesight.indexing.highlight.mark import mark
from pagesight.indexing.highlight.similarity_map import draw, similarity_map
from pagesight.indexing.pages import Box, Region

if TYPE_CHECKING:
    from PIL import Image

    from pagesight.indexing import PageIndex
    from pagesight.indexing.pages import PageRef

#: Pixels of a picture's width at most: a screen of 2,560 px at twice its density. Dots per inch at zoom 1 are CSS's.
WIDEST = 5120
DPI = 96.0
MOST_MARKS = 200


@dataclass(frozen=True)
class Wanted:
    """What a picture shall show. ``region`` cuts; ``boxes`` are highlighted and ``outlines`` outlined, of the page.

    ``query`` highlights where the page answers it, or lays a map over it (``as_map``), also of one ``word`` of it.
    ``width`` in pixels beats ``zoom``, 1 being as large as on paper.
    """

    region: Region | None = None
    zoom: float = 1.5
    width: int | None = None
    boxes: tuple[Box, ...] = ()
    outlines: tuple[Region, ...] = ()
    query: str = ""
    as_map: bool = False
    word: str | None = None

    def tag(self, ref: PageRef, *corrections: str) -> str:
        """What names this very picture, for who has it already: a document's id is the hash of its bytes.

        ``corrections`` are the ids of the page's, where marks depend on them.
        """
        return hashlib.sha256(f"{ref.key} {self!r} {corrections}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_boxes(texts: Sequence[str]) -> tuple[Box, ...]:
    """Boxes as an address has them, ``0.1,0.2,0.4,0.22``. Raises BadRegion."""
    return tuple(map(_box, _few(texts)))


def read_regions(texts: Sequence[str]) -> tuple[Region, ...]:
    """Regions as an address has them, ``150,100,270,400``. Raises BadRegion."""
    return tuple(check_region(_numbers(text, int)) for text in _few(texts))


def page_png(index: PageIndex, ref: PageRef, wanted: Wanted) -> bytes:
    """The PNG. Raises UnknownPage, BadRegion, BadToken, EmptyQuestion, UnreadableDocument."""
    whole = wanted.as_map and wanted.query
    picture = _rendered(index, ref, replace(wanted, region=None) if whole else wanted)
    if whole:
        picture = _cut(_mapped(index, ref, wanted, picture), wanted.region)
    boxes = list(wanted.boxes)
    if wanted.query and not wanted.as_map:
        page = index.multivector(ref)
        boxes += best_boxes(index.query_vectors(wanted.query), page.vectors, page.boxes)
    shown = _within(boxes, wanted.region)
    outlines = [_as_region(box) for box in _within(map(_as_box, wanted.outlines), wanted.region)]
    return png(mark(picture, shown, outlines), MAKER)


def page_facts(index: PageIndex, ref: PageRef) -> dict[str, Any]:
    """The page's size in points, its text, and its neighbours. Raises as `page_png`."""
    record = index.document(ref.document_id)
    with index.opened(ref) as document:
        width, height = document.size(ref.page)
    before, after = replace(ref, page=ref.page - 1), replace(ref, page=ref.page + 1)
    return {
        "label": ref.label, "key": ref.key, "document": ref.document, "document_id": ref.document_id,
        "page": ref.page, "pages": record.pages, "width": round(width, 2), "height": round(height, 2),
        "text": index.text(ref),
        "previous": before.label if ref.page > 1 else None, "next": after.label if ref.page < record.pages else None,
    }  # fmt: skip


def _rendered(index: PageIndex, ref: PageRef, wanted: Wanted) -> Image.Image:
    _, xmin, _, xmax = wanted.region or (0, 0, 1000, 1000)
    with index.opened(ref) as document:
        inches = document.size(ref.page)[0] * (xmax - xmin) / 1000 / 72
        most = WIDEST / max(inches, 1e-6)
        dpi = wanted.width / max(inches, 1e-6) if wanted.width else DPI * wanted.zoom
        return document.picture(ref.page, dpi=min(dpi, most), region=wanted.region)


def _mapped(index: PageIndex, ref: PageRef, wanted: Wanted, picture: Image.Image) -> Image.Image:
    page = index.multivector(ref)
    shape = picture.height, picture.width
    heat = similarity_map(index.query_vectors(wanted.query), page.vectors, page.boxes, shape, wanted.word)
    return draw(picture, heat)


def _cut(picture: Image.Image, region: Region | None) -> Image.Image:
    if region is None:
        return picture
    left, top, right, bottom = _as_box(region)
    width, height = picture.size
    edges = round(left * width), round(top * height), round(right * width), round(bottom * height)
    return picture.crop((edges[0], edges[1], max(edges[2], edges[0] + 1), max(edges[3], edges[1] + 1)))


def _within(boxes: Any, region: Region | None) -> list[Box]:
    """The boxes of the page as boxes of the region; those that lie outside of it are left out."""
    left, top, right, bottom = _as_box(region or (0, 0, 1000, 1000))
    width, height = right - left, bottom - top
    moved = [
        ((b[0] - left) / width, (b[1] - top) / height, (b[2] - left) / width, (b[3] - top) / height) for b in boxes
    ]
    cut = [(max(b[0], 0.0), max(b[1], 0.0), min(b[2], 1.0), min(b[3], 1.0)) for b in moved]
    return [box for box in cut if box[0] < box[2] and box[1] < box[3]]


def _as_box(region: Region) -> Box:
    ymin, xmin, ymax, xmax = region
    return xmin / 1000, ymin / 1000, xmax / 1000, ymax / 1000


def _as_region(box: Box) -> Region:
    left, top, right, bottom = box
    return round(top * 1000), round(left * 1000), round(bottom * 1000), round(right * 1000)


def _box(text: str) -> Box:
    left, top, right, bottom = _numbers(text, float)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise BadRegion(f"a box is left,top,right,bottom, each 0 to 1 of the page, not {text[:80]!r}")
    return left, top, right, bottom


def _numbers(text: str, kind: type) -> list[Any]:
    try:
        numbers = [kind(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise BadRegion(f"a place on a page is four numbers with commas, such as 150,100,270,400, not {text[:80]!r}")
    return numbers


def _few(texts: Sequence[str]) -> Sequence[str]:
    if len(texts) > MOST_MARKS:
        raise BadRegion(f"{len(texts)} marks are too many for one picture: give at most {MOST_MARKS}")
    return texts
