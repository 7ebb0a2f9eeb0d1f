"""The chat from the outside: piped lines, and a person at a pseudo-terminal, with and without pictures."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest
from gemini_server import GeminiServer
from small_index import REPORT, SHEET, write_pdf
from waiting import SOON

from pagesight.agent.cli import main
from pagesight.indexing.calls.prices import price_of

QUESTION = "How high was the net revenue?"
COMMAND = [sys.executable, "-m", "pagesight.agent.cli", "chat"]
PAGES = {
    REPORT: [["Letter to the shareholders"], ["Net revenue rose to 4.2 billion euros in 2023."], ["Employees: 5310"]],
    SHEET: [["Datenblatt Pumpe P7", "Die Leistungsaufnahme beträgt 42 Watt."]],
}
ENVIRONMENT = {
    "TERM": "xterm-256color", "COLORTERM": "truecolor", "PROMPT_TOOLKIT_NO_CPR": "1", "PATH": "/nowhere",
    "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip
#: What the line editor sends when it begins to read a line, and at no other time.
PROMPT = re.escape("\x1b[?2004h")

Chat = Callable[..., pexpect.spawn]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = tmp_path_factory.mktemp("shelf")
    for name, pages in PAGES.items():
        write_pdf(shelf / name, pages)
    assert main(["index", str(shelf), "--index", str(shelf / "index")]) == 0
    return shelf / "index"


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        yield server


@pytest.fixture
def chat(index: Path) -> Iterator[Chat]:
    """Starts a chat on a pseudo-terminal of 10 by 20 pixels a cell, on which something may be ``typed`` already."""
    started: list[pexpect.spawn] = []

    def begin(*options: str, typed: str = "", **environment: str) -> pexpect.spawn:
        child = pexpect.spawn(
            COMMAND[0], [*COMMAND[1:], "--index", str(index), *options], encoding="utf-8", timeout=120,
            env=ENVIRONMENT | environment, dimensions=(40, 100),
        )  # fmt: skip
        started.append(child)
        fcntl.ioctl(child.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 1000, 800))
        child.send(typed)
        child.expect("Ctrl-D ends the chat")
        assert "\x1b[c" not in child.before  # it asks the terminal nothing: the reply could be mixed with what is typed
        child.expect(PROMPT)
        return child

    yield begin
    for child in started:
        child.close(force=True)


def ask(child: pexpect.spawn, line: str, *expected: str) -> str:
    """Types a line, expects these patterns in turn and then the prompt; returns what was shown until then."""
    child.send(f"{line}\r")
    shown = ""
    for pattern in [*expected, PROMPT]:
        child.expect(pattern)
        shown += (child.before or "") + (child.after or "")
    return shown


def at(server: GeminiServer) -> dict[str, str]:
    return {
        "GOOGLE_API_KEY": "AIza-a-test-key", "GOOGLE_GEMINI_BASE_URL": server.url, "PAGESIGHT_MAX_RETRIES": "1"
    }  # fmt: skip


def seen(text: str) -> str:
    """The text without what steers the terminal."""
    return re.sub(r"\x1b\][^\x1b\x07]*(\x1b\\|\x07)|\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)


# Lines from a pipe


def piped(index: Path, *lines: str, **environment: str) -> subprocess.CompletedProcess[str]:
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(
        [*COMMAND, "--index", str(index)], input=text, capture_output=True, text=True, timeout=120,
        env=dict(os.environ) | environment,
    )  # fmt: skip


def test_piped_lines_are_answered_and_only_answers_stand_on_stdout(index: Path) -> None:
    german = "Wie hoch ist die Leistungsaufnahme der Pumpe P7 in Watt?"
    done = piped(index, "", QUESTION, "/nonsense", german, "/pages", "/quit", "never read")
    assert done.returncode == 0, done.stderr
    assert f"billion euros in 2023.” [{REPORT} p. 2]" in done.stdout
    assert f"[{SHEET} p. 1]" in done.stdout
    assert "there is no command /nonsense" in done.stderr
    assert "searched" not in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "▀" not in done.stdout
    assert "never read" not in done.stdout + done.stderr


@pytest.mark.slow
def test_the_chat_goes_on_after_what_failed(index: Path, gemini: GeminiServer) -> None:
    gemini.blocks_the_prompt()
    gemini.fails(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")
    gemini.says("Not found in these documents.")
    commands = ["/index missing.pdf", "/document nothing.pdf", "/model oracle", "/open 7", "/resume 9", "/export x.doc",
                "/open ²", "/resume ²", f"/open {'9' * 5000}", f"/resume {'9' * 5000}", "/open 0",
                "/resume 0"]  # fmt: skip
    done = piped(index, "first", "second", *commands, "third", **at(gemini))
    assert done.returncode == 0, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    expected = ["blocked", "key", "missing.pdf", "nothing.pdf", "oracle", "no page 7", "no conversation 9", "FILE.md",
                "²", "no conversation ²", "99", "no conversation 99", "no page 0", "no conversation 0"]  # fmt: skip
    assert len(errors) == len(expected), errors
    for error, word in zip(errors, expected, strict=True):
        assert word in error
    assert done.stdout.endswith("Not found in these documents.\n")
    assert [text for text in gemini.model_requests[-1].texts if text in ("first", "third")] == ["first", "third"]


# At a terminal


def test_an_answer_comes_with_steps_and_links(chat: Chat, index: Path) -> None:
    child = chat()
    shown = ask(child, QUESTION, "searched", "looked at", "No language model was used")
    assert f'· searched "{QUESTION}" → ' in seen(shown)
    assert "▀" not in shown  # without a protocol for pictures there are none
    links = re.findall(r"\x1b\]8;[^;]*;(file://[^\x1b]+)\x1b\\", shown)
    picture = index / "evidence" / f"{REPORT}-p2.png"
    assert links
    assert set(links) == {picture.as_uri()}
    assert picture.exists()
    assert "question best." in seen(shown)

    pages = seen(ask(child, "/pages", "cited"))
    assert re.search(rf"1 +{re.escape(REPORT)} p\. 2 .*cited", pages)
    assert "evidence" in ask(child, "/open 1", re.escape(f"{REPORT}-p2.png"))
    assert "tokens" in ask(child, "/cost", "last answer")
    commands = seen(ask(child, "/help", "/quit"))
    assert all(name in commands for name in ("/documents", "/index", "/export", "/quit"))
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_terminal_that_shows_sixel_gets_pictures(chat: Chat) -> None:
    child = chat(TERM_PROGRAM="WezTerm", typed=f"{QUESTION}\r")  # before there is a prompt, and no letter is lost
    child.expect("No language model was used")
    shown = child.before
    assert f'· searched "{QUESTION}" → ' in seen(shown)
    assert "\x1bP0;0;0q" in shown
    assert "▀" not in shown


def test_a_terminal_within_one_that_shows_sixel_gets_none(chat: Chat) -> None:
    child = chat(TERM="tmux-256color", TERM_PROGRAM="tmux", LC_TERMINAL="iTerm2", typed=f"{QUESTION}\r")
    child.expect("No language model was used")
    assert "\x1bP" not in child.before


def test_pictures_can_be_left_out(chat: Chat) -> None:
    shown = ask(chat("--no-pictures"), QUESTION, "No language model was used")
    assert "▀" not in shown
    assert "\x1bP" not in shown


@pytest.mark.slow
def test_ctrl_c_stops_the_answer_and_not_the_chat(chat: Chat, gemini: GeminiServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        child = chat("--no-pictures", GOOGLE_API_KEY="AIza-a-test-key", GOOGLE_GEMINI_BASE_URL=address)
        child.send(f"{QUESTION}\r")
        deaf.settimeout(45)
        connection, _ = deaf.accept()
        time.sleep(0.2)
        child.sendintr()
        pressed = time.monotonic()
        child.expect("stopped")
        child.expect(PROMPT)
        assert time.monotonic() - pressed < SOON
        connection.close()
    child.sendintr()
    child.expect("/quit or Ctrl-D ends the chat")
    child.expect(PROMPT)
    ask(child, "/model offline", "reasoner: offline")
    ask(child, "And the employees?", "looked at", "No language model was used")


@pytest.mark.slow
def test_lines_are_edited_and_come_back_in_the_next_chat(chat: Chat) -> None:
    child = chat("--no-pictures")
    child.send("/hxlp\x1b[D\x1b[D\x7fe\r")  # two to the left, the x away, an e
    child.expect("begin a new conversation")
    child.expect(PROMPT)
    ask(child, "/documents", "datenblatt")
    child.send("\x04")
    child.expect(pexpect.EOF)
    again = chat("--no-pictures")
    again.send("\x1b[A\x1b[A\r")
    again.expect("begin a new conversation")


def test_a_chat_is_narrowed_and_opened_again(chat: Chat) -> None:
    child = chat("--no-pictures")
    ask(child, f"/document {SHEET}", f"keeps to {SHEET}")
    narrowed = seen(ask(child, "Wie viel Watt beträgt die Leistungsaufnahme?", "searched .* → 1 page"))
    assert f"[{SHEET} p. 1]" in narrowed
    assert f"[{REPORT}" not in seen(ask(child, QUESTION, "searched", "used"))
    ask(child, "/document", "open to all documents")
    assert f"[{REPORT} p. 2]" in seen(ask(child, QUESTION, "searched", "used"))


@pytest.mark.slow
def test_documents_are_added_in_a_chat(chat: Chat, tmp_path: Path) -> None:
    folder = tmp_path / "new ones"
    folder.mkdir()
    write_pdf(folder / "memo.pdf", [["The zeppelin lands on Friday."]])
    child = chat("--no-pictures")
    ask(child, f"/index {folder}", "documents: 1 added")
    assert "[memo.pdf p. 1]" in seen(ask(child, "When does the zeppelin land?", "searched", "used"))


@pytest.mark.slow
def test_a_conversation_is_exported(chat: Chat, own_folder: Path, gemini: GeminiServer) -> None:
    gemini.calls("search_pages", query="net revenue")
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was 4.2 billion euros [{REPORT} p. 2].", tokens=(1_000_000, 10))
    child = chat("--no-pictures", **at(gemini))
    ask(child, QUESTION, "4.2 billion")
    cost = seen(ask(child, "/cost", "conversation"))
    price = price_of("gemini-3.8-flash")
    assert price
    dollars = re.escape(f"${price.input + price.output * 30 / 1e6 + price.input * 200 / 1e6:.2f}")
    assert re.search(rf"1,000,2\d\d tokens in, \d+ out, 3 model calls, {dollars}", cost)
    ask(child, "/export out.md", "written: out.md")
    ask(child, "/export out.html", "written: out.html")
    ask(child, "/export out.md", "there already")
    text = Path("out.md").read_text()
    assert f"# {QUESTION}" in text
    assert f"It was 4.2 billion euros [{REPORT} p. 2]." in text
    (picture,) = re.findall(r"<(out-pages/.+\.png)>", text)
    assert Path(picture).exists()
    assert 'It was 4.2 billion euros <a class="cite"' in Path("out.html").read_text()


def screen_of(text: str, columns: int = 100, rows: int = 40) -> str:
    """What stands on a terminal after all that was written to it."""
    screen = pyte.HistoryScreen(columns, rows, history=1000)
    pyte.Stream(screen).feed(re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", text))  # it does not know links
    above = ["".join(line[column].data for column in range(columns)) for line in screen.history.top]
    return "\n".join(line.rstrip() for line in [*above, *screen.display])


@pytest.mark.slow
def test_a_corrected_draft_does_not_stay_beside_the_answer(chat: Chat, gemini: GeminiServer) -> None:
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was **five** [{REPORT} p. 1]. " + "And more of the draft. " * 200)
    gemini.says(f"It was **4.2 billion euros** [{REPORT} p. 2].")
    shown = ask(chat("--no-pictures", **at(gemini)), QUESTION, "asked to correct", "4.2 billion")
    assert "And more of the draft." in seen(shown)  # it was shown as it came
    screen = screen_of(shown)
    assert "asked to correct" in screen
    assert screen.count("It was 4.2 billion euros [") == 1
    assert "It was five" not in screen
    assert "draft" not in screen


MARKDOWN = f"""## Revenue

It was **4.2 billion** euros [{REPORT} p. 2].

| year | revenue |
|---|---:|
| 2022 | 3.9 |
| 2023 | 4.2 [{REPORT} p. 2] |

1. <b>first</b>, [elsewhere](https://evil.example)
2. second_of_two
"""


def test_markdown_is_drawn(chat: Chat, index: Path, gemini: GeminiServer) -> None:
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(MARKDOWN)
    shown = ask(chat("--no-pictures", **at(gemini)), QUESTION, "second_of_two")
    screen = screen_of(shown)
    assert re.search(r"^Revenue$", screen, re.M)
    assert f"It was 4.2 billion euros [{REPORT} p. 2]." in screen
    assert re.search(r"^ +year +revenue *$", screen, re.M)
    assert re.search(r"^ +2022 +3\.9 *$", screen, re.M)
    assert re.search(r"1 <b>first</b>, elsewhere \(https://evil\.example\)", screen)
    assert "**" not in screen
    links = set(re.findall(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\", shown))
    assert links == {(index / "evidence" / f"{REPORT}-p2.png").as_uri()}


@pytest.mark.parametrize("columns", [60, 140])
def test_the_claims_stand_below_the_answer_however_wide(index: Path, gemini: GeminiServer, columns: int) -> None:
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    for _ in range(2):  # the second time when it was asked to correct what is not so
        gemini.says(
            f"Net revenue rose to 4.2 billion euros in 2023 [{REPORT} p. 2].\n\n"
            f"Net revenue had been as much as 9.9 billion euros in 2022 [{REPORT} p. 2]."
        )
    child = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:-1], "ask", QUESTION, "--index", str(index)], encoding="utf-8",
        timeout=120, env=ENVIRONMENT | at(gemini), dimensions=(40, columns),
    )  # fmt: skip
    child.expect(pexpect.EOF)
    screen = screen_of(child.before, columns)
    assert re.search(r"^claims: ✓ 1 as the cited words say, \? 1 ", screen, re.M), screen
    doubted = re.search(r"^  \? (Net revenue had .*(?:\n    \S.*)*)", screen, re.M)
    assert doubted, screen
    assert re.sub(r"\n +", " ", doubted[1]).endswith("; 9.9 billion euros is not on the cited page"), screen


@pytest.mark.slow
def test_what_was_said_before_ctrl_c_stays(chat: Chat, gemini: GeminiServer) -> None:
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"The beginning [{REPORT} p. 2], and the end, which does not come for a long while.", drips=3)
    child = chat("--no-pictures", **at(gemini))
    child.send(f"{QUESTION}\r")
    child.expect("The begin")
    child.sendintr()
    child.expect("stopped")
    assert "The begin" in screen_of(child.before)


def test_what_documents_say_cannot_steer_the_terminal(chat: Chat, gemini: GeminiServer) -> None:
    gemini.says("Not found in these documents. \x1b]0;owned\x07 \x1b[2J red \x1b]8;;http://evil.example\x1b\\x")
    shown = ask(chat("--no-pictures", **at(gemini)), "Who?", "Not found", "red")
    for trick in ("\x1b]0;", "\x1b[2J", "\x1b]8;;http"):
        assert trick not in shown
