"""The numbers of a page that a claim's computed number may come from: those of its row, sentence or column."""

from __future__ import annotations

from decimal import Decimal

from pagesight.agent.answers.claims.computed import value_of
from pagesight.agent.answers.claims.number_check import ClaimNumber, holds
from pagesight.indexing.values.page_values import PageContent, PageValue


def values_of_the_claim(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    """The numbers that the claim's words fit best: those of one row, or one sentence."""
    terms = [term for term, _ in number.terms]

    def fit(value: PageValue) -> int:
        return sum(holds(value, term) >= 0.8 for term in terms)

    values = [value for value in content.values if not value.quantity.year and not value.quantity.days]
    most = max((fit(value) for value in values), default=0)
    best = [value for value in values if fit(value) == most] if most >= 1 else []
    named = any(len(stem) == 4 and stem.isdigit() for term in terms for stem in term)
    if named and len(best) == 1:
        best += [value for value in values if _in_its_row(value, best[0])]
    return best


def _in_its_row(value: PageValue, other: PageValue) -> bool:
    """Whether two numbers stand in one row: where a year is named, a claim may speak of the others too."""
    both = value.place is not None and other.place is not None
    return both and value is not other and value.place.labels == other.place.labels  # type: ignore[union-attr]


def sum_of_a_row(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    """All numbers of a table's row or column, of which the claim speaks, if the claim's number is their sum."""
    groups: dict[tuple[str, ...], list[PageValue]] = {}
    for value in content.values:
        if value.place and not value.quantity.year and value.quantity.values:
            groups.setdefault(("row", *value.place.labels, *value.place.captions[:1]), []).append(value)
            groups.setdefault(("column", *value.place.heads, *value.place.captions[:1]), []).append(value)
    for group in groups.values():
        total = sum((value_of(value.quantity) for value in group), Decimal(0))
        speaks = any(holds(value, term) for value in group for term, _ in number.terms)
        if len(group) > 2 and speaks and any(full == total for full in number.quantity.full()):
            return group
    return []
