"""Token pooling: vectors of a page that say much the same become one (Clavié, Chaffin and Adams, 2024)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import MissingExtra
from pagesight.indexing.vectors.multivector import MultiVector


def pooled(page: MultiVector, factor: int) -> MultiVector:
    """The page with one vector for every ``factor``: the L2-normalised means of its clusters by Ward's method.

    A cluster's vectors may stand far apart, so that it has the box of the one that is most like its mean. Raises
    MissingExtra without scipy.
    """
    count = -(-len(page.vectors) // factor)
    if factor == 1 or count < 2:
        return page
    labels = _clusters(page.vectors, count)
    membership = np.eye(labels.max() + 1, dtype=np.float32)[labels]
    means = membership.T @ page.vectors
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    likeness = np.where(membership > 0, page.vectors @ means.T, -np.inf)
    return MultiVector(means, page.boxes[likeness.argmax(axis=0)])


def _clusters(vectors: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """(n,): the cluster of each vector, from 0."""
    try:
        from scipy.cluster.hierarchy import fcluster, linkage
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"pooling page vectors needs scipy, which is not installed: run `{install_command('colpali')}`, or "
            "leave out --pool."
        ) from error
    labels = fcluster(linkage(vectors, "ward"), count, "maxclust")
    return np.unique(labels, return_inverse=True)[1]
