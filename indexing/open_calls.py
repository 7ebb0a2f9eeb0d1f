"""What can be closed while others use it: no call begins once it is closed, and closing waits for those under way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from pagesight.indexing.errors import PageIndexError


class OpenCalls:
    """The calls of one object's methods that are under way, by any number of threads, until the object is closed."""

    def __init__(self, what: str, way_out: str) -> None:
        self._error = f"{what} was closed. {way_out}"
        self._changed = threading.Condition()
        self._under_way = 0
        self._closed = False
        self._thread = threading.local()

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call; calls that it makes itself belong to it. Raises PageIndexError if the object was closed before."""
        if getattr(self._thread, "in_call", False):
            yield
            return
        with self._changed:
            if self._closed:
                raise PageIndexError(self._error)
            self._under_way += 1
        self._thread.in_call = True
        try:
            yield
        finally:
            self._thread.in_call = False
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def close(self) -> bool:
        """Let no further call begin, and wait for those of other threads; False if it was closed before."""
        with self._changed:
            if self._closed:
                return False
            self._closed = True
            own = int(getattr(self._thread, "in_call", False))
            self._changed.wait_for(lambda: self._under_way <= own)
            return True


class _Closable(Protocol):
    _calls: OpenCalls


Closable = TypeVar("Closable", bound=_Closable)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def while_open(
    method: Callable[Concatenate[Closable, Arguments], Result],
) -> Callable[Concatenate[Closable, Arguments], Result]:
    """Makes a method one of the calls that its object's ``_calls`` counts."""

    @wraps(method)
    def counted(self: Closable, /, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        with self._calls.call():
            return method(self, *args, **options)

    return counted


Owner = TypeVar("Owner")


def in_thread(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Coroutine[Any, Any, Result]]:
    """The method's twin for asyncio, with its arguments, which waits in a thread: ``asearch = in_thread(search)``."""

    @wraps(method)
    async def twin(self: Owner, /, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        return await asyncio.to_thread(method, self, *args, **options)

    owner, dot, name = method.__qualname__.rpartition(".")
    twin.__name__, twin.__qualname__ = f"a{name}", f"{owner}{dot}a{name}"
    twin.__doc__ = f"`{name}`, in a thread."
    return twin
