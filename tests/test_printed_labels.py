"""The numbers that documents print on their pages: shown beside the page's own number, and found by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from documents import raw_pdf
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.agent.answers.citation_check import CitationCheck
from pagesight.agent.answers.citations import CitationReader
from pagesight.agent.cli import main
from pagesight.indexing import PageIndex, UnknownPage
from pagesight.indexing.lexical.query import read_query
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.messages.conversation import Conversation
from pagesight.tools.view_pages import requested_views


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


def test_a_table_of_labels_without_end_takes_no_page_along(tmp_path: Path):
    words = "BT /F1 12 Tf 72 700 Td (Words about the harbour) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /PageLabels 6 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(words)} >>\nstream\n{words}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Kids [6 0 R] >>",
    ]
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        report = index.add(raw_pdf(tmp_path / "a.pdf", objects))
        assert report.failed == []
        (warning,) = report.warnings
        assert "table of page labels is damaged" in warning.text
        assert index.search("harbour")[0].lines == ["Words about the harbour"]


@pytest.mark.parametrize(
    ("label", "page"),
    [
        ("book.pdf p. ii", 2), ("book.pdf, page A-1", 4), ("[book.pdf S. i]", 1), ("book p. ii", 2),
        ("page ii of book.pdf", 2), ("book.pdf (p. II)", 2), ("book.pdf p. 1", 1), ("book.pdf p. 3", 3),
    ],
)  # fmt: skip
def test_a_label_may_be_what_is_printed(index: PageIndex, label: str, page: int):
    assert index.page(label).label == f"book.pdf p. {page}"


@pytest.mark.parametrize("label", ["book.pdf p. xi", "book.pdf p. B-2"])
def test_a_printed_number_that_there_is_not_is_no_page(index: PageIndex, label: str):
    with pytest.raises(UnknownPage, match=rf"pages 1 to 4; there is no page {label[12:].lower()}"):
        index.page(label)


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("It is so [book.pdf p. ii].", ["book.pdf p. 2"]),
        ("It is so [book.pdf pp. i and A-1].", ["book.pdf p. 1", "book.pdf p. 4"]),
        ("It is so [book.pdf pp. i-ii, region 1,2,300,400].", ["book.pdf p. 1", "book.pdf p. 2"]),
        ("It is so [book.pdf p. i; p. 3].", ["book.pdf p. 1", "book.pdf p. 3"]),
        ("So says book.pdf [p. ii].", ["book.pdf p. 2"]),
        ("It is so [book.pdf p. xi].", ["book.pdf p. xi"]),
        ("It is so [book.pdf page about dogs].", []),
        ("I think [book.pdf p. is missing].", []),
    ],
)
def test_citations_of_what_is_printed(index: PageIndex, text: str, cited: list[str]):
    brackets = CitationReader(index.printed_labels()).read(text)
    assert [citation.label for bracket in brackets for citation in bracket.citations] == cited


def test_a_citation_of_a_printed_number_holds_where_the_page_was_shown(index: PageIndex):
    check = CitationCheck(index.printed_labels(), ["book.pdf p. 2"])
    assert [str(one) for one in check.cited("So [book.pdf p. ii].")[0]] == ["book.pdf p. 2"]
    assert check.mark("So [book.pdf p. ii], and [book.pdf p. xi].") == (
        "So [book.pdf p. ii], and [book.pdf p. xi — not verified]."
    )


def test_labels_of_tools_and_citations_of_what_they_showed(index: PageIndex):
    asked = requested_views(AllowedDocuments(index), ["book.pdf p. ii", "book.pdf pp. i, A-1"])
    assert [view.label for view in asked.views] == ["book.pdf p. 2", "book.pdf p. 1", "book.pdf p. 4"]
    pages = [replace(view, printed_label=label).as_dict() for view, label in zip(asked.views, ("ii", "i", "A-1"))]  # noqa: B905
    hits = [hit.as_dict() for hit in index.search("harbour", top_k=4)]
    for name, artifact in (("view_pages", {"pages": pages}), ("search_pages", {"query": "harbour", "hits": hits})):
        call = AIMessage("", tool_calls=[{"name": name, "args": {}, "id": "1", "type": "tool_call"}])
        reply = ToolMessage("shown", tool_call_id="1", name=name, artifact=artifact)
        known = Conversation.read([HumanMessage("?"), call, reply]).documents()
        assert known == {"book.pdf": {"i": 1, "ii": 2, "a-1": 4}}


def test_the_command_line_takes_what_is_printed(index: PageIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    made = tmp_path / "a.png"
    assert main(["view", "book.pdf p. A-1", "--index", str(index.path), "--out", str(made)]) == 0
    assert made.exists()
    assert main(["view", "book.pdf p. xi", "--index", str(index.path), "--out", str(made)]) == 1
    assert "there is no page xi" in capsys.readouterr().err
