"""The question's journey: read → encode → ranked pages (rank_pages.py) → read by a reranker, if one is set → hits.

Out come references with scores, the boxes that matched best and the best lines of text; never a picture.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from pagesight.indexing.documents.conditions import Condition
from pagesight.indexing.errors import VectorsMissing
from pagesight.indexing.highlight.best_places import best_boxes, best_lines, regions
from pagesight.indexing.lexical.document_prior import Subject, subject_kept
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.pages import Box, Hit, Hits, PageRow
from pagesight.indexing.ranking.picture_question import (
    PictureQuestion,
    Question,
    asked_words,
    refuse_empty,
)
from pagesight.indexing.ranking.rank_pages import Weights, rank_pages
from pagesight.indexing.ranking.search import Search, encode, fusion_weight, warn_of_damage
from pagesight.indexing.rerankers import reranker_of
from pagesight.indexing.rerankers.rerank import rerank

_log = logging.getLogger(__name__)


def retrieve(
    parts: IndexParts,
    question: Question,
    top_k: int,
    documents: Sequence[str] | None,
    where: Condition | None = None,
    subject: Subject | None = None,
) -> Hits:
    """The ``top_k`` pages that answer the question best, best first; equal scores in the order of pages.

    ``documents`` are names as in the index; None means all. ``where`` is a condition on their metadata and on the kinds
    of pages. The pages of a ``subject`` come first among near equals, unless the question names another document.
    The page that a picture is of is none of them. Raises EmptyQuestion, UnknownDocument.
    """
    asked = asked_words(question, parts.term_rules)
    refuse_empty(question, asked, [one.encoder for one in parts.encoders])
    own = _key_of(question)
    while True:
        view, started = parts.view(), time.perf_counter()
        try:
            narrowed = view.narrowed(documents, where)
            meeting = view.pages_meeting(where, narrowed) if where and where.of_pages else None
            kept = subject_kept(subject, asked, view.statistics, view.names)
            search = replace(encode(parts, view, question, asked, narrowed), meeting=meeting, subject=kept)
            _log.debug("%d query vectors in %.0f ms", search.vector_count, _milliseconds(started))
            others = [(row, score) for row, score in _ranked(search, top_k + bool(own)) if row.key != own]
            hits = _hits(search, others[:top_k])
            if search.lost and view is not parts.view(at_once=True):
                continue  # removed or written anew while we searched
            warn_of_damage(search)
            _log.debug("%d hits in %.0f ms", len(hits), _milliseconds(started))
            return hits
        except VectorsMissing:  # between scoring a page and showing it
            if view is parts.view(at_once=True):
                raise


def _key_of(question: Question) -> str:
    """The key of the page that a picture is of; empty where it is of none."""
    return question.page.key if isinstance(question, PictureQuestion) and question.page else ""


def rank_all(
    parts: IndexParts,
    question: Question,
    documents: Sequence[str] | None,
    weights: Weights | None = None,
    encoder: str | None = None,
) -> list[tuple[PageRow, float]]:
    """All candidates for a question in what the index holds now, as `retrieve` ranks them.

    With ``weights`` as `rank_pages` does, without a reranker; with ``encoder`` by the vectors of this one alone.
    """
    view, asked = parts.view(), asked_words(question, parts.term_rules)
    search = encode(parts, view, question, asked, view.narrowed(documents, None), encoder)
    return rank_pages(search, weights) if weights else _ranked(search, 0)


def _ranked(search: Search, top_k: int) -> list[tuple[PageRow, float]]:
    """`rank_pages`, the best of them, at least ``top_k``, as the reranker sees them, if one is set."""
    ranked = rank_pages(search, Weights(fusion_weight([one.by.encoder for one in search.encoded])))
    settings = search.parts.settings.reranking
    reranker = reranker_of(search.parts.settings)
    if reranker is None:
        return ranked
    started, several = time.perf_counter(), max(settings.rerank_pages, top_k)
    texts = search.view.texts([row.key for row, _ in ranked[:several]])
    best = rerank(reranker, search.query.text, ranked[:several], texts, settings.rerank_weight)
    _log.debug("%d pages read by %s in %.0f ms", len(best), reranker.name, _milliseconds(started))
    return best + [(row, min(score, best[-1][1])) for row, score in ranked[several:]]


def _milliseconds(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def _hits(search: Search, ranked: Sequence[tuple[PageRow, float]]) -> Hits:
    """The pages with the places and lines that match the question best."""
    texts = search.view.texts([row.key for row, _ in ranked])
    hits = Hits()
    for rank, (row, score) in enumerate(ranked, 1):
        lines = best_lines(search.query, texts.get(row.key, ""), search.statistics.idf)
        boxes = _boxes(search, row)
        hits.append(Hit(rank, row.ref, score, boxes, lines, regions(boxes), row.printed_label, row.named_kinds))
    return hits


def _boxes(search: Search, row: PageRow) -> list[Box]:
    """Where on a page it matched best, by the first encoder that knows: one vector of a page looks at all of it."""
    for one in search.encoded:
        if row.encoded(one.by.id):
            (page,) = one.by.multivectors.read([row])
            if boxes := best_boxes(one.vectors, page.vectors, page.boxes):
                return boxes
    return []
