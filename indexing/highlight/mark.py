"""A page's picture with regions marked, as evidence for a person to look at."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageChops, ImageDraw

from pagesight.indexing.pages import Box, Region

_FILL = (255, 214, 0)  # a highlighter's yellow, multiplied in so that the ink stays black
_REGION_OUTLINE = (214, 40, 40)
_PADDING = 0.004  # of the page's width, around a word's box


def mark(picture: Image.Image, boxes: Iterable[Box] = (), regions: Iterable[Region] = ()) -> Image.Image:
    """A copy of the RGB picture with ``boxes`` highlighted and ``regions`` outlined."""
    width, height = picture.size
    pad = _PADDING * width
    tint = Image.new("RGB", picture.size, "white")
    brush = ImageDraw.Draw(tint)
    for left, top, right, bottom in boxes:
        brush.rounded_rectangle(
            (left * width - pad, top * height - pad, right * width + pad, bottom * height + pad), pad * 2, fill=_FILL
        )
    marked = ImageChops.multiply(picture.convert("RGB"), tint)
    pen = ImageDraw.Draw(marked)
    for ymin, xmin, ymax, xmax in regions:
        edges = (xmin * width / 1000, ymin * height / 1000, xmax * width / 1000, ymax * height / 1000)
        pen.rectangle(edges, outline=_REGION_OUTLINE, width=max(2, width // 300))
    return marked
