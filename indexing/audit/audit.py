"""How many of the exactly best pages are among the HNSW candidates, how long both take, and what settings would do.

Only the vectors of the index's first encoder are looked at: the pages that other encoders, BM25 and the question's page
numbers add to the candidates come on top.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np

from pagesight.indexing.audit.sample_questions import sample_questions, source
from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.errors import EmptyQuestion, PageIndexError
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.pages import PageRow
from pagesight.indexing.ranking.search import exact_scores, near_pages
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.vectors.maxsim import best_similarities, scores

#: Recall is that of the pages that are exactly the best 1, 5 and 10.
DEPTHS = (1, 5, 10)
#: A wanted recall is that of as many pages as a search returns by default.
WANTED_DEPTH = 5

# Hits per query vector with ef, from narrow to broad, each with as many candidates: a guess at a useful grid.
_HITS_AND_EF = ((50, 200), (100, 200), (100, 400), (200, 400), (200, 800), (400, 800), (400, 1600))
_CANDIDATES = (25, 50, 100, 200, 400, 800)
_TIMED = 7  # a guess, not measured: questions that a part is timed with where it need not be run for all
_VECTORS_AT_ONCE = 1_000  # of questions against a block of pages


@dataclass(frozen=True)
class Breadth:
    """How broadly candidates are searched for; see the settings of these names."""

    candidates: int
    hits_per_vector: int
    ef: int


@dataclass(frozen=True)
class Measured:
    """What a breadth finds: ``recall`` (0-1) by depth, and the median ``seconds`` of finding and scoring candidates."""

    breadth: Breadth
    recall: dict[int, float]
    seconds: float


@dataclass(frozen=True)
class Audit:
    """The candidates of an index against exhaustive MaxSim over its ``pages``.

    ``source`` says where the questions are from; ``exhaustive_seconds`` is a median; ``cheapest`` is the breadth that
    takes the least time of those that have the ``wanted`` recall, None if none of those tried has it.
    """

    pages: int
    questions: int
    source: str
    exhaustive_below: int
    exhaustive_seconds: float
    now: Measured
    wanted: float
    cheapest: Measured | None

    @property
    def break_even(self) -> int:
        """The number of pages below which exhaustive search takes less time than the candidates as they are set."""
        return int(self.pages * self.now.seconds / self.exhaustive_seconds)

    @property
    def is_exhaustive(self) -> bool:
        """Whether a search in this index scores every page exactly, so that it loses nothing."""
        return self.pages <= self.exhaustive_below

    @property
    def suffices(self) -> bool:
        """Whether a search has the wanted recall as things are set."""
        return self.is_exhaustive or self.now.recall[WANTED_DEPTH] >= self.wanted

    @property
    def settings(self) -> dict[str, int]:
        """The settings to change for the wanted recall, at the least cost; empty if a search has it already."""
        if self.suffices:
            return {}
        if self.cheapest and self.cheapest.seconds < self.exhaustive_seconds:
            return asdict(self.cheapest.breadth)
        return {"exhaustive_below": self.pages}

    def as_dict(self) -> dict[str, Any]:
        """The audit as it stands in ``audit --json``."""
        return {
            "pages": self.pages,
            "questions": self.questions,
            "source": self.source,
            "wanted_recall": self.wanted,
            "exhaustive": {
                "seconds": round(self.exhaustive_seconds, 5),
                "chosen": self.is_exhaustive,
                "faster_below_pages": self.break_even,
            },
            "candidates": _as_dict(self.now),
            "cheapest": self.cheapest and _as_dict(self.cheapest),
            "settings": {f"PAGESIGHT_{name.upper()}": value for name, value in self.settings.items()},
        }


def audit(
    parts: IndexParts,
    questions: Sequence[str] = (),
    *,
    sample: int = 50,
    wanted: float = 0.95,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Audit:
    """Compare candidates with exhaustive search for questions, or for as many as ``sample`` made from pages themselves.

    ``wanted`` is a recall at `WANTED_DEPTH`. Nothing is written meanwhile. Raises EmptyQuestion, and
    PageIndexError if there is nothing to compare.
    """
    with parts.writing():  # what is compared stays the same
        view, by = parts.view(), parts.encoders[0]
        pages = view.pages()
        queries = _encoded(parts, view, questions) if questions else sample_questions(parts, by, view, sample)
        if not queries or not pages:
            raise PageIndexError(
                f"the index in {parts.folder.path} cannot be audited: it has {len(pages)} pages, and no question can "
                "be made from them. Add documents with `pagesight index PATH…`, or give --questions."
            )
        trial = _Trial(parts, view, queries)
        return Audit(
            pages=len(pages),
            questions=len(queries),
            source="given" if questions else source(by),
            exhaustive_below=parts.exhaustive_below,
            exhaustive_seconds=trial.exhaustive_seconds(),
            now=trial.measured(_breadth(parts)),
            wanted=wanted,
            cheapest=trial.cheapest(wanted, progress),
        )


class _Trial:
    """Questions that are searched for in different ways, and what is exactly right."""

    def __init__(self, parts: IndexParts, view: IndexView, queries: Sequence[QueryVectors]) -> None:
        self._parts = parts
        self._by = parts.encoders[0]
        self._view = view
        self._queries = queries
        self._pages = view.pages()

    @cached_property
    def _exact(self) -> list[dict[str, float]]:
        """For each question, every page's score by its key."""
        keys = [page.key for page in self._pages]
        found = []
        for block in _blocks(self._queries):
            vectors = np.concatenate([query.vectors for query in block])
            similarities = best_similarities(vectors, self._by.multivectors.read(self._pages))
            ends = np.cumsum([len(query.vectors) for query in block])
            columns = np.split(similarities, ends[:-1], axis=1)
            for query, own in zip(block, columns, strict=True):
                found.append(dict(zip(keys, scores(query, own).tolist(), strict=True)))
        return found

    def exhaustive_seconds(self) -> float:
        """The median time of scoring every page, once they have all been read."""
        assert self._exact
        return self._scoring_seconds(self._pages)

    def measured(self, breadth: Breadth) -> Measured:
        """Recall and time of searching with a breadth as `search` does."""
        found, searching = self._searched(breadth)
        scoring = [_timed(exact_scores, self._by, *pair)[1] for pair in zip(self._queries, found, strict=True)]
        return Measured(breadth, self._recall(found), float(np.median(np.add(searching, scoring))))

    def cheapest(self, wanted: float, progress: Callable[[int, int], None]) -> Measured | None:
        """The breadth that has the wanted recall in the least time, of a small grid."""
        tried: list[tuple[float, Breadth]] = []
        counts = [count for count in _CANDIDATES if count < len(self._pages)]
        scoring = {count: self._scoring_seconds(self._spread(count)) for count in counts}
        for done, (hits, ef) in enumerate(_HITS_AND_EF, 1):
            # The best of many candidates are the candidates of a narrower search: one search serves them all.
            found, searching = self._searched(Breadth(_CANDIDATES[-1], hits, ef))
            if any(median(searching) > cost for cost, _ in tried):
                break  # the broader ones take still longer
            for count in counts:
                if self._recall([near[:count] for near in found])[WANTED_DEPTH] >= wanted:
                    tried.append((median(searching) + scoring[count], Breadth(count, hits, ef)))
            progress(done, len(_HITS_AND_EF))
        return self.measured(min(tried, key=lambda pair: pair[0])[1]) if tried else None

    def _searched(self, breadth: Breadth) -> tuple[list[list[PageRow]], list[float]]:
        """The candidates of each question, and the seconds that it took."""
        parts = replace(self._parts, settings=self._parts.settings.changed(**asdict(breadth)))
        near_pages(parts, self._view, self._by, self._queries[0])  # Milvus loads what it needs on the first search
        found, seconds = zip(
            *(_timed(near_pages, parts, self._view, self._by, query) for query in self._queries), strict=True
        )
        return list(found), list(seconds)

    def _scoring_seconds(self, pages: Sequence[PageRow]) -> float:
        return median(_timed(exact_scores, self._by, query, pages)[1] for query in self._queries[:_TIMED])

    def _spread(self, count: int) -> list[PageRow]:
        """So many pages, from all over the index."""
        return [self._pages[place] for place in np.linspace(0, len(self._pages) - 1, count).astype(int)]

    def _recall(self, found: Sequence[Sequence[PageRow]]) -> dict[int, float]:
        pairs = list(zip(self._exact, found, strict=True))
        return {depth: float(np.mean([_recall_at(exact, near, depth) for exact, near in pairs])) for depth in DEPTHS}


def _encoded(parts: IndexParts, view: IndexView, questions: Sequence[str]) -> list[QueryVectors]:
    queries = [read_query(question, parts.term_rules) for question in questions]
    if wordless := [query.text for query in queries if not query.terms]:
        raise EmptyQuestion(f"the question {wordless[0]!r} asks nothing: it has no word.")
    statistics = view.statistics
    return [parts.encoder.encode_query(query, statistics.idf) for query in queries]


def _blocks(queries: Sequence[QueryVectors]) -> Iterator[list[QueryVectors]]:
    """The questions, some at a time, so that their similarities with all pages need little memory."""
    block: list[QueryVectors] = []
    for query in queries:
        block.append(query)
        if sum(len(one.vectors) for one in block) >= _VECTORS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What it returns, and the seconds that it took."""
    started = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - started


def _breadth(parts: IndexParts) -> Breadth:
    search = parts.settings.search
    mapped = parts.encoders[0].multivectors.local
    return Breadth(search.most_candidates(mapped=mapped), search.hits_per_vector, search.ef)


def _as_dict(measured: Measured) -> dict[str, Any]:
    recall = {f"recall@{depth}": round(value, 4) for depth, value in measured.recall.items()}
    return {**asdict(measured.breadth), **recall, "seconds": round(measured.seconds, 5)}


def _recall_at(exact: dict[str, float], near: Sequence[PageRow], depth: int) -> float:
    """Which part of the exactly best pages is among those found; of pages with one score, one is as good as another."""
    best = [score for score in sorted(exact.values(), reverse=True)[:depth] if score > 0]
    if not best:
        return 1.0
    as_good = sum(exact[page.key] >= best[-1] for page in near)
    return min(as_good, len(best)) / len(best)
