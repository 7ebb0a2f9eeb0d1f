"""The cells of a page's tables by geometry: what stands to the left of one, over it, and above the table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from pagesight.indexing.pages import Box, PageText
from pagesight.indexing.values.blocks import Block, over, same_row
from pagesight.indexing.values.charts import axis_labels, axis_ticks, category
from pagesight.indexing.values.clauses import sentence_at
from pagesight.indexing.values.quantities import Quantity, may_be_a_name, quantities

# Lengths are in heights of the page's middling word: guesses at how pages are set, tried on made claims
# (benchmarks/claims.py), not measured one by one.
_HEADER_STEP = 3.0  # between the lines of a column's head, at most
_COLUMN_STEP = 6.0  # between the cells of a column, at most
_MOST_HEADERS = 4
_CAPTION_ROWS = 3

_LEAST_ROWS = 2  # beside one, that say in what a table's numbers are; a guess, not measured

_LETTERS_OF_A_TITLE = 20  # a guess, not measured

_CODE = re.compile(r"[A-Z]{1,2}\d{2,}")  # B16: a value, too
_RANGE = re.compile(r"\d+ ?[-–] ?\d+(?: [^\W\d_]+)?")
_DECIMALS = re.compile(r"[.,]\d{1,2}$")
_NUMBERED = re.compile(r"^\d{1,2}(?:\.\d+)*\.?\s+(?=[^\W\d_])")  # 7 Borrowings


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
        rows, left = list[list[Block]](), list(self.cells)
        while left:
            row = [cell for cell in left if same_row(cell.box, left[0].box)]
            rows.append(sorted(row, key=lambda cell: cell.box[0]))
            taken = set(map(id, row))
            left = [cell for cell in left if id(cell) not in taken]
        return rows

    @cached_property
    def _beside(self) -> dict[int, list[Block]]:
        """For each cell, by its id, those of its row."""
        return {id(cell): [one for one in self.cells if same_row(one.box, cell.box)] for cell in self.cells}

    def place(self, block: Block, quantity: Quantity, box: Box) -> CellPlace:
        """Where in a table a number of a cell stands; ``box`` is that of its own words."""
        year = self._year_in_order(block, quantity)
        labels = [_own_label(block.text)] if year and _own_label(block.text) else self._labels(block, box)
        headers = [] if year else self._headers(box)
        corner = self._corner(headers, block)
        heads = year or [self._part_over(header, box) for header in headers]
        labels = labels or (self._below(block) if not heads else [])
        heads = heads or ([] if labels else category(self.axis_labels, box))
        return CellPlace(labels, heads, corner, self._captions(headers[-1].box if headers else block.box))

    def counts_others(self, block: Block) -> bool:
        """Whether a row has whole numbers alone where all around it have decimals, as employees do among millions: what
        is said of the whole table's unit is not said of them."""
        return any(block is cell for cell in self._whole_among_decimals)

    @cached_property
    def _whole_among_decimals(self) -> list[Block]:
        found: list[Block] = []
        for table in self._runs_of_numbers():
            whole = [row for row, decimals in table if not any(decimals)]
            if (
                len(whole) == 1
                and len(table) > _LEAST_ROWS
                and all(all(decimals) for row, decimals in table if row not in whole)
            ):
                found += whole[0]
        return found

    def _runs_of_numbers(self) -> Iterator[list[tuple[list[Block], list[bool]]]]:
        """Rows with numbers that stand one below the other, each with whether its numbers have decimals."""
        run: list[tuple[list[Block], list[bool]]] = []
        for row in sorted(self.rows, key=lambda cells: cells[0].box[1]):
            decimals = [bool(_DECIMALS.search(text)) for cell in row for text in _numbers_without_unit(cell.text)]
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

    def is_a_label(self, block: Block, quantity: Quantity) -> bool:
        """Whether a number belongs to the name of a row, such as "Tarn 16"."""
        start, end = quantity.digits
        named = end - start <= 4 and re.search(r"[^\W\d_]{2,}[ -]?$", block.text[:start]) is not None
        beside = (cell for cell in self._row_of(block) if cell.box[0] > block.box[2])
        return named and not quantity.unit and any(is_data(cell.text) for cell in beside)

    def _labels(self, block: Block, box: Box) -> list[str]:
        """The texts of the row to the left, as far as another table's numbers; those to the right where none is."""
        labels: list[str] = []
        for one in sorted(self._left_of(block, box), key=lambda cell: -cell.box[0]):
            if not _only_numbers(one) or self._names_a_row(one):
                labels.insert(0, one.text)
            elif labels:
                break
        right = [one for one in self._row_of(block) if one.box[0] >= box[2]]
        return labels or [one.text for one in right if not _has_numbers(one.text)]

    def _names_a_row(self, block: Block) -> bool:
        """Whether a range, such as 25-34, stands among names of rows: an age beside its share."""
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
        return [one.text for one in before[:1] if not _only_numbers(one) and not _has_numbers(one.text)]

    @cached_property
    def height(self) -> float:
        """The height of the page's middling word, as part of the page's."""
        return float(np.median(self.text.boxes[:, 3] - self.text.boxes[:, 1]))

    def _headers(self, box: Box) -> list[Block]:
        """The cells above that head the column, the nearest first."""
        headers: list[Block] = []
        for cell in self._column_over(box):
            heads = _can_head(cell.text)
            if headers and (not heads or headers[-1].box[1] - cell.box[3] > _HEADER_STEP * self.height):
                break
            if heads and self._is_a_title(cell, box):
                break
            if heads and self._part_over(cell, box):
                headers.append(cell)
            if len(headers) == _MOST_HEADERS:
                break
        return headers

    def _is_a_title(self, cell: Block, box: Box) -> bool:
        """Whether a long line stands over several columns of numbers: it is of all of them."""
        if sum(map(str.isalpha, cell.text)) < _LETTERS_OF_A_TITLE or _several_heads(cell.text):
            return False
        below = (one for one in self.cells if one.box[1] > cell.box[3] and over(one.box, cell.box))
        return any(is_data(one.text) and not over(one.box, box) for one in below)

    def _column_over(self, box: Box) -> Iterator[Block]:
        """The cells over a box, the nearest first, as far as each is near the one below it."""
        top = box[1]
        for cell in self._above(box):
            if over(cell.box, box):
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

    def _year_in_order(self, block: Block, quantity: Quantity) -> list[str]:
        """The year over a number where a whole row is one cell, and its numbers are as many as the years above."""
        numbers = [one.digits for one in quantities(block.text) if not one.year]
        if len(numbers) < 2 or quantity.digits not in numbers:
            return []
        for cell in self._above(block.box):
            years = [cell.text[slice(*one.digits)] for one in quantities(cell.text) if one.year]
            if len(years) == len(numbers) and not _has_numbers(cell.text):
                return [years[numbers.index(quantity.digits)]]
        return []

    def _part_over(self, cell: Block, box: Box) -> str:
        """The words of a cell that stand over a box; all of it where it is one heading."""
        wide = [word for word in cell.words if over(tuple(map(float, self.text.boxes[word])), box)]
        if _several_heads(cell.text):
            return " ".join(self.text.words[word] for word in wide)
        return cell.text

    def _captions(self, box: Box) -> list[str]:
        """What stands above a table's head: its title, and often its units."""
        above = [title for title in self._titles if title[0] <= box[1] + self.height / 2]
        return [text for _, text in above[:_CAPTION_ROWS]]

    @cached_property
    def _titles(self) -> list[tuple[float, str]]:
        """Where each line ends that may be a table's title, and its text, from the foot of the page to its head."""
        upward = sorted(self.blocks, key=lambda block: -block.box[1])
        return [(block.box[3], title) for block in upward if (title := self._title(block))]

    def _title(self, block: Block) -> str:
        if not block.one_line:
            return sentence_at(block.text, len(block.text) - 1) if block.text.endswith(":") else ""
        numbered = _has_numbers(_NUMBERED.sub("", block.text)) or any(
            _has_numbers(other.text) for other in self._row_of(block) if other is not block
        )
        return "" if numbered else block.text


def _own_label(text: str) -> str:
    """What stands before the numbers of a row that is one cell, each of which is one column's."""
    first = next((one.span[0] for one in quantities(text) if not one.year), 0)
    return text[:first].strip(" |:")


@lru_cache(maxsize=4000)
def is_data(text: str) -> bool:
    """Whether a cell is a number that is no year, or a mark that stands for none."""
    found = quantities(text)
    letters = sum(letter.isalpha() for letter in text)
    return (any(not (one.year or one.days) for one in found) and letters <= 3) or not any(
        letter.isalnum() for letter in text
    )


def is_range(text: str) -> bool:
    """Whether a cell is a range of two numbers, such as 25-34."""
    return bool(_RANGE.fullmatch(text))


def _can_head(text: str) -> bool:
    """Whether a cell may head a column: it says something, and has no numbers but years and those of names."""
    return any(letter.isalnum() for letter in text) and not _has_numbers(text) and not _CODE.fullmatch(text)


@lru_cache(maxsize=4000)
def _has_numbers(text: str) -> bool:
    return any(not (one.year or one.days or may_be_a_name(text, one)) for one in quantities(text))


def _only_numbers(block: Block) -> bool:
    return is_data(block.text) or (
        all(one.year or one.days for one in quantities(block.text)) and not re.search(r"[^\W\d_]", block.text)
    )


def _several_heads(text: str) -> bool:
    return len(re.findall(r"\b(?:19|20)\d\d\b", text)) > 1 or len(quantities(text)) > 1


def _numbers_without_unit(text: str) -> list[str]:
    return [text[slice(*one.digits)] for one in quantities(text) if not (one.year or one.days or one.unit or one.scale)]
