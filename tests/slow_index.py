"""An index whose every look-up waits, as one on a far server does, and a watch on how long the event loop is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pagesight.indexing import PageIndex

#: Seconds that each look-up takes.
SLOW = 1.5


def slow_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look-up of an index waits."""
    for name in ("search", "documents", "document", "page", "opened"):
        monkeypatch.setattr(PageIndex, name, _slow(getattr(PageIndex, name)))


def _slow(method: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*args: Any, **options: Any) -> Any:
        time.sleep(SLOW)
        return method(*args, **options)

    return slow


@asynccontextmanager
async def watched_loop() -> AsyncIterator[Callable[[], float]]:
    """Within it the event loop is watched; the function tells the longest time, in seconds, that it was kept."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before - 0.01)

    task = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    try:
        yield lambda: longest
        await asyncio.sleep(0.05)  # one more tick, which tells how long the last step took
    finally:
        task.cancel()
