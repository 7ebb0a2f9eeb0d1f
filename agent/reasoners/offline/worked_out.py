"""What of a page answers a question once its numbers are compared, computed with or counted: the largest of several, by
how much two differ, how many items a list has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from pagesight.agent.reasoners.offline.asked import (
    Operation,
    asked_operation,
    asks_for_a_count,
    extreme_words,
    operation_words,
    wanted_extreme,
    years_of,
)
from pagesight.agent.reasoners.offline.counted import counts
from pagesight.agent.reasoners.offline.passages import Passage, terms_of, with_unit
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.series import Series, series

#: How closely what is said of all numbers belongs to one of them; a guess, not measured.
_OF_THEM_ALL = 0.8
_SUM = re.compile(
    r"(?i)^(?:total|sum|all|overall|group|average|mean|median|net|gesamt|summe|insgesamt|konzern|durchschnitt|alle)\b"
)
_SAID = {
    "en": {"most": "the largest of {n}", "least": "the smallest of {n}"},
    "de": {"most": "der größte von {n} Werten", "least": "der kleinste von {n} Werten"},
}
_SIGNS: dict[Operation, str] = {"difference": "−", "sum": "+", "ratio": "÷", "change": "against"}
_DECIMAL_COMMA = re.compile(r"\.\d{3}(?!\d)|,\d{1,2}(?!\d)")
_MARKS_TURNED = str.maketrans(",.", ".,")
_FEWEST = 3  # of numbers of which one can be the largest


def worked_out(hit: Hit, content: PageContent, question: str, language: str) -> Iterator[Passage]:
    """What the question asks to be compared, computed or counted on a page; nothing for other questions."""
    if wanted_extreme(question):
        for column in series(content):
            yield from _extreme(hit, column, question, language)
    if operation := asked_operation(question):
        yield from _of_two(hit, content, question, operation, language)
    if asks_for_a_count(question):
        yield from counts(hit, content, language)


def _extreme(hit: Hit, column: Series, question: str, language: str) -> Iterator[Passage]:
    of_one = [(label, value) for label, value in column.pairs if not _SUM.match(label) and value.quantity.values]
    pairs = [(label, value) for label, value in of_one if _are_in_one_unit(value, of_one[0][1])]
    wanted = wanted_extreme(question)
    if len(pairs) < _FEWEST or wanted is None:
        return
    label, value = (max if wanted == "most" else min)(pairs, key=lambda pair: _number(pair[1]))
    said = _SAID.get(language, _SAID["en"])[wanted].format(n=len(pairs))
    asked = _asked_words(question, value)
    held = dict.fromkeys(terms_of(" ".join([*column.about, *asked])), _OF_THEM_ALL) | terms_of(label)
    words = frozenset(value.words)
    yield Passage(hit, f"{label}: {with_unit(value, language)} ({said})", held, words, cell=True, worked_out=True)


def _asked_words(question: str, value: PageValue) -> list[str]:
    """The words by which the question asks for the largest, and for a share where the number is one: no page needs to
    say them."""
    return [*extreme_words(question), *(["share percentage proportion Anteil"] if value.quantity.unit == "%" else [])]


def _of_two(hit: Hit, content: PageContent, question: str, operation: Operation, language: str) -> Iterator[Passage]:
    """What the question asks to be worked out of two numbers that it names, each with its label."""
    for label, first, second, about in _pairs(content, question, operation):
        result = _worked_out_of(operation, first[1], second[1])
        if result is None:
            continue
        written_first, written_second = with_unit(first[1], language), second[1].written.strip()
        told = f"{written_first} ({first[0]}) {_SIGNS[operation]} {written_second} ({second[0]}) = {result}"
        # No page needs to say the words by which the question asks for it.
        beside = " ".join([*about, first[0], second[0], *operation_words(question)])
        # Two years say nothing of what their numbers are of.
        called = label or (", ".join(about) if first[0].isdecimal() and second[0].isdecimal() else "")
        held = dict.fromkeys(terms_of(beside), _OF_THEM_ALL) | terms_of(label)
        words = frozenset([*first[1].words, *second[1].words])
        row = read_query(called).terms if called else ()
        yield Passage(hit, f"{called}: {told}" if called else told, held, words, cell=True, row=row, worked_out=True)


def _worked_out_of(operation: Operation, first: PageValue, second: PageValue) -> str | None:
    """The result, with the marks for thousands and decimals that the two numbers have; None for a division by zero."""
    one, other = _number(first), _number(second)
    if operation in ("ratio", "change") and not other:
        return None
    match operation:
        case "sum":
            result = f"{one + other:,}"
        case "difference":
            result = f"{one - other:,}"
        case "ratio":
            result = f"{one / other:,.2f}"
        case "change":
            result = f"{100 * (one - other) / abs(other):+,.1f} %"
    with_commas = any(_DECIMAL_COMMA.search(value.written) for value in (first, second))
    return result.translate(_MARKS_TURNED) if with_commas else result


_Labelled = tuple[str, PageValue]


def _pairs(
    content: PageContent, question: str, operation: Operation
) -> Iterator[tuple[str, _Labelled, _Labelled, Sequence[str]]]:
    """Two numbers of one row, column or chart in one unit whose labels the question names: by their years, the later
    one first, or else by their words, in the question's order.

    A change in one year is one on the year before; of what is added or divided in one year both are of that year.
    """
    years, said = years_of(question), terms_of(question).keys()
    between_years = len(set(years)) > 1 or operation in ("change", "difference")
    for name, numbers, about in [*_rows(content), *_charts(content)]:
        pair = (_of_years(numbers, years) if between_years else None) or _of_words(numbers, question, said)
        if pair and _are_in_one_unit(pair[0][1], pair[1][1]):
            yield name, *pair, about


def _of_years(numbers: Sequence[_Labelled], years: Sequence[str]) -> tuple[_Labelled, _Labelled] | None:
    """The numbers of the last year asked about and of the first; of the one before, where one is asked about."""
    later = max(years, default=None)
    if later is None:
        return None
    earlier = min(years) if len(set(years)) > 1 else str(int(later) - 1)
    new, old = (next((one for one in numbers if year in one[0]), None) for year in (later, earlier))
    return (new, old) if new and old else None


def _of_words(numbers: Sequence[_Labelled], question: str, said: Collection[str]) -> tuple[_Labelled, _Labelled] | None:
    """The two numbers whose labels' own words, those that not all labels have, the question says; none where it says
    those of more."""
    terms = [frozenset(terms_of(label)) for label, _ in numbers]
    common = frozenset.intersection(*terms) if len(terms) > 1 else frozenset()
    named = [one for one, of in zip(numbers, terms, strict=True) if of - common and of - common <= frozenset(said)]
    if len(named) != 2:
        return None
    first, second = sorted(named, key=lambda one: question.casefold().find(one[0].casefold()))
    return first, second


def _are_in_one_unit(one: PageValue, other: PageValue) -> bool:
    return (one.quantity.unit, one.quantity.scale) == (other.quantity.unit, other.quantity.scale)


def _rows(content: PageContent) -> Iterator[tuple[str, list[_Labelled], list[str]]]:
    """The rows of tables: their name, and their numbers with the years of their columns."""
    rows: dict[tuple[float, str], list[PageValue]] = {}
    for value in content.values:
        place = value.place
        if place and place.labels and place.heads and value.quantity.values and not value.quantity.year:
            rows.setdefault((value.block.box[3], place.labels[0]), []).append(value)
    for (_, name), values in rows.items():
        places = [value.place for value in values if value.place]
        numbers = [(place.heads[0], value) for place, value in zip(places, values, strict=True)]
        yield name, numbers, [*places[0].heads[1:], *places[0].corner, *places[0].captions]


def _charts(content: PageContent) -> Iterator[tuple[str, list[_Labelled], list[str]]]:
    for column in series(content):
        yield "", column.pairs, column.about


def _number(value: PageValue) -> Decimal:
    """Its value with its sign; of two readings the one with thousands: 3,488 employees are no three and a half."""
    number = max(value.quantity.values)
    return -number if value.quantity.negative else number
