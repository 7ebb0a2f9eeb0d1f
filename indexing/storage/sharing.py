"""How processes share an index: who holds it, who may write, and what tells the others that something changed.

An index in a folder belongs to one process, unless `pagesight serve` serves it to several (`ServedFolder`); one on a
Milvus server to all that reach it (lease.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pagesight.indexing.errors import IndexInUse
from pagesight.indexing.storage.address import shown
from pagesight.indexing.storage.atomic_files import write_atomically


class UnsharedFolder:
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
            write_atomically(self._holder, json.dumps(this_process()))
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
        write_atomically(self._revision, uuid.uuid4().hex)


def this_process() -> dict[str, Any]:
    """This process, as others should see it named; how it was started is shortened."""
    said = re.sub(r"(--token[ =])\S+", r"\1…", " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]))
    command = shown(said)[:200]
    return {"pid": os.getpid(), "command": command, "host": platform.node()}


def read_holder(path: Path) -> dict[str, Any]:
    """What the file says; nothing if it is not there or not whole."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


@contextlib.contextmanager
def noted_service(folder: Path, name: str, **said: str) -> Iterator[bool]:
    """Notes in the holder's file, which only this user can read, how a service is reached while the block runs.

    Gives whether that was possible: not on a medium that nothing can be written to.
    """
    path = folder / "holder.json"
    said["pid"] = str(os.getpid())
    try:
        write_atomically(path, json.dumps(read_holder(path) | {name: said}))
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        held = read_holder(path)
        if held.pop(name, None) == said:
            with contextlib.suppress(OSError):
                write_atomically(path, json.dumps(held)) if held else path.unlink()


def named(holder: dict[str, Any]) -> str:
    """The process in words."""
    if "pid" not in holder:
        return "another process"
    where = f" on {holder['host']}" if holder.get("host") not in (None, platform.node()) else ""
    return f"process {holder['pid']}{where} ({holder.get('command', '')})"


def described(path: Path) -> str:
    """The process in the file, in words."""
    return named(read_holder(path))
