"""Exact late interaction and candidate vectors, against a plain telling of their formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pagesight.indexing.encoders import MultiVector, QueryVectors
from pagesight.indexing.vectors import maxsim
from pagesight.indexing.vectors.centroids import best_holders, centroids
from pagesight.indexing.vectors.maxsim import best_similarities, scores
from pagesight.indexing.vectors.quantization import Precision, StoredVectors, stored


def unit(rng: np.random.Generator, count: int, dim: int = 16) -> np.ndarray:
    vectors = rng.normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def kept(vectors: np.ndarray, precision: Precision = "float16") -> StoredVectors:
    return stored(MultiVector(vectors, np.full((len(vectors), 4), np.nan, np.float32)), precision)


@pytest.mark.parametrize(("precision", "loss"), [("float16", 1e-3), ("int8", 1e-2)])
def test_it_is_the_maximum_over_each_pages_vectors(precision: Precision, loss: float) -> None:
    rng = np.random.default_rng(1)
    query = unit(rng, 5)
    pages = [unit(rng, count) for count in (1, 30, 7, 400)]
    expected = [[max(float(q @ v) for v in page) for q in query] for page in pages]
    found = best_similarities(query, [kept(page, precision) for page in pages])
    np.testing.assert_allclose(found, expected, atol=loss)


def test_float16_comes_back_as_it_is() -> None:
    bits = np.arange(65_536, dtype=np.uint16).view(np.float16)
    finite = bits[np.isfinite(bits)].reshape(-1, 16)
    vectors = StoredVectors(finite, np.zeros((len(finite), 4), np.float16)).vectors
    np.testing.assert_array_equal(vectors, finite.astype(np.float32))


def test_int8_rounds_each_vector_by_its_own_scale() -> None:
    vectors = unit(np.random.default_rng(6), 50) * np.geomspace(1e-3, 1, 50, dtype=np.float32)[:, None]
    found = kept(np.concatenate([vectors, np.zeros((1, 16), np.float32)]), "int8")
    assert found.values.dtype == np.int8
    step = np.abs(vectors).max(axis=1, keepdims=True) / 127
    assert np.all(np.abs(found.vectors[:-1] - vectors) <= 0.6 * step)  # half a step, and the scale's own rounding
    assert not found.vectors[-1].any()


def test_pages_without_vectors_and_no_pages() -> None:
    rng = np.random.default_rng(2)
    query, empty = unit(rng, 3), kept(np.zeros((0, 16), np.float32))
    found = best_similarities(query, [empty, kept(unit(rng, 4)), empty, empty])
    assert found.shape == (4, 3)
    assert not found[[0, 2, 3]].any()
    assert found[1].any()
    assert best_similarities(query, []).shape == (0, 3)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_many_vectors_are_scored_as_few_are(precision: Precision) -> None:
    rng = np.random.default_rng(3)
    lengths = [0, 3, 3_000, 0, 90, 5_000, 4_096, 1, 8_192, 7, 0]  # more than two blocks
    query, pages = unit(rng, 4), [kept(unit(rng, count), precision) for count in lengths]
    together = best_similarities(query, pages)
    alone = np.concatenate([best_similarities(query, [page]) for page in pages])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_weights_and_sharpness() -> None:
    similarities = np.array([[0.5, 1.0], [-0.5, 0.2]], np.float32)
    vectors = np.zeros((2, 4), np.float32)
    plain = QueryVectors(vectors, ["a", "b"], np.ones(2, np.float32))
    sharp = QueryVectors(vectors, ["a", "b"], np.array([2, 1], np.float32), sharpness=2.0)
    np.testing.assert_allclose(scores(plain, similarities), [1.5, 0.2], atol=1e-6)
    np.testing.assert_allclose(scores(sharp, similarities), [1.5, 0.04], atol=1e-6)


def test_centroids_stand_for_the_groups_of_a_page() -> None:
    rng = np.random.default_rng(4)
    groups = unit(rng, 8)
    page = np.concatenate([group + 0.02 * unit(rng, 20) for group in groups])
    page /= np.linalg.norm(page, axis=1, keepdims=True)
    found = centroids(page.astype(np.float32), 24)
    assert (groups @ found.T).max(axis=1).min() > 0.99
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=2e-3)
    np.testing.assert_array_equal(found, centroids(page.astype(np.float32), 24))


def test_as_many_centroids_as_groups_are_one_for_each() -> None:
    rng = np.random.default_rng(8)
    groups = np.eye(16, dtype=np.float32)[:12]
    page = np.concatenate([group + 0.02 * unit(rng, 1 + 9 * place) for place, group in enumerate(groups)])
    page /= np.linalg.norm(page, axis=1, keepdims=True)
    found = centroids(page.astype(np.float32), 12)
    assert len(found) == 12
    assert (groups @ found.T).max(axis=1).min() > 0.99


def test_a_page_with_few_vectors_keeps_them() -> None:
    vectors = unit(np.random.default_rng(5), 3)
    found = centroids(np.concatenate([vectors, vectors]), 32)
    assert {tuple(row) for row in found} == {tuple(row) for row in vectors}
    assert centroids(np.zeros((0, 16), np.float32), 32).shape == (0, 16)


def test_a_page_that_a_query_vector_missed_is_given_its_last_hit() -> None:
    similarities = np.array([[0.3, 0.9, 0.5], [0.8, 0.7, 0.9]], np.float32)
    # .9 for page 11, .5 for 21, .3 for the others; .8 for 21, .7 for the others: -1 is no page
    holders = np.array([[11, 11, 21], [21, 37, -1]])
    weights = np.ones(2, np.float32)
    assert best_holders(similarities, holders, weights, 10, 3) == [11, 21, 37]  # 1.6, 1.3, 1.0
    assert best_holders(similarities, holders, np.array([0, 1], np.float32), 1, 3) == [21]
    assert best_holders(similarities, holders, weights, 10, 1) == [11, 21]  # each vector's best hit alone
    assert best_holders(np.zeros((2, 0), np.float32), np.zeros((2, 0), np.int64), weights, 10, 3) == []


def test_a_thread_takes_some_thousand_vectors_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some 4,096 vectors at once, or one page that has more."""
    blocks: list[list[int]] = []
    own = maxsim.best_in_runs

    def noted(query: np.ndarray, parts: Sequence[np.ndarray], *others: Any) -> np.ndarray:
        blocks.append([len(part) for part in parts])
        return own(query, parts, *others)

    monkeypatch.setattr(maxsim, "best_in_runs", noted)
    rng = np.random.default_rng(9)
    lengths = [4_095, 1, 1, 4_095, 1, 5_000, 2_000, 2_000, 96, 1, 1_000, 1_000, 1_000, 1_096, 1_000, 3_097]
    found = best_similarities(unit(rng, 2, 4), [kept(unit(rng, count, 4)) for count in lengths])
    assert found.shape == (len(lengths), 2)
    expected = [[4_095, 1], [1, 4_095], [1], [5_000], [2_000, 2_000, 96], [1, 1_000, 1_000, 1_000], [1_096, 1_000]]
    assert sorted(blocks) == sorted([*expected, [3_097]])


def test_a_centroid_is_the_longer_the_less_its_members_are_alike() -> None:
    first, second = np.eye(8, dtype=np.float32)[:2]
    apart = np.stack([0.8 * first + 0.6 * np.float32(sign) * second for sign in (1, -1, 1, -1)]).astype(np.float32)
    (centre,) = centroids(apart, 1)  # its mean similarity with them is .8
    np.testing.assert_allclose(centre, 0.8**-0.5 * first, atol=2e-3)


def test_a_centre_of_vectors_that_cancel_out_stays_one_of_them() -> None:
    vector = unit(np.random.default_rng(10), 1)
    (centre,) = centroids(np.concatenate([vector, -vector] * 3).astype(np.float32), 1)
    np.testing.assert_allclose(abs(float(centre @ vector[0])), np.linalg.norm(centre), atol=0.01)


def test_each_query_vector_has_its_own_hits() -> None:
    near, holders = np.ones((2, 3), np.float32), np.zeros((2, 3), np.int64)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        best_holders(near, holders, np.ones(3, np.float32), 1, 1)
