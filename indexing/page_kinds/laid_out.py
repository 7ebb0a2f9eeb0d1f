"""What the places of a page's words show: rows and columns of a table, the ticks of an axis, lines of contents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import Box, PageText

_GAP = 1.7  # heights of a word between words of one line: more divides cells
_ROW_STEP = 3.5  # heights between the rows of a table, at most
_FEWEST_ROWS, _FEWEST_COLUMNS = 5, 3
_SHORT = 40  # letters that a table's cell has at most, but for one in a row
_FEWEST_TICKS, _EVEN, _MOST_NUMBERS = 4, 0.1, 500
_DATA = re.compile(
    r"[(\-−–+<>~≈]?\s?[$€£]?\s?\d[\d.,\s]*\s?(?:%|pp|bn|[a-zA-Zµ°/²³]{1,4})?\)?\*?|[-–—]|n/?a|N/?A|[x✓✔]"
)
_TICK = re.compile(r"[$€£]?(\d{1,3}(?:,?\d{3})*(?:\.\d+)?)\s?(?:%|[kKmM])?")


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
    height = float(np.median(text.boxes[:, 3] - text.boxes[:, 1])) or 0.01
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


def _over(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2]


def _is_table(table: Sequence[Sequence[Cell]]) -> bool:
    """Whether rows make a table: enough of them, with numbers in most."""
    if len(table) < _FEWEST_ROWS:
        return False
    return sum(sum(cell.is_data for cell in row) >= 2 for row in table) >= len(table) / 2


def ticks(cells: Sequence[Cell]) -> int:
    """How many numbers stand along an upright axis: evenly apart, and in even steps that are not 1."""
    numbers = [(float(found[1].replace(",", "")), cell.box) for cell in cells if (found := _TICK.fullmatch(cell.text))]
    return max((_along(numbers[:_MOST_NUMBERS], edge) for edge in (0, 2)), default=0)


def _along(numbers: Sequence[tuple[float, Box]], edge: int) -> int:
    most, lined = 0, sorted(numbers, key=lambda one: one[1][edge])
    for at in range(len(lined)):
        line = [one for one in lined[at:] if one[1][edge] - lined[at][1][edge] < 0.006]
        if len(line) >= _FEWEST_TICKS:
            most = max(most, _even(sorted(line, key=lambda one: one[1][1])))
    return most


def _even(line: Sequence[tuple[float, Box]]) -> int:
    values = np.array([value for value, _ in line])
    places: NDArray[np.float64] = np.array([box[1] for _, box in line])
    steps, gaps = np.diff(values), np.diff(places)
    even = bool(np.allclose(steps, steps[0]) and np.allclose(gaps, gaps.mean(), rtol=_EVEN))
    step = abs(steps[0])
    return len(line) if even and step > 0 and step != 1 and (values % step < 1e-6).all() else 0
