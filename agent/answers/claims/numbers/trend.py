"""Whether something rose or fell from one year to another as a claim says that gives no number of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber
from pagesight.agent.answers.claims.numbers.computed import is_signed, value_of
from pagesight.agent.answers.claims.numbers.operands import told_by_year
from pagesight.agent.answers.claims.polarity.change_told import way
from pagesight.agent.answers.claims.polarity.direction import says_no
from pagesight.indexing.values.page_values import PageContent, PageValue


def went_the_other_way(years: Sequence[ClaimNumber], content: PageContent) -> str:
    """The two numbers of a page, as it writes them, that fell where a claim says "rose", or rose where it says "fell";
    "" where some went its way, or none tell. ``years`` are those of a claim that has no other numbers."""
    told = way(years[0].text) if years else 0
    if not told or says_no(years[0].text):
        return ""
    changes = list(_changes(years[0], content))
    if not changes or any(change * told >= 0 for change, _ in changes):
        return ""
    return changes[0][1]


def _changes(year: ClaimNumber, content: PageContent) -> Iterator[tuple[int, str]]:
    for earlier, later in told_by_year(year, content):
        if _are_comparable(earlier, later):
            change = value_of(later.quantity) - value_of(earlier.quantity)
            yield (change > 0) - (change < 0), f"{earlier.written} to {later.written}"


def _are_comparable(one: PageValue, other: PageValue) -> bool:
    """Whether two numbers are of one kind, and no costs that are printed as if they were negative."""
    negative = one.quantity.negative or other.quantity.negative
    return one.quantity.unit == other.quantity.unit and (not negative or (is_signed(one) and is_signed(other)))
