"""The rankings that are compared: what one part of retrieval finds alone, and what all of it finds together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pagesight.indexing.errors import EmptyQuestion, QuestionsError
from pagesight.indexing.evaluate.questions import JudgedQuestion
from pagesight.indexing.index import PageIndex
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageRow
from pagesight.indexing.ranking.rank_pages import Weights

#: What each kind of run ranks pages by.
KINDS = {
    "text": "BM25 over the text layer; pages that only OCR can read are not found",
    "ocr": "BM25 over the text layer, and over OCR where a page has none",
    "vectors": "exact MaxSim over the multi-vectors of all pages, and nothing else",
    "fused": "MaxSim and BM25, without what the question says of documents and page numbers",
    "hybrid": "all of it, as `search` does",
    "reranked": "as hybrid, the best pages in the order of the reranker that is set",
    "candidates": "as hybrid, with candidates from HNSW and BM25 only, however small the index",
    "exhaustive": "as hybrid, with every page scored exactly, however large the index",
}
DEFAULT = ("text", "ocr", "vectors", "hybrid")
_ALL = 10**9
_DEPTH = 100  # as deep as recall is measured


@dataclass(frozen=True)
class Run:
    """A kind of run, over the index at hand or over one of another encoder: ``vectors@lexical``."""

    name: str
    kind: str
    encoder: str | None = None


@dataclass
class Rankings:
    """The labels of the pages found for each question, best first, and the seconds that each search took."""

    found: dict[str, list[str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def parse_run(name: str) -> Run:
    """The run of that name, ``KIND`` or ``KIND@ENCODER``. Raises QuestionsError."""
    kind, _, encoder = name.partition("@")
    if kind not in KINDS:
        raise QuestionsError(
            f"there is no run {kind!r}. Known are {', '.join(KINDS)}, each alone or with an encoder, such as "
            "vectors@lexical."
        )
    return Run(name, kind, encoder or None)


def rank(
    index: PageIndex,
    questions: Sequence[JudgedQuestion],
    run: Run,
    *,
    within: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Rankings:
    """What the run finds for each question; ``within`` looks only into the documents that it is asked about."""
    rankings = Rankings()
    with _opened_for(index, run) as opened:
        for question in questions:
            if not read_query(question.text).terms:
                raise EmptyQuestion(f"{question.source} asks nothing: its question has no word.")
            started = time.perf_counter()
            rows = opened.rank(
                question.text, documents=question.documents if within else None, weights=_weights(opened, run)
            )
            rankings.seconds.append(time.perf_counter() - started)
            rankings.found[question.id] = [row.label for row, _ in rows if _counts(row, run)][:_DEPTH]
            progress()
    return rankings


def _opened_for(index: PageIndex, run: Run) -> PageIndex:
    """The same index with settings that make all pages candidates, or as few as they allow."""
    changed: dict[str, int] = {}
    if run.kind == "candidates":
        changed = {"exhaustive_below": 0}
    elif run.kind in ("exhaustive", "vectors", "text", "ocr"):
        changed = {
            "exhaustive_below": _ALL,
            "candidates": max(2 * _DEPTH, index.settings.search.most_candidates(mapped=True)),
        }
    return PageIndex.open(index.place, settings=index.settings.changed(**changed), create=False)


def _weights(index: PageIndex, run: Run) -> Weights | None:
    if run.kind == "reranked":
        if index.settings.reranking.rerank is None:
            raise QuestionsError("the run reranked needs a reranker: name one with --rerank or PAGESIGHT_RERANK.")
        return None
    if run.kind in ("text", "ocr"):
        return Weights(0.0, 0.0, 0.0)
    if run.kind == "vectors":
        return Weights(1.0, 0.0, 0.0)
    if run.kind == "fused":
        return Weights(index.fusion_weight, 0.0, 0.0)
    return Weights(index.fusion_weight)


def _counts(row: PageRow, run: Run) -> bool:
    return run.kind != "text" or row.text_source == "text layer"
