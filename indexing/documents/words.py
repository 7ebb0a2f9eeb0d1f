"""Words as a page's text holds them, whether they come from a text layer or from OCR: cleaned, and on the page."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import PageText

#: Unicode's categories of characters that mean nothing: control, format, unassigned, private use, half of a pair.
MEANINGLESS = frozenset(("Cc", "Cf", "Cn", "Co", "Cs"))

_JOINERS = "\u200c\u200d"  # shape letters in Persian and Indic scripts, and emoji: kept


def cleaned(word: str) -> str:
    """The word in NFKC without characters that mean nothing; empty if no others are left."""
    if word.isascii() and word.isprintable():
        return word
    word = word.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pdfium gives halves of rare characters
    word = "".join(unicodedata.normalize("NFKC", word).split())
    return "".join(char for char in word if char in _JOINERS or unicodedata.category(char) not in MEANINGLESS)


def on_page(words: list[str], boxes: NDArray[np.float32], lines: NDArray[np.int32], source: str) -> PageText:
    """The words whose middle is on the page, boxes (n, 4) cut at its edges, lines (n,) counted without gaps."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((middles >= 0) & (middles <= 1)).all(axis=1)
    if not inside.any():
        return PageText.empty()
    shown = [words[index] for index in np.flatnonzero(inside).tolist()]
    without_gaps = np.unique(lines[inside], return_inverse=True)[1].astype(np.int32)
    return PageText(shown, boxes[inside].clip(0, 1), without_gaps, source)
