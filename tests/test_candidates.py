"""What a snapshot keeps of candidate vectors and terms, against a plain telling of it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pagesight.indexing.snapshot.array_file import ArrayFile, SnapshotDamaged, write_arrays
from pagesight.indexing.snapshot.segment_vectors import SegmentVectors
from pagesight.indexing.snapshot.term_postings import PostingsFile, counted, packed, postings_kinds, term_hash
from pagesight.indexing.snapshot.vector_lists import VectorLists, write_lists
from pagesight.indexing.vectors.maxsim import best_similarities
from pagesight.indexing.vectors.multivector import MultiVector
from pagesight.indexing.vectors.quantization import StoredVectors, stored

DIM = 8


@pytest.fixture(scope="module")
def kept() -> StoredVectors:
    found = np.random.default_rng(1).normal(size=(5_000, DIM)).astype(np.float32)
    return stored(MultiVector(found / np.linalg.norm(found, axis=1, keepdims=True), np.zeros((5_000, 0))), "int8")


@pytest.fixture(scope="module")
def vectors(kept: StoredVectors) -> np.ndarray:
    return kept.vectors


PAGES = np.repeat(np.arange(250, dtype=np.int32), 20)


@pytest.fixture(scope="module")
def lists(kept: StoredVectors, tmp_path_factory: pytest.TempPathFactory) -> VectorLists:
    path = tmp_path_factory.mktemp("lists") / "a.faiss"
    return VectorLists(path, write_lists(path, kept.values, kept.scales, PAGES), DIM)


def test_with_all_lists_the_nearest_are_the_nearest(lists: VectorLists, vectors: np.ndarray) -> None:
    query = vectors[[7, 4_000]].astype(np.float32)
    similarities, pages = lists.near(query, 50, 10_000, None)
    exact = query @ vectors.astype(np.float32).T
    best = np.argsort(-exact, axis=1, kind="stable")[:, :50]
    np.testing.assert_allclose(similarities, np.take_along_axis(exact, best, axis=1), atol=1e-2)
    assert pages[0, 0] == PAGES[7]
    assert pages[1, 0] == PAGES[4_000]
    assert (np.diff(similarities, axis=1) <= 0).all()


def test_few_lists_find_the_very_nearest(lists: VectorLists, vectors: np.ndarray) -> None:
    asked = np.arange(0, 5_000, 250)
    _, pages = lists.near(vectors[asked].astype(np.float32), 1, 1, None)
    assert (pages[:, 0] == PAGES[asked]).mean() == 1.0
    few, _ = lists.near(vectors[asked].astype(np.float32), 200, 1, None)
    assert not np.isfinite(few).all() or (few < -1e30).any()  # a list has some 70


def test_only_allowed_pages_are_found(lists: VectorLists, vectors: np.ndarray) -> None:
    allowed = np.zeros(250, bool)
    allowed[[3, 17, 249]] = True
    _, pages = lists.near(vectors[:5].astype(np.float32), 100, 10_000, allowed)
    assert set(np.unique(pages).tolist()) == {-1, 3, 17, 249}
    assert (np.sort(pages[0])[-60:] >= 3).all()


@pytest.mark.parametrize("at", [0.001, 0.5, 0.999])
def test_a_flipped_bit_is_noticed(kept: StoredVectors, tmp_path: Path, at: float) -> None:
    path = tmp_path / "a.faiss"
    facts = write_lists(path, kept.values, kept.scales, PAGES)
    VectorLists(path, facts, DIM).check()
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(SnapshotDamaged, match="not as it was written"):
        VectorLists(path, facts, DIM).check()


def test_what_a_search_reads_at_once_is_checked_at_once(kept: StoredVectors, tmp_path: Path) -> None:
    path = tmp_path / "a.faiss"
    facts = write_lists(path, kept.values, kept.scales, PAGES)
    assert 0 < facts["head"] < 60_000 < facts["size"] == path.stat().st_size
    content = path.read_bytes()
    for spoiled in (content[:-1], content[:50] + b"x" + content[51:], b""):
        path.unlink()
        path.write_bytes(spoiled)
        with pytest.raises(SnapshotDamaged):
            VectorLists(path, facts, DIM)
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(SnapshotDamaged, match="other vectors"):
        VectorLists(path, facts, DIM + 1)


def test_large_numbers_of_vectors_are_added_in_parts(tmp_path: Path) -> None:
    angles = np.random.default_rng(2).uniform(0, 2 * np.pi, 140_000)
    found = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    kept = stored(MultiVector(found, np.zeros((140_000, 0))), "int8")
    pages = np.arange(140_000, dtype=np.int32)
    lists = VectorLists(tmp_path / "a.faiss", write_lists(tmp_path / "a.faiss", kept.values, kept.scales, pages), 2)
    query = np.array([[1, 0], [-0.6, 0.8]], np.float32)
    similarities, numbers = lists.near(query, 10, 10_000, None)
    exact = query @ kept.vectors.T
    np.testing.assert_allclose(similarities, -np.sort(-exact, axis=1)[:, :10], atol=0.02)
    np.testing.assert_allclose(np.take_along_axis(exact, numbers, axis=1), similarities, atol=0.02)


HELD = [(0, ["a", "b", "a"]), (2, ["b"]), (3, []), (5, ["c", "a", *(["b"] * 70_000)])]


@pytest.fixture
def postings(tmp_path: Path) -> PostingsFile:
    write_arrays(tmp_path / "p.arrays", packed("terms", counted(HELD)), {})
    file = ArrayFile(tmp_path / "p.arrays")
    file.refuse_unlike(postings_kinds(file, "terms"))
    return PostingsFile(file, "terms", 6)


def test_each_term_has_its_holders_in_order_and_how_often(postings: PostingsFile) -> None:
    held = {term: [array.tolist() for array in postings.of(term)] for term in ("a", "b", "c", "d")}
    assert held == {"a": [[0, 5], [2, 1]], "b": [[0, 2, 5], [1, 1, 65_535]], "c": [[5], [1]], "d": [[], []]}


def test_all_entries_come_back(postings: PostingsFile) -> None:
    found = postings.read()
    entries = sorted(zip(found.terms.tolist(), found.holders.tolist(), found.often.tolist(), strict=True))
    expected = {("a", 0, 2), ("a", 5, 1), ("b", 0, 1), ("b", 2, 1), ("b", 5, 65_535), ("c", 5, 1)}
    assert entries == sorted((term_hash(term), holder, often) for term, holder, often in expected)


def test_a_holder_that_is_none_is_told(postings: PostingsFile) -> None:
    fewer = PostingsFile(postings._file, "terms", 5)
    assert len(fewer.of("d")[0]) == 0
    for read in (lambda: fewer.of("c"), fewer.read):
        with pytest.raises(SnapshotDamaged, match="has not"):
            read()


def test_a_hash_is_64_bits_of_any_text() -> None:
    assert term_hash("a") == 0x2F42_665B_399E_F840  # stands in files
    assert len({term_hash(text) for text in ("a", "b", "", "\ud800", "ä")}) == 5


@pytest.fixture
def of_pages(vectors: np.ndarray, tmp_path: Path) -> tuple[SegmentVectors, list[StoredVectors]]:
    """Candidate vectors of 40 pages in a file that is checked 100 bytes at a time, and the same by page."""
    counts = np.random.default_rng(2).integers(0, 5, 40)  # some pages have none
    starts = np.concatenate([[0], np.cumsum(counts)])
    values = np.rint(vectors[: starts[-1]].astype(np.float32) * 127).astype(np.int8)
    scales = np.full(starts[-1], 1 / 127, np.float16)
    arrays = {"vectors:0": values, "vector_scales:0": scales, "vector_starts:0": starts.astype(np.int64)}
    write_arrays(tmp_path / "v.arrays", arrays, {}, block=100)
    edges = list(pairwise(starts.tolist()))
    boxes = [np.zeros((stop - start, 4), np.float16) for start, stop in edges]
    kept = [
        StoredVectors(values[start:stop], box, scales[start:stop])
        for (start, stop), box in zip(edges, boxes, strict=True)
    ]
    return SegmentVectors(ArrayFile(tmp_path / "v.arrays"), "0", 40, DIM, None), kept


def test_candidate_vectors_of_many_pages_are_compared_as_those_of_each(
    of_pages: tuple[SegmentVectors, list[StoredVectors]], vectors: np.ndarray
) -> None:
    segment, kept = of_pages
    query, pages = vectors[100:103].astype(np.float32), np.array([0, 3, 4, 11, 38, 39])
    expected = best_similarities(query, [kept[page] for page in pages])
    np.testing.assert_allclose(segment.best_similarities(query, pages), expected, rtol=1e-5, atol=1e-6)


def test_damage_among_the_candidate_vectors_that_are_compared_is_noticed(
    of_pages: tuple[SegmentVectors, list[StoredVectors]], vectors: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "v.arrays"
    content = path.read_bytes()
    values = b"".join(one.values.tobytes() for one in of_pages[1])
    at = content.index(values) + len(values) - 1  # of the last page that has some
    (tmp_path / "spoiled.arrays").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    spoiled = SegmentVectors(ArrayFile(tmp_path / "spoiled.arrays"), "0", 40, DIM, None)
    spoiled.best_similarities(vectors[:1].astype(np.float32), np.arange(3))
    with pytest.raises(SnapshotDamaged):
        spoiled.best_similarities(vectors[:1].astype(np.float32), np.arange(40))
