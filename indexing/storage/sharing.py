"""How processes share an index: who may write, and who that is. An index on a Milvus server: lease.py.

An index in a folder is read by any number of processes, which hold nothing; one at a time writes (`WriterLock`).
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pagesight.indexing.calls.destinations import shown
from pagesight.indexing.errors import IndexInUse, IndexWarning
from pagesight.indexing.storage.atomic_files import write_atomically

# Seconds that nothing is said of a wait: readers hold the lock for less, when they look whether a writer was killed.
# Guesses, not measured.
_SHORT, _LOOKS_EVERY = 0.3, 0.05


class UnsharedRows:
    """For who writes to an index in a folder: nobody else can, while the `WriterLock` is held."""

    def confirm(self) -> None:
        """Never lost."""


class WriterLock:
    """The right to write to an index in a folder: one process's, and in it one thread's. Ends with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holder = folder / "writer.json"
        self._threads = threading.RLock()
        self._held = 0

    @contextlib.contextmanager
    def held(self, wait: float) -> Iterator[None]:
        """The right, in the block; ``wait`` seconds are given to another process that has it, with a warning.

        Raises IndexInUse, which names that process, and OSError.
        """
        with self._threads:
            if self._held:
                yield
                return
            lock = FileLock(self._folder / "lock", timeout=0)
            self._acquire(lock, wait)
            try:
                self._held += 1
                with contextlib.suppress(OSError):  # a full disk keeps nobody from removing documents
                    write_atomically(self._holder, json.dumps(this_process()))
                yield
            finally:
                self._held -= 1
                with contextlib.suppress(OSError):
                    self._holder.unlink()
                lock.release()

    def _acquire(self, lock: FileLock, wait: float) -> None:
        short = min(wait, _SHORT)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=short, poll_interval=_LOOKS_EVERY)
            return
        if wait > 0:
            who = described(self._holder)
            message = f"{who} is writing to the index in {self._folder}; waiting up to {wait:g} s until it is done."
            warnings.warn(message, IndexWarning, stacklevel=4)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=wait - short, poll_interval=_LOOKS_EVERY)
            return
        raise IndexInUse(
            f"{described(self._holder)} is writing to the index in {self._folder}. Wait until it is done (--wait "
            "SECONDS waits longer), or end it. Searching goes on meanwhile."
        ) from None


def this_process() -> dict[str, Any]:
    """This process, as others should see it named; how it was started is shortened."""
    said = re.sub(r"(--token[ =])\S+", r"\1…", " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]))
    command = shown(said)[:200]
    pid = os.getpid()
    return {"pid": pid, "command": command, "host": platform.node(), "started": _stat_of(pid).get("started")}


def read_holder(path: Path) -> dict[str, Any]:
    """What the file says; nothing if it is not there or not whole."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


@contextlib.contextmanager
def noted_service(folder: Path, name: str, **said: str) -> Iterator[bool]:
    """Notes in holder.json, which only this user can read, how a service is reached while the block runs.

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
    """The process in words; one that has ended, and whose number another may have now, is not named."""
    if "pid" not in holder:
        return "another process"
    if holder.get("host") not in (None, platform.node()):
        return f"process {holder['pid']} on {holder['host']} ({holder.get('command', '')})"
    now = _stat_of(holder["pid"])
    if now and holder.get("started") not in (None, now["started"]):
        return "another process"
    paused = f", paused (`kill -CONT {holder['pid']}` lets it go on)," if now.get("state") in ("T", "t") else ""
    return f"process {holder['pid']} ({holder.get('command', '')}){paused}"


def is_running(process: dict[str, Any]) -> bool:
    """Whether a process of this machine, as `this_process` named it, has not ended; True where that is not known."""
    if process.get("host") not in (None, platform.node()) or not process.get("started"):
        return True
    return _stat_of(process.get("pid")).get("started") == str(process["started"])


def described(path: Path) -> str:
    """The process in the file, in words."""
    return named(read_holder(path))


def _stat_of(pid: object) -> dict[str, str]:
    """What Linux says of a process: its state, and when it was started in ticks since the machine was; else nothing.

    The format is that of proc_pid_stat(5); the clock that people set does not come into it.
    """
    try:
        fields = Path(f"/proc/{int(str(pid))}/stat").read_text().rpartition(")")[2].split()
        return {"state": fields[0], "started": fields[19]}
    except (OSError, ValueError, IndexError):
        return {}
