"""The same question finds the same pages with the same scores: again, opened again, by threads, and under a filter."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex

pytestmark = pytest.mark.slow  # its indexes take a while to be made

DOCUMENTS, PAGES = 100, 4
WORDS = ["".join(random.Random(seed).choices("bcdfghlmnprst", k=6)) for seed in range(60)]
QUESTIONS = [" ".join(random.Random(100 + seed).sample(WORDS, 3)) for seed in range(6)]
EVERYTHING = 10**6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 400 pages with few different words, written and removed in several runs."""
    files = tmp_path_factory.mktemp("files")
    rng = random.Random(1)
    for number in range(DOCUMENTS):
        pages = [[" ".join(rng.choices(WORDS, k=8)) for _ in range(2)] for _ in range(PAGES)]
        write_pdf(files / f"{number:03d}.pdf", pages)
        (files / f"{number:03d}.pdf.meta.json").write_text(f'{{"year": {1920 + number}}}')
    place = tmp_path_factory.mktemp("index") / "i"
    with PageIndex.open(place, settings=small_settings()) as index:
        paths = sorted(files.glob("*.pdf"))
        for part in (paths[:30], paths[20:70]):
            index.add(part)
        index.remove([path.name for path in paths[10:40]])
        index.add(files)
    return place


def found(index: PageIndex, **options: Any) -> list[list[dict[str, Any]]]:
    return [[hit.as_dict() for hit in index.search(question, **options)] for question in QUESTIONS]


@pytest.mark.parametrize("exhaustive_below", [0, EVERYTHING])
def test_again_and_opened_again_and_by_threads(folder: Path, exhaustive_below: int) -> None:
    settings = small_settings(exhaustive_below=exhaustive_below, candidates=30, top_k=20)
    with PageIndex.open(folder, settings=settings) as index:
        first = found(index)
        assert found(index) == first
        with ThreadPoolExecutor(4) as threads:
            for again in threads.map(lambda _: found(index), range(4)):
                assert again == first
    with PageIndex.open(folder, settings=settings) as index:
        assert found(index) == first


@pytest.mark.slow
def test_scores_do_not_tell_how_an_index_was_written(folder: Path, tmp_path: Path) -> None:
    settings = small_settings(top_k=100)
    with (
        PageIndex.open(folder, settings=settings) as pieces,
        PageIndex.open(tmp_path / "i", settings=settings) as whole,
    ):
        whole.add(sorted(Path(record.path) for record in pieces.documents()))
        for question in QUESTIONS:
            one, other = ({hit.label: hit.score for hit in index.search(question)} for index in (pieces, whole))
            common = one.keys() & other.keys()  # beyond a hundred, equal scores are in another order of documents
            assert len(common) > 80
            assert {label: one[label] for label in common} == pytest.approx({label: other[label] for label in common})


@pytest.mark.slow
def test_a_page_that_is_added_later_ranks_as_if_it_had_always_been_there(tmp_path: Path) -> None:
    rng = random.Random(3)
    old = [[" ".join(rng.choices(WORDS, k=10)) for _ in range(4)] for _ in range(300)]
    first = write_pdf(tmp_path / "old.pdf", old)
    later = write_pdf(tmp_path / "later.pdf", [[f"zebra {WORDS[0]} okapi", *old[7]]])
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        index.add(first)
        index.add(later)
        assert index.search(f"zebra {WORDS[0]} okapi", top_k=1)[0].label == "later.pdf p. 1"


def test_equal_pages_are_in_the_order_of_documents_and_numbers(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    paths = [write_pdf(tmp_path / "files" / f"{name}.pdf", [["same words", name]] * 3) for name in ("b", "a")]
    for exhaustive_below in (0, EVERYTHING):
        settings = small_settings(exhaustive_below=exhaustive_below, candidates=4)
        with PageIndex.open(tmp_path / f"i{exhaustive_below}", settings=settings) as index:
            for path in paths:
                index.add(path)
            labels = [hit.label for hit in index.search("same words", top_k=4)]
        assert labels == ["b.pdf p. 1", "b.pdf p. 2", "b.pdf p. 3", "a.pdf p. 1"]


def test_under_a_narrow_filter_it_is_exhaustive_search_over_the_pages_admitted(folder: Path) -> None:
    few = small_settings(exhaustive_below=0, candidates=8, hits_per_vector=20, ef=20, top_k=8)
    every = small_settings(exhaustive_below=EVERYTHING, candidates=1000, top_k=8)
    for where, pages in (("year == 1987", 4), ("year in [1921, 2018]", 8)):  # 1 and 2 % of them
        with PageIndex.open(folder, settings=few) as index:
            narrow = found(index, where=where)
        with PageIndex.open(folder, settings=every) as index:
            assert narrow == found(index, where=where)
            documents = [record.document for record in index.documents() if f"{record.metadata['year']}" in where]
            assert narrow == found(index, documents=documents)
        assert max(map(len, narrow)) == pages
