"""Multi-vectors to measure retrieval with: synthetic pages, clustered like real ones, and questions to them.

A page of ColQwen2 (779 × 128) cut into 8, 32 or 128 clusters has a mean similarity of .68, .80 and .91 between its
vectors and their centroids; their mean has a length of .47, and a vector's best match on another page is .50. The
synthetic pages have .71, .88, .92, .38 and .32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

VECTORS, DIM = 1030, 128
_CONCEPTS = 4000  # that all pages draw from
_NOISE = 1.0  # of a question's vector beside the patch that it is about: a similarity of .71 with it


def synthetic_pages(count: int, seed: int = 1) -> Iterator[NDArray[np.float32]]:
    """``count`` pages of (1030, 128), L2-normalised: some concepts each, in their own words, often or once."""
    rng = np.random.default_rng(seed)
    concepts = _unit(rng.standard_normal((_CONCEPTS, DIM)) * np.arange(1, DIM + 1) ** -0.35)
    concepts = _unit(concepts + 0.35 * _unit(rng.standard_normal((1, DIM))))
    for _ in range(count):
        kinds = int(rng.integers(12, 60))
        own = concepts[rng.integers(_CONCEPTS, size=kinds)] + 0.06 * rng.standard_normal((kinds, DIM))
        often = 1 / np.arange(1, kinds + 1)
        patches = own[np.sort(rng.choice(kinds, VECTORS, p=often / often.sum()))]
        yield _unit(patches + 0.05 * rng.standard_normal((VECTORS, DIM)))


def questions(pages: Sequence[NDArray[np.floating]], count: int = 60, vectors: int = 20) -> NDArray[np.float32]:
    """(count, vectors, dim): each of patches of one page, with noise."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(count):
        page = pages[int(rng.integers(len(pages)))].astype(np.float32)
        patches = page[rng.choice(len(page), vectors)]
        found.append(_unit(patches + _NOISE * _unit(rng.standard_normal(patches.shape))))
    return np.stack(found)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
