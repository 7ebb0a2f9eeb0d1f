"""An index's folder: what it was made with, who holds it, and the bytes of its documents.

<folder>/index.json      format, encoder, how vectors are kept (manifest.py)
<folder>/lock            held by the process that has the index open, or serves it
<folder>/holder.json     which one that is
<folder>/milvus.db/      Milvus Lite
<folder>/multivectors/   see multivector_files.py
<folder>/documents/      the indexed files by their ids, hard-linked where the disk can
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pagesight.indexing.documents.sources import Source, hash_file
from pagesight.indexing.errors import (
    IndexInUse,
    PageIndexError,
    StorageFull,
    UnreadableDocument,
)
from pagesight.indexing.index_place import holds_index, index_missing
from pagesight.indexing.pages import PageRow, checked_document_id, is_document_id
from pagesight.indexing.storage.atomic_files import replacing, write_atomically
from pagesight.indexing.storage.manifest import Manifest, damaged, read_manifest
from pagesight.indexing.storage.sharing import described, read_holder, this_process

_SUFFIX = re.compile(r"\.\w{1,16}")  # any, for who names a file by its path; a document without is kept as well
_SERVED_AT = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")  # only ever this machine


class IndexFolder:
    """The folder of one index; of one on a server, what this machine keeps of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
            self.path.mkdir(parents=True, exist_ok=True)
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

    def keep(self, source: Source) -> None:
        """Keep the document's bytes under its id, so that its pages can be shown after the original moved."""
        kept = self._kept_path(source.document_id, source.path.suffix)
        if kept.exists():
            return
        with replacing(kept) as unfinished:
            try:
                os.link(source.path, unfinished)
            except OSError:  # another disk, or one without links
                shutil.copy2(source.path, unfinished)

    def kept(self, row: PageRow) -> Path:
        """The document that a page is in, known to hold the bytes that were indexed. Raises UnreadableDocument.

        The kept one; or, of an index on a server to which another machine added it, what is at the same path here.
        """
        path = self._kept_path(row.document_id, Path(row.path).suffix)
        if not _is_there(path):
            path = Path(row.path)
            if not _is_there(path) or hash_file(path) != row.document_id:
                raise UnreadableDocument(
                    f"this machine has no copy of {row.document}, which was {row.path} when it was indexed: its pages "
                    "can be found, and not be shown. Index the same file here, which only makes the copy: "
                    "`pagesight index PATH`."
                )
        # A hard link shares its bytes with the original: writing into that one in place changes the kept one too.
        elif path.stat().st_mtime_ns != row.modified and hash_file(path) != row.document_id:
            raise UnreadableDocument(
                f"the document was changed in place since it was indexed ({path}). Index it again: "
                "`pagesight index PATH`."
            )
        return path

    def kept_ids(self) -> set[str]:
        """The ids of the documents of which there are bytes here: each that is indexed, was to be, or was removed."""
        return {name for name in map(_id_of, self._kept_files()) if is_document_id(name)}

    def forget(self, document_id: str) -> None:
        """Remove the kept bytes of a document."""
        checked_document_id(document_id)
        for path in self._kept_files():
            if _id_of(path) == document_id:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the index go, for other processes to take."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                (self.path / "holder.json").unlink()
            self._lock.release()

    def _kept_path(self, document_id: str, suffix: str) -> Path:
        usual = suffix.lower() if _SUFFIX.fullmatch(suffix) else ""
        return self.path / "documents" / f"{checked_document_id(document_id)}{usual}"

    def _kept_files(self) -> list[Path]:
        folder = self.path / "documents"
        return [path for path in folder.iterdir() if not path.is_dir()] if folder.is_dir() else []

    def _in_use(self) -> str:
        return (
            f"the index in {self.path} is in use by {described(self.path / 'holder.json')}. Only one process at a time "
            "can open it, but for one that `pagesight serve` serves: wait until that one is done or end it, and run "
            f"`pagesight serve --index {self.path}` to open it several times; or use another index with --index."
        )


def _is_there(path: Path) -> bool:
    """Whether there is a file; a path that the system cannot have leads to none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _id_of(kept: Path) -> str:
    return kept.name.partition(".")[0]


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
