"""Outlines of documents from the outside: what is found when they are indexed, what people and models are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conversations import agent_at
from gemini_server import GeminiServer
from langchain_core.messages import HumanMessage, ToolMessage
from reportlab.pdfgen import canvas
from small_index import REPORT, SHEET, SLIDES, small_settings, write_pdf

from pagesight.agent import AllowedDocuments, ask
from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import UnknownDocument
from pagesight.indexing.testing import made_index
from pagesight.tools.outline import document_map, told_of


def titles(index: PageIndex, document: str, kind: str = "") -> list[tuple[int, int, str]]:
    entries = index.outline(document).entries
    return [(one.level, one.page, one.title) for one in entries if kind in ("", one.kind)]


def written(path: Path, *, bookmarks: bool = False, contents: bool = False) -> Path:
    """A report with a title, chapters and sections in larger print, a running head, prose, a caption, a year."""
    sheet = canvas.Canvas(str(path))
    parts = ["Foundations of Heat", "Pumps in Winter", "Costs and Savings", "Noise at Night", "Outlook"]
    for number in range(1, 7):
        sheet.setFont("Helvetica", 14)
        sheet.drawString(72, 800, "Annual Survey of Pumps")
        sheet.setFont("Helvetica-Bold", 24)
        sheet.drawString(72, 740, "A Survey of Heating" if number == 1 else parts[number - 2])
        if number == 1:
            sheet.drawString(72, 712, "in Old Houses")
        sheet.setFont("Helvetica-Bold", 15)
        sheet.drawString(72, 640, f"Section on matter {chr(64 + number)}")
        sheet.setFont("Helvetica", 10)
        for line in range(12):
            sheet.drawString(
                72, 600 - 14 * line, f"In 2021 the pumps were tried in the houses of Old Haven, line {line}."
            )
        if contents and number == 1:
            for line, part in enumerate(parts):
                sheet.drawString(72, 300 - 14 * line, f"{part} ........ {line + 2}")
        sheet.drawString(72, 400, f"Figure {number}. Power of the pumps by month")
        sheet.drawString(72, 380, f"Figure {number} shows that power falls.")
        if bookmarks:
            sheet.bookmarkPage(f"p{number}")
            sheet.addOutlineEntry(f"Bookmark {number}", f"p{number}", level=0 if number % 2 else 1)
        sheet.showPage()
    sheet.save()
    return path


@pytest.fixture
def own(tmp_path: Path):
    with PageIndex.open(tmp_path / "own", settings=small_settings()) as opened:
        yield opened


def test_headings_are_told_by_their_size_without_running_heads(own: PageIndex, tmp_path: Path) -> None:
    own.add(written(tmp_path / "survey.pdf"))
    found = titles(own, "survey.pdf", "heading")
    assert found[:3] == [(1, 1, "A Survey of Heating in Old Houses"), (2, 1, "Section on matter A"),
                         (1, 2, "Foundations of Heat")]  # fmt: skip
    assert not [title for _, _, title in found if "Annual Survey" in title]
    assert titles(own, "survey.pdf", "caption")[0] == (3, 1, "Figure 1. Power of the pumps by month")
    assert len(titles(own, "survey.pdf", "caption")) == 6  # no sentence that begins with a figure's number
    outline = own.outline("survey.pdf")
    assert outline.years == [2021]
    assert "Old Haven" in outline.names
    assert "pumps" in outline.terms


def test_a_table_of_contents_counts_more_and_bookmarks_most(own: PageIndex, tmp_path: Path) -> None:
    own.add([written(tmp_path / "a.pdf", contents=True), written(tmp_path / "b.pdf", contents=True, bookmarks=True)])
    assert titles(own, "a.pdf", "contents") == [
        (1, 2, "Foundations of Heat"), (1, 3, "Pumps in Winter"), (1, 4, "Costs and Savings"), (1, 5, "Noise at Night"),
        (1, 6, "Outlook"),
    ]  # fmt: skip
    assert titles(own, "a.pdf", "heading") == []
    assert titles(own, "b.pdf", "bookmark")[:2] == [(1, 1, "Bookmark 1"), (2, 2, "Bookmark 2")]
    assert titles(own, "b.pdf", "contents") == titles(own, "b.pdf", "heading") == []


@pytest.mark.parametrize("damage", [None, b"{", b"[]", b'{"entries": [{"level": 0}], "checksum": "0"}'])
def test_one_that_is_missing_or_damaged_is_made_anew(own: PageIndex, tmp_path: Path, damage: bytes | None) -> None:
    own.add(written(tmp_path / "survey.pdf", bookmarks=True))
    kept = own.outline("survey.pdf")
    assert kept.entries
    [path] = own.path.glob("pages/*/outline.json")
    path.write_bytes(damage) if damage else path.unlink()
    assert own.outline("survey.pdf", make=False).entries == []
    assert own.outline("survey.pdf") == kept
    assert main(["verify", "--index", str(own.path)]) == 0


def test_it_goes_and_comes_back_with_its_document(own: PageIndex, tmp_path: Path) -> None:
    own.add(written(tmp_path / "survey.pdf"))
    kept = own.outline("survey.pdf")
    own.remove("survey.pdf")
    with pytest.raises(UnknownDocument):
        own.outline("survey.pdf")
    assert not list(own.path.glob("pages/*/outline.json"))
    own.restore("survey.pdf")
    assert own.outline("survey.pdf", make=False) == kept


def test_a_document_without_anything_of_the_kind_has_none() -> None:
    with made_index(
        {
            "plain.pdf": [
                "only some words, which go on and on until a line is full and more, and say nothing that is a title."
            ]
        }
    ) as index:
        assert index.outline("plain.pdf").entries == []


# what people and models are shown


def test_the_command_shows_it(index: PageIndex, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outline", REPORT, "--index", str(index.path)]) == 0
    assert "2\tNet revenue by region\theading\n" in capsys.readouterr().out
    assert main(["outline", REPORT, "--index", str(index.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"][0]["page"] == 1
    assert main(["outline", "nothing.pdf", "--index", str(index.path)]) == 1


def test_the_tool_tells_parts_with_their_pages(server: GeminiServer, index: PageIndex) -> None:
    server.calls("outline", document=REPORT)
    server.calls("outline", document=REPORT, containing="REVENUE")
    server.calls("outline", document=REPORT)
    server.says("Done.")
    state = agent_at(server, index).invoke({"messages": [HumanMessage("How much?")]})
    whole, some, again = [one.text for one in state["messages"] if isinstance(one, ToolMessage)]
    assert whole.startswith(f"{REPORT} has 8 pages.")
    assert "- p. 2: Net revenue by region" in whole
    assert "- p. 3" in whole
    assert "- p. 3" not in some
    assert "made this call before" in again
    assert "8 searches, 16 pages to look at" in whole


def test_the_prompt_has_a_short_map_that_stays_the_same(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="net revenue")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"4.2 billion [{REPORT} p. 2].")
    ask(agent_at(server, index), "How much?")
    prompts = {json.dumps(request.body["systemInstruction"]) for request in server.model_requests}
    assert len(prompts) == 1
    assert f"- {REPORT}: 8 pages. " in (prompt := prompts.pop())
    assert "Net revenue by region (p. 2)" in prompt


def test_the_map_is_bounded_and_keeps_to_what_may_be_seen(index: PageIndex) -> None:
    told = document_map(AllowedDocuments(index).narrowed([SLIDES, SHEET]))
    assert SLIDES in told
    assert SHEET in told
    assert REPORT not in told
    many = {f"document {number:03}.pdf": [f"Chapter {number}. " + "word " * 50] for number in range(30)}
    with made_index(many) as several:
        told = document_map(AllowedDocuments(several))
    assert len(told) < 4000
    assert "- and 18 more: list_documents names them" in told


def test_a_document_that_is_removed_while_all_are_told_of_ends_nothing(tmp_path: Path) -> None:
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add([write_pdf(tmp_path / f"{name}.pdf", [[name]]) for name in ("ferry", "pump")])
        records = index.documents()
        index.remove("ferry.pdf")
        assert len(told_of(AllowedDocuments(index), records)) == 2
