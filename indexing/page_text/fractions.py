"""Fractions as they are printed: 3½, where a page draws its digits and the slash between them apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.page_text.raised import LOWERED, RAISED, SLASH
from pagesight.indexing.page_text.text_layer import LayerWords

_ABOVE, _BELOW = "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
_FRACTION = re.compile(f"([{_ABOVE}]+|^[0-9]){SLASH}([0-9{_BELOW}]+)")
_GOES_ON, _ENDS = re.compile(f"[0-9{_ABOVE}]{SLASH}"), re.compile(f"{SLASH}[0-9{_BELOW}]")
_ONE_LETTER = {unicodedata.normalize("NFKC", letter): letter for letter in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"}

# Gaps between pieces of a fraction, as parts of the larger one's height. Guesses, not measured.
_NEAREST, _WIDEST = -0.5, 0.3


def with_fractions(layer: LayerWords) -> LayerWords:
    """The words, the pieces of fractions joined, each fraction as one letter where there is one."""
    if not any(SLASH in word for word in layer.words):
        return layer
    words, boxes, kept, last = list(layer.words), layer.boxes.copy(), np.ones(len(layer.words), np.bool_), 0
    for place in range(1, len(words)):
        on_one_line = layer.lines[last] == layer.lines[place]
        if on_one_line and _are_pieces(words[last], words[place]) and _touch(boxes[last], boxes[place]):
            words[last] += words[place]
            boxes[last, :2] = np.minimum(boxes[last, :2], boxes[place, :2])
            boxes[last, 2:] = np.maximum(boxes[last, 2:], boxes[place, 2:])
            kept[place] = False
        else:
            last = place
    return replace(layer, words=[_FRACTION.sub(_written, word) for word in words], boxes=boxes).only(kept)


def _are_pieces(before: str, after: str) -> bool:
    return bool(_GOES_ON.fullmatch(before[-1:] + after[:1]) or _ENDS.fullmatch(before[-1:] + after[:1]))


def _touch(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    height = max(before[3] - before[1], after[3] - after[1])
    return bool(_NEAREST * height < after[0] - before[2] < _WIDEST * height)


def _written(found: re.Match[str]) -> str:
    above, below = (unicodedata.normalize("NFKC", part) for part in found.groups())
    return _ONE_LETTER.get(f"{above}{SLASH}{below}", f"{above.translate(RAISED)}{SLASH}{below.translate(LOWERED)}")
