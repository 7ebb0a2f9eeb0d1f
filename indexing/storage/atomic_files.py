"""Files that are whole or not there: written beside their place and renamed into it. Nobody else may read them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def write_atomically(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write a file, texts in UTF-8; with ``durable`` its content is on the disk before it has its name.

    Raises OSError, and leaves what was there before.
    """
    with replacing(path, durable=durable) as unfinished, unfinished.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Gives a path to an empty file beside ``path``; what the block writes there takes the place of ``path``."""
    private_folder(path.parent)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        yield unfinished
        if durable:
            on_the_disk(unfinished)
        unfinished.replace(path)
        if durable:
            on_the_disk(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone; one that is there stays as it is."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(FOLDER_MODE, exist_ok=True)


def on_the_disk(path: Path) -> None:
    """Return once a file's content, or the names in a folder, would survive a power cut."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # a file system without folders that can be synced
            raise
    finally:
        os.close(opened)


def make_private(path: Path) -> None:
    """Take from others the right to read a file, or a folder with all that is in it; never through a link."""
    if path.is_symlink():
        return
    _restrict(path)
    for place, folders, names in os.walk(path):
        for name in (*folders, *names):
            _restrict(Path(place) / name)


def _restrict(path: Path) -> None:
    wanted = FOLDER_MODE if path.is_dir() else FILE_MODE
    with contextlib.suppress(FileNotFoundError):  # gone meanwhile
        if not path.is_symlink() and path.stat().st_mode & 0o777 != wanted:
            path.chmod(wanted)
