"""Candidate vectors: the few centroids of a page's multi-vector that stand for it in the HNSW index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.parallel import map_on_all_cores

_ROUNDS = 6  # of Lloyd's algorithm; later rounds move hardly any vector
# Numbers that repeat take a third of the room in Milvus Lite's files, and HNSW rounds them more coarsely.
_STEPS = np.float32(1024)
_LEAST_LIKE = 0.25  # mean similarity: no centroid is longer than 2. A guess, not measured


def centroids(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """At most ``count`` centroids of (n, dim) vectors, by spherical k-means without chance, a little longer than 1.

    A question is compared with a cluster's best member, which says more the less its members are alike: so a centroid
    is divided by the square root of its mean similarity with its members (benchmarks/retrieval.py has others).
    """
    if len(vectors) <= count:
        return np.unique(vectors, axis=0)
    centres = _far_apart(vectors, count)
    for _ in range(_ROUNDS):
        nearest = np.argmax(vectors @ centres.T, axis=1)
        membership = np.eye(count, dtype=np.float32)[nearest]
        sums = membership.T @ vectors
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 1e-6, sums / np.maximum(norms, 1e-6), centres)
    likeness = vectors @ centres.T
    nearest = np.argmax(likeness, axis=1)
    members = np.bincount(nearest, minlength=count)
    sums = np.bincount(nearest, likeness.max(axis=1), count)
    mean = np.divide(sums, members, out=np.ones(count), where=members > 0)
    centres /= np.sqrt(np.clip(mean, _LEAST_LIKE, 1)).astype(np.float32)[:, None]
    return np.unique(np.rint(centres * _STEPS) / _STEPS, axis=0)


def centroids_of(pages: Sequence[NDArray[np.floating]], count: int) -> list[NDArray[np.float32]]:
    """The centroids of pages, (n, dim) each, on all cores."""
    return list(map_on_all_cores(lambda page: centroids(page.astype(np.float32, copy=False), count), pages))


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


def best_holders(
    similarities: NDArray[np.float32], holders: NDArray[np.int64], weights: NDArray[np.float32], limit: int, hits: int
) -> list[int]:
    """The ``limit`` holders with the greatest sum of best similarities over the query vectors, best first.

    ``similarities`` and ``holders`` (m, n) are what each query vector found, in any order; a holder -1 is nothing. Of
    each row the best ``hits`` count. A holder that a query vector did not hit is given that vector's last similarity,
    the most that it can have. Equal ones stand in the order of their numbers.
    """
    found, gains = [np.zeros(0, np.int64)], [np.zeros(0)]
    for near, whose, weight in zip(similarities, holders, weights.tolist(), strict=True):
        near, whose = near[whose >= 0], whose[whose >= 0]
        if len(near) > hits:
            best = np.argpartition(-near, hits - 1)[:hits]
            near, whose = near[best], whose[best]
        order = np.argsort(-near, kind="stable")
        if len(order):
            own, first = np.unique(whose[order], return_index=True)
            found.append(own)
            gains.append(weight * (near[order[first]].astype(np.float64) - float(near[order[-1]])))
    every, places = np.unique(np.concatenate(found), return_inverse=True)
    totals = np.bincount(places, np.concatenate(gains), len(every))
    return [int(holder) for holder in every[np.lexsort((every, -totals))][:limit]]
