"""Candidates from the segments of a snapshot: what each is asked for, and what the lengths of their vectors say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_index import small_settings

from pagesight.indexing.pages import PageRow
from pagesight.indexing.snapshot import snapshot_view
from pagesight.indexing.snapshot.segment import Segment
from pagesight.indexing.snapshot.segment_content import CompleteDocument
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.snapshot_files import FolderFiles
from pagesight.indexing.snapshot.snapshot_view import SnapshotView
from pagesight.indexing.snapshot.vector_lists import WORTH_LISTS, VectorLists, write_lists
from pagesight.indexing.snapshot.writer import SnapshotWriter
from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors
from pagesight.indexing.vectors.quantization import stored

DIM, A_PAGE = 16, 32
#: Pages of documents, each of which becomes a segment; the first has enough vectors for lists.
SIZES = (WORTH_LISTS // A_PAGE + 2, 30, 4)


@pytest.fixture
def view_of(tmp_path: Path) -> Callable[[Sequence[NDArray[np.float32]]], SnapshotView]:
    """Makes a view of documents, each a segment, of the candidate vectors of their pages, (pages, n, DIM)."""

    def made(documents: Sequence[NDArray[np.float32]]) -> SnapshotView:
        files, dims = FolderFiles(tmp_path / "derived"), {"": DIM}
        files.folder.mkdir()
        writer = SnapshotWriter(files, dims, [""], 1)
        for number, pages in enumerate(documents, 1):
            rows = [
                PageRow(
                    f"{number:016x}", f"{number}.pdf", f"/{number}.pdf", page, len(pages), number, page, "", 0, 0, ""
                )
                for page in range(1, len(pages) + 1)
            ]
            writer.add(CompleteDocument(rows, {"": list(pages)}))
            writer.publish()
        writer.complete()
        writer.close()
        state = files.state()
        assert state is not None
        return SnapshotView(Snapshot(state, lambda name: files.segment(name, dims)))

    return made


def unit(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def asked(vectors: NDArray[np.float32]) -> QueryVectors:
    return QueryVectors(vectors, [""] * len(vectors), np.ones(len(vectors), np.float32))


def test_each_segment_gives_as_many_hits_as_it_has_of_the_best_and_not_as_many_as_an_index(
    view_of: Callable[..., SnapshotView], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of([unit((pages, A_PAGE, DIM), pages) for pages in SIZES])
    given: dict[int, tuple[int, int]] = {}
    counted: list[int] = []
    near, holders = Segment.near, snapshot_view.best_holders

    def noted(self: Segment, *arguments: Any) -> Any:
        given[self.pages] = arguments[2:4]  # hits and lists
        return near(self, *arguments)

    def noted_holders(*arguments: Any) -> Any:
        counted.append(arguments[4])
        return holders(*arguments)

    monkeypatch.setattr(Segment, "near", noted)
    monkeypatch.setattr(snapshot_view, "best_holders", noted_holders)
    hits, lists = 90, 40
    view.near("", asked(unit((3, DIM), 1)), small_settings(hits_per_vector=hits, ef=24 * lists), None)

    assert sorted(given) == sorted(SIZES)
    (count,) = counted
    assert count >= hits
    for pages, (own, probed) in given.items():
        part = pages / sum(SIZES)
        # Of the best hits that count, as many as a segment of this size has on average: the last is the weakest of all.
        assert own >= count * part - 1
        assert hits * part < own < hits
        assert lists * part < probed < lists
    spare = [own - count * pages / sum(SIZES) for pages, (own, _) in given.items()]
    assert min(spare) < 2  # and none of what is sure is left out
    by_size = [given[pages] for pages in sorted(SIZES)]
    assert by_size == sorted(by_size)


def test_of_more_pages_more_are_compared_by_all_of_their_candidate_vectors(
    view_of: Callable[..., SnapshotView], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of([unit((pages, A_PAGE, DIM), pages) for pages in SIZES])
    compared: list[int] = []
    similarities = Segment.best_similarities

    def noted(self: Segment, *arguments: Any) -> Any:
        compared.append(len(arguments[2]))
        return similarities(self, *arguments)

    monkeypatch.setattr(Segment, "best_similarities", noted)
    query, sums = asked(unit((3, DIM), 1)), []
    for candidates in (1, 3):
        compared.clear()
        assert len(view.near("", query, small_settings(candidates=candidates, hits_per_vector=100), None)) == candidates
        sums.append(sum(compared))
    assert sums == [sum(SIZES) // 16, 3 * 8]  # a part of all pages, or several for each candidate


def test_of_vectors_in_the_same_direction_the_longer_counts_more(view_of: Callable[..., SnapshotView]) -> None:
    documents = [unit((pages, A_PAGE, DIM), pages) for pages in SIZES]
    wanted, order = unit((DIM,), 7), np.random.default_rng(3).permutation(sum(SIZES))
    for length, place in enumerate(order.tolist()):
        document = int(np.searchsorted(np.cumsum(SIZES), place, "right"))
        documents[document][place - sum(SIZES[:document]), 0] = wanted * (1 + length / len(order))
    view = view_of(documents)
    found = view.near("", asked(wanted[None]), small_settings(candidates=3, hits_per_vector=40), None)
    firsts = np.concatenate([[0], np.cumsum(SIZES)])
    places = [int(firsts[row.ordinal - 1]) + row.page - 1 for row in found]
    assert places == order[:-4:-1].tolist()


def test_lists_tell_similarities_with_vectors_as_long_as_they_are(tmp_path: Path) -> None:
    vectors = unit((WORTH_LISTS, DIM), 1)
    vectors[::7] *= 1.5
    kept = stored(MultiVector(vectors, np.zeros((len(vectors), 0))), "int8")
    path, pages = tmp_path / "a.faiss", np.arange(len(vectors), dtype=np.int32)
    lists = VectorLists(path, write_lists(path, kept.values, kept.scales, pages), DIM)
    query = unit((4, DIM), 2)
    similarities, found = lists.near(query, 20, 10_000, None)
    exact = query @ vectors.T
    np.testing.assert_allclose(similarities, -np.sort(-exact, axis=1)[:, :20], atol=0.03)
    assert (found % 7 == 0).mean() > 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads are not told from the times that one waits")
def test_a_search_of_lists_starts_no_threads(tmp_path: Path) -> None:
    import resource

    kept = stored(MultiVector(unit((4 * WORTH_LISTS, DIM), 1), np.zeros((4 * WORTH_LISTS, 0))), "int8")
    path, pages = tmp_path / "a.faiss", np.arange(4 * WORTH_LISTS, dtype=np.int32)
    lists = VectorLists(path, write_lists(path, kept.values, kept.scales, pages), DIM)
    query, searches = unit((4, DIM), 2), 50
    lists.near(query, 20, 64, None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    for _ in range(searches):
        lists.near(query, 20, 64, None)
    # Who starts threads waits for them.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before < searches
