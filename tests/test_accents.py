"""Accents that a page draws apart from their letters, as TeX does with its older fonts."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import raw_pdf

from pagesight.indexing.documents.open import open_document
from pagesight.indexing.page_text.text import read_text

ABOVE_O, BACK = "-111", "444"  # thousandths of the size: from a letter's left edge to its accent's, and back again
DIERESIS, ACUTE, GRAVE, CARON, CEDILLA = r"(\310)", r"(\302)", r"(\301)", r"(\317)", r"(\313)"


def written(path: Path, pieces: str) -> str:
    """What is read of a line that is drawn in Helvetica's own encoding."""
    content = f"BT /F 20 Tf 40 150 Td [{pieces}] TJ ET"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    page = "/MediaBox [0 0 500 200] /Resources << /Font << /F 4 0 R >> >> /Contents 5 0 R"
    raw_pdf(
        path,
        [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R {page} >>", font,
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ],
    )  # fmt: skip
    with open_document(path) as document:
        return read_text(document, 1, ocr=False).text


@pytest.mark.parametrize(
    ("pieces", "read"),
    [
        (rf"(Die Gr) {ABOVE_O} {DIERESIS} {BACK} (o\373e)", "Die Größe"),
        (rf"(Gro) {BACK} {DIERESIS} {ABOVE_O} (\373e)", "Größe"),  # the letter first
        (rf"(Poincar) {ABOVE_O} {ACUTE} {BACK} (e said)", "Poincaré said"),
        (f"(tr) {ABOVE_O} {GRAVE} {BACK} (es)", "très"),
        (rf"(na) 28 {DIERESIS} 305 (\365ve)", "naïve"),  # on an i without its dot
        (f"(Dvor) 333 {CARON} (ak)", "Dvořak"),
        (f"(Fran) -83 {CEDILLA} 416 (cois)", "François"),
    ],
)
def test_an_accent_is_put_on_the_letter_that_it_stands_over(tmp_path: Path, pieces: str, read: str) -> None:
    assert written(tmp_path / "tex.pdf", pieces) == read


@pytest.mark.parametrize("pieces", [f"{GRAVE} (a) {ACUTE}", f"(5) {DIERESIS}", f"{DIERESIS} ( and ) {CEDILLA}"])
def test_an_accent_that_stands_alone_stays(tmp_path: Path, pieces: str) -> None:
    read = written(tmp_path / "alone.pdf", pieces)
    assert not {*"àáâä"} & {*read}
    assert sum(letter in "`´¨¸" for letter in read) == pieces.count("(\\")
