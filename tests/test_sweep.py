"""A sweep from the outside: one question of each document or page, by Gemini's protocol, others, and by quoting."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from gemini_server import GeminiServer
from small_index import PHOTO, REPORT, SHEET, SLIDES, small_settings, write_pdf

from pagesight.agent import SweepTable, asweep, sweep
from pagesight.agent.cli import main
from pagesight.agent.reports.sweep_files import write_sweep
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.ledger import Ledger
from pagesight.indexing.errors import EmptyQuestion, KeyRefused, ReasonerError, SettingsError

QUESTION = "How high was the net revenue in 2023?"
DOCUMENTS = [REPORT, SHEET, PHOTO, SLIDES]  # by name
NONE = {"found": False, "value": "", "statement": "", "page": 0}
SAID = "Net revenue rose to 4.2 billion euros in 2023."
REVENUE = {"found": True, "value": "4.2 billion euros", "statement": SAID, "page": 1}


@pytest.fixture(autouse=True)
def nothing_kept(index: PageIndex) -> None:
    for name in ("sweeps.jsonl", "costs.jsonl"):
        (index.path / name).unlink(missing_ok=True)


def gemini_settings(server: GeminiServer, **more: object) -> Any:
    return small_settings(google_base_url=server.url, **more)


def swept(index: PageIndex, server: GeminiServer, **how: Any) -> SweepTable:
    how = {"concurrency": 1, "settings": gemini_settings(server)} | how
    return sweep(index, QUESTION, model="google_genai:gemini-3.8-flash", **how)


def says(server: GeminiServer, *cells: dict[str, Any]) -> None:
    for cell in cells:
        server.says(json.dumps(cell))


def cells(table: SweepTable) -> dict[str, tuple[str, str, str]]:
    return {row.document: (row.cell, row.mark, row.citation) for row in table.rows}


# with Gemini


def test_each_document_is_asked_once_with_its_best_pages(index: PageIndex, server: GeminiServer) -> None:
    says(server, REVENUE, NONE, NONE, NONE)
    table = swept(index, server)
    assert cells(table) == {
        REPORT: ("4.2 billion euros", "✓", f"{REPORT} p. 2"),
        SHEET: ("none", "", ""), PHOTO: ("none", "", ""), SLIDES: ("none", "", ""),
    }  # fmt: skip
    row = table.rows[0]
    assert (row.outcome, row.pages[0], len(row.pages), bool(row.boxes)) == ("supported", 2, 3, True)
    assert [len(request.pictures) for request in server.model_requests] == [3, 1, 1, 2]
    assert all(QUESTION in json.dumps(request.body) for request in server.model_requests)
    assert table.dollars is not None
    assert table.dollars > 0
    records, _ = Ledger(index.path).read()
    assert [(record.kind, record.calls) for record in records] == [("sweep", 1)] * 4
    assert sum(record.dollars or 0 for record in records) == pytest.approx(table.dollars, abs=1e-5)


def test_effort_sets_pages_and_thinking(index: PageIndex, server: GeminiServer) -> None:
    says(server, NONE, NONE, NONE)
    swept(index, server, documents=[REPORT], effort="low")
    swept(index, server, documents=[REPORT], effort="high")
    swept(index, server, documents=[REPORT], effort="high", top_k=1)
    assert [len(request.pictures) for request in server.model_requests] == [2, 6, 1]
    levels = [one.body["generationConfig"]["thinkingConfig"]["thinkingLevel"] for one in server.model_requests]
    assert [str(level).lower() for level in levels] == ["low", "high", "high"]


def test_nothing_is_paid_for_twice(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    says(server, REVENUE, NONE, NONE, NONE)
    first = swept(index, server)
    again = swept(index, server)
    assert cells(again) == cells(first)
    assert (len(server.model_requests), again.dollars, [row.kept for row in again.rows]) == (4, 0.0, [True] * 4)
    write_pdf(tmp_path / "more.pdf", [["Net revenue"]])
    index.add(tmp_path / "more.pdf")
    says(server, NONE)
    assert [row.kept for row in swept(index, server).rows] == [True, True, False, True, True]
    says(server, *[NONE] * 5)
    sweep(index, "Who signed it?", model="google_genai:gemini-3.8-flash", settings=gemini_settings(server))
    says(server, *[NONE] * 5)
    swept(index, server, settings=gemini_settings(server, media_resolution="low"))
    assert server.replies_left == 0
    index.remove("more.pdf")


def test_a_kept_cell_bears_the_documents_present_name(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    says(server, REVENUE)
    swept(index, server, documents=[REPORT])
    copy = tmp_path / "renamed.pdf"
    copy.write_bytes((index.path / "documents" / f"{index.document(REPORT).document_id}.pdf").read_bytes())
    source = Path(index.document(REPORT).path)
    index.remove(REPORT)
    index.add(copy)
    table = swept(index, server, documents=["renamed.pdf"])
    index.remove("renamed.pdf")
    index.add(source)
    assert cells(table) == {"renamed.pdf": ("4.2 billion euros", "✓", "renamed.pdf p. 2")}
    assert len(server.model_requests) == 1


def test_one_document_that_fails_does_not_keep_the_others(index: PageIndex, server: GeminiServer) -> None:
    says(server, REVENUE)
    server.fails(503, "UNAVAILABLE", "the model is overloaded")
    says(server, NONE, NONE)
    table = swept(index, server)
    assert [row.state for row in table.rows] == ["answered", "failed", "none", "none"]
    assert "overloaded" in table.rows[1].reason
    assert not table.is_whole
    says(server, NONE)
    assert [row.state for row in swept(index, server).rows] == ["answered", "none", "none", "none"]
    assert len(server.model_requests) == 5


def test_what_fits_no_form_is_asked_once_more_and_paid_for(index: PageIndex, server: GeminiServer) -> None:
    server.says("four billion")
    says(server, REVENUE)
    assert swept(index, server, documents=[REPORT]).rows[0].value == "4.2 billion euros"
    assert "does not fit the form" in json.dumps(server.model_requests[1].body)
    server.says("I cannot")
    server.says("I cannot")
    row = swept(index, server, documents=[SLIDES]).rows[0]
    assert (row.state, "fits no cell" in row.reason) == ("failed", True)
    assert row.dollars
    assert [record.calls for record in Ledger(index.path).read()[0]] == [2, 2]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (REVENUE | {"value": "9.9 billion euros", "statement": "Net revenue was 9.9 billion euros."}, "9.9"),
        (REVENUE | {"page": 7}, "it names no page that was shown"),
        (REVENUE | {"page": 0}, "it names no page that was shown"),
        (REVENUE | {"value": "9.9 billion euros"}, "9.9"),
    ],
)
def test_a_cell_that_its_page_does_not_say_is_marked(
    index: PageIndex, server: GeminiServer, cell: dict[str, Any], reason: str
) -> None:
    says(server, cell)
    row = swept(index, server, documents=[REPORT]).rows[0]
    assert (row.state, row.mark, row.outcome) == ("answered", "?", "unsupported")
    assert reason in row.reason


def test_a_refused_key_ends_the_sweep(index: PageIndex, server: GeminiServer) -> None:
    server.fails(403, "PERMISSION_DENIED", "key refused")
    with pytest.raises(KeyRefused):
        swept(index, server)
    assert len(server.model_requests) == 1


def test_each_page_can_be_asked(index: PageIndex, server: GeminiServer) -> None:
    says(server, NONE, REVENUE, *[NONE] * 6)
    table = swept(index, server, documents=[REPORT], by="page")
    assert [(row.page, row.state) for row in table.rows][:3] == [(1, "none"), (2, "answered"), (3, "none")]
    assert (len(table.rows), table.rows[1].citation) == (8, f"{REPORT} p. 2")
    assert [len(request.pictures) for request in server.model_requests] == [1] * 8


# limits


def test_no_cell_is_begun_beyond_the_limit(index: PageIndex, server: GeminiServer) -> None:
    estimates: list[Any] = []
    for cell in (REVENUE, NONE):
        server.says(json.dumps(cell), tokens=(4000, 500))
    table = swept(index, server, dollars=0.012, approve=estimates.append)
    assert [row.state for row in table.rows] == ["answered", "none", "not asked", "not asked"]
    assert "limit of 0.012 dollars" in table.rows[-1].reason
    assert (table.dollars or 1) <= 0.012
    assert (estimates[0].asked, estimates[0].kept, estimates[0].pictures) == (4, 0, 7)
    assert estimates[0].dollars == pytest.approx(4 * (500 * 0.75 + 600 * 3.75) / 1e6 + 7 * 1120 * 0.75 / 1e6)
    says(server, NONE, NONE)
    rest = swept(index, server, dollars=0.012, approve=estimates.append)
    assert rest.is_whole
    assert (estimates[1].asked, estimates[1].kept) == (2, 2)
    assert swept(index, server, dollars=0, approve=estimates.append).is_whole
    assert len(estimates) == 2


def test_what_is_not_approved_is_not_asked(index: PageIndex, server: GeminiServer) -> None:
    def refuse(estimate: object) -> None:
        raise SettingsError("no")

    with pytest.raises(SettingsError, match="no"):
        swept(index, server, approve=refuse)
    assert server.model_requests == []


def test_a_sweep_that_was_stopped_is_taken_up(index: PageIndex, server: GeminiServer) -> None:
    def stop(done: int, total: int) -> None:
        assert total == 4
        if done == 2:
            raise KeyboardInterrupt

    says(server, REVENUE, NONE)
    with pytest.raises(KeyboardInterrupt):
        swept(index, server, progress=stop)
    assert len(server.model_requests) == 2
    with (index.path / "sweeps.jsonl").open("ab") as file:  # cut off, another's, damaged
        file.write(b'\n{"key": "0"}\n[]\n\xff\xfe\n{"key": "00')
    says(server, NONE, NONE)
    table = swept(index, server)
    assert cells(table)[REPORT] == ("4.2 billion euros", "✓", f"{REPORT} p. 2")
    assert [row.kept for row in table.rows] == [True, True, False, False]
    assert all(row.kept for row in swept(index, server).rows)


@pytest.mark.parametrize(
    ("how", "error"),
    [({"by": "line"}, SettingsError), ({"top_k": 0}, SettingsError), ({"dollars": -1}, SettingsError)],
)
def test_what_cannot_be_is_refused(index: PageIndex, how: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        sweep(index, QUESTION, model="offline", **how)
    with pytest.raises(EmptyQuestion):
        sweep(index, "  ", model="offline")


# other models, and none


def test_any_model_of_langchain_fills_in_the_cells(index: PageIndex) -> None:
    model = ScriptedReasoner(script=[calls("Cell", **REVENUE), ReasonerError("not now"), calls("Cell", **NONE)])
    table = sweep(index, QUESTION, model=model, documents=[REPORT, SHEET, PHOTO], concurrency=1)
    assert [row.state for row in table.rows] == ["answered", "failed", "none"]
    assert table.rows[0].mark == "✓"
    assert any(part.get("type") == "image" for part in model.requests[0].messages[1].content)
    model.assert_finished()


def test_a_fallback_takes_over(index: PageIndex) -> None:
    first, second = (
        ScriptedReasoner(script=[ReasonerError("down")]),
        ScriptedReasoner(script=[calls("Cell", **REVENUE)]),
    )
    table = sweep(index, QUESTION, model=first.with_fallbacks([second]), documents=[REPORT])
    assert table.rows[0].value == "4.2 billion euros"


async def test_offline_each_cell_is_a_quotation(index: PageIndex) -> None:
    table = await asweep(index, QUESTION, model="offline")
    assert (table.reasoner, table.dollars) == ("offline", 0.0)
    found = cells(table)
    assert found[REPORT] == ("“Net revenue rose to 4.2 billion euros in 2023.”", "✓", f"{REPORT} p. 2")
    assert found[PHOTO] == found[SHEET] == ("none", "", "")
    again = sweep(index, QUESTION, model="offline", by="page", documents=[REPORT])
    assert [row.page for row in again.rows if row.state == "answered"] == [2]


def test_only_what_may_be_seen_is_asked(index: PageIndex) -> None:
    from pagesight.agent import AllowedDocuments

    assert [row.document for row in sweep(index, QUESTION, model="offline", documents=["*.png"]).rows] == [PHOTO]
    seen = AllowedDocuments(index).narrowed([SHEET])
    assert [row.document for row in sweep(seen, QUESTION, model="offline").rows] == [SHEET]
    assert sweep(index, QUESTION, model="offline", where="year > 3000").rows == []


# the command line and its files


def run(index: PageIndex, *arguments: str) -> int:
    return main(["sweep", QUESTION, "--index", str(index.path), *arguments])


def test_the_command_prints_a_table_and_writes_it(
    index: PageIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in ("csv", "json", "html"):
        assert run(index, "--model", "offline", "--document", "*.pdf", "--out", str(tmp_path / f"t.{suffix}")) == 0
    printed = capsys.readouterr()
    assert f"{REPORT}\t✓\t“Net revenue rose to 4.2 billion euros in 2023.”\t{REPORT} p. 2\n" in printed.out
    assert "no language model was used" in printed.err
    rows = list(csv.DictReader((tmp_path / "t.csv").open(newline="")))
    assert [(row["document"], row["state"]) for row in rows][:2] == [(REPORT, "answered"), (SHEET, "none")]
    table = json.loads((tmp_path / "t.json").read_text())
    assert table["counts"] == {"answered": 1, "none": 2, "failed": 0, "not asked": 0, "kept": 3}
    assert set(table["rows"][0]) == {
        "document", "document_id", "page", "state", "value", "citation", "outcome", "mark", "reason", "boxes", "pages",
        "metadata", "dollars", "kept",
    }  # fmt: skip
    assert "Net revenue rose to 4.2 billion euros in 2023." in (tmp_path / "t.html").read_text()
    assert run(index, "--model", "offline", "--out", str(tmp_path / "t.docx")) == 1
    assert "must end in .csv, .json, .html" in capsys.readouterr().err


def test_a_paid_model_is_not_asked_before_somebody_says_yes(
    index: PageIndex, gemini: GeminiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(index, "--document", REPORT) == 1
    told = capsys.readouterr().err
    assert "1 document to ask, 3 pictures" in told
    assert "--yes" in told
    assert gemini.model_requests == []
    says(gemini, REVENUE)
    assert run(index, "--document", REPORT, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["value"] == "4.2 billion euros"
    assert run(index, "--yes", "--dollars", "0") == 1
    told = capsys.readouterr().err
    assert "3 not asked: the limit of dollars was reached" in told
    assert "1 known from before" in told


def test_files_are_inert(index: PageIndex, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    model = ScriptedReasoner(
        script=[
            calls("Cell", **REVENUE | {"value": bad}),
            calls("Cell", **REVENUE | {"value": '=HYPERLINK("http://x")'}),
            calls("Cell", **REVENUE | {"value": "-3.5 %"}),
        ]
    )
    table = sweep(index, f"{QUESTION} {bad}", model=model, documents=[REPORT, SHEET, PHOTO], concurrency=1)
    for suffix in ("html", "csv"):
        write_sweep(tmp_path / f"t.{suffix}", table)
    page = (tmp_path / "t.html").read_text()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") == 3  # title, heading, cell
    assert "default-src 'none'" in page
    rows = list(csv.DictReader((tmp_path / "t.csv").open(newline="")))
    assert [row["value"] for row in rows] == [bad, '\'=HYPERLINK("http://x")', "-3.5 %"]
