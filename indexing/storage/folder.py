"""An index's folder: what it was made with, who holds it, and the bytes of its documents.

<folder>/index.json      format, encoder, how vectors are kept (manifest.py)
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
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pagesight.indexing.errors import (
    IndexInUse,
    PageIndexError,
    StorageFull,
)
from pagesight.indexing.index_place import holds_index, index_missing
from pagesight.indexing.storage.atomic_files import make_private, private_folder, write_atomically
from pagesight.indexing.storage.kept_documents import KeptDocuments
from pagesight.indexing.storage.manifest import Manifest, damaged, read_manifest
from pagesight.indexing.storage.sharing import described, read_holder, this_process

# What libraries and the agent write here, as the user's umask says; the folder, where we made it, is private before.
_MADE_BY_OTHERS = (
    *("lock", "writer.lock", "milvus.db", "derived"),
    *("threads.db", "uploads", "evidence", "costs.jsonl", "chat-history"),
)
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
            recorded = json.loads((self.path / "index.json").read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise damaged(self.path, error) from error
        return read_manifest(recorded, self.path)

    def note_manifest(self, manifest: Manifest) -> None:
        """Note what a new index is made with."""
        write_atomically(self.path / "index.json", json.dumps(manifest.as_dict(), indent=2) + "\n")

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
