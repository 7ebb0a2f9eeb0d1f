"""A page's picture with regions marked, as evidence for a person to look at."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageChops, ImageDraw

from pagesight.indexing.pages import Box, Region

_FILL = (255, 214, 0)  # a highlighter's yellow, multiplied in so that the ink stays black
_REGION_OUTLINE = (214, 40, 40)
_MASK = (120, 200, 255)  # a light blue, multiplied in too
_PADDING = 0.004  # of the page's width, around a word's box


#: A region, and a picture of mode "L" that covers it, 255 where the thing in it is and 0 elsewhere.
Mask = tuple[Region, Image.Image]


def mark(
    picture: Image.Image,
    boxes: Iterable[Box] = (),
    regions: Iterable[Region] = (),
    masks: Iterable[Mask] = (),
) -> Image.Image:
    """A copy of the RGB picture with ``boxes`` highlighted, ``regions`` outlined and ``masks`` tinted."""
    width, height = picture.size
    pad = _PADDING * width
    tint = Image.new("RGB", picture.size, "white")
    brush = ImageDraw.Draw(tint)
    for left, top, right, bottom in boxes:
        brush.rounded_rectangle(
            (left * width - pad, top * height - pad, right * width + pad, bottom * height + pad), pad * 2, fill=_FILL
        )
    for region, mask in masks:
        left, top, right, bottom = map(round, _in_pixels(region, picture.size))
        shape = mask.resize((max(1, right - left), max(1, bottom - top)))
        tint.paste(_MASK, (left, top), shape)
    marked = ImageChops.multiply(picture.convert("RGB"), tint)
    pen = ImageDraw.Draw(marked)
    for region in regions:
        pen.rectangle(_in_pixels(region, picture.size), outline=_REGION_OUTLINE, width=max(2, width // 300))
    return marked


def _in_pixels(region: Region, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    ymin, xmin, ymax, xmax = region
    return xmin * size[0] / 1000, ymin * size[1] / 1000, xmax * size[0] / 1000, ymax * size[1] / 1000
