"""Keeps a thread small: once a question is answered, only the state that it ended with.

LangGraph writes the whole conversation anew into each checkpoint, so a history of all of them grows with the square of
its questions. Where a saver knows no way to leave the earlier ones out, they stay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_log = logging.getLogger(__name__)

_OLDER = """
DELETE FROM {table} WHERE thread_id = :thread AND checkpoint_ns = '' AND checkpoint_id <
(SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = :thread AND checkpoint_ns = '')"""
_STATEMENTS = tuple(_OLDER.format(table=table) for table in ("writes", "checkpoints"))


def keep_last(saver: Any, thread_id: str) -> None:
    """Leaves the thread its last checkpoint only. Waits for the saver."""
    kind = type(saver).__name__
    with _no_loss(thread_id):
        if kind == "SqliteSaver":
            with saver.cursor() as cursor:
                for statement in _STATEMENTS:
                    cursor.execute(statement, {"thread": thread_id})
        elif kind in ("InMemorySaver", "MemorySaver"):
            _keep_last_in_memory(saver, thread_id)
        else:
            saver.prune([thread_id], strategy="keep_latest")


async def akeep_last(saver: Any, thread_id: str) -> None:
    """The same, async."""
    kind = type(saver).__name__
    with _no_loss(thread_id):
        if kind == "AsyncSqliteSaver":
            async with saver.lock:
                for statement in _STATEMENTS:
                    await saver.conn.execute(statement, {"thread": thread_id})
                await saver.conn.commit()
        elif kind in ("SqliteSaver", "InMemorySaver", "MemorySaver"):
            keep_last(saver, thread_id)
        else:
            await saver.aprune([thread_id], strategy="keep_latest")


@contextmanager
def _no_loss(thread_id: str) -> Iterator[None]:
    """Within it a saver may fail, or lack the way: all checkpoints are kept then, and the answer is not lost by it."""
    try:
        yield
    except (NotImplementedError, AttributeError):
        pass
    except Exception as error:  # noqa: BLE001 (savers of any database, each with errors of its own)
        _log.warning("the earlier checkpoints of the thread %s stay: %s", thread_id, error)


def _keep_last_in_memory(saver: Any, thread_id: str) -> None:
    checkpoints = saver.storage[thread_id][""]
    if not checkpoints:
        return
    last = max(checkpoints)
    versions = saver.serde.loads_typed(checkpoints[last][0])["channel_versions"]
    for older in [one for one in checkpoints if one != last]:
        del checkpoints[older]
        saver.writes.pop((thread_id, "", older), None)
    for key in [key for key in saver.blobs if key[:2] == (thread_id, "") and versions.get(key[2]) != key[3]]:
        del saver.blobs[key]
