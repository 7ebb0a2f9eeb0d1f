"""Exact late interaction: each query vector's best similarity with each page, and the pages' scores from that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.parallel import map_on_all_cores
from pagesight.indexing.vectors.multivector import QueryVectors
from pagesight.indexing.vectors.quantization import StoredVectors, as_float32

# Page vectors that a thread compares before it takes others. A guess, not measured.
_BLOCK_VECTORS = 4_096

# Page vectors turned into float32 and multiplied at once: few enough to stay in the processor's cache, and OpenBLAS
# multiplies so few without copying them once more. With 4,096 the same takes a fifth longer.
_VECTORS_AT_ONCE = 256


def best_similarities(query: NDArray[np.float32], pages: Iterable[StoredVectors]) -> NDArray[np.float32]:
    """The best similarity of each query vector with each page's vectors.

    ``query`` (m, dim) float32; ``pages`` have (n_i, dim) vectors, n_i may be 0. Returns (pages, m) float32; a page
    without vectors has 0 everywhere.
    """
    rows = list(map_on_all_cores(lambda block: _best_in_block(query, block), _blocks(pages)))
    return np.concatenate(rows) if rows else np.zeros((0, len(query)), np.float32)


def scores(query: QueryVectors, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """The pages' scores, (pages,) float32, from `best_similarities`; see `QueryVectors` for the formula."""
    positive = np.maximum(similarities, 0)
    if query.sharpness != 1.0:
        positive = positive**query.sharpness
    return np.asarray(positive @ query.weights, np.float32)


def _blocks(pages: Iterable[StoredVectors]) -> Iterator[list[StoredVectors]]:
    block: list[StoredVectors] = []
    size = 0
    for page in pages:
        count = len(page)
        if block and size + count > _BLOCK_VECTORS:
            yield block
            block, size = [], 0
        block.append(page)
        size += count
    if block:
        yield block


def _best_in_block(query: NDArray[np.float32], pages: Sequence[StoredVectors]) -> NDArray[np.float32]:
    scales = [page.scales for page in pages if page.scales is not None]
    lengths = np.array([len(page) for page in pages])
    return best_in_runs(query, [page.values for page in pages], np.concatenate(scales) if scales else None, lengths)


def best_in_runs(
    query: NDArray[np.float32],
    parts: Sequence[NDArray[Any]],
    scales: NDArray[np.float16] | None,
    lengths: NDArray[np.integer],
) -> NDArray[np.float32]:
    """As `best_similarities`; ``parts`` have the values of the pages one after the other, ``lengths`` (pages,) of each.

    ``scales`` are what each vector is still to be multiplied with, None is 1.
    """
    best = np.zeros((len(lengths), len(query)), np.float32)
    filled = lengths > 0
    if not filled.any():
        return best
    starts = np.concatenate([[0], np.cumsum(lengths[filled])[:-1]])
    similarities = _similarities(query, parts, int(lengths.sum()))
    if scales is not None:
        similarities *= scales.astype(np.float32)[:, None]
    best[filled] = np.maximum.reduceat(similarities, starts, axis=0)
    return best


def _similarities(query: NDArray[np.float32], parts: Sequence[NDArray[Any]], count: int) -> NDArray[np.float32]:
    """The products of all vectors, ``count`` of them, with the query's, (vectors, m).

    And not its transpose: with few query vectors the product takes two thirds of the time.
    """
    found = np.empty((count, len(query)), np.float32)
    numbers = np.empty((min(count, _VECTORS_AT_ONCE), query.shape[1]), np.float32)
    asked, place = np.ascontiguousarray(query.T), 0
    for part in parts:
        for start in range(0, len(part), _VECTORS_AT_ONCE):
            values = part[start : start + _VECTORS_AT_ONCE]
            as_float32(values, numbers[: len(values)])
            np.matmul(numbers[: len(values)], asked, out=found[place : place + len(values)])
            place += len(values)
    return found
