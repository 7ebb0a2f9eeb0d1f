"""Whether a number of a claim stands on a page, and is there of what the claim says it is of.

Two questions. Does the page print the value, with the unit? And is there another value on the page that the claim's
words belong to more closely: that of the row, year or sentence which the claim names? Then the claim has taken the
wrong one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pagesight.agent.answers.claims.page_values import PageContent, PageValue, clause_terms
from pagesight.agent.answers.claims.quantities import Quantity, same_value
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import function_words, tokenize

# Tried on made claims (benchmarks/claims.py): by how much of what the claim's words weigh another value must fit them
# better, and how much of it a value must fit at all.
_BETTER = 0.08
_LEAST_FIT = 0.2

_UP = re.compile(
    r"(?i)\b(?:rose|rise[sn]?|rising|increas\w+|grew|grow\w*|up|gain\w*|improv\w+|stieg\w*|gestiegen|zunahme|"
    r"zugenommen|wuchs\w*|wachs\w*|plus|erhöh\w+)\b"
)
_DOWN = re.compile(
    r"(?i)\b(?:fell|fall\w*|declin\w+|decreas\w+|drop\w*|down|loss\w*|lost|negative|minus|shr[aiu]nk\w*|reduc\w+|"
    r"lower|outflow\w*|deficit|sank\w*|sink\w*|gesunken|rückg\w+|verlust\w*|abnahme|fiel\w*|gefallen|verringer\w+|"
    r"fehlbetrag)\b"
)


_COMPARED = re.compile(
    r"(?i)\b(?:difference|differ\w*|total\w*|sum|combined|together|average|mean|ratio|share|times|twice|double\w*|half|"
    r"change\w*|more than|less than|higher|lower|differenz|unterschied|summe|insgesamt|zusammen|durchschnitt\w*|mittel|"
    r"anteil|verhältnis|veränder\w+|mehr als|weniger als|höher|niedriger|doppelt|hälfte)\b"
)


def tells_of_change(text: str) -> bool:
    """Whether a sentence tells of a rise, a fall, a sum or a comparison, whose number may be computed."""
    return any(said.search(text) for said in (_UP, _DOWN, _COMPARED))


@dataclass(frozen=True)
class ClaimNumber:
    """A number of a claim with the terms that it stands with, each with how closely."""

    text: str
    quantity: Quantity
    terms: list[tuple[frozenset[str], float]]

    @property
    def written(self) -> str:
        """As the claim writes it."""
        return self.text[slice(*self.quantity.span)].strip()


@dataclass(frozen=True)
class Found:
    """A number's place on a page, or why the page does not say it."""

    value: PageValue | None
    fault: str = ""


def claim_numbers(text: str, found: Sequence[Quantity]) -> list[ClaimNumber]:
    """The numbers of a claim; ``found`` are all quantities of its text."""
    telling = set(read_query(text).terms)
    near = clause_terms(text, found)
    return [
        ClaimNumber(text, quantity, [(stems(term), closeness) for term, closeness in terms if term in telling])
        for quantity, terms in zip(found, near, strict=True)
    ]


def find_number(number: ClaimNumber, content: PageContent, allowed: frozenset[int] | None) -> Found:
    """Where on the page the number stands; ``allowed`` are the places of the words within the cited region."""
    within = [value for value in content.values if allowed is None or allowed.issuperset(value.words)]
    same = [value for value in within if _same(number.quantity, value.quantity)]
    if not same and number.quantity.spelled and not _says_another(number, content):
        return Found(None)
    if not same:
        return Found(None, f"{number.written} is not {'in the cited region' if allowed else 'on the cited page'}")
    fitting = [value for value in same if not _unit_fault(number.quantity, value.quantity, content)]
    if not fitting:
        return Found(None, f"{number.written}: the page says {_told(same[0])}")
    return _best(number, fitting, content)


def _says_another(number: ClaimNumber, content: PageContent) -> bool:
    """Whether the page has a number for what the claim counts: what it lists may also be counted by whoever reads."""
    weights = _weights(number, content)
    told = sum(weight for (term, _), weight in weights.items() if term & content.terms)
    rivals = (_fit(weights, value) for value in content.values if _is_rival(value, number.quantity))
    return max(rivals, default=0) > told / 2


def _same(claimed: Quantity, printed: Quantity) -> bool:
    if claimed.year or printed.year:
        return claimed.values == printed.values
    return same_value(claimed, printed)


def _unit_fault(claimed: Quantity, printed: Quantity, content: PageContent) -> bool:
    """Whether the units differ, or the claim has one that the page never names."""
    if claimed.unit and printed.unit:
        if claimed.unit != printed.unit:
            return True
    elif claimed.unit and claimed.unit not in content.units:
        return True
    return bool(claimed.scale and not printed.scale and claimed.scale not in content.units)


def _told(value: PageValue) -> str:
    unit = value.quantity.unit
    return value.written if not unit or unit in value.written else f"{value.written} ({unit})"


def _best(number: ClaimNumber, same: Sequence[PageValue], content: PageContent) -> Found:
    weights = _weights(number, content)
    best = max(same, key=lambda value: _fit(weights, value))
    fit, most = _fit(weights, best), sum(weights.values())
    told = sum(weight for (term, _), weight in weights.items() if term & content.terms)
    rivals = [value for value in content.values if _is_rival(value, number.quantity)]
    rival = max(rivals, key=lambda value: _fit(weights, value), default=None)
    if rival and _fit(weights, rival) > fit + _BETTER * told:
        return Found(None, f"{number.written} is there, but of something else: for this the page says {_told(rival)}")
    if most and fit < _LEAST_FIT * most and _in_its_language(number, content):
        return Found(None, f"{number.written} is there, but not of what the claim is about")
    return Found(None, fault) if (fault := _sign_fault(number, best)) else Found(best)


def _in_its_language(number: ClaimNumber, content: PageContent) -> bool:
    """Whether the page has the claim's small words: in another language its other words cannot be expected."""
    terms = tokenize(number.text)
    small = function_words(terms).intersection(terms)
    return len(small.intersection(content.tokens)) > len(small) / 2


def _weights(number: ClaimNumber, content: PageContent) -> dict[tuple[frozenset[str], float], float]:
    """What each of the claim's terms weighs: the more, the fewer of the page's numbers it stands with."""
    values = content.values
    weights = {}
    for term, near in number.terms:
        holders = sum(any(value.context.get(stem, 0) >= 0.8 for stem in term) for value in values)
        weights[term, near] = near * math.log(1 + len(values) / max(holders, 0.5))
    return weights


def _fit(weights: dict[tuple[frozenset[str], float], float], value: PageValue) -> float:
    return sum(
        weight * max(value.context.get(stem, 0.0) for stem in term) for (term, _), weight in weights.items() if term
    )


def _is_rival(value: PageValue, claimed: Quantity) -> bool:
    if value.quantity.year or _same(claimed, value.quantity):
        return False
    return not (claimed.unit and value.quantity.unit and claimed.unit != value.quantity.unit)


def _sign_fault(number: ClaimNumber, value: PageValue) -> str:
    up, down = _UP.search(number.text), _DOWN.search(number.text)
    if value.quantity.negative and up and not down and not number.quantity.negative:
        return f"{number.written}: the page says {value.written}"
    if number.quantity.negative and not value.quantity.negative and not _DOWN.search(f"{value.said} {number.text}"):
        return f"{number.written}: the page says {value.written}"
    return ""
