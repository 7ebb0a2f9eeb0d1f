"""Proportions that a claim tells in words, such as doubled or more than half, checked by what they are of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import permutations
from typing import NamedTuple

from pagesight.agent.answers.claims.computed import value_of, year_of
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity

#: What a word says, as a part or a multiple; a change ("doubled") is from an earlier to a later number.
_TOLD: list[tuple[str, str, bool]] = [
    (r"(?:tripled|trebled|verdreifacht\w*|утроил\w*)|增长了?两倍", "3", True),
    (r"(?:quadrupled|vervierfacht\w*)", "4", True),
    (r"(?:doubled|doubling|verdoppel\w*|удвоил\w*)|翻了?一番", "2", True),
    (r"(?:halved|halving|halbiert\w*)", "0.5", True),
    (r"(?:three quarters|drei viertel)", "0.75", False),
    (r"(?:two[- ]thirds|zwei drittel)", "0.6667", False),
    (r"(?:half of|about half|roughly half|one half|half the|than half|die hälfte|der hälfte)", "0.5", False),
    (r"(?:(?:a|one) third|ein(?:em)? drittel)(?! (?:line|quarter|party|time))", "0.3333", False),
    (r"(?:(?:a|one) quarter of|ein(?:em)? viertel)", "0.25", False),
    (r"(?:(?:a|one) fifth|ein(?:em)? fünftel)", "0.2", False),
    (r"(?:(?:a|one) tenth|ein(?:em)? zehntel)", "0.1", False),
]
_MORE = re.compile(r"(?i)(?:more than|over|above|mehr als|über)\s*(?:\w{1,3} )?$")
_LESS = re.compile(
    r"(?i)(?:just under|less than|almost|nearly|under|fewer than|fast|knapp|weniger als)\s*(?:\w{1,3} )?$"
)
# How far a number may be from "a third" and the like, as part of it: a guess, not measured.
_ABOUT = Decimal("0.12")
_MUCH = Decimal("1.35")  # how far "more than" may be exceeded


class Proportion(NamedTuple):
    """A proportion told in words: between ``least`` and ``most``."""

    written: str
    least: Decimal
    most: Decimal
    change: bool

    def fits(self, ratio: Decimal) -> bool:
        """Whether a ratio is what the words say."""
        return self.least <= ratio <= self.most


def proportions(text: str) -> list[Proportion]:
    """The proportions that a text tells in words."""
    return list(_found(text))


def _found(text: str) -> Iterator[Proportion]:
    for words, value, change in _TOLD:
        for match in re.finditer(rf"(?i)(?<!\w)(?:{words})(?!\w)", text):
            size = Decimal(value)
            least, most = size * (1 - _ABOUT), size * (1 + _ABOUT)
            before = text[: match.start()]
            if _MORE.search(before) or (" than half" in f" {match[0]}" and "more" in before[-6:]):
                least, most = size, size * _MUCH
            elif _LESS.search(before) or (" than half" in f" {match[0]}" and "less" in before[-6:]):
                least, most = size * Decimal("0.75"), size
            yield Proportion(match[0], least, most, change)


def shares_said(found: Sequence[Quantity]) -> list[Decimal]:
    """The percentages of a claim, as parts of one."""
    return [value / 100 for one in found if one.unit == "%" for value in one.values]


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
