"""Work done on several threads, its results in order, with few items under way.

Each of these threads does its matrix products alone: OpenBLAS's own threads wait for each other by spinning, and on a
busy machine a page's centroids took twenty times as long with two of them as with one.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy  # noqa: F401  (loads the OpenBLAS that is looked for below)
from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items for each thread that wait for their turn: as few as keep it busy, since each may hold a file open. A guess, not
# measured.
_WAITING_PER_THREAD = 2
# Numpy's; torch, which may be encoding pages meanwhile, keeps its threads.
_openblas = ThreadpoolController().select(internal_api="openblas")
_lock = threading.Lock()
_users = 0
_limit: AbstractContextManager[Any] | None = None


@contextmanager
def threads(count: int) -> Iterator[Executor]:
    """A pool of threads. On leaving, also by an error or Ctrl-C, what runs is waited for and what waits is dropped."""
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


def map_on_all_cores(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``work`` done on each item, the results in the order of the items, on as many threads as there are cores."""
    cores = os.cpu_count() or 1
    with _one_blas_thread(), threads(cores) as pool:
        yield from in_order(pool, (partial(work, item) for item in items), cores * _WAITING_PER_THREAD)


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """The limit holds for the whole process: set by the first that needs it, lifted by the last."""
    global _users, _limit
    with _lock:
        _users += 1
        if _limit is None:
            _limit = _openblas.limit(limits=1)
            _limit.__enter__()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _limit is not None:
                _limit.__exit__(None, None, None)
                _limit = None
