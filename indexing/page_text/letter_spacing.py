"""Headings as they are read: letters that are set apart make one word, and a shadow says nothing twice.

Letters that are drawn in one go without blanks are a word that is set wide. Others may be a list, as "a b c d" and the
initials of months are: they are a word where they are like one of some language.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.page_text.soundness import is_like_a_word
from pagesight.indexing.page_text.text_layer import LayerWords

# Single letters in a row on a line that make a word: fewer are columns, answers or initials. A guess, not measured.
_LEAST_LETTERS = 4
# Gaps between them at most, as parts of the height of capitals, and of the middling gap in the row: wider ones are
# between words. Guesses, not measured.
_WIDEST_GAP = 1.5
_WORD_GAP = 1.6
# How much of the smaller box two printings of a word share, at least: shadows are a point or two away.
_SHADOW = 0.5
# Answers to questions, and the bases of DNA and RNA, stand in rows that may look like words.
_ANSWERS = (frozenset("ABCDEF"), frozenset("ACGTU"), frozenset("TF"), frozenset("YN"), frozenset("JN"))
_NEIGHBOURS = 3  # printings of a word, from the top of the page down, that it is compared with


def as_read(layer: LayerWords, aspect: float) -> LayerWords:
    """The words with those whose letters are set apart joined, and without those that are printed twice at one place.

    ``aspect`` is the page's width as a part of its height.
    """
    return _joined(layer.only(~_is_shadow(layer)), aspect)


def _joined(layer: LayerWords, aspect: float) -> LayerWords:
    rows = _rows(layer, aspect)
    if not rows:
        return layer
    words, boxes = list(layer.words), layer.boxes.copy()
    kept = np.ones(len(words), np.bool_)
    for row in rows:
        words[row[0]] = "".join(words[place] for place in row)
        boxes[row[0], :2], boxes[row[0], 2:] = boxes[row, :2].min(axis=0), boxes[row, 2:].max(axis=0)
        kept[row[1:]] = False
    return replace(layer, words=words, boxes=boxes).only(kept)


def _rows(layer: LayerWords, aspect: float) -> list[list[int]]:
    """Runs of places of letters that make a word."""
    if list(map(len, layer.words)).count(1) < _LEAST_LETTERS:
        return []
    single = [len(word) == 1 and word.isalpha() for word in layer.words]
    found, run = list[list[int]](), list[int]()
    for place, is_letter in enumerate([*single, False]):
        if is_letter and (not run or layer.lines[place] == layer.lines[run[-1]]):
            run.append(place)
            continue
        words = _words_of(run, layer.boxes, aspect) if len(run) >= _LEAST_LETTERS else []
        found += [word for word in words if _is_word(layer, word)]
        run = [place] if is_letter else []
    return found


def _words_of(run: list[int], boxes: NDArray[np.float32], aspect: float) -> list[list[int]]:
    """A run of single letters, cut where a gap is wider than those between letters."""
    gaps = (boxes[run[1:], 0] - boxes[run[:-1], 2]) * aspect
    height = float((boxes[run, 3] - boxes[run, 1]).max())
    if (gaps < 0).any() or float(np.median(gaps)) > _WIDEST_GAP * height:
        return []
    ends = [*np.flatnonzero(gaps > _WORD_GAP * np.median(gaps)).tolist(), len(run) - 1]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [run[start : end + 1] for start, end in zip(starts, ends, strict=True) if end > start]


def _is_word(layer: LayerWords, row: list[int]) -> bool:
    if layer.spelled[row[1:]].all():
        return True
    letters = "".join(layer.words[place] for place in row)
    return not any(set(letters) <= answers for answers in _ANSWERS) and is_like_a_word(letters)


def _is_shadow(layer: LayerWords) -> NDArray[np.bool_]:
    """(n,): whether a word stands where the same word stands already."""
    shadows = np.zeros(len(layer.words), np.bool_)
    firsts: dict[str, int] = {}
    owners = np.array(list(map(firsts.setdefault, layer.words, range(len(layer.words)))), np.int64)
    if len(firsts) == len(owners):
        return shadows
    order = np.lexsort((layer.boxes[:, 1], owners))  # the same words behind each other, from the top down
    for step in range(1, _NEIGHBOURS + 1):
        before, after = order[:-step], order[step:]
        same = (owners[before] == owners[after]) & (_shared(layer.boxes[before], layer.boxes[after]) >= _SHADOW)
        shadows[np.maximum(before, after)[same]] = True
    return shadows


def _shared(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,): how much of the smaller of two boxes both hold."""
    sides = np.minimum(ones[:, 2:], others[:, 2:]) - np.maximum(ones[:, :2], others[:, :2])
    areas = np.minimum(np.prod(ones[:, 2:] - ones[:, :2], axis=1), np.prod(others[:, 2:] - others[:, :2], axis=1))
    return np.asarray(np.prod(sides.clip(0), axis=1) / np.maximum(areas, 1e-9))
