"""The question's journey: encode → candidates → exact MaxSim → fuse with BM25 → pages.

Every stage keeps to the documents that were asked for. Out come references with scores, the boxes that matched best and
the best lines of text; never a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.candidates import best_pages
from pagesight.indexing.catalog import View
from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.errors import EmptyQuestion, PageIndexError
from pagesight.indexing.maxsim import best_similarities, scores
from pagesight.indexing.pages import Hit, PageRef
from pagesight.indexing.parts import IndexParts
from pagesight.indexing.spots import best_boxes, best_lines
from pagesight.indexing.store import PageRow
from pagesight.indexing.terms import query_terms

_HITS_PER_QUERY_VECTOR = 200  # of candidate vectors


def retrieve(parts: IndexParts, question: str, top_k: int, documents: Sequence[str] | None) -> list[Hit]:
    """The ``top_k`` pages that answer the question best, best first; equal scores in the order of pages.

    ``documents`` are names as in the index; None means all. Raises EmptyQuestion, UnknownDocument.
    """
    if not query_terms(question):
        raise EmptyQuestion(
            "the question is empty. Ask with at least one word, such as `pagesight search 'net revenue'`."
        )
    while True:
        view = parts.catalog.view
        try:
            return _retrieve(parts, view, question, top_k, documents)
        except FileNotFoundError as error:
            # Removed while we searched: what is in the index now counts.
            if view is parts.catalog.view:
                raise PageIndexError(
                    f"the index has lost the multi-vectors in {error.filename}. Remove the document and index it again."
                ) from error


def _retrieve(parts: IndexParts, view: View, question: str, top_k: int, documents: Sequence[str] | None) -> list[Hit]:
    document_ids = None if documents is None else [view.find(name).first.document_id for name in documents]
    pages = view.pages(document_ids)
    if not pages:
        return []
    query = parts.encoder.encode_query(question, view.statistics(parts.store.terms()))
    bm25 = parts.store.search_terms(query_terms(question), parts.settings.candidates, document_ids)
    if len(pages) > parts.settings.exhaustive_below:
        pages = _candidates(parts, view, query, bm25, document_ids)
    maxsim = _exact(parts, query, pages)
    fused = _fuse(maxsim, np.array([bm25.get(page.key, 0.0) for page in pages]), parts.encoder.fusion_weight)
    ranked = [place for place in np.argsort(-fused, kind="stable")[:top_k] if fused[place] > 0]
    return _hits(parts, view, question, query, [(pages[place], float(fused[place])) for place in ranked])


def _candidates(
    parts: IndexParts,
    view: View,
    query: QueryVectors,
    bm25: dict[str, float],
    document_ids: Sequence[str] | None,
) -> list[PageRow]:
    """The pages worth an exact score: the best by HNSW over centroids, and those that BM25 found."""
    hits = parts.store.search_vectors(query.vectors, _HITS_PER_QUERY_VECTOR, document_ids)
    near = best_pages(hits, query.weights, parts.settings.candidates)
    rows = {row.key: row for row in (view.page_of_ordinal(*place) for place in near) if row}
    for key in bm25:
        document_id, _, number = key.partition(":")
        entry = view.entries.get(document_id)
        if entry and key not in rows:
            rows[key] = entry.rows[int(number)]
    return sorted(rows.values(), key=lambda row: (row.ordinal, row.page))


def _exact(parts: IndexParts, query: QueryVectors, pages: Sequence[PageRow]) -> NDArray[np.float32]:
    vectors = (parts.multivectors.read(page.document_id, page.batch, page.page)[0] for page in pages)
    return scores(query, best_similarities(query.vectors, vectors))


def _fuse(maxsim: NDArray, bm25: NDArray, weight: float) -> NDArray:
    """A convex combination of both scores, each as a part of its best (Bruch et al., 2023); 0 for a page with neither.

    Measured on real questions it is level with adding BM25 and idf-weighted MaxSim, and needs no common scale.
    """
    shares = [
        score / score.max() if len(score) and score.max() > 0 else np.zeros(len(score)) for score in (maxsim, bm25)
    ]
    return np.asarray(weight * shares[0] + (1 - weight) * shares[1])


def _hits(
    parts: IndexParts, view: View, question: str, query: QueryVectors, ranked: Sequence[tuple[PageRow, float]]
) -> list[Hit]:
    texts = parts.store.texts([row.key for row, _ in ranked])
    statistics = view.statistics(parts.store.terms())
    hits = []
    for rank, (row, score) in enumerate(ranked, 1):
        vectors, boxes = parts.multivectors.read(row.document_id, row.batch, row.page)
        ref = PageRef(row.document_id, row.document, row.page)
        lines = best_lines(question, texts.get(row.key, ""), statistics)
        hits.append(Hit(rank, ref, score, best_boxes(query, vectors, boxes), lines))
    return hits
