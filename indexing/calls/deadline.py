"""An end to answers that trickle: a time limit for the whole of a response, which httpx and httpx2 do not have."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any


class DeadlinePassed(TimeoutError):
    """The answer was not complete in time."""


def ends_within(seconds: float) -> Callable[[Any], _NothingToAwait]:
    """A hook for ``event_hooks={"response": […]}`` of the sync and the async clients of httpx and of httpx2.

    Their own time limit starts anew with each byte that arrives. From the headers on, a body may take ``seconds``;
    beyond it the next piece raises DeadlinePassed.
    """

    def hook(response: Any) -> _NothingToAwait:
        response.stream = _limited(response.stream, _Deadline(seconds))
        return _NothingToAwait()

    return hook


def without_header(name: str) -> Callable[[Any], _NothingToAwait]:
    """A hook for ``event_hooks={"request": […]}`` of the same clients: requests go out without that header."""

    def hook(request: Any) -> _NothingToAwait:
        request.headers.pop(name, None)
        return _NothingToAwait()

    return hook


class _NothingToAwait:
    """What the hook returns: the sync client ignores it, the async one awaits it."""

    def __await__(self) -> Generator[None, None, None]:
        return iter(())  # type: ignore[return-value]


class _Deadline:
    def __init__(self, seconds: float):
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        if time.monotonic() > self._end:
            raise DeadlinePassed(f"the answer was not complete after {self._seconds:.0f} s")


class _LimitedStream:
    """The pieces of a body while the deadline has not passed."""

    def __init__(self, stream: Any, deadline: _Deadline):
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._deadline.check()
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._deadline.check()
            yield piece

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _limited(stream: Any, deadline: _Deadline) -> Any:
    """The stream with a deadline, of the same kind: a client asks whether it is of its own sync or async class."""
    kinds = {kind.__name__: kind for kind in type(stream).__mro__}
    kind = kinds.get("SyncByteStream") or kinds.get("AsyncByteStream")
    return type("LimitedStream", (_LimitedStream, kind), {})(stream, deadline) if kind else stream
