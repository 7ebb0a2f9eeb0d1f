"""The sample documents as a newcomer finds them: size, pages, text layers, questions, and the script behind them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
DOCUMENTS = sorted(path.name for path in SAMPLES.glob("*.pdf"))


def page_texts(path):
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def questions():
    return [json.loads(line) for line in (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    pytest.importorskip("reportlab")
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, SAMPLES / "make_samples.py", "--out", folder], check=True, capture_output=True)
    return folder


def test_there_are_six_documents_of_thirty_pages_and_under_four_megabytes():
    assert len(DOCUMENTS) == 6
    assert sum(len(page_texts(SAMPLES / name)) for name in DOCUMENTS) >= 30
    assert sum((SAMPLES / name).stat().st_size for name in DOCUMENTS) < 4_000_000


@pytest.mark.parametrize("name", DOCUMENTS)
def test_only_the_scan_has_no_text_layer(name):
    has_text = [bool(text.strip()) for text in page_texts(SAMPLES / name)]
    assert not any(has_text) if name == "scanned-letter.pdf" else all(has_text[1:])


@pytest.mark.parametrize(
    ("name", "page", "phrase"),
    [
        ("annual-report.pdf", 10, "Operating result (EBIT) 124.6 104.1"),
        ("strategy-deck.pdf", 9, "What you can hold us to"),
        ("two-column-paper.pdf", 1, "tells when the fins are closed by frost"),
        ("datenblatt.pdf", 2, "Höchster Betriebsdruck bar 31"),
        ("price-list.pdf", 1, "TA-12-400-R Tarn 12, 400 V 168 3 9,480.00 A"),
    ],
)
def test_text_layers_hold_whole_words(name, page, phrase):
    assert phrase in " ".join(page_texts(SAMPLES / name)[page - 1].split())


def test_values_of_picture_charts_stand_in_no_text_layer():
    assert "176" not in page_texts(SAMPLES / "annual-report.pdf")[4]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_making_them_again_gives_the_same_pages_and_text(remade, name):
    assert page_texts(remade / name) == page_texts(SAMPLES / name)


@pytest.mark.parametrize("question", questions(), ids=lambda question: question["id"])
def test_questions_point_to_pages_that_exist(question):
    named = [(question["document"], page) for page in question["pages"]]
    named += [(name, int(page)) for name, page in re.findall(r"(\S+\.pdf), page (\d+)", question.get("note", ""))]
    for name, page in named:
        assert 1 <= page <= len(page_texts(SAMPLES / name))
    assert bool(question["pages"]) == (question["answer"] != "Not answerable")


def test_questions_have_ids_of_their_own_and_cover_every_document():
    ids = [question["id"] for question in questions()]
    assert len(ids) == len(set(ids)) >= 18
    assert {question["document"] for question in questions()} == set(DOCUMENTS)
