"""The numbers that documents print on their pages: shown beside the page's own number, and found by."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.indexing import PageIndex
from pagesight.indexing.lexical.query import read_query


def book(path: Path) -> Path:
    """Four pages, counted i, ii, 1, A-1; the words of all are alike."""
    sheet = canvas.Canvas(str(path))
    for number in range(4):
        sheet.addPageLabel(
            number, *[("ROMAN_LOWER", 1), ("ROMAN_LOWER", 2), ("ARABIC", 1), ("ARABIC", 1, "A-")][number]
        )
        sheet.drawString(72, 700, "Words about the harbour and the tolls of the bridge")
        sheet.showPage()
    sheet.save()
    return path


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("labels")
    with PageIndex.open(folder / "index", settings=small_settings(encoder="lexical")) as opened:
        opened.add(book(folder / "book.pdf"))
        yield opened


@pytest.mark.parametrize(("asked", "page"), [("page ii", 2), ("p. A-1", 4), ("p. i", 1)])
def test_a_page_is_found_by_what_is_printed_on_it(index: PageIndex, asked: str, page: int):
    hit = index.search(f"What does {asked} say of the harbour?")[0]
    assert hit.page == page
    assert hit.as_dict()["printed_label"] == hit.printed_label
    assert hit.shown_label == f"book.pdf p. {page} (printed: {hit.printed_label})"


def test_a_number_may_be_the_page_s_own_or_the_printed_one(index: PageIndex):
    hits = index.search("the harbour on page 1", top_k=2)
    assert {hit.page for hit in hits} == {1, 3}


@pytest.mark.parametrize(
    ("question", "labels"),
    [("page iv of it", {"iv"}), ("p. A-3", {"a-3"}), ("Seite 12a", {"12a"}), ("pages 3-5", {"3-5", "3", "4", "5"})],
)
def test_printed_numbers_that_a_question_names(question: str, labels: set[str]):
    assert read_query(question).named_labels == labels


def test_pages_of_other_documents_have_no_printed_number(tmp_path: Path):
    sheet = canvas.Canvas(str(tmp_path / "a.pdf"))
    sheet.drawString(72, 700, "Words about the harbour")
    sheet.save()
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        index.add(tmp_path / "a.pdf")
        assert "printed_label" not in index.search("harbour")[0].as_dict()
