"""Calls side by side: in order, few at a time, and ended cleanly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from pagesight.indexing.parallel import in_order, threads


def test_results_come_in_the_order_of_the_calls():
    def late(number: int) -> int:
        time.sleep(0.02 * (number % 3))
        return number

    with threads(4) as pool:
        assert list(in_order(pool, (partial(late, number) for number in range(20)), 4)) == list(range(20))
        assert list(in_order(pool, [], 4)) == []


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_are_under_way_than_allowed(ahead: int):
    taken: list[int] = []

    def calls() -> Iterator[Callable[[], int]]:
        for number in range(10):
            taken.append(number)
            yield partial(int, number)

    with threads(8) as pool:
        for done, result in enumerate(in_order(pool, calls(), ahead)):
            assert result == done
            assert len(taken) <= done + ahead + 1


def test_the_next_call_is_prepared_while_one_is_made():
    prepared = threading.Event()

    def calls() -> Iterator[Callable[[], bool]]:
        yield partial(prepared.wait, 10)
        prepared.set()
        yield partial(prepared.wait, 10)

    with threads(1) as pool:
        assert list(in_order(pool, calls(), 1)) == [True, True]


def test_an_error_comes_in_its_place_and_no_further_call_is_made():
    made: list[int] = []

    def call(number: int) -> int:
        made.append(number)
        if number == 2:
            raise OSError("full")
        return number

    results = []
    with pytest.raises(OSError, match="full"), threads(1) as pool:
        results += in_order(pool, (partial(call, number) for number in range(9)), 1)
    assert results == [0, 1]
    assert made == [0, 1, 2]


def test_leaving_early_drops_what_waits():
    made: list[int] = []

    def call(number: int) -> None:
        made.append(number)
        time.sleep(0.2)

    with threads(1) as pool:
        assert next(in_order(pool, (partial(call, number) for number in range(50)), 20)) is None
    assert len(made) <= 3
