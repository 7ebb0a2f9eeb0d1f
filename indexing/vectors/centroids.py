"""Candidate vectors: the few centroids of a page's multi-vector that stand for it in the HNSW index."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 6  # of Lloyd's algorithm; later rounds move hardly any vector
# Numbers that repeat take a third of the room in Milvus Lite's files, and HNSW rounds them more coarsely.
_STEPS = np.float32(1024)


def centroids(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """At most ``count`` L2-normalised centroids of (n, dim) vectors, by spherical k-means without chance."""
    if len(vectors) <= count:
        return np.unique(vectors, axis=0)
    centres = _far_apart(vectors, count)
    for _ in range(_ROUNDS):
        nearest = np.argmax(vectors @ centres.T, axis=1)
        membership = np.eye(count, dtype=np.float32)[nearest]
        sums = membership.T @ vectors
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 1e-6, sums / np.maximum(norms, 1e-6), centres)
    return np.unique(np.rint(centres * _STEPS) / _STEPS, axis=0)


def _far_apart(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """``count`` of the vectors: the one nearest to their mean, then always the one least like those taken so far.

    What is rare on a page is what sets it apart; starts that are spread evenly over it lose more of that
    (benchmarks/retrieval.py).
    """
    chosen = [int(np.argmax(vectors @ vectors.mean(axis=0)))]
    nearest = vectors @ vectors[chosen[0]]
    while len(chosen) < count:
        chosen.append(int(np.argmin(nearest)))
        np.maximum(nearest, vectors @ vectors[chosen[-1]], out=nearest)
    return vectors[chosen]


def best_pages(
    hits: Iterable[list[tuple[int, int, float]]], weights: NDArray[np.float32], limit: int
) -> list[tuple[int, int]]:
    """The ``limit`` pages (ordinal, page) with the greatest sum of best hits over the query vectors.

    ``hits`` holds, for each query vector, (ordinal, page, similarity), best first. A page that a query vector did not
    hit is given that vector's last similarity, the most that it can have.
    """
    totals: dict[tuple[int, int], float] = {}
    floor = 0.0
    for row, weight in zip(hits, weights.tolist(), strict=True):
        if not row:
            continue
        last = row[-1][2]
        floor += weight * last
        best: dict[tuple[int, int], float] = {}
        for ordinal, page, similarity in row:
            best.setdefault((ordinal, page), similarity)
        for page_key, similarity in best.items():
            totals[page_key] = totals.get(page_key, 0.0) + weight * (similarity - last)
    ranked = sorted(totals, key=lambda page_key: (-(totals[page_key] + floor), page_key))
    return ranked[:limit]
