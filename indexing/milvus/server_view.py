"""What readers of an index on a server see: its snapshot, and what the server has of pages by their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.pages import PageRow, page_key
from pagesight.indexing.settings import Settings
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.snapshot_statistics import OnAll, SnapshotNames, SnapshotStatistics
from pagesight.indexing.snapshot.snapshot_view import SnapshotView
from pagesight.indexing.storage.interfaces import CandidateSearch
from pagesight.indexing.vectors.multivector import QueryVectors


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

    @cached_property
    def statistics(self) -> SnapshotStatistics:
        """See `IndexView.statistics`."""
        return SnapshotStatistics(self.snapshot, self._on_all)

    @cached_property
    def names(self) -> SnapshotNames:
        """See `IndexView.names`."""
        return SnapshotNames(self.snapshot, self.statistics, self._on_all)

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
