"""The kept conversations of one index, for the plain code of a chat: `KeptThreads` behind a runner."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.agent.threads.kept_threads import FILE, KeptThreads, storage_errors

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    from pagesight.agent.threads.kept_threads import Thread


class Threads:
    """The kept conversations of one index. Everything waits on ``runner``, as the runs that write them do."""

    def __init__(self, runner: asyncio.Runner, kept: KeptThreads):
        self._runner = runner
        self._kept = kept

    @classmethod
    @contextmanager
    def kept_in(cls, folder: Path, runner: asyncio.Runner) -> Iterator[Threads]:
        """The conversations in an index's folder. Raises PageIndexError when they cannot be read or written."""
        file = KeptThreads.kept_in(folder / FILE)
        kept = runner.run(file.__aenter__())
        with storage_errors(folder / FILE):
            try:
                yield cls(runner, kept)
            finally:
                runner.run(file.__aexit__(None, None, None))

    @property
    def saver(self) -> AsyncSqliteSaver:
        """What an agent keeps its conversations with."""
        return self._kept.saver

    def newest(self, most: int = 20) -> list[Thread]:
        """The conversations that were last asked something, newest first; see `KeptThreads.newest`."""
        return self._runner.run(self._kept.newest(most))

    def messages(self, thread_id: str) -> list[BaseMessage]:
        """What was said in a conversation; see `KeptThreads.messages`."""
        return self._runner.run(self._kept.messages(thread_id))
