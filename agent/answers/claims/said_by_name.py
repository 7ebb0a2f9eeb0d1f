"""Numbers of a claim that are part of a name or a quotation, and are looked for with that."""

from __future__ import annotations

from collections.abc import Sequence

from pagesight.agent.answers.claims.cited_page import CitedPage
from pagesight.agent.answers.claims.claim_number import ClaimNumber
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.quantities import may_be_a_name


def is_said_by_name(number: ClaimNumber, quoted: Sequence[str], pages: Sequence[CitedPage]) -> bool:
    """Whether a number is part of a quotation or a name, and is looked for with that."""
    return _in_quotes(number, quoted) or _part_of_a_name(number, pages)


def _in_quotes(number: ClaimNumber, quoted: Sequence[str]) -> bool:
    at = number.quantity.digits[0]
    starts = ((number.text.find(phrase), len(phrase)) for phrase in quoted)
    return any(start <= at < start + length for start, length in starts)


def _part_of_a_name(number: ClaimNumber, pages: Sequence[CitedPage]) -> bool:
    """Whether a number belongs to a name that stands on the page, such as Tarn 16, or calls a row of a table."""
    quantity, text = number.quantity, number.text
    if not may_be_a_name(text, quantity):
        return False
    before = text[: quantity.digits[0]].replace("-", " ").split()[-1]
    digits = text[slice(*quantity.digits)]
    if any(value.place and value.place.labels == [digits] for page in pages for value in page.content.values):
        return True
    name = [*tokenize(before)[-1:], digits.lower()]
    return any(name == page.content.tokens[at : at + 2] for page in pages for at in range(len(page.content.tokens) - 1))
