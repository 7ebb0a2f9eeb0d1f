"""The question's journey: read → encode → candidates → exact MaxSim → fuse with BM25 and what is named → hits.

Every stage keeps to the documents that were asked for. Out come references with scores, the boxes that matched best and
the best lines of text; never a picture.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.documents.conditions import Condition
from pagesight.indexing.errors import VectorsMissing
from pagesight.indexing.highlight.best_places import best_boxes, best_lines, regions
from pagesight.indexing.lexical.document_prior import Subject, document_evidence, subject_kept
from pagesight.indexing.lexical.lexical_scores import LexicalScores
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.pages import Box, Hit, Hits, PageRow
from pagesight.indexing.picture_question import (
    PictureQuestion,
    Question,
    asked_words,
    refuse_empty,
)
from pagesight.indexing.rerankers import reranker_of
from pagesight.indexing.rerankers.rerank import rerank
from pagesight.indexing.search import Search, encode, exact_scores, fusion_weight, near_pages, warn_of_damage

_log = logging.getLogger(__name__)

# Documents that a question is most likely about, whose pages are candidates even where others crowd them out. A guess,
# not measured.
_LIKELY_DOCUMENTS = 3

# Where no page holds a word of the question, the best page by spelling must reach this part of a perfect match, or
# nothing matches. Measured on the samples: words that are not in them .003 to .058, words nearly like a page's .09 to
# .7, but "reveneu" .057.
_LEAST_BY_SPELLING = 1 / 16


@dataclass(frozen=True)
class Weights:
    """What counts how much in a page's score, as measured in docs/quality.md.

    ``vectors`` (0-1) is MaxSim's part beside BM25, both as a part of their best page's; encoders share it by what
    each counts alone (search.py). On top of that comes ``document_prior`` for a document that holds all of the
    question's information on all of its pages and in its name, ``named_page`` for a page whose number or place the
    question names, and ``named_kind`` for one of a kind that it
    names. The sum is told as a part of what it can be at most.
    """

    vectors: float
    document_prior: float = 0.5
    named_page: float = 0.5
    named_kind: float = 0.2


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


def rank_pages(search: Search, weights: Weights) -> list[tuple[PageRow, float]]:
    """All candidates, best first, each with its score; those that nothing speaks for are left out."""
    count = search.view.page_count(search.document_ids) if search.meeting is None else len(search.meeting)
    if not count:
        return []
    exhaustive = count <= search.parts.exhaustive_below
    lexical = _lexical_scores(search, weights, exhaustive)
    pages = _every_page(search) if exhaustive else _candidates(search, lexical)
    started = time.perf_counter()
    pages, maxsim = _scored(search, pages, weights)
    how = "all" if exhaustive else "candidates"
    _log.debug(
        "%d pages (%s) scored in %.0f ms, %d by BM25", len(pages), how, _milliseconds(started), len(lexical.bm25)
    )
    if _nothing_matches(search, maxsim, lexical):
        return []
    similar = _by_vectors(search, maxsim)
    return _fused(pages, similar, _matched(maxsim), lexical, weights)


def _scored(
    search: Search, pages: Sequence[PageRow], weights: Weights
) -> tuple[Sequence[PageRow], list[NDArray[np.float32]]]:
    """Those of the pages that are whole, and each encoder's MaxSim of them, (pages,); NaN where it has not seen one."""
    if not weights.vectors:
        return pages, [np.zeros(len(pages), np.float32) for _ in search.encoded]
    scored = [exact_scores(one.by, one.vectors, pages, search.lost) for one in search.encoded]
    whole = [page for page in pages if page.key not in search.lost]
    return whole, [np.array([of.get(page.key, np.nan) for page in whole], np.float32) for of in scored]


def _every_page(search: Search) -> Sequence[PageRow]:
    return search.view.pages(search.document_ids) if search.meeting is None else search.meeting


def _by_vectors(search: Search, maxsim: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """What vectors say of the pages, (pages,) 0 to 1: each encoder's MaxSim as a part of its best page's, by its share.

    A page that an encoder has not seen is judged by the others.
    """
    total, seen = np.zeros(len(maxsim[0]), np.float32), np.zeros(len(maxsim[0]), np.float32)
    for one, similarities in zip(search.encoded, maxsim, strict=True):
        known = ~np.isnan(similarities)
        total[known] += one.part * _share(similarities[known], one.vectors.baseline)
        seen += one.part * known
    return np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)


def _matched(maxsim: Sequence[NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Which pages are at all like the question by some encoder, (pages,)."""
    return np.asarray(np.any([similarities > 0 for similarities in maxsim], axis=0))


def _nothing_matches(search: Search, maxsim: Sequence[NDArray[np.float32]], lexical: LexicalScores) -> bool:
    """Whether no page holds a word of the question, is in a document that it names, or is spelt nearly like it.

    An encoder with weights knows what words mean: its similarities are left to it. One letter has no spelling.
    """
    vectors = [one.vectors for one in search.encoded]
    if any(one.sharpness == 1 for one in vectors) or max(map(len, search.query.terms)) == 1:
        return False
    if lexical.bm25 or lexical.named_pages or any(lexical.documents.values()):
        return False
    pairs = zip(vectors, maxsim, strict=True)
    return all(np.nanmax(found, initial=0) < _LEAST_BY_SPELLING * one.weights.sum() for one, found in pairs)


def _lexical_scores(search: Search, weights: Weights, exhaustive: bool) -> LexicalScores:
    """Of the best pages by BM25, and of those of likely documents, which others may have crowded out."""
    documents: Mapping[str, float] = {}
    if weights.document_prior:
        documents = document_evidence(search.asked, search.statistics, search.view.names)
    limit = search.parts.settings.search.candidates
    if search.meeting is not None:  # the best of all pages may be none of those
        limit = max(limit, search.view.page_count(search.document_ids))
    bm25 = search.bm25(limit, search.document_ids)
    if not exhaustive and search.document_ids is None:
        likely = sorted(documents, key=lambda document_id: -documents[document_id])[:_LIKELY_DOCUMENTS]
        bm25 |= search.bm25(limit // 2 + 1, [*likely, search.subject] if search.subject else likely)
    if not weights.named_page:
        return LexicalScores(bm25, documents, frozenset(), frozenset())
    asked = search.asked
    named = asked.named_pages, asked.named_labels, asked.named_kinds
    return LexicalScores(bm25, documents, *named, search.subject)


def _candidates(search: Search, lexical: LexicalScores) -> list[PageRow]:
    """The pages worth an exact score: the nearest by each encoder, BM25's best, and those of them that are named."""
    asked = [(one.by, one.vectors) for one in search.encoded]
    near = [row for by in asked for row in near_pages(search.parts, search.view, *by, search.document_ids)]
    rows = {row.key: row for row in [*near, *search.view.page_rows(list(lexical.bm25))]}
    if lexical.named_labels or lexical.named_pages:
        rows |= _named_in(search, lexical, {row.document_id for row in rows.values()})
    if search.meeting is not None:
        rows = {row.key: row for row in search.meeting if row.key in rows}
    return sorted(rows.values(), key=lambda row: (row.ordinal, row.page))


def _named_in(search: Search, lexical: LexicalScores, document_ids: Iterable[str]) -> dict[str, PageRow]:
    return {row.key: row for known in document_ids for row in search.view.pages([known]) if lexical.names(row)}


def _fused(
    pages: Sequence[PageRow],
    similar: NDArray[np.float32],
    is_like: NDArray[np.bool_],
    lexical: LexicalScores,
    weights: Weights,
) -> list[tuple[PageRow, float]]:
    """The pages that something speaks for, best first, each with its score from all that counts, 0 to 1.

    1 is a page that is the best by its vectors and by its words, in a document that the question is wholly about, and
    that the question names where it names pages.
    """
    bm25 = np.array([lexical.bm25.get(page.key, 0.0) for page in pages])
    prior = np.array([lexical.prior(page.document_id) for page in pages])
    named = np.array([lexical.names(page) for page in pages], np.bool_)
    matched = is_like | (bm25 > 0)
    total = weights.vectors * similar + (1 - weights.vectors) * _share(bm25)
    of_kind = np.array([lexical.is_of_named_kind(page) for page in pages], np.bool_)
    total += weights.document_prior * prior * matched + weights.named_page * named + weights.named_kind * of_kind
    order = [place for place in np.argsort(-total, kind="stable") if matched[place] or named[place]]
    most = 1 + weights.document_prior + (weights.named_page if lexical.named_pages else 0.0)
    most += weights.named_kind if of_kind.any() else 0.0
    return [(pages[place], max(float(total[place]) / most, 0.0)) for place in order]


def _milliseconds(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def _share(scores: NDArray[Any], baseline: float = 0.0) -> NDArray[Any]:
    """Scores as parts of the best one, counted from ``baseline``, the part of it that any page has.

    So both kinds of score can be added (a convex combination; Bruch et al., 2023). Measured on real questions this is
    level with adding BM25 and idf-weighted MaxSim, and needs no common scale.
    """
    best = scores.max(initial=0)
    return np.asarray((scores / best - baseline) / (1 - baseline)) if best > 0 else np.zeros(len(scores))


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
