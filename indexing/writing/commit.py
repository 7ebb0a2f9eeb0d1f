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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import Correction, PageRow, page_key
from pagesight.indexing.preparing.encoded_page import EncodedPage
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.vectors.quantization import StoredVectors, page_checksum

_log = logging.getLogger(__name__)


def write_batch(
    parts: WritingParts,
    document: dict[str, Any],
    pages: Sequence[EncodedPage],
    corrections: Mapping[int, tuple[Correction, ...]],
) -> None:
    """Write consecutive pages of a document, findable when its last page is.

    ``corrections`` are those of pages by number; ``document`` has what all its pages have in their rows (see
    `PageRow`). Raises StorageFull, PageIndexError, OSError.
    """
    started = time.monotonic()
    parts.sharing.confirm()
    document_id, first = document["document_id"], pages[0].number
    kept = [page.vectors for page in pages]
    parts.multivectors.write(document_id, first, kept)
    parts.folder.words.write(document_id, first, [page.text for page in pages])
    rows = [_row(document, first, page, corrections.get(page.number, ())) for page in pages]
    write_rows(parts, rows, kept, [page.centroids for page in pages])
    took = (time.monotonic() - started) * 1000
    _log.debug("%s: pages %d to %d written in %.0f ms", document_id, first, pages[-1].number, took)


def write_rows(
    parts: WritingParts,
    rows: Sequence[PageRow],
    vectors: Sequence[StoredVectors],
    centroids: Sequence[NDArray[np.float32]],
) -> None:
    """Write the rows of pages whose multi-vectors are written: page file, candidates, then the rows themselves.

    ``vectors`` and ``centroids``, (k, dim), are those of each page. After its last page comes the document's record.
    """
    first = rows[0]
    pages = [PageVectors(row.page, kept, few) for row, kept, few in zip(rows, vectors, centroids, strict=True)]
    counts = parts.candidates.write(first.ordinal, first.document_id, pages)
    rows = [replace(row, candidates=count) for row, count in zip(rows, counts, strict=True)]
    if parts.page_files:
        parts.page_files.write(rows)
    parts.catalog.add(parts.store.write_pages(rows))
    record_if_whole(parts, first.document_id)


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


def _row(document: dict[str, Any], batch: int, page: EncodedPage, corrections: tuple[Correction, ...]) -> PageRow:
    text = corrected(page.text, corrections)
    return PageRow(
        page=page.number,
        batch=batch,
        vectors=len(page.vectors),
        checksum=page_checksum(page_key(document["document_id"], page.number), page.vectors),
        text_source=text.source,
        terms=page.terms,
        text=text.text,
        printed_label=page.label or "",
        corrections=corrections,
        kinds=dict.fromkeys(page.kinds, 1.0),
        **document,
    )


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
    parts.candidates.remove(document_id, rows)
    if removed:
        removed.take(document_id)
    parts.multivectors.remove(document_id)
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
    for document_id in sorted(known):
        recorded = parts.page_files is not None and parts.page_files.has_record(document_id)
        if parts.catalog.get(document_id) is None and not recorded:
            parts.sharing.confirm()
            _take_out(parts, document_id, removed if removed.holds(document_id) else None)
