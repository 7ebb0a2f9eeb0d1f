"""From a page to its picture, whole or a region of it, always rendered from the source at the resolution asked for.

pdf.py and image.py render, each its kind of file. The picture shows what a viewer shows: the crop box, turned as the
page says, with annotations and form fields. text.py reads the words.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from numbers import Integral
from pathlib import Path
from typing import Any

from PIL import Image

from pagesight.indexing.errors import BadRegion, UnknownPage
from pagesight.indexing.pages import WHOLE_PAGE, Box, Region

#: Resolution of a picture when none is asked for, in dots per inch.
DEFAULT_DPI = 144

#: The least height and width of a region, in thousandths of the page: about one line of small print. A guess, not
#: measured.
MIN_REGION = 10


def check_region(region: object) -> Region:
    """The region as four integers. Raises BadRegion, with a message that a language model can act on."""
    if isinstance(region, str | bytes | dict) or not hasattr(region, "__iter__"):
        raise BadRegion(_bad_region(region, "it is not a list of four integers"))
    edges = list(region)
    if len(edges) != 4 or not all(_is_whole(edge) for edge in edges):
        raise BadRegion(_bad_region(edges, "it is not a list of four integers"))
    ymin, xmin, ymax, xmax = (int(edge) for edge in edges)
    if min(ymin, xmin, ymax, xmax) < 0 or max(ymin, xmin, ymax, xmax) > 1000:
        raise BadRegion(_bad_region(edges, "it reaches outside the page"))
    if ymin >= ymax or xmin >= xmax:
        raise BadRegion(_bad_region(edges, "it is inverted or empty"))
    if min(ymax - ymin, xmax - xmin) < MIN_REGION:
        raise BadRegion(_bad_region(edges, f"it is too small; it must be at least {MIN_REGION} high and wide"))
    return ymin, xmin, ymax, xmax


def checked_size(dpi: float | None, long_side: int | None, region: object) -> Region | None:
    """The region of a picture of this size, None for the whole page. Raises BadRegion, and ValueError for the size."""
    if dpi is not None and long_side is not None:
        raise ValueError("give dpi or long_side, not both")
    if (dpi is not None and not dpi > 0) or (long_side is not None and not long_side > 0):
        raise ValueError("dpi and long_side must be above 0")
    return None if region is None else check_region(region)


class OpenDocument(ABC):
    """An open document: its pages' sizes and pictures. Pages count from 1.

    ``warnings`` say what of it may be missing, each as it goes on from "report.pdf: ".
    """

    page_count: int
    warnings: tuple[str, ...] = ()

    def __init__(self, path: Path, max_pixels: int) -> None:
        self.path = path
        self.max_pixels = max_pixels

    def __enter__(self) -> OpenDocument:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def warnings_of(self, number: int) -> tuple[str, ...]:
        """What may be missing of a page that was looked at, each as it goes on from "page 3 of report.pdf: "."""
        return ()

    def bookmarks(self) -> list[tuple[int, str, int]]:
        """The parts that the file itself names: level from 1, title, page. None where its kind has none."""
        return []

    def size(self, number: int) -> tuple[float, float]:
        """Width and height of the page as shown, cropped and turned, in points (1/72 inch).

        An image's size comes from its pixels and the resolution that it states; where it states none, a pixel is a
        point. Raises UnknownPage.
        """
        self._check(number)
        return self._size(number)

    def own_size(self, number: int) -> tuple[float, float, str]:
        """Width and height of the page in its own unit, and the unit: a PDF's points, "pt", or an image's pixels, "px".

        Raises UnknownPage.
        """
        self._check(number)
        return *self._size(number), "pt"

    def picture(
        self, number: int, *, dpi: float | None = None, long_side: int | None = None, region: Region | None = None
    ) -> Image.Image:
        """The page, or the ``region`` of it, as an RGB picture rendered from the source.

        ``dpi`` dots per inch (144 if nothing is given; an image is not enlarged for it), or ``long_side`` the picture's
        longer side in pixels; what would have more than ``max_pixels`` pixels is made smaller. Raises UnknownPage,
        BadRegion, UnreadableDocument for a page that is damaged, ValueError if both or no positive sizes are given.
        """
        self._check(number)
        region = checked_size(dpi, long_side, region)
        part = WHOLE_PAGE if region is None else _as_box(region)
        width, height = self._size(number)
        points = width * (part[2] - part[0]), height * (part[3] - part[1])
        scale = long_side / max(points) if long_side else min(dpi or DEFAULT_DPI, self._finest_dpi(number)) / 72
        return self._render(number, part, pixels_for(points, scale, self.max_pixels))

    @abstractmethod
    def close(self) -> None:
        """Closes the file. A second time does nothing."""

    @abstractmethod
    def _size(self, number: int) -> tuple[float, float]: ...

    @abstractmethod
    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image: ...

    def _finest_dpi(self, number: int) -> float:
        """The resolution beyond which there is nothing more to see."""
        return math.inf

    def _check(self, number: int) -> None:
        if not 1 <= number <= self.page_count:
            pages = "one page, p. 1" if self.page_count == 1 else f"pages 1 to {self.page_count}"
            raise UnknownPage(f"{self.path.name} has no page {number}: it has {pages}")


def pixels_for(points: tuple[float, float], scale: float, max_pixels: int) -> tuple[int, int]:
    """Whole pixels for the points: each side at least one, max_pixels in all at most."""
    width, height = points
    if width * height * scale * scale > max_pixels:
        scale = math.sqrt(max_pixels / (width * height))
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    if across * down > max_pixels:  # by rounding, or because one side is less than a pixel
        across, down = (max(1, max_pixels // down), down) if across > down else (across, max(1, max_pixels // across))
    return across, down


def _is_whole(edge: Any) -> bool:
    return not isinstance(edge, bool) and (
        isinstance(edge, Integral) or (isinstance(edge, float) and edge.is_integer())
    )


def _as_box(region: Region) -> Box:
    ymin, xmin, ymax, xmax = region
    return xmin / 1000, ymin / 1000, xmax / 1000, ymax / 1000


def _bad_region(region: object, fault: str) -> str:
    return (
        f"region {region!r} cannot be shown: {fault}. A region is [ymin, xmin, ymax, xmax], integers in 0-1000 of the "
        "page's height and width from its top left corner, with ymin < ymax and xmin < xmax; "
        "the upper half of a page is [0, 0, 500, 1000]."
    )
