"""An open snapshot: its segments side by side. Documents and pages are numbered through all of them, from 0.

Documents that are not in the index any more keep their numbers, until their segment is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import page_key
from pagesight.indexing.snapshot.segment import Segment
from pagesight.indexing.snapshot.state import SnapshotState

Number = TypeVar("Number", bound=np.generic)


class Snapshot:
    """Never changes. Raises SnapshotDamaged where a file is not as it was written."""

    def __init__(self, state: SnapshotState, opened: Callable[[str], Segment]) -> None:
        self.state = state
        self.segments = [opened(part.name) for part in state.parts]
        for part, segment in zip(state.parts, self.segments, strict=True):
            if (part.documents, part.pages) != (segment.documents, segment.pages):
                raise segment.damaged("it has not what the state of the snapshot says")
            if sum(part.name == other.name for other in state.parts) > 1:
                raise segment.damaged("the state of the snapshot names it twice")
            if max(part.hidden, default=-1) >= part.documents:
                raise segment.damaged("the state of the snapshot hides what it has not")
        self.document_bases = np.cumsum([0, *(segment.documents for segment in self.segments)])
        self.page_bases = np.cumsum([0, *(segment.pages for segment in self.segments)])

    @cached_property
    def live_documents(self) -> NDArray[np.bool_]:
        """Which documents are in the index, (documents,)."""
        live = np.ones(int(self.document_bases[-1]), bool)
        for part, base in zip(self.state.parts, self.document_bases[:-1], strict=True):
            live[[int(base) + hidden for hidden in part.hidden]] = False
        return live

    @cached_property
    def live_pages(self) -> NDArray[np.bool_] | None:
        """Which pages are in the index, (pages,); None is all."""
        return None if self.live_documents.all() else self.live_documents[self.page_documents]

    @cached_property
    def document_sizes(self) -> NDArray[np.int64]:
        """How many pages each document has, (documents,)."""
        return np.concatenate([np.zeros(0, np.int64), *(np.diff(segment.starts) for segment in self.segments)])

    @cached_property
    def page_documents(self) -> NDArray[np.int32]:
        """The document of each page, (pages,)."""
        return np.repeat(np.arange(len(self.document_sizes), dtype=np.int32), self.document_sizes)

    @cached_property
    def first_pages(self) -> NDArray[np.int64]:
        """The first page of each document, (documents,)."""
        return np.cumsum(self.document_sizes) - self.document_sizes

    @cached_property
    def ids(self) -> NDArray[np.uint64]:
        """The documents' ids, as numbers."""
        return self._joined([segment.ids for segment in self.segments], np.uint64)

    @cached_property
    def ordinals(self) -> NDArray[np.int64]:
        """The documents' ordinals."""
        return self._joined([segment.ordinals for segment in self.segments], np.int64)

    def of_id(self, document_id: str) -> int | None:
        """The document of that id, if it is in the index."""
        try:
            wanted = np.uint64(int(document_id, 16))
        except (ValueError, OverflowError):
            return None
        ids, documents = self._live_by_id
        place = int(np.searchsorted(ids, wanted))
        found = place < len(ids) and ids[place] == wanted and f"{int(wanted):016x}" == document_id
        return int(documents[place]) if found else None

    @cached_property
    def _live_by_id(self) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        """The ids of the documents in the index, ascending, and these documents."""
        live = np.flatnonzero(self.live_documents)
        order = np.argsort(self.ids[live], kind="stable")
        return self.ids[live][order], live[order]

    def with_hash(self, what: str, wanted: int) -> list[int]:
        """The documents in the index whose name or path (``what`` is "names" or "paths") has that hash."""
        arrays: list[NDArray[np.uint64]] = [getattr(segment, what) for segment in self.segments]
        hashes = self._joined(arrays, np.uint64)
        return [int(found) for found in np.flatnonzero((hashes == np.uint64(wanted)) & self.live_documents)]

    def id_of(self, document: int) -> str:
        """The document's id."""
        return f"{int(self.ids[document]):016x}"

    def key_of(self, page: int) -> str:
        """The key of a page."""
        document = int(self.page_documents[page])
        return page_key(self.id_of(document), page - int(self.first_pages[document]) + 1)

    def segment_of(self, document: int) -> tuple[Segment, int]:
        """The segment that a document is in, and its number there."""
        place = int(np.searchsorted(self.document_bases, document, "right")) - 1
        return self.segments[place], document - int(self.document_bases[place])

    def pages_of(self, documents: Iterable[int]) -> NDArray[np.bool_]:
        """Which pages are those of these documents, (pages,)."""
        chosen = np.zeros(len(self.document_sizes), bool)
        chosen[list(documents)] = True
        return chosen[self.page_documents]

    @staticmethod
    def _joined(arrays: Sequence[NDArray[Number]], kind: type[Number]) -> NDArray[Number]:
        return np.concatenate([np.zeros(0, kind), *arrays])
