"""Tables with ruled or coloured cells, as a small picture of a page shows them: a grid whose cells hold words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# All were set while looking at pages of mmlb-dev (docs/quality.md), so they will do worse on other documents.
_STEP = 14  # by which a channel, 0-255, differs across a line
_LONG, _TALL = 20, 7  # pixels of a line across and of one down, at least
_APART = 7  # pixels of the square that joins lines which end near each other
_MOST_OF_A_SIDE = 0.5  # of the grid that a line between two rows or columns is long, at least
_FEWEST_ROWS, _FEWEST_COLUMNS = 3, 2
_WITH_WORDS = 0.6  # of the rows have words in two cells, at least
_CUT = 0.05  # of the words are cut by lines, at most: names on a map are


def has_ruled_table(pixels: NDArray[np.uint8], words: NDArray[np.int64], with_letters: NDArray[np.bool_]) -> bool:
    """Whether a grid of lines has words in its cells, ``words`` being their boxes, (words, 4), in pixels.

    Some rows need words ``with_letters``, (words,): numbers alone stand in stacked bars, too.
    """
    if min(pixels.shape[:2]) < _TALL:
        return False
    across, down = _lines(pixels, _LONG), _lines(np.ascontiguousarray(pixels.swapaxes(0, 1)), _TALL).T
    if not across.any() or not down.any():
        return False
    import cv2

    touching = cv2.dilate((across | down).astype(np.uint8), np.ones((_APART, _APART), np.uint8))
    count, labels, places, _ = cv2.connectedComponentsWithStats(touching)
    for grid in range(1, count):
        left, top, width, height, _ = places[grid].tolist()
        if width < _FEWEST_COLUMNS * _LONG / 2 or height < _FEWEST_ROWS * _TALL:
            continue
        part = slice(top, top + height), slice(left, left + width)
        own = labels[part] == grid
        lines = _Grid(across[part] & own, down[part] & own)
        if lines.holds(words - np.array([left, top, left, top]), with_letters):
            return True
    return False


class _Grid:
    """Lines that touch each other, in a part of the picture: ``across`` and ``down``, (height, width)."""

    def __init__(self, across: NDArray[np.bool_], down: NDArray[np.bool_]) -> None:
        self._across, self._down = across, down
        self._tops, self._lefts = _places(across), _places(down.T)

    def holds(self, words: NDArray[np.int64], with_letters: NDArray[np.bool_]) -> bool:
        """Whether it is a table of these words: few are cut, most rows have two cells with words, and half a name."""
        rows, columns = len(self._tops) - 1, len(self._lefts) - 1
        if rows < _FEWEST_ROWS or columns < _FEWEST_COLUMNS:
            return False
        middles = (words[:, :2] + words[:, 2:]) / 2
        row = np.searchsorted(self._tops, middles[:, 1]) - 1
        column = np.searchsorted(self._lefts, middles[:, 0]) - 1
        within = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        cells = np.unique(np.stack([row[within], column[within]], axis=1), axis=0)
        filled = int((np.bincount(cells[:, 0], minlength=rows) >= _FEWEST_COLUMNS).sum()) if len(cells) else 0
        named = len(np.unique(row[within & with_letters]))
        if filled < max(_FEWEST_ROWS, _WITH_WORDS * rows) or named < rows / 2:
            return False
        return bool(sum(map(self._is_cut, words[within].tolist())) <= _CUT * within.sum())

    def _is_cut(self, word: list[int]) -> bool:
        """Whether a line goes through a word, and not only along its edge."""
        left, top, right, bottom = (max(edge, 2) for edge in word)
        down = self._down[top - 2 : bottom + 2, left + 2 : right - 1]
        across = self._across[top + 2 : bottom - 2, left - 2 : right + 2]
        return bool(down.all(axis=0).any() or across.all(axis=1).any())


def _places(lines: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Where lines across lie, from the top, that go over most of the width; one that is thick has two edges."""
    broad = lines.copy()  # a line that is not quite straight lies in two rows
    broad[1:] |= lines[:-1]
    at = np.flatnonzero(broad.mean(axis=1) >= _MOST_OF_A_SIDE)
    return at[np.append(True, np.diff(at) > 4)].astype(np.float64) if len(at) else np.zeros(0)


def _lines(pixels: NDArray[np.uint8], shortest: int) -> NDArray[np.bool_]:
    """(height, width): where the colour differs from the one above along so many pixels side by side."""
    import cv2

    red, green, blue = cv2.split(cv2.absdiff(pixels[1:], pixels[:-1]))
    differs = np.zeros(pixels.shape[:2], np.uint8)
    differs[1:] = cv2.max(cv2.max(red, green), blue) > _STEP
    return cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8)).astype(np.bool_)
