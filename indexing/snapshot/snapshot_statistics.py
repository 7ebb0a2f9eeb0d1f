"""BM25 over a snapshot, exactly as over all its pages in memory (lexical/bm25.py): counts are read by term."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.bm25 import inverse_document_frequency, length_norms, term_scores
from pagesight.indexing.snapshot.snapshot import Snapshot

#: `map`, or what does the same on several threads.
OnAll = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

_TERMS_KEPT = 64  # whose postings stay in memory: those of a question are asked for several times
_QUESTIONS_KEPT = 4  # whose scores of all pages do, 8 bytes each: those of likely documents are asked for next


class SnapshotStatistics:
    """See `Statistics`."""

    def __init__(self, snapshot: Snapshot, on_all: OnAll = map) -> None:
        """``on_all`` is `map` for segments: the next one may be asked while another has not answered."""
        self._snapshot = snapshot
        self._on_all = on_all
        self._postings = lru_cache(maxsize=_TERMS_KEPT)(self._read_postings)
        self._totals = lru_cache(maxsize=_QUESTIONS_KEPT)(self._add_up)

    @property
    def document_count(self) -> int:
        """See `Statistics.document_count`."""
        return len(self._live)

    def document_ids(self, places: NDArray[np.integer]) -> list[str]:
        """See `Statistics.document_ids`."""
        return [f"{number:016x}" for number in self._snapshot.ids[self._live[places]].tolist()]

    def place(self, document_id: str) -> int:
        """See `Statistics.place`."""
        if (known := self._snapshot.of_id(document_id)) is None:
            raise KeyError(document_id)
        return int(self.places[known])

    def idf(self, term: str) -> float:
        """See `Statistics.idf`."""
        return inverse_document_frequency(self._page_count, len(self._postings(term)[0]))

    def spread(self, term: str) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
        """See `Statistics.spread`."""
        pages, _ = self._postings(term)
        held = np.bincount(self._snapshot.page_documents[pages], minlength=len(self.places))
        holders = np.flatnonzero(held)
        return self.places[holders], held[holders] / self._snapshot.document_sizes[holders]

    def bm25(self, terms: Iterable[str], limit: int, document_ids: Iterable[str] | None = None) -> dict[str, float]:
        """See `Statistics.bm25`."""
        total = self._totals(tuple(terms))
        if document_ids is not None:
            found = (self._snapshot.of_id(known) for known in document_ids)
            total = total * self._snapshot.pages_of(document for document in found if document is not None)
        return {self._snapshot.key_of(page): float(total[page]) for page in self._best(total, limit)}

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """The place of each document, (documents,), for those that are in the index."""
        return np.cumsum(self._snapshot.live_documents) - 1

    def _best(self, total: NDArray[np.float64], limit: int) -> list[int]:
        """The pages with the greatest scores above 0; equal ones in the order of ordinals and numbers."""
        least = 0.0
        if 0 < limit < len(total):
            least = float(np.partition(total, len(total) - limit)[len(total) - limit])
        found = np.flatnonzero((total >= least) & (total > 0))
        ordinals = self._snapshot.ordinals[self._snapshot.page_documents[found]]
        return [int(page) for page in found[np.lexsort((found, ordinals, -total[found]))][:limit]]

    @cached_property
    def _live(self) -> NDArray[np.intp]:
        return np.flatnonzero(self._snapshot.live_documents)

    @cached_property
    def _page_count(self) -> int:
        return int(self._snapshot.document_sizes[self._live].sum())

    @cached_property
    def _norms(self) -> NDArray[np.float64]:
        lengths = np.concatenate([np.zeros(0, np.int32), *(segment.lengths for segment in self._snapshot.segments)])
        live = self._snapshot.live_pages
        counted = lengths if live is None else lengths[live]
        return length_norms(lengths, float(counted.mean()) if len(counted) else 0.0)

    def _add_up(self, terms: tuple[str, ...]) -> NDArray[np.float64]:
        """Every page's score for the terms."""
        total = np.zeros(len(self._norms))
        for term in terms:
            pages, often = self._postings(term)
            total[pages] += term_scores(self.idf(term), often, self._norms[pages])
        return total

    def _read_postings(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """The pages that hold the term, and how often."""
        pages, often = [np.zeros(0, np.int64)], [np.zeros(0, np.uint16)]
        held = self._on_all(lambda segment: segment.terms.of(term), self._snapshot.segments)
        for (holders, counts), base in zip(held, self._snapshot.page_bases, strict=False):
            pages.append(holders + base)
            often.append(counts)
        found, counts = np.concatenate(pages), np.concatenate(often)
        live = self._snapshot.live_pages
        return (found, counts) if live is None else (found[live[found]], counts[live[found]])


class SnapshotNames:
    """The words in the names of the documents; see `Names`."""

    def __init__(self, snapshot: Snapshot, statistics: SnapshotStatistics, on_all: OnAll = map) -> None:
        """``on_all`` as in `SnapshotStatistics`."""
        self._snapshot = snapshot
        self._statistics = statistics
        self._on_all = on_all
        self._holders = lru_cache(maxsize=_TERMS_KEPT)(self._read_holders)

    def holders(self, term: str) -> NDArray[np.int64]:
        """See `Names.holders`."""
        return self._holders(term)

    def _read_holders(self, term: str) -> NDArray[np.int64]:
        found = [np.zeros(0, np.int64)]
        held = self._on_all(lambda segment: segment.name_terms.of(term)[0], self._snapshot.segments)
        for holders, base in zip(held, self._snapshot.document_bases, strict=False):
            found.append(holders + base)
        documents = np.concatenate(found)
        return self._statistics.places[documents[self._snapshot.live_documents[documents]]]

    def idf(self, term: str) -> float:
        """See `Names.idf`."""
        return inverse_document_frequency(self._statistics.document_count, len(self.holders(term)))
