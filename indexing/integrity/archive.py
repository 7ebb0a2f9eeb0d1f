"""An index in a folder as one file, and back: for backups and other machines (docs/format.md).

The archive is a ZIP file without compression. What is taken from one is checked before it is used: only names that an
index has, only what the archive's list names, no more bytes than it says, and each with its checksum.
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import xxhash

from pagesight.indexing.configuration.index_place import holds_index
from pagesight.indexing.documents.zipped import DAMAGED
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.open_index import give_back, take
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import server_address
from pagesight.indexing.storage.atomic_files import on_the_disk, private_folder, replacing
from pagesight.indexing.storage.checked_json import json_checksum
from pagesight.indexing.storage.folder import SEAL, UNPACKED, disk_errors, refuse_links
from pagesight.indexing.storage.sharing import WriterLock
from pagesight.indexing.writing.recover import begin_writing

_LIST = "archive.json"
_FOLDERS = ("documents", "multivectors", "words", "pages")
_LARGEST_LIST = 256 * 1024 * 1024  # bytes: 100 a file, for some two million files; a guess, not measured
_BLOCK = 1 << 20
_ID = "[0-9a-f]{16}"
_NAMES = re.compile(
    r"index(?:\.backup)?\.json"
    rf"|documents/{_ID}(?:\.\w{{1,16}}){{0,2}}"
    rf"|pages/{_ID}/(?:document|\d{{6,8}})\.json"
    rf"|multivectors/{_ID}/\d{{6,8}}(?:\.[A-Za-z0-9-]{{1,64}})?\.npy"
    rf"|words/{_ID}/\d{{6,8}}\.npy"
)

Told = Callable[[int, int], object]


@dataclass(frozen=True)
class Archived:
    """What went into an archive, or came out of it: documents, pages, and bytes."""

    path: Path
    documents: int
    pages: int
    size: int

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``export --json`` and ``import --json``."""
        counts = {"documents": self.documents, "pages": self.pages, "bytes": self.size}
        return {"path": str(self.path)} | counts


def export_index(place: str, archive: Path, settings: Settings, told: Told = lambda done, total: None) -> Archived:
    """Write the index in a folder into a new file; ``told`` is called with the bytes done and in all.

    Nobody may write meanwhile. Raises IndexMissing, IndexInUse, StorageFull, PageIndexError where the file is there
    already, for an index on a server, and for one with damage that `repair` would put right.
    """
    if server_address(place):
        raise PageIndexError(f"{place} is on a server: back up its collections there.")
    if archive.exists():
        raise PageIndexError(f"{archive} is there already: name a new file.")
    parts = take(place, None, settings, create=False)
    try:
        with parts.writing() as opened, disk_errors(f"the archive {archive} could not be written"):
            begin_writing(opened)
            if lost := opened.lost_documents():
                raise PageIndexError(
                    f"{len(lost)} documents of the index in {place} are damaged. Repair them first: "
                    f"`pagesight repair --index {place}`."
                )
            with replacing(archive, durable=True) as unfinished:
                size = _packed(parts.folder.path, unfinished, told)
            return _archived(archive, parts, size)
    finally:
        give_back(parts)


def import_index(archive: Path, place: str, settings: Settings, told: Told = lambda done, total: None) -> Archived:
    """Make an index in a folder of an archive; Milvus' part of it is made anew.

    Raises PageIndexError where there is an index in the folder, and for an archive that is damaged or not of this form;
    nothing is left of it then.
    """
    path = Path(place).expanduser().resolve()
    if server_address(place) or (holds_index(path) and not (path / UNPACKED).is_dir()):
        raise PageIndexError(f"there is an index in {place} already: name another with --index.")
    with disk_errors(f"the archive {archive} could not be unpacked into {path}"):
        private_folder(path)
        refuse_links(path, below=True)
        with WriterLock(path).held(settings.sharing.wait), _cleared(path):
            size = _unpacked(archive, path / UNPACKED, told)
            for name in (*_FOLDERS, "index.backup.json", "index.json"):
                if (path / UNPACKED / name).exists():
                    (path / UNPACKED / name).rename(path / name)
                    on_the_disk(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Milvus has no rows yet
        parts = take(place, None, settings, create=False)
    try:
        with parts.writing() as opened:
            begin_writing(opened)
            opened.flush()
            lost = opened.lost_documents()
        if lost:
            raise PageIndexError(
                f"{len(lost)} documents of {archive} could not be taken in: `pagesight verify` names them."
            )
        return _archived(archive, parts, size)
    finally:
        give_back(parts)


def _archived(archive: Path, parts: IndexParts, size: int) -> Archived:
    records = parts.view().documents
    return Archived(archive, len(records), sum(record.pages for record in records), size)


def _packed(index: Path, archive: Path, told: Told) -> int:
    files = sorted(
        file for file in index.rglob("*") if file.is_file() and _NAMES.fullmatch(file.relative_to(index).as_posix())
    )
    total, done = sum(file.stat().st_size for file in files), 0
    listed: dict[str, list[Any]] = {}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for file in files:
            name, state, size = file.relative_to(index).as_posix(), xxhash.xxh3_64(), 0
            with file.open("rb") as source, target.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                while block := source.read(_BLOCK):
                    entry.write(block)
                    state.update(block)
                    size += len(block)
            listed[name] = [size, state.hexdigest()]
            done += size
            told(done, total)
        content = {"archive": 1, "files": listed}
        target.writestr(_LIST, json.dumps(content | {"checksum": json_checksum(content)}, indent=0))
    return done


@contextmanager
def _cleared(path: Path) -> Iterator[None]:
    """Nothing that an archive brings lies in the folder when the block begins, nor when it fails.

    While `UNPACKED` is there, what else is there came from an import that was cut off: the first writer removes it.
    """
    _clear(path)
    private_folder(path / UNPACKED)
    try:
        yield
    except BaseException:
        _clear(path)
        raise


def _clear(path: Path) -> None:
    if (path / UNPACKED).is_dir():
        for name in ("index.json", "index.backup.json", SEAL):
            (path / name).unlink(missing_ok=True)
        for name in (*_FOLDERS, "milvus.db", "derived", UNPACKED):
            shutil.rmtree(path / name, ignore_errors=True)


def _unpacked(archive: Path, path: Path, told: Told) -> int:
    """Unpacks the archive's files. Raises PageIndexError."""
    try:
        with zipfile.ZipFile(archive) as source:
            listed = _list_of(source)
            total, done = sum(size for size, _ in listed.values()), 0
            free = shutil.disk_usage(path).free
            if total > free:
                raise ValueError(f"it says that it has {total} bytes, and the disk has {free} left")
            for name in sorted(listed, key=lambda name: name.startswith("index.")):
                size, checksum = listed[name]
                with replacing(path / PurePosixPath(name), durable=name.startswith("index.")) as unfinished:
                    _take(source, name, size, checksum, unfinished)
                done += size
                told(done, total)
    except (*DAMAGED, TypeError) as error:
        raise PageIndexError(f"{archive} is no archive of an index, or it is damaged: {error}.") from error
    return done


def _list_of(source: zipfile.ZipFile) -> dict[str, tuple[int, str]]:
    """The names that the archive lists, with sizes and checksums. Raises ValueError."""
    names = [entry.filename for entry in source.infolist()]
    if len(set(names)) != len(names):
        raise ValueError("it has a name twice")
    if source.getinfo(_LIST).file_size > _LARGEST_LIST:
        raise ValueError("its list is too long")
    with source.open(_LIST) as file:
        content = json.loads(file.read(_LARGEST_LIST).decode())
    if content.pop("checksum", None) != json_checksum(content) or content.get("archive") != 1:
        raise ValueError("its list is damaged, or of a later version")
    listed = {str(name): (int(size), str(checksum)) for name, (size, checksum) in content["files"].items()}
    for name in {*names, *listed} - {_LIST}:
        if name not in listed or name not in names or not _NAMES.fullmatch(name):
            raise ValueError(f"it has {name[:80]!r}, which an index has not or its list does not name")
    if "index.json" not in listed:
        raise ValueError("it does not say what the index was made with")
    return listed


def _take(source: zipfile.ZipFile, name: str, size: int, checksum: str, target: Path) -> None:
    """Writes one file, no more of it than the list says. Raises ValueError."""
    entry, state, read = source.getinfo(name), xxhash.xxh3_64(), 0
    if entry.file_size != size or entry.compress_type != zipfile.ZIP_STORED or entry.is_dir():
        raise ValueError(f"{name} is not as its list says")
    with source.open(entry) as file, target.open("wb") as written:
        while block := file.read(_BLOCK):
            read += len(block)
            if read > size:
                raise ValueError(f"{name} is longer than its list says")
            state.update(block)
            written.write(block)
    if read != size or state.hexdigest() != checksum:
        raise ValueError(f"{name} is damaged")
