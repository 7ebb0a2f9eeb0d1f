"""Whether two numbers are the same, or may be taken for each other, by their values, units and scales."""

from __future__ import annotations

from dataclasses import replace

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber
from pagesight.indexing.values.mentioned_units import mentioned_units
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.quantities import Quantity, same_value
from pagesight.indexing.values.units import PERIODS, conversion

_SPELLED_BELOW = 100  # numbers above are hardly written as words


def is_same(claimed: Quantity, printed: Quantity) -> bool:
    """Whether a claim's number is a printed one, whatever their units; a year is one only as a year."""
    if claimed.year or printed.year:
        return claimed.values == printed.values
    return same_value(claimed, printed)


def is_rival(claimed: Quantity, printed: Quantity) -> bool:
    """Whether a claim's number might have been meant to be a printed one: another one of its kind."""
    if printed.year != claimed.year or bool(printed.days) != bool(claimed.days):
        return False
    if printed.spelled and not any(value == int(value) < _SPELLED_BELOW for value in claimed.values):
        return False
    return not is_same(claimed, printed) and not _differ(claimed.unit, printed.unit)


def may_be_taken_for(rival: Quantity, value: Quantity, claimed: Quantity) -> bool:
    """Whether two numbers of a page may be taken for each other: of one unit, where both have one; a percentage for a
    number without a unit only if it is one that is claimed."""
    if rival.unit in ("%", "pp") and value.unit is None and rival.unit != claimed.unit:
        return False
    return not _differ(rival.unit, value.unit)


def measures_agree(number: ClaimNumber, printed: Quantity, content: PageContent) -> bool:
    """Whether a claim tells the unit and scale of a printed number, or what the page names where that has none."""
    return _units_agree(number.quantity, printed, content) and _scales_agree(number, printed, content)


def _units_agree(claimed: Quantity, printed: Quantity, content: PageContent) -> bool:
    if claimed.unit and not printed.unit:
        points = claimed.unit == "pp" and printed.plus and "%" in content.units  # +19, of a chart's percentages
        return points or claimed.unit in content.units or claimed.unit in PERIODS
    return not _differ(claimed.unit, printed.unit)


def _scales_agree(number: ClaimNumber, printed: Quantity, content: PageContent) -> bool:
    claimed = number.quantity
    if _leaves_out_the_scale(number, printed):
        return max(printed.full()) in claimed.values
    if not claimed.scale or claimed.scale <= 1 or printed.scale or claimed.scale in content.units:
        return True
    return any(same_value(replace(claimed, scale=None, values=frozenset({full})), printed) for full in claimed.full())


def _leaves_out_the_scale(number: ClaimNumber, printed: Quantity) -> bool:
    """Whether a claim has a unit and nowhere a scale, and the page has one: EUR 885.4 for EUR 885.4 million."""
    claimed = number.quantity
    if claimed.scale is not None or not printed.scale or not claimed.unit:
        return False
    return not any(scale for _, scale in mentioned_units(number.text))


def _differ(one: str | None, other: str | None) -> bool:
    """Whether both have a unit, and none can be converted to the other."""
    return bool(one and other) and conversion(one, other) is None
