"""Whether a claim has two numbers of a page each in the place of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber
from pagesight.agent.answers.claims.numbers.claim_fit import ClaimFit, beside, holds
from pagesight.agent.answers.claims.numbers.measures import is_rival, is_same
from pagesight.indexing.values.clauses import are_alike
from pagesight.indexing.values.page_values import PageContent, PageValue

#: Terms, each with what it weighs.
_Weights = dict[frozenset[str], float]
_BETTER = 0.15  # of what the words weigh that stand closer to one of the numbers; tried on claims of strangers


def swapped(numbers: Sequence[ClaimNumber], content: PageContent) -> str:
    """Two numbers of a claim, as it writes them, of which each fits better where the other is told; "" for none."""
    fits = [(ClaimFit(one, content, by_heads=True), same) for one in numbers if (same := _same(one, content))]
    for (one, mine), (other, theirs) in combinations(fits, 2):
        quantities = one.number.quantity, other.number.quantity
        if not is_rival(*quantities) or not are_alike(*quantities):
            continue
        own, others = _closer(one, other), _closer(other, one)
        told = max(_held(own, value) for value in mine) + max(_held(others, value) for value in theirs)
        turned = max((_turned(own, others, a, b) for a, b in _pairs(mine, theirs)), default=0.0)
        if turned > told + _BETTER * (sum(own.values()) + sum(others.values())):
            return f"{one.number.written} and {other.number.written}"
    return ""


def _turned(own: _Weights, others: _Weights, mine: PageValue, theirs: PageValue) -> float:
    """How well two numbers fit where the other is told; of two sentences each must fit better there than in its own
    place."""
    here, there = (_held(own, mine), _held(others, theirs)), (_held(own, theirs), _held(others, mine))
    return sum(there) if beside(mine, theirs) or (there[0] > here[0] and there[1] > here[1]) else 0.0


def _closer(one: ClaimFit, other: ClaimFit) -> _Weights:
    """The terms that stand closer to the one number than to the other, each with what it weighs."""
    nearer = dict(other.terms_of_heads)
    return {term: weight for (term, near), weight in one.weights.items() if near > nearer.get(term, 0.0)}


def _held(terms: _Weights, value: PageValue) -> float:
    return sum(weight * holds(value, term) for term, weight in terms.items())


def _same(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    same = (value for value in content.values if is_same(number.quantity, value.quantity))
    return [value for value in same if not content.is_of_a_picture(value)]


def _pairs(mine: Sequence[PageValue], theirs: Sequence[PageValue]) -> Iterator[tuple[PageValue, PageValue]]:
    """Two numbers of a sentence, row or column, or of any two sentences."""
    for one, other in product(mine, theirs):
        if one is not other and (beside(one, other) or (one.place is None and other.place is None)):
            yield one, other
