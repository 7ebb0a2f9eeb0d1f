"""Proportions that a claim tells in words, held against what pages say in words too, and against their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber, claim_numbers
from pagesight.agent.answers.claims.numbers.claim_fit import ClaimFit
from pagesight.agent.answers.claims.numbers.computed import value_of
from pagesight.agent.answers.claims.numbers.number_check import find_number
from pagesight.agent.answers.claims.numbers.operands import Operand, among, fitting
from pagesight.agent.answers.claims.numbers.proportions import Proportion, follows, proportions
from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.clauses import SAME_CLAUSE, clause_at
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.quantities import Quantity, quantities

_OF_IT = 0.6  # of a claim's words, that a percentage must be of; a guess, not measured
_TOTAL = re.compile(r"(?i)\b(?:total|group|sum|overall|all|gesamt\w*|summe|insgesamt|konzern)\b")


def says_it_too(told: Proportion, text: str, page: CitedPage) -> bool:
    """Whether the page tells the proportion in words too, and of what the claim tells it of: of the word behind it."""
    behind = tokenize(text[told.span[1] :])
    of = next((stems(token) for token in behind if stems(token) & page.content.terms and len(token) > 3), None)
    for block in page.content.blocks:
        for one in proportions(block.text):
            clause = clause_at(block.text, one.span[0])
            if told.is_like(one) and (of is None or any(of & stems(token) for token in tokenize(clause))):
                return True
    return False


def operands_of_proportion(
    told: Proportion, text: str, own: Sequence[Operand], pages: Sequence[CitedPage]
) -> list[Operand]:
    """The two printed numbers that a proportion is of: of the claim's own, or of those that its words fit best."""
    whole = _said_of(told, text)
    if not told.change and (share := _printed_share(told, whole, pages)):
        return [share]
    known = own if len(own) > 1 else [*own, *fitting(whole, pages)]
    if told.change or len(own) > 1:
        return among(known, follows(told, [one.value for one in known]))
    return next(filter(None, (_parts(told, one) for one in known)), [])


def _said_of(told: Proportion, text: str) -> ClaimNumber:
    """A number in the place of a proportion, with the terms of its clause, or of the claim where that has none."""
    number = claim_numbers(text, [*quantities(text), Quantity(told.span, told.span, frozenset())])[-1]
    own = [(term, near) for term, near in number.terms if near >= SAME_CLAUSE]
    return replace(number, terms=own or number.terms)


def _printed_share(told: Proportion, whole: ClaimNumber, pages: Sequence[CitedPage]) -> Operand | None:
    """A percentage that the page prints for what the claim is about, if it is what the proportion says."""
    for page in pages:
        for value in page.content.values:
            quantity = value.quantity
            if _may_be_a_share(value, page.content) and any(told.fits(part / 100) for part in quantity.values):
                number = replace(whole, quantity=replace(quantity, digits=told.span, span=told.span))
                found = find_number(number, page.content, page.allowed)
                fit = ClaimFit(whole, page.content)
                if found.value is value and not found.fault and fit.of(value) >= _OF_IT * fit.most:
                    return Operand(page, value)
    return None


def _may_be_a_share(value: PageValue, content: PageContent) -> bool:
    """Whether a number is a percentage, as far as words tell: that of a chart may have no sign."""
    unit = value.quantity.unit
    return unit == "%" or (unit is None and value.place is not None and "%" in content.units)


def _parts(told: Proportion, part: Operand) -> list[Operand]:
    """The number and the total of its column, if it is that proportion of it."""
    value = part.value
    for other in part.page.content.values:
        if _is_the_total_of(value, other) and told.fits(abs(value_of(value.quantity) / value_of(other.quantity))):
            return [part, Operand(part.page, other)]
    return []


def _is_the_total_of(value: PageValue, other: PageValue) -> bool:
    if not (value.place and other.place and value.place.heads == other.place.heads) or not value.quantity.values:
        return False
    total = _TOTAL.search(" ".join(other.place.labels)) is not None
    return total and other is not value and bool(other.quantity.values) and value_of(other.quantity) != 0
