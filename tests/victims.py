"""Processes that are killed in the middle of their work, forked from one that has imported all they need."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from small_index import small_settings

context = multiprocessing.get_context("forkserver")
_INDEXING = ("index", "milvus.page_rows", "integrity.repair", "integrity.archive")
context.set_forkserver_preload(["small_index", "documents", *(f"pagesight.indexing.{name}" for name in _INDEXING)])


class Victim(context.Process):  # type: ignore[name-defined]
    """A process with the environment of the one that made it: the fork server has that of the first who asked it."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        super().__init__(target=work, args=arguments)
        self._environment = dict(os.environ)

    def run(self) -> None:
        os.environ.update(self._environment)
        super().run()


def adding(folder: Path, files: Path, told: Connection) -> None:
    """Indexes files and tells after each batch how many pages are done."""
    from pagesight.indexing import PageIndex

    with PageIndex.open(folder, settings=small_settings()) as index:
        told.send(0)
        index.add(files, progress=lambda progress: told.send(progress.done_pages))


def removing(folder: Path, names: list[str], told: Connection) -> None:
    """Removes documents one by one and tells how many are gone."""
    from pagesight.indexing import PageIndex

    with PageIndex.open(folder, settings=small_settings()) as index:
        told.send(0)
        for count, name in enumerate(names, 1):
            index.remove(name)
            told.send(count)


def killed(work: Callable[..., None], *arguments: object, after: int, delay: float) -> int:
    """Starts the work, kills it some seconds after it told ``after`` or more; returns the last that it told."""
    hears, tells = context.Pipe(duplex=False)
    process = Victim(work, *arguments, tells)
    process.start()
    tells.close()
    last = 0
    with contextlib.suppress(EOFError):  # it was done before
        last = hears.recv()
        while last < after:
            last = hears.recv()
        time.sleep(delay)
    process.kill()
    with contextlib.suppress(EOFError):
        while True:
            last = hears.recv()
    process.join()
    return last


#: What changes files, or the rows of Milvus: a process can end before each of these.
_STEPS = ("fsync", "replace", "rename", "unlink", "rmdir", "mkdir")

_State = tuple[int, int]  # size and time of change


class UnsyncedPages:
    """What is on the disk for sure of the files below a folder: at power loss, the rest is gone or halved.

    That of a file is what it had at first, or when it was last synced.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._safe: dict[int, _State] = {status.st_ino: _state(status) for _, status in self._files()}

    def synced(self, file: int) -> None:
        """Note that an open file, or folder, was synced."""
        status = os.fstat(file)
        self._safe[status.st_ino] = _state(status)

    def lose(self, seed: int) -> None:
        """Take away what is not on the disk for sure: all of a file or its second half."""
        chance = random.Random(seed)
        for path, status in sorted(self._files()):
            if self._safe.get(status.st_ino) != _state(status):
                os.truncate(path, chance.choice([0, status.st_size // 2]))

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for place, _, names in os.walk(self._folder):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    yield Path(place) / name, (Path(place) / name).stat()


def _state(status: os.stat_result) -> _State:
    return status.st_size, status.st_mtime_ns


def cut_off(folder: Path, work: str, argument: str, at: int, power: bool, told: Connection) -> None:
    """Does the work in an index and ends, as if it was killed, before the step with that number; tells how many there
    were if it gets to its end. With ``power`` the machine ends with it: what was not synced is lost.

    The work is a method of `PageIndex`, or "prepare" into a folder of shards."""
    from pagesight.indexing import PageIndex, prepare
    from pagesight.indexing.milvus.connection import Connection as Milvus

    count, fsync = 0, os.fsync
    unsynced = UnsyncedPages(folder)

    def counted(name: str, step: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **options: object) -> object:
            nonlocal count
            if count == at:
                if power:
                    unsynced.lose(at)
                os._exit(9)
            count += 1
            return step(*arguments, **options)

        return wrapped

    def syncs(file: int) -> None:
        fsync(file)
        unsynced.synced(file)

    index = None if work == "prepare" else PageIndex.open(folder, settings=small_settings())
    do = getattr(index, work) if index else partial(prepare, out=folder, settings=small_settings())
    os.fsync = syncs  # type: ignore[assignment]
    for name in _STEPS:
        setattr(os, name, counted(name, getattr(os, name)))
    for name in ("upsert", "delete"):
        setattr(Milvus, name, counted(name, getattr(Milvus, name)))
    do(argument)
    if index:
        index.close()
    told.send(count)


def steps_done(folder: Path, work: str, argument: str, at: int, *, power: bool = False) -> int | None:
    """Does the work in a process of its own until before a step; the number of steps if it got to its end."""
    hears, tells = context.Pipe(duplex=False)
    process = Victim(cut_off, folder, work, argument, at, power, tells)
    process.start()
    tells.close()
    done = None
    with contextlib.suppress(EOFError):
        done = hears.recv()
    process.join()
    assert process.exitcode in (0, 9)
    return done
