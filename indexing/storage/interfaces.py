"""The seams of an index: what files in a folder and rows on a server do alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import VectorsMissing
from pagesight.indexing.pages import PageRow
from pagesight.indexing.settings import Settings
from pagesight.indexing.vectors.multivector import QueryVectors
from pagesight.indexing.vectors.quantization import StoredVectors


class RowStore(Protocol):
    """Where the rows of an index's pages are."""

    def pages(self) -> Iterable[PageRow]:
        """All rows, without terms and text."""
        ...

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """The pages' texts, in lines, by key."""
        ...

    def write_pages(self, rows: Sequence[PageRow]) -> list[PageRow]:
        """Write the rows that make pages findable; returns them as kept."""
        ...

    def describe(self, document_id: str, metadata: dict[str, Any]) -> list[PageRow]:
        """Give a document other metadata; returns its rows without terms and text."""
        ...

    def whole_rows(self, document_id: str) -> list[PageRow]:
        """A document's rows with terms and texts, as they are kept."""
        ...

    def may_be_cut(self, row: PageRow) -> bool:
        """Whether the row's terms or text may have been longer than is kept."""
        ...

    def remove_rows(self, keys: Sequence[str]) -> None:
        """Remove single pages' rows: they are no longer found, and count as not yet written."""
        ...

    def remove_pages(self, document_id: str, rows: Sequence[PageRow] = ()) -> None:
        """Remove a document's rows: from here on it is not found.

        ``rows`` are all that it has, whole, where they are known: then none is looked for.
        """
        ...

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        ...


#: Pages whose vectors are gone or damaged, by their keys.
Lost = dict[str, VectorsMissing]


class MultiVectorStore(Protocol):
    """Where an index has the full multi-vectors by one encoder; ``local`` says that reading them takes no network."""

    local: bool

    def write(self, document_id: str, first_page: int, pages: Sequence[StoredVectors]) -> None:
        """Write consecutive pages from ``first_page`` on; nothing of them is lost once this has returned."""
        ...

    def read(self, rows: Sequence[PageRow], lost: Lost | None = None, *, anew: bool = False) -> Iterator[StoredVectors]:
        """The vectors of pages, in the order of their rows, each known to be as it was written.

        A page is looked at when it is first read; with ``anew`` also if it was read before.
        Raises VectorsMissing for a page whose vectors are gone or damaged; with ``lost`` that page is left out instead,
        and noted there by its key.
        """
        ...

    def remove(self, document_id: str) -> None:
        """Remove all pages of a document."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class PageVectors(NamedTuple):
    """A page's number, its vectors as they are kept, and its centroids, (k, dim) float32."""

    page: int
    vectors: StoredVectors
    centroids: NDArray[np.float32]


class CandidateSearch(Protocol):
    """What finds candidates among the pages of an index by the vectors of one encoder."""

    def write(self, ordinal: int, document_id: str, pages: Sequence[PageVectors]) -> list[int]:
        """Take in pages of a document, over what was known of them.

        Returns how many candidate vectors each page got.
        """
        ...

    def near(self, query: QueryVectors, settings: Settings, wanted: Mapping[int, str] | None) -> list[tuple[int, int]]:
        """The nearest pages as (ordinal, page), nearest first, at most `most_candidates`.

        Those of the ``wanted`` documents, ids by their ordinals; None is all.
        """
        ...

    def drop_surplus(self, ordinal: int, page: int, count: int) -> None:
        """Forget what a page had beyond so many candidate vectors, before it was written anew."""
        ...

    def counts(self, document_id: str) -> dict[int, int]:
        """How many candidate vectors each page of a document has."""
        ...

    def remove(self, document_id: str, rows: Sequence[PageRow] = ()) -> None:
        """Forget a document; ``rows`` are all that it has, where they are known: then nothing is looked for."""
        ...

    def remove_all(self) -> None:
        """Forget all documents; nothing can be written or looked for after this."""
        ...

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        ...


class Sharing(Protocol):
    """One process' share in an index."""

    def confirm(self) -> None:
        """Raise IndexInUse if the lease was lost; before something is written."""
        ...


class CatalogListener(Protocol):
    """Who is told what a catalog takes in."""

    def wrote(self, rows: Sequence[PageRow], *, complete: bool) -> None:
        """These pages of a document are written, with terms and text; ``complete`` says that it has all pages now."""
        ...

    def removed(self, document_id: str) -> None:
        """A document's rows are gone."""
        ...
