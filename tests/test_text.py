"""Words and boxes: what is read is what the page says, and each box lies on the word's ink in the picture."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from documents import (
    altered,
    as_bytes,
    pdf,
    pdf_of_pictures,
    pdf_with_font_map,
    picture_of_text,
)
from PIL import Image

from pagesight.indexing.documents.open import open_document
from pagesight.indexing.errors import UnknownPage
from pagesight.indexing.page_text import rapid_ocr
from pagesight.indexing.page_text.text import read_text
from pagesight.indexing.pages import PageText

#: Lines of a scan, with the left and upper edge of each in pixels of a picture of 900 × 600.
SCAN = [("Quarterly revenue report", 60, 50), ("Total income rose to 4,713 million", 60, 140), ("Zurich", 620, 480)]


def read(path: Path, number: int = 1, ocr: bool = False) -> PageText:
    with open_document(path) as document:
        return read_text(document, number, ocr=ocr)


def box_of(text: PageText, word: str) -> np.ndarray:
    return text.boxes[text.words.index(word)]


def ink_in(picture: Image.Image, box: np.ndarray) -> int:
    """Dark pixels inside the box."""
    width, height = picture.size
    left, top, right, bottom = (box * np.array([width, height, width, height])).tolist()
    part = picture.crop((int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))))
    return int((np.asarray(part.convert("L")) < 128).sum())


def assert_on_ink(path: Path, text: PageText, share: float = 0.97) -> None:
    """Every box holds ink, and all boxes together hold nearly all ink of the page."""
    with open_document(path) as document:
        picture = document.picture(1, long_side=1600)
    held = [ink_in(picture, box) for box in text.boxes]
    assert all(held), dict(zip(text.words, held, strict=True))
    page = np.array([0, 0, 1, 1])
    assert sum(held) >= share * ink_in(picture, page)


# the text layer


def test_a_word_in_several_pieces_has_one_box_on_its_ink_also_at_the_end_of_a_page(tmp_path: Path):
    pieces = [[("first", 72.0, 700.0, 24.0), ("exam", 200.0, 400.0, 24.0), ("ple", 258.8, 400.0, 24.0)]]
    text = read(pdf(tmp_path / "pieces.pdf", pieces))
    assert text.words == ["first", "example"]
    left, top, right, bottom = box_of(text, "example").tolist()
    assert (left, right) == pytest.approx((200 / 612, 291 / 612), abs=0.01)
    assert 1 - 430 / 792 < top < bottom < 1 - 390 / 792
    assert_on_ink(tmp_path / "pieces.pdf", text)


def test_a_page_stays_right_when_others_were_looked_at_in_between(tmp_path: Path):
    pages = [[(f"page{number}", 72.0, 700.0, 24.0)] for number in (1, 2, 3)]
    with open_document(pdf(tmp_path / "pages.pdf", pages)) as document:
        words = [read_text(document, number, ocr=False).words for number in (2, 1, 3, 2, 2)]
        sizes = {document.picture(number, long_side=200).size for number in (3, 1)}
    assert (words, sizes) == ([["page2"], ["page1"], ["page3"], ["page2"], ["page2"]], {(155, 200)})


def test_words_come_in_reading_order_with_their_lines(tmp_path):
    marks = [("Revenue by quarter", 72, 700, 20), ("rose to 4,713 million", 72, 650, 12)]
    text = read(pdf(tmp_path / "a.pdf", [marks]))
    assert text.words == ["Revenue", "by", "quarter", "rose", "to", "4,713", "million"]
    assert text.lines.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert text.text == "Revenue by quarter\nrose to 4,713 million"
    assert text.source == "text layer"
    assert (text.boxes.dtype, text.lines.dtype) == (np.float32, np.int32)


def test_a_box_is_where_the_word_stands(tmp_path):
    path = pdf(tmp_path / "a.pdf", [[("alpha", 61.2, 396, 24), ("omega", 306, 79.2, 24)]])
    text = read(path)
    left, top, right, bottom = box_of(text, "omega")
    assert left == pytest.approx(0.5, abs=0.01)
    assert bottom == pytest.approx(0.9, abs=0.02)
    assert left < right < 0.65
    assert 0.85 < top < bottom
    assert_on_ink(path, text)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (100, 200, 400, 300), (-50, 150, 300, 900)])
def test_boxes_follow_turning_and_cropping(tmp_path, turn, crop):
    marks = [("upper left", 150, 270, 20), ("lower right", 160, 215, 14)]
    path = altered(pdf(tmp_path / "a.pdf", [marks]), turn=turn, crop=crop)
    text = read(path)
    assert text.words == ["upper", "left", "lower", "right"]
    assert_on_ink(path, text)


def test_words_outside_the_crop_box_are_not_on_the_page(tmp_path):
    marks = [("inside", 150, 250, 20), ("outside", 20, 20, 20)]
    text = read(altered(pdf(tmp_path / "a.pdf", [marks]), crop=(100, 200, 300, 300)))
    assert text.words == ["inside"]
    assert text.lines.tolist() == [0]


def test_each_page_has_its_own_words(tmp_path):
    path = pdf(tmp_path / "a.pdf", [[("one", 72, 700, 12)], [("two", 20, 20, 12)]], sizes=[(612, 792), (200, 100)])
    assert read(path, 2).words == ["two"]
    assert box_of(read(path, 2), "two")[0] == pytest.approx(0.1, abs=0.02)
    with pytest.raises(UnknownPage, match="pages 1 to 2"):
        read(path, 3)


def test_a_word_that_a_line_end_broke_stands_whole_in_its_first_part(tmp_path):
    marks = [("the absence of a docu-", 72, 700, 12), ("ment was noticed", 72, 685, 12)]
    text = read(pdf(tmp_path / "a.pdf", [marks]))
    assert text.text == "the absence of a document\nwas noticed"
    left, top, _, bottom = box_of(text, "document")
    assert left > 0.2
    assert bottom - top < 0.02


def test_a_compound_that_a_line_end_broke_keeps_its_hyphens(tmp_path):
    marks = [("agreed by a two-to-", 72, 700, 12), ("one margin", 72, 685, 12)]
    assert "two-to-one" in read(pdf(tmp_path / "a.pdf", [marks])).words


def test_raised_characters_do_not_break_a_line(tmp_path):
    marks = [("an area of 25 m", 72, 700, 12), ("2", 157, 705, 7), ("in all", 166, 700, 12)]
    assert len(set(read(pdf(tmp_path / "a.pdf", [marks])).lines.tolist())) == 1


def test_an_empty_page_has_no_words_and_needs_no_ocr(tmp_path, monkeypatch):
    monkeypatch.setattr(rapid_ocr, "_ocr_engine", lambda reads: pytest.fail("an empty page was sent to OCR"))
    text = read(pdf(tmp_path / "a.pdf", [[]]), ocr=True)
    assert (text.words, text.source, text.boxes.shape) == ([], "none", (0, 4))


def test_a_page_with_text_needs_no_ocr(tmp_path, monkeypatch):
    monkeypatch.setattr(rapid_ocr, "_ocr_engine", lambda reads: pytest.fail("a page with text was sent to OCR"))
    assert read(pdf(tmp_path / "a.pdf"), ocr=True).words == ["hello"]


def test_ligatures_are_their_letters(tmp_path):
    path = pdf_with_font_map(tmp_path / "a.pdf", "abcdef", first=0xFB00)
    assert read(path).words == ["fffiflffifflſt"]  # the last one is of a long s


# OCR


@pytest.fixture(scope="module")
def scan(tmp_path_factory) -> Path:
    return pdf_of_pictures(tmp_path_factory.mktemp("scan") / "scan.pdf", [picture_of_text(SCAN)])


def test_a_picture_of_text_is_read_with_boxes_on_the_words(scan):
    text = read(scan, ocr=True)
    assert text.source == "ocr"
    assert text.text.splitlines() == [line for line, _, _ in SCAN]
    assert_on_ink(scan, text)
    picture = picture_of_text(SCAN)
    for word, line in (("revenue", 0), ("report", 0), ("million", 1)):
        sentence, x, y = SCAN[line]
        before = picture_of_text([(sentence[: sentence.index(word)].rstrip(), x, y)])
        begins = x + max(np.flatnonzero((np.asarray(before.convert("L")) < 128).any(axis=0))) - x
        left, top, right, bottom = box_of(text, word) * np.array(picture.size * 2)
        assert begins < left + 8 < begins + 40
        assert top - 12 < y < bottom < y + 60
        assert right > left


def test_without_ocr_a_scan_has_no_words(scan):
    assert read(scan).source == "none"
    assert read(scan).words == []


def test_an_image_file_is_read_like_a_scan(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(as_bytes(picture_of_text(SCAN), "PNG"))
    assert "4,713" in read(path, ocr=True).words
    assert read(path).source == "none"
    with pytest.raises(UnknownPage):
        read(path, 2)


def test_a_stamp_on_a_scan_does_not_hide_it_from_ocr(tmp_path):
    path = pdf_of_pictures(
        tmp_path / "a.pdf", [picture_of_text(SCAN)], stamp="Case 2:18-cv-12857 ECF No. 1 filed 09/13/18"
    )
    assert "revenue" in read(path, ocr=True).words
    assert "revenue" not in read(path).words
    assert "filed" in read(path).words


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_scan_is_read_whichever_way_up_it_lies(tmp_path, turn):
    path = pdf_of_pictures(tmp_path / "a.pdf", [picture_of_text(SCAN[:2]).rotate(turn, expand=True)])
    text = read(path, ocr=True)
    assert text.text.splitlines() == [line for line, _, _ in SCAN[:2]]
    assert_on_ink(path, text, share=0.9)


def test_text_whose_characters_mean_nothing_is_read_by_ocr(tmp_path):
    path = pdf_with_font_map(tmp_path / "a.pdf", "Revenue", first=0xE000)
    assert read(path).words == []
    text = read(path, ocr=True)
    assert (text.words, text.source) == (["Revenue"], "ocr")
    assert_on_ink(path, text)


@pytest.mark.parametrize("picture", [Image.new("RGB", (600, 400), "navy"), Image.linear_gradient("L").convert("RGB")])
def test_a_picture_without_text_has_no_words(tmp_path, picture):
    text = read(pdf_of_pictures(tmp_path / "a.pdf", [picture]), ocr=True)
    assert (text.words, text.source) == ([], "none")


def test_threads_may_read_at_once(scan):
    with open_document(scan) as document, ThreadPoolExecutor(3) as pool:
        texts = list(pool.map(lambda _: read_text(document, 1, ocr=True).text, range(3)))
    assert len(set(texts)) == 1


def test_ocr_is_quiet(scan, capfd, caplog):
    rapid_ocr._engines.clear()
    with caplog.at_level(logging.DEBUG):
        read(scan, ocr=True)
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if "rapidocr" in record.name.lower()]
