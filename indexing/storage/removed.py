"""Documents that the last `remove` took out of an index: their files, until the next one, or 30 days later.

<folder>/<document_id>/document.json   the document's record, written before anything is removed
<folder>/<document_id>/pages/, multivectors/, words/, and the kept document
<folder>/<document_id>/since           the second since the epoch in which it was removed
"""

from __future__ import annotations

import contextlib
import shutil
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from pagesight.indexing.documents.sources import hash_file
from pagesight.indexing.errors import IndexWarning
from pagesight.indexing.pages import DocumentRecord, checked_document_id, is_document_id
from pagesight.indexing.storage.atomic_files import on_the_disk, private_folder, write_atomically
from pagesight.indexing.storage.checked_json import read_checked
from pagesight.indexing.storage.page_files import RECORD, DamagedFile, checked_record

_KEPT_SECONDS = 30 * 24 * 3600  # as docs/trust.md promises

_GOING = ".going"  # behind the name of a folder that is being removed


class RemovedDocuments:
    """What can be restored of one index in a folder."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._folder = index / "removed"

    def clear(self, *, older_than: float = 0) -> None:
        """Let go for ever of what was removed more than so many seconds ago."""
        for place in self._places():
            if time.time() - _since(place) >= older_than:
                _let_go(place)
        for unfinished in self._folder.glob(f"*{_GOING}"):
            shutil.rmtree(unfinished, ignore_errors=True)

    def clear_old(self) -> None:
        """Let go of what was removed 30 days ago."""
        self.clear(older_than=_KEPT_SECONDS)

    def begin(self, document_id: str) -> None:
        """Note a document that is about to be removed."""
        place = self._folder / checked_document_id(document_id)
        _let_go(place)
        private_folder(place)
        write_atomically(place / "since", str(int(time.time())))
        with contextlib.suppress(FileNotFoundError):
            write_atomically(place / RECORD, (self._pages(document_id) / RECORD).read_bytes(), durable=True)

    def take(self, document_id: str) -> None:
        """Move the files of a document, of which no row is left, to where they can be restored from."""
        place = self._folder / checked_document_id(document_id)
        kept = [path for path in (self._index / "documents").glob(f"{document_id}*") if path.is_file()]
        folders = [self._index / name / document_id for name in ("multivectors", "words")]
        for path in [*folders, *kept, self._pages(document_id)]:
            target = place / (path.name if path in kept else path.parent.name)
            if path.exists() and not target.exists():  # what is there already is whole
                path.rename(target)
        on_the_disk(place)

    def holds(self, document_id: str) -> bool:
        """Whether a document was removed, or begun to be, and not wholly restored since."""
        return (self._folder / checked_document_id(document_id) / RECORD).is_file()

    def records(self) -> dict[str, DocumentRecord]:
        """The documents that can be restored, by id; one whose record is damaged is left out, with a warning."""
        self.clear_old()
        for one in self._damaged_records():
            warnings.warn(f"{one.path} is damaged, and cannot be restored: {one.why}.", IndexWarning, stacklevel=2)
        return {known: record for known, record in self._records().items() if not self._is_back(known)}

    def damage(self) -> Iterator[DamagedFile]:
        """What can't be restored, or not as it was removed, since its record or its kept document is damaged."""
        yield from self._damaged_records()
        for place in self._places():
            kept = [path for path in place.glob(f"{place.name}*") if path.is_file()]
            if kept and not any(hash_file(path) == place.name for path in kept):
                yield DamagedFile(kept[0], "it is not as it was indexed")

    def _damaged_records(self) -> Iterator[DamagedFile]:
        for place in self._places():
            try:
                _record(place)
            except FileNotFoundError:
                if (place / "pages").is_dir():  # else the removal had only begun, or the index is of format 3
                    yield DamagedFile(place / RECORD, "it is gone")
            except (OSError, ValueError, KeyError) as error:
                yield DamagedFile(place / RECORD, str(error))

    def back(self) -> dict[str, DocumentRecord]:
        """The documents that are in the index again, or still: restoring or removing them was cut off."""
        return {known: record for known, record in self._records().items() if self._is_back(known)}

    def let_go(self, document_id: str) -> None:
        """Keep nothing of a document for being restored."""
        _let_go(self._folder / checked_document_id(document_id))

    def _is_back(self, document_id: str) -> bool:
        return (self._pages(document_id) / RECORD).is_file()

    def _records(self) -> dict[str, DocumentRecord]:
        found = {}
        for place in self._places():
            with contextlib.suppress(OSError, ValueError, KeyError):
                found[place.name] = _record(place)
        return found

    def put_back(self, document_id: str) -> None:
        """Move a document's files back; its record last, with which it counts as lost by Milvus and is taken in.

        Until then the record is here, too: a writer takes back what was put back before a process ended.
        """
        place = self._folder / checked_document_id(document_id)
        for path in place.glob(f"{document_id}*"):
            private_folder(self._index / "documents")
            path.rename(self._index / "documents" / path.name)
            on_the_disk(self._index / "documents")
        for name in ("multivectors", "words", "pages"):
            private_folder(self._index / name)
            target = self._index / name / document_id
            if (place / name).exists():
                shutil.rmtree(target, ignore_errors=True)
                if name == "pages":
                    write_atomically(place / name / RECORD, (place / RECORD).read_bytes(), durable=True)
                (place / name).rename(target)
                on_the_disk(target.parent)
        _let_go(place)

    def _pages(self, document_id: str) -> Path:
        return self._index / "pages" / document_id

    def _places(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if is_document_id(path.name)] if self._folder.is_dir() else []


def _let_go(place: Path) -> None:
    """Remove a folder, so that what a process that ends has left of it counts as nothing."""
    going = place.with_name(f"{place.name}{_GOING}")
    shutil.rmtree(going, ignore_errors=True)
    with contextlib.suppress(OSError):
        place.rename(going)
    for path in (going, place):
        shutil.rmtree(path, ignore_errors=True)


def _record(place: Path) -> DocumentRecord:
    """The record of a removed document. Raises OSError, ValueError, KeyError where it is damaged."""
    kept = checked_record(read_checked(place / RECORD), place.name)
    shared = (kept[name] for name in ("document", "path", "page_count", "added", "metadata"))
    return DocumentRecord(place.name, *shared)


def _since(place: Path) -> float:
    try:
        return float((place / "since").read_text())
    except (OSError, ValueError):
        return time.time()
