"""What tells whether Milvus Lite's files are those that a snapshot was made from: their names and sizes."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_OF_ROWS = {".parquet", ".arrow", ".wal", ".json"}


def stamp(database: Path) -> str:
    """Another text after each change of the rows in Milvus Lite's folder; its indexes, which it makes anew, apart.

    A writer may add and remove files meanwhile: then it is a text that no state of the files has.
    """
    files = sorted(
        Path(place) / name
        for place, _, names in os.walk(database / "collections")
        for name in names
        if Path(name).suffix in _OF_ROWS and Path(place) != database / "collections"
    )
    found = hashlib.blake2b(digest_size=16)
    for path in files:
        size = "gone"
        with contextlib.suppress(FileNotFoundError):
            size = str(path.stat().st_size)
        found.update(f"{path.relative_to(database).as_posix()} {size}\n".encode())
    return found.hexdigest() if files else "none"
