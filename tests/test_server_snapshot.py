"""What readers of an index on a server read: a snapshot there, by need, which who writes keeps up and makes anew."""

from __future__ import annotations

import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from small_index import small_settings, write_pdf
from test_server_repair import FERRY, PUMP, milvus

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import IndexWarning
from pagesight.indexing.milvus import lease, snapshot_rows
from pagesight.indexing.milvus.connection import Connection

QUESTION = "ferry Aurora passengers"


def answers(index: PageIndex) -> dict[str, Any]:
    """What a reader sees."""
    return {
        "hits": [hit.as_dict() for hit in index.search(QUESTION)],
        "of one": [hit.as_dict() for hit in index.search("pump", documents=["pump.pdf"])],
        "where": [hit.as_dict() for hit in index.search("pump", where="year == 2023")],
        "ranked": [(row, score) for row, score in index.rank(QUESTION)],
        "pages": index.pages(),
        "documents": index.documents(),
        "text": [index.text(page.ref) for page in index.pages()],
    }


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write_pdf(tmp_path / "ferry.pdf", [FERRY, ["Annex"]]), write_pdf(tmp_path / "pump.pdf", [PUMP])]


def test_it_answers_as_a_folder_does_and_reads_no_rows_but_those_it_needs(
    address: str, tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_settings(exhaustive_below=0, candidates=2)
    with (
        PageIndex.open(address, settings=settings) as server,
        PageIndex.open(tmp_path / "folder", settings=settings) as folder,
    ):
        for path in files:
            for index in (server, folder):
                index.add(path, metadata={"year": 2023})
        expected = answers(folder)
    read: list[str] = []
    rows = Connection.rows

    def recorded(self: Connection, kind: str, *args: Any, **options: Any) -> Any:
        read.append(kind)
        return rows(self, kind, *args, **options)

    monkeypatch.setattr(Connection, "rows", recorded)
    with PageIndex.open(address, settings=settings) as index:
        found = answers(index)
    assert read == []  # neither opening nor searching looks through a collection
    added = {page.document_id: page.added for page in found["pages"]}
    assert len(added) == 2
    for here, there in zip(found["pages"], expected["pages"], strict=True):
        assert vars(here) == vars(there) | {"added": here.added, "ordinal": here.ordinal}
    for name in ("hits", "of one", "where", "text"):
        assert found[name] == expected[name], name
    assert [score for _, score in found["ranked"]] == [score for _, score in expected["ranked"]]


def without(connection: Connection) -> None:
    """As an earlier version left it."""
    connection.delete("snapshot", "number >= 0")


def of_another(connection: Connection) -> None:
    """An earlier version has written since."""
    connection.upsert("state", [{"key": "revision", "value": '"0123"', "no_vector": [0.0, 0.0]}])


def damaged(connection: Connection) -> None:
    for row in list(connection.rows("snapshot", "number == 0", ["*"], strong=True)):
        connection.upsert("snapshot", [row | {"piece": "AAAA" + row["piece"][4:], "no_vector": [0.0, 0.0]}])


@pytest.mark.parametrize("harm", [without, of_another, damaged])
def test_it_is_made_anew_from_the_rows(address: str, files: list[Path], harm: Any) -> None:
    with PageIndex.open(address, settings=small_settings()) as index:
        index.add(files)
        expected = answers(index)
    with milvus(address) as connection:
        harm(connection)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with PageIndex.open(address, settings=small_settings()) as index:
                assert answers(index) == expected
            with PageIndex.open(address, settings=small_settings()) as index:
                assert answers(index) == expected


def test_a_reader_goes_on_when_what_it_has_open_is_cleared_away(
    address: str, tmp_path: Path, files: list[Path]
) -> None:
    settings = small_settings()
    with PageIndex.open(address, settings=settings) as reader:
        reader.add(files[0])
        with milvus(address) as connection:
            kept = {row["name"] for row in connection.rows("snapshot", "number == 0", ["name"], strong=True)}
            view = reader._parts.view()
            reader.add(files[1])
            reader.remove("ferry.pdf")
            reader.add(write_pdf(tmp_path / "third.pdf", [["The gull Livia"]]))
            now = {row["name"] for row in connection.rows("snapshot", "number == 0", ["name"], strong=True)}
        assert not kept & now
        assert len(now) <= 8
        assert reader._parts.view() is not view
        assert [record.document for record in reader.documents()] == ["pump.pdf", "third.pdf"]
        assert reader.search("gull Livia")[0].document == "third.pdf"


def test_a_search_under_which_pieces_are_cleared_away_goes_on_without_a_word(
    address: str, tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_rows, "_PIECES_KEPT", 0)
    third = write_pdf(tmp_path / "third.pdf", [["The gull Livia"]])
    get, changed = Connection.get, list[str]()
    with PageIndex.open(address, settings=small_settings()) as reader:
        reader.add(files[0])
        assert [record.document for record in reader.documents()] == ["ferry.pdf"]
        with PageIndex.open(address, settings=small_settings()) as writer:

            def late(self: Connection, kind: str, *args: Any, **options: Any) -> Any:
                if kind == "snapshot" and not changed:
                    changed.append(kind)
                    writer.add(files[1])
                    writer.remove("ferry.pdf")
                    writer.add(third)
                return get(self, kind, *args, **options)

            monkeypatch.setattr(Connection, "get", late)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert reader.search("gull Livia")[0].document == "third.pdf"
    assert changed


def test_what_is_damaged_while_it_is_open_is_told_and_made_anew(
    address: str, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_rows, "_PIECES_KEPT", 0)
    with PageIndex.open(address, settings=small_settings()) as index:
        index.add(files)
        expected = answers(index)
    with PageIndex.open(address, settings=small_settings()) as index, milvus(address) as connection:
        connection.delete("snapshot", "number >= 0")
        with pytest.warns(IndexWarning, match="is damaged"):
            assert answers(index) == expected


KILLED = """
import os, sys
from pathlib import Path
from small_index import small_settings
from pagesight.indexing import PageIndex
from pagesight.indexing.snapshot import writer
writer._AT_MOST = 3600.0  # so that what comes after the first document waits to be published
writer.SnapshotWriter.finish = lambda *arguments: os._exit(9)  # as the system ends it, before the end of its run
with PageIndex.open(sys.argv[1], settings=small_settings(index=Path(sys.argv[2]))) as index:
    index.add([Path(path) for path in sys.argv[3:]])
"""


def test_what_a_killed_writer_had_not_published_comes_with_the_next_one(
    address: str, tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", KILLED, address, str(tmp_path / "other machine"), *map(str, files)]
    assert subprocess.run(command, cwd=Path(__file__).parent, check=False).returncode == 9
    monkeypatch.setattr(lease, "Heartbeat", partial(lease.Heartbeat, 0.05, 0.5))
    with PageIndex.open(address, settings=small_settings()) as index:
        assert [record.document for record in index.documents()] == ["ferry.pdf"]
        index.add(write_pdf(tmp_path / "third.pdf", [["Annex to another"]]))
        assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf", "third.pdf"]
        assert index.search("pump Boreas kilowatts")[0].label == "pump.pdf p. 1"
        report = index.add(files)
        assert (report.pages, len(report.unchanged)) == (0, 2)
