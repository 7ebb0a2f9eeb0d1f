"""What readers of an index in a folder see: a snapshot, read by need."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import DocumentRecord, PageRow, page_key
from pagesight.indexing.parallel import map_on_all_cores
from pagesight.indexing.settings import Settings
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.snapshot_statistics import SnapshotNames, SnapshotStatistics
from pagesight.indexing.snapshot.term_postings import term_hash
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.vectors.centroids import best_holders
from pagesight.indexing.vectors.maxsim import scores
from pagesight.indexing.vectors.multivector import QueryVectors

# Rows that stay in memory, some 1.5 KB each: reading those of a search anew took 7 ms of 95, on 30,000 pages.
_ROWS_KEPT = 16_384

# Pages that the lists name first and that are compared by all of their candidate vectors: so many for each that is
# scored exactly, or this part of all pages, if that is more. A page's few hits are a poor estimate (docs/retrieval.md).
_LIKELY_FOR_ONE = 8
_LIKELY_OF_ALL = 16

# Whose candidate vectors are compared at once: 2 MB of them in float32.
_PAGES_AT_ONCE = 128

# Of the setting `ef`, the breadth of HNSW, for one list to be searched: so its usual 800 are 34 lists.
_EF_OF_A_LIST = 24


class SnapshotView(IndexView):
    """See `IndexView`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._row = lru_cache(maxsize=_ROWS_KEPT)(self._read_row)

    @property
    def records(self) -> Iterator[DocumentRecord]:
        """See `IndexView.records`."""
        for segment in self.snapshot.segments:
            segment.read_documents()
        return (self._record(int(document)) for document in np.flatnonzero(self.snapshot.live_documents))

    @property
    def encoders(self) -> frozenset[str]:
        """See `IndexView.encoders`."""
        return frozenset(self.snapshot.state.encoders)

    @cached_property
    def statistics(self) -> SnapshotStatistics:
        """See `IndexView.statistics`."""
        return SnapshotStatistics(self.snapshot)

    @cached_property
    def names(self) -> SnapshotNames:
        """See `IndexView.names`."""
        return SnapshotNames(self.snapshot, self.statistics)

    def page_count(self, document_ids: Sequence[str] | None = None) -> int:
        """See `IndexView.page_count`."""
        return int(self.snapshot.document_sizes[self._chosen(document_ids)].sum())

    def pages(self, document_ids: Sequence[str] | None = None) -> list[PageRow]:
        """See `IndexView.pages`."""
        chosen = self._chosen(document_ids)
        ordered = chosen[np.argsort(self.snapshot.ordinals[chosen], kind="stable")]
        if self.page_count(document_ids) <= _ROWS_KEPT:
            starts = self.snapshot.first_pages
            sizes = self.snapshot.document_sizes
            return self._rows_of([int(starts[one]) + page for one in ordered for page in range(int(sizes[one]))])
        rows = []
        for document in ordered:
            segment, number = self.snapshot.segment_of(int(document))
            rows += segment.rows(number)
        return rows

    def page_row(self, document_id: str, page: int) -> PageRow | None:
        """See `IndexView.page_row`."""
        return next(iter(self.page_rows([page_key(document_id, page)])), None)

    def page_rows(self, keys: Sequence[str]) -> list[PageRow]:
        """See `IndexView.page_rows`."""
        return self._rows_of([page for page in map(self._page_of, keys) if page is not None])

    def _page_of(self, key: str) -> int | None:
        document_id, _, page = key.partition(":")
        document = self.snapshot.of_id(document_id)
        if document is None or not 1 <= int(page) <= int(self.snapshot.document_sizes[document]):
            return None
        return int(self.snapshot.first_pages[document]) + int(page) - 1

    def _rows_of(self, pages: Sequence[int]) -> list[PageRow]:
        return [self._row(page) for page in pages]

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """See `IndexView.texts`."""
        found = {}
        for key in keys:
            document_id, _, page = key.partition(":")
            document = self.snapshot.of_id(document_id)
            if document is not None and 1 <= int(page) <= int(self.snapshot.document_sizes[document]):
                segment, number = self.snapshot.segment_of(document)
                found[key] = segment.text(number, int(page))
        return found

    def near(
        self, encoder: str, query: QueryVectors, settings: Settings, document_ids: Sequence[str] | None
    ) -> list[PageRow]:
        """See `IndexView.near`."""
        allowed = self.snapshot.live_pages
        if document_ids is not None:
            allowed = self.snapshot.pages_of(self._chosen(document_ids).tolist())
        similarities, pages = self._nearest(encoder, query.vectors, settings, allowed)
        limit = settings.search.most_candidates(mapped=True)
        several = max(_LIKELY_FOR_ONE * limit, int(self.snapshot.page_bases[-1]) // _LIKELY_OF_ALL)
        likely = best_holders(similarities, pages, query.weights, several, self._complete_hits(settings))
        return self._rows_of(self._best(encoder, query, likely, limit))

    def _complete_hits(self, settings: Settings) -> int:
        """How many hits count: about as many as the largest segment, which has the fewest to spare, is sure of."""
        sizes = np.diff(self.snapshot.page_bases)
        largest = float(sizes.max(initial=1) / max(1, sizes.sum()))
        return math.ceil(settings.search.hits_per_vector / math.sqrt(largest))

    def _best(self, encoder: str, query: QueryVectors, pages: list[int], limit: int) -> list[int]:
        """The best of the pages by MaxSim of their candidate vectors; equal ones in the order of their numbers."""
        if len(pages) <= limit:
            return pages
        numbers, bases = np.sort(np.array(pages)), self.snapshot.page_bases
        bounds = np.searchsorted(numbers, bases)
        blocks = [
            (segment, numbers[first : min(first + _PAGES_AT_ONCE, stop)] - base)
            for segment, base, start, stop in zip(self.snapshot.segments, bases, bounds, bounds[1:], strict=False)
            for first in range(start, stop, _PAGES_AT_ONCE)
        ]
        found = map_on_all_cores(lambda block: block[0].best_similarities(encoder, query.vectors, block[1]), blocks)
        estimates = scores(query, np.concatenate(list(found)))
        return [int(page) for page in numbers[np.argsort(-estimates, kind="stable")[:limit]]]

    def named(self, name: str) -> DocumentRecord | None:
        """See `IndexView.named`."""
        for document in self.snapshot.with_hash("names", term_hash(name)):
            if (record := self._record(document)).document == name:
                return record
        found = self.snapshot.of_id(name)
        return None if found is None else self._record(found)

    def at_path(self, path: str) -> DocumentRecord | None:
        """See `IndexView.at_path`."""
        records = map(self._record, self.snapshot.with_hash("paths", term_hash(path)))
        return next((record for record in records if record.path == path), None)

    def _nearest(
        self, encoder: str, vectors: NDArray[np.float32], settings: Settings, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The similarities and pages of each vector's nearest in each segment, side by side; page -1 for none."""
        hits, probes = settings.search.hits_per_vector, -(-settings.search.ef // _EF_OF_A_LIST)
        bases = self.snapshot.page_bases

        def near(place: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            segment, base = self.snapshot.segments[place], int(bases[place])
            mine = None if allowed is None else allowed[base : int(bases[place + 1])]
            if mine is not None and not mine.any():
                return np.zeros((len(vectors), 0), np.float32), np.zeros((len(vectors), 0), np.int64)
            # The part of all vectors that would be compared if there were one segment, and hits with some to spare.
            part = float(segment.pages / bases[-1]) ** 0.5
            similarities, found = segment.near(encoder, vectors, math.ceil(hits * part), math.ceil(probes * part), mine)
            return similarities, np.where((found >= 0) & (found < segment.pages), found + base, -1)

        nearest = list(map_on_all_cores(near, range(len(self.snapshot.segments))))
        nothing = np.zeros((len(vectors), 0))
        return (
            np.concatenate([nothing.astype(np.float32), *(similarities for similarities, _ in nearest)], axis=1),
            np.concatenate([nothing.astype(np.int64), *(pages for _, pages in nearest)], axis=1),
        )

    def _chosen(self, document_ids: Sequence[str] | None) -> NDArray[np.intp]:
        if document_ids is None:
            return np.flatnonzero(self.snapshot.live_documents)
        found = (self.snapshot.of_id(known) for known in document_ids)
        return np.array([document for document in found if document is not None], np.intp)

    def _record(self, document: int) -> DocumentRecord:
        segment, number = self.snapshot.segment_of(document)
        row = segment.described(number)
        return DocumentRecord(row.document_id, row.document, row.path, row.page_count, row.added, row.metadata)

    def _read_row(self, page: int) -> PageRow:
        document = int(self.snapshot.page_documents[page])
        segment, number = self.snapshot.segment_of(document)
        return segment.row(number, page - int(self.snapshot.first_pages[document]) + 1)
