"""A part of a snapshot: some documents with all that a search needs of them but their multi-vectors. Never changed.

    <name>.arrays   documents, pages, texts, terms by page and by document's name, candidate vectors by page
    <name>.faiss    candidate vectors in lists, where there are many (vector_lists.py); of a further encoder in
                    <name>.<its id>.faiss

Documents stand in the order of their ordinals, the pages of each one after the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import ENCODER_ID, PageRow, checked_page_row
from pagesight.indexing.snapshot.array_file import ArrayFile, SnapshotDamaged
from pagesight.indexing.snapshot.segment_content import SegmentContent
from pagesight.indexing.snapshot.segment_vectors import SegmentVectors
from pagesight.indexing.snapshot.term_postings import Postings, PostingsFile, postings_kinds

#: What a row needs that documents do not say.
_FIRST_PAGE = {"page": 1, "batch": 1, "text_source": ""}

_DESCRIBED_KEPT = 256  # documents; a guess, not measured


class Segment:
    """An open segment. Raises SnapshotDamaged where its files are not as they were written."""

    def __init__(self, name: str, file: ArrayFile, dims: Mapping[str, int]) -> None:
        """``dims`` has the dimensions of the index's encoders by their ids; of others it may have vectors, too."""
        self.name = name
        self._file = file
        self.documents = self._file.length("ids")
        self.pages = self._file.length("lengths")
        self._vectors = self._open_vectors(dims)
        self._refuse_unlike()
        self.terms = PostingsFile(self._file, "terms", self.pages)
        self.name_terms = PostingsFile(self._file, "name_terms", self.documents)
        # The pages of a document are asked for one after the other: what they have alike is read once.
        self._described = lru_cache(maxsize=_DESCRIBED_KEPT)(partial(self._read_json, "described"))

    def damaged(self, why: str) -> SnapshotDamaged:
        """The error for it."""
        return self._file.damaged(why)

    @cached_property
    def ids(self) -> NDArray[np.uint64]:
        """The documents' ids, as numbers."""
        return self._file.all("ids")

    @cached_property
    def ordinals(self) -> NDArray[np.int64]:
        """The documents' ordinals."""
        return self._file.all("ordinals")

    @cached_property
    def names(self) -> NDArray[np.uint64]:
        """The hashes of the documents' names."""
        return self._file.all("names")

    @cached_property
    def paths(self) -> NDArray[np.uint64]:
        """The hashes of the documents' paths."""
        return self._file.all("paths")

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first page of each document, and the number of all pages."""
        return np.append(0, np.cumsum(self._file.all("pages")))

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """How many terms each page has."""
        return self._file.all("lengths")

    def read_documents(self) -> None:
        """Have what it says of all documents at hand."""
        self._file.all("described.starts")
        self._file.all("described.bytes")

    def read_described(self, documents: NDArray[np.integer]) -> None:
        """Have what it says of some documents at hand."""
        starts = self._file.all("described.starts")
        self._file.ahead("described.bytes", starts[documents], starts[documents + 1])

    def read_rows(self, pages: NDArray[np.integer]) -> None:
        """Have the rows of some pages at hand, which count from 0: each by itself would be fetched by itself."""
        self._file.ahead("rows.bytes", self._row_starts[pages], self._row_starts[pages + 1])

    def described(self, document: int) -> PageRow:
        """A row with what all pages of a document have alike; of its page, number 1, it says no more."""
        return self._checked(document, 1, self._described(document), _FIRST_PAGE)

    def encoders_of(self, document: int) -> frozenset[str]:
        """The ids of the further encoders that all pages of a document have vectors of."""
        told = self._described(document).get("encoders")
        return frozenset(map(str, told)) if isinstance(told, list) else frozenset()

    def row(self, document: int, number: int) -> PageRow:
        """A page's row, without terms and text; ``number`` counts from 1."""
        return self._row(document, number)

    def rows(self, document: int) -> list[PageRow]:
        """The rows of all pages of a document, without terms and texts."""
        self.read_rows(np.arange(self.starts[document], self.starts[document + 1]))
        return [self._row(document, number) for number in range(1, self._size(document) + 1)]

    def text(self, document: int, number: int) -> str:
        """The text of a page; ``number`` counts from 1."""
        return self._blob("texts", int(self.starts[document]) + number - 1).decode(errors="replace")

    def near(
        self, encoder: str, query: NDArray[np.float32], hits: int, probes: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `VectorLists.near`, by the vectors of one encoder."""
        if encoder not in self._vectors:
            return np.zeros((len(query), 0), np.float32), np.zeros((len(query), 0), np.int64)
        return self._vectors[encoder].near(query, hits, probes, allowed)

    def best_similarities(
        self, encoder: str, query: NDArray[np.float32], pages: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """As `SegmentVectors.best_similarities`, of some pages that `near` found, which count from 0."""
        return self._vectors[encoder].best_similarities(query, pages)

    def check(self) -> None:
        """Read all of it. Raises SnapshotDamaged."""
        self._file.check()
        for vectors in self._vectors.values():
            vectors.check()

    def content(self, wanted: NDArray[np.bool_]) -> SegmentContent:
        """The wanted documents, (documents,)."""
        chosen = np.flatnonzero(wanted)
        sizes = np.diff(self.starts)
        places = np.repeat(wanted, sizes)  # of pages that are kept
        page_numbers = np.cumsum(places) - 1
        pages = np.flatnonzero(places)
        return SegmentContent(
            ids=self.ids[chosen],
            ordinals=self.ordinals[chosen],
            names=self.names[chosen],
            paths=self.paths[chosen],
            pages=sizes[chosen],
            lengths=self.lengths[pages],
            described=self._blobs("described", chosen),
            rows=self._blobs("rows", pages),
            texts=self._blobs("texts", pages),
            terms=_renumbered(self.terms.read(), places, page_numbers),
            name_terms=_renumbered(self.name_terms.read(), wanted, np.cumsum(wanted) - 1),
            encoders={known: vectors.content(places) for known, vectors in self._vectors.items()},
        )

    def _open_vectors(self, dims: Mapping[str, int]) -> dict[str, SegmentVectors]:
        """The vectors of each encoder that it has some of, by id."""
        try:
            told = {known: (one["dim"], one["lists"]) for known, one in self._file.facts["encoders"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise self._file.damaged(f"it does not say whose vectors it has: {error}") from error
        for known, (dim, _) in told.items():
            if not re.fullmatch(f"(?:{ENCODER_ID})?", known) or type(dim) is not int or dims.get(known, dim) != dim:
                raise self._file.damaged("it has other vectors than the index")
        return {known: SegmentVectors(self._file, known, self.pages, *one) for known, one in told.items()}

    def _refuse_unlike(self) -> None:
        """Raises SnapshotDamaged where the arrays do not fit each other: somebody else may have written them."""
        documents, pages, length = self.documents, self.pages, self._file.length
        blobs = {"described": documents, "rows": pages, "texts": pages}
        kinds: dict[str, tuple[Any, tuple[int, ...]]] = {
            **dict.fromkeys(("ids", "names", "paths"), (np.uint64, (documents,))),
            **dict.fromkeys(("ordinals", "pages"), (np.int64, (documents,))),
            "lengths": (np.int32, (pages,)),
            **{f"{name}.starts": (np.int64, (count + 1,)) for name, count in blobs.items()},
            **{f"{name}.bytes": (np.uint8, (length(f"{name}.bytes"),)) for name in blobs},
            **postings_kinds(self._file, "terms"),
            **postings_kinds(self._file, "name_terms"),
        }
        for vectors in self._vectors.values():
            kinds |= vectors.kinds
        self._file.refuse_unlike(kinds)
        sizes = self._file.all("pages")
        if (sizes < 1).any() or (sizes > pages).any() or int(sizes.sum()) != pages:
            raise self._file.damaged("its documents have not as many pages as it has")

    def _size(self, document: int) -> int:
        return int(self.starts[document + 1] - self.starts[document])

    def _row(self, document: int, number: int) -> PageRow:
        """The row that the file has there, if it is one that pagesight can have written."""
        page = int(self.starts[document]) + number - 1
        start, stop = map(int, self._row_starts[page : page + 2])
        own = self._as_json(self._file.part("rows.bytes", start, stop).tobytes())
        return self._checked(document, number, self._described(document), own)

    def _checked(self, document: int, number: int, shared: dict[str, Any], own: dict[str, Any]) -> PageRow:
        try:
            row = checked_page_row({**shared, **own})
        except (ValueError, TypeError) as error:
            raise self._file.damaged(f"it has a row that pagesight did not write so: {error}") from error
        ours = (f"{int(self.ids[document]):016x}", number, self._size(document))
        if (row.document_id, row.page, row.page_count) != ours:
            raise self._file.damaged("a row is not that of its page")
        return row

    @cached_property
    def _row_starts(self) -> NDArray[np.int64]:
        return self._file.all("rows.starts")

    def _read_json(self, name: str, place: int) -> dict[str, Any]:
        return self._as_json(self._blob(name, place))

    def _as_json(self, content: bytes) -> dict[str, Any]:
        try:
            return dict(json.loads(content.decode()))  # given bytes, it would guess their encoding
        except (ValueError, TypeError, RecursionError) as error:
            raise self._file.damaged(f"what it says of a page or document cannot be read: {error}") from error

    def _blobs(self, name: str, places: NDArray[np.integer]) -> list[bytes]:
        starts, content = self._file.all(f"{name}.starts"), self._file.all(f"{name}.bytes")
        if int(starts[0]) != 0 or int(starts[-1]) != len(content) or (np.diff(starts) < 0).any():
            raise self._file.damaged(f"the places of {name} are not one after the other")
        return [content[starts[place] : starts[place + 1]].tobytes() for place in places.tolist()]

    def _blob(self, name: str, place: int) -> bytes:
        start, stop = map(int, self._file.part(f"{name}.starts", place, place + 2))
        return self._file.part(f"{name}.bytes", start, stop).tobytes()


def _renumbered(postings: Postings, kept: NDArray[np.bool_], numbers: NDArray[np.int64]) -> Postings:
    """The postings of the holders that are kept, with their new numbers."""
    if kept.all():
        return postings
    chosen = kept[postings.holders]
    holders = numbers[postings.holders[chosen]].astype(np.int32)
    return Postings(postings.terms[chosen], holders, postings.often[chosen])
