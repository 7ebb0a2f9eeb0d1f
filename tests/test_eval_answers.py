"""Evaluation of answers from the outside: the whole agent, offline and with Gemini's protocol on loopback."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from gemini_server import GeminiServer
from small_index import REPORT, SHEET, small_settings

from pagesight.agent.cli import main
from pagesight.agent.evaluate.answer_report import report_on
from pagesight.agent.evaluate.ask_questions import AnswerFile, AskingOptions, answer_questions
from pagesight.indexing import PageIndex, Settings
from pagesight.indexing.errors import KeyRefused, QuestionsError
from pagesight.indexing.evaluate.questions import read_questions

pytest.importorskip("scipy")

REVENUE = {"id": "revenue", "question": "What was the net revenue in 2023?", "document": REPORT, "pages": [2]}
ROWS: list[dict[str, Any]] = [
    REVENUE | {"answer": "4.2 billion", "kind": "number"},
    {"id": "people", "question": "How many people worked for the group?", "document": REPORT, "pages": [3],
     "answer": "5310", "kind": "number"},
    {"id": "pump", "question": "Welche Schutzart hat die Pumpe P7?", "document": SHEET, "pages": [1],
     "answer": "IP67", "kind": "word"},
    {"id": "chess", "question": "zugzwang fianchetto", "document": REPORT, "pages": [], "answer": "Not answerable",
     "kind": "none"},
    {"id": "unasked", "question": "What is not compared?"},
]  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def evaluated(
    index: PageIndex,
    folder: Path,
    options: AskingOptions,
    settings: Settings,
    rows: list[dict[str, Any]] = ROWS,
    **how: Any,
):
    questions = read_questions(written(folder / "q.jsonl", rows)).questions
    asked = answer_questions(index, questions, AnswerFile(folder / "answers.jsonl"), options, settings=settings, **how)
    return asked, report_on("small", options.reasoner, index, asked, ["kind"] if "kind" in rows[0] else [])


# the quoting reasoner


def test_quotations_are_measured(index: PageIndex, tmp_path: Path) -> None:
    asked, report = evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    assert [one.question.id for one in asked] == ["revenue", "people", "pump", "chess"]
    found = {
        name: (counted[0], counted[1].mean) for name in ("numeric", "contains", "right") if (counted := report.of(name))
    }
    assert found == {"numeric": (2, 1), "contains": (3, 1), "right": (4, 0.75)}
    assert report.of("citation_recall") is not None
    assert report.of("citation_recall")[1].mean == 1
    assert report.of("not_found_precision") == report.of("not_found_recall")
    assert report.costs["dollars"] == 0
    assert report.costs["model_calls_per_question"] > 1
    assert report.splits["kind"] == {"none": [3], "number": [0, 1], "word": [2]}


def test_marked_regions_are_compared_with_the_words_that_answer(index: PageIndex, tmp_path: Path) -> None:
    """Of a question whose answer's line is marked, and of one where something else is."""
    marked = [
        ROWS[0] | {"boxes": {"2": [[float(edge) for edge in _line_with(index, f"{REPORT} p. 2", "rose")]]}},
        ROWS[1] | {"boxes": {f"{REPORT} p. 3": [[0.9, 0.9, 1, 1]]}},
        ROWS[2],
    ]
    _, report = evaluated(index, tmp_path, AskingOptions("offline"), small_settings(), rows=marked)
    shared = [(one.get("region_f1"), one.get("region_iou")) for one in report.scores]
    assert shared[0][0] > shared[0][1] > 0.5
    assert shared[1:] == [(0, 0), (None, None)]


def _line_with(index: PageIndex, page: str, word: str) -> Any:
    text = index.words(index.page(page))
    at = next(at for at, one in enumerate(text.words) if one == word)
    of_line = text.boxes[text.lines == text.lines[at]]
    return [*of_line[:, :2].min(0), *of_line[:, 2:].max(0)]


@pytest.mark.parametrize("boxes", [[[0, 0, 1, 1]], {"2": [[0.5, 0, 0.4, 1]]}, {"2": [[0, 0, 100, 100]]}, {"2": "all"}])
def test_regions_that_are_none_are_refused_with_their_line(tmp_path: Path, boxes: Any) -> None:
    with pytest.raises(QuestionsError, match="line 1: 'boxes' is"):
        read_questions(written(tmp_path / "q.jsonl", [REVENUE | {"boxes": boxes}]))


def test_only_the_right_document_is_looked_into(index: PageIndex, tmp_path: Path) -> None:
    asked, _ = evaluated(index, tmp_path, AskingOptions("offline", within=True), small_settings())
    for one in asked:
        assert {label.rpartition(" p. ")[0] for label in one.record["pages_viewed"]} <= {*one.question.documents}


def test_questions_without_answers_are_an_error(index: PageIndex, tmp_path: Path) -> None:
    with pytest.raises(QuestionsError, match="no question has an answer"):
        evaluated(index, tmp_path, AskingOptions("offline"), small_settings(), rows=ROWS[-1:])


# the file of answers


def test_what_was_answered_is_not_asked_again(index: PageIndex, tmp_path: Path) -> None:
    first, _ = evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    lines = (tmp_path / "answers.jsonl").read_text()
    again, _ = evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    assert (tmp_path / "answers.jsonl").read_text() == lines
    assert [one.record for one in again] == [one.record for one in first]


@pytest.mark.parametrize("changed", [{"top_k": 2}, {"pages_per_question": 3}])
def test_other_settings_ask_again(index: PageIndex, tmp_path: Path, changed: dict[str, int]) -> None:
    evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    evaluated(index, tmp_path, AskingOptions("offline"), small_settings(**changed))
    assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 8


def test_a_run_cut_off_is_taken_up(index: PageIndex, tmp_path: Path) -> None:
    evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    path = tmp_path / "answers.jsonl"
    kept = path.read_text().splitlines()
    path.write_text(f"{kept[0]}\n{kept[1]}\n{kept[2][:40]}")
    asked, _ = evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    assert all(one.record for one in asked)
    assert sum(line in kept[:2] for line in path.read_text().splitlines()) == 2
    again, _ = evaluated(index, tmp_path, AskingOptions("offline"), small_settings())
    assert [one.record for one in again] == [one.record for one in asked]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"key": "a\u2028"}\nnonsense\n{"key": "b"}\n')
    with pytest.raises(QuestionsError, match="line 2 is damaged"):
        AnswerFile(tmp_path / "answers.jsonl")


def test_no_more_questions_at_a_time_than_allowed(
    index: PageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, most, lock, search = 0, 0, threading.Lock(), PageIndex.search

    def counted(self: PageIndex, *arguments: Any, **options: Any) -> Any:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            threading.Event().wait(0.05)
            return search(self, *arguments, **options)
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(PageIndex, "search", counted)
    rows = [REVENUE | {"id": str(number), "question": f"net revenue {number}", "answer": "4"} for number in range(8)]
    evaluated(index, tmp_path, AskingOptions("offline"), small_settings(), rows, concurrency=2)
    assert most == 2


# Gemini


def at(server: GeminiServer, **explicit: object) -> Settings:
    return small_settings(google_base_url=server.url, prices={"gemini-3.6-flash": [1.0, 10.0]}, **explicit)


GEMINI = "google_genai:gemini-3.6-flash"
ONE = [REVENUE | {"answer": "4.2 billion"}]


def plays(server: GeminiServer, last: str) -> None:
    server.calls("search_pages", query="net revenue 2023")
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 3"])
    server.says(last)


def test_gemini_is_measured_with_its_cost(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    plays(server, f"It was 4.2 billion euros [{REPORT} p. 2], [{REPORT} p. 3].")
    _, report = evaluated(index, tmp_path, AskingOptions(GEMINI), at(server), ONE)
    assert report.of("right")[1].mean == 1
    assert report.of("citation_precision")[1].mean == 0.5
    assert report.of("citation_recall")[1].mean == 1
    # three calls of 100 tokens in and 10 out, at 1 and 10 dollars a million
    assert report.costs["dollars"] == pytest.approx(3 * (100 * 1 + 10 * 10) / 1e6)
    assert report.costs["model_calls_per_question"] == 3


def test_a_judge_says_whether_the_answer_agrees(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    plays(server, f"Just over four billion [{REPORT} p. 2].")
    server.says("Yes.")
    options = AskingOptions(GEMINI, judge=GEMINI)
    _, report = evaluated(index, tmp_path, options, at(server), ONE)
    assert (report.of("exact")[1].mean, report.of("judged")[1].mean) == (0, 1)
    assert "Expected: 4.2 billion" in server.model_requests[-1].texts[-1]
    asked = len(server.model_requests)
    assert evaluated(index, tmp_path, options, at(server), ONE)[1].of("judged")[1].mean == 1
    assert len(server.model_requests) == asked


def test_a_failure_is_told_and_asked_again(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    server.blocks_the_prompt()
    asked, report = evaluated(index, tmp_path, AskingOptions(GEMINI), at(server), ONE)
    assert asked[0].record is None
    assert "blocked" in report.failures["revenue"]
    plays(server, f"4.2 billion [{REPORT} p. 2].")
    asked, report = evaluated(index, tmp_path, AskingOptions(GEMINI), at(server), ONE)
    assert (report.failures, report.of("right")[1].mean) == ({}, 1)


def test_a_refused_key_ends_the_run(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    server.fails(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")
    with pytest.raises(KeyRefused):
        evaluated(index, tmp_path, AskingOptions(GEMINI), at(server), ROWS[:4], concurrency=1)
    assert len(server.model_requests) == 1


# the command


def test_the_command_prints_and_writes_a_report(
    index: PageIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = str(written(tmp_path / "q.jsonl")), tmp_path / "out"
    arguments = [
        "eval",
        "answers",
        "--questions",
        source,
        "--index",
        str(index.path),
        "--model",
        "offline",
        "--split",
        "kind",
    ]
    assert main([*arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    for part in ("4 questions answered by offline", "citation_recall", "dollars", "By kind", "number"):
        assert part in printed
    assert main([*arguments, "--out", str(out), "--json", "--limit", "2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / "answers.json").read_text())
    assert report["questions"] == 2
    assert report["measures"]["numeric"] == {"questions": 2, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert len((out / "answers.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--questions", "none.jsonl"], 1, "there is no file none.jsonl"),
        (["--questions", "q.jsonl", "--model", "nobody"], 1, "the reasoner 'nobody' is not known"),
        (
            ["--questions", "q.jsonl", "--model", "offline", "--split", "colour"],
            1,
            "no question has the field 'colour'",
        ),
        (["--questions", "q.jsonl", "--concurrency", "0"], 2, "--concurrency"),
    ],
)
def test_bad_input_is_said(
    index: PageIndex, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, complaint: str
) -> None:
    written(Path("q.jsonl"))
    assert main(["eval", "answers", *arguments, "--index", str(index.path)]) == status
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_efforts_are_set_side_by_side(
    index: PageIndex, server: GeminiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-test-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    questions = str(written(tmp_path / "q.jsonl", [ROWS[0]]))
    page = f"{REPORT} p. 2"
    server.calls("view_pages", pages=[page])
    server.says(f"It was 3.9 billion euros [{page}].")
    server.says(f"It was 3.9 billion euros [{page}].")
    server.calls("view_pages", pages=[page])
    server.says(f"It was 3.9 billion euros [{page}].")
    cell = {"found": True, "value": "4.2 billion euros", "statement": "", "page": 1}
    for said in (json.dumps(cell), json.dumps(cell), f"It was 4.2 billion euros [{page}]."):
        server.says(said)
    command = ["eval", "answers", "--questions", questions, "--index", str(index.path), "--out", str(tmp_path)]
    command += ["--model", "google_genai:gemini-3.8-flash", "--effort", "low", "--effort", "high"]
    assert main(command) == 0
    lines = [line.split() for line in capsys.readouterr().out.partition("By effort")[2].splitlines() if line.strip()]
    assert lines[0][:3] == ["effort", "right", "$"]
    low, high = lines[-2:]
    assert (low[:2], high[:2]) == (["low", ".000"], ["high", "1.00"])
    assert 0 < float(low[2]) < float(high[2])
    assert (low[3:5], high[3:5]) == (["3.00", "1.00"], ["5.00", "1.00"])
    told = json.loads((tmp_path / "answers.json").read_text())["efforts"]
    assert [one["effort"] for one in told] == ["low", "high"]
    assert main([*command, "--json"]) == 0  # both are known
    assert server.replies_left == 0
    assert len(json.loads(capsys.readouterr().out)["efforts"]) == 2
