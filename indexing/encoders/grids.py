"""Where image tokens look: the boxes of the vectors of each family, in the order of its tokens.

Computed here and not by the families' own `get_n_patches`, which gave a wrong grid for Idefics3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import Box

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def grid(columns: int, rows: int, within: Box = _WHOLE) -> NDArray[np.float32]:
    """(rows * columns, 4): the boxes of a regular grid, row by row."""
    left, top, right, bottom = within
    xs = np.linspace(left, right, columns + 1)
    ys = np.linspace(top, bottom, rows + 1)
    lefts, tops = np.meshgrid(xs[:-1], ys[:-1])
    rights, bottoms = np.meshgrid(xs[1:], ys[1:])
    return np.stack([lefts, tops, rights, bottoms], axis=-1).reshape(-1, 4).astype(np.float32)


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
