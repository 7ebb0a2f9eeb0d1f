"""A folder of an index that somebody else made, with names and links that lead out of it: nothing there is touched."""

from __future__ import annotations

import contextlib
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_index import FERRY, PUMP, open_index, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing.errors import PageIndexError, PagesightError
from pagesight.indexing.storage.checked_json import read_checked, write_checked


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of two documents, one of which was removed and can be restored."""
    folder = tmp_path_factory.mktemp("made")
    with open_index(folder / "i") as index:
        index.add([write_pdf(folder / "ferry.pdf", [FERRY]), write_pdf(folder / "pump.pdf", [PUMP])])
        index.add(write_pdf(folder / "pump.pdf", [PUMP, ["Annex"]]))
        index.add(write_pdf(folder / "gone.pdf", [["The gull Livia"]]))
        index.remove("gone.pdf")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


LINKED = [
    *("index.json", "lock", "writer.json", "holder.json", "milvus.json", "threads.db", "costs.jsonl", "chat-history"),
    *("documents", "pages", "multivectors", "removed", "derived", "milvus.db", "uploads", "evidence", "attached"),
    *("service-threads.db", "threads.db-wal", "threads.db-journal", "index.json.part", "holder.json.part"),
]
BELOW = [
    *("pages/*", "multivectors/*", "documents/*", "removed/*", "removed/*/pages", "derived/*.arrays"),
    *("milvus.db/collections", "milvus.db/collections/pages", "milvus.db/collections/pages/manifest.json"),
    *("milvus.db/collections/pages/partitions/_default/data", "pages/*/000001.json"),
    *("uploads/files.json", "uploads/lock.part", "evidence/ferry.pdf-p1.png", f"attached/{'a' * 64}.png"),
    *("threads.db.locks/000.txt", "service-threads.db.locks/000.txt"),
]


def works(folder: Path) -> list[Callable[[], object]]:
    """What people do with an index, each as a call that may raise an error of ours."""
    place = ("--index", str(folder / "i"))

    def added() -> None:
        with open_index(folder / "i") as index:
            index.add(write_pdf(folder / "new.pdf", [["new"]]))

    def removed() -> None:
        with open_index(folder / "i") as index:
            index.remove("ferry.pdf")

    def restored() -> None:
        with open_index(folder / "i") as index:
            index.restore("gone.pdf")

    def searched() -> None:
        with open_index(folder / "i") as index:
            index.search("ferry Aurora")
            index.remove([])

    commands = [["verify"], ["repair"], ["search", "ferry"], ["ask", "ferry Aurora?", "--reasoner", "offline"]]
    return [searched, added, removed, restored, *(lambda each=each: main([*each, *place]) for each in commands)]


def worked_on(folder: Path) -> None:
    for work in works(folder):
        with contextlib.suppress(PagesightError):
            work()


@pytest.mark.parametrize("name", [*LINKED, *BELOW])
def test_links_in_the_folder_are_refused_by_name(folder: Path, tmp_path: Path, name: str) -> None:
    path = next((folder / "i").glob(name), folder / "i" / name)
    path.parent.mkdir(exist_ok=True)
    victim = tmp_path / "victim"
    if path.exists():
        shutil.move(path, victim)
    elif path.suffix or path.name == "chat-history":
        victim.write_bytes(b"whole")
    else:
        victim.mkdir()
        (victim / "keep").write_bytes(b"whole")
    path.symlink_to(victim)
    before = content(victim) if victim.is_dir() else victim.read_bytes()
    worked_on(folder)
    with pytest.raises(PageIndexError, match=rf"{path.name} is a symbolic link"), open_index(folder / "i") as index:
        index.remove("pump.pdf")
    assert (content(victim) if victim.is_dir() else victim.read_bytes()) == before


def test_a_folder_that_is_reached_by_a_link_is_an_index_as_any(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "i")
    (folder / "i" / "mine").symlink_to("/")
    with open_index(folder / "link") as index:
        index.add(write_pdf(folder / "new.pdf", [["new"]]))
        assert index.search("ferry Aurora")[0].label == "ferry.pdf p. 1"


def in_manifest(name: str) -> Callable[[Path], None]:
    def change(index: Path) -> None:
        for manifest in (index / "milvus.db" / "collections").glob("*/manifest.json"):
            said: dict[str, Any] = json.loads(manifest.read_text())
            said["partitions"]["_default"]["data_files"].append(name)
            said["version"] += 1
            manifest.write_text(json.dumps(said))

    return change


def another_partition(index: Path) -> None:
    for manifest in (index / "milvus.db" / "collections").glob("*/manifest.json"):
        said = json.loads(manifest.read_text())
        said["partitions"]["../../../../.."] = {"data_files": ["victim/keep.parquet"], "delta_files": []}
        said["version"] += 1
        manifest.write_text(json.dumps(said))


def in_log(index: Path) -> None:
    import pyarrow as arrow

    for collection in (index / "milvus.db" / "collections").iterdir():
        (collection / "wal").mkdir(exist_ok=True)
        schema = arrow.schema([("_seq", arrow.uint64()), ("_partition", arrow.string())])
        path = str(collection / "wal" / "wal_data_000099.arrow")
        with arrow.OSFile(path, "wb") as sink, arrow.ipc.new_stream(sink, schema) as stream:
            stream.write_batch(arrow.record_batch([[1], ["../../../../../victim"]], schema=schema))


def in_seal(index: Path) -> None:
    noted = read_checked(index / "milvus.json")
    for name in ("../../victim/keep.idx", "../../victim/keep.parquet", str(index.parent / "victim" / "keep.idx")):
        noted["files"][name] = [1, 1, "0"]
    write_checked(index / "milvus.json", noted)


def a_seal_of_other_shape(index: Path) -> None:
    write_checked(index / "milvus.json", {"files": {"collections/pages/schema.json": 7, "x": []}, "versions": [1]})


OUT = {
    "a file elsewhere": in_manifest("../../../../../../victim/keep.parquet"),
    "an absolute file": in_manifest("/victim/keep.parquet"),
    "no name": in_manifest(7),  # type: ignore[arg-type]
    "a partition elsewhere": another_partition,
    "a partition in the log": in_log,
    "a list of files": in_seal,
    "a list of another shape": a_seal_of_other_shape,
}


@pytest.mark.parametrize("name", OUT)
def test_names_in_milvus_files_lead_nowhere(folder: Path, name: str) -> None:
    victim = folder / "victim"
    victim.mkdir()
    for suffix in ("parquet", "idx"):
        (victim / f"keep.{suffix}").write_bytes(b"whole")
    before = set(folder.iterdir())
    OUT[name](folder / "i")
    worked_on(folder)
    assert content(victim) == {"keep.parquet": b"whole", "keep.idx": b"whole"}
    assert set(folder.iterdir()) - before <= {folder / "new.pdf"}
    with open_index(folder / "i") as index:  # and it is repaired
        assert index.search("pump Boreas")[0].document == "pump.pdf"


RECORDS: list[dict[str, Any]] = [
    {"document": 7},
    {"document": ["../../victim"]},
    {"path": "a\0b.pdf"},
    {"path": {"x": 1}},
    {"path": f"/x.{'y' * 5000}"},
    {"page_count": "many"},
    {"page_count": 10**9},
    {"ordinal": "../../victim"},
    {"added": None},
    {"metadata": ["x"]},
    {"candidates": "x"},
    {"document_id": "../../victim"},
]


@pytest.mark.parametrize("fields", RECORDS, ids=str)
def test_records_that_others_wrote_lead_nowhere(folder: Path, fields: dict[str, Any]) -> None:
    """In the files of documents that are there and of those that can be restored, where Milvus has lost its rows."""
    (folder / "victim").mkdir()
    index = folder / "i"
    for record in [*index.glob("pages/*/document.json"), *index.glob("removed/*/document.json")]:
        write_checked(record, read_checked(record) | fields)
    for rows in index.glob("pages/*/000001.json"):
        write_checked(rows, {"pages": [page | fields for page in read_checked(rows)["pages"]]})
    for name in ("milvus.db", "derived"):
        shutil.rmtree(index / name)
    (index / "milvus.json").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        worked_on(folder)
        with open_index(index) as opened:
            assert isinstance(opened.removed(), list)
    assert list((folder / "victim").iterdir()) == []


DEEP = '{"checksum": ' + "[" * 100_000


@pytest.mark.parametrize("name", ["pages/*/document.json", "pages/*/000001.json", "removed/*/document.json"])
def test_files_that_are_nested_without_end_count_as_damaged(folder: Path, name: str) -> None:
    next((folder / "i").glob(name)).write_text(DEEP)
    worked_on(folder)
    with open_index(folder / "i") as index:
        assert index.search("pump Boreas")[0].document == "pump.pdf"


@pytest.mark.parametrize("name", ["index.json", "milvus.json", "derived/current.json", "index.backup.json"])
def test_files_of_the_index_that_are_nested_without_end_are_one_clear_error(folder: Path, name: str) -> None:
    (folder / "i" / name).write_text(DEEP)
    worked_on(folder)
    with open_index(folder / "i") as index:  # repaired by its copy
        assert index.search("pump Boreas")[0].document == "pump.pdf"
