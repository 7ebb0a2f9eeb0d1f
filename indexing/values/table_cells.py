"""The cells of a page's tables by geometry: what stands to the left of one, over it, and above the table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import Box, PageText
from pagesight.indexing.values.blocks import Block, all_over, beside, leading_dots, over, rows_of, same_row
from pagesight.indexing.values.cell_texts import (
    can_head,
    has_numbers,
    is_a_sample,
    is_data,
    is_range,
    numbers_without_unit,
    only_numbers,
    own_label,
    several_heads,
)
from pagesight.indexing.values.charts import axis_labels, axis_ticks, category
from pagesight.indexing.values.quantities import Quantity, quantities
from pagesight.indexing.values.table_titles import heading, titles

# Lengths are in heights of the page's middling word: guesses, tried on made claims (benchmarks/claims.py).
_HEADER_STEP = 3.0  # between the lines of a column's head, at most
_COLUMN_STEP = 6.0  # between the cells of a column, at most
_MOST_HEADERS = 4
_CAPTION_ROWS = 3
_GRID = 3  # numbers in line; a guess, not measured
_LEAST_ROWS = 2  # beside one, that say in what a table's numbers are; a guess, not measured
_LETTERS_OF_A_TITLE = 20  # a guess, not measured
_SAME_EDGE = 0.03  # of lines of one label, as part of the page's width; a guess, not measured
_SIGN = re.compile(r"[$€£%()]+")
_NUMBERING = re.compile(r"\d{1,2}(?:\.\d{1,2})*\.?")
_WHOLE = re.compile(r"\d{1,4}")
_DECIMALS = re.compile(r"[.,]\d{1,2}$")


class CellPlace(NamedTuple):
    """What a number in a table is of: the row's labels, the column's heads, the nearest first, what stands in the head
    over the labels ("EUR million"), and the lines above the table."""

    labels: list[str]
    heads: list[str]
    corner: list[str]
    captions: list[str]


@dataclass
class TableCells:
    """The blocks of a page that are no prose, as cells."""

    text: PageText
    blocks: list[Block]

    @cached_property
    def cells(self) -> list[Block]:
        """The cells in reading order."""
        return [block for block in self.blocks if not block.prose]

    @cached_property
    def rows(self) -> list[list[Block]]:
        """The cells that stand side by side, from the left."""
        return rows_of(self.cells)

    @cached_property
    def _beside(self) -> dict[int, list[Block]]:
        """For each cell, by its id, those of its row."""
        return {id(cell): row for cell, row in zip(self.cells, beside(self.cells), strict=True)}

    def place(self, block: Block, quantity: Quantity, box: Box) -> CellPlace:
        """Where in a table a number of a cell stands; ``box`` is that of its own words."""
        return CellPlace([], [], [], []) if is_a_sample(block.text, quantity) else self._place(block, quantity, box)

    def _place(self, block: Block, quantity: Quantity, box: Box) -> CellPlace:
        year = self._year_in_order(block, quantity)
        own = own_label(block.text) if year else ""
        labels = [own] if own else self._labels(block, box)
        headers, under = ([], box) if year else self._heads_over(block, box)
        headers += self._over_all(block, headers) if headers else []
        corner = self._corner(headers, block)
        heads = year or [self._part_over(one, under) for one in heading(headers, quantity)]
        labels = labels or (self._below(block) if not heads else [])
        heads = heads or ([] if labels else category(self.axis_labels, box))
        return CellPlace(labels, heads, corner, self._captions(headers[-1].box if headers else block.box, block))

    def counts_others(self, block: Block) -> bool:
        """Whether a row has whole numbers alone where all around it have decimals, as employees do among millions: what
        is said of the whole table's unit is not said of them."""
        return any(block is cell for cell in self._whole_among_decimals)

    @cached_property
    def _whole_among_decimals(self) -> list[Block]:
        found: list[Block] = []
        for table in self._runs_of_numbers():
            whole = [row for row, decimals in table if not any(decimals)]
            others = (decimals for row, decimals in table if row not in whole)
            if len(whole) == 1 and len(table) > _LEAST_ROWS and all(map(all, others)):
                found += whole[0]
        return found

    def _runs_of_numbers(self) -> Iterator[list[tuple[list[Block], list[bool]]]]:
        """Rows with numbers that stand one below the other, each with whether its numbers have decimals."""
        run: list[tuple[list[Block], list[bool]]] = []
        for row in sorted(self.rows, key=lambda cells: cells[0].box[1]):
            decimals = [bool(_DECIMALS.search(text)) for cell in row for text in numbers_without_unit(cell.text)]
            if run and (not decimals or row[0].box[1] - run[-1][0][0].box[3] > _HEADER_STEP * self.height):
                yield run
                run = []
            run += [(row, decimals)] if decimals else []
        if run:
            yield run

    def is_of_an_axis(self, block: Block) -> bool:
        """Whether a number stands along a chart's axis."""
        return any(block is one for one in self._ticks)

    @cached_property
    def _ticks(self) -> list[Block]:
        return axis_ticks(self.cells, self.height)

    def is_loose(self, block: Block) -> bool:
        """Whether a number stands without words of its own in no row of several that have names in a line, and right
        over no label of its own, as beside a point of a chart's line."""
        if not is_data(block.text) or id(block) in self._in_named_rows or id(block) in self._in_grids:
            return False
        return bool(self._headers(block.box)) or not self._below(block)

    @cached_property
    def _in_named_rows(self) -> frozenset[int]:
        """The ids of the numbers whose row's name, or who themselves, stand in line with those of another row."""
        named = list(self._named_numbers())
        both = zip(*(self._lines_of(cells) for cells in zip(*named, strict=True)), strict=True)
        names = [id(name) for _, name in named]
        in_line = ({names[at] for lines in found for at in lines} for found in both)
        return frozenset(id(cell) for (cell, _), others in zip(named, in_line, strict=True) if len(others) > 1)

    def _named_numbers(self) -> Iterator[tuple[Block, Block]]:
        """The cells with numbers whose row has a name, each with that."""
        for cell in self.cells:
            if (not can_head(cell.text) or only_numbers(cell.text)) and (name := self._name_of_row(cell)):
                yield cell, name

    @cached_property
    def _in_grids(self) -> frozenset[int]:
        """The ids of the numbers of three rows or more, one below the other, that stand in line with the next row's, as
        where rows are called by years."""
        rows = [row for cells in self.rows if len(row := [one for one in cells if only_numbers(one.text)]) >= _GRID]
        rows.sort(key=lambda row: row[0].box[1])
        goes_on = [self._are_in_line(one, other) for one, other in pairwise(rows)]
        inside = [at for at in range(1, len(goes_on)) if goes_on[at - 1] and goes_on[at]]
        return frozenset(id(cell) for at in inside for row in rows[at - 1 : at + 2] for cell in row)

    def _are_in_line(self, row: Sequence[Block], other: Sequence[Block]) -> bool:
        """Whether the first number of a row, and three or more in all, stand in line with those of another."""
        lines = self._lines_of([*row, *other])[: len(row)]
        return len(row) in lines[0] and sum(any(at >= len(row) for at in line) for line in lines) >= _GRID

    def _name_of_row(self, block: Block) -> Block | None:
        """The first cell of a number's row that is none, or that has a line beside it; to its left if one is."""
        names = [one for one in self._row_of(block) if not only_numbers(one.text) or self._names_a_row(one)]
        return min(names or self._cells_around(block.box), key=lambda cell: cell.box[0], default=None)

    def _lines_of(self, cells: Sequence[Block]) -> list[list[int]]:
        """For each of some cells the places of those that have an edge or their middle where it has."""
        boxes = np.array([cell.box for cell in cells], np.float64).reshape(-1, 4)
        edges = np.column_stack([boxes[:, 0], boxes[:, 2], boxes[:, [0, 2]].mean(axis=1)])
        return [np.flatnonzero((np.abs(edges - own) < self.height / 2).any(axis=1)).tolist() for own in edges]

    def is_numbering(self, block: Block) -> bool:
        """Whether a number is that of the heading or the step beside it, as in "12.4  Fair values"."""
        row = sorted(self._row_of(block), key=lambda cell: cell.box[0])
        others = [cell for cell in row if not self.is_page_of_contents(cell.words)]
        numbered = len(others) == 2 and others[0] is block and others[1].text[:1].isupper()
        return numbered and _NUMBERING.fullmatch(block.text) is not None

    def is_page_of_contents(self, words: Sequence[int]) -> bool:
        """Whether a number, by its words, is the page in a line of contents: dots lead to it."""
        return bool(words) and min(words) - 1 in self._dots

    @cached_property
    def _dots(self) -> frozenset[int]:
        return leading_dots(self.text)

    def is_a_label(self, block: Block, quantity: Quantity) -> bool:
        """Whether a number belongs to the name of a row, such as "Tarn 16" or "25-34"."""
        start, end = quantity.digits
        named = end - start <= 4 and re.search(r"[^\W\d_]{2,}[ -]?$", block.text[:start]) is not None
        beside = (cell for cell in self._row_of(block) if cell.box[0] > block.box[2])
        return (named or self._names_a_row(block)) and not quantity.unit and any(is_data(one.text) for one in beside)

    def _labels(self, block: Block, box: Box) -> list[str]:
        """The texts of the row to the left, as far as another table's numbers; those to the right where none is."""
        labels: list[str] = []
        for one in sorted(self._left_of(block, box), key=lambda cell: -cell.box[0]):
            if not only_numbers(one.text) or self._names_a_row(one):
                labels.insert(0, one.text)
            elif labels:
                break
        return labels or self._right_of(block, box) or self._lines_around(box) or self._number_of_row(block, box)

    def _right_of(self, block: Block, box: Box) -> list[str]:
        right = (one for one in self.blocks if one.box[0] >= box[2] and same_row(one.box, block.box))
        return [one.text for one in right if not has_numbers(one.text)]

    def _lines_around(self, box: Box) -> list[str]:
        """The label of several lines to the left that a number stands in the middle of."""
        return [cell.text for cell in self._cells_around(box)]

    def _cells_around(self, box: Box) -> list[Block]:
        top, bottom = box[1] - self.height / 2, box[3] + self.height / 2
        touching = (cell for cell in self.cells if cell.box[0] < box[0] and cell.box[1] < bottom and cell.box[3] > top)
        words = [cell for cell in touching if can_head(cell.text) and not only_numbers(cell.text)]
        right = max((cell.box[2] for cell in words), default=0)
        return [cell for cell in words if cell.box[2] > right - _SAME_EDGE]

    def _number_of_row(self, block: Block, box: Box) -> list[str]:
        """The whole number, such as a year, that a row without words begins with."""
        first = min(self._left_of(block, box), key=lambda cell: cell.box[0], default=None)
        return [first.text] if first and _WHOLE.fullmatch(first.text) else []

    def sign_before(self, block: Block) -> str:
        """The currency's sign that stands right before a number in a cell of its own; "" for none."""
        before = max(self._left_of(block, block.box), key=lambda cell: cell.box[0], default=None)
        return before.text if before and before.text in "$€£¥" else ""

    def _names_a_row(self, block: Block) -> bool:
        """Whether a range, such as 25-34 or 65+, stands among names of rows: an age beside its share."""
        if not is_range(block.text):
            return False
        near = (one for one in self.cells if abs(one.box[1] - block.box[1]) < _COLUMN_STEP * self.height)
        names = (one for one in near if any(map(str.isalpha, one.text)))
        return any(abs(one.box[side] - block.box[side]) < self.height / 2 for one in names for side in (0, 2))

    def _row_of(self, block: Block) -> list[Block]:
        return self._beside.get(id(block), [])

    def _left_of(self, block: Block, box: Box) -> list[Block]:
        return [one for one in self._row_of(block) if one is not block and one.box[0] < box[0]]

    def _below(self, block: Block) -> list[str]:
        """What stands right under a number that has nothing beside it and no head: the label of a key figure."""
        least, most = -self.height / 2, _HEADER_STEP * self.height
        under = [
            cell for cell in self.blocks if over(cell.box, block.box) and least < cell.box[1] - block.box[3] < most
        ]
        return [cell.text for cell in sorted(under, key=lambda cell: cell.box[1])[:2] if not is_data(cell.text)]

    @cached_property
    def axis_labels(self) -> list[list[Block]]:
        """The rows of labels that bars may stand on, from the top of the page."""
        return axis_labels([[cell for cell in row if not is_data(cell.text)] for row in self.rows])

    def _corner(self, headers: Sequence[Block], block: Block) -> list[str]:
        """What stands to the left in the rows of the column's heads, over the labels."""
        before = [one for header in headers for one in self._left_of(header, header.box) if one.box[0] < block.box[0]]
        return [one.text for one in before[:1] if not only_numbers(one.text) and not has_numbers(one.text)]

    @cached_property
    def height(self) -> float:
        """The height of the page's middling word, as part of the page's."""
        return self.text.word_height

    def _headers(self, box: Box) -> list[Block]:
        """The cells above that head the column, the nearest first."""
        if box not in self._known_headers:
            self._known_headers[box] = self._find_headers(box)
        return list(self._known_headers[box])

    @cached_property
    def _known_headers(self) -> dict[Box, list[Block]]:
        return {}

    def _find_headers(self, box: Box) -> list[Block]:
        headers: list[Block] = []
        for cell in self._column_over(box):
            heads = can_head(cell.text)
            if headers and (not heads or headers[-1].box[1] - cell.box[3] > _HEADER_STEP * self.height):
                break
            if heads and self._is_a_title(cell, box):
                break
            if heads and self._part_over(cell, box):
                headers.append(cell)
            if len(headers) == _MOST_HEADERS:
                break
        return [*(self._rest_of_head(headers[0], box) if headers else ()), *headers]

    def _rest_of_head(self, head: Block, box: Box) -> list[Block]:
        """The next line of a head, within its width, which does not reach to the number's: "31, 2019" below "Year ended
        December"."""
        foot = min(head.box[3] + _HEADER_STEP * self.height, box[1] + self.height / 2)
        below = (cell for cell in self.cells if head.box[3] < cell.box[3] < foot)
        within = [cell for cell in below if head.box[0] <= cell.box[0] and cell.box[2] <= head.box[2]]
        return within if len(within) == 1 and can_head(within[0].text) else []

    def _heads_over(self, block: Block, box: Box) -> tuple[list[Block], Box]:
        """The cells that head a number's column, the nearest first, and the box that they stand over: where none stands
        over the number's middle, as where heads are centred and numbers are not, the head in its place of as many."""
        headers, middle = self._headers(box), (box[0] + box[2]) / 2
        if headers and headers[0].box[0] <= middle <= headers[0].box[2]:
            return headers, box
        if (head := self._head_in_order(block)) is None:
            return headers, box
        return [head, *self._headers(head.box)], head.box

    def _head_in_order(self, block: Block) -> Block | None:
        """The head in the number's place, of the nearest row that has as many heads as the row has numbers."""
        data = (cell for cell in self._row_of(block) if is_data(cell.text) and not _SIGN.fullmatch(cell.text))
        numbers = sorted((cell for cell in data if not self._names_a_row(cell)), key=lambda cell: cell.box[0])
        place = next((at for at, cell in enumerate(numbers) if cell is block), None)
        if place is None or len(numbers) < 2:
            return None
        return next((row[place] for row in self._head_rows(block) if len(row) == len(numbers)), None)

    def _head_rows(self, block: Block) -> Iterator[list[Block]]:
        """The rows over a number that may head its table's columns, the nearest first."""
        top, seen = block.box[1], 0
        for row in sorted(self.rows, key=lambda cells: -cells[0].box[1]):
            if row[0].box[3] > block.box[1] + self.height / 2:
                continue
            if top - row[0].box[3] > _COLUMN_STEP * self.height or seen == _MOST_HEADERS:
                return
            top = row[0].box[1]
            if not any(is_data(cell.text) for cell in row):
                seen += 1
                yield [cell for cell in row if can_head(cell.text)]

    def _is_a_title(self, cell: Block, box: Box) -> bool:
        """Whether a long line stands over several columns of numbers: it is of all of them."""
        if sum(map(str.isalpha, cell.text)) < _LETTERS_OF_A_TITLE or several_heads(cell.text):
            return False
        below = (one for one in self.cells if one.box[1] > cell.box[3] and over(one.box, cell.box))
        return any(is_data(one.text) and not over(one.box, box) for one in below)

    def _column_over(self, box: Box) -> Iterator[Block]:
        """The cells over a box, the nearest first, as far as each is near the one below it."""
        top, boxes = box[1], self._upward_boxes
        for at in np.flatnonzero((boxes[:, 3] <= box[1] + self.height / 2) & all_over(boxes, box)).tolist():
            cell = self._upward[at]
            if top - cell.box[3] > _COLUMN_STEP * self.height:
                return
            top = cell.box[1]
            yield cell

    def _above(self, box: Box) -> list[Block]:
        """The cells above a box, the nearest first."""
        return [cell for cell in self._upward if cell.box[3] <= box[1] + self.height / 2]

    @cached_property
    def _upward(self) -> list[Block]:
        return sorted(self.cells, key=lambda cell: -cell.box[1])

    @cached_property
    def _upward_boxes(self) -> NDArray[np.float64]:
        """(cells, 4): their boxes; a page may have thousands of numbers, and each looks for its head."""
        return np.array([cell.box for cell in self._upward], np.float64).reshape(-1, 4)

    def _year_in_order(self, block: Block, quantity: Quantity) -> list[str]:
        """The year over a number where a whole row is one cell, and its numbers are as many as the years above."""
        numbers = [one.digits for one in quantities(block.text) if not one.year]
        if len(numbers) < 2 or quantity.digits not in numbers:
            return []
        for cell in self._above(block.box):
            years = [cell.text[slice(*one.digits)] for one in quantities(cell.text) if one.year]
            if len(years) == len(numbers) and not has_numbers(cell.text):
                return [years[numbers.index(quantity.digits)]]
        return []

    def _part_over(self, cell: Block, box: Box) -> str:
        """The words of a cell that stand over a box; all of it where it is one heading."""
        wide = [word for word in cell.words if over(tuple(map(float, self.text.boxes[word])), box)]
        if several_heads(cell.text):
            return " ".join(self.text.words[word] for word in wide)
        return cell.text

    @cached_property
    def _titles(self) -> list[tuple[float, Block, str]]:
        return titles(self.blocks, self._row_of)

    def _captions(self, box: Box, block: Block) -> list[str]:
        """What stands above a table's head: its title, and often its units; no heads of the row's other numbers."""
        of_others = self._heads_of_row(block)
        above = [one for one in self._titles if one[0] <= box[1] + self.height / 2 and id(one[1]) not in of_others]
        return [text for _, _, text in above[:_CAPTION_ROWS]]

    def _over_all(self, block: Block, headers: Sequence[Block]) -> list[Block]:
        """The period of all columns, such as "Year Ended December 31, 2019", where it heads some of a row's numbers: it
        stands alone in its row, and no other head of theirs has a year."""
        heads = {id(one): one for of_number in self._heads_in_row(block) for one in of_number}
        periods = [one for one in heads.values() if any(when.year or when.days for when in quantities(one.text))]
        known = {id(one) for one in headers}
        return [one for one in periods if len(periods) == 1 and id(one) not in known and len(self._row_of(one)) == 1]

    def _heads_of_row(self, block: Block) -> frozenset[int]:
        """The ids of the cells that head the columns of a row's numbers."""
        return frozenset(id(head) for heads in self._heads_in_row(block) for head in heads)

    def _heads_in_row(self, block: Block) -> list[list[Block]]:
        """The heads of each number in the row of one."""
        numbers = (cell for cell in self._row_of(block) if is_data(cell.text) and not _SIGN.fullmatch(cell.text))
        return [self._headers(cell.box) for cell in numbers]
