"""The parts of one open index, which both journeys work with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from typing import Protocol

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.preparing.encoded_page import Recipe
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.storage.interfaces import CandidateSearch, MultiVectorStore, RowStore, Sharing
from pagesight.indexing.storage.page_files import PageFiles
from pagesight.indexing.vectors.quantization import VectorLayout


class OpenStore(Protocol):
    """What only writing needs: the rows of pages, candidate vectors, the catalog, and who else may write."""

    @property
    def store(self) -> RowStore: ...  # noqa: D102

    @property
    def candidates(self) -> CandidateSearch: ...  # noqa: D102

    @property
    def catalog(self) -> Catalog: ...  # noqa: D102

    @property
    def sharing(self) -> Sharing: ...  # noqa: D102


class IndexAccess(Protocol):
    """How an index is read and written, in a folder or on a server."""

    def view(self, *, at_once: bool = False) -> IndexView:
        """The documents that are in the index now; what others changed a moment ago may be missing but ``at_once``."""
        ...

    def writing(self, wait: float) -> AbstractContextManager[OpenStore]:
        """The right to add and remove, with all that others did taken in.

        ``wait`` seconds are given to another process that writes. Raises IndexInUse.
        """
        ...

    def remake(self) -> None:
        """Make anew what reading needs and can be made from the rest. Raises IndexInUse, PageIndexError."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


@dataclass(frozen=True)
class IndexParts:
    """Folder, multi-vectors and how they are kept, the encoder that made them, and how the rest is read and written.

    ``page_files`` None is for an index on a server.
    """

    folder: IndexFolder
    multivectors: MultiVectorStore
    page_files: PageFiles | None
    layout: VectorLayout
    encoder: PageEncoder
    settings: Settings
    access: IndexAccess
    place: str
    term_rules: int

    @contextmanager
    def writing(self) -> Iterator[WritingParts]:
        """What writing works with, in the block; see `IndexAccess.writing`."""
        with self.access.writing(self.settings.sharing.wait) as opened:
            mine = {item.name: getattr(self, item.name) for item in fields(IndexParts)}
            yield WritingParts(
                **mine,
                store=opened.store,
                candidates=opened.candidates,
                catalog=opened.catalog,
                sharing=opened.sharing,
            )

    @property
    def recipe(self) -> Recipe:
        """How pages are made ready for it."""
        return Recipe(self.layout, self.settings.vectors.centroids, self.term_rules)

    def view(self, *, at_once: bool = False) -> IndexView:
        """See `IndexAccess.view`."""
        return self.access.view(at_once=at_once)

    @property
    def exhaustive_below(self) -> int:
        """The number of pages up to which all are scored: at least as many as would be fetched and scored anyway."""
        # Over a network fetching takes longer than searching, unless somebody has measured it.
        by_setting = self.multivectors.local or "exhaustive_below" in self.settings.search.model_fields_set
        return max(self.settings.search.candidates, self.settings.search.exhaustive_below if by_setting else 0)

    def close(self) -> None:
        """Close everything."""
        self.multivectors.close()
        self.access.close()
        self.encoder.close()


@dataclass(frozen=True)
class WritingParts(IndexParts):
    """The parts of an index that this process may write to."""

    store: RowStore
    candidates: CandidateSearch
    catalog: Catalog
    sharing: Sharing

    def lost_documents(self) -> list[str]:
        """The ids of documents that were whole once, as their records say, and of which rows are missing."""
        if self.page_files is None:
            return []
        entries = {entry.first.document_id for entry in self.catalog.entries() if entry.complete}
        return [known for known in self.page_files.ids() if known not in entries and self.page_files.has_record(known)]

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        self.candidates.flush()
        self.store.flush()
