"""A page's vectors, each with the box where it looks, and a question's vectors, each with its token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MultiVector:
    """A page's vectors: ``vectors`` (n, dim), L2-normalised; ``boxes`` (n, 4), NaN where unknown.

    float32 from an encoder, float16 from an index.
    """

    vectors: NDArray[np.floating]
    boxes: NDArray[np.floating]


@dataclass(frozen=True)
class QueryVectors:
    """A question's vectors, one a token: ``vectors`` (m, dim) float32, L2-normalised; ``weights`` (m,) float32.

    A page's score is ``sum(weights * max(similarity, 0) ** sharpness)`` over each query vector's best similarity with
    the page's vectors; weights of 1 and a sharpness of 1 make it the MaxSim of ColBERT (Khattab and Zaharia, 2020).
    ``baseline`` (0 to below 1) is the part of the best page's score that any page has, for fusion with BM25.
    """

    vectors: NDArray[np.float32]
    tokens: list[str]
    weights: NDArray[np.float32]
    sharpness: float = 1.0
    baseline: float = 0.0
