"""Whether a number of a claim stands on a page, and is there of what the claim says it is of.

Two questions. Does the page print the value, with the unit? And is there another value on the page that the claim's
words belong to more closely: that of the row, year or sentence which the claim names? Then the claim has taken the
wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pagesight.agent.answers.claims.direction import opposed
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import function_words, tokenize
from pagesight.indexing.values.clauses import clause_at, clause_terms, is_compared_with
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.quantities import Quantity, mentioned_units, quantities, same_value
from pagesight.indexing.values.units import conversion

# Tried on made claims (benchmarks/claims.py) and on some written by hand: by how much of what the claim's words weigh
# another value must fit them better, of the same row, column or sentence, and of another; and how much of it a value
# must fit at all.
_BETTER, _MUCH_BETTER = 0.08, 0.3
_LEAST_FIT = 0.2

#: A term of a claim: its stems, and how closely it stands with the number.
Term = tuple[frozenset[str], float]


@dataclass(frozen=True)
class ClaimNumber:
    """A number of a claim with the terms that it stands with, each with how closely."""

    text: str
    quantity: Quantity
    terms: list[Term]

    @property
    def written(self) -> str:
        """As the claim writes it."""
        return self.text[slice(*self.quantity.span)].strip()

    @property
    def clause(self) -> str:
        """The part of the sentence that it stands in."""
        return clause_at(self.text, self.quantity.digits[0])

    @property
    def compared(self) -> bool:
        """Whether another number is compared with it."""
        return is_compared_with(self.text, self.quantity)

    @property
    def compares(self) -> bool:
        """Whether its sentence compares numbers."""
        return any(is_compared_with(self.text, one) for one in quantities(self.text))


@dataclass(frozen=True)
class Found:
    """A number's place on a page, or why the page does not say it.

    ``elsewhere`` says that it stands there, but of another thing; ``rivals`` are those that fit the claim better.
    """

    value: PageValue | None
    fault: str = ""
    elsewhere: bool = False
    rivals: Sequence[PageValue] = ()


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
    fitting = [value for value in same if not _unit_fault(number, value.quantity, content)]
    if not fitting:
        return Found(None, f"{number.written}: the page says {_told(same[0])}")
    return _best(number, fitting, content)


def _says_another(number: ClaimNumber, content: PageContent) -> bool:
    """Whether the page has a number for what the claim counts: what it lists may also be counted by whoever reads."""
    weights = _weights(number, content)
    rivals = (_fit(weights, value) for value in content.values if _is_rival(value, number.quantity))
    return max(rivals, default=0) > sum(weights.values()) / 2


def _same(claimed: Quantity, printed: Quantity) -> bool:
    if claimed.year or printed.year:
        return claimed.values == printed.values
    return same_value(claimed, printed)


def _unit_fault(number: ClaimNumber, printed: Quantity, content: PageContent) -> bool:
    """Whether the units differ, or the claim has one that the page never names, or leaves out the scale."""
    claimed = number.quantity
    if claimed.unit and printed.unit:
        if not _convertible(claimed.unit, printed.unit):
            return True
    elif claimed.unit and claimed.unit not in content.units:
        return True
    if claimed.scale is None and printed.scale and claimed.unit and not _names_scale(number.text):
        return not any(mine == theirs for mine in claimed.values for theirs in printed.full())
    return bool(claimed.scale and claimed.scale > 1 and not printed.scale and claimed.scale not in content.units)


def _convertible(one: str, other: str) -> bool:
    return conversion(one, other) is not None


def _names_scale(text: str) -> bool:
    return any(scale for _, scale in mentioned_units(text))


def _told(value: PageValue) -> str:
    unit = value.quantity.unit
    return value.written if not unit or unit in value.written else f"{value.written} ({unit})"


def _best(number: ClaimNumber, same: Sequence[PageValue], content: PageContent) -> Found:
    weights = _weights(number, content)
    told = sum(weights.values())
    if not told and number.terms and not _is_telling(number.quantity) and _in_its_language(number, content):
        return Found(None, f"{number.written} is there, but the page has none of the claim's words", elsewhere=True)
    found = sorted(same, key=lambda value: -_fit(weights, value))
    rivals = [_rivals(number, value, weights, told, content) for value in found[:3]]
    pairs = zip(found, rivals, strict=False)
    faults = [_fault(number, value, better, weights, told, content) for value, better in pairs]

    accepted = next((value for value, fault in zip(found, faults, strict=False) if not fault), None)
    return Found(accepted) if accepted else Found(found[0], faults[0], elsewhere=True, rivals=rivals[0])


def _is_telling(quantity: Quantity) -> bool:
    """Whether a number is hardly on a page by chance: a date, or three digits and more."""
    digits = max((len(str(abs(value)).replace(".", "").strip("0")) for value in quantity.values), default=0)
    return bool(quantity.days) or digits >= 3


def _rivals(
    number: ClaimNumber, value: PageValue, weights: dict[Term, float], told: float, content: PageContent
) -> list[PageValue]:
    """The numbers of the page that the claim's words are of more closely, the best first."""
    rivals = [
        other for other in content.values
        if _is_rival(other, number.quantity) and _comparable(other.quantity, value.quantity)
        and not content.is_furniture(other.block) and not _is_alone(other) and not _roles_tell(number, value, other)
    ]  # fmt: skip
    better = [(gain, other) for other in rivals if (gain := _gain(weights, told, other, value)) > 0]
    return [other for _, other in sorted(better, key=lambda one: -one[0])]


def _comparable(rival: Quantity, value: Quantity) -> bool:
    """Whether two numbers of a page may be taken for each other: of one unit, where both have one."""
    if rival.unit in ("%", "pp") and value.unit is None:
        return False
    return not (rival.unit and value.unit) or _convertible(rival.unit, value.unit)


def _fault(
    number: ClaimNumber, value: PageValue, rivals: Sequence[PageValue], weights: dict[Term, float], told: float,
    content: PageContent,
) -> str:  # fmt: skip
    """What speaks against the value's being the claim's; nothing if it is."""
    if rivals:
        return f"{number.written} is there, but of something else: for this the page says {_told(rivals[0])}"
    if told and not _is_alone(value) and _fit(weights, value) < _LEAST_FIT * told and _in_its_language(number, content):
        return f"{number.written} is there, but not of what the claim is about"
    if _the_other_way_round(number, value, content):
        return f"{number.written}: the page says it the other way round, “{value.said}”"
    if opposed(number.text, number.quantity, value):
        return f"{number.written}: the page says the opposite, {_told(value)}"
    return ""


def _is_alone(value: PageValue) -> bool:
    """Whether nothing stands beside or over a number, as in a chart, where words cannot tell what it is of."""
    return value.place is not None and not value.place.labels and not value.place.heads


def _the_other_way_round(number: ClaimNumber, value: PageValue, content: PageContent) -> bool:
    """Whether the claim compares two numbers as the page does, but with the one in the place of the other."""
    if value.place is not None or value.compared == number.compared:
        return False
    return number.compares and any(
        other.block is value.block and other.said == value.said and other.compared == number.compared
        and any(same_value(one, other.quantity) for one in quantities(number.text))
        for other in content.values
    )  # fmt: skip


def _gain(weights: dict[Term, float], told: float, rival: PageValue, value: PageValue) -> float:
    """By how much, beyond what is needed, the rival fits the claim better than the value; 0 or less if it does not."""
    more = less = 0.0
    for (term, _), weight in weights.items():
        apart = weight * (holds(rival, term) - holds(value, term))
        more, less = more + max(apart, 0), less + max(-apart, 0)
    near = beside(rival, value)
    needed = _BETTER if near or less <= more / 4 else _MUCH_BETTER
    return more - less - needed * told


def beside(one: PageValue, other: PageValue) -> bool:
    """Whether two numbers stand in one sentence, or in one row or column of a table."""
    if one.place and other.place:
        return one.place.heads == other.place.heads or one.place.labels == other.place.labels
    return one.block is other.block and one.said == other.said


def _roles_tell(number: ClaimNumber, value: PageValue, rival: PageValue) -> bool:
    """Whether "after", "from" and the like already tell the value from a rival in its sentence, as the claim does."""
    same_sentence = rival.block is value.block and rival.said == value.said and number.compares
    return same_sentence and rival.compared != value.compared and number.compared == value.compared


def _in_its_language(number: ClaimNumber, content: PageContent) -> bool:
    """Whether the page has the claim's small words: in another language its other words cannot be expected."""
    terms = tokenize(number.text)
    small = function_words(terms).intersection(terms)
    return len(small.intersection(content.tokens)) > len(small) / 2


def _weights(number: ClaimNumber, content: PageContent) -> dict[Term, float]:
    """What each of the claim's terms that the page has weighs: the more, the fewer of its numbers it stands with."""
    values = content.values
    weights = {}
    for term, near in number.terms:
        if term & content.terms:
            holders = sum(holds(value, term) >= 0.8 for value in values)
            weights[term, near] = near * math.log(1 + len(values) / max(holders, 0.5))
    return weights


def holds(value: PageValue, term: frozenset[str]) -> float:
    """How closely a term of a claim belongs to a number of a page, 0 to 1."""
    return max((value.context.get(stem, 0.0) for stem in term), default=0.0)


def _fit(weights: dict[Term, float], value: PageValue) -> float:
    return sum(weight * holds(value, term) for (term, _), weight in weights.items())


def _is_rival(value: PageValue, claimed: Quantity) -> bool:
    if value.quantity.year != claimed.year or bool(value.quantity.days) != bool(claimed.days):
        return False
    if _same(claimed, value.quantity):
        return False
    return not (claimed.unit and value.quantity.unit and not _convertible(claimed.unit, value.quantity.unit))


def find_year(number: ClaimNumber, content: PageContent) -> Found:
    """Whether a year that is all that a claim tells is of what it says: of the two in a sentence, the right one."""
    weights = _weights(number, content)
    told = sum(weights.values())
    years = [value for value in content.values if value.quantity.year and value.place is None]
    same = sorted((one for one in years if _same(number.quantity, one.quantity)), key=lambda one: -_fit(weights, one))
    if not same or not told:
        return Found(None)
    beside_it = [one for one in years if one.block is same[0].block]
    told = max(_fit(weights, one) for one in beside_it)
    better = [one for one in beside_it if _gain(weights, told, one, same[0]) > 0]
    told_too = [one for one in quantities(number.text) if one.year]
    if better and not any(_same(other, one.quantity) for one in better for other in told_too):
        return Found(
            None, f"{number.written} is there, but of something else: for this the page says {better[0].written}"
        )
    return Found(same[0])
