"""What a writer puts right by itself: rows that a Milvus lost, files that were cut off, pages with damaged vectors.

A row that is missing is taken from the page files; a page whose vectors are damaged gives up its row, so that it counts
as not yet written and is made anew by the journey of its document (ingest.py).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pagesight.indexing.errors import PageIndexError, UnknownDocument
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import Correction, DocumentRecord, PageRow
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.storage.folder import UNPACKED
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.interfaces import Lost, PageVectors
from pagesight.indexing.storage.page_files import DOCUMENT_FIELDS, PageFiles
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.vectors.centroids import centroids_of
from pagesight.indexing.writing.commit import clear_away, write_files, write_rows
from pagesight.indexing.writing.upgrade import upgrade

_log = logging.getLogger(__name__)


def begin_writing(parts: WritingParts) -> None:
    """Bring the index to where a writer may start: nothing half removed, and all rows that its files can give."""
    upgrade(parts)
    clear_gone(parts)
    clear_away(parts)
    if parts.page_files is None:
        return
    take_lost_rows(parts)
    for entry in parts.catalog.entries():
        if entry.complete and not parts.page_files.has_record(entry.first.document_id):
            write_files(parts, entry)
    shutil.rmtree(parts.folder.path / UNPACKED, ignore_errors=True)


def take_lost_rows(parts: WritingParts, *, damaged: bool = False) -> None:
    """Take the rows that documents lack from their page files, also those of pages with ``damaged`` vectors or not."""
    for document_id in parts.lost_documents():
        if rows_from_files(parts, document_id, damaged=damaged):
            _log.debug("took rows of %s from its page files", document_id)


def take_back(parts: WritingParts) -> None:
    """Let the rows on a server count again of pages that were to be made anew and could not be."""
    if parts.page_files is None:
        for rows in parts.catalog.forgotten().values():
            parts.catalog.add(list(rows.values()))


def clear_gone(parts: WritingParts) -> None:
    """Remove what encoders have made that the index has no more."""
    manifest = parts.access.manifest()
    for encoder in manifest.gone:
        parts.forget_encoder(encoder)
    if manifest.gone:
        parts.access.note_manifest(manifest.without_gone())


def rows_from_files(parts: WritingParts, document_id: str, *, damaged: bool = False) -> bool:
    """Write the rows of a document that its page files have and Milvus lacks; says whether it has all of them now.

    Pages with damaged vectors get none, and will be made anew, unless ``damaged`` asks for these, too.
    """
    files = _files(parts)
    record = _readable(files, document_id)
    if record is None:
        return False
    entry, before = parts.catalog.get(document_id), record
    if entry is None:
        record = _fitted(parts, record)
    else:
        record |= {"ordinal": entry.first.ordinal, "document": entry.first.document, "path": entry.first.path}
    rows, _ = files.rows(document_id, record)
    if entry is None:
        # Some may be there: known by their keys, unless the number that these begin with is another document's by now.
        same = record["ordinal"] == before.get("ordinal")
        known = list(rows.values()) if same and len(rows) == record.get("page_count") else []
        for candidates in parts.candidates.values():
            candidates.remove(document_id, known)
        if not same:  # noted before anything has a key with it: what is left when this is cut off is known by it
            files.write_record(before | {"ordinal": record["ordinal"]})
    present = entry.rows if entry else {}
    by_batch = sorted(rows.values(), key=lambda row: (row.batch, row.page))
    for _, batch in groupby(by_batch, key=lambda row: row.batch):
        wanted = list(batch)
        if any(row.page not in present for row in wanted):
            _write_known(parts, wanted, damaged=damaged)
    return _complete(parts.catalog.get(document_id))


def shared_fields(parts: WritingParts, document_id: str) -> dict[str, Any] | None:
    """What all rows of a document have, from those that are there or else from its record; None for a new document."""
    if entry := parts.catalog.get(document_id):
        return {name: getattr(entry.first, name) for name in DOCUMENT_FIELDS}
    forgotten = parts.catalog.forgotten().get(document_id)
    if forgotten:
        record: dict[str, Any] | None = asdict(next(iter(forgotten.values())))
    else:
        record = _readable(parts.page_files, document_id) if parts.page_files else None
    return {name: _fitted(parts, record)[name] for name in DOCUMENT_FIELDS} if record else None


def corrections_of(parts: WritingParts, document_id: str) -> dict[int, tuple[Correction, ...]]:
    """The corrections of a document by page, as far as the index has them, also of pages that are to be made anew."""
    in_files = {page: row.corrections for page, row in rows_in_files(parts, document_id).items() if row.corrections}
    return in_files | parts.catalog.corrections(document_id)


def rows_before(parts: WritingParts, document_id: str) -> dict[int, PageRow]:
    """The rows of a document by page from before some were to be made anew, as far as they are known."""
    forgotten = parts.catalog.forgotten().get(document_id, {})
    if parts.page_files:
        return rows_in_files(parts, document_id) | forgotten
    return {row.page: row for row in parts.store.whole_rows(document_id)} | forgotten


def rows_in_files(parts: WritingParts, document_id: str) -> dict[int, PageRow]:
    """The rows of a document by page, as far as its page files can be read; none on a server, which has no such."""
    if parts.page_files and (record := _readable(parts.page_files, document_id)):
        return parts.page_files.rows(document_id, record)[0]
    return {}


def put_right(parts: WritingParts, document_id: str, *, readable: bool = True) -> bool:
    """Look through a document's vectors and page files, and prepare what is damaged to be made anew.

    Says whether something was. Pages whose vectors are damaged count as not yet written after this; on a server, which
    has no page files to make candidates from, so do those with other candidates than were written. Where the document
    is not ``readable`` any more, they stay: there is nothing to make them from.
    """
    entry = parts.catalog.get(document_id)
    if entry is None or not entry.complete:
        return False
    damaged = damaged_pages(parts, entry.rows.values())
    if parts.page_files is None:
        damaged = list({row.page: row for row in (*damaged, *with_other_candidates(parts, entry))}.values())
    if damaged and readable:
        _forget_pages(parts, entry, damaged)
        return True
    if parts.page_files is None:
        return False
    return _files_put_right(parts, parts.page_files, entry, readable) or not parts.folder.documents.is_kept(entry.first)


def _files_put_right(parts: WritingParts, files: PageFiles, entry: Entry, readable: bool) -> bool:
    """Whether a document's page files were damaged; they are written from its rows, or what rows lack is forgotten."""
    if _files_are_whole(files, entry):
        return False
    if readable and (cut := _cut_rows(parts, entry.first.document_id)):
        _forget_pages(parts, entry, cut)
    else:
        write_files(parts, entry)
    return True


def _forget_pages(parts: WritingParts, entry: Entry, rows: Sequence[PageRow]) -> None:
    """Lets pages count as not yet written.

    Their rows stay on a server, which has nothing else that says what they were, until new ones are over them.
    """
    document_id, pages = entry.first.document_id, {row.page for row in rows}
    whole = {row.page: row for row in (*rows, *parts.store.whole_rows(document_id)) if row.page in pages}
    if parts.page_files:
        parts.store.remove_rows([row.key for row in rows])
    parts.catalog.forget_pages(document_id, whole.values())


def with_other_candidates(parts: WritingParts, entry: Entry) -> list[PageRow]:
    """Those of a document's pages that have not as many candidate vectors as were written."""
    unlike: dict[int, PageRow] = {}
    for encoder, candidates in parts.candidates.items():
        counts = candidates.counts(entry.first.document_id)
        for row in entry.rows.values():
            one = row.encoded(encoder)
            if one and one.checksum and counts.get(row.page, 0) != one.candidates:
                unlike[row.page] = row
    return list(unlike.values())


def damaged_pages(parts: WritingParts, rows: Iterable[PageRow]) -> list[PageRow]:
    """Those of the pages whose vectors by an encoder are gone, not as they were written, or were never made.

    Pages that an encoder that is being added has not seen yet are none of them.
    """
    several, lost = list(rows), Lost()
    for one in parts.encoders:
        unseen = {row.key for row in one.lacks(several)} if not one.recorded.finished else set()
        for _ in one.multivectors.read([row for row in several if row.key not in unseen], lost, anew=True):
            pass
    return [row for row in several if row.key in lost]


def restore_documents(parts: WritingParts, removed: RemovedDocuments, names: Sequence[str]) -> list[DocumentRecord]:
    """Take back removed documents by name or id; see `PageIndex.restore`.

    One that a restore which was cut off has taken back already counts as taken back now.
    """
    back = removed.back()
    wanted = _named(removed.records() | back, names)
    for record in wanted.values():
        if record.document_id not in back and parts.catalog.at_path(record.path):
            raise PageIndexError(
                f"{record.document} cannot be restored: another version of it, from {record.path}, is in the index."
            )
    for document_id in wanted:
        if document_id in back:
            removed.let_go(document_id)
        else:
            removed.put_back(document_id)
            rows_from_files(parts, document_id)
    parts.flush()
    return [entry.record for known in wanted if (entry := parts.catalog.get(known)) and entry.complete]


def _named(kept: Mapping[str, DocumentRecord], names: Sequence[str]) -> dict[str, DocumentRecord]:
    """The removed documents of these names or ids, by id. Raises UnknownDocument for a name that none has."""
    wanted: dict[str, DocumentRecord] = {}
    for name in names:
        found = {known: record for known, record in kept.items() if name in (record.document, known)}
        if not found:
            there = ", ".join(sorted(record.document for record in kept.values())) or "nothing"
            raise UnknownDocument(f"{name!r} is not among what the last `remove` took out: {there}.")
        wanted |= found
    return wanted


def _write_known(parts: WritingParts, rows: Sequence[PageRow], *, damaged: bool) -> None:
    """Writes the rows of which all vectors are whole, or all of them; an encoder may not have seen all of them."""
    lost = Lost()
    read = {one.id: sound_vectors(parts, one, rows, lost) for one in parts.encoders}
    wanted = [row for row in rows if damaged or row.key not in lost]
    if wanted:
        pages = {row.page for row in wanted}
        vectors = {known: [one for one in found if one.page in pages] for known, found in read.items()}
        write_rows(parts, wanted, vectors, some_of_file=len(wanted) < len(rows))


def sound_vectors(
    parts: WritingParts, by: IndexEncoder, rows: Sequence[PageRow], every_lost: Lost
) -> list[PageVectors]:
    """The vectors by an encoder of those pages that it has seen; those that are damaged are noted."""
    seen, lost = [row for row in rows if row.encoded(by.id)], Lost()
    kept = list(by.multivectors.read(seen, lost))
    few = centroids_of([page.vectors for page in kept], parts.recipe.centroids)
    every_lost |= lost
    pages = [row.page for row in seen if row.key not in lost]
    return [PageVectors(*one) for one in zip(pages, kept, few, strict=True)]


def _fitted(parts: WritingParts, record: dict[str, Any]) -> dict[str, Any]:
    """The record with a number and a name that no other document has taken meanwhile."""
    path = Path(str(record.get("path")))
    return record | {
        "ordinal": parts.catalog.free_ordinal(record.get("ordinal")),
        "document": parts.catalog.free_name(str(record.get("document")), path),
    }


def _readable(files: PageFiles, document_id: str) -> dict[str, Any] | None:
    """A document's record; None where there is none that can be read."""
    try:
        return files.record(document_id)
    except ValueError:
        return None


def _files_are_whole(files: PageFiles, entry: Entry) -> bool:
    document_id = entry.first.document_id
    record = _readable(files, document_id)
    if record is None:
        return False
    rows, damaged = files.rows(document_id, record)
    kept = {page: replace(row, terms="", text="") for page, row in rows.items()}
    return not damaged and kept == {page: replace(row, terms="", text="") for page, row in entry.rows.items()}


def _cut_rows(parts: WritingParts, document_id: str) -> list[PageRow]:
    """The rows whose texts are longer than Milvus keeps, so that only their document has them whole."""
    return [row for row in parts.store.whole_rows(document_id) if parts.store.may_be_cut(row)]


def _complete(entry: Entry | None) -> bool:
    return entry is not None and entry.complete


def _files(parts: WritingParts) -> PageFiles:
    assert parts.page_files is not None, "an index on a server has no page files"
    return parts.page_files
