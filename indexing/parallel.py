"""Calls that threads make side by side, their results in the order of the calls, with few of them under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")


@contextmanager
def threads(count: int) -> Iterator[Executor]:
    """A pool of threads; on leaving, also by an error or Ctrl-C, ends what runs and drops what only waits."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(pool: Executor, calls: Iterable[Callable[[], Result]], ahead: int) -> Iterator[Result]:
    """The results of the calls, in their order; at most ``ahead`` are made, or held as results, at any time.

    The calls are taken from their iterator in the thread that asks for results, so that with ``ahead`` 1 a pool of one
    thread works on one call while the next is being prepared. Raises what a call raises, where its result would stand.
    """
    under_way: deque[Future[Result]] = deque()
    for call in calls:
        if len(under_way) == ahead:
            yield under_way.popleft().result()
        under_way.append(pool.submit(call))
    while under_way:
        yield under_way.popleft().result()
