"""Puts the best pages in the order in which a reranker sees them, without losing what the search knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from pagesight.indexing.pages import PageRow
from pagesight.indexing.rerankers.interface import Reranker

Ranked = list[tuple[PageRow, float]]


def rerank(
    reranker: Reranker, question: str, ranked: Sequence[tuple[PageRow, float]], texts: Mapping[str, str], weight: float
) -> Ranked:
    """The pages in a new order, each with its new score, 0 to 1.

    ``weight`` (0-1) is the reranker's part beside the score of the search, as a part of its best page's. A page without
    words, of which a reranker of texts knows nothing, keeps its place. ``texts`` are by page key.
    """
    best = max((score for _, score in ranked), default=0.0) or 1.0
    read = [place for place, (row, _) in enumerate(ranked) if texts.get(row.key, "").strip()]
    if not read:
        return list(ranked)
    judged = reranker.scores(question, [texts[ranked[place][0].key] for place in read])
    scores = [
        weight * float(score) + (1 - weight) * ranked[place][1] / best
        for place, score in zip(read, judged, strict=True)
    ]
    found = dict(zip(read, sorted(zip(read, scores, strict=True), key=itemgetter(1), reverse=True), strict=True))
    last, ordered = max(scores), Ranked()
    for place, (row, _) in enumerate(ranked):
        old, last = found.get(place, (place, last))
        ordered.append((ranked[old][0] if place in found else row, last))
    return ordered
