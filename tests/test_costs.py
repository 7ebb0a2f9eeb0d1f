"""What answers cost, from the outside: `ask`'s last line, `/cost`, the ledger that work leaves, `pagesight costs`."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from gemini_server import GeminiServer, Reply
from small_index import REPORT, make_index

from pagesight.agent.cli import main
from pagesight.agent.terminal.doctor import price_table
from pagesight.indexing.calls.ledger import FILE, Ledger, Spent

QUESTION = "How high was the net revenue in 2023?"
PRICES = '{"gemini-3.8-flash": [1.0, 10.0, 0.1]}'
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    make_index(folder).close()
    return folder / "index"


@pytest.fixture(autouse=True)
def _empty_ledger(made: Path) -> None:
    (made / FILE).unlink(missing_ok=True)


@pytest.fixture
def pagesight(capsys: pytest.CaptureFixture[str], made: Path) -> Command:
    """Runs the command line on the index; returns the exit status, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([*arguments, "--index", str(made)])
        return (status, *capsys.readouterr())

    return run


@pytest.fixture(autouse=True)
def _priced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGESIGHT_PRICES", PRICES)


def play(server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"4.2 billion [{REPORT} p. 2].", tokens=(4000, 50), thinking=200, cached=3000)


# The last line


def test_ask_ends_with_what_it_took(pagesight: Command, gemini: GeminiServer) -> None:
    play(gemini)
    status, out, err = pagesight("ask", QUESTION)
    assert status == 0
    assert out == f"4.2 billion [{REPORT} p. 2].\n"
    last = err.splitlines()[-1]
    # 1,100 fresh tokens at 1, 3,000 cached ones at 0.1 and 260 of output at 10 dollars a million
    expected = r"4,100 tokens in \(3,000 cached\), 260 out \(200 thinking\), 1 picture, \d+\.\d s, \$0\.0040"
    assert re.fullmatch(expected, last)


def test_a_price_that_is_not_known_is_said(
    pagesight: Command, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGESIGHT_GEMINI_MODEL", "gemini-from-tomorrow")
    monkeypatch.setenv("PAGESIGHT_PRICES", "{}")
    play(gemini)
    _, out, err = pagesight("ask", QUESTION, "--json")
    assert json.loads(out)["usage"]["model_version"] == "gemini-from-tomorrow"
    assert err.splitlines()[-1].endswith(" s, price not known")
    status, out, err = pagesight("costs")
    assert status == 0
    assert "not known" in out
    assert "the price of gemini-from-tomorrow was not known" in err


def test_offline_only_pages_and_seconds_are_counted(pagesight: Command) -> None:
    _, _, err = pagesight("ask", QUESTION)
    assert re.fullmatch(r"\d+ pages? looked at, \d+\.\d s", err.splitlines()[-1])


# The ledger


def test_ask_chat_and_eval_leave_records(
    pagesight: Command, gemini: GeminiServer, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        play(gemini)
    pagesight("ask", QUESTION)
    lines = iter([QUESTION, "/cost"])
    monkeypatch.setattr("pagesight.agent.terminal.line_editor.LineReader.next", lambda *_: next(lines, None))
    _, chat, _ = pagesight("chat")
    assert "4,100 tokens in (3,000 cached), 260 out" in chat
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"id": "1", "question": QUESTION, "answer": "4.2 billion", "document": REPORT}))
    pagesight("eval", "answers", "--questions", str(questions), "--out", str(tmp_path / "out"))

    records, unreadable = Ledger(made).read()

    assert unreadable == 0
    assert [record.kind for record in records] == ["ask", "chat", "eval"]
    for record in records:
        assert (record.model, record.calls, record.pictures) == ("gemini-3.8-flash", 2, 1)
        assert (record.input_tokens, record.output_tokens) == (4100, 260)
        assert (record.thinking_tokens, record.cached_tokens) == (200, 3000)
        assert record.dollars == pytest.approx(0.004)
        assert record.seconds > 0


@pytest.mark.parametrize("how", ["fails", "stops"])
def test_a_question_that_is_not_answered_is_noted_with_what_it_took(
    pagesight: Command, gemini: GeminiServer, made: Path, how: str
) -> None:
    gemini.replies(Reply([{"functionCall": {"name": "list_documents", "args": {}}}], tokens=(4000, 50), cached=3000))
    gemini.fails(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.")
    if how == "stops":
        gemini.waits_from = 1  # the second request is not answered
        threading.Thread(target=_interrupt, args=(gemini,), daemon=True).start()
    status, out, _ = pagesight("ask", QUESTION)
    assert status != 0
    assert out == ""

    [record], _ = Ledger(made).read()

    assert (record.kind, record.model, record.calls) == ("ask", "gemini-3.8-flash", 1)
    assert (record.input_tokens, record.output_tokens, record.cached_tokens) == (4000, 50, 3000)
    assert record.dollars == pytest.approx((1000 * 1.0 + 3000 * 0.1 + 50 * 10) / 1e6)


def _interrupt(server: GeminiServer) -> None:
    while len(server.model_requests) < 2:
        threading.Event().wait(0.02)
    os.kill(os.getpid(), signal.SIGINT)


def test_what_a_judge_costs_is_noted(pagesight: Command, gemini: GeminiServer, made: Path, tmp_path: Path) -> None:
    play(gemini)
    gemini.says("yes", tokens=(300, 1))
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"id": "1", "question": QUESTION, "answer": "4.2 billion", "document": REPORT}))
    judge = "google_genai:gemini-3.8-flash"
    pagesight(
        "eval", "answers", "--questions", str(questions), "--out", str(tmp_path / "out"), "--judge", judge
    )  # fmt: skip
    records, _ = Ledger(made).read()
    assert [(record.kind, record.calls, record.input_tokens) for record in records] == [
        ("eval", 2, 4100),
        ("eval", 1, 300),
    ]


def test_a_ledger_that_cannot_be_written_costs_no_answer(
    pagesight: Command, gemini: GeminiServer, made: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (made / FILE).mkdir()
    play(gemini)
    status, out, _ = pagesight("ask", QUESTION)
    (made / FILE).rmdir()
    assert status == 0
    assert "4.2 billion" in out
    assert "not noted" in caplog.text


# pagesight costs


def test_costs_are_listed_by_day_model_and_kind(pagesight: Command, made: Path) -> None:
    ledger = Ledger(made)
    days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (24, 25)]
    ledger.add(Spent("ask", "flash", days[0], 6, 23_000, 800, 500, 4096, 11, 12.5, 0.02))
    ledger.add(Spent("ask", "flash", days[0], 6, 23_000, 800, 500, 0, 11, 12.5, 0.02))
    ledger.add(Spent("eval", "other", days[1], 1, 1000, 10))
    with ledger.path.open("a") as file:
        file.write("no record\n")

    status, out, err = pagesight("costs")

    assert status == 0
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows[0] == "day model kind times calls in cached out thinking pictures seconds dollars"
    assert rows[1] == "2026-11-24 flash ask 2 12 46,000 4,096 1,600 1,000 22 25.0 0.0400"
    assert rows[2] == "2026-11-25 other eval 1 1 1,000 0 10 0 0 0.0 not known"
    assert rows[3] == "total 3 13 47,000 4,096 1,610 1,000 22 25.0 0.0400 and more"
    assert "the price of other was not known" in err
    assert "1 line of the ledger could not be read" in err


def test_costs_as_json(pagesight: Command, made: Path) -> None:
    Ledger(made).add(Spent("ask", "flash", datetime(2026, 11, 24, tzinfo=UTC), 6, 100, 10, seconds=1.5, dollars=0.5))
    _, out, _ = pagesight("costs", "--json")
    told = json.loads(out)
    [day] = told["days"]
    assert (day["day"], day["model"], day["kind"], day["dollars"]) == ("2026-11-24", "flash", "ask", 0.5)
    assert told["total"]["input_tokens"] == 100
    assert told["unreadable_lines"] == 0


def test_an_index_without_a_ledger_has_cost_nothing(pagesight: Command) -> None:
    status, out, err = pagesight("costs")
    assert (status, out) == (0, "")
    assert "nothing has been noted yet" in err
    assert json.loads(pagesight("costs", "--json")[1])["days"] == []


def test_doctor_says_when_the_prices_are_old() -> None:
    assert price_table(date(2026, 11, 25)).state == "ok"
    old = price_table(date(2027, 2, 24))
    assert old.state == "absent"
    assert old.says.startswith("the table of prices was read 91 days ago")
    assert "PAGESIGHT_PRICES" in old.fix
