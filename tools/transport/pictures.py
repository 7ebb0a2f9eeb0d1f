"""A page, or a region of it, as the encoded picture that a model is sent: size and format are chosen here alone."""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from pagesight.tools.conversation import PageView

if TYPE_CHECKING:
    from PIL import Image

    from pagesight.indexing import PageIndex
    from pagesight.indexing.documents.document import OpenDocument

#: Pixels of the sides of the tiles that Gemini cuts pictures into, the tokens of each, and the side in pixels up to
#: which a picture costs one tile (https://ai.google.dev/gemini-api/docs/tokens#multimodal-tokens).
TILE = 768
TOKENS_PER_TILE = 258
_SMALL = 384
#: A page of a PDF costs as much as a small picture (https://ai.google.dev/gemini-api/docs/document-processing).
_TOKENS_OF_A_PDF_PAGE = 258

#: Dots per inch beyond which the smallest print of a page holds nothing more to see.
_FINEST_DPI = 400
#: A picture may be this much smaller than the tiles allow where that saves tiles: a guess, not measured.
_WORTH_FEWER_TILES = 0.88

#: Pictures that are kept in memory, more than one question looks at by default: a guess, not measured.
_KEPT = 64
#: Drawn pages (text, line art, charts) have some thousands of colours by anti-aliasing, scans and photographs more. The
#: limit between them is a guess.
_COLOURS_OF_A_DRAWING = 16_384
#: Of 100, for lossy pictures: a guess, not measured.
_QUALITY = 90

Form = Literal["picture", "pdf"]


@dataclass(frozen=True)
class Picture:
    """An encoded picture, or a page as a PDF: the file's bytes, its MIME type, and what it costs in ``tokens``.

    ``name`` is ``<document_id>/<page>`` for a whole page, by which it can be kept elsewhere; empty for a region.
    """

    data: bytes
    mime_type: str
    tokens: int = 0
    name: str = ""

    @cached_property
    def sha256(self) -> str:
        """The hash of the bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def suffix(self) -> str:
        """The file's suffix, such as ``.webp``."""
        return "." + self.mime_type.rpartition("/")[2]

    @property
    def inline_size(self) -> int:
        """The bytes that it takes in a request, in base64."""
        return 4 * math.ceil(len(self.data) / 3)


class Pictures:
    """The pictures of an index's pages; the last 64 are kept, since each model call of a question sends them again.

    ``tiles`` is how many tiles of 768 px a picture may fill. ``form`` "pdf" makes a whole page of a PDF a PDF of one
    page. ``webp`` is for readers that take WebP, as Gemini does: a third of the bytes.
    """

    def __init__(self, index: PageIndex, *, tiles: int = 4, form: Form = "picture", webp: bool = False):
        self._index = index
        self._tiles = tiles
        self._form = form
        self._webp = webp
        self.of = lru_cache(maxsize=_KEPT)(self._made)

    def _made(self, view: PageView) -> Picture:
        """The picture of a page, or of its region, rendered anew. Raises RequestError, or SourceError if it is gone."""
        from pagesight.indexing.documents.document import check_region

        with self._index.opened(view.ref) as document:
            if self._form == "pdf" and view.region is None:
                alone = _as_pdf(document, view)
                if alone:
                    return alone
            region = view.region and check_region(view.region)
            dpi = fitting_dpi(document.size(view.ref.page), region, self._tiles)
            image = document.picture(view.ref.page, dpi=dpi, region=region)
        data, mime_type = encode(image, webp=self._webp)
        return Picture(data, mime_type, picture_tokens(image.size), _name(view))


def encode(image: Image.Image, *, webp: bool = False) -> tuple[bytes, str]:
    """The bytes of the picture's file and their MIME type.

    Drawings (text, line art, charts) lose nothing, which keeps small print sharp: WebP or PNG. Scans and photographs
    become lossy WebP or JPEG.
    """
    image = image.convert("RGB")
    file = io.BytesIO()
    drawn = image.getcolors(_COLOURS_OF_A_DRAWING) is not None
    if webp and drawn:
        image.save(file, "WEBP", lossless=True, quality=30, method=1)
    elif webp:
        image.save(file, "WEBP", quality=_QUALITY, method=2)
    elif drawn:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue(), "image/webp" if webp else "image/png" if drawn else "image/jpeg"


def picture_tokens(size: tuple[int, int]) -> int:
    """What a picture of ``(width, height)`` pixels costs, by Google's rule: 258 for each tile that it fills."""
    if max(size) <= _SMALL:
        return TOKENS_PER_TILE
    return TOKENS_PER_TILE * math.ceil(size[0] / TILE) * math.ceil(size[1] / TILE)


def fitting_dpi(size: tuple[float, float], region: tuple[int, int, int, int] | None, tiles: int) -> float:
    """The resolution at which a page of ``size`` points, or its region, fills at most ``tiles`` tiles best.

    The largest picture that fits, or one a little smaller that needs fewer tiles; 400 dots per inch at most.
    """
    ymin, xmin, ymax, xmax = region or (0, 0, 1000, 1000)
    width, height = size[0] * (xmax - xmin) / 1000, size[1] * (ymax - ymin) / 1000
    grids = [(across, down) for across in range(1, tiles + 1) for down in range(1, tiles // across + 1)]
    scales = {grid: min(grid[0] * TILE / width, grid[1] * TILE / height) for grid in grids}
    enough = _WORTH_FEWER_TILES * min(max(scales.values()), _FINEST_DPI / 72)
    fewest = min(
        (grid for grid in grids if scales[grid] >= enough), key=lambda grid: (grid[0] * grid[1], -scales[grid])
    )
    return min(scales[fewest] * 72, _FINEST_DPI)


def _as_pdf(document: OpenDocument, view: PageView) -> Picture | None:
    from pagesight.indexing.documents.document import PdfDocument
    from pagesight.indexing.documents.single_page import single_page

    if not isinstance(document, PdfDocument):
        return None
    return Picture(single_page(document, view.ref.page), "application/pdf", _TOKENS_OF_A_PDF_PAGE, _name(view))


def _name(view: PageView) -> str:
    return "" if view.region else f"{view.ref.document_id}/{view.ref.page}"
