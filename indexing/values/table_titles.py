"""The lines of a page that may be a table's title, which often says in what its numbers are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pagesight.indexing.values.blocks import Block
from pagesight.indexing.values.cell_texts import has_numbers, is_date
from pagesight.indexing.values.clauses import sentence_at
from pagesight.indexing.values.quantities import Quantity

_NUMBERED = re.compile(r"^\d{1,2}(?:\.\d+)*\.?\s+(?=[^\W\d_])")  # 7 Borrowings
_WORDS_OF_A_TITLE = 25  # of several lines, at most; a guess, not measured
_CELLS_OF_A_TITLE = 2  # side by side, at most: more are heads of columns; a guess, not measured


def titles(blocks: Sequence[Block], row_of: Callable[[Block], Sequence[Block]]) -> list[tuple[float, Block, str]]:
    """Where each line ends that may be a table's title, its block and text, from the foot of the page to its head."""
    upward = sorted(blocks, key=lambda block: -block.box[1])
    return [(block.box[3], block, title) for block in upward if (title := _title(block, row_of(block)))]


def heading(headers: Sequence[Block], quantity: Quantity) -> list[Block]:
    """Those of a column's heads that may head a number; no date heads another."""
    return [one for one in headers if not (quantity.days and is_date(one.text))]


def _title(block: Block, row: Sequence[Block]) -> str:
    if not block.one_line:
        return _title_of_lines(block.text)
    words = [cell.text for cell in row if any(map(str.isalpha, cell.text))]
    if len(words) > _CELLS_OF_A_TITLE or len({*words}) < len(words):
        return ""
    numbered = has_numbers(_NUMBERED.sub("", block.text)) or any(
        has_numbers(other.text) for other in row if other is not block
    )
    return "" if numbered else block.text


def _title_of_lines(text: str) -> str:
    """A title of several lines, or the sentence with which a paragraph leads to a table; "" for other paragraphs."""
    if text.endswith(":"):
        return sentence_at(text, len(text) - 1)
    ends = text.endswith((".", "!", "?", ";", ","))
    return "" if ends or len(text.split()) > _WORDS_OF_A_TITLE or has_numbers(text) else text
