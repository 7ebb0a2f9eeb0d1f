"""The parts of one open index, which both journeys work with."""

from __future__ import annotations

import contextlib
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import IndexWarning
from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.milvus.sealed_files import seal
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.catalog import Catalog, View
from pagesight.indexing.storage.folder import SEAL, IndexFolder
from pagesight.indexing.storage.interfaces import CandidateSearch, MultiVectorStore, Sharing
from pagesight.indexing.storage.page_files import PageFiles
from pagesight.indexing.vectors.quantization import VectorLayout

_MOST_NAMES = 8  # that a warning lists; a guess, not measured


@dataclass(frozen=True)
class IndexParts:
    """Folder, collections, multi-vectors and how they are kept, catalog, and the encoder that made them.

    ``page_files`` None is for an index on a server.
    """

    folder: IndexFolder
    store: PageStore
    candidates: CandidateSearch
    multivectors: MultiVectorStore
    page_files: PageFiles | None
    layout: VectorLayout
    catalog: Catalog
    encoder: PageEncoder
    settings: Settings
    sharing: Sharing
    place: str
    term_rules: int = TERM_RULES

    def lost_documents(self) -> list[str]:
        """The ids of documents that were whole once, as their records say, and of which rows are missing."""
        if self.page_files is None:
            return []
        entries = {entry.first.document_id for entry in self.catalog.entries() if entry.complete}
        return [known for known in self.page_files.ids() if known not in entries and self.page_files.has_record(known)]

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
        if self.page_files and self.folder.held:
            with contextlib.suppress(OSError):  # a full disk, or one that cannot be written to
                seal(self.folder.path / "milvus.db", self.folder.path / SEAL)
        self.folder.close()


def warn_of_lost(parts: IndexParts) -> None:
    """Warns of documents that the index should hold and of which Milvus has lost rows, by their names."""
    lost = parts.lost_documents()
    if lost and parts.page_files:
        names = [parts.page_files.name(document_id) for document_id in lost[:_MOST_NAMES]]
        more = f" and {len(lost) - len(names)} more" if len(lost) > len(names) else ""
        warnings.warn(
            f"the index in {parts.place} has lost rows of {', '.join(names)}{more}, and leaves "
            f"{'them' if lost[1:] else 'it'} out of answers. `pagesight repair --index {parts.place}` takes them from "
            "the index's other files.",
            IndexWarning,
            stacklevel=2,
        )
