"""Numbers that no page prints, but that follow from numbers which it does: sums, differences and ratios."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import permutations

from pagesight.agent.answers.claims.answer_text.claim_number import is_year
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity, last_digit

_MOST_OPERANDS = 8  # a guess, not measured: with more, some pair gives nearly any number
#: What is computed: a plain number, a ratio or change in per cent, or a difference of percentages, in points.
_PLAIN, _RATIO, _POINTS = "plain", "ratio", "points"
_RESULT = re.compile(
    r"(?i)\b(?:result|profits?|ebit\w*|earnings|income|cash ?flow|margin|change|net|balance|surplus|"
    r"\w*ergebnis\w*|\w*gewinn\w*|\w*saldo|überschuss|veränderung)\b(?! (?:tax|debt))"
)
_KIND = {"%": _RATIO, "pp": _POINTS, "bp": _POINTS}


def computed_from(
    claimed: Quantity, operands: Sequence[PageValue], direction: int = 0, loss: bool = False
) -> list[PageValue]:
    """The printed numbers, two or more, that the claimed one is the sum, difference or ratio of; none if of none.

    ``direction`` 1 says that it is told as a rise, -1 as a fall: from the earlier to the later year, where the page
    tells them. Where a ``loss`` is told of, or costs, that is of their size; else a result in red rises as it shrinks.
    """
    known = [one for one in dict.fromkeys(operands) if one.quantity.values][:_MOST_OPERANDS]
    for read in (max, min):  # 1.234 is the same for all numbers of a page
        numbers = [(one, _value(one.quantity, read)) for one in known]
        for used, result, kind in _results(numbers, direction, loss):
            if _may_be(claimed.unit, used, kind) and _agrees(claimed, result, kind):
                return used
    return []


def _may_be(unit: str | None, used: Sequence[PageValue], kind: str) -> bool:
    """Whether a number with this unit may be of a kind: points are also those of scores without a unit."""
    scores = unit == "pp" and kind == _PLAIN and all(one.quantity.unit is None for one in used)
    return scores or _KIND.get(unit or "", _PLAIN) == kind


def _results(
    numbers: Sequence[tuple[PageValue, Decimal]], direction: int, loss: bool
) -> Iterator[tuple[list[PageValue], Decimal, str]]:
    """What is computed of which numbers, and of what kind the result is."""
    for (one, a), (other, b) in permutations(numbers, 2):
        used = [one, other]
        in_percent = one.quantity.unit == other.quantity.unit == "%"
        if not _against(direction, one, a, other, b, loss):
            yield used, a - b, _POINTS if in_percent else _PLAIN
            if b:
                yield used, (a - b) / abs(b) * 100, _RATIO
        yield used, a + b, _RATIO if in_percent else _PLAIN
        if b:
            yield used, a / b * 100, _RATIO
            yield used, a / b, _PLAIN
    if len(numbers) > 2:
        in_percent = all(one.quantity.unit == "%" for one, _ in numbers)
        yield (
            [one for one, _ in numbers],
            sum((value for _, value in numbers), Decimal(0)),
            (_RATIO if in_percent else _PLAIN),
        )


def _against(direction: int, one: PageValue, a: Decimal, other: PageValue, b: Decimal, loss: bool) -> bool:
    """Whether a difference is of the other direction than told, by the years of its numbers or as they are compared."""
    later, earlier = year_of(one), year_of(other)
    if one.compared != other.compared and one.said == other.said:  # "23.0 per cent, after 23.4 per cent"
        later, earlier = int(not one.compared), int(not other.compared)
    if not direction or later is None or earlier is None or later == earlier:
        return False
    change = a - b if not loss and is_signed(one) and is_signed(other) else abs(a) - abs(b)
    return change * (1 if later > earlier else -1) * direction < 0


def is_signed(value: PageValue) -> bool:
    """Whether a number is of what may be a gain or a loss: costs that are printed in brackets rise with their size."""
    near = [*value.place.labels, *value.place.heads] if value.place else [value.clause]
    return bool(_RESULT.search(" ".join(near)))


def year_of(value: PageValue) -> int | None:
    """The year that a number is of; None where several or none are named."""
    years = {int(stem) for stem, near in value.context.items() if near >= 0.9 and is_year(stem)}
    return years.pop() if len(years) == 1 else None


def value_of(quantity: Quantity, read: Callable[[Iterable[Decimal]], Decimal] = max) -> Decimal:
    """The number with its scale and sign; of several readings the one that ``read`` takes."""
    value = read(quantity.full())
    return -value if quantity.negative else value


_value = value_of


def _agrees(claimed: Quantity, result: Decimal, kind: str) -> bool:
    """Whether the result is the claimed number as precisely as it is told; 1 % of a step aside, for rounding twice."""
    scale = (claimed.scale or Decimal(1)) if kind == _PLAIN else Decimal(1)
    result = result * 100 if claimed.unit == "bp" else result
    return any(_near(claimed, value * scale, abs(result), last_digit(value) * scale) for value in claimed.values)


def _near(claimed: Quantity, value: Decimal, result: Decimal, step: Decimal) -> bool:
    apart = result - value
    if claimed.bound == "over" and apart > 0:
        return apart <= value / 10
    if claimed.bound == "under" and apart < 0:
        return -apart <= value / 10
    return abs(apart) <= (value / 20 if claimed.bound else step * Decimal("0.51"))
