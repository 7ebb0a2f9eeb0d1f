"""Whether Milvus Lite's files would lead it out of its folder: it opens, writes and removes what they name.

It joins the names of partitions and files in its manifest, and of partitions in its log, to paths as they are
(milvus_lite 3.2: storage/manifest.py, engine/recovery.py, engine/compaction.py). Ours has one partition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pagesight.indexing.storage.page_files import DamagedFile

_OUT = "it names what Milvus Lite has not, or what lies elsewhere"
_PARTITION = "_default"
_LOGGED = {_PARTITION, "_all"}  # what is removed is logged as removed from all partitions
_FILE = re.compile(r"(?:data|delta)/[A-Za-z0-9_-]+\.parquet")
_SEALED = re.compile(r"collections/(?:[A-Za-z0-9_-]+/)+[A-Za-z0-9_.-]*[A-Za-z0-9_-]\.(?:parquet|idx|json)")


def led_out(database: Path) -> Iterator[DamagedFile]:
    """The files that name something outside the folder, before Milvus Lite has opened them."""
    for collection in sorted((database / "collections").glob("*")):
        for name in ("manifest.json", "manifest.json.prev"):
            if not _names_its_own(collection / name):
                yield DamagedFile(collection / name, _OUT)
        if (collection / "wal").is_dir() and not _logs_its_own(collection / "wal"):
            yield DamagedFile(collection / "wal", _OUT)


def is_sealed_name(name: object, entry: object) -> bool:
    """Whether a list of Milvus Lite's files can have this name, and these: size, time in nanoseconds, checksum."""
    if not isinstance(name, str) or not _SEALED.fullmatch(name) or not isinstance(entry, list) or len(entry) != 3:
        return False
    size, modified, checksum = entry
    return isinstance(size, int) and isinstance(modified, int) and isinstance(checksum, str)


def _names_its_own(manifest: Path) -> bool:
    """Whether it names files of its partition alone; one that cannot be read is none of which it names any."""
    try:
        partitions = json.loads(manifest.read_bytes()).get("partitions", {})
    except (OSError, ValueError, AttributeError, RecursionError):
        return True
    return isinstance(partitions, dict) and all(
        name == _PARTITION and isinstance(kept, dict) and all(map(_is_file, _listed(kept)))
        for name, kept in partitions.items()
    )


def _listed(kept: dict[str, Any]) -> Iterator[Any]:
    for files in kept.values():
        yield from files if isinstance(files, list) else [files]


def _is_file(name: object) -> bool:
    return isinstance(name, str) and _FILE.fullmatch(name) is not None


def _logs_its_own(log: Path) -> bool:
    """Whether what waits in the log is all of its partition; what cannot be read, Milvus Lite leaves out or refuses."""
    from milvus_lite.storage.wal import WAL

    for number in WAL.find_wal_files(str(log)):
        try:
            batches = [batch for kind in WAL.recover(str(log), number) for batch in kind]
            named = {name for batch in batches for name in batch.column("_partition").unique().to_pylist()}
        except (OSError, KeyError, ValueError):  # none of a log
            continue
        if named - _LOGGED:
            return False
    return True
