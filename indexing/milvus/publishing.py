"""Publishing for readers what a store of rows holds: whole documents, in a snapshot (snapshot/), the rows first.

Where the two differ, since a writer was killed or the snapshot is gone, the store is right.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import IndexWarning, VectorsMissing
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.pages import PageRow
from pagesight.indexing.parallel import map_on_all_cores
from pagesight.indexing.snapshot.segment_content import SHARED, CompleteDocument
from pagesight.indexing.snapshot.writer import SnapshotWriter
from pagesight.indexing.storage.catalog import Catalog, entries_of
from pagesight.indexing.storage.catalog_view import Entry, UnreadEntry, shown
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.page_files import PageFiles
from pagesight.indexing.vectors.centroids import centroids

_log = logging.getLogger(__name__)

_MOST_NAMES = 8  # that a warning lists; a guess, not measured
_PAGES_AT_ONCE = 2_000  # that are read from Milvus at once to be published; some 40 MB


@dataclass(frozen=True)
class Published:
    """An index whose documents are published: where it is, its encoders, and the centroids of a page by each.

    ``page_files`` None is for an index on a server.
    """

    place: str
    encoders: Sequence[IndexEncoder]
    centroids: int
    page_files: PageFiles | None

    @property
    def what(self) -> str:
        """What is said where nothing can be written any more."""
        return f"the index in {self.place} cannot be written to"


class Publishing:
    """Hands complete documents to the snapshot; see `CatalogListener`."""

    def __init__(self, parts: Published, snapshot: SnapshotWriter, pages: PageStore) -> None:
        self._parts = parts
        self._snapshot = snapshot
        self._pages = pages
        self._rows: defaultdict[str, dict[int, PageRow]] = defaultdict(dict)
        # Of each document, by page and encoder.
        self._vectors: defaultdict[str, dict[tuple[int, str], NDArray[np.float16]]] = defaultdict(dict)

    def catalog(self, *, behind: bool) -> Catalog:
        """The catalog of the store, for who writes; where the snapshot is ``behind``, it catches up first."""
        known = not behind and self._snapshot.state.rest is not None
        catalog = Catalog(self.entries() if known else entries_of(self._pages.pages()), self)
        if behind:
            self._catch_up(catalog)
        return catalog

    def took_vectors(self, encoder: str, document_id: str, page: int, vectors: NDArray[np.float32]) -> None:
        """Note a page's candidate vectors by an encoder, which its row will follow."""
        kept = vectors if self._snapshot.keeps_vectors else vectors[:0]
        self._vectors[document_id][page, encoder] = kept.astype(np.float16)

    def wrote(self, rows: Sequence[PageRow], *, complete: bool) -> None:
        """See `CatalogListener.wrote`."""
        document_id = rows[0].document_id
        vectors = self._vectors[document_id]
        encoders = [one.id for one in self._parts.encoders]
        self._rows[document_id] |= {
            row.page: row for row in rows if all((row.page, known) in vectors for known in encoders)
        }
        if not complete:
            return
        found = self._rows.pop(document_id)
        del self._vectors[document_id]
        if len(found) == rows[0].page_count:
            numbers = sorted(found)
            by_encoder = {known: [vectors[page, known] for page in numbers] for known in encoders}
            self._add([found[one] for one in numbers], by_encoder)
        else:  # some pages were written earlier, or only what is known of them has changed
            self._publish([document_id])

    def removed(self, document_id: str) -> None:
        """See `CatalogListener.removed`."""
        self._rows.pop(document_id, None)
        self._vectors.pop(document_id, None)
        with disk_errors(self._parts.what):
            self._snapshot.remove([document_id])

    def entries(self) -> Iterator[Entry]:
        """All documents of a store that the snapshot is up to date with, read from there."""
        found = [self._snapshot.described(known) for known in self._snapshot.document_ids]
        for first in sorted((one[0] for one in found if one), key=lambda row: row.ordinal):
            yield UnreadEntry(first, partial(self._rows_of, first.document_id))
        if rest := self._snapshot.state.rest:
            yield from entries_of(self._from_store(rest))

    def _rows_of(self, document_id: str) -> list[PageRow]:
        rows = self._snapshot.rows(document_id)
        return self._from_store([document_id]) if rows is None else rows

    def _from_store(self, document_ids: Sequence[str]) -> list[PageRow]:
        return [replace(row, terms="", text="") for row in self._pages.rows_of(document_ids)]

    def _catch_up(self, catalog: Catalog) -> None:
        """Publish what Milvus has and the snapshot has not, and remove from it what Milvus has not."""
        started = time.monotonic()
        entries = {entry.first.document_id: entry for entry in shown(catalog.entries())}
        # What has a record and no rows is lost, not removed: what readers have of it is kept (docs/format.md).
        gone = {known for known in self._snapshot.document_ids - entries.keys() if not self._is_recorded(known)}
        changed = [entry for known, entry in entries.items() if not self._is_published(entry)]
        with disk_errors(self._parts.what):
            self._snapshot.remove(gone)
        ordered = iter(sorted(changed, key=lambda entry: entry.first.ordinal))
        while group := _group(ordered):
            self._publish(group)
        with disk_errors(self._parts.what):
            self._snapshot.complete()
        self._warn_of_lost()
        took = time.monotonic() - started
        _log.debug("caught up: %d documents published, %d gone, in %.1f s", len(changed), len(gone), took)

    def _warn_of_lost(self) -> None:
        """Warns of documents that the index should hold and that neither Milvus nor the snapshot has whole."""
        files = self._parts.page_files
        if files is None:
            return
        lost = [known for known in files.ids() if files.has_record(known)]
        lost = [known for known in lost if known not in self._snapshot.document_ids]
        if lost:
            names = ", ".join(files.name(known) for known in lost[:_MOST_NAMES])
            more = f" and {len(lost) - _MOST_NAMES} more" if len(lost) > _MOST_NAMES else ""
            path = self._parts.place
            warnings.warn(
                f"the index in {path} has lost rows of {names}{more}, and leaves {'them' if lost[1:] else 'it'} out of "
                f"answers. `pagesight repair --index {path}` takes them from the index's other files.",
                IndexWarning,
                stacklevel=2,
            )

    def _is_recorded(self, document_id: str) -> bool:
        files = self._parts.page_files
        return files is not None and files.has_record(document_id)

    def _is_published(self, entry: Entry) -> bool:
        found = self._snapshot.described(entry.first.document_id)
        if found is None:
            return False
        shared, pages, encoders = found
        if (pages, encoders) != (len(entry.rows), entry.encoders):
            return False
        return all(getattr(entry.first, name) == getattr(shared, name) for name in SHARED)

    def _publish(self, document_ids: Sequence[str]) -> None:
        """Publish documents as Milvus has them."""
        rows: defaultdict[str, list[PageRow]] = defaultdict(list)
        for row in self._pages.rows_of(document_ids):
            rows[row.document_id].append(row)
        for pages in rows.values():
            pages.sort(key=lambda row: row.page)
            self._add(pages, {one.id: self._candidates_of(one, pages) for one in self._parts.encoders})

    def _candidates_of(self, encoder: IndexEncoder, rows: Sequence[PageRow]) -> list[NDArray[np.float32]]:
        """The pages' candidate vectors, made as when they were written; none of a page whose vectors are lost."""

        def made(row: PageRow) -> NDArray[np.float32]:
            try:
                (page,) = encoder.multivectors.read([row])
            except VectorsMissing:
                return np.zeros((0, encoder.dim), np.float32)
            return centroids(page.vectors, self._parts.centroids)

        return list(map_on_all_cores(made, rows)) if self._snapshot.keeps_vectors else []

    def _add(self, rows: Sequence[PageRow], vectors: Mapping[str, Sequence[NDArray[np.floating]]]) -> None:
        with disk_errors(self._parts.what):
            self._snapshot.add(CompleteDocument(rows, vectors))


def _group(entries: Iterator[Entry]) -> list[str]:
    """The ids of the next entries with as many pages as are read at once, one at the least."""
    found: list[str] = []
    pages = 0
    for entry in islice(entries, _PAGES_AT_ONCE):
        found.append(entry.first.document_id)
        pages += len(entry.rows)
        if pages >= _PAGES_AT_ONCE:
            break
    return found
