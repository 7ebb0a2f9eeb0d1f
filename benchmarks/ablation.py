"""What each idea of retrieval without a model adds, over an index of one's own: the ablation of docs/quality.md.

    python benchmarks/ablation.py --questions questions.jsonl --index DIR [--out DIR]

Reads the index's words and boxes, scores every page for every question in memory with one idea added or taken away, and
compares nDCG@5 with the default's. A gain counts if it holds when documents are drawn anew: `holds` is the part of
bootstrap samples of documents in which it is above 0.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.evaluate.metrics import measure
from pagesight.indexing.evaluate.questions import JudgedQuestion, read_questions
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.document_prior import NameTerms, document_evidence
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import PageText, page_label

Scores = NDArray[np.float64]
Scorer = Callable[[str], Scores]
K1, B = 1.5, 0.75
OPENING, LARGE = 30, 1.5
_SAMPLES = 1000


class BM25:
    """BM25 over counted terms, as Milvus computes it."""

    def __init__(self, pages: Sequence[Counter[str]], k1: float = K1, b: float = B) -> None:
        self.size, self.k1 = len(pages), k1
        lengths = np.array([sum(page.values()) for page in pages], float)
        self.norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, page in enumerate(pages):
            for term, count in page.items():
                postings[term].append((place, count))
        self.postings = {term: np.array(rows) for term, rows in postings.items()}

    def idf(self, term: str) -> float:
        """How rare the term is."""
        n = len(self.postings.get(term, ()))
        return math.log((self.size - n + 0.5) / (n + 0.5) + 1)

    def __call__(self, asked: Iterable[str], weights: Callable[[str], float] = lambda term: 1.0) -> Scores:
        """Every page's score for the terms that are asked."""
        total = np.zeros(self.size)
        for term in asked:
            if term in self.postings:
                places, counts = self.postings[term].T
                total[places] += weights(term) * self.idf(term) * counts * (self.k1 + 1) / (counts + self.norm[places])
        return total


class Pages:
    """The pages of an index with what scoring needs of them."""

    def __init__(self, index: PageIndex) -> None:
        self.rows = index.pages()
        self.labels = [row.label for row in self.rows]
        self.numbers = np.array([row.page for row in self.rows])
        self.names = list(dict.fromkeys(row.document for row in self.rows))
        self.owner = np.array([self.names.index(row.document) for row in self.rows])
        refs = [row.ref for row in self.rows]
        self.terms = [tokenize(index.text(ref)) for ref in refs]
        boxes = [index.multivector(ref).boxes.astype(np.float32) for ref in refs]
        self.heights = [box[:, 3] - box[:, 1] for box in boxes]
        self.encoder = index.encoder
        self.statistics = TermStatistics()
        for row, words in zip(self.rows, self.terms, strict=True):
            self.statistics.add(words, row.document)
        places = self.statistics.documents.items()
        self.document_names = NameTerms((place, name) for name, place in places)

    def counted(self, opening: int = OPENING, large: float = LARGE, more: int = 1) -> list[Counter[str]]:
        """The pages' terms, those that open them or stand large counted ``more`` times on top."""
        return [self._counted(*page, opening, large, more) for page in zip(self.terms, self.heights, strict=True)]

    @staticmethod
    def _counted(words: list[str], heights: Any, opening: int, large: float, more: int) -> Counter[str]:
        counted = Counter(words)
        counted.update(words[:opening] * more)
        if len(words) and large:
            threshold = large * np.median(heights)
            counted.update([word for word, height in zip(words, heights, strict=True) if height >= threshold] * more)
        return counted

    @cached_property
    def bm25(self) -> BM25:
        """BM25 as the default has it."""
        return BM25(self.counted())

    def maxsim(self, question: str, power: float | None = None) -> Scores:
        """The encoder's score of every page."""
        weights, sharpness, best = self._best(question)
        return np.asarray(weights @ best ** (power or sharpness), float)

    @cache  # noqa: B019 - one object, as long as the program
    def _best(self, question: str) -> tuple[NDArray[np.float32], float, NDArray[np.float32]]:
        query = self.encoder.encode_query(read_query(question), self.statistics.idf)
        similar = query.vectors @ self._vectors.T
        flat, starts, filled = self._flat
        best = np.zeros((len(similar), len(self.terms)), np.float32)
        best[:, filled] = np.maximum(np.maximum.reduceat(similar[:, flat], starts, axis=1), 0)
        return query.weights, query.sharpness, best

    @cached_property
    def _known(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(sorted({word for page in self.terms for word in page}))}

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """(words, dim): each known word's vector, as of a page that holds them all."""
        nowhere = np.zeros((len(self._known), 4), np.float32)
        every = PageText(list(self._known), nowhere, np.zeros(len(self._known), np.int32), "text layer")
        return np.asarray(self.encoder.encode_pages([None], [every])[0].vectors, np.float32)

    @cached_property
    def _flat(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        pages = [np.array(sorted({self._known[word] for word in page}), int) for page in self.terms]
        filled = np.array([len(page) > 0 for page in pages])
        lengths = np.array([len(page) for page in pages if len(page)])
        return np.concatenate(pages), np.concatenate([[0], np.cumsum(lengths)[:-1]]), filled


@dataclass(frozen=True)
class Idea:
    """A way to score pages, and whether the default has it."""

    name: str
    scorer: Scorer
    stays: bool = False


class Default:
    """The default's score, with its parts open to change."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def __call__(
        self,
        question: str,
        *,
        asked: Sequence[str] | None = None,
        weights: Callable[[str], float] = lambda term: 1.0,
        bm25: Callable[..., Scores] | None = None,
        vectors: float = 0.3,
        power: float | None = None,
        about: float = 0.5,
        named: float = 0.5,
        extra: Scores | float = 0.0,
    ) -> Scores:
        """Every page's score for a question."""
        pages, query = self.pages, read_query(question)
        words = (1 - vectors) * share((bm25 or pages.bm25)(asked or query.terms, weights))
        words += vectors * share(pages.maxsim(question, power)) if vectors else 0.0
        evidence = document_evidence(query, pages.statistics, pages.document_names) if about else {}
        of_page = np.array([evidence.get(name, 0.0) for name in pages.names])[pages.owner]
        total = words + about * of_page * (words > 0) + named * np.isin(pages.numbers, list(query.named_pages)) + extra
        return np.asarray(total, np.float64)


def share(scores: Scores) -> Scores:
    """Scores as parts of the best."""
    return scores / max(float(scores.max()), 1e-9)


def ideas(pages: Pages) -> list[Idea]:
    """The default without each of its parts, then with each of those that were tried and went."""
    default = Default(pages)
    plain = BM25([Counter(words) for words in pages.terms])
    return [*_parts(pages, default, plain), *_query_ideas(pages, default), *_page_ideas(pages, default)]


def _parts(pages: Pages, default: Default, plain: BM25) -> list[Idea]:
    only_opening, only_large = BM25(pages.counted(large=0)), BM25(pages.counted(opening=0))
    less_k1, less_b = BM25(pages.counted(), 1.2), BM25(pages.counted(), b=0.5)
    return [
        Idea("plain BM25, every word of the question", lambda q: plain(dict.fromkeys(tokenize(q))), True),
        Idea("BM25 without function words", lambda q: plain(read_query(q).terms), True),
        Idea("… and MaxSim of the lexical encoder", lambda q: default(q, bm25=plain, about=0, named=0), True),
        Idea("… and words that open a page twice", lambda q: default(q, bm25=only_opening, about=0, named=0), True),
        Idea("… and large words twice", lambda q: default(q, about=0, named=0), True),
        Idea("… and what a document is about", lambda q: default(q, named=0), True),
        Idea("without MaxSim", lambda q: default(q, vectors=0.0)),
        Idea("MaxSim alone", lambda q: pages.maxsim(q)),
        Idea("without opening words", lambda q: default(q, bm25=only_large)),
        Idea("without large words", lambda q: default(q, bm25=only_opening)),
        Idea("without document evidence", lambda q: default(q, about=0)),
        Idea("without named pages", lambda q: default(q, named=0)),
        Idea("similarities to the power 3", lambda q: default(q, power=3.0)),
        Idea("similarities to the power 8", lambda q: default(q, power=8.0)),
        Idea("BM25 with k1 1.2", lambda q: default(q, bm25=less_k1)),
        Idea("BM25 with b 0.5", lambda q: default(q, bm25=less_b)),
    ]


_FRAME = frozenset(
    tokenize(
        "answer answers question give response provide following based using shown show listed list tell explain find "
        "mentioned document report paper page pages slide slides figure table chart graph image picture"
    )
)


def _query_ideas(pages: Pages, default: Default) -> list[Idea]:
    def without_frame(question: str) -> Scores:
        asked = read_query(question).terms
        return default(question, asked=[term for term in asked if term not in _FRAME] or asked)

    def named_more(question: str) -> Scores:
        inside = {
            word.lower() for word in re.findall(r"[^\W_]+", question)[1:] if word[0].isupper() or word[0].isdigit()
        }
        return default(question, weights=lambda term: 1.4 if term in inside else 1.0)

    def early_more(question: str) -> Scores:
        first = set(tokenize(question)[: len(tokenize(question)) // 2])
        return default(question, weights=lambda term: 1.5 if term in first else 1.0)

    return [
        Idea("words that frame questions left out (show, chart, page …)", without_frame),
        Idea("names and numbers of the question × 1.4", named_more),
        Idea("first half of the question × 1.5", early_more),
        Idea("idf to the power 1.5", lambda q: default(q, weights=lambda term: pages.bm25.idf(term) ** 0.5)),
        Idea("longer words more", lambda q: default(q, weights=lambda term: (len(term) / 6) ** 0.25)),
        Idea("words of the two best pages added", lambda q: _feedback(pages, default(q), read_query(q).terms)),
    ]


def _feedback(pages: Pages, scores: Scores, asked: Sequence[str]) -> Scores:
    counts: Counter[str] = Counter()
    for place in np.argsort(-scores)[:2]:
        for term, count in Counter(pages.terms[place]).items():
            counts[term] += round(1e6 * count / len(pages.terms[place]) * pages.bm25.idf(term) * float(scores[place]))
    return scores + 0.1 * share(pages.bm25([term for term, _ in counts.most_common(30) if term not in asked][:10]))


def _page_ideas(pages: Pages, default: Default) -> list[Idea]:
    stem = cache(snowballstemmer.stemmer("english").stemWord)
    stems = BM25([Counter(map(stem, page.elements())) for page in pages.counted()])
    thrice = BM25(pages.counted(more=3))
    pairs = BM25([Counter(_pairs(words)) for words in pages.terms])
    documents = BM25([Counter(_of_document(pages, place)) for place in range(len(pages.names))])

    def neighbours(scores: Scores) -> Scores:
        same = pages.owner[1:] == pages.owner[:-1]
        around = np.zeros(len(scores))
        around[:-1] += np.where(same, scores[1:], 0)
        around[1:] += np.where(same, scores[:-1], 0)
        return scores + 0.1 * around

    def ranks(question: str) -> Scores:
        parts = (0.3, pages.maxsim(question)), (0.7, pages.bm25(read_query(question).terms))
        fused = sum(weight / (60 + np.argsort(np.argsort(-scores, kind="stable"))) for weight, scores in parts)
        base = Default(pages)(question)
        words = Default(pages)(question, about=0, named=0)
        return base - words + share(np.asarray(fused))

    return [
        Idea(
            "English stems in place of words",
            lambda q: default(q, asked=list(map(stem, read_query(q).terms)), bm25=stems),
        ),
        Idea("pairs of neighbouring words", lambda q: default(q, extra=0.1 * share(pairs(_pairs(tokenize(q)))))),
        Idea(
            "BM25 of whole documents × 0.2",
            lambda q: default(q, extra=0.2 * share(documents(read_query(q).terms))[pages.owner]),
        ),
        Idea("neighbouring pages × 0.1", lambda q: neighbours(default(q))),
        Idea("reciprocal ranks in place of scores", ranks),
        Idea(
            "opening and large words three times more",
            lambda q: default(q, bm25=thrice),
        ),
    ]


def _pairs(words: Sequence[str]) -> list[str]:
    return [f"{one} {other}" for one, other in pairwise(words)]


def _of_document(pages: Pages, place: int) -> list[str]:
    return [word for owner, words in zip(pages.owner, pages.terms, strict=True) if owner == place for word in words]


def values(pages: Pages, questions: Sequence[JudgedQuestion], scorer: Scorer) -> dict[str, NDArray[np.float64]]:
    """nDCG@5 of each question, over the index and within its document."""
    relevant = {q.id: {page_label(page.document, page.page): 1 for page in q.pages} for q in questions}
    found: dict[str, dict[str, list[str]]] = {"index": {}, "document": {}}
    for question in questions:
        scores = scorer(question.text)
        inside = np.where(pages.owner == pages.names.index(question.documents[0]), scores, -np.inf)
        for scope, of_scope in (("index", scores), ("document", inside)):
            found[scope][question.id] = [pages.labels[place] for place in np.argsort(-of_scope, kind="stable")[:5]]
    return {scope: measure(relevant, rankings)["nDCG@5"] for scope, rankings in found.items()}


def holds(difference: NDArray[np.float64], documents: Sequence[str]) -> float:
    """The part of bootstrap samples of documents in which the difference is above 0."""
    chance = np.random.default_rng(7)
    groups = [
        difference[[place for place, of in enumerate(documents) if of == name]] for name in sorted(set(documents))
    ]
    sums, counts = np.array([group.sum() for group in groups]), np.array([len(group) for group in groups])
    drawn = chance.integers(0, len(groups), (_SAMPLES, len(groups)))
    return float((sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1) > 0).mean())


def ablation(index: PageIndex, questions: Sequence[JudgedQuestion]) -> list[dict[str, Any]]:
    """A row for each idea: nDCG@5 in both scopes, the difference from the default, and how surely it holds."""
    pages = Pages(index)
    known = set(pages.labels)
    asked = [q for q in questions if any(page_label(page.document, page.page) in known for page in q.pages)]
    documents = [question.documents[0] for question in asked]
    base = values(pages, asked, Default(pages))
    rows = [{"idea": "default", "stays": True} | {scope: float(base[scope].mean()) for scope in base}]
    for idea in ideas(pages):
        found = values(pages, asked, idea.scorer)
        row: dict[str, Any] = {"idea": idea.name, "stays": idea.stays}
        for scope in base:
            difference = found[scope] - base[scope]
            row |= {scope: float(found[scope].mean()), f"{scope} difference": float(difference.mean())}
            row[f"{scope} holds"] = holds(difference, documents)
        rows.append(row)
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| idea | index | Δ | holds | document | Δ | holds |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        cells = [row["idea"]]
        for scope in ("index", "document"):
            cells += [f"{row[scope]:.3f}"]
            cells += (
                [f"{row[f'{scope} difference']:+.3f}", f"{row[f'{scope} holds']:.2f}"]
                if f"{scope} holds" in row
                else ["", ""]
            )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; with --out also write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--index", required=True)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with PageIndex.open(arguments.index, settings=load_settings(), create=False) as index:
        rows = ablation(index, read_questions(arguments.questions).questions)
    print(table(rows))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "ablation.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
