"""The numbers on a page with what they are of: in prose by their sentence, in tables by row, column and caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from pagesight.indexing.lexical.stems import stems, stems_held
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Box, PageText
from pagesight.indexing.values.blocks import Block, around, page_blocks
from pagesight.indexing.values.clauses import (
    SAME_CLAUSE,
    Context,
    clause_at,
    clause_contexts,
    is_compared_with,
    sentence_at,
)
from pagesight.indexing.values.mentioned_units import mentioned_units
from pagesight.indexing.values.quantities import Quantity, quantities, with_unit
from pagesight.indexing.values.table_cells import CellPlace, TableCells
from pagesight.indexing.values.units import CURRENCY_OF, is_unit

_HEAD, _FOOT = 0.07, 0.95  # of the page's height: running heads end, and feet begin; guesses, not measured
_EDGE = 100  # per cent, with two more digits
_CAPTION = 0.3  # how closely the words above a table belong to its numbers; tried on made claims


@dataclass(frozen=True, eq=False)
class PageValue:
    """A number on a page, with the unit that its place says, what it is of, and the places of its words.

    ``said`` is its sentence, or its row and column; ``clause`` the part of the sentence that it stands in. ``place``
    is where in a table it stands, None in prose; ``compared`` says that another number is compared with it.
    """

    quantity: Quantity
    context: Context
    words: list[int]
    written: str
    block: Block
    said: str = ""
    clause: str = ""
    place: CellPlace | None = None
    compared: bool = False


@dataclass
class PageContent:
    """A page's words with all that claims and questions are compared with."""

    text: PageText
    blocks: list[Block] = field(init=False)
    tables: TableCells = field(init=False)

    def __post_init__(self) -> None:
        self.blocks = page_blocks(self.text) if self.text.words else []
        self.tables = TableCells(self.text, self.blocks)

    @cached_property
    def values(self) -> list[PageValue]:
        """The page's numbers and dates in reading order; years are among them."""
        return [value for block in self.blocks for value in self._of_block(block)]

    @cached_property
    def terms(self) -> frozenset[str]:
        """The stems of all words."""
        return frozenset().union(*map(stems_held, self.tokens))

    @cached_property
    def tokens(self) -> list[str]:
        """All terms in reading order."""
        return [token for word in self.text.words for token in tokenize(word)]

    @cached_property
    def units(self) -> frozenset[str | Decimal]:
        """Every unit and scale that the page names anywhere, beside a number or alone."""
        named = [pair for block in self.blocks for pair in mentioned_units(block.text)]
        own = [(value.quantity.unit, value.quantity.scale) for value in self.values]
        return frozenset(one for pair in [*named, *own] for one in pair if one)

    def box(self, words: Sequence[int]) -> Box:
        """The box around words."""
        return around(self.text.boxes[list(words)])

    def rows(self) -> list[list[int]]:
        """The places of words that are read together: each paragraph, and each row of cells."""
        return [block.words for block in self.blocks if block.prose] + self._rows

    @cached_property
    def _rows(self) -> list[list[int]]:
        return [[word for cell in row for word in cell.words] for row in self.tables.rows]

    def is_furniture(self, block: Block) -> bool:
        """Whether a block is a running head or foot: a line at the page's edge."""
        return block.one_line and not block.prose and (block.box[3] < _HEAD or block.box[1] > _FOOT)

    def is_of_a_picture(self, value: PageValue) -> bool:
        """Whether no words tell what a number is of, as beside a point of a chart's line."""
        return value.place is not None and self.tables.is_loose(value.block)

    def is_row(self, words: Sequence[int]) -> bool:
        """Whether the words are a row of two cells or more."""
        return sum(cell.words[0] in words for cell in self.tables.cells) > 1

    def held(self, words: Sequence[int]) -> frozenset[str]:
        """The stems of some of the words."""
        return frozenset(stem for word in words for token in tokenize(self.text.words[word]) for stem in stems(token))

    def word_of(self, words: Sequence[int], term: frozenset[str]) -> str:
        """The first of the words that has a stem of the term."""
        return next(self.text.words[word] for word in words if self.held([word]) & term)

    def _of_block(self, block: Block) -> Iterator[PageValue]:
        found = quantities(block.text)
        if not found:
            return
        contexts = clause_contexts(block.text, found)
        for quantity, context in zip(found, contexts, strict=True):
            words = block.words_of(quantity.digits)
            written = block.text[slice(*quantity.span)]
            if block.prose:
                yield _of_sentence(block, quantity, context, words, written)
            elif not self.tables.is_a_label(block, quantity):
                yield self._of_cell(block, quantity, context, words, written)

    def _of_cell(self, block: Block, quantity: Quantity, own: Context, words: list[int], written: str) -> PageValue:
        place = self.tables.place(block, quantity, self.box(words))
        # A row that is called by its unit alone is called by what stands over it.
        of_corner = place.corner if place.labels and all(map(is_unit, place.labels)) else []
        near = [*of_corner, *place.labels, *place.heads]
        context = (
            dict.fromkeys(_stems_of([*place.captions, *place.corner]), _CAPTION)
            | own
            | dict.fromkeys(_stems_of(near), SAME_CLAUSE)
        )
        own_text = block.text if not quantity.unit else ""
        of_all = [] if self.tables.counts_others(block) else [*place.corner, *place.captions]
        sign = CURRENCY_OF.get(self.tables.sign_before(block))
        unit, scale = _first_unit([*place.labels[::-1], *place.heads, own_text, *of_all], sign)
        said = " | ".join(near)
        return PageValue(
            self._with_edges(with_unit(quantity, unit, scale)), context, words, written, block, said, said, place,
            is_compared_with(block.text, quantity),
        )  # fmt: skip

    def _with_edges(self, quantity: Quantity) -> Quantity:
        """A percentage of a scan above 100, which may also be a bar's edge, read as 1, and the number beside it."""
        if self.text.source != "ocr" or quantity.unit != "%":
            return quantity
        behind = (value - _EDGE for value in quantity.values if _EDGE <= value < 2 * _EDGE)
        return replace(quantity, values=quantity.values.union(behind))


def _of_sentence(block: Block, quantity: Quantity, context: Context, words: list[int], written: str) -> PageValue:
    at = quantity.digits[0]
    return PageValue(
        quantity, context, words, written, block, sentence_at(block.text, at), clause_at(block.text, at), None,
        is_compared_with(block.text, quantity),
    )  # fmt: skip


def _stems_of(texts: Sequence[str]) -> list[str]:
    return [stem for text in texts for token in tokenize(text) for stem in stems(token)]


def _first_unit(texts: Sequence[str], known: str | None) -> tuple[str | None, Decimal | None]:
    """The unit that is named nearest, the ``known`` one if any, and its scale, which may be named nearer, or beside it:
    "in dollars (amounts in millions)"."""
    scale: Decimal | None = None
    for text in texts:
        named = [(unit, by) for unit, by in mentioned_units(text) if known is None or unit in (None, known)]
        scales = (by for _, by in named if by)
        for unit, by in named:
            if unit:
                return unit, by or scale or next(scales, None)
            scale = scale or by
    return known, scale
