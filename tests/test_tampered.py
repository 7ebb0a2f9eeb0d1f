"""An index that others have written to: its rows and files can give wrong answers, and touch nothing outside it."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_index import small_settings, warned, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import (
    IndexWarning,
    PageIndexError,
    UnknownDocument,
    UnknownPage,
    UnreadableDocument,
    VectorsMissing,
)
from pagesight.indexing.milvus import page_rows
from pagesight.indexing.milvus.connection import Connection, connect_folder, connect_server
from pagesight.indexing.storage.address import server_address

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]
EVERY = ["*"]


@dataclass
class Tampered:
    """An index with ferry.pdf (2 pages) and pump.pdf, and a folder beside it that is nobody's business."""

    place: str
    victim: Path
    kept: Path

    def open(self) -> PageIndex:
        return PageIndex.open(self.place, settings=small_settings(index=self.kept))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Milvus as anybody who reaches it has it."""
        address = server_address(self.place)
        opened = connect_server(address, small_settings()) if address else connect_folder(self.kept / "milvus.db")
        try:
            opened.ensure([page_rows.collection()])
            yield opened
        finally:
            opened.close()

    def write(self, *rows: dict[str, Any]) -> None:
        """Writes rows like that of pump.pdf, each with other fields and, unless these have it, an id of its own.

        On a server the snapshot goes, too, so that readers see the rows: it is made anew from them.
        """
        with self.connection() as milvus:
            (pump,) = [row for row in milvus.rows("pages", "page > 0", EVERY) if row["document"] == "pump.pdf"]
            for number, fields in enumerate(rows):
                known = fields.get("document_id", f"{number:016x}")
                own = {"document_id": known, "key": f"{known}:1", "document": f"{number}.pdf", "path": f"/{number}.pdf"}
                own |= {"ordinal": 100 + number, "no_vector": [0.0, 0.0]}
                milvus.upsert("pages", [pump | own | fields])
            if server_address(self.place):
                milvus.delete("snapshot", "number >= 0")


@pytest.fixture(params=["folder", "server"])
def tampered(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tampered]:
    victim = tmp_path / "victim"
    (victim / "deep").mkdir(parents=True)
    (victim / "deep" / "keep.txt").write_text("whole")
    kept = tmp_path / "index"
    place = str(kept) if request.param == "folder" else request.getfixturevalue("address")
    index = Tampered(place, victim, kept)
    with index.open() as opened:
        opened.add(write_pdf(tmp_path / "ferry.pdf", [FERRY, ["Annex to the ferry"]]))
        opened.add(write_pdf(tmp_path / "pump.pdf", [PUMP]))
    yield index
    assert (victim / "deep" / "keep.txt").read_text() == "whole"


BAD_IDS = ["../../victim", "*", "", "..", "0123456789ABCDEF", "0123456789abcdef\n", '" or 1']
BAD_FIELDS: list[tuple[str, Any]] = [
    ("batch", "../../victim/deep/keep"),
    ("batch", 2),
    ("page_count", 0),
    ("page_count", "1"),
    ("ordinal", -1),
    ("ordinal", 2**40),
    ("vectors", 10**15),
    ("vectors", None),
    ("path", 7),
    ("path", "a\0b"),
    ("document", ""),
    ("metadata", [1]),
    ("added", 5),
    ("modified", "now"),
    ("key", "0123456789abcdef:x"),
]


def test_rows_with_bad_ids_are_left_out_and_touch_nothing(tampered: Tampered, tmp_path: Path) -> None:
    tampered.write(*({"document_id": bad} for bad in BAD_IDS))
    with warned() as said, tampered.open() as index:
        assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
        for name in (*BAD_IDS, "0.pdf"):
            with pytest.raises(UnknownDocument):
                index.remove(name)
        assert index.search("pump Boreas")[0].label == "pump.pdf p. 1"
        index.remove("pump.pdf")
        assert index.picture(index.page("ferry.pdf p. 1"), long_side=100)
        assert index.add(tmp_path / "pump.pdf").pages == 1
        assert index.search("pump Boreas")[0].label == "pump.pdf p. 1"
    assert sum("leaves it out: document_id" in one for one in said) >= len(BAD_IDS)


def test_rows_with_something_else_that_is_not_ours_are_left_out(tampered: Tampered) -> None:
    tampered.write(*({field: value} for field, value in BAD_FIELDS))
    with warned() as said, tampered.open() as index:
        assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
        assert index.search("ferry Aurora")[0].label == "ferry.pdf p. 1"
        index.remove("ferry.pdf")
    assert len(set(said)) == len(BAD_FIELDS)


def test_the_greatest_number_of_a_document_leaves_room_for_others(tampered: Tampered, tmp_path: Path) -> None:
    tampered.write({"ordinal": 2**31 - 1})
    with tampered.open() as index:
        assert index.add(write_pdf(tmp_path / "third.pdf", [["The gull Livia"]])).pages == 1
        assert index.search("gull Livia")[0].label == "third.pdf p. 1"
    with warned() as said, tampered.open() as index:
        assert {record.document for record in index.documents()} == {"0.pdf", "ferry.pdf", "pump.pdf", "third.pdf"}
    assert said == []


def test_paths_with_bad_suffixes_lead_nowhere(tampered: Tampered) -> None:
    suffixes = ["", "/../../../victim/deep/keep.txt", ".x/../../victim", f".{'x' * 300}", ".p df", "/deep/keep.txt"]
    tampered.write(*({"path": f"{tampered.victim}{suffix}"} for suffix in suffixes))
    with tampered.open() as index:
        for number in range(len(suffixes)):
            with pytest.raises(UnreadableDocument, match=rf"no copy of {number}\.pdf"):
                index.picture(index.page(f"{number}.pdf p. 1"))
            index.remove(f"{number}.pdf")
        assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
        assert index.picture(index.page("pump.pdf p. 1"), long_side=100)


FOREIGN = [".DS_Store", "*.pdf", "..pdf", "notes.txt", "0123456789abcdef0.pdf"]


def test_other_files_among_the_kept_documents_change_nothing(tampered: Tampered, tmp_path: Path) -> None:
    with tampered.open() as index:
        for name in FOREIGN:
            (index.path / "documents" / name).write_text("foreign")
        (index.path / "documents" / "folder.pdf").mkdir()
        before = [hit.as_dict() for hit in index.search("ferry Aurora")]
        index.add(write_pdf(tmp_path / "third.pdf", [["Third"]]))
        index.remove("third.pdf")
        assert [hit.as_dict() for hit in index.search("ferry Aurora")] == before
        assert index.picture(index.page("ferry.pdf p. 2"), long_side=100)
        assert index.multivector(index.page("pump.pdf p. 1")).vectors.size
        assert [(index.path / "documents" / name).read_text() for name in FOREIGN] == ["foreign"] * len(FOREIGN)


def arrays(path: Path) -> list[np.ndarray]:
    with path.open("rb") as file:
        found = []
        while file.peek():  # type: ignore[attr-defined]
            found.append(np.load(file))
        return found


def shifted(path: Path) -> None:
    offsets, *rest = arrays(path)
    written(path, offsets + 1_000_000, *rest)


def of_objects(path: Path) -> None:
    written(path, *arrays(path)[:2], np.array([{}, {}], dtype=object))


def written(path: Path, *parts: np.ndarray) -> None:
    with path.open("wb") as file:
        for part in parts:
            np.save(file, part)


def backwards(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"'shape': (3,), ", b"'shape': (-9,),", 1))


SPOILED: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-100]),
    lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
    lambda path: written(path, *arrays(path)[::-1]),
    shifted,
    of_objects,
    backwards,
]


def test_a_file_of_vectors_that_is_not_ours_is_one_clear_error(tmp_path: Path) -> None:
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        index.add(write_pdf(tmp_path / "ferry.pdf", [FERRY, ["Annex"]]))
        (path,) = (index.path / "multivectors").rglob("*.npy")
        sound = path.read_bytes()
        for spoil in SPOILED:
            path.unlink()  # a new file, so that what is mapped stays as it was
            path.write_bytes(sound)
            spoil(path)
            with (
                PageIndex.open(tmp_path / "i", settings=small_settings()) as again,
                pytest.raises(VectorsMissing, match=rf"{path.name} is damaged"),
            ):
                again.multivector(again.page("ferry.pdf p. 1"))
        with pytest.warns(IndexWarning, match=rf"left out of the answers: .*{path.name} is damaged"):
            assert index.search("ferry") == []


def test_rows_of_vectors_that_are_not_ours_are_one_clear_error(address: str, tmp_path: Path) -> None:
    with PageIndex.open(address, settings=small_settings(index=tmp_path / "here")) as index:
        index.add(write_pdf(tmp_path / "pump.pdf", [PUMP]))
        milvus = connect_server(server_address(address), small_settings())  # type: ignore[arg-type]
        rows = list(milvus.rows("vectors", 'key != ""', EVERY))
        for part in ("", "!", "AAAA", base64.b64encode(bytes(10_000)).decode()):
            milvus.upsert("vectors", [row | {"part": part, "no_vector": [0.0, 0.0]} for row in rows])
            with pytest.raises(VectorsMissing, match=r"lost the vectors of pump\.pdf p\. 1"):
                index.multivector(index.page("pump.pdf p. 1"))
        milvus.close()


@pytest.mark.parametrize(
    "change",
    [
        {"encoder": {}},
        {"encoder": {"name": 5}},
        {"encoder": ["lexical"]},
        {"vectors": {"precision": "object", "pool": 1}},
        {"vectors": {"precision": "int8", "pool": 0}},
        {"vectors": {"precision": "int8", "pool": "many"}},
    ],
)
def test_a_manifest_that_is_not_ours_is_one_clear_error(tmp_path: Path, change: dict[str, Any]) -> None:
    PageIndex.open(tmp_path / "i", settings=small_settings()).close()
    manifest = tmp_path / "i" / "index.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with pytest.raises(PageIndexError, match="damaged"):
        PageIndex.open(tmp_path / "i", settings=small_settings())


def test_a_format_that_is_not_ours_is_told_without_moving_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"format": "\x1b[2J9"}))
    with pytest.raises(PageIndexError, match="has format") as refused:
        PageIndex.open(tmp_path)
    assert "\x1b" not in str(refused.value)


def test_a_servers_manifest_that_is_not_ours_is_one_clear_error(address: str, tmp_path: Path) -> None:
    PageIndex.open(address, settings=small_settings(index=tmp_path / "here")).close()
    milvus = connect_server(server_address(address), small_settings())  # type: ignore[arg-type]
    for value in ("{", "7", '{"count": 1}'):
        milvus.upsert("state", [{"key": "about", "value": value, "no_vector": [0.0, 0.0]}])
        with pytest.raises(PageIndexError, match="damaged"):
            PageIndex.open(address, settings=small_settings(index=tmp_path / "here"))
    milvus.close()


def test_numbers_that_no_page_has_are_unknown_pages(tampered: Tampered) -> None:
    with tampered.open() as index:
        for number in ("²", "٣", "1²", "9" * 5000, "-1", "1.0", "0x1", "1e0"):
            with pytest.raises(UnknownPage, match="no page") as raised:
                index.page(f"ferry.pdf p. {number}")
            assert len(str(raised.value)) < 1000


def test_what_is_ours_warns_of_nothing(tampered: Tampered) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", IndexWarning)
        with tampered.open() as index:
            assert len(index.pages()) == 3


def test_the_command_line_says_in_a_line_what_it_leaves_out(
    tampered: Tampered, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGESIGHT_INDEX", str(tampered.kept))  # where this machine keeps documents of one on a server
    tampered.write({"document_id": "../../victim"})
    assert main(["documents", "--index", tampered.place]) == 0
    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if "warning" in line]
    assert line.startswith("warning: ")
    assert "ferry.pdf" in said.out
    assert "0.pdf" not in said.out
