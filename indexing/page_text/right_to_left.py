"""Words of Arabic, Hebrew and other right-to-left scripts in logical order: that in which they are read and typed."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

#: A letter of a right-to-left script: Hebrew, Arabic, Syriac, Thaana, N'Ko, and the shapes of Arabic letters.
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

# Runs that are read from the left within a word: numbers with what stands between digits, and Latin letters.
_PIECE = re.compile(r"\d+(?:[.,:/٫٬-]\d+)*|[A-Za-z]+|.", re.DOTALL)
_ALEFS, _LAM = "\u0622\u0623\u0625\u0627\u0671", "\u0644"
_SAME_PLACE = 0.01  # points: letters of one ligature have one box


def in_logical_order(textpage: Any, word: str, start: int) -> str:
    """A word of the text layer that begins at ``start``, its letters from right to left as they stand on the page.

    PDFs hold them in the order in which they are drawn, which is often from left to right; pdfium turns some of them
    over, and with them the letters of a ligature.
    """
    pieces = [(match.group(), _middle(textpage, start, match.span())) for match in _PIECE.finditer(word)]
    letters = _ligatures([piece for piece in pieces if not unicodedata.combining(piece[0][0])])
    if not letters:
        return word
    marks: list[list[str]] = [[] for _ in letters]
    for text, where in pieces:
        if unicodedata.combining(text[0]):
            nearest = min(range(len(letters)), key=lambda place: abs(letters[place][1] - where))
            marks[nearest].append(text)
    order = sorted(range(len(letters)), key=lambda place: -letters[place][1])
    return "".join(letters[place][0] + "".join(marks[place]) for place in order)


def lines_in_logical_order(words: Sequence[str], boxes: NDArray[np.float32], lines: NDArray[np.int32]) -> list[int]:
    """The places of the words in the order in which they are read: lines of right-to-left words that were drawn from
    left to right are turned over; boxes (n, 4), lines (n,)."""
    places = list(range(len(words)))
    ours = [not word.isascii() and RIGHT_TO_LEFT.search(word) is not None for word in words]
    if not any(ours):
        return places
    for line in np.unique(lines[ours]).tolist():
        held = np.flatnonzero(lines == line).tolist()
        turned = [place for place in held if ours[place]]
        middles = [float(boxes[place, 0] + boxes[place, 2]) for place in turned]
        if len(turned) > 1 and 2 * len(turned) >= len(held) and _rises(middles):
            places[held[0] : held[-1] + 1] = _turned(held, ours, boxes)
    return places


def _turned(held: list[int], ours: list[bool], boxes: NDArray[np.float32]) -> list[int]:
    """A line's words from right to left, runs of other scripts within it from left to right."""
    ordered: list[int] = []
    run: list[int] = []
    for place in sorted(held, key=lambda place: -float(boxes[place, 2])):
        if ours[place]:
            ordered += [*reversed(run), place]
            run = []
        else:
            run.append(place)
    return ordered + run[::-1]


def _ligatures(letters: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Letters of one place as one, lam before alef."""
    found: list[tuple[str, float]] = []
    for text, where in letters:
        if not found or abs(found[-1][1] - where) > _SAME_PLACE:
            found.append((text, where))
        elif found[-1][0][-1] in _ALEFS and text == _LAM:
            found[-1] = found[-1][0][:-1] + text + found[-1][0][-1], where
        else:
            found[-1] = found[-1][0] + text, where
    return found


def _rises(places: list[float]) -> bool:
    return sum(after > before for before, after in pairwise(places)) > (len(places) - 1) / 2


def _middle(textpage: Any, start: int, span: tuple[int, int]) -> float:
    """Where in points the middle of a run of characters stands across the page."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    ends = []
    for place in (start + span[0], start + span[1] - 1):
        pdfium.FPDFText_GetCharBox(textpage, place, left, right, bottom, top)
        ends += [left.value, right.value]
    return (min(ends) + max(ends)) / 2
