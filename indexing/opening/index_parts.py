"""The parts of one open index, which both journeys work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from typing import Protocol

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.preparing.encoded_page import Recipe
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.index_encoder import IndexEncoder, by_id, changed
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.storage.interfaces import CandidateSearch, RowStore, Sharing
from pagesight.indexing.storage.manifest import Manifest, RecordedEncoder
from pagesight.indexing.storage.page_files import PageFiles


class OpenStore(Protocol):
    """What only writing needs: the rows of pages, candidate vectors, the catalog, and who else may write.

    ``candidates`` are those of each encoder by its id.
    """

    @property
    def store(self) -> RowStore: ...  # noqa: D102

    @property
    def candidates(self) -> Mapping[str, CandidateSearch]: ...  # noqa: D102

    @property
    def catalog(self) -> Catalog: ...  # noqa: D102

    @property
    def sharing(self) -> Sharing: ...  # noqa: D102

    def forget_encoder(self, encoder: str) -> None:
        """Remove all vectors and candidates of an encoder that the index has no more, by its id."""
        ...


class IndexAccess(Protocol):
    """How an index is read and written, in a folder or on a server."""

    def view(self, *, at_once: bool = False) -> IndexView:
        """The documents that are in the index now; what others changed a moment ago may be missing but ``at_once``."""
        ...

    def writing(self, wait: float, *, from_rows: bool = False) -> AbstractContextManager[OpenStore]:
        """The right to add and remove, with all that others did taken in.

        ``wait`` seconds are given to another process that writes. With ``from_rows`` all rows are read that nothing
        else on a server vouches for; in a folder, page files do. Raises IndexInUse.
        """
        ...

    def remake(self) -> bool:
        """Make anew what reading needs and can be made from the rest; False where it was only read while it changed.

        Raises IndexInUse, PageIndexError.
        """
        ...

    def manifest(self) -> Manifest:
        """What the index is made with now."""
        ...

    def note_manifest(self, manifest: Manifest) -> None:
        """Note what the index is made with from now on; for who may write to it."""
        ...

    def with_stores(self, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
        """The encoder with where its vectors are; what it needs there is made where it is missing."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


@dataclass(frozen=True)
class IndexParts:
    """Folder, encoders with the multi-vectors that they made, and how the rest is read and written.

    All who have the index open in this process share the list of ``encoders``, which is as the index was when it was
    opened here or last changed from here. ``page_files`` None is for an index on a server.
    """

    folder: IndexFolder
    encoders: list[IndexEncoder]
    page_files: PageFiles | None
    settings: Settings
    access: IndexAccess
    place: str
    term_rules: int

    @contextmanager
    def writing(self, *, from_rows: bool = False) -> Iterator[WritingParts]:
        """What writing works with, in the block; see `IndexAccess.writing`."""
        with self.access.writing(self.settings.sharing.wait, from_rows=from_rows) as opened:
            mine = {item.name: getattr(self, item.name) for item in fields(IndexParts)}
            yield WritingParts(
                **mine,
                store=opened.store,
                candidates=opened.candidates,
                catalog=opened.catalog,
                sharing=opened.sharing,
                forget_encoder=opened.forget_encoder,
            )

    @property
    def recipe(self) -> Recipe:
        """How pages are made ready for it."""
        layouts = {one.name: one.recorded.layout for one in self.encoders}
        return Recipe(layouts, self.settings.vectors.centroids, self.term_rules)

    def view(self, *, at_once: bool = False) -> IndexView:
        """See `IndexAccess.view`."""
        return self.access.view(at_once=at_once)

    @property
    def encoder(self) -> PageEncoder:
        """The first of its encoders."""
        return self.encoders[0].encoder

    def encoder_called(self, name: str | None) -> IndexEncoder:
        """The encoder of this name or id; the first one if None. Raises SettingsError for one that is not here."""
        found = by_id(self.encoders, name) if name else self.encoders[0]
        if found is None:
            names = ", ".join(one.encoder.name for one in self.encoders)
            raise SettingsError(
                f"the index in {self.place} has no encoder {name}; it has {names}. `pagesight index --encoder {name}` "
                "adds it."
            )
        return found

    def searching(self, view: IndexView) -> list[IndexEncoder]:
        """The encoders that a search of the view uses: those that all pages have vectors of.

        Raises PageIndexError where another process has removed all that were there when the index was opened.
        """
        found = [one for one in self.encoders if one.id in view.encoders]
        if not found:
            raise changed(self.place)
        return found

    @property
    def exhaustive_below(self) -> int:
        """The number of pages up to which all are scored: at least as many as would be fetched and scored anyway."""
        # Over a network fetching takes longer than searching, unless somebody has measured it.
        by_setting = self.encoders[0].multivectors.local or "exhaustive_below" in self.settings.search.model_fields_set
        return max(self.settings.search.most_candidates(), self.settings.search.exhaustive_below if by_setting else 0)

    def close(self) -> None:
        """Close everything."""
        for one in self.encoders:
            one.multivectors.close()
        self.access.close()
        for one in self.encoders:
            one.encoder.close()


@dataclass(frozen=True)
class WritingParts(IndexParts):
    """The parts of an index that this process may write to."""

    store: RowStore
    candidates: Mapping[str, CandidateSearch]
    catalog: Catalog
    sharing: Sharing
    forget_encoder: Callable[[str], None]

    def lost_documents(self) -> list[str]:
        """The ids of documents that were whole once, as their records say, and of which rows are missing."""
        if self.page_files is None:
            return []
        entries = {entry.first.document_id for entry in self.catalog.entries() if entry.complete}
        return [known for known in self.page_files.ids() if known not in entries and self.page_files.has_record(known)]

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        for candidates in self.candidates.values():
            candidates.flush()
        self.store.flush()
