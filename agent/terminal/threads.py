"""Kept conversations: LangGraph's checkpoints in a SQLite file of the index's folder, and what they hold.

A conversation is a thread. Its state holds messages and references to pages, so a file of threads stays small.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from pagesight.indexing.errors import PageIndexError

FILE = "threads.db"

_NEWEST_FIRST = """
SELECT thread_id, MAX(checkpoint_id) AS newest FROM checkpoints WHERE checkpoint_ns = ''
GROUP BY thread_id ORDER BY newest DESC LIMIT ?"""


@dataclass(frozen=True)
class Thread:
    """A kept conversation: its first question, how many were asked, and when the last one was (local time)."""

    id: str
    title: str
    questions: int
    last: datetime


class Threads:
    """The kept conversations of one index. Everything waits on ``runner``, as the runs that write them do."""

    def __init__(self, runner: asyncio.Runner, saver: AsyncSqliteSaver):
        self._runner = runner
        self.saver = saver

    @classmethod
    @contextmanager
    def kept_in(cls, folder: Path, runner: asyncio.Runner) -> Iterator[Threads]:
        """The conversations in an index's folder. Raises PageIndexError when they cannot be read or written."""
        with storage_errors(folder / FILE):
            folder.mkdir(parents=True, exist_ok=True)  # of an index on a server, this machine may keep nothing yet
            context = AsyncSqliteSaver.from_conn_string(str(folder / FILE))
            saver = runner.run(_entered(context))
            try:
                yield cls(runner, saver)
            finally:
                runner.run(context.__aexit__(None, None, None))

    def newest(self, most: int = 20) -> list[Thread]:
        """The conversations that were last asked something, newest first."""
        return self._runner.run(self._newest(most))

    def messages(self, thread_id: str) -> list[BaseMessage]:
        """What was said in a conversation; nothing when it is not known."""
        kept = self._runner.run(self.saver.aget_tuple(_config(thread_id)))
        return _messages(kept) if kept else []

    async def _newest(self, most: int) -> list[Thread]:
        async with self.saver.conn.execute(_NEWEST_FIRST, (most,)) as rows:
            ids = [thread_id async for thread_id, _ in rows]
        kept = [(thread_id, await self.saver.aget_tuple(_config(thread_id))) for thread_id in ids]
        return [_thread(thread_id, one) for thread_id, one in kept if one and _messages(one)]


@contextmanager
def storage_errors(file: Path) -> Iterator[None]:
    """Turns SQLite's errors within the block into PageIndexError."""
    try:
        yield
    except sqlite3.Error as error:
        raise PageIndexError(
            f"the kept conversations in {file} cannot be used ({error}): free space if the disk is full, else move "
            "that file away; documents and pages are not in it"
        ) from error


async def _entered(context: Any) -> AsyncSqliteSaver:
    saver = await context.__aenter__()
    await saver.setup()
    return saver


def _config(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


def _messages(kept: Any) -> list[BaseMessage]:
    return list(kept.checkpoint["channel_values"].get("messages", []))


def _thread(thread_id: str, kept: Any) -> Thread:
    questions = questions_in(_messages(kept))
    last = datetime.fromisoformat(kept.checkpoint["ts"]).astimezone()
    return Thread(thread_id, " ".join(questions[0].text.split()) if questions else "", len(questions), last)


def questions_in(messages: Sequence[BaseMessage]) -> list[HumanMessage]:
    """The questions among the messages of a conversation."""
    return [message for message in messages if isinstance(message, HumanMessage)]
