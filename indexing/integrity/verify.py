"""Reads all of an index in a folder and says what of it is whole and what is damaged. Changes nothing.

The files are looked at first, without Milvus, which may not open; then its rows and candidates, against the files.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.milvus.sealed_files import unsealed_damage
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.opening.open_index import give_back, take
from pagesight.indexing.pages import PageRow
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import server_address
from pagesight.indexing.storage.folder import SEAL, IndexFolder, refuse_links
from pagesight.indexing.storage.manifest import FORMAT, collections_of
from pagesight.indexing.storage.page_files import RECORD, PageFiles
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.writing.recover import damaged_pages

Told = Callable[[str], object]


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was written: ``kind`` of thing, ``what`` by name or path, and ``why``."""

    kind: str
    what: str
    why: str

    def as_dict(self) -> dict[str, str]:
        """As it stands in ``verify --json``."""
        return vars(self).copy()


Beside = Callable[[Path], Iterable[Damage]]


@dataclass
class Verification:
    """What `verify` found: how much of each kind was looked at, and what of it is damaged."""

    place: str
    documents: int = 0
    pages: int = 0
    candidates: int = 0
    damage: list[Damage] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damage

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``verify --json``."""
        counts = {"documents": self.documents, "pages": self.pages, "candidates": self.candidates}
        return {"index": self.place, "whole": self.whole} | counts | {"damage": [one.as_dict() for one in self.damage]}


def verify(
    place: str, settings: Settings, told: Told = lambda name: None, beside: Beside = lambda folder: ()
) -> Verification:
    """Look through the index at a place; ``told`` is called with each document's name.

    ``beside`` says what is damaged of the things in the folder that others than the index keep there.

    Raises IndexMissing, IndexInUse, and PageIndexError for an index that does not say what it was made with.
    """
    found = Verification(place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is lost is listed here
        if server_address(place) is None:
            path = Path(place).expanduser().resolve()
            refuse_links(path, below=True)
            found.damage += [*_files_of_folder(path), *beside(path)]
            if any(one.kind == "Milvus" for one in found.damage) or not _can_be_read(path):
                return found
        parts = take(place, None, settings, create=False)
    try:
        with parts.writing(from_rows=True) as opened:  # nothing is written meanwhile
            _look_through(opened, found, told)
    finally:
        give_back(parts)
    return found


def collections_in(folder: IndexFolder) -> frozenset[str] | None:
    """The collections that the index should have; None where it does not say."""
    try:
        manifest = folder.manifest()
    except PageIndexError:
        return None
    return collections_of(one.id for one in manifest.encoders) if manifest else None


def _can_be_read(path: Path) -> bool:
    """Whether the folder says what the index was made with."""
    try:
        return IndexFolder(path).manifest() is not None
    except PageIndexError:
        return False


def _files_of_folder(path: Path) -> Iterator[Damage]:
    folder = IndexFolder(path)
    for damage in folder.manifest_damage():
        yield Damage("manifest", str(damage.path), damage.why)
    for damage in unsealed_damage(path / "milvus.db", path / SEAL, collections_in(folder)):
        yield Damage("Milvus", str(damage.path), damage.why)
    for damage in RemovedDocuments(path).damage():
        yield Damage("removed document", str(damage.path), damage.why)
    for file in sorted((path / "uploads").glob("*.json")):
        try:
            json.loads(file.read_text())
        except (OSError, ValueError) as error:
            yield Damage("uploads", str(file), str(error))


def _look_through(parts: WritingParts, found: Verification, told: Told) -> None:
    known = {entry.first.document_id: entry for entry in parts.catalog.entries()}
    for document_id in parts.lost_documents():
        files = parts.page_files
        if files and document_id not in known:
            found.damage.append(Damage("rows", files.name(document_id), "Milvus has lost all its rows"))
    for document_id, entry in sorted(known.items(), key=lambda one: one[1].first.document):
        row = entry.first
        told(row.document)
        found.documents += 1
        found.pages += len(entry.rows)
        if not entry.complete:
            why = f"{len(entry.rows)} of {row.page_count} pages are there: index it again, or repair"
            found.damage.append(Damage("rows", row.document, why))
        for page in damaged_pages(parts, entry.rows.values()):
            found.damage.append(Damage("vectors", page.label, "they are gone, or not as they were written"))
        for file in parts.folder.words.damage(entry.rows.values()):
            found.damage.append(Damage("words", str(file.path), file.why))
        found.candidates += _candidates(parts, document_id, entry.rows, found)
        shared, kept = parts.folder.documents.shared, parts.folder.documents.path(document_id, Path(row.path).suffix)
        if shared and not shared.holds(kept.name):
            found.damage.append(Damage("kept document", f"{row.document} ({shared.place}{kept.name})", "it is gone"))
        if parts.page_files:
            found.damage += _of_files(parts, parts.page_files, document_id, entry.rows)


def _candidates(parts: WritingParts, document_id: str, rows: dict[int, PageRow], found: Verification) -> int:
    """How many candidate vectors the document has; notes pages that have another number than they should."""
    total = 0
    for encoder, candidates in parts.candidates.items():
        counts = candidates.counts(document_id)
        total += sum(counts.values())
        for page, row in sorted(rows.items()):
            one = row.encoded(encoder)
            if one and one.checksum and counts.get(page, 0) != one.candidates:
                why = f"{counts.get(page, 0)} candidate vectors, not {one.candidates}"
                found.damage.append(Damage("candidates", row.label, why))
    return total


def _of_files(parts: WritingParts, files: PageFiles, document_id: str, rows: dict[int, PageRow]) -> Iterator[Damage]:
    """What of a document's files is damaged, and which rows are not those of its page files."""
    first = next(iter(rows.values()))
    manifest = parts.folder.manifest()
    if not parts.folder.documents.is_kept(first):
        kept = parts.folder.documents.path(document_id, Path(first.path).suffix)
        yield Damage("kept document", f"{first.document} ({kept})", "it is gone, or not as it was indexed")
    if manifest is None or manifest.format < FORMAT or len(rows) != first.page_count:
        return
    try:
        record = files.record(document_id)
    except ValueError as error:
        record = None
        yield Damage("record", str(files.of(document_id) / RECORD), str(error))
    else:
        if record is None:
            yield Damage("record", str(files.of(document_id) / RECORD), "it is gone")
    shared = vars(first)
    kept_rows, damaged = files.rows(document_id, shared)
    for file in damaged:
        yield Damage("page file", str(file.path), file.why)
    if record and any(record.get(name) != shared[name] for name in ("document", "path", "ordinal", "metadata")):
        yield Damage("record", str(files.of(document_id) / RECORD), "it says other things than the document's rows")
    yield from _rows_unlike(parts, document_id, kept_rows, bool(damaged))


def _rows_unlike(parts: WritingParts, document_id: str, kept: dict[int, PageRow], incomplete: bool) -> Iterator[Damage]:
    for row in parts.store.whole_rows(document_id):
        expected = kept.get(row.page)
        if expected is None:
            if not incomplete:
                yield Damage("page file", row.label, "no file has this page")
        elif expected != row:
            yield Damage("rows", row.label, "its row is not what its page file says")


def rows_are_unlike(parts: WritingParts, document_id: str) -> bool:
    """Whether a document's rows or candidates are not what its page files, which are whole, say."""
    entry, files = parts.catalog.get(document_id), parts.page_files
    if entry is None or files is None:
        return False
    kept, damaged = files.rows(document_id, vars(entry.first))
    if damaged or len(kept) < len(entry.rows):
        return False
    found = Verification(parts.place)
    _candidates(parts, document_id, entry.rows, found)
    return bool(found.damage or list(_rows_unlike(parts, document_id, kept, incomplete=True)))
