"""A page, or a region of it, as the encoded picture that a model is sent: size and format are chosen here alone."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pagesight.tools.conversation import PageView

if TYPE_CHECKING:
    from PIL import Image

    from pagesight.indexing import PageIndex

#: Pixels of the longer side. Gemini cuts pictures into tiles of 768 px: two of them.
LONG_SIDE = 1536

_KEPT = 64
_COLOURS_OF_LINE_ART = 1024
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class Picture:
    """An encoded picture: ``data`` are the file's bytes, ``mime_type`` is ``image/png`` or ``image/jpeg``."""

    data: bytes
    mime_type: str

    @property
    def sha256(self) -> str:
        """The hash of the bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()


class Pictures:
    """The pictures of an index's pages; the last 64 are kept, since each model call of a question sends them again."""

    def __init__(self, index: PageIndex):
        self._index = index
        self.of = lru_cache(maxsize=_KEPT)(self._rendered)

    def _rendered(self, view: PageView) -> Picture:
        """The picture of a page, or of its region, rendered anew. Raises RequestError, or SourceError if it is gone."""
        return encode(self._index.picture(view.ref, region=view.region, long_side=LONG_SIDE))


def encode(image: Image.Image) -> Picture:
    """Few colours (text, line art, tables) as PNG, which keeps small print sharp; photographs and scans as JPEG."""
    image = image.convert("RGB")
    file = io.BytesIO()
    if image.getcolors(_COLOURS_OF_LINE_ART):
        image.save(file, "PNG")
        return Picture(file.getvalue(), "image/png")
    image.save(file, "JPEG", quality=_JPEG_QUALITY)
    return Picture(file.getvalue(), "image/jpeg")
