"""Makes anew what is damaged in an index, from what is whole in it.

Rows and candidates come from page files and multi-vectors; these come from the kept documents, or from what lies where
a document was indexed, if it still has the same bytes. What nothing is left of is listed.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pagesight.indexing.configuration.index_place import refuse_missing
from pagesight.indexing.documents.sources import Source, hash_file, identify
from pagesight.indexing.errors import PageIndexError, SourceError, UnreadableDocument
from pagesight.indexing.ingest import add_documents
from pagesight.indexing.integrity.verify import Beside, Damage, collections_in, rows_are_unlike, verify
from pagesight.indexing.milvus.folder_store import opens
from pagesight.indexing.milvus.sealed_files import clear_unsealed_indexes, unsealed_damage
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.opening.open_index import give_back, take
from pagesight.indexing.pages import PageRow
from pagesight.indexing.preparing.add_report import Progress
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import server_address
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.storage.folder import SEAL, IndexFolder, disk_errors, refuse_links
from pagesight.indexing.storage.sharing import WriterLock
from pagesight.indexing.writing.kinds_again import tell_kinds_again
from pagesight.indexing.writing.recover import begin_writing, put_right, rows_from_files, take_back
from pagesight.indexing.writing.words_again import make_words_again

_Told = Callable[[Progress], None] | None


@dataclass
class Repair:
    """What `repair` made anew, by name, and what is still damaged since nothing is left to make it from."""

    place: str
    repaired: list[str] = field(default_factory=list)
    left: list[Damage] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``repair --json``."""
        return {"index": self.place, "repaired": self.repaired, "left": [one.as_dict() for one in self.left]}


def repair(place: str, settings: Settings, progress: _Told = None, beside: Beside = lambda folder: ()) -> Repair:
    """Repair an index; one on a server from the documents that this machine keeps of it.

    Raises IndexMissing, IndexInUse, StorageFull, PageIndexError for one with nothing left of it.
    """
    done = Repair(place)
    if not server_address(place):
        _put_folder_right(Path(place).expanduser().resolve(), settings, done)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what cannot be made anew is listed
        parts = take(place, None, settings, create=False)
    try:
        with parts.writing(from_rows=True) as opened:
            _make_documents_right(opened, done, progress)
            opened.flush()
    finally:
        give_back(parts)
    done.left += verify(place, settings, beside=beside).damage
    return done


def _put_folder_right(path: Path, settings: Settings, done: Repair) -> None:
    refuse_missing(str(path))
    refuse_links(path, below=True)
    with disk_errors(f"the index in {path} could not be repaired"), WriterLock(path).held(settings.sharing.wait):
        _put_files_right(path, done)


def _put_files_right(path: Path, done: Repair) -> None:
    """The manifest from its copy; a Milvus whose files are damaged goes, to be made anew from the page files."""
    folder = IndexFolder(path)
    if damage := folder.manifest_damage():
        manifest = folder.manifest_copy() or folder.manifest()
        assert manifest, "there is an index"
        folder.note_manifest(manifest)
        done.repaired += [str(one.path) for one in damage]
    clear_unsealed_indexes(path / "milvus.db", path / SEAL)
    if unsealed_damage(path / "milvus.db", path / SEAL, collections_in(folder)) or not opens(path / "milvus.db"):
        if not any((path / "pages").glob("*/*.json")):
            raise PageIndexError(
                f"the index in {path} is of format 3 and has no page files to make its Milvus anew from. Make a "
                f"new index of the documents in {path / 'documents'}: `pagesight index PATH… --index OTHER`."
            )
        aside = path / "milvus.db.damaged"
        shutil.rmtree(aside, ignore_errors=True)
        (path / SEAL).unlink(missing_ok=True)
        if (path / "milvus.db").exists():
            (path / "milvus.db").rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        done.repaired.append(str(path / "milvus.db"))


def _make_documents_right(parts: WritingParts, done: Repair, progress: _Told) -> None:
    lost = {known: _name(parts, known) for known in parts.lost_documents()}
    begin_writing(parts)
    still_lost = set(parts.lost_documents())
    done.repaired += [name for known, name in lost.items() if known not in still_lost]
    again: dict[Path, str] = {}
    metadata = {entry.first.document_id: entry.first.metadata for entry in parts.catalog.entries()}
    for entry in parts.catalog.entries():
        kept_again = _keep_again(parts, entry.first)
        if _made_right(parts, entry) or kept_again:
            done.repaired.append(entry.first.document)
        if not _is_whole(parts, entry.first.document_id):
            _plan_again(parts, entry.first.document_id, entry.first.path, again)
    for document_id in parts.lost_documents():
        if parts.catalog.get(document_id) is None:
            _plan_again(parts, document_id, str(_record(parts, document_id).get("path", "")), again)
    for source, path in again.items():
        known = _record(parts, _id(source)).get("metadata", metadata.get(_id(source)))
        _make_again(parts, source, path, known, done, progress)
    take_back(parts)
    _make_words_right(parts, done)


def _make_words_right(parts: WritingParts, done: Repair) -> None:
    """Words that are damaged, or missing since an earlier version kept none, are read again, kinds of pages told."""
    with PageReaders(parts.settings.documents, os.cpu_count() or 1) as readers:
        for entry in parts.catalog.entries():
            made = entry.complete and make_words_again(parts, readers, entry, missing=True)
            told = entry.complete and tell_kinds_again(parts, readers, entry)
            if (made or told) and entry.first.document not in done.repaired:
                done.repaired.append(entry.first.document)


def _make_again(parts: WritingParts, source: Path, path: str, metadata: Any, done: Repair, progress: _Told) -> None:
    """Make the missing pages of documents from the file, which stood at the path once."""
    with TemporaryDirectory() as scratch:  # files in an index are passed over as documents
        copy = Path(scratch) / f"document{Path(path).suffix}"
        shutil.copyfile(source, copy)
        report = add_documents(parts, [copy], progress, metadata, {copy: path})
    done.repaired += [made.document for made in (*report.added, *report.repaired, *report.replaced)]
    name = Path(path).name
    done.left += [Damage("document", name, _of(name, copy, one.error)) for one in report.failed]


def _of(name: str, copy: Path, error: SourceError) -> str:
    """What an error says of a document, by the name that people know it by."""
    return str(error).replace(str(copy), name).replace(copy.name, name)


def _made_right(parts: WritingParts, entry: Entry) -> bool:
    """Whether something of the document was damaged and is right now; where pages must be read again, they are not."""
    document_id = entry.first.document_id
    unlike = entry.complete and rows_are_unlike(parts, document_id)
    if unlike:
        parts.store.remove_pages(document_id)
        parts.catalog.remove(document_id)
        rows_from_files(parts, document_id)
    damaged = put_right(parts, document_id, readable=_source(parts, document_id, entry.first.path) is not None)
    return (unlike or damaged) and _is_whole(parts, document_id)


def _is_whole(parts: WritingParts, document_id: str) -> bool:
    entry = parts.catalog.get(document_id)
    return entry is not None and entry.complete


def _plan_again(parts: WritingParts, document_id: str, path: str, again: dict[Path, str]) -> None:
    """Notes from which file the document's missing pages are to be made, if there is one."""
    if source := _source(parts, document_id, path):
        again[source] = path


def _source(parts: WritingParts, document_id: str, path: str) -> Path | None:
    """A file with the document's bytes: the kept one, or that at the path where it was indexed."""
    documents = parts.folder.documents
    candidates = [*documents.files_of(document_id), Path(path)]
    found = next((file for file in candidates if _id(file) == document_id), None)
    kept = documents.path(document_id, Path(path).suffix)
    return found or (kept if documents.bring(kept, document_id) else None)


def _id(path: Path) -> str:
    try:
        return hash_file(path) if path.is_file() else ""
    except (OSError, ValueError, UnreadableDocument):
        return ""


def _keep_again(parts: WritingParts, row: PageRow) -> bool:
    """Keeps the document again from where it was indexed, if its copy is damaged and that file has the same bytes."""
    path = Path(row.path)
    if parts.folder.documents.is_kept(row) or _id(path) != row.document_id:
        return False
    try:
        return parts.folder.documents.keep(Source(path, identify(path), row.size, row.modified))
    except SourceError:
        return False


def _record(parts: WritingParts, document_id: str) -> dict[str, Any]:
    """The document's record, empty where there is none that can be read."""
    try:
        return (parts.page_files.record(document_id) if parts.page_files else None) or {}
    except (ValueError, PageIndexError):
        return {}


def _name(parts: WritingParts, document_id: str) -> str:
    return str(_record(parts, document_id).get("document", document_id))
