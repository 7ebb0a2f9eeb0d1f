"""Follows an async run from plain code, item by item, so that Ctrl-C ends it at once, whatever it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from typing import TypeVar

Item = TypeVar("Item")


def follow(runner: asyncio.Runner, run: AsyncIterator[Item]) -> Generator[Item, None, None]:
    """The items of a run as they come. On Ctrl-C the run is cancelled, whatever it waits for; raises KeyboardInterrupt.

    The run goes on only while its next item is waited for. Runs that share clients or a checkpointer share ``runner``.
    """
    try:
        while (item := runner.run(_next(run))) is not None:
            yield item
    finally:
        if isinstance(run, AsyncGenerator):
            runner.run(run.aclose())


async def _next(run: AsyncIterator[Item]) -> Item | None:
    return await anext(run, None)
