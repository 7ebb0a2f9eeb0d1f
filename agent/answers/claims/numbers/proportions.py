"""Proportions that a claim tells in words, such as doubled, more than half or seven out of ten, checked by what they
are of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import permutations
from typing import NamedTuple

from pagesight.agent.answers.claims.numbers.computed import value_of, year_of
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity, Span
from pagesight.indexing.values.spelled_numbers import SPELLED

_HALF = (
    r"(?<!first )(?<!second )(?<!last )(?:one )?half(?!(?: (?:a|an|year|hour|day|time|line|quarter)s?\b|-))|"
    r"(?:die|der) hälfte"
)
#: What a word says alone: all but half tell of a change, from an earlier to a later number.
_WORDS = {
    r"tripled|trebled|verdreifacht\w*|утроил\w*|增长了?两倍": Decimal(3),
    r"quadrupled|vervierfacht\w*": Decimal(4),
    r"doubled|doubling|verdoppel\w*|удвоил\w*|翻了?一番": Decimal(2),
    r"halved|halving|halbiert\w*": Decimal("0.5"),
    _HALF: Decimal("0.5"),
}
#: Most or less than half of something, whatever else: "most" before a noun, at the beginning of a sentence.
_MAJORITY = re.compile(
    r"(?i)(?<!\w)(?:(?:an?|the|die|eine) (?:\w+ )?(?:(?P<most>majority|mehrheit)|(?P<least>minority|minderheit))|"
    r"(?-i:Most) (?=(?:of the )?[a-z]{3,}s\b))(?!\w)"
)
_PARTS = {
    "third|drittel": 3, "quarter|viertel": 4, "fifth|fünftel": 5, "sixth|sechstel": 6, "eighth|achtel": 8,
    "tenth|zehntel": 10,
}  # fmt: skip
_COUNTED = SPELLED | {word: Decimal(1) for word in ("a", "one", "ein", "einem", "eine", "einer", "einen")}
_COUNT = r"(?P<{0}>[^\W\d_]{{1,6}}|\d\d?)"
#: Two thirds, drei Viertel; a quarter only of something, and no third quarter, line or party.
_OF_PARTS = re.compile(
    rf"(?i)(?<![\w-]){_COUNT.format('one')}[ -](?P<part>{'|'.join(_PARTS)})s?(?!\w| (?:line|quarter|party|time))"
)
#: Seven out of ten, eight-in-ten, sieben von zehn.
_OF_SO_MANY = re.compile(
    rf"(?i)(?<![\w.,-]){_COUNT.format('one')}[ -](?:out of|in|of every|von)[ -]{_COUNT.format('other')}"
    r"(?![\w%]|[.,]\d| ?(?:%|per|proz|year|month|week|day|hour|jahr|monat|woche|tag|stunde))"
)
_MORE = re.compile(r"(?i)(?:more than|over|above|mehr als|über)\s*(?:\w{1,3} )?$")
_NEARLY = re.compile(r"(?i)(?:just under|almost|nearly|fast|knapp)\s*(?:\w{1,3} )?$")
_LESS = re.compile(r"(?i)(?:less than|under|fewer than|weniger als)\s*(?:\w{1,3} )?$")
# How far a number may be from "a third" and the like, as part of it, and from "seven out of ten", of all: guesses, not
# measured.
_ABOUT, _ABOUT_TENTHS = Decimal("0.12"), Decimal("0.04")
# How far "more than" may be exceeded, and "nearly" and "less than" missed.
_MUCH, _LITTLE, _LEAST = Decimal("1.35"), Decimal("0.75"), Decimal("0.4")
_MOST_PARTS = 10
_APART = re.compile(r"(?i)[,;:.]\s|\b(?:and|but|while|against|compared|than|und|aber|während|gegenüber|als)\b")

_AND = re.compile(r"(?i)\b(?:and|und)\b")


class Proportion(NamedTuple):
    """A proportion told in words, at a place of a text: between ``least`` and ``most``."""

    written: str
    span: Span
    least: Decimal
    most: Decimal
    change: bool

    def fits(self, ratio: Decimal) -> bool:
        """Whether a ratio is what the words say."""
        return self.least <= ratio <= self.most

    @property
    def is_vague(self) -> bool:
        """Whether it is told of any number above or below a half."""
        return self.least == 0 or self.most == 1

    def is_like(self, other: Proportion) -> bool:
        """Whether two may be told of one ratio."""
        return self.change == other.change and self.least <= other.most and other.least <= self.most


def proportions(text: str) -> list[Proportion]:
    """The proportions that a text tells in words, in their order."""
    every = [*_by_words(text), *_of_majorities(text), *_of_parts(text), *_of_so_many(text)]
    return sorted(every, key=lambda one: one.span)


def _of_majorities(text: str) -> Iterator[Proportion]:
    half, whole = Decimal("0.5"), Decimal(1)
    for match in _MAJORITY.finditer(text):
        least, most = (Decimal(0), half) if match["least"] else (half, whole)
        yield Proportion(match[0].strip(), match.span(), least, most, change=False)


def _by_words(text: str) -> Iterator[Proportion]:
    for words, value in _WORDS.items():
        for match in re.finditer(rf"(?i)(?<!\w)(?:{words})(?!\w)", text):
            yield _told(text, match.span(), value, change=words != _HALF)


def _of_parts(text: str) -> Iterator[Proportion]:
    for match in _OF_PARTS.finditer(text):
        part = next(size for words, size in _PARTS.items() if re.fullmatch(words, match["part"].lower()))
        if (one := _COUNTED.get(match["one"].lower())) and one < part and not _is_a_quarter(text, match):
            yield _told(text, match.span(), one / part)


def _of_so_many(text: str) -> Iterator[Proportion]:
    for match in _OF_SO_MANY.finditer(text):
        one, other = (_count(match[name]) for name in ("one", "other"))
        if one and other and one < other <= _MOST_PARTS:
            yield _told(text, match.span(), one / other, _ABOUT_TENTHS / (one / other))


def _count(written: str) -> Decimal | None:
    return Decimal(written) if written.isdigit() else _COUNTED.get(written.lower())


def _is_a_quarter(text: str, match: re.Match[str]) -> bool:
    """Whether "a quarter" may be one of a year: it is not said of what."""
    quarter = match["part"].lower() == "quarter" and match["one"].lower() in ("a", "one")
    return quarter and not text[match.end() :].startswith(" of")


def _told(text: str, span: Span, size: Decimal, about: Decimal = _ABOUT, *, change: bool = False) -> Proportion:
    least, most = size * (1 - about), size * (1 + about)
    before = text[: span[0]]
    if _MORE.search(before):
        least, most = size, size * _MUCH
    elif _NEARLY.search(before):
        least, most = size * _LITTLE, size
    elif _LESS.search(before):
        least, most = size * _LEAST, size
    return Proportion(text[slice(*span)], span, least, most, change)


def share_beside(told: Proportion, text: str, found: Sequence[Quantity]) -> Quantity | None:
    """The percentage of a claim that tells the proportion as a number too: the next one in its part of the sentence,
    unless the proportion is of that: "18 % are about half of the 34 %"."""
    shares = [one for one in found if one.unit == "%" and one.values]
    behind = (one for one in shares if one.span[0] >= told.span[1])
    share = next((one for one in behind if not _are_apart(text[told.span[1] : one.span[0]])), None)
    return None if share and _is_of(told, share, shares) else share


def _are_apart(between: str) -> bool:
    """Whether what stands between a proportion and a percentage parts them; one in brackets is of all before it:
    "half of those aged 50 and older (57 %)"."""
    in_brackets = between.rstrip().endswith("(") and not proportions(between)
    return bool(_APART.search(_AND.sub(" ", between) if in_brackets else between))


def values_of_share(share: Quantity, found: Sequence[Quantity]) -> list[Decimal]:
    """What a percentage tells, alone or together with the next one: "excellent (9 %) or good (30 %)"."""
    following = next((one for one in found if one.span[0] > share.span[0] and one.unit == "%"), None)
    more = list(following.values) if following else []
    return [*share.values, *(value + other for value in share.values for other in more)]


def _is_of(told: Proportion, whole: Quantity, shares: Sequence[Quantity]) -> bool:
    """Whether another percentage is the proportion of this one."""
    return value_of(whole) != 0 and any(
        told.fits(value_of(one) / value_of(whole)) for one in shares if one is not whole
    )


def follows(told: Proportion, operands: Sequence[PageValue]) -> list[PageValue]:
    """Two numbers whose ratio is what the proportion says; a change's are of an earlier and a later year."""
    for one, other in permutations(operands, 2):
        if one.quantity.unit != other.quantity.unit or not all(q.quantity.values for q in (one, other)):
            continue
        a, b = abs(value_of(one.quantity)), abs(value_of(other.quantity))
        years = year_of(one), year_of(other)
        backward = told.change and None not in years and years[0] < years[1]  # type: ignore[operator]
        if b and not backward and told.fits(a / b):
            return [one, other]
    return []
