"""`sweep --batch`: questions in jobs of Gemini's batch API, at half the price; nothing is paid for twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gemini_server import GeminiServer
from small_index import PHOTO, REPORT, SHEET, SLIDES, small_settings

from pagesight.agent import SweepTable, sweep
from pagesight.agent.cli import main
from pagesight.agent.testing import ScriptedReasoner
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.ledger import Ledger
from pagesight.indexing.calls.prices import price_of
from pagesight.indexing.errors import KeyRefused, ReasonerError, SettingsError

QUESTION = "How high was the net revenue in 2023?"
MODEL = "google_genai:gemini-3.8-flash"
NONE = {"found": False, "value": "", "statement": "", "page": 0}
SAID = "Net revenue rose to 4.2 billion euros in 2023."
REVENUE = {"found": True, "value": "4.2 billion euros", "statement": SAID, "page": 1}


@pytest.fixture(autouse=True)
def plain(index: PageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sweeps.jsonl", "costs.jsonl"):
        (index.path / name).unlink(missing_ok=True)
    for note in (index.path / "sweep-jobs").rglob("*.json"):
        note.unlink()
    monkeypatch.setattr("pagesight.indexing.calls.jobs._LOOK_EVERY", 0.01)
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)


def swept(index: PageIndex, server: GeminiServer, **how: Any) -> SweepTable:
    settings = small_settings(google_base_url=server.url, max_retries=2)
    return sweep(index, QUESTION, model=MODEL, **({"batch": True, "settings": settings} | how))


def says(server: GeminiServer, *cells: dict[str, Any]) -> None:
    for cell in cells:
        server.says(json.dumps(cell))


def asked(server: GeminiServer) -> list[list[dict[str, Any]]]:
    """The requests of each job."""
    return [[one["request"] for one in job["asked"]] for job in server.batches.jobs.values()]


def notes(index: PageIndex) -> list[Path]:
    return list((index.path / "sweep-jobs").rglob("*.json"))


def test_all_are_asked_in_a_job_at_half_the_price(index: PageIndex, server: GeminiServer) -> None:
    says(server, REVENUE, NONE, NONE, NONE)
    server.batches.looks = 2
    told: list[tuple[int, int]] = []
    table = swept(index, server, progress=lambda *each: told.append(each))
    assert [(row.document, row.cell, row.mark) for row in table.rows] == [
        (REPORT, "4.2 billion euros", "✓"), (SHEET, "none", ""), (PHOTO, "none", ""), (SLIDES, "none", ""),
    ]  # fmt: skip
    assert (table.rows[0].citation, table.rows[0].pages[0]) == (f"{REPORT} p. 2", 2)
    (job,) = asked(server)
    assert len(job) == 4
    assert server.model_requests == []
    price = price_of(MODEL)
    assert price
    each = (100 * price.input + 10 * price.output) / 2e6
    assert table.dollars == pytest.approx(4 * each, abs=1e-6)
    records, _ = Ledger(index.path).read()
    assert [(record.kind, record.calls) for record in records] == [("sweep", 1)] * 4
    assert sum(record.dollars or 0 for record in records) == pytest.approx(4 * each)
    assert told[-1] == (4, 4)
    assert notes(index) == []
    again = swept(index, server, batch=False)  # what a job read is known, whichever way it is asked for
    assert ([row.kept for row in again.rows], again.dollars) == ([True] * 4, 0.0)


def test_a_question_in_a_job_is_the_same_as_one_by_itself(index: PageIndex, server: GeminiServer) -> None:
    says(server, NONE, NONE)
    swept(index, server, documents=[REPORT], effort="low")
    (index.path / "sweeps.jsonl").unlink()
    swept(index, server, documents=[REPORT], effort="low", batch=False)
    in_job, alone = asked(server)[0][0], dict(server.model_requests[0].body)
    assert {name: in_job.get(name) for name in alone} == alone
    assert in_job["generationConfig"]["thinkingConfig"]


@pytest.mark.parametrize("lost", ["before the answer", "while it waits"])
def test_a_run_that_was_killed_takes_up_its_job(
    lost: str, index: PageIndex, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(server, REVENUE, NONE, NONE, NONE)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        where = "indexing.calls.jobs._log.info" if lost == "before the answer" else "agent.sweeps.in_jobs._made"
        cut.setattr(f"pagesight.{where}", killed)
        with pytest.raises(KeyboardInterrupt):
            swept(index, server)
    assert len(notes(index)) == 1
    table = swept(index, server, documents=[REPORT])  # also of fewer documents: what the others say is kept
    assert [row.cell for row in table.rows] == ["4.2 billion euros"]
    assert [row.kept for row in swept(index, server).rows] == [True] * 4
    assert len(server.batches.jobs) == 1


def test_a_job_whose_answer_was_lost_is_found_by_its_name(index: PageIndex, server: GeminiServer) -> None:
    says(server, REVENUE, NONE, NONE, NONE)
    server.batches.loses = 1
    assert swept(index, server).is_whole
    assert len(server.batches.jobs) == 1


def test_those_that_fail_are_sent_once_more_and_then_told(index: PageIndex, server: GeminiServer) -> None:
    says(server, REVENUE)
    server.fails(400, "INVALID_ARGUMENT", "the picture cannot be read")
    server.says("No form at all.")
    says(server, NONE)
    server.fails(400, "INVALID_ARGUMENT", "the picture cannot be read")
    server.says("No form again.")
    table = swept(index, server)
    assert [row.state for row in table.rows] == ["answered", "failed", "failed", "none"]
    assert "the picture cannot be read" in table.rows[1].reason
    assert "fits no cell" in table.rows[2].reason
    assert [len(job) for job in asked(server)] == [4, 2]
    records, _ = Ledger(index.path).read()
    assert len(records) == 4  # what fits no form is paid for, what failed is not
    says(server, NONE, NONE)
    assert swept(index, server).is_whole
    assert [len(job) for job in asked(server)] == [4, 2, 2]


@pytest.mark.parametrize("end", ["EXPIRED", "FAILED", "CANCELLED"])
def test_a_job_that_comes_to_nothing_is_told_and_sent_anew(end: str, index: PageIndex, server: GeminiServer) -> None:
    server.batches.ends = end
    with pytest.raises(ReasonerError, match=rf"1 jobs ended without a result \(batches/00000001: {end.lower()}"):
        swept(index, server)
    assert notes(index) == []
    server.batches.ends = ""
    says(server, REVENUE, NONE, NONE, NONE)
    assert swept(index, server).is_whole


def test_a_limit_of_dollars_holds_before_anything_is_sent(index: PageIndex, server: GeminiServer) -> None:
    says(server, REVENUE, NONE)
    table = swept(index, server, dollars=0.0055)  # three pages by estimate .0030, one .0018
    assert [row.state for row in table.rows] == ["answered", "none", "not asked", "not asked"]
    assert [len(job) for job in asked(server)] == [2]


def test_large_sweeps_go_in_several_jobs(
    index: PageIndex, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagesight.indexing.calls.jobs._JOB_BYTES", 1)
    says(server, REVENUE, NONE, NONE, NONE)
    assert swept(index, server).is_whole
    assert [len(job) for job in asked(server)] == [1, 1, 1, 1]


def test_others_are_asked_in_no_jobs(index: PageIndex) -> None:
    with pytest.raises(SettingsError, match="is asked in no jobs: leave out --batch"):
        sweep(index, QUESTION, model=ScriptedReasoner(script=[]), batch=True, settings=small_settings())
    with pytest.raises(SettingsError, match="offline is asked in no jobs"):
        sweep(index, QUESTION, model="offline", batch=True, settings=small_settings())


def test_a_refused_key_ends_the_run(index: PageIndex, server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from gemini_batches import Batches, RefusedBatch

    def refused(*_: object) -> None:
        raise RefusedBatch(401, "API key not valid. Please pass a valid API key.")

    monkeypatch.setattr(Batches, "begin", refused)
    with pytest.raises(KeyRefused):
        swept(index, server)


def test_the_command_says_what_it_costs_first(
    index: PageIndex, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-test-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    command = ["sweep", QUESTION, "--index", str(index.path), "--model", MODEL]
    assert main(command) == 1
    plain = capsys.readouterr().err
    assert "with --batch it costs half as much" in plain
    assert main([*command, "--batch"]) == 1
    halved = capsys.readouterr().err
    assert "as jobs, which may take a day" in halved
    assert "run the same with --yes" in halved
    dollars = [float(told.partition("about $")[2].split(",")[0]) for told in (plain, halved)]
    assert dollars[1] == pytest.approx(dollars[0] / 2, abs=1e-4)
    assert server.batches.jobs == {}
    says(server, REVENUE, NONE, NONE, NONE)
    assert main([*command, "--batch", "--yes"]) == 0
    assert "1 answered, 3 none" in capsys.readouterr().err
