"""Words as a page's text holds them, whether they come from a text layer or from OCR: as printed, and on the page."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import PageText

#: Unicode's categories of characters that mean nothing: control, format, unassigned, private use, half of a pair.
MEANINGLESS = frozenset(("Cc", "Cf", "Cn", "Co", "Cs"))

_JOINERS = "\u200c\u200d"  # shape letters in Persian and Indic scripts, and emoji: kept

# What fonts have for the same letters in another shape: ligatures, the shapes of Arabic letters, radicals that are Han
# characters. All else that is written in two ways, as ² and 2, is kept as printed.
_SHAPES = re.compile("[\ufb00-\ufb4f\ufb50-\ufdfb\ufe70-\ufefc\u2e80-\u2fd5]+")


# The vowel am of Thai and Lao, which fonts and OCR give as its two parts, perhaps with a tone mark between.
_VOWEL_AM = re.compile("[\u0e4d\u0ecd]([\u0e48-\u0e4b\u0ec8-\u0ecb]?)[\u0e32\u0eb2]")
_AM = {"\u0e4d": "\u0e33", "\u0ecd": "\u0eb3"}


def cleaned(word: str) -> str:
    """The word as printed (NFC), without characters that mean nothing; empty if no others are left."""
    if word.isascii() and word.isprintable():
        return word
    word = word.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pdfium gives halves of rare characters
    word = _SHAPES.sub(lambda found: unicodedata.normalize("NFKC", found.group()), unicodedata.normalize("NFC", word))
    word = _VOWEL_AM.sub(lambda found: f"{found[1]}{_AM[found[0][0]]}", "".join(word.split()))
    return "".join(char for char in word if char in _JOINERS or unicodedata.category(char) not in MEANINGLESS)


def on_page(words: list[str], boxes: NDArray[np.float32], lines: NDArray[np.int32], source: str) -> PageText:
    """The words whose middle is on the page, boxes (n, 4) cut at its edges, lines (n,) counted without gaps."""
    inside = is_on_page(boxes)
    if not inside.any():
        return PageText.empty()
    shown = [words[index] for index in np.flatnonzero(inside).tolist()]
    without_gaps = np.unique(lines[inside], return_inverse=True)[1].astype(np.int32)
    return PageText(shown, boxes[inside].clip(0, 1), without_gaps, source)


def is_on_page(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,): whether the middles of the boxes are on the page."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(((middles >= 0) & (middles <= 1)).all(axis=1))
