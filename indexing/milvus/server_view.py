"""What readers of an index on a server see: its snapshot, and what the server has of pages by their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.documents.conditions import Condition
from pagesight.indexing.milvus.condition_filter import wider_filter
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.pages import PageRow, page_key
from pagesight.indexing.settings import Settings
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.snapshot_statistics import OnAll, SnapshotNames, SnapshotStatistics
from pagesight.indexing.snapshot.snapshot_view import SnapshotView
from pagesight.indexing.storage.interfaces import CandidateSearch
from pagesight.indexing.vectors.multivector import QueryVectors

# Documents, or pages where a condition speaks of them, from which on the server is asked which meet it: with fewer,
# looking at all is as quick. A guess, not measured.
_WORTH_ASKING = 4_096
_CONDITIONS_KEPT = 16  # whose pages stay in memory, 8 bytes each
_LOOKED_AT_ONCE = 2_048  # rows; they stay in memory together


class ServerView(SnapshotView):
    """See `IndexView`. What a search needs of hundreds of pages is asked for in one call for each segment."""

    def __init__(
        self, snapshot: Snapshot, rows: PageStore, candidates: Callable[[str], CandidateSearch], on_all: OnAll
    ) -> None:
        """``candidates`` gives those of the encoder with an id, ``on_all`` is as in `SnapshotStatistics`."""
        super().__init__(snapshot)
        self._store = rows
        self._candidates = candidates
        self._on_all = on_all
        self._met = lru_cache(maxsize=_CONDITIONS_KEPT)(self._meeting)

    @cached_property
    def statistics(self) -> SnapshotStatistics:
        """See `IndexView.statistics`."""
        return SnapshotStatistics(self.snapshot, self._on_all)

    @cached_property
    def names(self) -> SnapshotNames:
        """See `IndexView.names`."""
        return SnapshotNames(self.snapshot, self.statistics, self._on_all)

    def narrowed(self, documents: Sequence[str] | None, where: Condition | None) -> list[str] | None:
        """See `IndexView.narrowed`."""
        if documents is not None or where is None or not self._is_worth_asking(where):
            return super().narrowed(documents, where)
        found = np.unique(self.snapshot.page_documents[self._met(where)])
        return [self.snapshot.id_of(int(one)) for one in found]

    def pages_meeting(self, where: Condition, document_ids: Sequence[str] | None) -> list[PageRow]:
        """See `IndexView.pages_meeting`."""
        if not self._is_worth_asking(where):
            return super().pages_meeting(where, document_ids)
        pages = self._met(where)
        if document_ids is not None:
            pages = pages[self.snapshot.pages_of(self._chosen(document_ids).tolist())[pages]]
        return sorted(self._rows_of(pages.tolist()), key=lambda row: (row.ordinal, row.page))

    def _is_worth_asking(self, where: Condition) -> bool:
        bases = self.snapshot.page_bases if where.of_pages else self.snapshot.document_bases
        return int(bases[-1]) >= _WORTH_ASKING and bool(wider_filter(where.expression))

    def _meeting(self, where: Condition) -> NDArray[np.int64]:
        """The pages that meet a condition, or the first ones of documents where it does not speak of pages.

        The server names those that may, the snapshot decides.
        """
        asked = wider_filter(where.expression)
        keys = self._store.keys_meeting(asked if where.of_pages else f"page == 1 and ({asked})")
        numbers = np.unique(np.array([page for page in map(self._page_of, keys) if page is not None], np.int64))
        parts = np.split(numbers, range(_LOOKED_AT_ONCE, len(numbers), _LOOKED_AT_ONCE))
        look = self._pages_among if where.of_pages else self._documents_among
        return np.concatenate([look(where, part) for part in parts])

    def _pages_among(self, where: Condition, pages: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = self._rows_of(pages.tolist())
        return np.compress([where.on_page(row.metadata, row.kinds) for row in rows], pages)

    def _documents_among(self, where: Condition, pages: NDArray[np.int64]) -> NDArray[np.int64]:
        documents = self.snapshot.page_documents[pages]
        bases = self.snapshot.document_bases
        parts = np.split(documents, np.searchsorted(documents, bases[1:-1]))
        for segment, part, base in zip(self.snapshot.segments, parts, bases, strict=False):
            segment.read_described(part - int(base))
        return np.compress([where(self._record(int(one)).metadata) for one in documents], pages)

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """See `IndexView.texts`."""
        return self._store.texts(keys)

    def near(
        self, encoder: str, query: QueryVectors, settings: Settings, document_ids: Sequence[str] | None
    ) -> list[PageRow]:
        """See `IndexView.near`."""
        wanted = None
        if document_ids is not None:
            chosen = self._chosen(document_ids)
            wanted = {int(self.snapshot.ordinals[one]): self.snapshot.id_of(int(one)) for one in chosen}
        places = self._candidates(encoder).near(query, settings, wanted)
        found = ((self._of_ordinal.get(ordinal), page) for ordinal, page in places)
        return self.page_rows([page_key(known, page) for known, page in found if known])

    @cached_property
    def _of_ordinal(self) -> Mapping[int, str]:
        """The documents' ids by their ordinals."""
        live = np.flatnonzero(self.snapshot.live_documents)
        return {int(self.snapshot.ordinals[one]): self.snapshot.id_of(int(one)) for one in live}

    def _rows_of(self, pages: Sequence[int]) -> list[PageRow]:
        numbers, bases = np.unique(np.array(pages, np.int64)), self.snapshot.page_bases
        parts = np.split(numbers, np.searchsorted(numbers, bases[1:-1]))
        pairs = zip(self.snapshot.segments, parts, bases, strict=False)
        wanted = [(segment, part - base) for segment, part, base in pairs if len(part)]
        for _ in self._on_all(lambda one: one[0].read_rows(one[1]), wanted):
            pass
        return super()._rows_of(pages)
