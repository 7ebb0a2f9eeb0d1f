"""The numbers of cited pages that a claim's computed number comes from: its own, and those of its row or sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, permutations
from typing import NamedTuple

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber, is_year
from pagesight.agent.answers.claims.claim import Evidence
from pagesight.agent.answers.claims.numbers.claim_fit import ClaimFit, beside, has, holds
from pagesight.agent.answers.claims.numbers.computed import computed_from, value_of, year_of
from pagesight.agent.answers.claims.polarity.direction import direction, of_a_loss, tells_of_change
from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.page_values import PageContent, PageValue

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
#: That a claim tells of an earlier time: by a year, or in words.
_EARLIER = re.compile(
    r"(?i)\b(?:19|20)\d\d\b|\b(?:before|earlier|previous(?:ly)?|prior|ago|last|vorher|zuvor|davor|vor|letzte\w*|vorjahr)\b"
)
_HALF = 0.5  # of what the claim's words weigh; a guess, not measured
_TOLD = 0.6  # of a claim's terms, for a sentence to tell of the same; a guess, not measured


class Operand(NamedTuple):
    """A number, with the cited page that it is printed on."""

    page: CitedPage
    value: PageValue

    def evidence(self) -> Evidence:
        """Where it stands."""
        return self.page.evidence(self.value.words)


def operands_of(
    number: ClaimNumber, own: Sequence[Operand], pages: Sequence[CitedPage], *, own_alone: bool
) -> list[Operand]:
    """The printed numbers that a claim's number follows from; none if of none, or if it is not told as computed.

    They are of the claim's ``own``, of the numbers that its words fit best where it has fewer than two, of rows that it
    names, or a whole row or column that it is the sum of; with ``own_alone`` of its own and of named rows alone.
    """
    if before := next(filter(None, (_before_its_change(number, page) for page in pages)), []):
        return before
    if not tells_of_change(number.text, number.quantity):
        return []
    for known in _candidates(number, own, pages, own_alone=own_alone):
        told = direction(number.text), of_a_loss(number.text)
        if used := computed_from(number.quantity, [one.value for one in known], *told):
            return among(known, used)
    sums = ([Operand(page, value) for value in _summed(number, page.content)] for page in pages)
    return [] if own_alone else next(filter(None, sums), [])


def _candidates(
    number: ClaimNumber, own: Sequence[Operand], pages: Sequence[CitedPage], *, own_alone: bool
) -> Iterator[Sequence[Operand]]:
    """Printed numbers that belong together, from which the claim's may come."""
    yield [*own, *(_fitting_beside(number, own, pages) if len(own) < 2 and not own_alone else ())]
    if len(own) == 1 and own[0].value.place is None:
        yield [*own, *(one for one in _in_its_sentence(own[0]))]
    if own and own[0].value.place:
        yield from ([own[0], other] for other in _in_its_line(own[0]))
    for page in pages:
        for some in _told_on(page.content, number, own_alone=own_alone):
            yield [Operand(page, value) for value in some]


def _named_together(fit: ClaimFit) -> list[PageValue]:
    """The two numbers of one unit that together have most of the claim's words, each some that the other has not: "an
    enemy or a competitor"; none where several do, or none has half of them."""
    weights = {term: by for (term, _), by in fit.weights.items()}
    alike = _by_what_they_have(list(weights), fit.content)
    scored = [
        (sum(weights[term] for term in one.words | other.words), [*alike[one], *alike[other]])
        for one, other in combinations(alike, 2)
        if one.adds_to(other)
    ]
    most = max((score for score, _ in scored), default=0.0)
    best = [both for score, both in scored if score == most]
    return best[0] if len(best) == 1 and len(best[0]) == 2 and most >= _HALF * fit.most else []


def _fitting_alike(fit: ClaimFit) -> list[PageValue]:
    """The two numbers of prose that fit a claim best, if both have half of its words and are of one unit: a dividend of
    this year and one of the year before, each in its own sentence."""
    prose = (value for value in fit.content.values if value.place is None and value.quantity.values)
    best = sorted((value for value in prose if not value.quantity.year), key=lambda value: -fit.of(value))[:2]
    alike = len(best) == 2 and best[0].quantity.unit == best[1].quantity.unit
    return best if alike and fit.of(best[1]) >= _HALF * fit.most > 0 else []


def _by_what_they_have(terms: Sequence[frozenset[str]], content: PageContent) -> dict[_Told, list[PageValue]]:
    """The numbers of a page that have some of the terms: there may be thousands, told in a few ways."""
    alike: dict[_Told, list[PageValue]] = {}
    for value in content.values:
        if (told := _told_of(terms, value)).words:
            alike.setdefault(told, []).append(value)
    return alike


def _told_of(terms: Sequence[frozenset[str]], value: PageValue) -> _Told:
    """Which of the terms a plain number has; none for a year or a date."""
    plain = not (value.quantity.year or value.quantity.days)
    words = frozenset(term for term in terms if plain and has(value, term))
    return _Told(words, value.quantity.unit, value.place is None)


class _Told(NamedTuple):
    """How a number is told: the claim's terms that it has, its unit, and whether in prose."""

    words: frozenset[frozenset[str]]
    unit: str | None
    in_prose: bool

    def adds_to(self, other: _Told) -> bool:
        """Whether two numbers of one unit each have a term that the other has not, both in prose or both in tables:
        what is told again in the other is no other thing."""
        alike = self[1:] == other[1:]
        return alike and bool(self.words - other.words and other.words - self.words)


def _before_its_change(number: ClaimNumber, page: CitedPage) -> list[Operand]:
    """The number of a sentence and the points that it has changed by, where the claim tells what it was before: 50 % of
    "77 %, up 27 points since last year"."""
    if not _EARLIER.search(number.text) or number.quantity.unit != "%":
        return []
    for values in _told_with_points(_as_on(page.content, number), page.content):
        for one, by in permutations(values, 2):
            told = direction(by.clause) or direction(by.said)
            before = value_of(one.quantity) - told * value_of(by.quantity)
            if told and (one.quantity.unit, by.quantity.unit) == ("%", "pp") and before in number.quantity.full():
                return [Operand(page, one), Operand(page, by)]
    return []


def _told_with_points(number: ClaimNumber, content: PageContent) -> Iterator[list[PageValue]]:
    """The percentages and points of each sentence that has most of the claim's terms."""
    sentences: dict[tuple[int, str], list[PageValue]] = {}
    for value in content.values:
        if value.place is None and value.quantity.unit in ("%", "pp") and value.quantity.values:
            sentences.setdefault((id(value.block), value.said), []).append(value)
    yield from (values for (_, said), values in sentences.items() if _is_told_in(said, number))


def _told_on(content: PageContent, number: ClaimNumber, *, own_alone: bool) -> Iterator[list[PageValue]]:
    """The numbers of a page that the claim names by their rows, or that a sentence tells which says the same."""
    told = _as_on(content, number)
    yield from _of_named_rows(told, content)
    yield from _of_named_cells(told, content)
    if not own_alone:
        yield from _of_like_sentences(told, content)
        yield _named_together(ClaimFit(number, content))
        yield _fitting_alike(ClaimFit(told, content))


def told_by_year(number: ClaimNumber, content: PageContent) -> Iterator[tuple[PageValue, PageValue]]:
    """The number of an earlier year and that of a later one, of each row that a claim names and each sentence that says
    the same."""
    told = _as_on(content, number)
    for values in (*_of_named_rows(told, content), *_of_like_sentences(told, content)):
        by_year = {year: value for value in values if (year := year_of(value))}
        if len(by_year) == len(values) == 2:
            yield by_year[min(by_year)], by_year[max(by_year)]


def _as_on(content: PageContent, number: ClaimNumber) -> ClaimNumber:
    """The number with the claim's terms as a page writes them."""
    return replace(number, terms=ClaimFit(number, content).terms_in_short)


def _in_its_sentence(one: Operand) -> Iterator[Operand]:
    """The numbers of one unit with it in its sentence."""
    value = one.value
    for other in one.page.content.values:
        if other is not value and other.said == value.said and other.quantity.unit == value.quantity.unit:
            yield Operand(one.page, other)


def _in_its_line(one: Operand) -> Iterator[Operand]:
    """The other numbers of its row."""
    return (Operand(one.page, value) for value in one.page.content.values if _in_its_row(value, one.value))


def _of_named_cells(number: ClaimNumber, content: PageContent) -> Iterator[list[PageValue]]:
    """The numbers of a column whose rows the claim names, two or three, by their whole names if some are; of the year
    that it names, if columns are."""
    for found in _columns_named(frozenset(stem for term, _ in number.terms for stem in term), content):
        called = [value for value in found if _is_called(number, value)]
        yield from (some for some in (called, found) if len(some) in (2, 3))


def _columns_named(said: frozenset[str], content: PageContent) -> list[list[PageValue]]:
    """The numbers of each column whose rows are named; of the years that are named, if columns are."""
    years = frozenset(filter(is_year, said))
    columns: dict[tuple[str, ...], list[PageValue]] = {}
    for value in content.values:
        if value.place and _is_labelled(value, said - years):
            columns.setdefault(tuple(value.place.heads), []).append(value)
    of_years = [found for heads, found in columns.items() if years.intersection(" ".join(heads).split())]
    return of_years or list(columns.values())


def _is_labelled(value: PageValue, said: frozenset[str]) -> bool:
    """Whether a value is a plain number in a row whose label has a word of the claim."""
    if not value.place or not value.quantity.values or value.quantity.year:
        return False
    labels = value.place.labels
    return any(stems(term) & said for label in labels for term in read_query(label).terms)


def _of_named_rows(number: ClaimNumber, content: PageContent) -> Iterator[list[PageValue]]:
    """The two numbers, of one year and another, of each row that the claim calls by its whole name: of the years that
    it names, or of the one that it names, or the last one, and the one before."""
    named = {int(stem) for term, _ in number.terms for stem in term if is_year(stem)}
    rows = (_two_years(row, named) for row in _rows_by_year(number, content))
    yield from (row for row in rows if len(row) == 2)


def _rows_by_year(number: ClaimNumber, content: PageContent) -> Iterator[dict[int, PageValue]]:
    """The numbers of each row that the claim calls by its whole name, by their years."""
    rows: dict[tuple[str, ...], dict[int, PageValue]] = {}
    for value in content.values:
        year = year_of(value)
        if value.place and value.place.labels and year and value.quantity.values and _is_called(number, value):
            rows.setdefault((value.place.labels[0], *_heads(value)), {}).setdefault(year, value)
    yield from rows.values()


def _two_years(row: dict[int, PageValue], named: set[int]) -> list[PageValue]:
    """The numbers of a row of the last two years that are named, or of the last one and the one before it."""
    years = sorted(row)
    told = [year for year in years if year in named] or years[-1:]
    both = told[-2:] if len(told) > 1 else [year for year in years if year <= told[0]][-2:]
    return [row[year] for year in both]


def _of_like_sentences(number: ClaimNumber, content: PageContent) -> Iterator[list[PageValue]]:
    """The numbers of one unit of each sentence that has most of the claim's terms."""
    sentences: dict[tuple[int, str, str | None], list[PageValue]] = {}
    for value in content.values:
        if value.place is None and value.quantity.values and not value.quantity.year:
            sentences.setdefault((id(value.block), value.said, value.quantity.unit), []).append(value)
    yield from (values for (_, said, _), values in sentences.items() if len(values) > 1 and _is_told_in(said, number))


def _is_told_in(sentence: str, number: ClaimNumber) -> bool:
    held = frozenset(stem for term in tokenize(sentence) for stem in stems(term))
    said = sum(bool(term & held) for term, _ in number.terms)
    return said > 0 and said >= _TOLD * len(number.terms)


def _heads(value: PageValue) -> list[str]:
    """What heads its column, without the year."""
    return [_YEAR.sub("", head).strip() for head in value.place.heads] if value.place else []


def _is_called(number: ClaimNumber, value: PageValue) -> bool:
    """Whether the claim has all words of a row's name; what stands in brackets behind it may be left out."""
    name = value.place.labels[0].split("(")[0] if value.place and value.place.labels else ""
    terms = read_query(name).terms
    said = frozenset(stem for term, _ in number.terms for stem in term)
    return bool(terms) and all(stems(term) & said for term in terms)


def among(known: Iterable[Operand], values: Iterable[PageValue]) -> list[Operand]:
    """Those of some operands that are these values."""
    by_value = {id(one.value): one for one in known}
    return [by_value[id(value)] for value in values]


def _fitting_beside(number: ClaimNumber, own: Sequence[Operand], pages: Sequence[CitedPage]) -> list[Operand]:
    """The numbers that the claim's words fit best; those in one row or column with a number of the claim first."""
    every = fitting(number, pages)
    near = [one for one in every if any(beside(one.value, other.value) for other in own)]
    return near or every


def fitting(number: ClaimNumber, pages: Sequence[CitedPage]) -> list[Operand]:
    """The numbers of the pages that the claim's words fit best."""
    told = [(page, _as_on(page.content, number)) for page in pages]
    return [Operand(page, value) for page, one in told for value in _best_of(one, page.content)]


def _best_of(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    """The numbers of a page that the claim's words fit best: those of one row, or one sentence."""
    values = [value for value in content.values if not value.quantity.year and not value.quantity.days]
    fits = [sum(has(value, term) for term, _ in number.terms) for value in values]
    most = max(fits, default=0)
    best = [value for value, fit in zip(values, fits, strict=True) if fit == most > 0]
    if len(best) == 1:
        best += [value for value in values if _in_its_row(value, best[0]) or _in_its_sentence_too(value, best[0])]
    return best


def _in_its_sentence_too(value: PageValue, other: PageValue) -> bool:
    """Whether two numbers of one unit stand in one sentence."""
    prose = value.place is None and other.place is None and value is not other
    return prose and beside(value, other) and value.quantity.unit == other.quantity.unit


def _in_its_row(value: PageValue, other: PageValue) -> bool:
    """Whether two numbers stand in one row."""
    both = value.place is not None and other.place is not None
    return both and value is not other and value.place.labels == other.place.labels  # type: ignore[union-attr]


def _summed(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    """All numbers of a table's row or column, of which the claim speaks, if the claim's number is their sum."""
    full = number.quantity.full()
    for line in _rows_and_columns(content):
        total = sum((value_of(value.quantity) for value in line), Decimal(0))
        if len(line) > 2 and total in full and _speaks_of(number, line):
            return line
    return []


def _speaks_of(number: ClaimNumber, values: Sequence[PageValue]) -> bool:
    return any(holds(value, term) for value in values for term, _ in number.terms)


def _rows_and_columns(content: PageContent) -> Iterator[list[PageValue]]:
    """The numbers of each row and each column of the page's tables."""
    lines: dict[tuple[str, ...], list[PageValue]] = {}
    for value in content.values:
        if value.place and not value.quantity.year and value.quantity.values:
            caption = value.place.captions[:1]
            lines.setdefault(("row", *value.place.labels, *caption), []).append(value)
            lines.setdefault(("column", *value.place.heads, *caption), []).append(value)
    yield from lines.values()
