"""Kept conversations: LangGraph's checkpoints in a SQLite file of the index's folder, and what they hold.

A conversation is a thread. Its state holds messages and references to pages, so a file of threads stays small.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosqlite
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base.id import UUID
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from pagesight.agent.threads.thread_data import ThreadData
from pagesight.indexing.errors import PageIndexError

#: The conversations of the terminal's chat, and those of the service, in an index's folder.
FILE, SERVICE_FILE = "threads.db", "service-threads.db"
#: The title of a conversation that cannot be opened; `KeptThreads.messages` says why.
UNREADABLE = "(cannot be opened)"

_NEWEST_FIRST = """
SELECT thread_id, MAX(checkpoint_id) AS newest FROM checkpoints
WHERE checkpoint_ns = '' AND substr(thread_id, 1, ?) = ? GROUP BY thread_id ORDER BY newest DESC LIMIT ?"""


@dataclass(frozen=True)
class Thread:
    """A kept conversation: its first question, how many were asked, which, and when the last one was (local time)."""

    id: str
    title: str
    questions: int
    last: datetime
    asked: tuple[str, ...] = ()


class KeptThreads:
    """The conversations in one file; used on the event loop that it was opened on, as the runs that write them are."""

    def __init__(self, saver: AsyncSqliteSaver, data: ThreadData):
        self._data = data
        self.saver = saver

    @classmethod
    @asynccontextmanager
    async def kept_in(cls, file: Path) -> AsyncIterator[KeptThreads]:
        """The conversations in a file, which is made. Raises PageIndexError when it cannot be read or written."""
        data = ThreadData(file)
        with storage_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)  # of an index on a server, this machine may keep nothing yet
            saver = await _opened(file, data)
            try:
                yield cls(saver, data)
            finally:
                await saver.conn.close()

    async def newest(self, most: int = 20, beginning: str = "") -> list[Thread]:
        """The conversations that were last asked something, newest first, of those whose id begins so.

        One that cannot be opened is `UNREADABLE`.
        """
        async with self.saver.conn.execute(_NEWEST_FIRST, (len(beginning), beginning, most)) as rows:
            kept = [(str(thread_id), str(newest)) async for thread_id, newest in rows]
        threads = [await self._thread(thread_id, newest) for thread_id, newest in kept]
        return [thread for thread in threads if thread.questions or thread.title]

    async def messages(self, thread_id: str) -> list[BaseMessage]:
        """What was said in a conversation; nothing when it is not known.

        Raises PageIndexError when what the file holds there is no conversation.
        """
        try:
            kept = await self.saver.aget_tuple({"configurable": {"thread_id": thread_id}})
            messages = kept.checkpoint["channel_values"].get("messages", []) if kept else []
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise self._data.refusal("it is damaged") from error
        if not isinstance(messages, list) or not all(isinstance(message, BaseMessage) for message in messages):
            raise self._data.refusal("its messages are none")
        return messages

    async def is_kept(self, thread_id: str) -> bool:
        """Whether there is such a conversation, one that cannot be opened too."""
        asked = "SELECT 1 FROM checkpoints WHERE thread_id = ? LIMIT 1"
        async with self.saver.conn.execute(asked, (thread_id,)) as rows:
            return await rows.fetchone() is not None

    async def delete(self, thread_id: str) -> None:
        """Takes a conversation out of the file."""
        await self.saver.adelete_thread(thread_id)

    async def _thread(self, thread_id: str, checkpoint_id: str) -> Thread:
        last = _made_at(checkpoint_id)
        try:
            asked = tuple(" ".join(one.text.split()) for one in questions_in(await self.messages(thread_id)))
        except PageIndexError:
            return Thread(thread_id, UNREADABLE, 0, last)
        return Thread(thread_id, asked[0] if asked else "", len(asked), last, asked)


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


async def _opened(file: Path, data: ThreadData) -> AsyncSqliteSaver:
    sqlite3.connect(file).close()  # what cannot be opened fails here; aiosqlite's thread would go on after the loop
    saver = AsyncSqliteSaver(await aiosqlite.connect(file), serde=data)
    try:
        await saver.setup()
    except BaseException:
        await saver.conn.close()
        raise
    return saver


def _made_at(checkpoint_id: str) -> datetime:
    """When a checkpoint was made, which its id says (local time); 1970 where the id is none of LangGraph's."""
    try:
        ticks = UUID(checkpoint_id).time  # of 100 ns, since 1582-10-15
    except ValueError:
        return datetime.fromtimestamp(0).astimezone()
    return (datetime(1582, 10, 15, tzinfo=UTC) + timedelta(microseconds=ticks // 10)).astimezone()


def questions_in(messages: Sequence[BaseMessage]) -> list[HumanMessage]:
    """The questions among the messages of a conversation."""
    return [message for message in messages if isinstance(message, HumanMessage)]
