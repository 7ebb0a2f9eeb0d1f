"""An index's folder: what it was made with, who holds it, and the bytes of its documents.

<folder>/index.json      format, encoder, how vectors are kept (manifest.py); index.backup.json says the same
<folder>/lock            held by the process that has the index open, or serves it
<folder>/holder.json     which one that is
<folder>/milvus.db/      Milvus Lite
<folder>/multivectors/   see multivector_files.py
<folder>/documents/      the indexed files by their ids (kept_documents.py)

What lies where, and in which order it is written: docs/format.md.
"""

from __future__ import annotations

import contextlib
import errno
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pagesight.indexing.errors import (
    IndexInUse,
    IndexWarning,
    PageIndexError,
    StorageFull,
)
from pagesight.indexing.index_place import holds_index, index_missing
from pagesight.indexing.storage.atomic_files import make_private, private_folder, write_atomically
from pagesight.indexing.storage.checked_json import read_checked, write_checked
from pagesight.indexing.storage.kept_documents import KeptDocuments
from pagesight.indexing.storage.manifest import FORMAT, Manifest, damaged, read_manifest
from pagesight.indexing.storage.page_files import DamagedFile
from pagesight.indexing.storage.sharing import described, read_holder, this_process

# What libraries and the agent write here, as the user's umask says; the folder, where we made it, is private before.
_MADE_BY_OTHERS = (
    *("lock", "writer.lock", "milvus.db", "derived"),
    *("threads.db", "uploads", "evidence", "costs.jsonl", "chat-history"),
)
#: What notes the files of the closed Milvus Lite (sealed_files.py).
SEAL = "milvus.json"
_MANIFEST, _COPY = "index.json", "index.backup.json"
_SERVED_AT = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")  # only ever this machine


class IndexFolder:
    """The folder of one index; of one on a server, what this machine keeps of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.documents = KeptDocuments(path / "documents")
        self._lock = FileLock(path / "lock", timeout=0)

    @property
    def exists(self) -> bool:
        """Whether there is an index in the folder."""
        return holds_index(self.path)

    @property
    def held(self) -> bool:
        """Whether this process has taken the index."""
        return bool(self._lock.is_locked)

    def hold(self, *, create: bool) -> None:
        """Take the index for this process. Raises IndexMissing, IndexInUse, PageIndexError for a bad folder."""
        if not self.exists and not create:
            raise index_missing(self.path)
        with disk_errors(f"the index folder {self.path} cannot be used"):
            private_folder(self.path)
            try:
                self._lock.acquire()
            except Timeout:
                raise IndexInUse(self._in_use()) from None
            self.say_held()

    def say_held(self, **more: str) -> None:
        """Tell others who holds the index, such as the address at which it is served."""
        write_atomically(self.path / "holder.json", json.dumps(this_process() | more))

    def served_at(self) -> str | None:
        """The address at which the process that holds the index serves it; None if nobody does."""
        address = read_holder(self.path / "holder.json").get("address")
        if not _SERVED_AT.fullmatch(str(address)) or not self.path.is_dir():
            return None
        try:
            with self._lock:
                return None  # that process has ended, and could not say so
        except Timeout:
            return str(address)

    def served_token(self) -> str:
        """What the process that serves the index asks for; only its user can read it."""
        return str(read_holder(self.path / "holder.json").get("token", ""))

    def manifest(self) -> Manifest | None:
        """What the index was made with; None for a new index."""
        if not self.exists:
            return None
        try:
            recorded = json.loads((self.path / _MANIFEST).read_bytes().decode())
        except (ValueError, OSError) as error:
            raise self._damaged(error) from error
        manifest = read_manifest(recorded, self.path)
        if self.manifest_copy() not in (None, manifest):
            warnings.warn(
                f"{self.path / _MANIFEST} says other things than its copy, {_COPY}. If you have not changed it, "
                f"`pagesight repair --index {self.path}` puts the copy in its place.",
                IndexWarning,
                stacklevel=2,
            )
        return manifest

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
                manifest = read_manifest(json.loads((self.path / _MANIFEST).read_bytes().decode()), self.path)
            except (OSError, ValueError, PageIndexError) as error:
                return [DamagedFile(self.path / _MANIFEST, "it is gone" if _is_gone(error) else str(error))]
        if copy is None:
            without = manifest.format < FORMAT
            return [] if without else [DamagedFile(self.path / _COPY, "it is gone, or not as it was written")]
        return [] if copy == manifest else [DamagedFile(self.path / _MANIFEST, f"it says other things than {_COPY}")]

    def note_manifest(self, manifest: Manifest) -> None:
        """Note what an index is made with."""
        write_checked(self.path / _COPY, manifest.as_dict())
        write_atomically(self.path / _MANIFEST, json.dumps(manifest.as_dict(), indent=2) + "\n", durable=True)

    def _damaged(self, error: Exception) -> PageIndexError:
        if self.manifest_copy() is None:
            return damaged(self.path, error)
        why = "it is gone" if _is_gone(error) else str(error)
        return PageIndexError(
            f"{self.path / _MANIFEST}, which says what the index was made with, is damaged ({why}). Its copy is whole: "
            f"`pagesight repair --index {self.path}` puts that in its place."
        )

    def close(self) -> None:
        """Let the index go, for other processes to take."""
        for name in _MADE_BY_OTHERS:
            with contextlib.suppress(OSError):  # a medium that nothing can be written to
                make_private(self.path / name)
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                (self.path / "holder.json").unlink()
            self._lock.release()

    def _in_use(self) -> str:
        return (
            f"the index in {self.path} is in use by {described(self.path / 'holder.json')}. Only one process at a time "
            "can open it, but for one that `pagesight serve` serves: wait until that one is done or end it, and run "
            f"`pagesight serve --index {self.path}` to open it several times; or use another index with --index."
        )


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
