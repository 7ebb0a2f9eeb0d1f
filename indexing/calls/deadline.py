"""An end to answers that trickle: a time limit for the whole of a response, which httpx does not have."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import httpx


def ends_within(seconds: float) -> Callable[[httpx.Response], _Done]:
    """A hook for httpx's ``event_hooks={"response": […]}``, of the sync and of the async client.

    httpx's own time limit starts anew with each byte that arrives. From the headers on, a body may take ``seconds``;
    beyond it the next piece raises ReadTimeout.
    """

    def hook(response: httpx.Response) -> _Done:
        deadline = time.monotonic() + seconds
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _AsyncTimed(response.stream, deadline, seconds)
        elif isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Timed(response.stream, deadline, seconds)
        return _Done()

    return hook


class _Done:
    """Nothing to wait for: the sync client ignores it, the async one awaits it."""

    def __await__(self) -> Generator[Any, None, None]:
        return iter(())  # type: ignore[return-value]


class _Timed(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, deadline: float, seconds: float):
        self._stream, self._deadline, self._seconds = stream, deadline, seconds

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            _check(self._deadline, self._seconds)
            yield piece

    def close(self) -> None:
        self._stream.close()


class _AsyncTimed(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, deadline: float, seconds: float):
        self._stream, self._deadline, self._seconds = stream, deadline, seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            _check(self._deadline, self._seconds)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _check(deadline: float, seconds: float) -> None:
    if time.monotonic() > deadline:
        raise httpx.ReadTimeout(f"the answer was not complete after {seconds:.0f} s")
