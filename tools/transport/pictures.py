"""A page, or a region of it, as the encoded picture that a model is sent: size and format are chosen here alone."""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from pagesight.tools.gemini_service.picture_tokens import ByTiles
from pagesight.tools.messages.conversation import PageView

if TYPE_CHECKING:
    from PIL import Image

    from pagesight.indexing import PageIndex, ShownDocument
    from pagesight.indexing.pages import Region
    from pagesight.tools.gemini_service.picture_tokens import PictureRule

#: Bytes of a PDF that Gemini takes at most (https://ai.google.dev/gemini-api/docs/document-processing): what is larger
#: goes as a picture.
_LARGEST_PDF = 50_000_000
#: Height in points that small print is taken to have where a page has no text layer: that of the lower quarter of the
#: words on pages of samples/, 6 to 7. A guess for others.
_USUAL_PRINT = 6.0

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
    ``level`` is the media resolution to ask for it alone; empty for that of the whole request.
    """

    data: bytes
    mime_type: str
    tokens: int = 0
    name: str = ""
    level: str = ""

    @property
    def asked(self) -> dict[str, str]:
        """What its block says of its own resolution; LangChain's client hands it on to Gemini 3 and later."""
        return {"media_resolution": self.level} if self.level else {}

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

    ``rule`` is how the model that looks at them counts pictures, by which they get their size. ``form`` "pdf" makes a
    whole page of a PDF a PDF of one page. ``webp`` is for readers that take WebP, as Gemini does: a third of the bytes.
    """

    def __init__(
        self, index: PageIndex, rule: PictureRule | None = None, *, form: Form = "picture", webp: bool = False
    ):
        self.index = index
        self._rule = rule or ByTiles()
        self._form = form
        self._webp = webp
        self.of = lru_cache(maxsize=_KEPT)(self._render)

    def _render(self, view: PageView) -> Picture:
        """The picture of a page, or of its region, rendered anew. Raises RequestError, or SourceError if it is gone."""
        from pagesight.indexing.documents.document import check_region

        with self.index.opened(view.ref) as document:
            if self._form == "pdf" and view.region is None:
                alone = _as_pdf(document, view, self._rule)
                if alone:
                    return alone
            region = view.region and check_region(view.region)
            image, closer = self._rendered(document, view.ref.page, region)
        data, mime_type = encode(image, webp=self._webp)
        tokens, level = self._rule.tokens(image.size, closer=closer), self._rule.level(closer=closer)
        return Picture(data, mime_type, tokens, _name(view), level)

    def _rendered(self, document: ShownDocument, page: int, region: Region | None) -> tuple[Image.Image, bool]:
        """The page or region in pixels, and whether it is to be looked at more closely than other pictures."""
        points = _points(document.size(page), region)
        as_usual = self._rule.dpi(points)
        closer = region is not None and self._rule.wants_closer(points, _print_height(document, page, region))
        image = document.picture(page, dpi=self._rule.dpi(points, closer=closer), region=region)
        # A scan is not enlarged: where it has no more pixels, looking closer would cost more and show the same.
        has_more = image.width * image.height > as_usual**2 / 72**2 * points[0] * points[1]
        return image, closer and has_more


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


def _points(page: tuple[float, float], region: Region | None) -> tuple[float, float]:
    """Width and height of a region of a page of this size, in points."""
    ymin, xmin, ymax, xmax = region or (0, 0, 1000, 1000)
    return page[0] * (xmax - xmin) / 1000, page[1] * (ymax - ymin) / 1000


def _print_height(document: ShownDocument, page: int, region: Region) -> float:
    """The height in points below which a quarter of the region's words stay, by the text layer."""
    import numpy as np

    boxes = document.words(page, ocr=False).boxes
    across, down = (boxes[:, 0] + boxes[:, 2]) * 500, (boxes[:, 1] + boxes[:, 3]) * 500
    ymin, xmin, ymax, xmax = region
    inside = boxes[(down >= ymin) & (down <= ymax) & (across >= xmin) & (across <= xmax)]
    heights = (inside[:, 3] - inside[:, 1]) * document.size(page)[1]
    return float(np.quantile(heights, 0.25)) if len(heights) else _USUAL_PRINT


def _as_pdf(document: ShownDocument, view: PageView, rule: PictureRule) -> Picture | None:
    data = document.single_page(view.ref.page)
    if data is None or len(data) > _LARGEST_PDF:
        return None
    return Picture(data, "application/pdf", rule.pdf_page_tokens(), _name(view))


def _name(view: PageView) -> str:
    return "" if view.region else f"{view.ref.document_id}/{view.ref.page}"
