"""An index's folder: what it was made with, who holds it, and the bytes of its documents.

<folder>/index.json      format, encoder, how vectors are kept (manifest.py); index.backup.json says the same
<folder>/lock            held by the process that writes (sharing.py)
<folder>/writer.json     which one that is
<folder>/milvus.db/      Milvus Lite
<folder>/derived/        what readers open, made from Milvus Lite's rows (snapshot/)
<folder>/multivectors/   see multivector_files.py
<folder>/words/          see kept_words.py
<folder>/documents/      the indexed files by their ids (kept_documents.py)

What lies where, and in which order it is written: docs/format.md.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

from pagesight.indexing.configuration.index_place import holds_index
from pagesight.indexing.errors import (
    IndexWarning,
    PageIndexError,
    StorageFull,
)
from pagesight.indexing.storage.atomic_files import make_private, write_atomically
from pagesight.indexing.storage.checked_json import read_checked, read_json, write_checked
from pagesight.indexing.storage.kept_documents import KeptDocuments
from pagesight.indexing.storage.kept_words import KeptWords
from pagesight.indexing.storage.manifest import FORMAT, Manifest, damaged, read_manifest
from pagesight.indexing.storage.page_files import DamagedFile
from pagesight.indexing.storage.shared_documents import SharedDocuments

# What libraries and the agent write here, as the user's umask says; the folder, where we made it, is private before.
_MADE_BY_LIBRARIES = ("lock", "milvus.db", "derived")
_AGENTS_FOLDERS = ("uploads", "evidence", "attached")
_AGENTS_DATABASES = ("threads.db", "service-threads.db")
_MADE_BY_AGENT = (*_AGENTS_DATABASES, *_AGENTS_FOLDERS, "identity", "costs.jsonl", "sweeps.jsonl", "chat-history")
#: What notes the files of the closed Milvus Lite (sealed_files.py).
SEAL = "milvus.json"
#: Where an import unpacks its archive; it is there until all rows are taken in (integrity/archive.py).
UNPACKED = "import.part"
_MANIFEST, _COPY = "index.json", "index.backup.json"
_OF_PAGES = ("derived", "milvus.db", "documents", "pages", "multivectors", "words")
_HELD = ("writer.json", "holder.json", SEAL, UNPACKED, "documents", "pages", "multivectors", "words", "removed")
_OWN = (_MANIFEST, _COPY, *_HELD, *_MADE_BY_LIBRARIES, *_MADE_BY_AGENT)
#: What lies beside them: SQLite's, the locks of conversations, and what is not whole yet.
_BESIDE = ("-wal", "-shm", "-journal", ".locks", ".part")


class IndexFolder:
    """The folder of one index; of one on a server, what this machine keeps of it."""

    def __init__(self, path: Path, shared: SharedDocuments | None = None) -> None:
        self.path = path
        self.documents = KeptDocuments(path / "documents", shared)
        self.words = KeptWords(path / "words")

    @property
    def exists(self) -> bool:
        """Whether there is an index in the folder."""
        return holds_index(self.path)

    def manifest(self) -> Manifest | None:
        """What the index was made with; None for a new index."""
        if not self.exists:
            return None
        try:
            recorded = read_json(self.path / _MANIFEST)
        except (ValueError, OSError) as error:
            raise self._damaged(error) from error
        manifest, copy = read_manifest(recorded, self.path), self.manifest_copy()
        if copy and manifest.is_before(copy):  # the copy is written first, and a writer was cut off then
            return copy
        if copy not in (None, manifest):
            warnings.warn(
                f"{self.path / _MANIFEST} says other things than its copy, {_COPY}. If you have not changed it, "
                f"`pagesight repair --index {self.path}` puts the copy in its place.",
                IndexWarning,
                stacklevel=2,
            )
        return manifest

    def manifest_as_written(self) -> Manifest | None:
        """What the manifest says, or its copy where a writer was cut off between the two; None where it is not whole.

        Without a word where the two differ otherwise, which whoever opened the index has heard.
        """
        try:
            written = read_manifest(read_json(self.path / _MANIFEST), self.path)
        except (OSError, ValueError, PageIndexError):
            return None
        copy = self.manifest_copy()
        return copy if written.is_before(copy) else written

    def manifest_copy(self) -> Manifest | None:
        """What the copy of the manifest says; None where there is none that is whole."""
        try:
            return read_manifest(read_checked(self.path / _COPY), self.path)
        except (OSError, ValueError, PageIndexError):
            return None

    def manifest_damage(self, manifest: Manifest | None = None) -> list[DamagedFile]:
        """What is wrong with the manifest, or the one that was read from it, and with its copy."""
        copy = self.manifest_copy()
        if manifest is None:
            try:
                manifest = read_manifest(read_json(self.path / _MANIFEST), self.path)
            except (OSError, ValueError, PageIndexError) as error:
                return [DamagedFile(self.path / _MANIFEST, "it is gone" if _is_gone(error) else str(error))]
        if copy is None:
            without = manifest.format < FORMAT
            return [] if without else [DamagedFile(self.path / _COPY, "it is gone, or not as it was written")]
        return (
            []
            if copy == manifest or manifest.is_before(copy)
            else [DamagedFile(self.path / _MANIFEST, f"it says other things than {_COPY}")]
        )

    def note_manifest(self, manifest: Manifest) -> None:
        """Note what an index is made with."""
        write_checked(self.path / _COPY, manifest.as_dict())
        write_atomically(self.path / _MANIFEST, json.dumps(manifest.as_dict(), indent=2) + "\n", durable=True)

    def clear(self) -> None:
        """Remove what an index without documents keeps for its pages, also of those that were not finished."""
        (self.path / SEAL).unlink(missing_ok=True)
        for name in _OF_PAGES:
            if (self.path / name).exists():
                shutil.rmtree(self.path / name)

    def _damaged(self, error: Exception) -> PageIndexError:
        if self.manifest_copy() is None:
            return damaged(self.path, error)
        why = "it is gone" if _is_gone(error) else str(error)
        return PageIndexError(
            f"{self.path / _MANIFEST}, which says what the index was made with, is damaged ({why}). Its copy is whole: "
            f"`pagesight repair --index {self.path}` puts that in its place."
        )

    def make_private(self, *, written: bool = True) -> None:
        """Take from others the right to read what the agent wrote here and, if it was ``written`` to, libraries."""
        for name in (*(_MADE_BY_LIBRARIES if written else ()), *_MADE_BY_AGENT):
            with contextlib.suppress(OSError):  # a medium that nothing can be written to
                make_private(self.path / name)


def refuse_links(path: Path, *, below: bool = False) -> None:
    """Raise PageIndexError for a symbolic link among what an index has in its folder, with ``below`` at any depth.

    Through one, what is written to an index, or removed from it, would be so elsewhere. The folder itself may be one.
    What the agent keeps is small, and looked through at any depth each time.
    """
    beside = [f"{name}{more}" for name in _OWN for more in _BESIDE]
    for name in (*_OWN, *beside):
        for link in _links(path / name, below or name in _AGENTS_FOLDERS or name.endswith(".locks")):
            raise PageIndexError(
                f"{link} is a symbolic link, and an index has none: what is written to it or removed from it stays in "
                "its folder. Put what it leads to in its place, or remove it if it is not yours."
            )


def _links(path: Path, below: bool) -> Iterator[Path]:
    if path.is_symlink():
        yield path
    elif below and path.is_dir():
        found: list[os.DirEntry[str]] = []
        # Another process may have removed the folder meanwhile.
        with contextlib.suppress(FileNotFoundError), os.scandir(path) as entries:
            found = list(entries)
        for entry in found:
            if entry.is_symlink():
                yield Path(entry.path)
            elif entry.is_dir():
                yield from _links(Path(entry.path), below)


def _is_gone(error: Exception) -> bool:
    return isinstance(error, FileNotFoundError)


@contextlib.contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turns the errors of the file system inside the block into StorageFull or PageIndexError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"{what}: the disk is full. Free some space and run the same command again; what was written stays."
            ) from error
        raise PageIndexError(f"{what}: {error.strerror or error}.") from error
