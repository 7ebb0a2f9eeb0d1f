"""A number of a claim, with the words of the claim that it stands with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.values.clauses import clause_at, clause_terms, is_compared_with
from pagesight.indexing.values.quantities import Quantity, quantities

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


def claim_numbers(text: str, found: Sequence[Quantity]) -> list[ClaimNumber]:
    """The numbers of a claim; ``found`` are all quantities of its text."""
    telling = set(read_query(text).terms)
    near = clause_terms(text, found)
    return [
        ClaimNumber(text, quantity, [(stems(term), closeness) for term, closeness in terms if term in telling])
        for quantity, terms in zip(found, near, strict=True)
    ]
