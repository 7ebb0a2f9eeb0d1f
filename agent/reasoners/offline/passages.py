"""What of a page can be quoted: its tables' cells with row and column, its rows, and its whole sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems_held
from pagesight.indexing.lexical.tokens import tokenize, with_parts
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.blocks import Block
from pagesight.indexing.values.cell_texts import is_data
from pagesight.indexing.values.clauses import SENTENCE_END, Context
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.table_cells import CellPlace
from pagesight.indexing.values.units import is_unit

_SCALES = {
    "en": {Decimal(1000): "thousand", Decimal(10**6): "million", Decimal(10**9): "billion"},
    "de": {Decimal(1000): "Tsd.", Decimal(10**6): "Mio.", Decimal(10**9): "Mrd."},
}
_FEWEST_LETTERS = 3  # of a row or sentence that says something
_ROWS_TOGETHER, _ROW_STEP = 3, 2.0  # lines that are quoted together, and how far apart, in heights; guesses
_LONGEST_HEAD = 60  # letters that a column's head may have and still is one; a guess, not measured


_CODE = re.compile(r"[^\W\d_]:\d")  # V:8, I:89: told whole
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_SHORT_YEAR = re.compile(r"\b(?:[QH][1-4]|FY|GJ)[ '’/-]?(\d\d)\b")


@dataclass(frozen=True)
class Passage:
    """Something of a page that can be quoted; ``held`` are its terms, each with how closely it belongs.

    ``words`` are the places of its words on the page; ``cell`` says that it is a table's cell, told with row and
    column, and no quotation. ``row`` are the terms that its row is called by. ``worked_out`` says that it tells what
    was computed of cells, as the question asks.
    """

    hit: Hit
    text: str
    held: Context
    words: frozenset[int] = frozenset()
    cell: bool = False
    row: tuple[str, ...] = ()
    worked_out: bool = False

    @cached_property
    def number_parts(self) -> frozenset[str]:
        """See `number_parts`."""
        return number_parts(self.text)


def passages_of_lines(hit: Hit) -> list[Passage]:
    """The lines that a search found, where a page's words are not at hand."""
    return [Passage(hit, line.strip(), terms_of(line)) for line in hit.lines]


def passages_of(hit: Hit, content: PageContent, language: str) -> list[Passage]:
    """The cells, rows and sentences of a page, without running heads and feet."""
    return [*_cells(hit, content, language), *_rows(hit, content), *_sentences(hit, content)]


def _cells(hit: Hit, content: PageContent, language: str) -> Iterator[Passage]:
    for value in content.values:
        place = value.place
        if place is None or not _can_be_told(value, place, content) or content.is_furniture(value.block):
            continue
        called = [label for label in place.labels if not is_unit(label)] or place.corner or place.captions[:1]
        near = [*called, *reversed(place.heads)]
        named = ", ".join(dict.fromkeys(text.strip(" ,:;") for text in near if len(text) <= _LONGEST_HEAD))
        row, words = read_query(called[0]).terms if called else (), frozenset(value.words)
        yield Passage(hit, f"{named}: {_told(value, language)}", value.context, words, cell=True, row=row)


def _can_be_told(value: PageValue, place: CellPlace, content: PageContent) -> bool:
    """Whether a value, no year or date, is in a row with a name or over a chart's label, and neither of a chart's axis,
    a heading's number or the page in a line of contents nor part of an equation."""
    if value.quantity.year or value.quantity.days or _is_of_the_layout(value, place, content):
        return False
    if not place.labels:
        return bool(place.heads and place.captions) and is_data(value.block.text)
    if not any(map(str.isalpha, place.labels[0])):
        return False
    whole_row = value.block.text.startswith(place.labels[0])
    return (whole_row or is_data(value.block.text)) and any(len(label) <= _LONGEST_HEAD for label in place.labels)


def _is_of_the_layout(value: PageValue, place: CellPlace, content: PageContent) -> bool:
    tables, block = content.tables, value.block
    if tables.is_of_an_axis(block) or tables.is_numbering(block) or tables.is_page_of_contents(value.words):
        return True
    return any("=" in text for text in (*place.labels, *place.heads))


def _told(value: PageValue, language: str) -> str:
    return value.block.text if _CODE.search(value.block.text) else with_unit(value, language)


def with_unit(value: PageValue, language: str) -> str:
    """The number as it is written, with the unit that its place says in brackets."""
    unit, scale = value.quantity.unit, value.quantity.scale
    scales = _SCALES.get(language, _SCALES["en"])
    said = " ".join(part for part in _ordered(unit, scales.get(scale) if scale else None, language) if part)
    written = value.written.strip()
    return f"{written} ({said})" if said and not any(part in written for part in said.split()) else written


def _ordered(unit: str | None, scale: str | None, language: str) -> tuple[str | None, str | None]:
    return (scale, unit) if language == "de" else (unit, scale)


def _rows(hit: Hit, content: PageContent) -> Iterator[Passage]:
    """The rows of cells and the lines that are no prose, alone and with the two below: a heading with what it heads."""
    for rows in _rows_read_together(content):
        text = " / ".join(" | ".join(cell.text for cell in row) for row in rows)
        yield from _if_it_says_something(hit, text, (word for row in rows for cell in row for word in cell.words))


def _rows_read_together(content: PageContent) -> Iterator[list[list[Block]]]:
    """From the top of the page each row, and then that row with those below it; without running heads and feet."""
    told = ([cell for cell in row if not content.is_furniture(cell)] for row in content.tables.rows)
    rows = sorted(filter(None, told), key=lambda row: row[0].box[1])
    for at in range(len(rows)):
        yield rows[at : at + 1]
        yield _block_from(rows, at)


def _block_from(rows: list[list[Block]], at: int) -> list[list[Block]]:
    """A row and the next two, as far as they are near each other and no whole sentences; none without a next one."""
    together = rows[at : at + 1]
    for row in rows[at + 1 : at + _ROWS_TOGETHER]:
        if not _goes_on(together[-1], row):
            break
        together = [*together, row]
    return together if len(together) > 1 else []


def _goes_on(row: list[Block], below: list[Block]) -> bool:
    """Whether a row is read with the one below it: near, and neither a whole sentence or of a table."""
    top, foot = row[0].box[1], row[0].box[3]
    whole = any(cell.text.endswith(".") for cell in [*row, *below])
    apart = below[0].box[1] - foot > _ROW_STEP * (foot - top)
    return not (whole or apart or _is_of_a_table(row) or _is_of_a_table(below))


def _is_of_a_table(row: list[Block]) -> bool:
    """Whether a row has several numbers: its cells are told one by one."""
    return sum(is_data(cell.text) for cell in row) > 1


def _sentences(hit: Hit, content: PageContent) -> Iterator[Passage]:
    for block in content.blocks:
        if block.prose and not content.is_furniture(block):
            yield from _of_block(hit, block)


def _of_block(hit: Hit, block: Block) -> Iterator[Passage]:
    at = 0
    for end in [*(found.start() for found in SENTENCE_END.finditer(block.text)), len(block.text)]:
        text = block.text[at:end].strip()
        yield from _if_it_says_something(hit, text, block.words_of((at, end)))
        at = end


def _if_it_says_something(hit: Hit, text: str, words: Iterable[int]) -> Iterator[Passage]:
    if sum(letter.isalpha() for letter in text) >= _FEWEST_LETTERS:
        yield Passage(hit, text, terms_of(text), frozenset(words))


def number_parts(text: str) -> frozenset[str]:
    """The digits that stand in a text only as parts of decimals and grouped numbers, such as the 7 and 9 of 7,9; who
    asks for the Tarn 9 does not ask for them. Those of dates, of several points, and before one (Python 3.11) count."""
    parts, alone = set[str](), set[str]()
    for number in _NUMBER.findall(text):
        digits = _DIGITS.findall(number)
        grouped = bool(_GROUPED.fullmatch(number))
        if len(digits) == 1 or not (grouped or len(digits) == 2) or (len(digits) == 2 and len(digits[1]) > 3):
            alone.update(digits)
        elif grouped or "," in number:
            parts.update(digits)
        else:
            alone.add(digits[0])
            parts.add(digits[1])
    return frozenset(parts - alone)


def terms_of(text: str) -> Context:
    """The stems of a text's words; of 2026e and Q4 26 also those of 2026."""
    years = [f"20{year}" for year in _SHORT_YEAR.findall(text)]
    return {stem: 1.0 for token in with_parts([*tokenize(text), *years]) for stem in stems_held(token)}
