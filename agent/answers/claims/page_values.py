"""The numbers on a page with what they are of: in prose by their sentence, in tables by row, column and caption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pagesight.agent.answers.claims.quantities import (
    Quantity,
    Span,
    may_be_a_name,
    mentioned_units,
    quantities,
    with_unit,
)
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Box, PageText

#: What a number is of: stems of words, each with how closely it belongs to the number, 0 to 1.
Context = dict[str, float]

# Lengths are in heights of the page's middling word. All are guesses at how pages are set, tried on made claims
# (benchmarks/claims.py), not measured one by one.
_CELL_GAP = 1.2  # between words: more divides cells
_LINE_STEP = 2.2  # between the tops of a paragraph's lines, at most
_WORDS_OF_PROSE = 7
_HEADER_STEP = 3.0  # between the lines of a column's head, at most
_MOST_HEADERS = 4
_CAPTION_ROWS = 3

# How closely a word belongs to a number; tried on the same claims.
_SAME_CLAUSE, _SHARED, _OTHER_CLAUSE, _CAPTION = 1.0, 0.85, 0.5, 0.3
_BOUNDARY = re.compile(
    r"[,;:](?=\s)|[()]|\s[–—-]\s"
    r"|\s(?:and|but|while|whereas|versus|vs\.?|compared|against|up from|down from)\s"
    r"|\s(?:und|aber|während|sowie|gegenüber|nach)\s"
    r"|\s(?:to|from|auf|bis|von)\s(?=[\d€$£(]|EUR|USD|US\$|about|around|rund|etwa)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[a-zäöüß%)\d“”\"][.!?])\s+(?=[A-ZÄÖÜ\d„“\"(])")


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


@dataclass(frozen=True, eq=False)
class PageValue:
    """A number on a page, with the unit that its place says, what it is of, and the boxes of its words."""

    quantity: Quantity
    context: Context
    words: list[int]
    written: str
    said: str = ""


@dataclass
class PageContent:
    """A page's words with all that claims are compared with."""

    text: PageText
    blocks: list[Block] = field(init=False)

    def __post_init__(self) -> None:
        self.blocks = list(_blocks(self.text)) if self.text.words else []

    @cached_property
    def values(self) -> list[PageValue]:
        """The page's numbers in reading order; years are among them."""
        return [value for block in self.blocks for value in self._of_block(block)]

    @cached_property
    def terms(self) -> frozenset[str]:
        """The stems of all words."""
        return frozenset().union(*map(stems, self.tokens))

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
        return _around(self.text.boxes[list(words)])

    def rows(self) -> list[list[int]]:
        """The places of words that are read together: each paragraph, and each row of cells."""
        return [block.words for block in self.blocks if block.prose] + self._rows

    @cached_property
    def _rows(self) -> list[list[int]]:
        rows = []
        left = list(self._cells)
        while left:
            first = left[0]
            rows.append([word for cell in left if _same_row(cell.box, first.box) for word in cell.words])
            left = [cell for cell in left if not _same_row(cell.box, first.box)]
        return rows

    def is_row(self, words: Sequence[int]) -> bool:
        """Whether the words are a row of two cells or more."""
        return sum(cell.words[0] in words for cell in self._cells) > 1

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
                yield PageValue(quantity, context, words, written, _sentence(block.text, quantity.digits[0]))
            elif not self._in_a_label(block, quantity):
                yield self._of_cell(block, quantity, context, words, written)

    def _of_cell(self, block: Block, quantity: Quantity, own: Context, words: list[int], written: str) -> PageValue:
        box = self.box(words)
        row = [
            other
            for other in self._cells
            if other is not block and _same_row(other.box, block.box) and other.box[0] < box[0]
        ]
        labels = [other.text for other in row if not _only_numbers(other)]
        year = self._year_in_order(block, quantity)
        headers = [] if year else self._headers(box)
        captions = self._captions(headers[-1].box if headers else block.box)
        head = year or [self._part_over(header, box) for header in headers]
        context = (
            dict.fromkeys(_stems_of(captions), _CAPTION)
            | own
            | dict.fromkeys(_stems_of([*labels, *head]), _SAME_CLAUSE)
        )
        unit, scale = _first_unit([*labels[::-1], *head, block.text if not quantity.unit else "", *captions])
        return PageValue(with_unit(quantity, unit, scale), context, words, written, " | ".join([*labels, *head]))

    def _in_a_label(self, block: Block, quantity: Quantity) -> bool:
        """Whether a number belongs to the name of a row, such as "Tarn 16"."""
        start, end = quantity.digits
        named = end - start <= 4 and re.search(r"[^\W\d_]{2,}[ -]?$", block.text[:start]) is not None
        beside = (cell for cell in self._cells if cell.box[0] > block.box[2] and _same_row(cell.box, block.box))
        return named and not quantity.unit and any(_is_data(cell.text) for cell in beside)

    @cached_property
    def _cells(self) -> list[Block]:
        return [block for block in self.blocks if not block.prose]

    @cached_property
    def _height(self) -> float:
        return float(np.median(self.text.boxes[:, 3] - self.text.boxes[:, 1]))

    def _headers(self, box: Box) -> list[Block]:
        """The cells above that head the column, the nearest first."""
        above = [cell for cell in self._above(box) if _over(cell.box, box)]
        headers: list[Block] = []
        for cell in above:
            if headers and headers[-1].box[1] - cell.box[3] > _HEADER_STEP * self._height:
                break
            if _has_numbers(cell.text) or not any(letter.isalnum() for letter in cell.text):
                if headers:
                    break
            elif self._part_over(cell, box):
                headers.append(cell)
            if len(headers) == _MOST_HEADERS:
                break
        return headers

    def _above(self, box: Box) -> list[Block]:
        """The cells above a box, the nearest first."""
        above = [cell for cell in self._cells if cell.box[3] <= box[1] + self._height / 2]
        return sorted(above, key=lambda cell: -cell.box[1])

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
        wide = [word for word in cell.words if _over(tuple(map(float, self.text.boxes[word])), box)]
        if _several_heads(cell.text):
            return " ".join(self.text.words[word] for word in wide)
        return cell.text

    def _captions(self, box: Box) -> list[str]:
        """What stands above a table's head: its title, and often its units."""
        above = [block for block in self.blocks if block.one_line and block.box[3] <= box[1] + self._height / 2]
        nearest = sorted(above, key=lambda block: -block.box[1])
        titles = [cell for cell in nearest if not _has_numbers(cell.text) and not self._beside_numbers(cell)]
        return [cell.text for cell in titles[:_CAPTION_ROWS]]

    def _beside_numbers(self, cell: Block) -> bool:
        return any(_same_row(cell.box, other.box) and _has_numbers(other.text) for other in self._cells)


def clause_contexts(text: str, found: Sequence[Quantity]) -> list[Context]:
    """For each number of a text the stems of its sentence's words: closest those of its own part of the sentence."""
    contexts: list[Context] = []
    for terms in clause_terms(text, found):
        context: Context = {}
        for token, near in terms:
            for stem in stems(token):
                context[stem] = max(near, context.get(stem, 0))
        contexts.append(context)
    return contexts


def clause_terms(text: str, found: Sequence[Quantity]) -> list[list[tuple[str, float]]]:
    """For each number of a text the terms of its sentence, each with how closely it belongs to the number."""
    sentences = _spans(_SENTENCE_END, text)
    return [_terms_near(text, quantity, found, sentences) for quantity in found]


def _terms_near(
    text: str, quantity: Quantity, found: Sequence[Quantity], sentences: list[Span]
) -> list[tuple[str, float]]:
    at = quantity.digits[0]
    start, end = next((span for span in sentences if span[0] <= at < span[1]), (0, len(text)))
    mine = [other for other in found if start <= other.digits[0] < end and not other.year]
    first = mine[0].digits[0] if mine else at
    clauses = [(start + a, start + b) for a, b in _spans(_BOUNDARY, text[start:end])]
    own = next((span for span in clauses if span[0] <= at < span[1]), (start, end))

    def nearness(begin: int) -> float:
        if len(mine) < 2 or own[0] <= begin < own[1]:
            return _SAME_CLAUSE
        return _SHARED if begin < first else _OTHER_CLAUSE

    # What belongs to a number is no word beside another; a year is, and the number of a name.
    words = [other for other in found if other is not quantity and (other.year or may_be_a_name(text, other))]
    numbers = {place for other in found if other not in words for place in range(*other.span)}
    return [(token, nearness(begin)) for begin, token in _tokens_at(text, start, end) if begin not in numbers]


def _tokens_at(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for found in re.compile(r"[^\W_]+").finditer(text, start, end):
        for token in tokenize(found[0]):
            yield found.start(), token


def _spans(divider: re.Pattern[str], text: str) -> list[Span]:
    """The parts between what divides a text; a divider belongs to the part after it."""
    starts = [0, *(found.start() for found in divider.finditer(text))]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _sentence(text: str, at: int) -> str:
    return next((text[a:b].strip() for a, b in _spans(_SENTENCE_END, text) if a <= at < b), text)


# Blocks


def _blocks(page: PageText) -> Iterator[Block]:
    height = float(np.median(page.boxes[:, 3] - page.boxes[:, 1])) or 0.01
    paragraph: list[list[int]] = []
    for cell in _runs(page, height):
        if paragraph and not (_has_letters(page, cell) and _goes_on(page.boxes, paragraph, cell, height)):
            yield _block(page, paragraph)
            paragraph = []
        paragraph.append(cell)
    if paragraph:
        yield _block(page, paragraph)


def _has_letters(page: PageText, words: Sequence[int]) -> bool:
    return any(letter.isalpha() for word in words for letter in page.words[word])


def _runs(page: PageText, height: float) -> Iterator[list[int]]:
    """The words of each line, divided where there is more than a space between them."""
    run: list[int] = []
    for word, line in enumerate(page.lines.tolist()):
        if run and (page.lines[run[-1]] != line or _apart(page.boxes, run[-1], word, height)):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _apart(boxes: NDArray[np.float32], before: int, word: int, height: float) -> bool:
    gap = boxes[word, 0] - boxes[before, 2]
    # Boxes are parts of the page, which is higher than wide: a gap across is as wide as a part 1.4 times as high.
    return bool(gap > _CELL_GAP * height * 1.4 or gap < -height)


def _goes_on(boxes: NDArray[np.float32], paragraph: list[list[int]], run: list[int], height: float) -> bool:
    """Whether a run is the next line of the paragraph: right below, and the line before it is full."""
    before, box = _around(boxes[paragraph[-1]]), _around(boxes[run])
    step = box[1] - before[1]
    full = (
        len(paragraph[-1]) >= 5
        and before[2] >= _around(boxes[[word for line in paragraph for word in line]])[2] - 12 * height
    )
    return (
        full and height / 2 < step < _LINE_STEP * height and abs(box[0] - _around(boxes[paragraph[0]])[0]) < 4 * height
    )


def _block(page: PageText, lines: list[list[int]]) -> Block:
    words = [word for line in lines for word in line]
    starts, text = [], ""
    for word in words:
        starts.append(len(text) + (1 if text else 0))
        text += (" " if text else "") + page.words[word]
    letters = sum(page.words[word][:1].isalpha() for word in words)
    prose = len(lines) > 1 or (len(words) >= _WORDS_OF_PROSE and letters > 0.6 * len(words))
    return Block(words, text, starts, _around(page.boxes[words]), prose, len(lines) == 1)


def _around(boxes: NDArray[np.float32]) -> Box:
    left, top = (float(edge) for edge in boxes[:, :2].min(axis=0))
    right, bottom = (float(edge) for edge in boxes[:, 2:].max(axis=0))
    return left, top, right, bottom


def _same_row(one: Box, other: Box) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared > 0.5 * min(one[3] - one[1], other[3] - other[1])


def _over(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two boxes share a part of their width, or nearly."""
    return min(one[2], other[2]) - max(one[0], other[0]) > -0.005


def _is_data(text: str) -> bool:
    """Whether a cell is a number that is no year, or a mark that stands for none."""
    found = quantities(text)
    letters = sum(letter.isalpha() for letter in text)
    return (any(not one.year for one in found) and letters <= 3) or not any(letter.isalnum() for letter in text)


def _has_numbers(text: str) -> bool:
    return any(not one.year and not may_be_a_name(text, one) for one in quantities(text))


def _only_numbers(block: Block) -> bool:
    return _is_data(block.text) or (
        all(one.year for one in quantities(block.text)) and not re.search(r"[^\W\d_]", block.text)
    )


def _several_heads(text: str) -> bool:
    return len(re.findall(r"\b(?:19|20)\d\d\b", text)) > 1 or len(quantities(text)) > 1


def _stems_of(texts: Sequence[str]) -> list[str]:
    return [stem for text in texts for token in tokenize(text) for stem in stems(token)]


def _first_unit(texts: Sequence[str]) -> tuple[str | None, Decimal | None]:
    """The unit that is named nearest, and its scale; a scale alone is completed by a unit further away."""
    scale: Decimal | None = None
    for text in texts:
        for unit, by in mentioned_units(text):
            if unit:
                return unit, by or scale
            scale = scale or by
    return None, scale
