"""The indexed documents' bytes, kept under their ids: copies, so that no change to a source reaches them.

A copy shares its blocks with the source where the file system can (reflinks of Btrfs, XFS, bcachefs); it is never a
second name of the same file.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.sources import Source, hash_file, identify
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.pages import PageRow, checked_document_id, is_document_id
from pagesight.indexing.storage.atomic_files import make_private, private_folder, replacing
from pagesight.indexing.storage.shared_documents import SharedDocuments

_SUFFIX = re.compile(r"\.\w{1,16}")  # any, for who names a file by its path; a document without is kept as well
_FICLONE = 0x40049409  # <linux/fs.h>


class KeptDocuments:
    """The folder of kept documents; with ``shared`` also in a place for all machines, from where they are fetched."""

    def __init__(self, folder: Path, shared: SharedDocuments | None = None) -> None:
        self._folder, self.shared = folder, shared
        self._known: dict[Path, tuple[object, str]] = {}  # a file's state, and its id in that state

    def keep(self, source: Source) -> bool:
        """Keep the document's bytes, so that its pages can be shown after the original moved; says whether it had to.

        Raises UnreadableDocument if the source is not what it was when it was hashed.
        """
        kept = self.path(source.document_id, source.path.suffix)
        had_to = self._id(kept) != source.document_id
        if had_to:
            with replacing(kept, durable=True) as unfinished:
                _copy(source.path, unfinished)
                if hash_file(unfinished) != source.document_id:
                    raise UnreadableDocument(f"{source.path} was changed while it was read. Index it again.")
        self._share(kept)
        return had_to

    def of(self, row: PageRow) -> Path:
        """The document that a page is in, known to hold the bytes that were indexed. Raises UnreadableDocument.

        The kept one; or, where that one is damaged or not here, what is at the path where it was indexed, or what all
        machines share, of which a copy is then kept here.
        """
        kept = self.path(row.document_id, Path(row.path).suffix)
        for path in (kept, Path(row.path)):
            if self._id(path) == row.document_id:
                return path
        if self.bring(kept, row.document_id):
            return kept
        if is_there(kept):
            raise UnreadableDocument(
                f"the kept copy of {row.document} is damaged ({kept}): it was changed in place. Index the document "
                "again: `pagesight index PATH`."
            )
        raise UnreadableDocument(
            f"this machine has no copy of {row.document}, which was {row.path} when it was indexed"
            f"{f', nor has {self.shared.place}' if self.shared else ''}: its pages can be found, and not be shown. "
            "Index the same file here, which only makes the copy: `pagesight index PATH`."
        )

    def bring(self, kept: Path, document_id: str = "") -> bool:
        """Fetch a file from where all machines share it; says whether it is there. Raises UnreadableDocument.

        Also where its bytes are not those of the document, if one is given.
        """
        if self.shared is None or not self.shared.holds(kept.name):
            return False
        private_folder(kept.parent)
        unfinished = kept.with_name(f"{kept.name}.{uuid.uuid4().hex}.part")  # other processes may fetch it, too
        try:
            self.shared.fetch(kept.name, unfinished)
            if document_id and hash_file(unfinished) != document_id:
                raise UnreadableDocument(
                    f"{self.shared.place}{kept.name} is damaged: it is not what was indexed. Remove it there, and "
                    "index the document again: `pagesight index PATH`."
                )
            unfinished.replace(kept)
        finally:
            unfinished.unlink(missing_ok=True)
        return True

    def shown(self, row: PageRow) -> Path:
        """The file whose page is shown: the document, or the PDF that was made of it. Raises UnreadableDocument."""
        document = self.of(row)
        if identify(document) not in DRAWN_KINDS:
            return document
        drawn = self.drawn(row.document_id, Path(row.path).suffix)
        if not is_there(drawn) and not self.bring(drawn):
            raise UnreadableDocument(
                f"the PDF that was made of {row.document} is gone ({drawn}). Make it again: `pagesight index PATH`."
            )
        return drawn

    def drawn(self, document_id: str, suffix: str) -> Path:
        """Where the PDF is kept that was made of a document with that suffix which is none."""
        kept = self.path(document_id, suffix)
        return kept.with_name(f"{kept.name}.pdf")

    def keep_drawn(self, source: Source, make: Callable[[Path], bytes]) -> Path:
        """Keep the source and, unless it is there, the PDF that ``make`` makes of its kept bytes; gives the PDF's path.

        Raises UnreadableDocument, as `keep` and ``make`` do.
        """
        self.keep(source)
        drawn = self.drawn(source.document_id, source.path.suffix)
        if not is_there(drawn):
            content = make(self.path(source.document_id, source.path.suffix))
            with replacing(drawn, durable=True) as unfinished:
                unfinished.write_bytes(content)
        self._share(drawn)
        return drawn

    def is_kept(self, row: PageRow) -> bool:
        """Whether the document that a page is in is kept, with the bytes that were indexed, and can be shown.

        Where machines share documents, also whether it is there.
        """
        suffix = Path(row.path).suffix
        kept = self.path(row.document_id, suffix)
        if self._id(kept) != row.document_id or (self.shared and not self.shared.holds(kept.name)):
            return False
        return identify(kept) not in DRAWN_KINDS or is_there(self.drawn(row.document_id, suffix))

    def own(self) -> None:
        """Turn hard links, which earlier versions made, into copies; nobody else may read them."""
        for path in self._files():
            if path.is_file() and path.stat().st_nlink > 1:
                with replacing(path, durable=True) as unfinished:
                    _copy(path, unfinished)
            make_private(path)

    def ids(self) -> set[str]:
        """The ids of the documents of which there are bytes here: each that is indexed, was to be, or was removed."""
        return {name for name in map(_id_of, self._files()) if is_document_id(name)}

    def forget(self, document_id: str) -> None:
        """Remove the kept bytes of a document, for all machines."""
        for path in self.files_of(document_id):
            path.unlink(missing_ok=True)
        if self.shared:
            self.shared.remove(document_id)

    def files_of(self, document_id: str) -> list[Path]:
        """The kept files of a document: one, unless it was indexed under several suffixes."""
        checked_document_id(document_id)
        return [path for path in self._files() if _id_of(path) == document_id]

    def path(self, document_id: str, suffix: str) -> Path:
        """Where a document with that suffix is kept."""
        usual = suffix.lower() if _SUFFIX.fullmatch(suffix) else ""
        return self._folder / f"{checked_document_id(document_id)}{usual}"

    def _share(self, kept: Path) -> None:
        if self.shared:
            self.shared.put(kept)

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if not path.is_dir()] if self._folder.is_dir() else []

    def _id(self, path: Path) -> str:
        """The id that the file's bytes give it; empty where there is none. Hashed again once the file has changed."""
        try:
            status = path.stat()
            state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        except (OSError, ValueError):
            return ""
        known, document_id = self._known.get(path, (None, ""))
        if known != state and is_there(path):
            with contextlib.suppress(UnreadableDocument):
                document_id = hash_file(path)
                self._known[path] = (state, document_id)
        return document_id


def is_there(path: Path) -> bool:
    """Whether there is a file; a path that the system cannot have leads to none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _id_of(kept: Path) -> str:
    return kept.name.partition(".")[0]


def _copy(source: Path, target: Path) -> None:
    """Copies the bytes, of a link those of the file that it leads to, without the source's mode and times."""
    if not _cloned(source, target):
        shutil.copyfile(source, target)


def _cloned(source: Path, target: Path) -> bool:
    """Copies by sharing blocks, where the system is Linux and the file system can."""
    if sys.platform != "linux":
        return False
    import fcntl

    with source.open("rb") as read, target.open("r+b") as written:
        try:
            fcntl.ioctl(written.fileno(), _FICLONE, read.fileno())
        except OSError:
            return False
    return True
