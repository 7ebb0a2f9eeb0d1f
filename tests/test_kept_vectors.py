"""How an index keeps page vectors: in int8, pooled, and never mixed."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import MultiVector
from pagesight.indexing.pages import PageRow
from pagesight.indexing.storage.multivector_files import MultiVectorFiles
from pagesight.indexing.vectors.quantization import VectorLayout, stored
from pagesight.indexing.vectors.token_pooling import pooled

PAGES = [
    ["Ferry timetable", "The ferry leaves the harbour at nine and at noon."],
    ["Net revenue", "Net revenue rose to 4.2 billion euros.", *["Europe Europe Europe Asia"] * 20],
    ["Employees", "At the end of the year 5310 people worked for the group."],
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "report.pdf", PAGES)


@pytest.fixture
def plain(tmp_path: Path, source: Path) -> Iterator[PageIndex]:
    """An index that keeps all vectors in float16."""
    with PageIndex.open(tmp_path / "plain", settings=small_settings()) as index:
        index.add(source)
        yield index


def made(folder: Path, source: Path, *options: str) -> PageIndex:
    """An index made by the command line and opened again without a word of how it keeps vectors."""
    assert main(["index", str(source), "--index", str(folder), *options]) == 0
    return PageIndex.open(folder, settings=small_settings())


def size(index: PageIndex) -> int:
    return sum(path.stat().st_size for path in (index.path / "multivectors").rglob("*.npy"))


def vectors(index: PageIndex, page: int) -> MultiVector:
    return index.multivector(index.page(f"report.pdf p. {page}"))


def test_int8_finds_the_same_in_half_the_room(tmp_path: Path, source: Path, plain: PageIndex) -> None:
    with made(tmp_path / "small", source, "--precision", "int8") as index:
        assert size(index) < 0.6 * size(plain)
        for question in ("ferry", "net revenue", "people in the group"):
            found, full = index.search(question), plain.search(question)
            assert [hit.label for hit in found] == [hit.label for hit in full]
            assert [hit.score for hit in found] == pytest.approx([hit.score for hit in full], abs=0.01)
        np.testing.assert_allclose(vectors(index, 1).vectors, vectors(plain, 1).vectors, atol=0.01)


def test_pooling_leaves_a_third_of_the_vectors_and_finds_the_same(
    tmp_path: Path, source: Path, plain: PageIndex
) -> None:
    with made(tmp_path / "small", source, "--pool", "3") as index:
        for page in (1, 2, 3):
            kept, full = vectors(index, page), vectors(plain, page)
            assert len(kept.vectors) <= -(-len(full.vectors) // 3)
            np.testing.assert_allclose(np.linalg.norm(kept.vectors, axis=1), 1, atol=1e-3)
            boxes = {tuple(box) for box in full.boxes.tolist()}
            assert all(tuple(box) in boxes for box in kept.boxes.tolist())
        assert index.search("net revenue")[0].label == "report.pdf p. 2"


def test_pooling_joins_what_is_alike() -> None:
    rng = np.random.default_rng(0)
    groups = np.eye(4, 16, dtype=np.float32)
    page = np.repeat(groups, 3, axis=0) + 0.01 * rng.standard_normal((12, 16)).astype(np.float32)
    page /= np.linalg.norm(page, axis=1, keepdims=True)
    boxes = np.arange(48, dtype=np.float32).reshape(12, 4)
    found = pooled(MultiVector(page, boxes), 3)
    assert (found.vectors @ groups.T > 0.99).sum(axis=0).tolist() == [1, 1, 1, 1]
    owner = (found.vectors @ groups.T).argmax(axis=1)
    assert [int(box[0] // 12) for box in found.boxes] == owner.tolist()  # one of each group's own three boxes
    assert pooled(MultiVector(page, boxes), 1).vectors is page


def test_an_index_is_not_mixed(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "index"
    made(folder, source, "--precision", "int8", "--pool", "2").close()
    noted = json.loads((folder / "index.json").read_text())
    assert noted["vectors"] == {"precision": "int8", "pool": 2}
    other = write_pdf(tmp_path / "other.pdf", PAGES[:1])
    capsys.readouterr()
    assert main(["index", str(other), "--index", str(folder), "--precision", "float16"]) == 1
    assert "was made with --precision int8, not float16" in capsys.readouterr().err
    assert main(["index", str(other), "--index", str(folder), "--pool", "3"]) == 1
    assert "was made with --pool 2, not 3" in capsys.readouterr().err
    assert main(["index", str(other), "--index", str(folder)]) == 0
    with PageIndex.open(folder, settings=small_settings(precision="float16")) as index:  # asking is always allowed
        assert {hit.ref.document for hit in index.search("ferry")[:2]} == {"report.pdf", "other.pdf"}


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_vectors_are_read_without_parsing_python(
    tmp_path: Path, source: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numpy's own reading of a header does, and Python's parser fails now and then where threads use it at once."""
    made(tmp_path / "index", source, "--precision", precision).close()
    monkeypatch.setattr("ast.parse", lambda *given, **named: pytest.fail("a header was parsed"))
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        assert len(vectors(index, 1).vectors) == len(vectors(index, 1).boxes) > 5


def test_files_that_stay_open_leave_room_for_others(tmp_path: Path) -> None:
    ids = [f"{number:016x}" for number in range(200)]
    page = stored(MultiVector(np.eye(4, dtype=np.float32), np.zeros((4, 4), np.float32)), "float16")
    rows = [PageRow(known, "a.pdf", "a.pdf", 1, 1, 1, 1, "", 0, 0, "") for known in ids]

    def descriptors() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before, opened = resource.getrlimit(resource.RLIMIT_NOFILE), descriptors()
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * opened + 40, before[1]))
    try:
        files = MultiVectorFiles(tmp_path, VectorLayout(), 4)
        files.write(ids[0], 1, [page])
        for known in ids[1:]:
            (tmp_path / known).mkdir()
            os.link(tmp_path / ids[0] / "000001.npy", tmp_path / known / "000001.npy")
        found = [(len(vectors), descriptors()) for vectors in files.read(rows)]
        assert [count for count, _ in found] == [4] * len(rows)
        assert opened < max(there for _, there in found) <= 2 * opened + 22
        files.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
