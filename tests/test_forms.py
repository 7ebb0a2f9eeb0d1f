"""What people filled in and wrote on a page: form values, ticks, choices, notes and comments are its words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documents import ink, raw_pdf
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.indexing import PageIndex
from pagesight.indexing.documents.open import open_document
from pagesight.indexing.page_text.text import read_text
from pagesight.indexing.pages import PageText


def drawn(path: Path, draw: Callable[[canvas.Canvas], object]) -> Path:
    sheet = canvas.Canvas(str(path))
    draw(sheet)
    sheet.showPage()
    sheet.save()
    return path


def text_of(path: Path) -> PageText:
    with open_document(path) as document:
        return read_text(document, 1, ocr=False)


def form(sheet: canvas.Canvas) -> None:
    sheet.drawString(72, 700, "Cadastral number")
    sheet.acroForm.textfield(name="number", value="KX-7741-203", x=220, y=694, width=200, height=20)
    sheet.drawString(72, 660, "Heating: heat pump")
    sheet.acroForm.checkbox(name="pump", checked=True, x=220, y=656, size=16)
    sheet.drawString(72, 620, "Heating: oil")
    sheet.acroForm.checkbox(name="oil", checked=False, x=220, y=616, size=16)
    sheet.drawString(72, 580, "Roof")
    sheet.acroForm.choice(
        name="roof", value="Thatched", options=["Slate", "Thatched"], x=220, y=574, width=120, height=20
    )
    sheet.drawString(72, 540, "Secret")
    sheet.acroForm.textfield(
        name="pin", value="1234", x=220, y=534, width=120, height=20, fieldFlags="password", fontName="Helvetica"
    )


def test_values_ticks_and_choices_stand_on_the_lines_of_their_fields(tmp_path: Path):
    path = drawn(tmp_path / "form.pdf", form)
    assert text_of(path).text.splitlines() == [
        "Cadastral number KX-7741-203",
        "Heating: heat pump ☑ ticked",
        "Heating: oil ☐",
        "Roof Thatched",
        "Secret",
    ]
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        index.add(path)
        hit = index.search("KX-7741-203")[0]
    assert hit.lines == ["Cadastral number KX-7741-203"]
    left, top, right, bottom = hit.boxes[0]
    assert left < 300 / 595 < right
    assert top < (842 - 704) / 842 < bottom


def test_a_choice_is_what_is_shown_of_it_and_not_what_is_sent(tmp_path: Path):
    def draw(sheet: canvas.Canvas) -> None:
        sheet.drawString(72, 580, "Roof")
        options = [("Slate roof", "s"), ("Thatched roof", "t")]
        sheet.acroForm.choice(name="roof", value="t", options=options, x=220, y=574, width=120, height=20)

    assert text_of(drawn(tmp_path / "form.pdf", draw)).text == "Roof Thatched roof"


def test_a_form_that_only_adobe_shows_is_a_warning(tmp_path: Path):
    wait = "BT /F1 12 Tf 72 700 Td (Please wait) Tj ET"
    path = raw_pdf(
        tmp_path / "xfa.pdf",
        [
            "<< /Type /Catalog /Pages 2 0 R /NeedsRendering true /AcroForm << /Fields [] /XFA 6 0 R >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            " /Resources << /Font << /F1 5 0 R >> >> >>",
            f"<< /Length {len(wait)} >>\nstream\n{wait}\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            "<< /Length 11 >>\nstream\n<template/>\nendstream",
        ],
    )
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        (warning,) = index.add(path).warnings
    assert warning.text.startswith("xfa.pdf: it is an XFA form")


@pytest.mark.parametrize(
    "draw",
    [
        lambda sheet, words: sheet.textAnnotation(words, Rect=[400, 600, 420, 620]),
        lambda sheet, words: sheet.freeTextAnnotation(words, DA="/Helv 12 Tf", Rect=[100, 600, 400, 640]),
        lambda sheet, words: sheet.highlightAnnotation(words, [72, 690, 300, 712], Color=[1, 1, 0]),
    ],
)
def test_notes_free_text_and_comments_are_read(tmp_path: Path, draw: Callable[[canvas.Canvas, str], object]):
    def both(sheet: canvas.Canvas) -> None:
        sheet.drawString(72, 700, "Draft lease agreement")
        draw(sheet, "ask the notary about clause nine")

    lines = text_of(drawn(tmp_path / "lease.pdf", both)).text.splitlines()
    assert sorted(lines) == ["Draft lease agreement", "ask the notary about clause nine"]


def test_what_an_annotation_hides_is_not_read(tmp_path: Path):
    def hidden(sheet: canvas.Canvas) -> None:
        sheet.drawString(72, 700, "Draft lease agreement")
        sheet.textAnnotation("never shown", Rect=[400, 600, 420, 620], F=2)

    assert text_of(drawn(tmp_path / "a.pdf", hidden)).text == "Draft lease agreement"


_OFF = "/OCProperties << /OCGs [5 0 R 6 0 R] /D << /OFF [6 0 R] >> >>"
_ALL_OFF = "/OCProperties << /OCGs [5 0 R 6 0 R] /D << /BaseState /OFF /ON [5 0 R] >> >>"


@pytest.mark.parametrize("layers", [_OFF, _ALL_OFF])
@pytest.mark.parametrize(
    "hidden", ["6 0 R", "<< /Type /OCMD /OCGs [6 0 R] >>", "<< /Type /OCMD /OCGs 5 0 R /P /AllOff >>"]
)
def test_annotations_on_a_layer_that_is_off_are_neither_read_nor_shown(tmp_path: Path, layers: str, hidden: str):
    look, note = "/AP << /N 8 0 R >> /F 4 /DA (/F1 12 Tf)", "/Type /Annot /Subtype /FreeText"
    black = "0 0 0 rg 0 0 200 20 re f"
    raw_pdf(
        tmp_path / "a.pdf",
        [
            f"<< /Type /Catalog /Pages 2 0 R {layers} /AcroForm << /Fields [7 0 R] >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Annots [4 0 R 7 0 R 9 0 R] >>",
            f"<< {note} /Contents (internal draft) /Rect [72 700 272 720] {look} /OC {hidden} >>",
            "<< /Type /OCG /Name (shown) >>",
            "<< /Type /OCG /Name (internal) >>",
            f"<< /Subtype /Widget /FT /Tx /T (t) /V (secret) /Rect [72 600 272 620] {look} /OC {hidden} >>",
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 200 20] /Length {len(black)} >>\nstream\n{black}\nendstream",
            f"<< {note} /Contents (for all) /Rect [72 100 272 120] {look} /OC 5 0 R >>",
        ],
    )
    assert text_of(tmp_path / "a.pdf").text == "for all"
    with open_document(tmp_path / "a.pdf") as document:
        left, top, right, bottom = ink(document.picture(1, dpi=72)) or (0, 0, 0, 0)
    assert (left * 612, top * 792, right * 612, bottom * 792) == pytest.approx((72, 672, 272, 692), abs=2)


BOX = "/Rect [100 400 400 440] /F 4 /AP << /N 6 0 R >>"


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("/Subtype /Stamp", []),
        ("/Subtype /Stamp /Contents (see my mail)", ["see my mail"]),
        ("/Subtype /Stamp /Contents (Rejected by council)", []),
        ("/Subtype /Watermark", []),
        ("/Subtype /Widget /FT /Sig /T (signature)", []),
        ("/Subtype /Widget /FT /Btn /Ff 65536 /T (button)", []),
    ],
)
def test_what_stamps_signatures_and_buttons_show_is_read(tmp_path: Path, annotation: str, said: list[str]):
    words, shown = (
        "BT /F1 12 Tf 72 700 Td (Draft lease agreement) Tj ET",
        "BT /F1 20 Tf 8 12 Td (Rejected by council) Tj ET",
    )
    font = "/Resources << /Font << /F1 5 0 R >> >>"
    raw_pdf(
        tmp_path / "a.pdf",
        [
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R] >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R {font} /Annots [7 0 R] >>",
            f"<< /Length {len(words)} >>\nstream\n{words}\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 300 40] {font} /Length {len(shown)} >>"
            f"\nstream\n{shown}\nendstream",
            f"<< /Type /Annot {annotation} {BOX} >>",
        ],
    )
    with open_document(tmp_path / "a.pdf") as document:
        lines = read_text(document, 1, ocr=True).text.splitlines()
    assert sorted(lines) == sorted(["Draft lease agreement", "Rejected by council", *said])
