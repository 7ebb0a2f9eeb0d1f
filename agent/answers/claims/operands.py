"""The numbers of cited pages that a claim's computed number comes from: its own, and those of its row or sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from pagesight.agent.answers.claims.cited_page import CitedPage
from pagesight.agent.answers.claims.claim import Evidence
from pagesight.agent.answers.claims.claim_fit import beside, has, holds
from pagesight.agent.answers.claims.claim_number import ClaimNumber, claim_numbers
from pagesight.agent.answers.claims.computed import computed_from, value_of
from pagesight.agent.answers.claims.direction import direction, tells_of_change
from pagesight.agent.answers.claims.proportions import Proportion, follows
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.quantities import Quantity


class Operand(NamedTuple):
    """A number, with the cited page that it is printed on."""

    page: CitedPage
    value: PageValue

    def evidence(self) -> Evidence:
        """Where it stands."""
        return self.page.evidence(self.value.words)


def operands_of(
    number: ClaimNumber, own: Sequence[Operand], pages: Sequence[CitedPage], *, own_alone: bool
) -> list[Operand]:
    """The printed numbers that a claim's number follows from; none if of none, or if it is not told as computed.

    They are of the claim's ``own``, of the numbers that its words fit best where it has fewer than two, or a whole row
    or column that it is the sum of; with ``own_alone`` of its own alone.
    """
    if not tells_of_change(number.text, number.quantity):
        return []
    known = [*own, *(_fitting_beside(number, own, pages) if len(own) < 2 and not own_alone else ())]
    used = computed_from(number.quantity, [one.value for one in known], direction(number.text))
    if used or own_alone:
        return _among(known, used)
    sums = ([Operand(page, value) for value in _summed(number, page.content)] for page in pages)
    return next(filter(None, sums), [])


def operands_of_proportion(
    told: Proportion, text: str, own: Sequence[Operand], pages: Sequence[CitedPage]
) -> list[Operand]:
    """The two printed numbers that a proportion is of: of the claim's own, or of those that its words fit best."""
    whole = claim_numbers(text + " 0", [Quantity((0, 0), (0, 0), frozenset())])[0]
    known = own if len(own) > 1 else [*own, *_fitting(whole, pages)]
    return _among(known, follows(told, [one.value for one in known]))


def _among(known: Iterable[Operand], values: Iterable[PageValue]) -> list[Operand]:
    by_value = {id(one.value): one for one in known}
    return [by_value[id(value)] for value in values]


def _fitting_beside(number: ClaimNumber, own: Sequence[Operand], pages: Sequence[CitedPage]) -> list[Operand]:
    """The numbers that the claim's words fit best; those in one row or column with a number of the claim first."""
    every = _fitting(number, pages)
    near = [one for one in every if any(beside(one.value, other.value) for other in own)]
    return near or every


def _fitting(number: ClaimNumber, pages: Sequence[CitedPage]) -> list[Operand]:
    return [Operand(page, value) for page in pages for value in _best_of(number, page.content)]


def _best_of(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    """The numbers of a page that the claim's words fit best: those of one row, or one sentence."""
    values = [value for value in content.values if not value.quantity.year and not value.quantity.days]
    fits = [sum(has(value, term) for term, _ in number.terms) for value in values]
    most = max(fits, default=0)
    best = [value for value, fit in zip(values, fits, strict=True) if fit == most > 0]
    if len(best) == 1 and _names_a_year(number):
        best += [value for value in values if _in_its_row(value, best[0])]
    return best


def _names_a_year(number: ClaimNumber) -> bool:
    return any(len(stem) == 4 and stem.isdigit() for term, _ in number.terms for stem in term)


def _in_its_row(value: PageValue, other: PageValue) -> bool:
    """Whether two numbers stand in one row: where a year is named, a claim may speak of the others too."""
    both = value.place is not None and other.place is not None
    return both and value is not other and value.place.labels == other.place.labels  # type: ignore[union-attr]


def _summed(number: ClaimNumber, content: PageContent) -> list[PageValue]:
    """All numbers of a table's row or column, of which the claim speaks, if the claim's number is their sum."""
    full = number.quantity.full()
    for line in _rows_and_columns(content):
        total = sum((value_of(value.quantity) for value in line), Decimal(0))
        if len(line) > 2 and total in full and _speaks_of(number, line):
            return line
    return []


def _speaks_of(number: ClaimNumber, values: Sequence[PageValue]) -> bool:
    return any(holds(value, term) for value in values for term, _ in number.terms)


def _rows_and_columns(content: PageContent) -> Iterator[list[PageValue]]:
    """The numbers of each row and each column of the page's tables."""
    lines: dict[tuple[str, ...], list[PageValue]] = {}
    for value in content.values:
        if value.place and not value.quantity.year and value.quantity.values:
            caption = value.place.captions[:1]
            lines.setdefault(("row", *value.place.labels, *caption), []).append(value)
            lines.setdefault(("column", *value.place.heads, *caption), []).append(value)
    yield from lines.values()
