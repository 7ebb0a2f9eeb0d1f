"""A writer reads of an index what it needs: no row of a document that it does not touch, at any size."""

from __future__ import annotations

import shutil
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import milvus_lite.storage.segment as lite
import numpy as np
import pytest
from milvus_lite.engine import compaction
from small_index import FERRY, PUMP, small_settings, warned, write_pdf

from pagesight.indexing import PageIndex, Progress
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.milvus import lite_memory
from pagesight.indexing.milvus.centroid_search import collection, page_of
from pagesight.indexing.milvus.connection import connect_folder
from pagesight.indexing.storage.page_files import PageFiles


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    sources = [write_pdf(tmp_path / name, pages) for name, pages in (("a.pdf", [FERRY, FERRY]), ("b.pdf", [PUMP]))]
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(sources)
    return tmp_path / "index"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of rows that Milvus Lite reads from here on."""
    files: list[str] = []
    whole = lite.read_data_file

    def noted(path: str, *arguments: Any) -> Any:
        files.append(path)
        return whole(path, *arguments)

    monkeypatch.setattr(lite, "read_data_file", noted)
    return files


def test_adding_and_removing_a_document_reads_no_others(index_folder: Path, tmp_path: Path, read: list[str]) -> None:
    new = write_pdf(tmp_path / "c.pdf", [PUMP, FERRY])
    with PageIndex.open(index_folder, settings=small_settings()) as index:
        index.add(new)
        index.remove("a.pdf")
        assert [record.document for record in index.documents()] == ["b.pdf", "c.pdf"]
        assert index.search("ferry Aurora")[0].document == "c.pdf"
    assert read == []


def test_full_files_of_rows_are_not_written_anew_for_a_change(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lite_memory, "_MERGED", 1)  # a byte, so that all are full
    monkeypatch.setattr(compaction, "MAX_DATA_FILES", 3)  # beyond which Milvus Lite merges those of any size
    before: set[Path] = set()
    for number in range(5):
        add_a_file_of_rows(index_folder, number)
        files = files_of_rows(index_folder)
        assert before < files
        before = files


def test_small_files_of_rows_become_one(index_folder: Path) -> None:
    for number in range(7):
        add_a_file_of_rows(index_folder, number)
    assert len(files_of_rows(index_folder)) < 5
    assert verify(str(index_folder), small_settings()).damage == []
    with PageIndex.open(index_folder, settings=small_settings()) as index, index._parts.writing() as parts:
        assert len(parts.store.pages()) == 3 + 7


def add_a_file_of_rows(index_folder: Path, number: int) -> None:
    with PageIndex.open(index_folder, settings=small_settings()) as index:
        index.add(write_pdf(index_folder.parent / f"{number}.pdf", [f"{FERRY} {number}"]))


def files_of_rows(index_folder: Path) -> set[Path]:
    rows = index_folder / "milvus.db" / "collections" / "pages" / "partitions" / "_default" / "data"
    return set(rows.glob("*.parquet"))


def test_rows_go_into_a_file_as_they_are_and_not_by_single_numbers(tmp_path: Path) -> None:
    written = np.random.default_rng(1).normal(size=(2_000, 128)).astype(np.float32)
    connection = connect_folder(tmp_path / "milvus.db")
    try:
        connection.ensure([collection(128, connection.capabilities)])
        rows = [{"id": number, "document_id": "ä", "vector": row} for number, row in enumerate(written)]
        connection.upsert("candidates", rows[:1_500])
        connection.upsert("candidates", rows[1_000:])
        connection.delete("candidates", "id in [7]")
        del rows
        tracemalloc.start()
        connection.flush("candidates")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < written.size * sys.getsizeof(1.0) / 4
        found = {row["id"]: row for row in connection.rows("candidates", "id >= 0", ["id", "document_id", "vector"])}
    finally:
        connection.close()
    assert set(found) == set(range(2_000)) - {7}
    assert {row["document_id"] for row in found.values()} == {"ä"}
    np.testing.assert_array_equal(np.array([found[1_999]["vector"], found[1_200]["vector"]]), written[[1_999, 1_200]])


def test_of_a_document_that_is_removed_milvus_has_no_row_left(index_folder: Path) -> None:
    with PageIndex.open(index_folder, settings=small_settings()) as index:
        index.remove("a.pdf")
        kept = {record.document_id for record in index.documents()}
        with index._parts.writing() as parts:
            rows = parts.store._connection.rows
            for kind, condition in (("pages", "page >= 0"), ("candidates", "id >= 0")):
                assert {row["document_id"] for row in rows(kind, condition, ["document_id"])} == kept


def test_a_document_that_was_cut_off_is_taken_up_after_others_have_written(index_folder: Path, tmp_path: Path) -> None:
    long = write_pdf(tmp_path / "long.pdf", [["Annex", f"Item {number}"] for number in range(10)])

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with PageIndex.open(index_folder, settings=small_settings()) as index, pytest.raises(KeyboardInterrupt):
        index.add(long, progress=stop)
    for name in ("a.pdf", "b.pdf"):  # the first finds the snapshot behind, the second relies on it
        with PageIndex.open(index_folder, settings=small_settings()) as index:
            index.remove(name)
    with PageIndex.open(index_folder, settings=small_settings()) as index:
        assert index.add(long).pages == 2
        assert [record.pages for record in index.documents()] == [10]


def test_what_is_restored_takes_nothing_from_who_has_its_number_now(tmp_path: Path) -> None:
    ferry, pump = (write_pdf(tmp_path / f"{name}.pdf", [lines]) for name, lines in (("ferry", FERRY), ("pump", PUMP)))
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(ferry)
        index.remove("ferry.pdf")
        index.add(pump)  # which gets the number that is free
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.restore("ferry.pdf")
    assert verify(str(tmp_path / "index"), small_settings()).damage == []


@pytest.mark.slow
def test_what_a_restore_that_was_cut_off_wrote_under_another_number_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ferry, pump = (write_pdf(tmp_path / f"{name}.pdf", [lines]) for name, lines in (("ferry", FERRY), ("pump", PUMP)))
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(ferry)
        index.remove("ferry.pdf")
        index.add(pump)  # which gets the number that is free
        monkeypatch.setattr(PageFiles, "complete", interrupted)  # after its rows
        with pytest.raises(KeyboardInterrupt):
            index.restore("ferry.pdf")
        monkeypatch.undo()
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.remove("pump.pdf")  # whose number is free now
    shutil.rmtree(
        tmp_path / "index" / "milvus.db" / "collections" / "pages"
    )  # Milvus lost its rows, not the candidates
    shutil.rmtree(tmp_path / "index" / "derived")
    (tmp_path / "index" / "milvus.json").unlink()
    with warned(), PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(pump)
        with index._parts.writing() as parts:
            numbers = {entry.first.document_id: entry.first.ordinal for entry in parts.catalog.entries()}
            kept = list(parts.store._connection.rows("candidates", "id >= 0", ["id", "document_id"]))
    assert len(numbers) == len(set(numbers.values())) == 2
    assert {(row["document_id"], page_of(row["id"])[0]) for row in kept} == set(numbers.items())


@pytest.fixture
def half_written(tmp_path: Path) -> Path:
    """An index of one document, whose indexes over vectors a crash left half written."""
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(write_pdf(tmp_path / "ferry.pdf", [FERRY]))
        with index._parts.writing() as parts:
            parts.store.pages()  # which has Milvus Lite make its indexes
    halves = list((tmp_path / "index" / "milvus.db").rglob("*.idx"))
    assert halves
    for half in halves:
        half.write_bytes(half.read_bytes()[:128])
    (tmp_path / "index" / "milvus.json").unlink()  # the seal: none of them was written before it
    return tmp_path / "index"


def test_an_index_over_vectors_that_a_crash_left_half_is_made_anew(half_written: Path, tmp_path: Path) -> None:
    with PageIndex.open(half_written, settings=small_settings()) as index:
        index.add(write_pdf(tmp_path / "pump.pdf", [PUMP]))
        with index._parts.writing() as parts:
            assert len(parts.store.pages()) == index.documents()[0].pages + index.documents()[1].pages
        assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"


def test_a_repair_makes_indexes_over_vectors_anew_and_keeps_the_rows(half_written: Path) -> None:
    assert repair(str(half_written), small_settings()).repaired == []
    assert verify(str(half_written), small_settings()).damage == []


def interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt
