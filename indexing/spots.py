"""Where on a page a question is answered: the boxes of the best-matching vectors, and the best lines of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.pages import Box
from pagesight.indexing.terms import TermStatistics, query_terms, terms

_MOST_BOXES = 12
_MOST_LINES = 3
_MOST_PLACES = 600  # that are looked at for support: a page has more only where a word repeats and repeats
# Vectors this near to a query vector's best one may be what was meant as well: the same word elsewhere on the page.
_AS_GOOD = 0.97
_LEAST_SIMILARITY = 0.5
# How far support reaches, as a part of the page's height and width: some lines up and down, most of a line across.
_REACH = np.array([0.35, 0.04])
_PREFIX = 5  # letters from which words with the same start count as one in a line: revenue, revenues


def best_boxes(query: QueryVectors, vectors: NDArray[np.floating], boxes: NDArray[np.floating]) -> list[Box]:
    """The boxes, best first, of the vectors that match the query best and stand near each other; neighbours joined.

    ``vectors`` (n, dim) and ``boxes`` (n, 4) of one page. A word that stands in many places is taken where other words
    of the question are near.
    """
    known = ~np.isnan(boxes).any(axis=1)
    if not known.any():
        return []
    similarities = query.vectors @ vectors[known].astype(np.float32).T
    boxes = boxes[known].astype(np.float32)
    strength = _strength(query, similarities)
    support = _support(strength, boxes)
    order = [place for place in np.argsort(-support, kind="stable") if support[place] > 0][:_MOST_BOXES]
    return _joined(boxes[order])


def best_lines(question: str, text: str, statistics: TermStatistics) -> list[str]:
    """The lines of a page's text that hold most of the question's rare words, best first; none if no line holds any."""
    wanted = [(f" {_start(term)}", statistics.idf(term)) for term in query_terms(question)]
    ranked = []
    for place, line in enumerate(text.splitlines()):
        held = f" {' '.join(terms(line))} "
        score = sum(worth for start, worth in wanted if start in held)
        if score > 0:
            ranked.append((-score, place, line.strip()))
    return list(dict.fromkeys(line for _, _, line in sorted(ranked)))[:_MOST_LINES]


def _start(term: str) -> str:
    """What a word of a line must start with to count as the term: a short term itself, a longer one's stem."""
    return f"{term} " if len(term) < _PREFIX else term[: max(_PREFIX, len(term) - 2)]


def _strength(query: QueryVectors, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, n): what each page vector adds for each query vector, if it is as good as that one's best; else 0."""
    best = similarities.max(axis=1, keepdims=True)
    matched = (similarities >= best * _AS_GOOD) & (best >= _LEAST_SIMILARITY)
    worth = query.weights[:, None] * np.maximum(similarities, 0) ** query.sharpness
    return np.where(matched, worth, 0).astype(np.float32)


def _support(strength: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,): each matching vector's own strength and, for every other query vector, the strongest match nearby."""
    places = np.argsort(-strength.max(axis=0, initial=0), kind="stable")[:_MOST_PLACES]
    places = np.sort(places[strength[:, places].any(axis=0)])
    support = np.zeros(strength.shape[1], np.float32)
    centres = np.stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]], axis=1) / 2
    near = (np.abs(centres[places, None] - centres[None, places]) <= _REACH).all(axis=2)
    for matches in strength[:, places]:
        support[places] += np.where(near, matches, 0).max(axis=1, initial=0)
    return support


def _joined(boxes: NDArray[np.float32]) -> list[Box]:
    """The boxes with those joined that stand side by side on one line."""
    joined: list[list[float]] = []
    for left, top, right, bottom in boxes.tolist():
        height = bottom - top
        for other in joined:
            same_line = abs(other[1] - top) < height / 2 and abs(other[3] - bottom) < height / 2
            if same_line and left <= other[2] + height and right >= other[0] - height:
                other[:] = [min(left, other[0]), min(top, other[1]), max(right, other[2]), max(bottom, other[3])]
                break
        else:
            joined.append([left, top, right, bottom])
    return [_box(box) for box in joined]


def _box(edges: Sequence[float]) -> Box:
    left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) for edge in edges)
    return left, top, right, bottom
