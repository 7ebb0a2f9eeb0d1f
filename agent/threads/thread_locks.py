"""One run at a time on a thread: a second one waits for the first, in this process and, with a SQLite file, in others.

Two runs that began from the same state would each write their own end of it, and one of them would be lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pagesight.indexing.errors import ThreadInUse

#: Seconds that a run waits for the one before it: that of an answer in many long calls. A guess, not measured.
LONGEST_WAIT = 600.0
_BETWEEN = 0.02
#: Files that stand for threads beside a SQLite file: two threads share one by chance, and then wait for each other.
_FILES = 4096

_locks: weakref.WeakKeyDictionary[Any, defaultdict[str, threading.Lock]] = weakref.WeakKeyDictionary()
_guard = threading.Lock()
_held: ContextVar[tuple[int, ...]] = ContextVar("held", default=())


@contextmanager
def alone(saver: Any, thread_id: str | None) -> Iterator[None]:
    """Within it no other run writes the thread; without a thread, or without a saver of its own, it waits for nobody.

    Raises ThreadInUse after `LONGEST_WAIT` seconds, and at once within a run on the same thread.
    """
    if thread_id is None or not _keeps(saver):
        yield
        return
    turn = _Turn(saver, thread_id, _file_of(saver))
    while not turn.taken():
        time.sleep(_BETWEEN)
    try:
        yield
    finally:
        turn.end()


@asynccontextmanager
async def aalone(saver: Any, thread_id: str | None) -> AsyncIterator[None]:
    """The same, async."""
    if thread_id is None or not _keeps(saver):
        yield
        return
    turn = _Turn(saver, thread_id, await _afile_of(saver))
    while not turn.taken():
        await asyncio.sleep(_BETWEEN)
    try:
        yield
    finally:
        turn.end()


class _Turn:
    """A wait for a thread, and the time in which it is held."""

    def __init__(self, saver: Any, thread_id: str, file: Path | None):
        with _guard:
            self._lock = _locks.setdefault(saver, defaultdict(threading.Lock))[thread_id]
        if id(self._lock) in _held.get():
            raise ThreadInUse(f"the thread {thread_id!r} is being answered by the run that asks: ask in another thread")
        self._file = FileLock(_lock_file(file, thread_id), mode=0o600, thread_local=False) if file else None
        self._thread_id, self._until, self._is_ours = thread_id, time.monotonic() + LONGEST_WAIT, False

    def taken(self) -> bool:
        """Whether the thread is held now. Raises ThreadInUse when it was waited for too long."""
        self._is_ours = self._is_ours or self._lock.acquire(blocking=False)
        if self._is_ours and self._took_file():
            _held.set((*_held.get(), id(self._lock)))
            return True
        if time.monotonic() > self._until:
            self._let_go()
            raise ThreadInUse(
                f"the thread {self._thread_id!r} was not free for {LONGEST_WAIT:.0f} seconds: another run is still "
                "being answered in it; wait for that one, or ask in another thread"
            )
        return False

    def end(self) -> None:
        """Lets the next one go on."""
        _held.set(tuple(one for one in _held.get() if one != id(self._lock)))
        if self._file:
            self._file.release()
        self._let_go()

    def _took_file(self) -> bool:
        try:
            if self._file:
                self._file.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def _let_go(self) -> None:
        if self._is_ours:
            self._is_ours = False
            self._lock.release()


def _keeps(saver: Any) -> bool:
    return saver is not None and not isinstance(saver, bool)


def _lock_file(file: Path, thread_id: str) -> Path:
    folder = file.with_name(f"{file.name}.locks")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{int(hashlib.sha256(thread_id.encode()).hexdigest(), 16) % _FILES:03x}"


def _file_of(saver: Any) -> Path | None:
    """The file of a SQLite saver; None for another kind."""
    connection = getattr(saver, "conn", None)
    if type(saver).__name__ != "SqliteSaver" or connection is None:
        return None
    return _main_file(connection.execute("PRAGMA database_list").fetchall())


async def _afile_of(saver: Any) -> Path | None:
    connection = getattr(saver, "conn", None)
    if type(saver).__name__ != "AsyncSqliteSaver" or connection is None:
        return await asyncio.to_thread(_file_of, saver)
    async with connection.execute("PRAGMA database_list") as rows:
        return _main_file(await rows.fetchall())


def _main_file(databases: Any) -> Path | None:
    return next((Path(path) for _, name, path in databases if name == "main" and path), None)
