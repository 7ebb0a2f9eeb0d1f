"""What is drawn as text of which the layer says nothing: its letters mean nothing there, or are blanks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.documents import pdfium_pointers as plain
from pagesight.indexing.documents.page_objects import PageObjects, moved
from pagesight.indexing.documents.pdfium_pointers import Rectangle
from pagesight.indexing.page_text.words import MEANINGLESS

# Fewer such letters in a row are bullets and icons. A guess, not measured.
_LEAST = 3

# Lines of nothing but blanks, which texts have between paragraphs, and a font whose letters are all blanks. Runs of
# blanks are one for pdfium, and letters without a map may be ends of lines to it: so where these are drawn is asked of
# what draws them.
_BLANK_LINES = re.compile(r"(?:^|\n)[^\S\n]+(?:\r?\n|$)")
_NARROW = 30.0  # points: narrower ones are blanks that fonts show, and single letters. A guess, not measured


def is_meaningless(word: str) -> bool:
    """Whether most of the characters of a word, as a text layer has it, say nothing."""
    return 2 * sum(map(_says_nothing, word)) > len(word)


def unread_words(raws: Sequence[str], said: Sequence[str], pieces: NDArray[np.int64]) -> list[int]:
    """The places of words that are drawn, in ``pieces`` (n,), and of which nothing is ``said``."""
    return [
        place
        for place, (raw, word) in enumerate(zip(raws, said, strict=True))
        if not word and len(raw) >= _LEAST and pieces[place] and is_meaningless(raw)
    ]


def has_blank_lines(characters: str) -> bool:
    """Whether some of a page's text may be nothing but blanks."""
    return _BLANK_LINES.search(characters) is not None


def wide_texts(objects: PageObjects, known: Collection[int]) -> NDArray[np.float64]:
    """(n, 4) in points: where text objects of a page lie that may be words, but for the ``known`` addresses."""
    reader, found = plain.ObjectReader(), list[Rectangle]()
    for thing in objects.texts.keys() - known:
        bounds = reader.bounds(thing)
        if bounds and bounds[2] - bounds[0] > _NARROW and bounds[3] - bounds[1] > 1:
            frame = objects.frames.get(objects.texts[thing])
            found.append(moved(bounds, frame.matrix) if frame else bounds)
    return np.array(found, np.float64).reshape(-1, 4)


def apart_from(boxes: NDArray[np.float32], words: NDArray[np.float32]) -> NDArray[np.float32]:
    """The boxes (n, 4) whose middle lies in none of the words' (m, 4)."""
    middles = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    lie_in = np.all((middles >= words[:, :2]) & (middles <= words[:, 2:]), axis=2)
    return np.asarray(boxes[~np.any(lie_in, axis=1)])


def _says_nothing(char: str) -> bool:
    return char < " " or (not char.isascii() and unicodedata.category(char) in MEANINGLESS)
