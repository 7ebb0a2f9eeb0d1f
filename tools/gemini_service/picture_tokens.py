"""What a picture costs a model in tokens, and so in how many pixels it is best sent.

Gemini 2.x counts tiles of 768 px that a picture fills (https://ai.google.dev/gemini-api/docs/tokens#multimodal-tokens);
Gemini 3 and later give each picture a number of tokens by its media resolution, whatever its size
(https://ai.google.dev/gemini-api/docs/media-resolution). How others count is not known: tiles are the guess for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from pagesight.tools.gemini_service.generations import generation, is_gemini

Resolution = Literal["low", "medium", "high", "ultra_high"]

#: Pixels of the sides of the tiles that Gemini 2.x cuts pictures into, the tokens of each, and the side in pixels up to
#: which a picture costs one tile.
TILE = 768
TOKENS_PER_TILE = 258
_SMALL = 384
#: A page of a PDF costs Gemini 2.x as much as a small picture (https://ai.google.dev/gemini-api/docs/document-processing).
_TOKENS_OF_A_PDF_PAGE = 258

#: Tokens of a picture for Gemini 3 and later. "high" is the default; "ultra_high" can only be asked for a single part.
TOKENS: dict[Resolution, int] = {"low": 280, "medium": 560, "high": 1120, "ultra_high": 2240}
_DEFAULT_OF_A_PDF_PAGE: Resolution = "medium"
#: Pixels of the side of the square that one token sees. Not published for Gemini; this is Gemma 4's, which takes the
#: same 280, 560 and 1,120 tokens (16 px a patch, 3 × 3 patches a token). A guess for Gemini, not measured.
_SIDE_OF_A_TOKEN = 48
#: Print of a region that would be lower than this, in pixels, is looked at more closely: the side of one patch. The
#: height is that of the lower quarter of the words' boxes. A guess, not measured.
_SMALLEST_PRINT = 16

#: Dots per inch beyond which the smallest print of a page holds nothing more to see.
_FINEST_DPI = 400
#: A picture may be this much smaller than the tiles allow where that saves tiles.
_WORTH_FEWER_TILES = 0.88


def counts_by_resolution(model: str) -> bool:
    """Whether the model of that name counts pictures by resolution, as Gemini 3 and later do, and not by tiles."""
    return is_gemini(model) and generation(model) >= (3, 0)


class PictureRule(Protocol):
    """How a model counts pictures. Sizes are (width, height): of a picture in pixels, of a page or region in points."""

    def tokens(self, pixels: tuple[int, int], *, closer: bool = False) -> int:
        """What a picture costs."""
        ...

    def pdf_page_tokens(self) -> int:
        """What a page of a PDF costs, when it is sent as a PDF."""
        ...

    def dpi(self, points: tuple[float, float], *, closer: bool = False) -> float:
        """The resolution to render a page or region at."""
        ...

    def wants_closer(self, points: tuple[float, float], print_height: float) -> bool:
        """Whether a region with print of so many points is to be looked at more closely than other pictures."""
        ...

    def level(self, *, closer: bool) -> str:
        """The media resolution to ask for this one picture; "" for that of all pictures."""
        ...


@dataclass(frozen=True)
class ByTiles:
    """The rule of Gemini 2.x: 258 tokens for each tile of 768 px, of which a picture may fill ``tiles``."""

    tiles: int = 4

    def tokens(self, pixels: tuple[int, int], *, closer: bool = False) -> int:
        """258 for each tile that the picture fills."""
        if max(pixels) <= _SMALL:
            return TOKENS_PER_TILE
        return TOKENS_PER_TILE * math.ceil(pixels[0] / TILE) * math.ceil(pixels[1] / TILE)

    def pdf_page_tokens(self) -> int:
        """258, as the documents say."""
        return _TOKENS_OF_A_PDF_PAGE

    def dpi(self, points: tuple[float, float], *, closer: bool = False) -> float:
        """The resolution at which the tiles are filled best; 400 dots per inch at most.

        That of the largest picture that fits, or of one a little smaller that needs fewer tiles.
        """
        width, height = points
        across_and_down = range(1, self.tiles + 1)
        grids = [
            (across, down) for across in across_and_down for down in across_and_down if across * down <= self.tiles
        ]
        scales = {grid: min(grid[0] * TILE / width, grid[1] * TILE / height) for grid in grids}
        enough = _WORTH_FEWER_TILES * min(max(scales.values()), _FINEST_DPI / 72)
        fewest = min(
            (grid for grid in grids if scales[grid] >= enough), key=lambda grid: (grid[0] * grid[1], -scales[grid])
        )
        return min(scales[fewest] * 72, _FINEST_DPI)

    def wants_closer(self, points: tuple[float, float], print_height: float) -> bool:
        """Never: 2.x has one resolution for all pictures of a call."""
        return False

    def level(self, *, closer: bool) -> str:
        """None of its own."""
        return ""


@dataclass(frozen=True)
class ByResolution:
    """The rule of Gemini 3 and later: so many tokens a picture by the call's media resolution, whatever its size.

    ``asked`` is the call's own, "default" leaves it to the model. Regions of small print are looked at at ultra high
    resolution with ``closer_regions``, unless the call's own is low or medium.
    """

    asked: Literal["default", "low", "medium", "high"] = "default"
    closer_regions: bool = True

    def tokens(self, pixels: tuple[int, int], *, closer: bool = False) -> int:
        """1,120 by default, 2,240 for one that is looked at more closely."""
        return TOKENS[self._resolution(closer)]

    def pdf_page_tokens(self) -> int:
        """560 by default."""
        return TOKENS[_DEFAULT_OF_A_PDF_PAGE if self.asked == "default" else self.asked]

    def dpi(self, points: tuple[float, float], *, closer: bool = False) -> float:
        """The resolution at which each token sees its full square; 400 dots per inch at most."""
        pixels = TOKENS[self._resolution(closer)] * _SIDE_OF_A_TOKEN**2
        return min(72 * math.sqrt(pixels / (points[0] * points[1])), _FINEST_DPI)

    def wants_closer(self, points: tuple[float, float], print_height: float) -> bool:
        """Whether its print would be too low at the resolution of other pictures, and more pixels are to be had."""
        dpi = self.dpi(points)
        fits = self.closer_regions and self.asked in ("default", "high") and dpi < _FINEST_DPI
        return fits and print_height * dpi / 72 < _SMALLEST_PRINT

    def level(self, *, closer: bool) -> str:
        """Ultra high for one that is looked at more closely."""
        return "MEDIA_RESOLUTION_ULTRA_HIGH" if closer else ""

    def _resolution(self, closer: bool) -> Resolution:
        if closer:
            return "ultra_high"
        return "high" if self.asked == "default" else self.asked


def rule_for(
    model: str,
    *,
    tiles: int = 4,
    asked: Literal["default", "low", "medium", "high"] = "default",
    closer_regions: bool = True,
) -> PictureRule:
    """How the model of that name counts pictures."""
    return ByResolution(asked, closer_regions) if counts_by_resolution(model) else ByTiles(tiles)
