"""One run at a time on a thread: a second one waits for the first, in this process and, where it can, in others.

Two runs that began from the same state would each write their own end of it, and one of them would be lost. Other
processes are told by files beside a SQLite file, and by Postgres' advisory locks.
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
from typing import Any, Protocol

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
    turn = _Turn(saver, thread_id, _outside(saver, thread_id))
    with turn.begun():
        while not turn.taken():
            time.sleep(_BETWEEN)
        with turn.known():
            yield


@asynccontextmanager
async def aalone(saver: Any, thread_id: str | None) -> AsyncIterator[None]:
    """The same, async."""
    if thread_id is None or not _keeps(saver):
        yield
        return
    turn = _Turn(saver, thread_id, await _aoutside(saver, thread_id))
    with turn.begun():
        while not await _ataken(turn):
            await asyncio.sleep(_BETWEEN)
        with turn.known():
            yield


async def _ataken(turn: _Turn) -> bool:
    if not turn.is_slow:
        return turn.taken()
    trying = asyncio.create_task(asyncio.to_thread(turn.taken))
    try:
        return await asyncio.shield(trying)
    except asyncio.CancelledError:
        await asyncio.wait([trying])  # it is given back once it is known whether it was taken
        raise


class _Lock(Protocol):
    """What other processes see of a thread that is held."""

    def take(self) -> bool:
        """Whether it is held now."""

    def give(self) -> None:
        """Lets others have it."""


class _Turn:
    """A wait for a thread, and the time in which it is held."""

    def __init__(self, saver: Any, thread_id: str, outside: _Lock | None):
        with _guard:
            self._lock = _locks.setdefault(saver, defaultdict(threading.Lock))[thread_id]
        if id(self._lock) in _held.get():
            raise ThreadInUse(f"the thread {thread_id!r} is being answered by the run that asks: ask in another thread")
        self._outside, self._thread_id = outside, thread_id
        self._until, self._is_ours = time.monotonic() + LONGEST_WAIT, False
        self.is_slow = isinstance(outside, _PostgresTurn)

    def taken(self) -> bool:
        """Whether the thread is held now. Raises ThreadInUse when it was waited for too long."""
        self._is_ours = self._is_ours or self._lock.acquire(blocking=False)
        if self._is_ours and (self._outside is None or self._outside.take()):
            return True
        if time.monotonic() > self._until:
            raise ThreadInUse(
                f"the thread {self._thread_id!r} was not free for {LONGEST_WAIT:.0f} seconds: another run is still "
                "being answered in it; wait for that one, or ask in another thread"
            )
        return False

    @contextmanager
    def begun(self) -> Iterator[None]:
        """After the block the next one can go on, also where the wait itself was given up."""
        try:
            yield
        finally:
            if self._is_ours:
                if self._outside:
                    self._outside.give()
                self._lock.release()

    @contextmanager
    def known(self) -> Iterator[None]:
        """The block in which it is held: what is asked within it in the same thread would wait for itself."""
        _held.set((*_held.get(), id(self._lock)))
        try:
            yield
        finally:
            _held.set(tuple(one for one in _held.get() if one != id(self._lock)))


class _FileTurn:
    """A thread of a SQLite file, held by a file beside it."""

    def __init__(self, file: Path, thread_id: str) -> None:
        self._file = FileLock(_lock_file(file, thread_id), mode=0o600, thread_local=False)

    def take(self) -> bool:
        """Whether it is held now."""
        try:
            self._file.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def give(self) -> None:
        """Lets others have it."""
        self._file.release()


class _PostgresTurn:
    """A thread in Postgres, held by an advisory lock of a transaction on a connection of its own.

    A transaction's lock, unlike a session's, is also kept by a proxy that gives out connections by transactions.
    """

    def __init__(self, info: Any, thread_id: str) -> None:
        self._address, self._password = info.dsn, info.password
        digest = hashlib.sha256(f"pagesight {thread_id}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._connection: Any = None

    def take(self) -> bool:
        """Whether it is held now. Raises what connecting raises."""
        if self._connection is None:
            import psycopg

            self._connection = psycopg.connect(self._address, password=self._password or None)
        row = self._connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [self._key]).fetchone()
        if not row[0]:
            self._connection.rollback()
        return bool(row[0])

    def give(self) -> None:
        """Lets others have it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _keeps(saver: Any) -> bool:
    return saver is not None and not isinstance(saver, bool)


def _lock_file(file: Path, thread_id: str) -> Path:
    folder = file.with_name(f"{file.name}.locks")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{int(hashlib.sha256(thread_id.encode()).hexdigest(), 16) % _FILES:03x}"


def _outside(saver: Any, thread_id: str) -> _Lock | None:
    """How other processes are told; None where they cannot be."""
    connection: Any = getattr(saver, "conn", None)
    kind = type(saver).__name__
    if kind == "SqliteSaver" and connection is not None:
        with saver.lock:  # the connection is one for all threads, and is used by one at a time
            file = _main_file(connection.execute("PRAGMA database_list").fetchall())
        return _FileTurn(file, thread_id) if file else None
    if kind == "PostgresSaver" and hasattr(connection, "info"):
        return _PostgresTurn(connection.info, thread_id)
    if kind == "PostgresSaver":
        with connection.connection() as one:
            return _PostgresTurn(one.info, thread_id)
    return None


async def _aoutside(saver: Any, thread_id: str) -> _Lock | None:
    connection: Any = getattr(saver, "conn", None)
    kind = type(saver).__name__
    if kind == "AsyncSqliteSaver" and connection is not None:
        async with connection.execute("PRAGMA database_list") as rows:
            file = _main_file(await rows.fetchall())
        return _FileTurn(file, thread_id) if file else None
    if kind == "AsyncPostgresSaver" and hasattr(connection, "info"):
        return _PostgresTurn(connection.info, thread_id)
    if kind == "AsyncPostgresSaver":
        async with connection.connection() as one:
            return _PostgresTurn(one.info, thread_id)
    return await asyncio.to_thread(_outside, saver, thread_id)


def _main_file(databases: Any) -> Path | None:
    return next((Path(path) for _, name, path in databases if name == "main" and path), None)
