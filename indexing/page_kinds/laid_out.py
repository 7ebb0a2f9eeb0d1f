"""What the places of a page's words show: rows and columns of a table, the ticks of an axis, lines of contents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pagesight.indexing.pages import Box, PageText

_GAP = 1.7  # heights of a word between words of one line: more divides cells
_ROW_STEP = 3.5  # heights between the rows of a table, at most
_FEWEST_ROWS, _FEWEST_COLUMNS = 5, 3
_SHORT = 40  # letters that a table's cell has at most, but for one in a row
_FEWEST_TICKS, _EVEN, _MOST_NUMBERS = 4, 0.15, 500
_DATA = re.compile(
    r"[(\-−–+<>~≈]?\s?[$€£]?\s?\d[\d.,\s]*\s?(?:%|pp|bn|[a-zA-Zµ°/²³]{1,4})?\)?\*?|[-–—]|n/?a|N/?A|[x✓✔]"
)
_ON_ONE_LINE, _BELOW = 0.006, 8  # of the page; heights of a number, in which the first row below a table's head stands
_TICK = re.compile(r"['’]?[$€£]?(\d{1,3}(?:,?\d{3})*(?:\.\d+)?)\s?(?:%|[kKmM])?")
_YEAR = re.compile(r"(?:19|20)\d\d|['’]\d\d|[01]\d")
_CAPTION = re.compile(r"(?:Table|TABLE|Tabelle|Tab\.)\s(?:\d+(?:[.-]\d+)*|[IVX]+)(?:\s?[.:–—|]\s.+)?")


@dataclass(frozen=True)
class Cell:
    """Words that stand together on a line."""

    text: str
    box: Box

    @property
    def is_data(self) -> bool:
        """Whether it is a number with its unit, or what stands in place of one."""
        return _DATA.fullmatch(self.text) is not None


def cells_of(text: PageText) -> list[Cell]:
    """The page's words in cells, divided where there is more than a space between them."""
    if not text.words:
        return []
    height = text.word_height or 0.01
    gaps = text.boxes[1:, 0] - text.boxes[:-1, 2]
    divided = (np.diff(text.lines) != 0) | (gaps > _GAP * height) | (gaps < -height)
    starts = np.flatnonzero(np.append(True, divided)).tolist()
    ends = [*starts[1:], len(text.words)]
    return [_cell(text, start, end) for start, end in zip(starts, ends, strict=True)]


def _cell(text: PageText, start: int, end: int) -> Cell:
    boxes = text.boxes[start:end]
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return Cell(" ".join(text.words[start:end]), (left, top, right, bottom))


def rows_of(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells that stand side by side, from the left; rows from the top."""
    rows = list[list[Cell]]()
    for cell in sorted(cells, key=lambda one: one.box[1] + one.box[3]):
        middle = (cell.box[1] + cell.box[3]) / 2
        if rows and middle < rows[-1][-1].box[3] and middle > rows[-1][-1].box[1]:
            rows[-1].append(cell)
        else:
            rows.append([cell])
    return [sorted(row, key=lambda one: one.box[0]) for row in rows]


def table_rows(cells: Sequence[Cell]) -> int:
    """How many rows the page's largest table has: rows of three cells or more that stand under each other's."""
    return max((len(table) for table in _tables(rows_of(cells))), default=0)


def _tables(rows: Sequence[list[Cell]]) -> Iterator[list[list[Cell]]]:
    table: list[list[Cell]] = []
    for row in rows:
        if len(row) < _FEWEST_COLUMNS or not _is_of_a_table(row):
            continue
        if table and (_apart(table[-1], row) or not _stand_under(table[-1], row)):
            yield from [table] if _is_table(table) else []
            table = []
        table.append(row)
    yield from [table] if _is_table(table) else []


def _is_of_a_table(row: Sequence[Cell]) -> bool:
    return sum(len(cell.text) > _SHORT for cell in row) <= 1


def _apart(above: Sequence[Cell], below: Sequence[Cell]) -> bool:
    height = above[0].box[3] - above[0].box[1]
    return below[0].box[1] - above[0].box[3] > _ROW_STEP * height


def _stand_under(above: Sequence[Cell], below: Sequence[Cell]) -> bool:
    """Whether three cells of a row, at least, and most of them, stand under one cell of the row above each."""
    under = sum(sum(_over(one.box, cell.box) for one in above) == 1 for cell in below)
    return under >= max(_FEWEST_COLUMNS - 1, 0.6 * min(len(below), len(above)))


def _over(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2]


def _is_table(table: Sequence[Sequence[Cell]]) -> bool:
    """Whether rows make a table: enough of them, with numbers in most."""
    if len(table) < _FEWEST_ROWS:
        return False
    return sum(sum(cell.is_data for cell in row) >= 2 for row in table) >= len(table) / 2


def ticks(text: PageText) -> int:
    """How many numbers stand along an axis, evenly apart and in even steps: up the page, or across with none below."""
    numbers = [
        Tick(found[0], float(found[1].replace(",", "")), box)
        for word, box in zip(text.words, text.boxes.tolist(), strict=True)
        if (found := _TICK.fullmatch(word))
    ][:_MOST_NUMBERS]
    upright = (
        len(line)
        for edge in (0, 2)
        for line in _aligned(numbers, edge)
        if _is_even(line, across=False) and not _begins_rows(line, numbers)
    )
    lying = (
        len(line) for line in _aligned(numbers, 3) if _is_even(line, across=True) and not _heads_columns(line, numbers)
    )
    return max([*upright, *lying], default=0)


class Tick(NamedTuple):
    """A number that may stand at an axis: as it is written, its value, and where."""

    written: str
    value: float
    box: Sequence[float]

    @property
    def is_year(self) -> bool:
        """Whether it is a year, also as 09 or ’09."""
        return _YEAR.fullmatch(self.written) is not None


def _aligned(numbers: Sequence[Tick], edge: int) -> Iterator[list[Tick]]:
    """Numbers that share an edge: 0 and 2 are the left and the right one, 3 the lower one; in their order."""
    lined = sorted(numbers, key=lambda one: one.box[edge])
    for at in range(len(lined)):
        line = [one for one in lined[at:] if one.box[edge] - lined[at].box[edge] < _ON_ONE_LINE]
        if len(line) >= _FEWEST_TICKS:
            yield from _runs(sorted(line, key=lambda one: one.box[edge % 2 == 0]))


def _runs(line: Sequence[Tick]) -> Iterator[list[Tick]]:
    """The line, and without what stands at either end of it: one word more may stand on the line of an axis."""
    yield list(line)
    for part in (line[1:], line[:-1]):
        if len(part) >= _FEWEST_TICKS:
            yield list(part)


def _is_even(line: Sequence[Tick], *, across: bool) -> bool:
    """Whether a scale is written there, which grows up or to the right; steps of 1 are a list's, but for years."""
    values, boxes = np.array([one.value for one in line]), np.array([one.box for one in line])
    places = (boxes[:, 0] + boxes[:, 2]) / 2 if across else boxes[:, 1]
    steps, gaps = np.diff(values), np.diff(places)
    even = bool(np.allclose(steps, steps[0]) and np.allclose(gaps, gaps.mean(), rtol=_EVEN))
    step = steps[0] if across else -steps[0]
    if not even or step <= 0:
        return False
    return (across and _are_years(line)) or (step != 1 and bool((values % step < 1e-6).all()))


def _are_years(line: Sequence[Tick]) -> bool:
    """Whether all are years; 10 to 14 alone may be anything."""
    return all(one.is_year for one in line) and any(not one.written.startswith("1") or one.value > 99 for one in line)


def _begins_rows(line: Sequence[Tick], numbers: Sequence[Tick]) -> bool:
    """Whether most stand beside two numbers or more: a column of a table, whose steps are even, is no axis."""
    height = line[0].box[3] - line[0].box[1]
    beside = (sum(abs(other.box[1] - one.box[1]) < height / 2 for other in numbers) - 1 for one in line)
    return sum(count > 1 for count in beside) > len(line) / 2


def _heads_columns(line: Sequence[Tick], numbers: Sequence[Tick]) -> bool:
    """Whether numbers stand below most of a line's: years over the columns of a table are no axis."""
    height = line[0].box[3] - line[0].box[1]
    below = [one for one in numbers if 0 < one.box[1] - line[0].box[1] < _BELOW * height]
    headed = sum(any(_over(one.box, other.box) for other in below) for one in line)
    return headed > len(line) / 2


def is_captioned_table(cells: Sequence[Cell]) -> bool:
    """Whether a cell is the caption of a table: "Table 3: …", "TABLE II"."""
    return any(_CAPTION.fullmatch(cell.text) for cell in cells)
