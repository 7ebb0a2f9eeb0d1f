"""The parts of one open index, which both journeys work with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.milvus.centroid_search import CandidateSearch
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.catalog import Catalog, View
from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.multivector_files import MultiVectors
from pagesight.indexing.storage.sharing import Sharing
from pagesight.indexing.vectors.quantization import VectorLayout

# Of the time in which others change an index all the while, at most a tenth goes into reading its catalog anew.
_PAUSE = 10


@dataclass
class Freshness:
    """Which revision the catalog has, and when it may be read anew."""

    revision: str
    not_before: float = 0.0


@dataclass(frozen=True)
class IndexParts:
    """Folder, collections, multi-vectors and how they are kept, catalog, and the encoder that made them."""

    folder: IndexFolder
    store: PageStore
    candidates: CandidateSearch
    multivectors: MultiVectors
    layout: VectorLayout
    catalog: Catalog
    encoder: PageEncoder
    settings: Settings
    sharing: Sharing
    place: str
    _freshness: Freshness
    #: One writer at a time in this process; searching does not take it.
    _thread: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The right to add and remove, with a catalog that has all that others did. Raises IndexInUse."""
        with self._thread, self.sharing.lease():
            self._take_in(self.sharing.revision())
            yield
            self._freshness.revision = self.sharing.revision()

    def view(self, *, at_once: bool = False) -> View:
        """The documents that are in the index now; what others changed a moment ago may be missing but ``at_once``."""
        # Who writes in this process has the newest catalog.
        if self._thread.acquire(blocking=False):
            try:
                if at_once or time.monotonic() >= self._freshness.not_before:
                    self._look_for_changes()
            finally:
                self._thread.release()
        return self.catalog.view

    @property
    def exhaustive_below(self) -> int:
        """The number of pages up to which all are scored: at least as many as would be fetched and scored anyway."""
        # Over a network fetching takes longer than searching, unless somebody has measured it.
        by_setting = self.multivectors.local or "exhaustive_below" in self.settings.search.model_fields_set
        return max(self.settings.search.candidates, self.settings.search.exhaustive_below if by_setting else 0)

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        self.candidates.flush()
        self.store.flush()

    def close(self) -> None:
        """Close everything and let the folder go."""
        self.multivectors.close()
        self.store.close()
        self.encoder.close()
        self.folder.close()

    def _look_for_changes(self) -> None:
        revision = self.sharing.revision()
        if revision != self._freshness.revision:
            self._take_in(revision)

    def _take_in(self, revision: str) -> None:
        started = time.monotonic()
        if revision or self._freshness.revision:
            self.catalog.reload(self.store.pages())
        self._freshness.revision = revision
        ended = time.monotonic()
        self._freshness.not_before = ended + _PAUSE * (ended - started)
