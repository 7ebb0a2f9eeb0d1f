"""Where image tokens look: the boxes of the vectors of each family, in the order of its tokens.

Computed here and not by the families' own `get_n_patches`, which gave a wrong grid for Idefics3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import EncoderError
from pagesight.indexing.pages import WHOLE_PAGE, Box

_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")  # stands before each tile of Idefics3's families


def grid(columns: int, rows: int, within: Box = WHOLE_PAGE) -> NDArray[np.float32]:
    """(rows * columns, 4): the boxes of a regular grid, row by row."""
    left, top, right, bottom = within
    xs = np.linspace(left, right, columns + 1)
    ys = np.linspace(top, bottom, rows + 1)
    lefts, tops = np.meshgrid(xs[:-1], ys[:-1])
    rights, bottoms = np.meshgrid(xs[1:], ys[1:])
    return np.stack([lefts, tops, rights, bottoms], axis=-1).reshape(-1, 4).astype(np.float32)


def of_page(tokens: int, marks: Sequence[str], patches: tuple[int, int] | None) -> NDArray[np.float32]:
    """(tokens, 4): the boxes of a page's image tokens.

    ``marks`` are all tokens of its input, as text; ``patches`` rows and columns of patches before they were merged into
    tokens, for the families that tell them. Raises EncoderError without image tokens, ValueError for an unknown grid.
    """
    require_image_tokens(tokens)
    if patches:
        rows, columns = patches
        merged = round((rows * columns / tokens) ** 0.5)
        return grid(columns // merged, rows // merged)
    places = [(int(mark[2]), int(mark[1])) for mark in map(_TILE.fullmatch, marks) if mark]
    columns, rows = max(places, default=(0, 0))
    return tiles(columns, rows, tokens // (columns * rows + 1))


def require_image_tokens(tokens: int) -> None:
    """Raises EncoderError if there are none: the picture was lost on its way to the model."""
    if tokens == 0:
        raise EncoderError(
            "the model's input has no image tokens: its processor dropped the picture. The checkpoint lacks a working "
            "image processor; take another revision (PAGESIGHT_REVISION) or another encoder."
        )


def pressed(pixels: int, patch: int) -> NDArray[np.float32]:
    """(n, 4): a page pressed into a square of so many pixels, cut into square patches.

    What is left at the right and at the bottom, less than a patch, no patch looks at.
    """
    side = pixels // patch
    seen = side * patch / pixels
    return grid(side, side, (0.0, 0.0, seen, seen))


def square(tokens: int) -> NDArray[np.float32]:
    """(tokens, 4): PaliGemma and others that press every page into one square. Raises ValueError if it is none."""
    side = round(tokens**0.5)
    if side * side != tokens:
        raise ValueError(f"{tokens} image tokens are no square")
    return grid(side, side)


def tiles(columns: int, rows: int, tokens_a_tile: int) -> NDArray[np.float32]:
    """Idefics3 and ModernVBERT: each tile's own grid, tile by tile, then the view of the whole page.

    The page is stretched to whole tiles before it is cut, so tiles are equal parts of it. Without tiles there is only
    the view of the whole.
    """
    parts = grid(columns, rows) if columns * rows else np.zeros((0, 4), np.float32)
    side = round(tokens_a_tile**0.5)
    views = [grid(side, side, tuple(part)) for part in parts.tolist()]
    return np.concatenate([*views, square(tokens_a_tile)])
