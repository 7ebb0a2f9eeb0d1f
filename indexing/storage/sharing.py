"""How processes share an index: who may write, and what tells the others that something changed.

An index in a folder belongs to one process, unless `pagesight serve` serves it to several (`ServedFolder`); one on a
Milvus server to all that reach it (lease.py).
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from pagesight.indexing.errors import IndexInUse
from pagesight.indexing.storage.holder import described, this_process


class Sharing(Protocol):
    """One process' share in an index."""

    def lease(self) -> AbstractContextManager[None]:
        """The right to write, for this process alone. Raises IndexInUse, naming who has it."""
        ...

    def confirm(self) -> None:
        """Raise IndexInUse if the lease was lost; before something is written."""
        ...

    def revision(self) -> str:
        """What is another text after each change by any process; empty where no other can change anything."""
        ...

    def changed(self) -> None:
        """Tell the other processes that what was written until now can be read."""
        ...


class Alone:
    """Nobody else has the index open."""

    def lease(self) -> AbstractContextManager[None]:
        """Nothing to wait for."""
        return contextlib.nullcontext()

    def confirm(self) -> None:
        """Never lost."""

    def revision(self) -> str:
        """What changes here, this process knows."""
        return ""

    def changed(self) -> None:
        """Nobody to tell."""


class ServedFolder:
    """A folder that one process serves to others: a lock for the writer, and a file that each change renews."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._revision = folder / "revision"
        self._holder = folder / "writer.json"

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Waits for nobody: the system frees the lock of a process that ended."""
        lock = FileLock(self._folder / "writer.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise IndexInUse(
                f"{described(self._holder)} is writing to the index in {self._folder}. Wait until that one is done, or "
                "end it; searching goes on meanwhile."
            ) from None
        try:
            self._holder.write_text(json.dumps(this_process()))
            yield
        finally:
            self._holder.unlink(missing_ok=True)
            lock.release()

    def confirm(self) -> None:
        """Never lost: the lock ends with the process."""

    def revision(self) -> str:
        """The file's content."""
        try:
            return self._revision.read_text()
        except FileNotFoundError:
            return "none yet"

    def changed(self) -> None:
        """Renews the file."""
        unfinished = self._revision.with_suffix(".part")
        unfinished.write_text(uuid.uuid4().hex)
        unfinished.replace(self._revision)
