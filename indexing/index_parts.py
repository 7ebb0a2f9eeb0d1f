"""The parts of one open index, which both journeys work with."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.catalog import Catalog, View
from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.interfaces import CandidateSearch, MultiVectorStore, Sharing
from pagesight.indexing.vectors.quantization import VectorLayout


@dataclass(frozen=True)
class IndexParts:
    """Folder, collections, multi-vectors and how they are kept, catalog, and the encoder that made them."""

    folder: IndexFolder
    store: PageStore
    candidates: CandidateSearch
    multivectors: MultiVectorStore
    layout: VectorLayout
    catalog: Catalog
    encoder: PageEncoder
    settings: Settings
    sharing: Sharing
    place: str
    term_rules: int = TERM_RULES

    def writing(self) -> AbstractContextManager[None]:
        """See `Catalog.writing`."""
        return self.catalog.writing()

    def view(self, *, at_once: bool = False) -> View:
        """See `Catalog.view`."""
        return self.catalog.view(at_once=at_once)

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
