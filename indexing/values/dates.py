"""Dates in a text, as people write them: 14 October 2024, October 14, 2024-10-14, 14.10.24, 2024年10月14日."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

#: What each month is called.
MONTHS = [
    "january jan januar jänner января январь", "february feb februar февраля февраль",
    "march mar märz mär marz марта март", "april apr апреля апрель", "may mai мая май", "june jun juni июня июнь",
    "july jul juli июля июль", "august aug августа август", "september sep sept сентября сентябрь",
    "october oct oktober okt октября октябрь", "november nov ноября ноябрь",
    "december dec dezember dez декабря декабрь",
]  # fmt: skip
_MONTH_OF = {name: number for number, names in enumerate(MONTHS, 1) for name in names.split()}
_MONTH = rf"(?P<name>(?i:{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))}))(?!\w)\.?"
_DAY, _YEAR = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.)?(?!\d)", r"(?P<year>(?:19|20)\d\d)(?!\d)"
_RANGE = r" ?(?:[-–]|to|and|bis|und|until|through) ?"
_FIRST, _LAST = (_DAY.replace("day", name) for name in ("first", "last"))
_FORMS = [
    re.compile(rf"(?<![\w.,]){_FIRST}{_RANGE}{_LAST} ?(?:of )?{_MONTH}(?:,? {_YEAR})?"),
    re.compile(rf"(?<!\w){_MONTH} {_FIRST}{_RANGE}{_LAST}(?:,? {_YEAR})?(?![\w%]|[.,]\d)"),
    re.compile(rf"(?<![\w.,]){_DAY} ?(?:of )?{_MONTH}(?:,? {_YEAR})?"),
    re.compile(rf"(?<!\w){_MONTH} {_DAY}(?:,? {_YEAR})?(?![\w%]|[.,]\d)"),
    re.compile(rf"(?<!\w){_MONTH},? {_YEAR}"),
    re.compile(rf"(?<![\w.-]){_YEAR}-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?![\w-])"),
    re.compile(r"(?<![\w.,/])(?P<one>[0-3]?\d)[./](?P<other>[0-3]?\d)[./](?P<short>(?:19|20)?\d\d)(?![\w/]|[.,]\d)"),
    re.compile(rf"{_YEAR} ?年 ?(?P<month>[01]?\d) ?月(?: ?(?P<day>[0-3]?\d) ?日)?"),
]


_NAMED = re.compile(
    r"(?<!\w)(?:in|since|until|till|by|from|during|of|last|to|im|seit|bis|ab|vom|ende|anfang|mitte|в|с)\s+"
    r"(?:(?:early|late|mid)[ -])?(?-i:(?=[A-ZÄÖÜ]))"
    rf"({'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})(?!\w|,? \d)",
    re.IGNORECASE,
)


#: Names of months that are also other words.
_ALSO_WORDS = frozenset({"may", "march", "mar"})


class Day(NamedTuple):
    """A day, or a month where the day is not told; the year may not be told either."""

    year: int | None
    month: int
    day: int | None


class WrittenDate(NamedTuple):
    """A date at a place of a text; several readings where day and month may be exchanged."""

    start: int
    end: int
    readings: frozenset[Day]


def other_names_of_month(name: str) -> frozenset[str]:
    """What else a month is called, such as "feb" for "february"; nothing for what is no month."""
    number = _MONTH_OF.get(name) if name not in _ALSO_WORDS else None
    return frozenset(MONTHS[number - 1].split()) - {name} if number else frozenset()


def dates(text: str) -> list[WrittenDate]:
    """The dates of a text, in their order, none within another."""
    every = sorted((found for form in _FORMS for found in _found(form, text)), key=lambda one: (one.start, -one.end))
    kept: list[WrittenDate] = []
    for one in every:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def months(text: str) -> dict[str, int]:
    """The months of a text that are told without a day or year, as in "since March", by what they are called there."""
    return {found[1]: _MONTH_OF[found[1].lower()] for found in _NAMED.finditer(text)}


def months_among(words: Iterable[str]) -> frozenset[int]:
    """The months that some words are: 3 for march, mar and märz."""
    return frozenset(_MONTH_OF[word] for word in words if word in _MONTH_OF)


def same_date(claimed: frozenset[Day], printed: frozenset[Day]) -> bool:
    """Whether a printed date is the claimed one; a day is one of its month, what one of them leaves out may be any."""
    return any(
        mine.month == theirs.month
        and (mine.day is None or mine.day == theirs.day)
        and (mine.year is None or theirs.year is None or mine.year == theirs.year)
        for mine, theirs in product(claimed, printed)
    )


def _found(form: re.Pattern[str], text: str) -> Iterator[WrittenDate]:
    for match in form.finditer(text):
        if "first" in match.groupdict():
            yield from _two_days(match)
            continue
        days = frozenset(day for day in _readings(match.groupdict()) if _can_be(day))
        if days:
            yield WrittenDate(match.start(), match.end(), days)


def _two_days(match: re.Match[str]) -> Iterator[WrittenDate]:
    """The first and the last day of "8 to 13 December 2015", or the two of "8 and 13 December"."""
    year, month = match["year"], _MONTH_OF[match["name"].lower()]
    for name in ("first", "last"):
        day = Day(int(year) if year else None, month, int(match[name]))
        if _can_be(day):
            start = match.start() if name == "first" else match.start(name)
            yield WrittenDate(start, match.end(name), frozenset({day}))


def _readings(parts: dict[str, str | None]) -> Iterator[Day]:
    if one := parts.get("one"):
        first, second, year = int(one), int(parts["other"] or 0), int(parts["short"] or 0)
        year += 2000 if year < 70 else 1900 if year < 100 else 0
        yield Day(year, second, first)
        yield Day(year, first, second)
        return
    name, number = parts.get("name"), parts.get("month")
    month = _MONTH_OF[name.lower()] if name else int(number or 0)
    year_of, day_of = parts.get("year"), parts.get("day")
    yield Day(int(year_of) if year_of else None, month, int(day_of) if day_of else None)


def _can_be(day: Day) -> bool:
    return 1 <= day.month <= 12 and (day.day is None or 1 <= day.day <= 31)
