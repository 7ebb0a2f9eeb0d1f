"""An index on a Milvus server is looked through and repaired, as far as its rows and this machine's documents go."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documents import pdf, picture_of_text
from reportlab.lib.pdfencrypt import StandardEncryption
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.milvus.connection import Connection, connect_server
from pagesight.indexing.preparing.add_report import Progress
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import server_address

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]


@contextmanager
def milvus(address: str) -> Iterator[Connection]:
    """Milvus as anybody who reaches it has it."""
    where = server_address(address)
    assert where
    connection = connect_server(where, small_settings())
    try:
        yield connection
    finally:
        connection.close()


def flipped_vectors(connection: Connection, known: str) -> None:
    rows = list(connection.rows("vectors", f'document_id == "{known}"', ["*"]))
    changed = [row | {"part": "B" * 8 + row["part"][8:], "no_vector": [0.0, 0.0]} for row in rows]
    connection.upsert("vectors", changed)


def fewer_vectors(connection: Connection, known: str) -> None:
    connection.delete("vectors", f'document_id == "{known}"')


def fewer_candidates(connection: Connection, known: str) -> None:
    connection.delete("candidates", f'document_id == "{known}"')


def fewer_rows(connection: Connection, known: str) -> None:
    connection.delete("pages", f'key == "{known}:2"')


HARMS: dict[str, tuple[Callable[[Connection, str], None], str]] = {
    "vectors that are other ones": (flipped_vectors, "ferry.pdf p. 1"),
    "vectors that are gone": (fewer_vectors, "ferry.pdf p. 1"),
    "candidates that are gone": (fewer_candidates, "ferry.pdf p. 1"),
    "a row that is gone": (fewer_rows, "ferry.pdf"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMS)
def test_what_is_damaged_on_a_server_is_named_and_made_anew(
    address: str, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = small_settings(index=tmp_path / "here")
    monkeypatch.setenv("PAGESIGHT_INDEX", str(tmp_path / "here"))
    with PageIndex.open(address, settings=settings) as index:
        index.add(write_pdf(tmp_path / "ferry.pdf", [FERRY, ["Annex"]]), metadata={"year": 2023})
        index.add(write_pdf(tmp_path / "pump.pdf", [PUMP]))
        known = index.document("ferry.pdf").document_id
        before = [hit.as_dict() for hit in index.search("ferry Aurora")]
    (tmp_path / "ferry.pdf").unlink()
    assert verify(address, settings).whole
    harm, named = HARMS[name]
    with milvus(address) as connection:
        harm(connection, known)

    found = verify(address, settings)
    assert {damage.what for damage in found.damage} >= {named}
    assert not any("pump" in damage.what for damage in found.damage)
    assert main(["verify", "--index", address]) == 1
    assert named in capsys.readouterr().out

    done = repair(address, settings)
    assert done.left == []
    assert done.repaired == ["ferry.pdf"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with PageIndex.open(address, settings=settings) as index:
            assert [hit.as_dict() for hit in index.search("ferry Aurora")] == before
            assert index.document("ferry.pdf").metadata == {"year": 2023}
    assert verify(address, settings).whole
    assert repair(address, settings).repaired == []


def test_what_this_machine_has_no_document_of_is_listed(address: str, tmp_path: Path) -> None:
    here, elsewhere = (small_settings(index=tmp_path / name) for name in ("here", "elsewhere"))
    with PageIndex.open(address, settings=here) as index:
        index.add([write_pdf(tmp_path / "ferry.pdf", [FERRY]), write_pdf(tmp_path / "pump.pdf", [PUMP])])
        known = index.document("ferry.pdf").document_id
    (tmp_path / "ferry.pdf").unlink()
    with milvus(address) as connection:
        fewer_vectors(connection, known)
    done = repair(address, elsewhere)
    assert done.repaired == ["pump.pdf"]  # of which it keeps a copy now
    assert [damage.what for damage in done.left if damage.kind == "vectors"] == ["ferry.pdf p. 1"]
    with PageIndex.open(address, settings=elsewhere) as index:
        assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
        assert index.search("pump Boreas")[0].label == "pump.pdf p. 1"
    assert repair(address, here).left == []


@pytest.mark.slow
def test_what_cannot_be_read_anew_stays_on_the_server_and_is_named(address: str, tmp_path: Path) -> None:
    locked = StandardEncryption("Rhubarb", ownerPassword="other", strength=128)
    pdf(tmp_path / "locked.pdf", [[("The buoy 7 lies in the bay.", 72, 700, 12)]] * 2, encrypt=locked)
    can = small_settings(index=tmp_path / "here", passwords="Rhubarb")
    cannot = small_settings(index=tmp_path / "here")
    with PageIndex.open(address, settings=can) as index:
        index.add(tmp_path / "locked.pdf")
        index.add(write_pdf(tmp_path / "ferry.pdf", [FERRY]))
        known = {record.document: record.document_id for record in index.documents()}
    with milvus(address) as connection:
        for document_id in known.values():
            fewer_vectors(connection, document_id)

    done = repair(address, cannot)
    assert done.repaired == ["ferry.pdf"]
    assert {one.what for one in done.left} == {"locked.pdf", "locked.pdf p. 1", "locked.pdf p. 2"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with PageIndex.open(address, settings=cannot) as index:
            assert {record.document: record.document_id for record in index.documents()} == known
            assert "buoy 7" in index.text(index.page("locked.pdf p. 2"))

    assert repair(address, can).left == []
    with PageIndex.open(address, settings=can) as index:
        assert index.search("buoy 7")[0].document == "locked.pdf"


@pytest.mark.slow
def test_one_page_that_cannot_be_read_anew_stays_on_the_server(address: str, tmp_path: Path) -> None:
    """Those beside it are made anew."""
    pictures = [picture_of_text([(f"The quay number {number}", 40, 40)]) for number in (1, 2, 3)]
    pictures[1] = pictures[1].resize((1800, 1200))
    pictures[0].save(tmp_path / "scans.tiff", save_all=True, append_images=pictures[1:])
    can = small_settings(index=tmp_path / "here", ocr=True)
    cannot = small_settings(index=tmp_path / "here", ocr=True, image_pixels=1_000_000)
    with PageIndex.open(address, settings=can) as index:
        index.add(tmp_path / "scans.tiff")
        known = index.document("scans.tiff").document_id
    with milvus(address) as connection:
        fewer_vectors(connection, known)
    assert {one.what for one in repair(address, cannot).left} == {"scans.tiff", "scans.tiff p. 2"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with PageIndex.open(address, settings=can) as index:
            assert index.search("quay number 3")[0].page == 3
            assert "quay number 2" in index.text(index.page("scans.tiff p. 2"))
    assert repair(address, can).left == []


def test_a_repair_that_is_cut_off_loses_no_document(address: str, tmp_path: Path) -> None:
    """No row of two documents stands for anything that can still be read: one is made anew, and there it ends."""
    settings = small_settings(index=tmp_path / "here")
    with PageIndex.open(address, settings=settings) as index:
        index.add([write_pdf(tmp_path / "ferry.pdf", [FERRY]), write_pdf(tmp_path / "pump.pdf", [PUMP])])
        known = {record.document: record.document_id for record in index.documents()}
        before = index.search("pump Boreas")[0].as_dict()
    with milvus(address) as connection:
        for document_id in known.values():
            fewer_vectors(connection, document_id)
    for name in known:
        (tmp_path / name).unlink()

    def cut_off(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repair(address, settings, cut_off)
    done = repair(address, settings)
    assert (len(done.repaired), done.left) == (1, [])
    with PageIndex.open(address, settings=settings) as index:
        assert {record.document: record.document_id for record in index.documents()} == known
        assert index.search("pump Boreas")[0].as_dict() == before
