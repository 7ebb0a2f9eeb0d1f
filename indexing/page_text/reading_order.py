"""Brings lines of words from elsewhere, fields or OCR, into the reading order of a page's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import PageText

# How far beside a line of the page a form's value stands at most, in parts of the page's width: a guess, not measured.
_BESIDE = 0.35


@dataclass(frozen=True)
class Line:
    """Words in a row with their boxes (n, 4) on the page; ``in_line`` if they go on with the line beside them."""

    words: list[str]
    boxes: NDArray[np.float32]
    in_line: bool = False

    @property
    def box(self) -> NDArray[np.float32]:
        """(4,) around its words."""
        return np.concatenate([self.boxes[:, :2].min(axis=0), self.boxes[:, 2:].max(axis=0)])


def merged(own: Sequence[Line], others: Sequence[Line], source: str) -> PageText:
    """The page's own lines in their order, with others where they stand: in the line beside them, or behind the line
    that is nearest above them."""
    rows = [_Row(line, float(place)) for place, line in enumerate(own)]
    boxes = np.array([line.box for line in own], np.float32).reshape(-1, 4)
    for line in sorted(others, key=lambda line: (float(line.box[1]), float(line.box[0]))):
        beside = _beside(line.box, boxes) if line.in_line else None
        if beside is None:
            rows.append(_Row(line, _behind(line.box, boxes)))
        else:
            rows[beside].parts.append(line)
    ordered = sorted(rows, key=lambda row: row.place)  # those of one place stay in their order
    lines = [row.whole() for row in ordered]
    if not lines:
        return PageText.empty()
    numbers = np.repeat(np.arange(len(lines), dtype=np.int32), [len(line.words) for line in lines])
    words = [word for line in lines for word in line.words]
    return PageText(words, np.concatenate([line.boxes for line in lines]).clip(0, 1), numbers, source)


def lines_of(words: Sequence[str], boxes: NDArray[np.float32], lines: NDArray[np.int32]) -> list[Line]:
    """Words (n) with boxes (n, 4) and numbers of their lines (n,) as lines, in their order."""
    if not len(words):
        return []
    edges = [0, *(np.flatnonzero(np.diff(lines)) + 1).tolist(), len(words)]
    return [Line(list(words[start:end]), boxes[start:end]) for start, end in pairwise(edges)]


class _Row:
    def __init__(self, line: Line, place: float) -> None:
        self.parts, self.place = [line], place

    def whole(self) -> Line:
        """The row's words, parts that came later where they stand from left to right."""
        first, *others = self.parts
        words, boxes = list(first.words), first.boxes
        for other in others:
            at = int(np.searchsorted(np.maximum.accumulate(boxes[:, 0]), other.box[0], side="right"))
            words[at:at] = other.words
            boxes = np.concatenate([boxes[:at], other.boxes, boxes[at:]])
        return Line(words, boxes)


def _beside(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> int | None:
    """The place of the line that a box stands beside: level with it, and nearest."""
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    level = (box[1] <= middles) & (middles <= box[3])
    apart = np.maximum(np.maximum(box[0] - boxes[:, 2], boxes[:, 0] - box[2]), 0)
    near = np.flatnonzero(level & (apart <= _BESIDE))
    return int(near[np.argmin(apart[near])]) if len(near) else None


def _behind(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> float:
    """The place, between those of lines, behind the lowest line above a box, of those over it if there are any."""
    middle = (box[1] + box[3]) / 2
    above = (boxes[:, 1] + boxes[:, 3]) / 2 <= middle
    over = above & (np.minimum(boxes[:, 2], box[2]) > np.maximum(boxes[:, 0], box[0]))
    candidates = np.flatnonzero(over if over.any() else above)
    return float(candidates[np.argmax(boxes[candidates, 3])]) + 0.5 if len(candidates) else -0.5
