"""Numbers of a claim that are part of a name or a quotation, and are looked for with that."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber
from pagesight.agent.answers.claims.numbers.proportions import proportions
from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.ages import ages
from pagesight.indexing.values.quantities import may_be_a_name

_COMPOUND = re.compile(r"-[^\W\d_]{2,}(?:-\w+)*")
_MARKS = ".,;:!?()[]“”„\"'"


def is_said_by_name(number: ClaimNumber, quoted: Sequence[str], pages: Sequence[CitedPage]) -> bool:
    """Whether a number is part of a quotation, a name, a compound or a proportion, and is looked for with that, or is
    an age that the pages have: it tells of whom the other numbers are."""
    at = number.quantity.digits[0]
    return (
        _in_quotes(number, quoted)
        or any(one.span[0] <= at < one.span[1] for one in proportions(number.text))
        or _part_of_a_name(number, pages)
        or _part_of_a_compound(number, pages)
        or _an_age(number, pages)
    )


def _an_age(number: ClaimNumber, pages: Sequence[CitedPage]) -> bool:
    at = slice(*number.quantity.digits)
    return at.start in ages(number.text) and any(number.text[at] in page.content.tokens for page in pages)


def _part_of_a_compound(number: ClaimNumber, pages: Sequence[CitedPage]) -> bool:
    """Whether a number begins a word that stands on the page, such as 4-hop."""
    quantity, text = number.quantity, number.text
    behind = _COMPOUND.match(text, quantity.digits[1])
    if not behind or quantity.unit or quantity.scale or quantity.days:
        return False
    word = text[quantity.digits[0] : behind.end()].lower()
    return any(word in (one.strip(_MARKS).lower() for one in page.content.text.words) for page in pages)


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
