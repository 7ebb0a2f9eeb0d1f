"""A picture as a question: the vectors that an encoder makes of a page, compared with those of the pages."""

from __future__ import annotations

import numpy as np

from pagesight.indexing.vectors.centroids import centroids
from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors

# Vectors of a picture that are asked with: a page of patches has up to 1,800, most of them blank, and each costs as
# much as a word of a question. A guess, not measured.
_MOST = 64


def picture_query(seen: MultiVector, beside: QueryVectors | None, baseline: float) -> QueryVectors:
    """The question that a picture's vectors make, with the words ``beside`` it: each counts for half of a page's score.

    Vectors without boxes are those of a prompt where others have boxes, and are left out.
    """
    looking = ~np.isnan(seen.boxes).any(axis=1)
    vectors = seen.vectors[looking] if looking.any() else seen.vectors
    asked = centroids(np.asarray(vectors, np.float32), _MOST)
    weights = np.ones(len(asked), np.float32) / np.float32(max(len(asked), 1))
    tokens = [""] * len(asked)
    if beside is None:
        return QueryVectors(asked, tokens, weights, baseline=baseline)
    words = beside.weights / max(float(beside.weights.sum()), 1e-12)
    both = np.concatenate([weights, words]) / 2
    return QueryVectors(
        np.concatenate([asked, beside.vectors]),
        tokens + beside.tokens,
        np.asarray(both, np.float32),
        baseline=baseline,
    )
