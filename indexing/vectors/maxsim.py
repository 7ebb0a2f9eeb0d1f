"""Exact late interaction: each query vector's best similarity with each page, and the pages' scores from that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.parallel import map_on_all_cores
from pagesight.indexing.vectors.multivector import QueryVectors
from pagesight.indexing.vectors.quantization import StoredVectors, joined

# Page vectors turned into float32 and multiplied at once: enough for the matrix product to be efficient, few enough
# (2 MB at 128 dimensions) to stay in the processor's cache.
_BLOCK_VECTORS = 4_096


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
    return best_in_runs(query, *joined(pages), np.array([len(page) for page in pages]))


def best_in_runs(
    query: NDArray[np.float32],
    vectors: NDArray[np.float32],
    scales: NDArray[np.float32] | None,
    lengths: NDArray[np.integer],
) -> NDArray[np.float32]:
    """As `best_similarities`, of pages whose vectors stand one after the other, ``lengths`` (pages,) of each.

    ``scales`` are what each vector is still to be multiplied with, None is 1. Fastest for `_BLOCK_VECTORS` or fewer.
    """
    best = np.zeros((len(lengths), len(query)), np.float32)
    filled = lengths > 0
    if not filled.any():
        return best
    starts = np.concatenate([[0], np.cumsum(lengths[filled])[:-1]])
    # (vectors, m) and not its transpose: with few query vectors the product takes two thirds of the time.
    similarities = vectors @ query.T
    if scales is not None:
        similarities *= scales[:, None]
    best[filled] = np.maximum.reduceat(similarities, starts, axis=0)
    return best
