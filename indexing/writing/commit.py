"""Writing pages, and removing them, so that at every moment a page is whole or not there.

A batch is written in this order: multi-vectors (renamed into place) and words → candidate vectors → page file → rows
in `pages`. The row is the commit: whatever happens, a page with a row is whole. After a document's last batch comes its
record, which says that the rows are to be there: what a Milvus lost is taken from the page files. Removal goes the
other way round and ends with the document's kept bytes: where these have neither record nor row, a removal or the first
batch was cut off (docs/format.md).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import Correction, PageRow
from pagesight.indexing.preparing.encoded_page import EncodedPage
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.vectors.quantization import StoredVectors

_log = logging.getLogger(__name__)


def write_batch(
    parts: WritingParts,
    document: dict[str, Any],
    pages: Sequence[EncodedPage],
    corrections: Mapping[int, tuple[Correction, ...]],
    before: Mapping[int, PageRow],
) -> None:
    """Write consecutive pages of a document, findable when its last page is.

    ``corrections`` are those of pages by number; ``document`` has what all its pages have in their rows (see
    `PageRow`). ``before`` are rows of pages that could not be read anew: these stay, and count as damaged as they were.
    Raises StorageFull, PageIndexError, OSError.
    """
    started = time.monotonic()
    parts.sharing.confirm()
    document_id, first = document["document_id"], pages[0].number
    made = {one.id: [page.vectors[one.name] for page in pages] for one in parts.encoders}
    for one in parts.encoders:
        one.multivectors.write(document_id, first, [page.vectors for page in made[one.id]])
    parts.folder.words.write(document_id, first, [page.text for page in pages])
    rows = [
        replace(before[page.number], batch=first, **document) if page.number in before
        else _row(parts.encoders, document, first, page, corrections.get(page.number, ()))
        for page in pages
    ]  # fmt: skip
    write_rows(parts, rows, {known: [one for one in new if one.page not in before] for known, new in made.items()})
    took = (time.monotonic() - started) * 1000
    _log.debug("%s: pages %d to %d written in %.0f ms", document_id, first, pages[-1].number, took)


def write_rows(
    parts: WritingParts,
    rows: Sequence[PageRow],
    vectors: Mapping[str, Sequence[PageVectors]],
    *,
    some_of_file: bool = False,
) -> None:
    """Write the rows of pages whose multi-vectors are written: page file, candidates, then the rows themselves.

    ``vectors`` are those by each encoder's id. After its last page comes the document's record. A page file that these
    are only some of stays, with the others.
    """
    for encoder, pages in vectors.items():
        rows = with_candidates(parts, encoder, rows, pages)
    if parts.page_files and not some_of_file:
        parts.page_files.write(rows)
    parts.catalog.add(parts.store.write_pages(rows))
    record_if_whole(parts, rows[0].document_id)


def with_candidates(
    parts: WritingParts, encoder: str, rows: Sequence[PageRow], vectors: Sequence[PageVectors]
) -> list[PageRow]:
    """Write the candidates of a document's pages by the encoder with this id; returns the rows with their number."""
    counts = parts.candidates[encoder].write(rows[0].ordinal, rows[0].document_id, vectors)
    by_page = {page.page: count for page, count in zip(vectors, counts, strict=True)}
    return [
        row.with_encoded(encoder, replace(one, candidates=by_page[row.page]))
        if row.page in by_page and (one := row.encoded(encoder))
        else row
        for row in rows
    ]


def batch_with(by: IndexEncoder, batch: Sequence[PageRow], new: Mapping[int, StoredVectors]) -> list[StoredVectors]:
    """The vectors by an encoder of a batch's pages, with ``new`` ones for some.

    A page that stands in a later batch has none in this one. Raises VectorsMissing.
    """
    others = [one for one in batch if one.page not in new and one.encoded(by.id)]
    by_page = dict(zip((one.page for one in others), by.multivectors.read(others), strict=True)) | dict(new)
    empty = by.nothing()
    return [by_page.get(page, empty) for page in range(batch[0].batch, max(by_page) + 1)]


def write_files(parts: WritingParts, entry: Entry) -> None:
    """Write a document's page files and its record anew, from its rows in Milvus."""
    files = parts.page_files
    assert files is not None, "an index on a server has no page files"
    rows = parts.store.whole_rows(entry.first.document_id)
    for _, batch in groupby(sorted(rows, key=lambda row: (row.batch, row.page)), key=lambda row: row.batch):
        files.write(list(batch))
    record_if_whole(parts, entry.first.document_id)


def record_if_whole(parts: WritingParts, document_id: str) -> None:
    """Write the document's record once it has all its rows."""
    entry = parts.catalog.get(document_id)
    if parts.page_files and entry and entry.complete:
        parts.page_files.complete(entry.rows.values())


def _row(
    encoders: Iterable[IndexEncoder],
    document: dict[str, Any],
    batch: int,
    page: EncodedPage,
    corrections: tuple[Correction, ...],
) -> PageRow:
    text = corrected(page.text, corrections)
    row = PageRow(
        page=page.number,
        batch=batch,
        text_source=text.source,
        terms=page.terms,
        text=text.text,
        printed_label=page.label or "",
        corrections=corrections,
        kinds=dict.fromkeys(page.kinds, 1.0),
        **document,
    )
    for one in encoders:
        row = row.with_encoded(one.id, one.recorded_of(row.key, page.vectors[one.name].vectors))
    return row


def remove_document(parts: WritingParts, document_id: str, removed: RemovedDocuments | None = None) -> None:
    """Remove a document: first its record and its rows, so that nothing half there is ever found.

    Its files go to ``removed``, from where they can be restored, or away.
    """
    parts.sharing.confirm()
    if removed:
        removed.begin(document_id)
    _take_out(parts, document_id, removed)


def _take_out(parts: WritingParts, document_id: str, removed: RemovedDocuments | None) -> None:
    rows = _rows_in_files(parts, document_id)
    if parts.page_files:
        parts.page_files.drop_record(document_id)
    parts.store.remove_pages(document_id, rows)
    parts.catalog.remove(document_id)
    for candidates in parts.candidates.values():
        candidates.remove(document_id, rows)
    if removed:
        removed.take(document_id)
    for one in parts.encoders:
        one.multivectors.remove(document_id)
    parts.folder.words.remove(document_id)
    if parts.page_files:
        parts.page_files.remove(document_id)
    parts.folder.documents.forget(document_id)


def _rows_in_files(parts: WritingParts, document_id: str) -> list[PageRow]:
    """The rows of a document that is whole, from its page files; none where these have not all of them."""
    entry = parts.catalog.get(document_id)
    if parts.page_files is None or entry is None or not entry.complete:
        return []
    rows, damaged = parts.page_files.rows(document_id, asdict(entry.first))
    return [] if damaged or len(rows) != entry.first.page_count else list(rows.values())


def clear_away(parts: WritingParts) -> None:
    """Remove what was left behind when removing a document, restoring it, or writing its first pages was cut off.

    What was removed or to be restored goes to where it can be restored from.
    """
    removed = RemovedDocuments(parts.folder.path)
    known = parts.folder.documents.ids() | set(parts.page_files.ids() if parts.page_files else ())
    for document_id in sorted(known - parts.catalog.forgotten().keys()):
        recorded = parts.page_files is not None and parts.page_files.has_record(document_id)
        if parts.catalog.get(document_id) is None and not recorded:
            parts.sharing.confirm()
            _take_out(parts, document_id, removed if removed.holds(document_id) else None)
