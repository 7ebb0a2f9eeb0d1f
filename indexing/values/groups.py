"""What stands together on a page and is no sentence or table: labels with what stands under them, and lists with
the line that introduces them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from pagesight.indexing.pages import Box
from pagesight.indexing.values.blocks import Block, over
from pagesight.indexing.values.cell_texts import is_data
from pagesight.indexing.values.page_values import PageContent

# Lengths are in heights of a line. All are guesses at how pages are set, not measured one by one.
_ITEM_STEP = 2.5  # between the items of a list
_STACK_STEP = 2.0  # between a label and what stands under it
_MOST_LINES, _MOST_ITEMS = 4, 12
_WORDS_OF_A_CELL = 25
_LETTERS_OF_A_LABEL = 40


_BULLET = re.compile(r"^(?:[•●▪■◦‣∙·–*✓>-]|\(?\d{1,2}[.)]|\(?[a-z]\)|\d{1,2}\s)\s*\S?")
_INTRODUCES = re.compile(r"(?i):$|\b(?:following|these|as follows|folgende[rnms]?|diese)\b[^.!?]*[.:]$")


def _gap(above: Box, below: Box) -> float:
    """How far apart two boxes stand, one under the other, in heights of a line of the lower."""
    return (below[1] - above[3]) / max(min(above[3] - above[1], below[3] - below[1]), 1e-6)


def stacks(content: PageContent) -> Iterator[list[Block]]:
    """Short labels, each with the lines right under it, where others stand beside it: of timelines and diagrams."""
    named = (row for row in content.tables.rows if not any(is_data(cell.text) for cell in row))
    rows = [[one for one in row if _may_be_stacked(one, content)] for row in named]
    short = list(chain(*rows))
    for head in chain(*(row for row in rows if len(row) > 1)):
        if under := _under(head, short):
            yield [head, *under]


def _may_be_stacked(block: Block, content: PageContent) -> bool:
    return len(block.text) <= _LETTERS_OF_A_LABEL and not content.is_furniture(block)


def _under(head: Block, short: Sequence[Block]) -> list[Block]:
    lines = [head]
    for one in sorted(short, key=lambda block: block.box[1]):
        near = one.box[1] > lines[-1].box[1] and _gap(lines[-1].box, one.box) < _STACK_STEP
        if near and _one_column(lines[-1].box, one.box) and len(lines) <= _MOST_LINES:
            lines.append(one)
    return lines[1:]


def _one_column(one: Box, other: Box) -> bool:
    """Whether two boxes begin or have their middle at the same place."""
    width = min(one[2] - one[0], other[2] - other[0])
    middles = abs(one[0] + one[2] - other[0] - other[2]) / 2
    return abs(one[0] - other[0]) < 0.01 or middles < 0.2 * width


def lists(content: PageContent) -> Iterator[tuple[Block, list[Block]]]:
    """The lines that introduce a list, or head one with bullets, each with the list's items."""
    blocks = [one for one in content.blocks if not content.is_furniture(one)]
    for at, block in enumerate(blocks):
        introduced = bool(_INTRODUCES.search(block.text))
        if introduced or not _BULLET.match(block.text):
            items = _items_of(block, blocks[at + 1 :], introduced)
            if len(items) > 1:
                yield block, items


def _items_of(before: Block, blocks: Sequence[Block], introduced: bool) -> list[Block]:
    items: list[Block] = []
    last = before
    for block in blocks[:_MOST_ITEMS]:
        height = _line_height(last)
        near = block.box[1] - last.box[1] > 0 and block.box[1] - last.box[3] < _ITEM_STEP * height
        alike = bool(_BULLET.match(block.text)) or (introduced and _as_before(block, items))
        if not (near and alike and block.box[0] > before.box[0] - 0.02 and over(block.box, before.box)):
            break
        items.append(block)
        last = block
    return items


def _as_before(block: Block, items: Sequence[Block]) -> bool:
    """Whether a block begins where the items before it begin, or is short and the first."""
    if items:
        return abs(block.box[0] - items[0].box[0]) < 0.01 and not _BULLET.match(items[0].text)
    return len(block.words) <= _WORDS_OF_A_CELL


def _line_height(block: Block) -> float:
    return (block.box[3] - block.box[1]) / (1 if block.one_line else max(len(block.words) // 10, 2))
