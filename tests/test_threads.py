"""Kept conversations from the outside: they survive a kill, can be listed and gone on with, and stay small."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gemini_server import GeminiServer
from small_index import REPORT, write_pdf

from pagesight.agent.cli import main

QUESTION = "How high was the net revenue?"
COMMAND = [sys.executable, "-m", "pagesight.agent.cli", "chat", "--index"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = tmp_path_factory.mktemp("shelf")
    write_pdf(shelf / REPORT, [["Letter"], ["Net revenue rose to 4.2 billion euros in 2023."], ["Employees: 5310"]])
    assert main(["index", str(shelf), "--index", str(shelf / "index")]) == 0
    return shelf / "index"


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-test-key")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        monkeypatch.setenv("PAGESIGHT_MAX_RETRIES", "1")
        yield server


def start(index: Path, *options: str) -> subprocess.Popen[str]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*COMMAND, str(index), *options], text=True, bufsize=1, env=dict(os.environ), **pipes)


def chat(index: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[str, str]:
    """What a chat with these lines says on stdout and stderr."""
    process = start(index, *options)
    out, err = process.communicate("".join(f"{line}\n" for line in lines), timeout=120)
    assert process.returncode == 0, err
    return out, err


def test_a_conversation_survives_a_kill_and_is_gone_on_with(index: Path, gemini: GeminiServer) -> None:
    gemini.calls("search_pages", query="net revenue")
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was 4.2 billion euros [{REPORT} p. 2].")
    process = start(index)
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{QUESTION}\n")
    assert "4.2 billion" in process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)

    gemini.says(f"In Asia the same [{REPORT} p. 2].")
    out, err = chat(index, "/resume", "And in Asia?", "/threads")

    assert f"> {QUESTION}" in err
    assert f"looked at {REPORT} p. 2" in err
    assert out.startswith(f"It was 4.2 billion euros [{REPORT} p. 2].\nIn Asia the same [{REPORT} p. 2].\n")
    last = gemini.model_requests[-1]
    assert [text for text in last.texts if text in (QUESTION, "And in Asia?")] == [QUESTION, "And in Asia?"]
    assert last.pictures, "the page that was looked at before is shown again"
    assert re.search(rf"1\t.*\t2\t{re.escape(QUESTION)} \(this one\)", out)


def test_a_kill_in_the_middle_of_an_answer_costs_that_question_only(index: Path, gemini: GeminiServer) -> None:
    gemini.says("Not found in these documents.")
    gemini.says("A long story " * 50, drips=0.5)
    process = start(index)
    assert process.stdin
    process.stdin.write(f"{QUESTION}\nTell me all\n")
    deadline = time.monotonic() + 60
    while len(gemini.model_requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    gemini.says("There is nobody.")

    out, err = chat(index, "Is anybody there?", options=("--resume",))

    assert f"> {QUESTION}" in err
    assert out == "Not found in these documents.\nThere is nobody.\n"
    assert QUESTION in gemini.model_requests[-1].texts


def test_conversations_are_listed_newest_first_and_resumed_by_number(index: Path) -> None:
    chat(index, QUESTION, "/new", "How many employees are there?", "and how high was the revenue?")
    out, err = chat(index, "/threads", "/resume 2", "/pages")
    rows = re.findall(r"^(\d)\t\d{4}-\d\d-\d\d \d\d:\d\d\t(\d)\t(.*)$", out, re.M)
    assert rows == [("1", "2", "How many employees are there?"), ("2", "1", QUESTION)]
    assert f"> {QUESTION}" in err
    assert "How many employees" not in err
    assert re.search(rf"{re.escape(REPORT)} p\. 2\t.*cited", out)


def test_a_file_of_conversations_that_is_damaged_is_named(index: Path) -> None:
    (index / "threads.db").write_bytes(b"this is no database " * 400)
    process = start(index)
    _, err = process.communicate("/threads\n", timeout=60)
    assert process.returncode == 1
    assert re.search(
        r"^error: the kept conversations in .*threads\.db cannot be used .* move that file away", err, re.M
    )
    assert "Traceback" not in err


def test_a_long_conversation_stays_small(index: Path) -> None:
    chat(index, *[f"How high was the net revenue, question {number}?" for number in range(12)])
    assert sum(file.stat().st_size for file in index.glob("threads.db*")) < 4_000_000
