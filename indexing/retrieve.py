"""The question's journey: encode → candidates → exact MaxSim → fuse with BM25 and what the question names → pages.

Every stage keeps to the documents that were asked for. Out come references with scores, the boxes that matched best and
the best lines of text; never a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.documents.metadata import Condition
from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.errors import EmptyQuestion, VectorsMissing
from pagesight.indexing.highlight.best_places import best_boxes, best_lines, regions
from pagesight.indexing.index_parts import IndexParts
from pagesight.indexing.lexical.bm25 import query_terms
from pagesight.indexing.lexical.document_prior import document_evidence, named_pages
from pagesight.indexing.pages import Hit, Hits, PageRow
from pagesight.indexing.storage.catalog import View
from pagesight.indexing.vectors.maxsim import best_similarities, scores

_BEST_DOCUMENTS = 3


@dataclass(frozen=True)
class Weights:
    """What counts how much in a page's score, as measured in docs/quality.md.

    ``vectors`` (0-1) is MaxSim's part beside BM25, both as a part of their best page's. On top of that comes ``about``
    for a document that holds all of the question's information on all of its pages and in its name, and ``named`` for a
    page whose number the question names.
    """

    vectors: float
    about: float = 0.5
    named: float = 0.5


def retrieve(
    parts: IndexParts,
    question: str,
    top_k: int,
    documents: Sequence[str] | None,
    where: Condition | None = None,
) -> Hits:
    """The ``top_k`` pages that answer the question best, best first; equal scores in the order of pages.

    ``documents`` are names as in the index; None means all. ``where`` is a condition on their metadata. Raises
    EmptyQuestion, UnknownDocument.
    """
    if not query_terms(question):
        raise EmptyQuestion(
            "the question is empty. Ask with at least one word, such as `pagesight search 'net revenue'`."
        )
    while True:
        view = parts.view()
        try:
            return _retrieve(parts, view, question, top_k, view.narrowed(documents, where))
        except VectorsMissing:
            # Removed while we searched: what is in the index now counts.
            if view is parts.view(at_once=True):
                raise


def _retrieve(parts: IndexParts, view: View, question: str, top_k: int, documents: Sequence[str] | None) -> Hits:
    query = parts.encoder.encode_query(question, view.statistics)
    ranked = rank_pages(parts, view, question, query, documents, Weights(parts.encoder.fusion_weight))
    return _hits(parts, view, question, query, ranked[:top_k])


def rank_all(
    parts: IndexParts, question: str, documents: Sequence[str] | None, weights: Weights
) -> list[tuple[PageRow, float]]:
    """`rank_pages` in what the index holds now."""
    view = parts.view()
    query = parts.encoder.encode_query(question, view.statistics)
    return rank_pages(parts, view, question, query, documents, weights)


def rank_pages(
    parts: IndexParts, view: View, question: str, query: QueryVectors, documents: Sequence[str] | None, weights: Weights
) -> list[tuple[PageRow, float]]:
    """All pages that come into question, best first, each with its score; those that nothing speaks for are left out.

    ``documents`` are names; None means all.
    """
    document_ids = None if documents is None else [view.find(name).first.document_id for name in documents]
    pages = view.pages(document_ids)
    if not pages:
        return []
    statistics = view.statistics
    evidence = document_evidence(question, statistics, view.names) if weights.about else {}
    numbers = named_pages(question) if weights.named else set()
    bm25 = statistics.bm25(query_terms(question), parts.settings.search.candidates, document_ids)
    if len(pages) > parts.exhaustive_below:
        if document_ids is None:
            best = sorted(evidence, key=lambda document_id: -evidence[document_id])[:_BEST_DOCUMENTS]
            # Pages of the documents that the question is most likely about, which others may have crowded out.
            bm25 |= statistics.bm25(query_terms(question), parts.settings.search.candidates // 2 + 1, best)
        pages = _candidates(parts, view, query, bm25, document_ids, numbers)
    maxsim = exact_scores(parts, query, pages) if weights.vectors else np.zeros(len(pages), np.float32)
    words = np.array([bm25.get(page.key, 0.0) for page in pages])
    spoken_for = (maxsim > 0) | (words > 0)
    named = np.isin([page.page for page in pages], list(numbers))
    about = np.array([evidence.get(page.document_id, 0.0) for page in pages])
    total = weights.vectors * _share(maxsim, query.usual) + (1 - weights.vectors) * _share(words)
    total += weights.about * about * spoken_for + weights.named * named
    order = [place for place in np.argsort(-total, kind="stable") if spoken_for[place] or named[place]]
    return [(pages[place], max(float(total[place]), 0.0)) for place in order]


def _candidates(
    parts: IndexParts,
    view: View,
    query: QueryVectors,
    bm25: dict[str, float],
    document_ids: Sequence[str] | None,
    named: set[int],
) -> list[PageRow]:
    """The pages worth an exact score: the best by HNSW over centroids, those that BM25 found, those that are named."""
    rows = {row.key: row for row in near_pages(parts, view, query, document_ids)}
    for key in bm25:
        document_id, _, number = key.partition(":")
        entry = view.entries.get(document_id)
        if entry and key not in rows:
            rows[key] = entry.rows[int(number)]
    for document_id in {row.document_id for row in rows.values()} if named else ():
        entry = view.entries[document_id]
        rows |= {row.key: row for row in map(entry.rows.get, named) if row}
    return sorted(rows.values(), key=lambda row: (row.ordinal, row.page))


def near_pages(
    parts: IndexParts, view: View, query: QueryVectors, document_ids: Sequence[str] | None = None
) -> list[PageRow]:
    """The pages nearest to the query by HNSW over centroids, nearest first, at most `SearchSettings.candidates`."""
    places = parts.candidates.near(query, parts.settings, document_ids)
    return [row for row in (view.page_of_ordinal(*place) for place in places) if row]


def exact_scores(parts: IndexParts, query: QueryVectors, pages: Sequence[PageRow]) -> NDArray[np.float32]:
    """The pages' MaxSim, (pages,), from their full multi-vectors."""
    return scores(query, best_similarities(query.vectors, parts.multivectors.read(pages)))


def _share(scores: NDArray, usual: float = 0.0) -> NDArray:
    """Scores as parts of the best one, counted from ``usual``, the part of it that any page has.

    So both kinds of score can be added (a convex combination; Bruch et al., 2023). Measured on real questions this is
    level with adding BM25 and idf-weighted MaxSim, and needs no common scale.
    """
    best = scores.max(initial=0)
    return np.asarray((scores / best - usual) / (1 - usual)) if best > 0 else np.zeros(len(scores))


def _hits(
    parts: IndexParts, view: View, question: str, query: QueryVectors, ranked: Sequence[tuple[PageRow, float]]
) -> Hits:
    texts = parts.store.texts([row.key for row, _ in ranked])
    statistics = view.statistics
    hits = Hits()
    pages = parts.multivectors.read([row for row, _ in ranked])
    for rank, ((row, score), page) in enumerate(zip(ranked, pages, strict=True), 1):
        lines = best_lines(question, texts.get(row.key, ""), statistics)
        places = best_boxes(query, page.vectors, page.boxes)
        hits.append(Hit(rank, row.ref, score, places, lines, regions(places)))
    return hits
