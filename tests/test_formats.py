"""Indexes that earlier versions made: each is opened, searched, shown and gone on with."""

from __future__ import annotations

import json
import tarfile
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex

FIXTURES = Path(__file__).parent / "fixtures"
FORMATS = sorted(folder.name for folder in FIXTURES.iterdir())
VISION = "vidore/colqwen2-v1.0"
QUESTION = "How high was the net revenue?"
SHEET = "datenblatt ü.pdf"


@pytest.fixture(params=FORMATS)
def kept(request: pytest.FixtureRequest) -> Path:
    return FIXTURES / request.param


def unpacked(archive: Path, folder: Path) -> Path:
    """The index of an archive; the documents that it was made of are gone."""
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / "index"


@pytest.fixture
def words(kept: Path, tmp_path: Path) -> Path:
    return unpacked(kept / "words.tar.gz", tmp_path)


@pytest.fixture
def pictures(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The index of a vision encoder, whose weights are in the hub's cache."""
    for package in ("torch", "colpali_engine"):
        pytest.importorskip(package, reason=f"{package} is not installed: the extra colpali brings it")
    from huggingface_hub import constants
    from make_format_fixture import vision_cache

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(vision_cache(tmp_path / "cache")))
    return unpacked(kept / "pictures.tar.gz", tmp_path)


def test_documents_and_metadata_are_there(words: Path) -> None:
    with PageIndex.open(words, create=False) as index:
        sheet, report = index.documents()
        assert (sheet.document, sheet.pages, report.document, report.pages) == (SHEET, 1, "report.pdf", 10)
        assert sheet.metadata == {"year": 2021, "kind": "sheet", "public": True, "source": "fixture"}
        assert report.metadata == {"source": "fixture"}
        assert [hit.label for hit in index.search("auxiliary figures 10", top_k=1)] == ["report.pdf p. 10"]
        (hit,) = index.search("Leistungsaufnahme", where="year == 2021 and public")
        assert hit.lines[0] == "Die Leistungsaufnahme beträgt 42 Watt."
        assert hit.boxes
        assert index.picture(hit.ref).getextrema() != ((255, 255),) * 3


def test_it_is_added_to_and_removed_from(words: Path, tmp_path: Path) -> None:
    extra = write_pdf(tmp_path / "extra.pdf", [["The ferry to Ystad leaves at noon."]])
    with PageIndex.open(words, create=False) as index:
        assert [record.document for record in index.add(extra).added] == ["extra.pdf"]
        index.remove("report.pdf")
    with PageIndex.open(words, create=False) as index:
        assert [record.document for record in index.documents()] == [SHEET, "extra.pdf"]
        assert index.search("ferry to Ystad")[0].document == "extra.pdf"


def test_a_conversation_is_listed_and_gone_on_with(
    words: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("and in 2023?\n/threads\n"))
    assert main(["chat", "--index", str(words), "--resume"]) == 0
    printed = capsys.readouterr()
    assert f"> {QUESTION}" in printed.err
    assert "> And the pump?" in printed.err
    assert "looked at report.pdf p. 2" in printed.err
    assert "4.2 billion" in printed.out
    assert f"3\t(this one) {QUESTION}" in printed.out


def test_vectors_of_pictures_are_kept_and_compared(pictures: Path) -> None:
    with PageIndex.open(pictures, create=False, settings=small_settings(device="cpu")) as index:
        assert index.encoder.name == VISION
        pages = [index.page(f"report.pdf p. {number}") for number in range(1, 11)]
        vectors = [index.multivector(page).vectors for page in pages]
        assert {one.shape[1] for one in vectors} == {128}
        assert all(np.allclose(np.linalg.norm(one, axis=1), 1, atol=0.02) for one in vectors)
        assert not np.array_equal(vectors[0], vectors[1])
        assert len(index.search(QUESTION, top_k=20)) == 11


def test_a_later_format_is_refused_with_its_number(words: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = json.loads((words / "index.json").read_text())
    (words / "index.json").write_text(json.dumps(recorded | {"format": 1000}))
    assert main(["documents", "--index", str(words)]) == 1
    assert "has format 1000" in capsys.readouterr().err
