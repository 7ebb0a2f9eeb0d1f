"""BM25: which terms a page counts with, on which pages each term stands, how rare it is, and the scores from that.

The terms are those of tokens.py, which also become the lexical encoder's vectors, so that both stages agree.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.tokens import TERM_RULES, tokenize
from pagesight.indexing.pages import PageText

# What a page opens with and what it sets large say what it is about: such words count twice, or three times if both.
# Measured: nDCG@5 .579 → .596 over an index, .699 → .709 within the document; 20 to 40 words and heights from 1.5 to
# 1.8 are level.
_OPENING_TERMS = 30
_LARGE = 1.5  # times the page's median height of words


# BM25's usual constants; with k1 1.2 or b 0.5 real questions scored up to .04 nDCG@5 lower.
_K1, _B = 1.5, 0.75


def page_terms(text: PageText, rules: int = TERM_RULES) -> list[str]:
    """The terms of a page as BM25 counts them: in their order, those of its opening and of large words repeated."""
    heights = text.boxes[:, 3] - text.boxes[:, 1]
    owners = [
        (term, height)
        for word, height in zip(text.words, heights.tolist(), strict=True)
        for term in tokenize(word, rules)
    ]
    if not owners:
        return []
    large = _LARGE * float(np.median([height for _, height in owners]))
    counted: list[str] = []
    for place, (term, height) in enumerate(owners):
        counted += [term] * (1 + (place < _OPENING_TERMS) + (height >= large))
    return counted


class Statistics(Protocol):
    """What BM25 and the document prior count over the pages of an index. A document's place is its number, from 0."""

    @property
    def document_count(self) -> int:
        """How many documents there are."""
        ...

    def document_ids(self, places: NDArray[np.integer]) -> list[str]:
        """The ids of the documents at these places."""
        ...

    def place(self, document_id: str) -> int:
        """The place of a document that is in the index."""
        ...

    def idf(self, term: str) -> float:
        """Inverse document frequency as BM25 has it; see `inverse_document_frequency`."""
        ...

    def spread(self, term: str) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
        """The documents (by place) that hold the term, and on which part of its pages (0-1) each does."""
        ...

    def bm25(self, terms: Iterable[str], limit: int, document_ids: Iterable[str] | None = None) -> dict[str, float]:
        """The scores of the best ``limit`` pages, by key; of some documents, measured by what all pages hold.

        Robertson's and Zaragoza's formula (2009); pages with none of the terms are left out.
        """
        ...


def inverse_document_frequency(documents: int, holders: int) -> float:
    """``log((N - n + 0.5) / (n + 0.5) + 1)`` for a term that n of N have; never negative."""
    return math.log((documents - holders + 0.5) / (holders + 0.5) + 1)


def length_norms(lengths: NDArray[np.floating], mean: float) -> NDArray[np.float64]:
    """How long pages of so many terms are for BM25, where the mean is ``mean``; 1 is the mean."""
    return 1 - _B + _B * lengths.astype(np.float64) / max(mean, 1)


def term_scores(idf: float, often: NDArray[np.integer], norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a term adds to the scores of pages that have it so often."""
    counts = often.astype(np.float64)
    return idf * counts * (_K1 + 1) / (counts + _K1 * norms)


class TermStatistics:
    """On which pages each term stands, and how often, in memory; see `Statistics`.

    Milvus' own BM25 is not used: servers have it from 2.5 on, and Milvus Lite counts each file of its rows for itself,
    so that a page that was added alone had a twentieth of its score.
    """

    def __init__(self) -> None:
        self._terms: defaultdict[str, int] = defaultdict()
        self._terms.default_factory = self._terms.__len__  # a new term has the next number
        self._documents: dict[str, dict[int, _PageTerms]] = {}
        self._counts: _Counts | None = None

    def add(self, page_terms: Iterable[str], document_id: str = "", page: int | None = None) -> None:
        """Count a page of a document with these terms; repeated ones count more. By default it is the next page."""
        numbers = np.fromiter(map(self._terms.__getitem__, page_terms), np.int32)
        pages = self._documents.setdefault(document_id, {})
        distinct, counts = np.unique(numbers, return_counts=True)
        pages[len(pages) + 1 if page is None else page] = distinct, counts.astype(np.int32)
        self._counts = None

    def forget(self, document_id: str) -> None:
        """Count a document's pages no longer."""
        self._documents.pop(document_id, None)
        self._counts = None

    def only(self, document_ids: Iterable[str]) -> TermStatistics:
        """The statistics of some documents; those that were not counted are left out. None of them may change."""
        chosen = TermStatistics()
        chosen._terms = self._terms
        chosen._documents = {known: self._documents[known] for known in document_ids if known in self._documents}
        return chosen

    @property
    def pages(self) -> int:
        """How many pages were counted."""
        return sum(map(len, self._documents.values()))

    @property
    def documents(self) -> dict[str, int]:
        """The documents' ids, each with its place in the arrays of `spread`."""
        return {document_id: place for place, document_id in enumerate(self._documents)}

    @property
    def document_count(self) -> int:
        """See `Statistics.document_count`."""
        return len(self._documents)

    def document_ids(self, places: NDArray[np.integer]) -> list[str]:
        """See `Statistics.document_ids`."""
        ids = list(self._documents)
        return [ids[place] for place in places]

    def place(self, document_id: str) -> int:
        """See `Statistics.place`."""
        return self.documents[document_id]

    def pages_of(self, document_id: str) -> int:
        """How many pages of a document were counted."""
        return len(self._documents.get(document_id, ()))

    def idf(self, term: str) -> float:
        """See `Statistics.idf`."""
        counts = self._counted()
        n = int(counts.frequency[found]) if (found := self._term_number(term)) is not None else 0
        return inverse_document_frequency(len(counts.lengths), n)

    def spread(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """See `Statistics.spread`."""
        found = self._term_number(term)
        if found is None:
            return np.zeros(0, np.int64), np.zeros(0)
        counts = self._counted()
        holders, held = np.unique(counts.documents[counts.postings(found)[0]], return_counts=True)
        return holders, held / counts.pages[holders]

    def bm25(self, terms: Iterable[str], limit: int, document_ids: Iterable[str] | None = None) -> dict[str, float]:
        """See `Statistics.bm25`."""
        counts = self._counted()
        total = np.zeros(len(counts.lengths))
        for term in terms:
            if (found := self._term_number(term)) is not None:
                pages, often = counts.postings(found)
                total[pages] += term_scores(self.idf(term), often, counts.norms[pages])
        if document_ids is not None:
            places = self.documents
            total[~np.isin(counts.documents, [places[known] for known in document_ids if known in places])] = 0
        best = [place for place in np.argsort(-total, kind="stable")[:limit] if total[place] > 0]
        ids = list(self._documents)
        return {f"{ids[counts.documents[place]]}:{counts.numbers[place]}": float(total[place]) for place in best}

    def __contains__(self, term: str) -> bool:
        return self._term_number(term) is not None

    def _term_number(self, term: str) -> int | None:
        """The term's number, if a page has it: the numbers are shared with statistics over more documents."""
        found = self._terms.get(term)
        frequency = self._counted().frequency
        return found if found is not None and found < len(frequency) and frequency[found] else None

    def _counted(self) -> _Counts:
        if self._counts is None:
            self._counts = _Counts(list(self._documents.values()))
        return self._counts


#: A page's terms by their numbers, and how often each stands on it.
_PageTerms = tuple[NDArray[np.int32], NDArray[np.int32]]


class _Counts:
    """All pages side by side, in the order of documents and numbers, with arrays (pages,).

    ``documents`` (by place) and ``numbers`` say which page it is, ``lengths`` how many terms it has, ``norms`` how long
    that is for BM25. ``pages`` (documents,) says how many pages a document has, ``frequency`` (terms,) on how many a
    term stands.
    """

    def __init__(self, documents: list[dict[int, _PageTerms]]) -> None:
        ordered = [(place, *item) for place, pages in enumerate(documents) for item in sorted(pages.items())]
        found = [np.zeros(0, np.int32), *(terms for _, _, (terms, _) in ordered)]
        often = [np.zeros(0, np.int32), *(counts for _, _, (_, counts) in ordered)]
        self._terms, self._often = np.concatenate(found), np.concatenate(often)
        self._owners = np.repeat(np.arange(len(ordered), dtype=np.int32), [len(terms) for terms in found[1:]])
        self.documents = np.array([place for place, _, _ in ordered], np.int64)
        self.numbers = np.array([number for _, number, _ in ordered], np.int64)
        self.lengths = np.array([counts.sum() for counts in often[1:]], np.float64)
        self.norms = length_norms(self.lengths, self.lengths.mean()) if ordered else self.lengths
        self.pages = np.array([len(pages) for pages in documents], np.int64)
        self.frequency = np.bincount(self._terms)
        self._postings: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = {}

    def postings(self, term: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The pages (by place) that hold the term, and how often each does."""
        if term not in self._postings:
            at = np.flatnonzero(self._terms == term)
            self._postings[term] = self._owners[at], self._often[at]
        return self._postings[term]
