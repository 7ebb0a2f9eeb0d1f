"""Digits that are raised or lowered by their place and size, as Unicode writes them: 512³, 10⁻⁹, H₂O."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

#: What characters are written as that stand higher, or lower, than others.
RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")

#: The slash of fractions.
SLASH = "\u2044"
_SMALL = 0.85  # of a whole number's height: fonts draw the digits of fractions with two thirds of it. A guess

# Of the size of the word's largest characters: smaller ones that stand higher or lower by this part of it are raised or
# lowered. Typesetters take two thirds of the size, and a third of it up; WeasyPrint nine tenths. Guesses between these
# and level.
_SMALLER = 0.95
_HIGHER, _LOWER = 0.15, -0.08


def with_raised(textpage: Any, word: str, start: int) -> str:
    """A word of the text layer that begins at ``start``, what is raised in it, or lowered, written so."""
    places = range(start, start + len(word))
    sizes = np.array([pdfium.FPDFText_GetFontSize(textpage, place) for place in places])
    level = sizes >= _SMALLER * sizes.max()
    if level.all() and SLASH in word:
        return _before_slash(textpage, word, start)
    if level.all() or not level[0]:
        return word
    above = np.array([_origin(textpage, place) for place in places])
    shift = (above - above[level][0]) / sizes.max()
    written = []
    for char, is_level, by in zip(word, level.tolist(), shift.tolist(), strict=True):
        raised, lowered = not is_level and by >= _HIGHER, not is_level and by <= _LOWER
        written.append(char.translate(RAISED) if raised else char.translate(LOWERED) if lowered else char)
    return "".join(written)


def _before_slash(textpage: Any, word: str, start: int) -> str:
    """A word with a fraction whose digits a font draws smaller, those above written so."""
    above, slash, below = word.partition(SLASH)
    heights = [_height(textpage, start + place) for place in range(len(above))]
    whole = heights[0] if heights else 0.0
    raised = (
        char.translate(RAISED) if height < _SMALL * whole else char for char, height in zip(above, heights, strict=True)
    )
    return "".join(raised) + slash + below


def _height(textpage: Any, place: int) -> float:
    """How high in points what is drawn of a character is."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(textpage, place, left, right, bottom, top)
    return top.value - bottom.value


def _origin(textpage: Any, place: int) -> float:
    """How high in points the line is that a character stands on."""
    across, up = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage, place, across, up)
    return up.value
