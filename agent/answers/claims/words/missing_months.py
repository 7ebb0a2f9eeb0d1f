"""The months of a claim that stand nowhere on the cited pages, however they are written there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.indexing.values.dates import Day, months, months_among
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.quantities import Quantity


def missing_months(text: str, pages: Sequence[CitedPage]) -> list[str]:
    """The months that a claim tells without a day or year, as in "since March", which no page has."""
    told = months(text)
    held = frozenset().union(*(_months_of(page.content) for page in pages)) if told else frozenset()
    return [name for name, month in told.items() if month not in held]


def is_a_month(quantity: Quantity) -> bool:
    """Whether a date is a month of a year."""
    return bool(quantity.days) and all(day.day is None and day.year is not None for day in quantity.days)


def has_month_and_year(content: PageContent, days: Collection[Day]) -> bool:
    """Whether a page has a month and its year apart, as over the columns of a chart."""
    return any(one.day is None and one.month in _months_of(content) and str(one.year) in content.tokens for one in days)


def _months_of(content: PageContent) -> frozenset[int]:
    dated = (day.month for value in content.values for day in value.quantity.days)
    return months_among(content.tokens).union(dated)
