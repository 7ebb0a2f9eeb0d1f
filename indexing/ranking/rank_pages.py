"""An encoded question's pages, best first: candidates → exact MaxSim → fused with BM25 and with what is named.

Every stage keeps to the documents that were asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.document_prior import document_evidence
from pagesight.indexing.lexical.lexical_scores import LexicalScores
from pagesight.indexing.pages import PageRow
from pagesight.indexing.ranking.search import Search, exact_scores, near_pages

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
    took = 1000 * (time.perf_counter() - started)
    _log.debug("%d pages (%s) scored in %.0f ms, %d by BM25", len(pages), how, took, len(lexical.bm25))
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
    limit = search.parts.settings.search.most_candidates()
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


def _share(scores: NDArray[Any], baseline: float = 0.0) -> NDArray[Any]:
    """Scores as parts of the best one, counted from ``baseline``, the part of it that any page has.

    So both kinds of score can be added (a convex combination; Bruch et al., 2023). Measured on real questions this is
    level with adding BM25 and idf-weighted MaxSim, and needs no common scale.
    """
    best = scores.max(initial=0)
    return np.asarray((scores / best - baseline) / (1 - baseline)) if best > 0 else np.zeros(len(scores))
