"""What of a page answers a question once numbers are compared: the largest of several, by how much two differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from pagesight.agent.reasoners.asked import asks_for_a_difference, extreme_words, wanted_extreme, years_of
from pagesight.agent.reasoners.passages import Passage, terms_of, with_unit
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
_FEWEST = 3  # of numbers of which one can be the largest


def worked_out(hit: Hit, content: PageContent, question: str, language: str) -> Iterator[Passage]:
    """What the question asks to be compared or subtracted on a page; nothing for other questions."""
    if wanted_extreme(question):
        for column in series(content):
            yield from _extreme(hit, column, question, language)
    if asks_for_a_difference(question):
        yield from _differences(hit, content, question, language)


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


def _differences(hit: Hit, content: PageContent, question: str, language: str) -> Iterator[Passage]:
    for label, later, earlier, about in _pairs(content, years_of(question)):
        apart = _number(later[1]) - _number(earlier[1])
        told = f"{with_unit(later[1], language)} ({later[0]}) − {earlier[1].written.strip()} ({earlier[0]}) = {apart}"
        held = dict.fromkeys(terms_of(" ".join([*about, later[0], earlier[0]])), _OF_THEM_ALL) | terms_of(label)
        words = frozenset([*later[1].words, *earlier[1].words])
        yield Passage(hit, f"{label}: {told}" if label else told, held, words, cell=True, worked_out=True)


_Labelled = tuple[str, PageValue]


def _pairs(content: PageContent, years: Sequence[str]) -> Iterator[tuple[str, _Labelled, _Labelled, Sequence[str]]]:
    """The numbers of one row, and of one chart, that are of the years asked about: the later, and the earlier.

    Where one year is asked about, the other is the one before.
    """
    later = max(years, default=None)
    earlier = min(years) if len(set(years)) > 1 else str(int(later) - 1) if later else None
    if later is None or earlier is None:
        return
    for name, numbers, about in [*_rows(content), *_charts(content)]:
        new, old = (next((one for one in numbers if year in one[0]), None) for year in (later, earlier))
        if new and old and _are_in_one_unit(new[1], old[1]):
            yield name, new, old, about


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
    """Its value with its sign; the first reading of several."""
    number = min(value.quantity.values)
    return -number if value.quantity.negative else number
