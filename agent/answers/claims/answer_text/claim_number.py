"""A number of a claim, with the words of the claim that it stands with."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.clauses import clause_at, clause_terms, is_compared_with
from pagesight.indexing.values.quantities import Quantity, quantities

_ENGLISH = frozenset(tokenize("the of in and to was is were are a an for by from at with than had has about roughly"))
_GERMAN = frozenset(
    tokenize("der die das des dem den im in und zu war ist bei von um auf für mit als hat betrug lag beim")
)
#: Words that say how exactly a number is meant, or that it is compared, and nothing of what it is of.
_HEDGES = frozenset(
    tokenize(
        "nearly almost roughly approximately exactly only just compared versus respectively while against "
        "knapp fast etwa rund nur genau verglichen gegenüber jeweils während"
    )
)
_IN_BRACKETS = re.compile(r"\s?\(([^()\d]+)\)")
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
    def attached(self) -> list[frozenset[str]]:
        """The terms that stand in brackets right behind it, without a number: air-source in 13.6 % (air-source)."""
        found = _IN_BRACKETS.match(self.text, self.quantity.span[1])
        return [stems(term) for term in read_query(found[1]).terms] if found else []

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


def language_of(terms: Collection[str]) -> str:
    """English or German, by the small words among some terms; "" where that cannot be told."""
    english, german = (len(small.intersection(terms)) for small in (_ENGLISH, _GERMAN))
    return "en" if english > german else "de" if german > english else ""


def quantities_told(text: str) -> list[Quantity]:
    """The numbers and dates of a claim, where 1,400 in English, and 1.400 in German, is more than a thousand alone."""
    mark = {"en": ",", "de": "."}.get(language_of(tokenize(text)), "")
    return [_grouped(one, text[slice(*one.digits)], mark) for one in quantities(text)]


def _grouped(quantity: Quantity, digits: str, mark: str) -> Quantity:
    if not mark or len(quantity.values) < 2 or mark not in digits:
        return quantity
    return replace(quantity, values=frozenset({max(quantity.values)}))


def claim_numbers(text: str, found: Sequence[Quantity]) -> list[ClaimNumber]:
    """The numbers of a claim; ``found`` are all quantities of its text."""
    telling = set(read_query(text).terms) - _HEDGES
    near = clause_terms(text, found)
    return [
        ClaimNumber(text, quantity, [(stems(term), closeness) for term, closeness in terms if term in telling])
        for quantity, terms in zip(found, near, strict=True)
    ]


def is_year(stem: str) -> bool:
    """Whether a term is a year."""
    return len(stem) == 4 and stem.isdigit() and stem[:2] in ("19", "20")
