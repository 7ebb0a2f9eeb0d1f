"""Words of pages are kept with their boxes when they are indexed; what is damaged or missing is read again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from small_index import FERRY, open_index, small_settings, write_pdf

from pagesight.agent.answers.claims.check_claims import check_claims
from pagesight.indexing import PageIndex
from pagesight.indexing.documents.open import open_document
from pagesight.indexing.integrity.archive import export_index, import_index
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.page_text.text import read_text
from pagesight.indexing.pages import PageText

PAGES = [[f"Annex {number}", f"The buoy {number} lies in the bay."] for number in range(1, 11)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index of a document of ten pages in two batches, and of a shorter one."""
    with open_index(tmp_path / "index") as index:
        index.add([write_pdf(tmp_path / "annex.pdf", PAGES), write_pdf(tmp_path / "ferry.pdf", [FERRY])])
    return tmp_path / "index"


def words(folder: Path, label: str) -> PageText:
    with open_index(folder) as index:
        return index.words(index.page(label))


def kept_files(folder: Path) -> list[Path]:
    return sorted((folder / "words").rglob("*.npy"))


def without_documents(folder: Path) -> None:
    """What an answer says of words can only come from what is kept of them now."""
    shutil.rmtree(folder / "documents")


def test_words_are_those_that_were_read_without_the_document(folder: Path, tmp_path: Path) -> None:
    without_documents(folder)
    found = words(folder, "annex.pdf p. 10")
    with open_document(tmp_path / "annex.pdf") as document:
        read = read_text(document, 10, ocr=False)
    assert (found.words, found.source, found.text) == (read.words, read.source, read.text)
    assert found.lines.tolist() == read.lines.tolist()
    assert np.abs(found.boxes - read.boxes).max() < 1e-4
    assert found.boxes.dtype == np.float32


def test_no_ocr_is_run_for_a_scanned_page_that_was_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.new("RGB", (1240, 600), "white")
    font = ImageFont.load_default(48)
    ImageDraw.Draw(picture).text((80, 80), "The lighthouse is 54 metres high.", "black", font)
    picture.save(tmp_path / "scan.png", dpi=(150, 150))
    with PageIndex.open(tmp_path / "index", settings=small_settings(ocr=True)) as index:
        index.add(tmp_path / "scan.png")

        def fail(*arguments: object) -> None:
            raise AssertionError("OCR ran for a page that was indexed")

        monkeypatch.setattr("pagesight.indexing.page_text.rapid_ocr.read_lines", fail)
        (claim,) = check_claims(index, "The lighthouse is 54 metres high [scan.png p. 1].")
        assert claim.outcome == "supported"
        assert claim.evidence


@pytest.mark.parametrize("harm", ["emptied", "halved", "flipped", "another's", "gone"])
def test_damaged_words_are_read_again_and_repaired(folder: Path, harm: str) -> None:
    before = {label: words(folder, label).text for label in ("annex.pdf p. 2", "annex.pdf p. 9", "ferry.pdf p. 1")}
    first, second, *_ = kept_files(folder)
    content = first.read_bytes()
    middle = len(content) // 2
    harmed = {
        "emptied": b"",
        "halved": content[:middle],
        "flipped": content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :],
        "another's": second.read_bytes(),
    }
    first.unlink() if harm == "gone" else first.write_bytes(harmed[harm])
    assert {label: words(folder, label).text for label in before} == before
    damage = verify(str(folder), small_settings()).damage
    # nothing is lost with a file that is gone: indexes of earlier versions have none
    assert [(one.kind, one.what) for one in damage] == ([] if harm == "gone" else [("words", str(first))])
    done = repair(str(folder), small_settings())
    assert len(done.repaired) == 1
    assert not done.left
    assert first.read_bytes() == content
    without_documents(folder)
    assert {label: words(folder, label).text for label in before} == before


def test_indexing_again_repairs_damaged_words(folder: Path, tmp_path: Path) -> None:
    first = kept_files(folder)[0]
    content = first.read_bytes()
    first.write_bytes(content[:-1])
    with open_index(folder) as index:
        report = index.add([tmp_path / "annex.pdf", tmp_path / "ferry.pdf"])
        assert (len(report.repaired), len(report.unchanged), report.pages) == (1, 1, 0)
    assert first.read_bytes() == content


def test_words_go_and_come_back_with_their_document(folder: Path, tmp_path: Path) -> None:
    before = words(folder, "ferry.pdf p. 1").text
    with open_index(folder) as index:
        known = index.document("ferry.pdf").document_id
        index.remove("ferry.pdf")
        assert not (folder / "words" / known).exists()
        index.restore("ferry.pdf")
    export_index(str(folder), tmp_path / "kept.zip", small_settings())
    import_index(tmp_path / "kept.zip", str(tmp_path / "other"), small_settings())
    for place in (folder, tmp_path / "other"):
        without_documents(place)
        assert words(place, "ferry.pdf p. 1").text == before


def test_words_take_little_room(folder: Path) -> None:
    count = sum(len(words(folder, f"annex.pdf p. {number}").words) for number in range(1, 11))
    size = sum(path.stat().st_size for path in kept_files(folder)[:2])
    assert size < 40 * count + 2 * 700  # what an empty file has, for two batches
