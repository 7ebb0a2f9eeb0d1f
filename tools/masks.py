"""Segmentation masks as models give them: read as outside input, and measured in the page's own units.

Gemini gives a mask as a base64 PNG that covers the thing's box, with a probability of 0 to 255 in each pixel
(https://ai.google.dev/gemini-api/docs/image-understanding#segmentation). Not all of its models do.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pagesight.indexing.pages import Region

#: Letters of base64, and pixels of a side, at most: a mask of a page's picture has far fewer. Guesses, not measured.
_MOST_LETTERS, _LONGEST_SIDE = 8_000_000, 4096
#: A pixel above it belongs to the thing: the middle, as the service's documents take it.
_THRESHOLD = 127
_PREFIX = "data:image/png"
#: What Pillow raises for damaged files, by experience.
_FAULTS = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, struct.error)


class BadMask(ValueError):
    """What a model gave as a mask is none; the message says why."""


@dataclass(frozen=True)
class Outline:
    """What a mask says of a thing: its ``area`` in square units, how wide and high it is, its ``share`` of the page.

    The unit is a PDF's point ("pt", 1/72 inch) or an image's pixel ("px").
    """

    area: float
    width: float
    height: float
    unit: str
    share: float

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the artifact of `locate`."""
        size = {"area": round(self.area, 1), "extent": [round(self.width, 1), round(self.height, 1)]}
        return {**size, "unit": self.unit, "share": round(self.share, 5)}

    def __str__(self) -> str:
        extent = f"{self.width:,.0f} × {self.height:,.0f} {self.unit}"
        return f"its outline is {extent} and {self.area:,.0f} {self.unit}² large, {self.share:.1%} of the page"


def read_mask(given: str) -> Image.Image:
    """The mask as a picture of mode "L", 255 where the thing is and 0 elsewhere. Raises BadMask."""
    if given.startswith("data:") and not given.startswith(_PREFIX):
        raise BadMask("it is no PNG")
    letters = "".join(given.rpartition("base64,")[2].split())
    if len(letters) > _MOST_LETTERS:
        raise BadMask(f"it has more than {_MOST_LETTERS:,} letters")
    try:
        data = base64.b64decode(letters, validate=True)
    except (binascii.Error, ValueError):
        raise BadMask("it is no base64") from None
    mask = _opened(data).point(lambda value: 255 if value > _THRESHOLD else 0)
    if mask.getbbox() is None:
        raise BadMask("nothing is marked in it")
    return mask


def measure(mask: Image.Image, region: Region, page: tuple[float, float], unit: str) -> Outline:
    """What a mask of a ``region`` measures on a page of that width and height, in its units."""
    ymin, xmin, ymax, xmax = region
    width, height = (xmax - xmin) / 1000 * page[0], (ymax - ymin) / 1000 * page[1]
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    area = mask.histogram()[255] / (mask.width * mask.height) * width * height
    across, down = (right - left) / mask.width * width, (bottom - top) / mask.height * height
    return Outline(area, across, down, unit, area / (page[0] * page[1]))


def _opened(data: bytes) -> Image.Image:
    """A PNG in shades of grey; what is transparent in it counts as black."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is below Pillow's
            if max(image.size) > _LONGEST_SIDE:
                raise BadMask(f"it is {image.width} × {image.height} pixels large")
            return _in_grey(image)
    except Image.DecompressionBombError:
        raise BadMask("it has too many pixels") from None
    except BadMask:
        raise
    except _FAULTS:
        raise BadMask("it is no PNG that can be read") from None


def _in_grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits, of which the upper half is kept
        return Image.fromarray((np.asarray(image, np.uint32) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("L")
    return image.convert("L")
