"""Tables of words: their rows, whose cells may go on over several lines, with the heads of their columns.

`table_cells` tells what each number of a page is of; here it is what each text is of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from pagesight.indexing.pages import Box
from pagesight.indexing.values.blocks import Block, over, rows_of
from pagesight.indexing.values.cell_texts import is_data
from pagesight.indexing.values.page_values import PageContent

# Lengths are in heights of a line. All are guesses at how pages are set, not measured one by one.
_LEADING = 1.0  # between the lines of one cell, at most
_ROW_STEP = 6.0  # between the rows of one table, where cells of several lines stand
_HEAD_GAP = 3.0  # between the first row and the heads of its columns
_HEAD_STEP = 1.0  # between the lines of a head
_WORDS_OF_A_CELL = 25
_EDGE = 0.01  # between the edges of cells in one column, as part of the page's width
_MOST_HEAD_LINES = 5
_LEAST_ROWS = 2

#: A cell is its lines, a row its cells from the left.
Cell = list[Block]
Row = list[Cell]


class TextTable(NamedTuple):
    """The rows of a table from the top, each with its cells by column, the heads of the columns, and the line above."""

    heads: list[str]
    rows: list[dict[int, Cell]]
    title: str


def written(cell: Cell) -> str:
    """The text of a cell."""
    return " ".join(line.text for line in cell)


def wrapped_rows(content: PageContent) -> list[Row]:
    """The rows of tables that have a cell of several lines."""
    whole = _whole_rows(content)
    wrapped = [row for row in whole if any(len(cell) > 1 or cell[0].prose for cell in row)]
    return [row for row in wrapped if any(_in_line(row, other) for other in whole if other is not row)]


def text_tables(content: PageContent) -> Iterator[TextTable]:
    """The tables of a page whose rows stand in line: two columns or more stand where those of other rows do."""
    height = content.tables.height
    run, above, foot = list[Row](), list[Block](), 0.0
    for row in [*_whole_rows(content), []]:
        if run and not (row and _is_next(run, row, foot, height)):
            yield from _table(content, run, above)
            run = []
        if len(row) > 1:
            run.append(row)
        elif row and not run:
            above = [*above, *row[0]]
        foot = max((_box(cell)[3] for cell in row), default=foot)


def _is_next(run: Sequence[Row], row: Row, foot: float, height: float) -> bool:
    near = min(cell[0].box[1] for cell in row) - foot < _ROW_STEP * height
    if len(row) == 1:  # a line of a cell, or the title of another table
        of_first = _box(row[0])[1] - foot < _HEAD_STEP * height
        return near and any(over(_box(row[0]), _box(cell)) for cell in run[-1][0 if of_first else 1 :])
    return near and any(_in_line(row, other) for other in run[-3:])


def _table(content: PageContent, rows: list[Row], above: Sequence[Block]) -> Iterator[TextTable]:
    columns = _columns_of(rows)
    body = [_by_column(row, columns) for row in rows]
    heads = [_lines_over(content, column, columns, rows[0]) for column in columns]
    if _may_head(body[0], heads):
        heads = [[*lines, *body[0].get(at, [])] for at, lines in enumerate(heads)]
        body = body[1:]
    if len(body) >= _LEAST_ROWS and len(columns) > 1:
        of_heads = set(map(id, chain(*heads)))
        title = next((line.text for line in reversed(above) if id(line) not in of_heads), "")
        yield TextTable([written(lines) for lines in heads], body, title)


def _may_head(row: dict[int, Cell], heads: Sequence[Cell]) -> bool:
    """Whether a table's first row is of its heads: over it stand few, or it has no name; and no number is in it."""
    lacking = sum(map(bool, heads)) <= len(heads) / 2 or 0 not in row
    return lacking and not any(is_data(written(cell)) for cell in row.values())


def _columns_of(rows: Sequence[Row]) -> list[Box]:
    """The columns from the left, each as the box of its cells, by the rows that have most cells."""
    most = max(map(len, rows))
    columns: list[Box] = []
    for box in sorted((_box(cell) for row in rows if len(row) == most for cell in row), key=lambda box: box[0]):
        if columns and box[0] < columns[-1][2]:
            columns[-1] = (columns[-1][0], columns[-1][1], max(box[2], columns[-1][2]), box[3])
        else:
            columns.append(box)
    return columns


def _by_column(row: Row, columns: Sequence[Box]) -> dict[int, Cell]:
    """The cells of a row that stand in one column alone."""
    placed: dict[int, Cell] = {}
    for cell in row:
        under = [at for at, column in enumerate(columns) if over(_box(cell), column)]
        if len(under) == 1:
            placed.setdefault(under[0], cell)
    return placed


def _lines_over(content: PageContent, column: Box, columns: Sequence[Box], first: Row) -> Cell:
    """The lines that stand over a column's first cell and no other column, right one over the other."""
    top, lines, height = min(cell[0].box[1] for cell in first), list[Block](), content.tables.height
    step = _HEAD_GAP
    for cell in sorted(content.tables.cells, key=lambda one: -one.box[3]):
        above = cell.box[3] <= top + height / 2 and over(cell.box, column)
        if not above or is_data(cell.text) or content.is_furniture(cell):
            continue
        if sum(over(cell.box, one) for one in columns) > 1:
            break
        if top - cell.box[3] > step * height or len(lines) == _MOST_HEAD_LINES:
            break
        lines, top, step = [cell, *lines], cell.box[1], _HEAD_STEP
    return lines


def _box(cell: Cell) -> Box:
    left, top = min(line.box[0] for line in cell), min(line.box[1] for line in cell)
    return left, top, max(line.box[2] for line in cell), max(line.box[3] for line in cell)


def _whole_rows(content: PageContent) -> list[Row]:
    """The rows of a page's short blocks from the top, with the lines of each cell together."""
    rows = sorted(_rows_of_short_blocks(content), key=lambda row: row[0].box[1])
    whole, at = list[Row](), 0
    while at < len(rows):
        end = at + 1
        while end < len(rows) and _goes_on(rows[at], rows[end - 1], rows[end], content.tables.height):
            end += 1
        whole.append(_cells_of([cell for row in rows[at:end] for cell in row]))
        at = end
    return whole


def _in_line(row: Row, other: Row) -> bool:
    """Whether two cells of a row begin, end or have their middle where another's do: the columns of one table."""
    places = [_edges(cell) for cell in other]
    return sum(any(_meet(_edges(cell), at) for at in places) for cell in row) > 1


def _edges(cell: Cell) -> tuple[float, ...]:
    left, _, right, _ = _box(cell)
    return left, (left + right) / 2, right


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return any(abs(x - y) < _EDGE for x, y in zip(one, other, strict=True))


def _rows_of_short_blocks(content: PageContent) -> list[list[Block]]:
    short = (one for one in content.blocks if not content.is_furniture(one) and len(one.words) <= _WORDS_OF_A_CELL)
    return [row for row in rows_of(list(short)) if not all(one.prose for one in row)]


def _goes_on(first: Sequence[Block], row: Sequence[Block], below: Sequence[Block], height: float) -> bool:
    """Whether a line of cells goes on the row that began with ``first``: it has fewer cells, each right under one."""
    if len(below) >= len(first) or any(is_data(cell.text) for cell in below):
        return False
    return all(
        any(over(one.box, cell.box) and cell.box[1] - one.box[3] < _LEADING * height for one in [*row, *first])
        for cell in below
    )


def _cells_of(lines: Sequence[Block]) -> Row:
    """The cells of one row, from the left."""
    columns = list[list[Block]]()
    for cell in sorted(lines, key=lambda one: one.box[1]):
        column = next((one for one in columns if over(one[-1].box, cell.box)), None)
        if column is None:
            columns.append([cell])
        else:
            column.append(cell)
    return sorted(columns, key=lambda column: column[0].box[0])
