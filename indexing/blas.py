"""Matrix products on one thread each, with pagesight's own threads side by side.

OpenBLAS's threads wait for each other by spinning: on a busy machine a page's centroids took twenty times as long with
two of them as with one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy  # noqa: F401  (loads the BLAS that is to be found)
from threadpoolctl import ThreadpoolController

from pagesight.indexing.parallel import in_order, threads

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items for each thread that wait for their turn: as few as keep it busy, since each may hold a file open
# Numpy's; torch, which may be encoding pages meanwhile, keeps its threads.
_openblas = ThreadpoolController().select(internal_api="openblas")
_lock = threading.Lock()
_users = 0
_limit: AbstractContextManager[Any] | None = None


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``work`` done on each item, in order, on as many threads as there are cores; takes few items ahead."""
    cores = os.cpu_count() or 1
    with _one_thread_each(), threads(cores) as pool:
        yield from in_order(pool, (partial(work, item) for item in items), cores * _AHEAD)


@contextmanager
def _one_thread_each() -> Iterator[None]:
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
