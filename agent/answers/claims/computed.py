"""Numbers that no page prints, but that follow from numbers which it does: sums, differences and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import permutations

from pagesight.agent.answers.claims.page_values import PageValue
from pagesight.agent.answers.claims.quantities import Quantity, last_digit

_RATIOS = ("%", "pp")
_MOST_OPERANDS = 8  # a guess, not measured: with more, some pair gives nearly any number


def computed_from(claimed: Quantity, operands: Sequence[PageValue]) -> list[PageValue]:
    """The printed numbers, two or more, that the claimed one is the sum, difference or ratio of; none if of none."""
    known = list(dict.fromkeys(operands))[:_MOST_OPERANDS]
    for read in (max, min):  # 1.234 is the same for all numbers of a page
        numbers = [(one, _value(one.quantity, read)) for one in known]
        for used, result, is_ratio in _results(numbers):
            if (claimed.unit in _RATIOS) == is_ratio and _agrees(claimed, result, is_ratio):
                return used
    return []


def _results(numbers: Sequence[tuple[PageValue, Decimal]]) -> Iterator[tuple[list[PageValue], Decimal, bool]]:
    """What is computed of which numbers, with the result, and whether that is a ratio in per cent."""
    for (one, a), (other, b) in permutations(numbers, 2):
        used = [one, other]
        yield used, a - b, one.quantity.unit == other.quantity.unit == "%"
        yield used, a - b, False
        yield used, a + b, False
        if b:
            yield used, (a - b) / abs(b) * 100, True
            yield used, a / b * 100, True
            yield used, a / b, False
    if len(numbers) > 2:
        yield [one for one, _ in numbers], sum((value for _, value in numbers), Decimal(0)), False


def _value(quantity: Quantity, read: Callable[[Iterable[Decimal]], Decimal]) -> Decimal:
    value = read(quantity.full())
    return -value if quantity.negative else value


def _agrees(claimed: Quantity, result: Decimal, is_ratio: bool) -> bool:
    """Whether the result is the claimed number as precisely as it is told; 1 % of a step aside, for rounding twice."""
    scale = Decimal(1) if is_ratio else (claimed.scale or Decimal(1))
    return any(
        abs(abs(result) - value * scale) <= last_digit(value) * scale * Decimal("0.51") for value in claimed.values
    )
