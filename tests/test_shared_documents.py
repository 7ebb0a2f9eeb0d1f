"""Documents of an index on a server that lie where every machine finds them: in a folder, or in an object store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from small_index import FERRY, PUMP, small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.integrity.verify import verify

pytestmark = pytest.mark.slow  # its indexes take a while to be made


@pytest.fixture(params=["a folder", "s3"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where documents are kept for all machines."""
    if request.param == "a folder":
        return str(tmp_path / "all see this")
    request.getfixturevalue("object_store")
    return "s3://archive/kept"


def machine(address: str, folder: Path, anywhere: str) -> PageIndex:
    """The index as a machine sees it that keeps its own files in a folder."""
    return PageIndex.open(address, settings=small_settings(index=folder, documents_at=anywhere))


def test_a_machine_shows_what_another_has_indexed(address: str, anywhere: str, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "ferries.pdf", [FERRY])
    note = tmp_path / "note.txt"  # of which a PDF is drawn
    note.write_text("The lighthouse is 45 metres high.")
    with machine(address, tmp_path / "one", anywhere) as index:
        assert not index.add([source, note]).failed
        pictures = [index.picture(index.page(name), long_side=200) for name in ("ferries.pdf p. 1", "note.txt p. 1")]
    for file in (source, note):
        file.unlink()
    with machine(address, tmp_path / "two", anywhere) as index:
        shown = [index.picture(index.page(name), long_side=200) for name in ("ferries.pdf p. 1", "note.txt p. 1")]
        assert [one.tobytes() for one in shown] == [one.tobytes() for one in pictures]
        index.remove("note.txt")
    with machine(address, tmp_path / "three", anywhere) as index:
        index.picture(index.page("ferries.pdf p. 1"), long_side=50)
        assert [path.suffix for path in (tmp_path / "three").rglob("*.*") if path.is_file()] == [".pdf"]
        index.remove("ferries.pdf")
        assert index.add(write_pdf(source, [PUMP])).pages == 1
        assert max(index.picture(index.page("ferries.pdf p. 1"), long_side=50).size) == 50


def test_what_is_missing_or_another_file_is_a_sentence(address: str, tmp_path: Path, object_store: Any) -> None:
    source = write_pdf(tmp_path / "ferries.pdf", [FERRY])
    place = "s3://archive/kept"
    with machine(address, tmp_path / "one", place) as index:
        index.add(source)
        document_id = index.documents()[0].document_id
    source.unlink()
    key = f"kept/{address.rpartition('/')[2]}/{document_id}.pdf"
    assert [one["Key"] for one in object_store.list_objects_v2(Bucket="archive")["Contents"]] == [key]
    object_store.put_object(Bucket="archive", Key=key, Body=write_pdf(source, [PUMP]).read_bytes())
    source.unlink()
    with machine(address, tmp_path / "two", place) as index:
        page = index.page("ferries.pdf p. 1")
        with pytest.raises(UnreadableDocument, match=r"s3://archive/kept.*is damaged: it is not what was indexed"):
            index.picture(page)
    object_store.delete_object(Bucket="archive", Key=key)
    settings = small_settings(index=tmp_path / "two", documents_at=place)
    assert [(one.kind, place in one.what) for one in verify(address, settings).damage] == [("kept document", True)]
    with machine(address, tmp_path / "two", place) as index:
        with pytest.raises(UnreadableDocument, match=r"no copy of ferries\.pdf.*nor has s3://archive/kept/"):
            index.picture(page)
        assert index.search("ferry Aurora")[0].label == "ferries.pdf p. 1"
        assert not list(tmp_path.rglob("*.part"))
    with machine(address, tmp_path / "one", place) as index:  # which has its copy
        shutil.copy(next((tmp_path / "one").rglob(f"{document_id}.pdf")), source)
        assert index.add(source).pages == 0
    source.unlink()
    with machine(address, tmp_path / "two", place) as index:
        assert max(index.picture(page, long_side=100).size) == 100


def test_a_store_that_takes_nothing_is_named_and_nothing_is_indexed(
    address: str, tmp_path: Path, object_store: Any
) -> None:
    with machine(address, tmp_path / "one", "s3://nothing-of-the-name/kept") as index:
        (failure,) = index.add(write_pdf(tmp_path / "ferries.pdf", [FERRY])).failed
        assert "s3://nothing-of-the-name/kept/" in str(failure.error)
        assert index.documents() == []


def test_one_that_only_dotenv_names_is_confirmed_first(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".env").write_text("PAGESIGHT_DOCUMENTS_AT=s3://somebody-elses/bucket\n")
    source = write_pdf(tmp_path / "ferries.pdf", [FERRY])
    assert main(["index", str(source), "--index", address]) == 1
    said = capsys.readouterr().err
    assert "s3://somebody-elses/bucket" in said
    assert "PAGESIGHT_DOCUMENTS_AT" in said
