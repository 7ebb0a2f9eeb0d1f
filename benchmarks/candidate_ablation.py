"""What the candidates and the ways to keep vectors cost in recall, on synthetic pages and on real ones.

Without HNSW and without Milvus: the best vectors are found exactly, so that only what is compared makes a difference.
Real pages are few; each is cut into four, and questions are made of their patches with noise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from vectors import questions, synthetic_pages

from pagesight.indexing.encoders import MultiVector
from pagesight.indexing.vectors.centroids import best_holders, centroids
from pagesight.indexing.vectors.maxsim import best_similarities
from pagesight.indexing.vectors.quantization import StoredVectors, stored
from pagesight.indexing.vectors.token_pooling import pooled

Vectors = NDArray[np.float32]
_SYNTHETIC = 400
_PARTS_OF_A_PAGE = 4


def evenly_started(page: Vectors, count: int) -> Vectors:
    """Plain spherical k-means whose starts are spread evenly over the page."""
    centres = page[np.linspace(0, len(page) - 1, count).astype(int)]
    for _ in range(6):
        sums = np.eye(count, dtype=np.float32)[np.argmax(page @ centres.T, axis=1)].T @ page
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 1e-6, sums / np.maximum(norms, 1e-6), centres)
    return np.asarray(centres, np.float32)


def ward(page: Vectors, count: int) -> Vectors:
    """Hierarchical token pooling, as colpali-engine and sentence-transformers do it."""
    labels = fcluster(linkage(page, "ward"), count, "maxclust")
    means = np.stack([page[labels == label].mean(axis=0) for label in np.unique(labels)])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def salient(page: Vectors, count: int) -> Vectors:
    """The patches that are least like the page's mean."""
    return page[np.argsort(page @ page.mean(axis=0), kind="stable")[:count]]


def means(page: Vectors, count: int) -> Vectors:
    """Ours, but the clusters' means as they are: mixed clusters then count less."""
    centres = centroids(page, count)
    members = np.eye(len(centres), dtype=np.float32)[np.argmax(page @ centres.T, axis=1)]
    return np.asarray((members.T @ page) / np.maximum(members.sum(axis=0)[:, None], 1), np.float32)


def as_long_as_1(page: Vectors, count: int) -> Vectors:
    """Ours, but mixed clusters count as much as others."""
    centres = centroids(page, count)
    return np.asarray(centres / np.linalg.norm(centres, axis=1, keepdims=True), np.float32)


WAYS: dict[str, Callable[[Vectors, int], Vectors]] = {
    "k-means, far starts (ours)": centroids,
    "k-means, even starts": evenly_started,
    "Ward's clusters": ward,
    "salient patches": salient,
    "means not normalised": means,
    "means as long as 1": as_long_as_1,
}


def ablation(real: Path | None) -> list[list[str]]:
    """Rows of: pages, candidate vectors, hits a query vector, candidates, top-1, top-5 kept."""
    rows = []
    for name, pages, settings in _collections(real):
        asked = questions(pages)
        right = _ranked(pages, asked)
        for count, hits, candidates in settings:
            for way, make in WAYS.items():
                if make is not centroids and (count, hits) != settings[0][:2]:
                    continue
                made = [make(page, count) for page in pages]
                kept = _kept(made, asked, right, hits, candidates)
                rows.append([name, f"{count}, {way}", str(hits), str(candidates), *kept])
            if (count, hits) == settings[0][:2]:
                made = [centroids(page, count) for page in pages]
                kept = _kept(made, _pruned(asked), right, hits, candidates)
                rows.append([name, f"{count}, ours, half the query's vectors", str(hits), str(candidates), *kept])
    return rows


def losses(real: Path | None) -> list[list[str]]:
    """Rows of: pages, kept as, kB a page, by how much a score moved, top-1, top-5, against full float16."""
    rows = []
    for name, pages, _ in _collections(real):
        asked = questions(pages)
        full = _scores([_stored(page, 1, "float16") for page in pages], asked)
        right = _best_five(full)
        for pool in (1, 2, 3):
            for precision in ("float16", "int8"):
                kept = [_stored(page, pool, precision) for page in pages]
                found = _scores(kept, asked)
                order = _best_five(found)
                moved = np.abs(found - full).mean() / full.mean()
                five = np.mean([len({*one} & {*other}) / 5 for one, other in zip(order, right, strict=True)])
                first = np.mean(order[:, 0] == right[:, 0])
                label = precision if pool == 1 else f"{precision}, pooled ×{pool}"
                size = f"{np.mean([_bytes(page) for page in kept]) / 1000:.0f}"
                rows.append([name, label, size, f"{moved:.2%}", f"{first:.2f}", f"{five:.2f}"])
    return rows


def _collections(real: Path | None) -> list[tuple[str, list[Vectors], list[tuple[int, int, int]]]]:
    """Name, pages, and the settings to try: (candidate vectors, hits, candidates); the first is tried in all ways."""
    several = [(32, 100, 60), (32, 100, 120), (32, 50, 120), (32, 200, 120)]
    several += [(count, 100, 120) for count in (8, 16, 24, 48)]
    found = [(f"{_SYNTHETIC} synthetic", list(synthetic_pages(_SYNTHETIC, seed=2)), several)]
    if real:
        arrays = np.load(real)
        parts = [part for name in arrays for part in np.array_split(arrays[name].astype(np.float32), _PARTS_OF_A_PAGE)]
        pages = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
        few = [(8, 40, 10), (8, 40, 20), (8, 20, 10), (4, 40, 10), (12, 40, 10), (16, 40, 10)]
        found.append((f"{len(pages)} real parts", pages, few))
    return found


def _ranked(pages: list[Vectors], asked: Vectors) -> NDArray[np.intp]:
    """(questions, 5): the exact best pages."""
    whole = [StoredVectors(page, np.zeros((0, 4), np.float16)) for page in pages]
    return _best_five(_scores(whole, asked))


def _best_five(scores: Vectors) -> NDArray[np.intp]:
    return np.argsort(-scores, axis=0, kind="stable")[:5].T


def _scores(pages: list[StoredVectors], asked: Vectors) -> Vectors:
    """(pages, questions) MaxSim."""
    count, vectors, dim = asked.shape
    similarities = best_similarities(asked.reshape(-1, dim), pages)
    return np.asarray(similarities.reshape(len(pages), count, vectors).sum(axis=2), np.float32)


def _kept(made: list[Vectors], asked: Vectors, right: NDArray[np.intp], hits: int, candidates: int) -> tuple[str, str]:
    """How much of the exact best page, and of the best five, is among the candidates."""
    owners = np.repeat(np.arange(len(made)), [len(page) for page in made])
    vectors = np.concatenate(made)
    first, five = [], []
    for question, best in zip(asked, right, strict=True):
        similarities = question @ vectors.T
        order = np.argsort(-similarities, axis=1)[:, :hits]
        found = np.take_along_axis(similarities, order, axis=1)
        near = {*best_holders(found, owners[order], np.ones(len(question), np.float32), candidates, hits)}
        first.append(int(best[0]) in near)
        five.append(len(near & {int(page) for page in best}) / 5)
    return f"{np.mean(first):.2f}", f"{np.mean(five):.3f}"


def _pruned(asked: Vectors) -> Vectors:
    """The half of each question's vectors that are least like the question's mean."""
    kept = []
    for question in asked:
        likeness = question @ question.mean(axis=0)
        kept.append(question[np.sort(np.argsort(likeness, kind="stable")[: len(question) // 2])])
    return np.stack(kept)


def _bytes(page: StoredVectors) -> int:
    return page.values.nbytes + page.boxes.nbytes + (0 if page.scales is None else page.scales.nbytes)


def _stored(page: Vectors, pool: int, precision: str) -> StoredVectors:
    boxes = np.zeros((len(page), 4), np.float32)
    return stored(pooled(MultiVector(page, boxes), pool), precision)  # type: ignore[arg-type]
