"""A page's words in blocks: paragraphs that are read as prose, and the cells of tables and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import Box, PageText
from pagesight.indexing.values.units import is_unit

Span = tuple[int, int]

# Lengths are in heights of the page's middling word. All are guesses at how pages are set, tried on made claims
# (benchmarks/claims.py), not measured one by one.
_CELL_GAP = 1.2  # between words: more divides cells
_LINE_STEP = 2.2  # between the tops of a paragraph's lines, at most
_WORDS_OF_PROSE = 7
_LINES_OF_PROSE = 3
_WORDS_OF_A_LINE = 5
_WORDS_OF_A_HEAD, _ROWS_UNDER_A_HEAD = 15, 3
_DOTS, _FEWEST_DOTS = re.compile(r"[.·…]+"), 4
_NEARLY = -0.005  # of the page's width
#: Boxes are parts of the page, which is higher than wide: a gap across is as wide as a part so many times as high.
_WIDE = 1.4


@dataclass(frozen=True)
class Block:
    """Words that are read together: a paragraph, or a table's cell. ``starts`` are the places of words in ``text``."""

    words: list[int]
    text: str
    starts: list[int]
    box: Box
    prose: bool
    one_line: bool

    def words_of(self, span: Span) -> list[int]:
        """The words, by their places on the page, that a part of the text touches."""
        ends = [*self.starts[1:], len(self.text) + 1]
        return [
            word
            for word, start, end in zip(self.words, self.starts, ends, strict=True)
            if start < span[1] and end - 1 > span[0]
        ]


def page_blocks(page: PageText) -> list[Block]:
    """The blocks of a page in reading order."""
    blocks = list(_blocks(page))
    numbers = [block for block in blocks if _is_number(block.text)]
    height = page.word_height
    return [
        replace(block, prose=False) if _labels_one(block, numbers) or _heads_some(block, numbers, height) else block
        for block in blocks
    ]


def _is_number(text: str) -> bool:
    return any(letter.isdigit() for letter in text) and sum(letter.isalpha() for letter in text) <= 3


def _labels_one(block: Block, numbers: Sequence[Block]) -> bool:
    """Whether a line that is as long as prose, or a few short ones, are the label of a row: numbers stand beside it."""
    short = len(block.words) <= _WORDS_OF_A_HEAD and not block.text.endswith((".", ":", "?", "!"))
    if not block.prose or not (block.one_line or short):
        return False
    return any(one.box[0] > block.box[2] and same_row(one.box, block.box) for one in numbers)


def _heads_some(block: Block, numbers: Sequence[Block], height: float) -> bool:
    """Whether a few lines are the head of a column: numbers alone stand right below them, within their width."""
    if not block.prose or len(block.words) > _WORDS_OF_A_HEAD or block.text.endswith((".", ":", "?", "!")):
        return False
    left, _, right, foot = block.box
    under = [one for one in numbers if left < one.box[0] and one.box[2] < right and one.box[1] > foot]
    near = [one for one in under if one.box[1] - foot < _LINE_STEP * height]
    return len(near) == 1 and len(under) >= _ROWS_UNDER_A_HEAD


def _blocks(page: PageText) -> Iterator[Block]:
    height = page.word_height or 0.01
    paragraph: list[list[int]] = []
    for cell in _joined_where_spaced(page, list(_runs(page, height)), height):
        if paragraph and not _goes_on(page, paragraph, cell, height):
            yield _block(page, paragraph)
            paragraph = []
        paragraph.append(cell)
    if paragraph:
        yield _block(page, paragraph)


def _has_letters(page: PageText, words: Sequence[int]) -> bool:
    return any(letter.isalpha() for word in words for letter in page.words[word])


def _runs(page: PageText, height: float) -> Iterator[list[int]]:
    """The words of each line, divided where there is more than a space between them, without dots that lead across."""
    run: list[int] = []
    leading = leading_dots(page)
    for word, line in enumerate(page.lines.tolist()):
        if word in leading:
            continue
        if run and (page.lines[run[-1]] != line or _apart(page.boxes, run[-1], word, height)):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def leading_dots(page: PageText) -> frozenset[int]:
    """The words that are the dots between a title and the number of its page."""
    found: list[int] = []
    for dots, run in groupby(range(len(page.words)), lambda word: _DOTS.fullmatch(page.words[word]) is not None):
        places = list(run)
        if dots and sum(len(page.words[word]) for word in places) >= _FEWEST_DOTS:
            found += places
    return frozenset(found)


def _joined_where_spaced(page: PageText, runs: Sequence[list[int]], height: float) -> Iterator[list[int]]:
    """The runs, where two of a line that is spaced to a paragraph's full width are one: the next line ends where they
    do, and has words below the gap between them."""
    held: list[int] = []
    for run, after in zip(runs, [*runs[1:], []], strict=True):
        if held and not _is_spaced(page, held, run, after, height):
            yield held
            held = []
        held = [*held, *run]
    if held:
        yield held


def _is_spaced(page: PageText, left: Sequence[int], right: Sequence[int], after: Sequence[int], height: float) -> bool:
    boxes = page.boxes
    if page.lines[left[-1]] != page.lines[right[0]] or len(after) < _WORDS_OF_A_LINE or not _has_letters(page, right):
        return False
    gap, below = (boxes[left[-1], 2], boxes[right[0], 0]), around(boxes[after])
    narrow = 0 < gap[1] - gap[0] < 2 * _CELL_GAP * height * _WIDE
    return bool(narrow and below[0] < gap[0] and abs(below[2] - boxes[right[-1], 2]) < height)


def _apart(boxes: NDArray[np.float32], before: int, word: int, height: float) -> bool:
    gap = boxes[word, 0] - boxes[before, 2]
    return bool(gap > _CELL_GAP * height * _WIDE or gap < -height)


def _goes_on(page: PageText, paragraph: list[list[int]], run: list[int], height: float) -> bool:
    """Whether a run is the next line of the paragraph: right below, and the line before it is full.

    In a narrow column a line is full with fewer words, if the next one begins in the middle of a sentence, or other
    lines were before it.
    """
    first = page.words[run[0]]
    ends = len(run) == 1 and first[:1].isdigit() and first.endswith(".")
    least = 3 if first[:1].islower() or ends or len(paragraph) >= _LINES_OF_PROSE else 5
    if is_unit(" ".join(page.words[word] for word in run)):  # below a table's title
        return False
    if len(paragraph[-1]) < least or not (ends or _has_letters(page, run)):
        return False
    return _is_below(page.boxes, paragraph, run, height)


def _is_below(boxes: NDArray[np.float32], paragraph: list[list[int]], run: list[int], height: float) -> bool:
    """Whether a run stands right below a paragraph, whose last line is full."""
    before, box = around(boxes[paragraph[-1]]), around(boxes[run])
    column = around(boxes[[word for line in paragraph for word in line]])
    if len(paragraph[-1]) >= _WORDS_OF_PROSE:
        height = max(height, before[3] - before[1])
    else:  # a page of small tables may have paragraphs in larger letters
        height = max(height, min(_height(boxes[paragraph[-1]]), _height(boxes[run])))
    full = before[2] >= column[2] - 12 * height
    near = height / 2 < box[1] - before[1] < _LINE_STEP * height
    # A line that begins with the rest of a divided word, which stands with the line before, begins further right.
    divided = column[0] < box[0] < (column[0] + column[2]) / 2 and abs(box[2] - column[2]) < 2 * height
    return full and near and (divided or abs(box[0] - around(boxes[paragraph[0]])[0]) < 4 * height)


def _height(boxes: NDArray[np.float32]) -> float:
    """The height of a line's middling word."""
    return float(np.median(boxes[:, 3] - boxes[:, 1]))


def _block(page: PageText, lines: list[list[int]]) -> Block:
    words = [word for line in lines for word in line]
    starts, text = [], ""
    for word in words:
        starts.append(len(text) + (1 if text else 0))
        text += (" " if text else "") + page.words[word]
    letters = sum(page.words[word][:1].isalpha() for word in words)
    prose = len(lines) > 1 or (len(words) >= _WORDS_OF_PROSE and letters > 0.6 * len(words))
    return Block(words, text, starts, around(page.boxes[words]), prose, len(lines) == 1)


def around(boxes: NDArray[np.float32]) -> Box:
    """The box around boxes ``(n, 4)``."""
    left, top = (float(edge) for edge in boxes[:, :2].min(axis=0))
    right, bottom = (float(edge) for edge in boxes[:, 2:].max(axis=0))
    return left, top, right, bottom


def same_row(one: Box, other: Box) -> bool:
    """Whether two boxes stand side by side."""
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared > 0.5 * min(one[3] - one[1], other[3] - other[1])


def rows_of(blocks: Sequence[Block]) -> list[list[Block]]:
    """The blocks that stand side by side, from the left; each block is in one row."""
    rows, taken = list[list[Block]](), set[int]()
    for block, row in zip(blocks, beside(blocks), strict=True):
        if id(block) not in taken:
            left = [one for one in row if id(one) not in taken]
            rows.append(sorted(left, key=lambda one: one.box[0]))
            taken |= set(map(id, left))
    return rows


def beside(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """For each block those that stand side by side with it, itself among them: `same_row` of all at once."""
    boxes = np.array([block.box for block in blocks], np.float64).reshape(-1, 4)
    tops, bottoms = boxes[:, 1], boxes[:, 3]
    for top, bottom in zip(tops, bottoms, strict=True):
        shared = np.minimum(bottoms, bottom) - np.maximum(tops, top)
        together = np.flatnonzero(shared > 0.5 * np.minimum(bottoms - tops, bottom - top))
        yield [blocks[at] for at in together.tolist()]


def over(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two boxes share a part of their width, or nearly."""
    return min(one[2], other[2]) - max(one[0], other[0]) > _NEARLY


def all_over(boxes: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    """For each of some boxes (n, 4), whether it and another share a part of their width, or nearly."""
    return np.asarray(np.minimum(boxes[:, 2], box[2]) - np.maximum(boxes[:, 0], box[0]) > _NEARLY)
