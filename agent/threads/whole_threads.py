"""Whether the kept conversations of an index are whole: the file, its tables, all that it holds. Changes nothing."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pagesight.agent.threads.kept_threads import FILE, SERVICE_FILE
from pagesight.agent.threads.thread_data import ThreadData
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.integrity.verify import Damage

#: The columns that LangGraph's saver reads, in the tables that it makes; later ones may have more.
_COLUMNS = {
    "checkpoints": "thread_id checkpoint_ns checkpoint_id parent_checkpoint_id type checkpoint metadata",
    "writes": "thread_id checkpoint_ns checkpoint_id task_id idx channel type value",
}


def damaged_threads(index: Path) -> Iterator[Damage]:
    """What of the conversations in an index's folder is damaged, or of another version than this one reads."""
    for file in (index / FILE, index / SERVICE_FILE):
        if file.exists():
            yield from _damage(file)


def _damage(file: Path) -> Iterator[Damage]:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            for why in _faults(database, file):
                yield Damage("conversations", str(file), why)
    except sqlite3.Error as error:
        yield Damage("conversations", str(file), str(error))


def _faults(database: sqlite3.Connection, file: Path) -> Iterator[str]:
    (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        yield str(said)
        return
    missing = [*_missing(database)]
    yield from missing
    if not missing:
        yield from _unreadable(database, ThreadData(file))


def _missing(database: sqlite3.Connection) -> Iterator[str]:
    for table, columns in _COLUMNS.items():
        there = {str(row[0]) for row in database.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        if not there:
            yield f"the table {table} is gone"
        elif lost := [column for column in columns.split() if column not in there]:
            yield f"the table {table} has no column {', '.join(lost)}"


def _unreadable(database: sqlite3.Connection, data: ThreadData) -> Iterator[str]:
    """The conversations that cannot be read, one fault each."""
    asked = (
        "SELECT thread_id, type, checkpoint, metadata FROM checkpoints "
        "UNION ALL SELECT thread_id, type, value, NULL FROM writes ORDER BY 1"
    )
    told: set[str] = set()
    for thread_id, kind, blob, metadata in database.execute(asked):
        name = str(thread_id)[:80]
        if name in told:
            continue
        try:
            value = data.loads_typed((kind, blob))
            if metadata is not None and (not isinstance(json.loads(metadata), dict) or "channel_values" not in value):
                raise data.refusal("it is damaged")
        except (PageIndexError, TypeError, AttributeError, ValueError, RecursionError) as error:
            told.add(name)
            refusal = error if isinstance(error, PageIndexError) else data.refusal("it is damaged")
            yield f"the conversation {name} cannot be opened: {str(refusal).partition(' cannot be opened: ')[2]}"
