"""Damage in an index is noticed, named and repaired; the rest is searched."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import xxhash
from documents import pdf, picture_of_text, raw_pdf
from reportlab.lib.pdfencrypt import StandardEncryption
from small_index import open_index, small_settings, warned, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.storage.checked_json import json_checksum

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]
LONG = [[f"Annex {number}", f"The buoy {number} lies in the bay."] for number in range(1, 10)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index and the documents that it was made of, of which the tests take copies."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "sources").mkdir()
    for name, pages in (("ferry.pdf", [FERRY]), ("pump.pdf", [PUMP]), ("annex.pdf", LONG)):
        write_pdf(folder / "sources" / name, pages)
    with open_index(folder / "index") as index:
        index.add(folder / "sources")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "index", tmp_path / "index")
    return tmp_path / "index"


def flip(path: Path, at: float = 0.6) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    path.write_bytes(content)


def vectors_of(folder: Path, name: str) -> Path:
    with open_index(folder) as index:
        return folder / "multivectors" / index.document(name).document_id / "000001.npy"


def found(index: PageIndex) -> list[str]:
    questions = ("ferry Aurora passengers", "pump Boreas kilowatts", "buoy 9 in the bay")
    return [(index.search(question, top_k=1) or [None])[0].label for question in questions]  # type: ignore[union-attr]


ALL = ["ferry.pdf p. 1", "pump.pdf p. 1", "annex.pdf p. 9"]


def test_a_page_with_damaged_vectors_is_left_out_and_named(folder: Path, made: Path) -> None:
    flip(vectors_of(folder, "ferry.pdf"))
    with warned() as said, open_index(folder) as index:
        assert index.search("ferry Aurora passengers", top_k=20)
        assert "ferry.pdf p. 1" not in [hit.label for hit in index.search("ferry Aurora passengers", top_k=20)]
        assert found(index)[1:] == ALL[1:]
    assert any("ferry.pdf p. 1" in one and "repair" in one for one in said)


@pytest.mark.parametrize(("pages", "more"), [(8, ""), (11, " and 3 more")])
def test_a_warning_lists_some_of_many_damaged_pages(tmp_path: Path, pages: int, more: str) -> None:
    with open_index(tmp_path / "index") as index:
        index.add(write_pdf(tmp_path / "annex.pdf", [["The buoy lies in the bay."]] * pages))
    for path in (tmp_path / "index" / "multivectors").rglob("*.npy"):
        path.write_bytes(b"")
    with warned() as said, open_index(tmp_path / "index") as index:
        assert index.search("buoy") == []
    assert f"{', '.join(f'annex.pdf p. {page}' for page in range(1, 9))}{more}. " in said[0]


@pytest.mark.parametrize("harm", ["flip", "empty", "gone"])
def test_indexing_again_makes_anew_what_is_damaged(folder: Path, made: Path, harm: str) -> None:
    vectors = vectors_of(folder, "annex.pdf")
    {"flip": flip, "empty": lambda path: path.write_bytes(b""), "gone": Path.unlink}[harm](vectors)
    with open_index(folder) as index:
        report = index.add(made / "sources")
        assert [record.document for record in report.repaired] == ["annex.pdf"]
        assert len(report.unchanged) == 2
    with warned() as said, open_index(folder) as index:
        assert found(index) == ALL
        assert len(index.add(made / "sources").unchanged) == 3
    assert said == []


def test_rows_that_milvus_lost_are_missed_and_taken_from_the_page_files(folder: Path, made: Path) -> None:
    shutil.rmtree(folder / "milvus.db")
    (folder / "milvus.json").unlink()
    with open_index(folder) as index:  # readers have a snapshot of their own
        assert found(index) == ALL
    shutil.rmtree(folder / "derived")
    with warned() as said, open_index(folder) as index:
        assert index.documents() == []
        index.add(write_pdf(made / "new.pdf", [["new"]]))
        assert found(index) == ALL
        assert len(index.documents()) == 4
    assert any("ferry.pdf (1 pages)" in one and "annex.pdf (9 pages)" in one for one in said)


def test_files_of_milvus_are_looked_at_before_it_opens_them(folder: Path) -> None:
    rows = next((folder / "milvus.db" / "collections" / "pages").rglob("*.parquet"))
    flip(rows)
    with open_index(folder) as index:
        assert found(index) == ALL  # which needs no Milvus
        with pytest.raises(PageIndexError, match=rf"{rows.name}.*pagesight repair"):
            index.remove("ferry.pdf")


def test_the_manifest_has_a_copy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--index", str(folder))
    for harm in (Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b'{"format"')):
        harm(folder / "index.json")
        for command in (("search", "ferry"), ("index", str(folder.parent))):
            status, said = run(capsys, *command, *place)
            assert (status, "index.json" in said, "pagesight repair" in said) == (1, True, True), said
        assert run(capsys, "repair", *place)[0] == 0
        with warned() as warnings_said, open_index(folder) as index:
            assert found(index) == ALL
        assert warnings_said == []
    recorded = (folder / "index.json").read_text().replace('"pool": 1', '"pool": 3')
    (folder / "index.json").write_text(recorded)
    assert "other things than its copy" in run(capsys, "search", "ferry", *place)[1]
    assert run(capsys, "verify", *place)[0] == 1
    assert run(capsys, "repair", *place)[0] == 0
    assert '"pool": 1' in (folder / "index.json").read_text()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(list(arguments))
    printed = capsys.readouterr()
    return status, printed.out + printed.err


@pytest.mark.slow
def test_verify_tells_whole_from_damaged_and_repair_makes_anew(
    folder: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--index", str(folder))
    assert run(capsys, "verify", *place)[0] == 0
    with open_index(folder) as index:
        ids = {record.document: record.document_id for record in index.documents()}
    flip(folder / "multivectors" / ids["ferry.pdf"] / "000001.npy")
    flip(folder / "pages" / ids["pump.pdf"] / "000001.json")
    (folder / "pages" / ids["annex.pdf"] / "document.json").unlink()
    flip(folder / "documents" / f"{ids['annex.pdf']}.pdf")
    status, said = run(capsys, "verify", *place)
    assert status == 1
    for expected in ("vectors: ferry.pdf p. 1", "page file: ", "record: ", "kept document: annex.pdf"):
        assert expected in said
    assert "doctor" not in said
    _, doctor = run(capsys, "doctor", *place)
    assert "✗ index" in doctor
    status, said = run(capsys, "repair", *place)
    assert (status, said.count("made anew")) == (0, 3), said
    assert run(capsys, "verify", *place)[0] == 0
    assert "✓ index" in run(capsys, "doctor", *place)[1]
    with warned() as warnings_said, open_index(folder) as index:
        assert found(index) == ALL
    assert warnings_said == []


@pytest.mark.slow
def test_repair_makes_milvus_anew_and_lists_what_nothing_is_left_of(
    folder: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--index", str(folder))
    ferry = vectors_of(folder, "ferry.pdf")
    for path in (folder / "milvus.db").rglob("*.parquet"):
        path.write_bytes(b"")
    assert run(capsys, "verify", *place)[0] == 1
    status, said = run(capsys, "search", "ferry", *place)
    assert (status, "pagesight repair" in said) == (0, True)
    status, said = run(capsys, "repair", *place)
    assert status == 0, said
    with open_index(folder) as index:
        assert found(index) == ALL
    ferry.unlink()
    next((folder / "documents").glob(f"{ferry.parent.name}*")).unlink()
    source = made / "sources" / "ferry.pdf"
    kept = source.read_bytes()
    source.unlink()
    try:
        status, said = run(capsys, "repair", *place)
        assert status == 1
        assert "ferry.pdf" in said
    finally:
        source.write_bytes(kept)
    assert run(capsys, "repair", *place)[0] == 0
    with open_index(folder) as index:
        assert found(index) == ALL


def test_a_page_that_cannot_be_made_anew_leaves_its_document_to_be_searched(tmp_path: Path) -> None:
    with open_index(tmp_path / "index") as index:
        index.add(write_pdf(tmp_path / "annex.pdf", LONG))
    (tmp_path / "annex.pdf").unlink()
    flip(vectors_of(tmp_path / "index", "annex.pdf"))  # of some page of the first eight
    for kept in (tmp_path / "index" / "documents").iterdir():
        kept.unlink()
    with warned():
        left = repair(str(tmp_path / "index"), small_settings()).left
        assert any("annex.pdf p. " in one.what for one in left if one.kind == "vectors")
        with open_index(tmp_path / "index") as index:
            assert index.search("buoy 9 in the bay", top_k=1)[0].label == "annex.pdf p. 9"


def test_what_was_removed_is_restored_until_the_next_time(
    folder: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--index", str(folder))
    assert run(capsys, "remove", "ferry.pdf", "pump.pdf", "--dry-run", *place) == (
        0,
        "would remove ferry.pdf (1 page)\nwould remove pump.pdf (1 page)\n",
    )
    with open_index(folder) as index:
        before = index.search("ferry Aurora passengers")[0].as_dict()
        assert len(index.documents()) == 3
    assert run(capsys, "remove", "ferry.pdf", "pump.pdf", *place)[0] == 0
    with warned() as said, open_index(folder) as index:
        assert [record.document for record in index.documents()] == ["annex.pdf"]
        assert [record.document for record in index.removed()] == ["ferry.pdf", "pump.pdf"]
    assert said == []
    assert run(capsys, "restore", "ferry.pdf", *place) == (0, "restored ferry.pdf (1 page)\n")
    with open_index(folder) as index:
        hit = index.search("ferry Aurora passengers")[0]
        assert (hit.label, hit.lines) == (before["label"], before["lines"])
        assert index.picture(hit.ref, long_side=100)
        index.remove("annex.pdf")
        assert [record.document for record in index.removed()] == ["annex.pdf"]
    assert run(capsys, "restore", "pump.pdf", *place)[0] == 1
    assert run(capsys, "verify", *place)[0] == 0


@pytest.mark.parametrize("harm", [Path.unlink, flip, lambda path: path.write_bytes(b"")], ids=["gone", "flip", "empty"])
@pytest.mark.parametrize("name", ["document.json", "*.pdf"])
def test_what_cannot_be_restored_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], object], name: str
) -> None:
    place = ("--index", str(folder))
    assert run(capsys, "remove", "pump.pdf", *place)[0] == 0
    assert run(capsys, "verify", *place)[0] == 0
    [path] = (folder / "removed").glob(f"*/{name}")
    harm(path)
    status, said = run(capsys, "verify", *place)
    if name == "*.pdf" and not path.exists():  # its pages can be restored, and are searched
        assert status == 0
        return
    assert status == 1
    assert f"removed document: {path}" in said
    if name == "document.json":
        assert f"{path} is damaged, and cannot be restored" in run(capsys, "restore", *place)[1]


def test_what_a_restore_that_was_cut_off_has_left_is_in_nobodys_way(folder: Path) -> None:
    """Its files are back, and what was kept of them for being restored is still there."""
    with open_index(folder) as index:
        known = index.document("ferry.pdf").document_id
        index.remove("ferry.pdf")
        shutil.copytree(folder / "removed", folder / "aside")
        index.restore("ferry.pdf")
        for _ in range(2):
            shutil.copytree(folder / "aside", folder / "removed", dirs_exist_ok=True)
            shutil.rmtree(folder / "removed" / known / "multivectors", ignore_errors=True)
            assert index.removed() == []
            assert [record.document for record in index.restore("ferry.pdf")] == ["ferry.pdf"]
            assert found(index) == ALL
        shutil.copytree(folder / "aside", folder / "removed", dirs_exist_ok=True)
        index.remove("ferry.pdf")
        assert [record.document for record in index.removed()] == ["ferry.pdf"]
        index.restore("ferry.pdf")
        assert found(index) == ALL
    assert main(["verify", "--index", str(folder)]) == 0


def test_an_index_goes_into_one_file_and_comes_out_of_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "kept.zip"
    assert run(capsys, "export", str(archive), "--index", str(folder))[0] == 0
    assert run(capsys, "export", str(archive), "--index", str(folder))[0] == 1  # it is there already
    assert run(capsys, "import", str(archive), "--index", str(folder))[0] == 1  # there is an index already
    with open_index(folder) as index:
        before = [hit.as_dict() for hit in index.search("ferry Aurora passengers")]
    assert run(capsys, "import", str(archive), "--index", str(tmp_path / "other"))[0] == 0
    with warned() as said, open_index(tmp_path / "other") as index:
        after = [hit.as_dict() for hit in index.search("ferry Aurora passengers")]
        assert [(one["label"], one["lines"]) for one in after] == [(one["label"], one["lines"]) for one in before]
        assert index.picture(index.page("ferry.pdf p. 1"), long_side=100)
    assert said == []
    assert run(capsys, "verify", "--index", str(tmp_path / "other"))[0] == 0


def rewritten(archive: Path, target: Path, **changed: bytes | None) -> Path:
    """The archive with other files in it, and a list that names them as they are."""
    with zipfile.ZipFile(archive) as source:
        files = {name: source.read(name) for name in source.namelist() if name != "archive.json"}
    files |= {name: content for name, content in changed.items() if content is not None}
    listed = {name: [len(content), xxhash.xxh3_64_hexdigest(content)] for name, content in files.items()}
    content = {"archive": 1, "files": listed}
    with zipfile.ZipFile(target, "w") as written:
        for name, data in files.items():
            written.writestr(name, data)
        written.writestr("archive.json", json.dumps(content | {"checksum": json_checksum(content)}))
    return target


@pytest.mark.parametrize(
    "name",
    ["../evil.json", "/tmp/evil", "documents/../../evil.pdf", "milvus.db/x", "threads.db", "documents/abc.pdf", "a\\b"],
)
def test_an_archive_with_names_that_no_index_has_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "kept.zip"
    assert main(["export", str(archive), "--index", str(folder)]) == 0
    evil = rewritten(archive, tmp_path / "evil.zip", **{name: b"evil"})
    assert main(["import", str(evil), "--index", str(tmp_path / "deep" / "other")]) == 1
    assert not (tmp_path / "evil.json").exists()
    assert [path.name for path in (tmp_path / "deep" / "other").iterdir()] == ["lock"]


@pytest.mark.slow
def test_a_damaged_archive_or_a_bomb_is_refused(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "kept.zip"
    assert main(["export", str(archive), "--index", str(folder)]) == 0
    whole = archive.read_bytes()
    damaged = [whole[: len(whole) // 2], b"", b"PK\x03\x04 no archive"]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(40, len(whole), len(whole) // 4)]
    for number, content in enumerate(damaged):
        (tmp_path / "bad.zip").write_bytes(content)
        taken = str(tmp_path / f"i{number}")
        # A bit of what zip notes beside names and checksums changes nothing.
        assert (
            main(["import", str(tmp_path / "bad.zip"), "--index", taken]) == 1
            or main(["verify", "--index", taken]) == 0
        )
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        name = "documents/0123456789abcdef.pdf"
        bomb.writestr(name, bytes(100_000_000))
        content = {"archive": 1, "files": {name: [100, "0" * 16], "index.json": [1, "0" * 16]}}
        bomb.writestr("index.json", b"{")
        bomb.writestr("archive.json", json.dumps(content | {"checksum": json_checksum(content)}))
    assert main(["import", str(tmp_path / "bomb.zip"), "--index", str(tmp_path / "bombed")]) == 1
    assert sum(path.stat().st_size for path in (tmp_path / "bombed").rglob("*") if path.is_file()) < 10_000


def test_what_cannot_be_read_anew_stays_and_is_named(tmp_path: Path) -> None:
    locked = StandardEncryption("Rhubarb", ownerPassword="other", strength=128)
    pdf(tmp_path / "locked.pdf", [[("The buoy 7 lies in the bay.", 72, 700, 12)]] * 2, encrypt=locked)
    folder = tmp_path / "index"
    with PageIndex.open(folder, settings=small_settings(passwords="Rhubarb")) as index:
        index.add([tmp_path / "locked.pdf", write_pdf(tmp_path / "ferry.pdf", [FERRY])])
    for name in ("locked.pdf", "ferry.pdf"):
        flip(vectors_of(folder, name))

    done = repair(str(folder), small_settings())
    assert done.repaired == ["ferry.pdf"]
    assert ("document", "locked.pdf") in {(one.kind, one.what) for one in done.left}
    assert any(one.kind == "vectors" and one.what.startswith("locked.pdf p. ") for one in done.left)
    with open_index(folder) as index:
        assert {record.document for record in index.documents()} == {"locked.pdf", "ferry.pdf"}
        assert "buoy 7" in index.text(index.page("locked.pdf p. 2"))

    assert repair(str(folder), small_settings(passwords="Rhubarb")).repaired == ["locked.pdf"]
    with open_index(folder) as index:
        assert index.search("buoy 7")[0].document == "locked.pdf"


@pytest.mark.slow
def test_a_whole_page_stays_whole_beside_one_that_is_made_anew(tmp_path: Path) -> None:
    """Its vectors stand in the same file, which is written anew; it cannot be read anew itself."""
    small = picture_of_text([("The quay number 1", 40, 40)])
    large = picture_of_text([("The quay number 2", 40, 40)]).resize((1800, 1200))
    small.save(tmp_path / "scans.tiff", save_all=True, append_images=[large])
    folder = tmp_path / "index"
    with PageIndex.open(folder, settings=small_settings(ocr=True)) as index:
        index.add(tmp_path / "scans.tiff")
    flip(vectors_of(folder, "scans.tiff"), 0.3)  # those of its first page
    assert [one.what for one in verify(str(folder), small_settings()).damage] == ["scans.tiff p. 1"]

    done = repair(str(folder), small_settings(ocr=True, image_pixels=1_000_000))
    assert [one.what for one in done.left] == ["scans.tiff"]
    assert verify(str(folder), small_settings()).whole
    with open_index(folder) as index:
        assert {hit.page for hit in index.search("quay number")} == {1, 2}


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["Harbour dues"]])
def test_a_page_that_takes_too_long_now_stays_and_is_named(tmp_path: Path, words: list[str]) -> None:
    """By `repair` and by adding it again; alone in its document, or beside a page that can be read anew."""
    source = with_slow_last_page(tmp_path / "slow.pdf", [*words, "Ferry timetable"])
    folder, hasty = tmp_path / "index", small_settings(page_seconds=1)
    with PageIndex.open(folder, settings=small_settings(page_seconds=100)) as index:
        assert index.add(source).failed == []
    slow = f"slow.pdf p. {len(words) + 1}"
    vectors_of(folder, "slow.pdf").write_bytes(b"")

    left = repair(str(folder), hasty).left
    assert {one.what for one in left} == {"slow.pdf", slow}
    assert any("PAGESIGHT_PAGE_SECONDS" in one.why and "of slow.pdf" in one.why for one in left)
    with warned(), PageIndex.open(folder, settings=hasty) as index:
        assert "stays" in str(index.add(source).failed[0].error)
        assert index.text(index.page(slow)) == "Ferry timetable"
        assert not words or index.search("Harbour dues")[0].label == "slow.pdf p. 1"

    done = repair(str(folder), small_settings(page_seconds=100))
    assert (done.repaired, done.left) == (["slow.pdf"], [])
    with open_index(folder) as index:
        assert index.search("Ferry timetable")[0].label == slow


def with_slow_last_page(path: Path, words: list[str]) -> Path:
    """A page for each of the words, the last one with millions of strokes, which take seconds to be read."""
    contents = [f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET\n".encode() for text in words]
    contents[-1] += b"0 0 m 600 700 l S\n" * 2_000_000
    packed = [zlib.compress(content, 9).decode("latin-1") for content in contents]
    kids = [f"{4 + 2 * number} 0 R" for number in range(len(words))]
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    for number, content in enumerate(packed):
        place = f"/MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R /Resources << /Font << /F1 3 0 R >> >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {place} >>",
            f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n{content}\nendstream",
        ]
    return raw_pdf(path, objects)
