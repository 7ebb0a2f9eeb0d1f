"""Whether the files of Milvus Lite are those that it had when a writer last closed it.

Milvus Lite believes its files: one that is gone is passed over, and what its manifest does not name is deleted. So they
are looked at before it opens them. Its files of rows and vectors never change once they are written; its manifests do.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

import xxhash

from pagesight.indexing.milvus.led_out import is_sealed_name, led_out
from pagesight.indexing.storage.atomic_files import on_the_disk
from pagesight.indexing.storage.checked_json import read_checked, write_checked
from pagesight.indexing.storage.page_files import DamagedFile

_log = logging.getLogger(__name__)

_MANIFEST = "manifest.json"
_BLOCK = 1 << 20
_PARQUET = b"PAR1"  # https://parquet.apache.org/docs/file-format/


def seal(database: Path, path: Path) -> None:
    """Note the closed database's files in ``path``. Raises OSError."""
    known, _ = _sealed(path)
    sealed = {}
    changed: set[Path] = set()
    for file in _files(database):
        name, status = file.relative_to(database).as_posix(), file.stat()
        before = known.get(name)
        if before and before[:2] == [status.st_size, status.st_mtime_ns]:
            sealed[name] = before
        else:
            sealed[name] = [status.st_size, status.st_mtime_ns, _hash(file)]
            changed |= {file, *file.parents[: len(file.relative_to(database).parts)]}
    for one in sorted(changed, reverse=True):
        on_the_disk(one)  # Milvus Lite does not see to it that its files of rows are
    versions = {name: _version(database / name) for name in sealed if name.endswith(_MANIFEST)}
    content = {"files": sealed, "versions": versions}
    if content != {"files": known, "versions": versions} or not path.exists():
        write_checked(path, content)


def clear_others(database: Path, collections: Collection[str]) -> None:
    """Remove the files of all but these collections, before Milvus Lite has opened them; the next call ends it."""
    for folder in (database / "collections").glob("*"):
        if folder.name not in collections:
            shutil.rmtree(folder, ignore_errors=True)


def clear_unsealed_indexes(database: Path, path: Path) -> None:
    """Remove files of indexes over vectors that were written since the seal, which a crash may have left half.

    Milvus Lite makes them anew. For who holds the folder's `WriterLock`.
    """
    sealed, _ = _sealed(path)
    for file in (database / "collections").rglob("*.idx"):
        if file.relative_to(database).as_posix() not in sealed and not file.is_symlink():
            file.unlink(missing_ok=True)


def unsealed_damage(database: Path, path: Path, collections: Collection[str] | None = None) -> list[DamagedFile]:
    """The files that are damaged or gone, before Milvus Lite has opened them; of these collections alone, if not None.

    Damaged files of indexes over vectors are removed: Milvus Lite makes them anew.
    """
    if found := [*led_out(database)]:
        return found
    sealed, versions = _sealed(path)
    files = {name: entry for name, entry in sealed.items() if _is_of(PurePath(name), collections)}
    every = database.glob(f"collections/*/{_MANIFEST}")
    manifests = [manifest for manifest in every if _is_of(manifest.relative_to(database), collections)]
    found = [*_manifests(database, manifests, files, versions)]
    named = {file for manifest in manifests for file in _named_by(manifest)}
    found += _damaged_rows(_changed(database, files), named)
    rest = named - {one.path for one in found}
    return found + [_damage(file) for file in sorted(rest) if not _is_there(file, file.relative_to(database), files)]


def _is_of(name: PurePath, collections: Collection[str] | None) -> bool:
    """Whether a file, by its path below the database, is one of these collections'; None is all."""
    return collections is None or name.parts[1] in collections


def _damaged_rows(changed: Iterable[Path], named: Collection[Path]) -> Iterator[DamagedFile]:
    """Those of the changed files that are missed; indexes over vectors are removed."""
    for file in changed:
        if file.suffix == ".idx":
            _log.debug("%s is damaged or gone; Milvus Lite makes it anew", file)
            file.unlink(missing_ok=True)
        elif file.exists() or file in named or file.name == "schema.json":
            yield _damage(file)


def _changed(database: Path, files: dict[str, Any]) -> list[Path]:
    """The sealed files but manifests that are gone or not as they were."""
    return [
        database / name
        for name, (size, _, checksum) in files.items()
        if not name.endswith(_MANIFEST) and not _is(database / name, size, checksum)
    ]


def _is_there(file: Path, name: PurePath, files: dict[str, Any]) -> bool:
    """Whether a file that a manifest names is there, and one that was written since the seal has its end."""
    return file.exists() and (name.as_posix() in files or _ends_as_parquet(file))


def _sealed(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """What was noted of each file, and of each manifest its version; nothing where that cannot be read."""
    try:
        noted = read_checked(path)
        files = {name: entry for name, entry in noted["files"].items() if is_sealed_name(name, entry)}
        return files, {name: int(noted["versions"][name]) for name in files if name.endswith(_MANIFEST)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}


def _manifests(
    database: Path, manifests: Iterable[Path], files: dict[str, Any], versions: dict[str, int]
) -> Iterator[DamagedFile]:
    """The manifests that are damaged; one may be newer than the seal, after a crash, and then says so."""
    present = {path.relative_to(database).as_posix() for path in manifests}
    for name in sorted(present | {name for name in files if name.endswith(_MANIFEST)}):
        path = database / name
        size, _, checksum = files.get(name, (None, None, None))
        if checksum and path.exists() and _is(path, size, checksum):
            continue
        version = _version(path)
        if version is None or version <= versions.get(name, -1):
            yield _damage(path)


def _ends_as_parquet(file: Path) -> bool:
    """Whether a file that was written since the seal has its end: where power was lost, that may never have come."""
    content = file.read_bytes()
    return len(content) > 2 * len(_PARQUET) and content.startswith(_PARQUET) and content.endswith(_PARQUET)


def _damage(path: Path) -> DamagedFile:
    return DamagedFile(path, "it is not as it was written" if path.exists() else "it is gone")


def _is(path: Path, size: int, checksum: str) -> bool:
    try:
        return path.stat().st_size == size and _hash(path) == checksum
    except OSError:
        return False


def _version(manifest: Path) -> int | None:
    try:
        return int(json.loads(manifest.read_text())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _named_by(manifest: Path) -> Iterator[Path]:
    """The files of rows that the manifest names."""
    try:
        partitions = json.loads(manifest.read_text())["partitions"]
        for partition, kept in partitions.items():
            for name in (*kept.get("data_files", ()), *kept.get("delta_files", ())):
                yield manifest.parent / "partitions" / partition / name
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def _files(database: Path) -> Iterator[Path]:
    for pattern in ("*.parquet", "*.idx", "schema.json", _MANIFEST):
        yield from sorted((database / "collections").rglob(pattern))


def _hash(path: Path) -> str:
    state = xxhash.xxh3_64()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return str(state.hexdigest())
