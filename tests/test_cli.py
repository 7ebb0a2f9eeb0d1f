"""The command line from the outside: what stands on stdout and stderr, and the exit status."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from gemini_server import GeminiServer
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.pdfgen import canvas
from small_index import REPORT, SHEET, write_pdf
from waiting import SOON

from pagesight.agent.cli import main
from pagesight.agent.terminal import progress_bars

QUESTION = "How high was the net revenue?"
COMMAND = [sys.executable, "-m", "pagesight.agent.cli"]
PAGES = {
    REPORT: [["Letter to the shareholders"], ["Net revenue rose to 4.2 billion euros in 2023."], ["Employees: 5310"]],
    SHEET: [["Datenblatt Pumpe P7", "Die Leistungsaufnahme beträgt 42 Watt."]],
}


@dataclass
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def pagesight(capsys) -> Callable[..., Done]:
    """Runs the command line in this process, which spares the seconds of a start."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Done(status, *capsys.readouterr())

    return run


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Starts the command line as a process of its own."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*COMMAND, *map(str, arguments)], text=True, **(pipes | options))


def spawn(*arguments: object, **options: Any) -> Done:
    """Runs the command line as a process of its own."""
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """A folder with a report of three pages and a German data sheet."""
    folder = tmp_path_factory.mktemp("shelf")
    for name, pages in PAGES.items():
        write_pdf(folder / name, pages)
    return folder


@pytest.fixture(scope="module")
def made(shelf) -> Path:
    """An index of the shelf, for tests that only read."""
    index = shelf.parent / f"{shelf.name}-index"
    assert main(["index", str(shelf), "--index", str(index)]) == 0
    return index


@pytest.fixture
def own(made, tmp_path) -> Path:
    """A copy of the index, for tests that write."""
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture
def gemini(monkeypatch) -> Iterator[GeminiServer]:
    """A server that speaks Gemini's protocol, set up as the environment sets up the real one."""
    with GeminiServer() as server:
        monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-test-key")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        monkeypatch.setenv("PAGESIGHT_MAX_RETRIES", "1")
        yield server


def one_error(done: Done, pattern: str) -> None:
    """The command failed with one clear line, nothing on stdout and no traceback."""
    assert done.status == 1
    assert done.out == ""
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.err
    assert re.search(pattern, errors[0]), errors[0]
    assert "Traceback" not in done.err


# help and wrong usage


def test_help_lists_the_commands(pagesight):
    done = pagesight("--help")
    assert done.status == 0
    for command in ("index", "search", "ask", "chat", "documents", "remove", "doctor"):
        assert re.search(rf"^  {command}  +\w", done.out, re.M)


def test_help_is_short_too_and_lists_commands_in_the_order_of_use(pagesight):
    assert pagesight("-h").out == pagesight("--help").out
    assert pagesight("search", "-h").out == pagesight("search", "--help").out
    assert "--install-completion" in pagesight("-h").out
    listed = re.findall(r"^  (\w+)  +\w", pagesight("-h").out.partition("Commands:")[2], re.M)
    order = [name for name in listed if name in ("index", "ask", "chat", "search", "documents", "doctor", "eval")]
    assert order == ["index", "ask", "chat", "search", "documents", "doctor", "eval"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell):
    asked = {"_PAGESIGHT_COMPLETE": f"complete_{shell}", "COMP_WORDS": "pagesight sea", "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": "pagesight sea", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(COMMAND, capture_output=True, text=True, env={**os.environ, **asked}, timeout=60)
    assert "search" in done.stdout
    assert "remove" not in done.stdout


def test_variables_that_set_nothing_are_named(pagesight, made, monkeypatch, own_folder):
    monkeypatch.setenv("PAGESIGHT_TOPK", "1")
    (own_folder / ".env").write_text("PAGESIGHT_RENDERR=poppler\nPAGESIGHT_TOP_K=1\nOTHER=1\n")
    done = pagesight("search", "net revenue", "--index", made, "--json")
    assert len(done.json) == 1
    warned = " ".join(done.err.split()).split("warning: ")[1:]
    assert sorted(line.split()[0] for line in warned) == ["PAGESIGHT_RENDERR", "PAGESIGHT_TOPK"]
    assert "did you mean PAGESIGHT_TOP_K?" in done.err
    assert str(own_folder / ".env") in done.err


def test_a_page_is_shown_without_saying_where(pagesight, own):
    done = pagesight("view", f"[{REPORT} p. 2]", "--index", own)
    path = Path(done.out.strip())
    assert path.parent == own / "evidence"
    with Image.open(path) as picture:
        assert picture.size[0] > 100
    mapped = pagesight("view", f"{REPORT} p. 2", "--index", own, "--query", "net revenue", "--out", own / "map.png")
    assert mapped.out == f"{own / 'map.png'}\n"


def test_version(pagesight):
    assert re.fullmatch(r"pagesight \d+\.\d+\.\d+\n", pagesight("--version").out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["--nope"],
        ["index"],
        ["search"],
        ["search", "x", "--nope"],
        ["search", "x", "--top-k", "0"],
        ["search", "x", "--top-k", "many"],
        ["search", "two", "questions"],
        ["ask"],
        ["ask", "x", "--transport", "pigeon"],
        ["chat", "--json"],
        ["remove"],
    ],
)
def test_wrong_usage_exits_with_2(pagesight, arguments):
    done = pagesight(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert "Error: " in done.err
    assert "--help" in done.err


def test_a_misspelt_command_is_guessed(pagesight):
    assert "Did you mean 'search'?" in pagesight("serach", "x").err


def test_what_is_logged_is_shown_with_v_only(own, tmp_path):
    """Without what steers the terminal, and no longer than the command runs: who called it has its own log."""
    odd = own.rename(tmp_path / "red\x1b[31m")
    script = tmp_path / "log.py"
    script.write_text(
        "import logging, sys\nfrom pagesight.agent.cli import main\nmain(sys.argv[1:])\n"
        "logging.getLogger('pagesight.indexing.x').debug('later')\nlogging.getLogger('other').debug('no')\n"
    )

    def told(*arguments: str) -> str:
        command = [sys.executable, script, "search", "revenue", "--index", odd, "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)
        return done.stderr

    shown = told("-v")
    assert re.search(r"^ *\d+ ms  indexing\.\S+: opened .*/red\[31m: \d+ pages", shown, re.M)
    assert not re.search("\x1b|later|no$", shown)
    assert told() == ""


# index


def test_index_says_what_it_did(pagesight, shelf, tmp_path):
    done = pagesight("index", shelf, "--index", tmp_path / "index")
    assert done.status == 0
    assert re.match(r"documents: 2 added\n4 pages in \d+\.\d s \(\d+\.\d pages/s\), encoder lexical: \w", done.out)
    again = pagesight("index", shelf, "--index", tmp_path / "index")
    assert again.status == 0
    assert again.out.startswith("documents: 2 unchanged\n0 pages in ")


def test_a_log_shows_how_far_it_has_come(pagesight, shelf, tmp_path, monkeypatch):
    """Without a terminal nothing moves, so a line comes in a while."""
    quick = pagesight("index", shelf, "--index", tmp_path / "quick")
    assert "of 4 pages" not in quick.err
    monkeypatch.setattr(progress_bars, "SECONDS_BETWEEN_LINES", 0)
    told = pagesight("index", shelf, "--index", tmp_path / "slow", "--json")
    assert re.search(r"^4 of 4 pages, \d+(\.\d a second| a minute): \S+\.pdf$", told.err, re.M)
    assert re.search(r"^4 pages found so far: \S+\.pdf$", told.err, re.M)
    assert told.json["pages"] == 4
    swept = pagesight("sweep", "How high was the net revenue?", "--index", tmp_path / "slow")
    assert re.search(r"^1 of 2 documents, \d+(\.\d a second| a minute)$", swept.err, re.M)


def test_a_changed_document_is_replaced(pagesight, own, tmp_path):
    paper = write_pdf(tmp_path / "paper.pdf", [["First version"]])
    pagesight("index", paper, "--index", own)
    write_pdf(paper, [["Second version"], ["with one page more"]])
    report = pagesight("index", paper, "--index", own, "--json").json
    assert [record["pages"] for record in report["replaced"]] == [2]
    assert report["pages"] == 2
    assert pagesight("search", "first", "--document", "paper.pdf", "--index", own).out.count("paper.pdf") <= 2


def bad_documents(folder: Path) -> dict[str, str]:
    """Makes files that cannot be indexed; returns name → what the error says."""
    (folder / "letter.pdf").write_text("Dear reader, this is no PDF.")
    whole = write_pdf(folder / "whole.pdf", [["One"], ["Two"]]).read_bytes()
    (folder / "whole.pdf").unlink()
    (folder / "cut.pdf").write_bytes(whole[: len(whole) // 3])
    locked = canvas.Canvas(str(folder / "locked.pdf"), encrypt=pdfencrypt.StandardEncryption("secret"))
    locked.drawString(72, 700, "Nobody reads this")
    locked.save()
    pypdfium2.PdfDocument.new().save(folder / "blank.pdf")
    return {
        "letter.pdf": r"(?i)not a|no PDF",
        "cut.pdf": r"(?i)damaged|truncated|cut",
        "locked.pdf": r"(?i)password",
        "blank.pdf": r"(?i)no pages|truncated|damaged",
    }


@pytest.mark.slow
def test_what_cannot_be_indexed_is_named_and_the_rest_is_indexed(pagesight, shelf, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(shelf, mixed)
    expected = bad_documents(mixed)
    (tmp_path / "empty").mkdir()
    paths = [mixed, tmp_path / "missing.pdf", tmp_path / "empty"]

    done = spawn("index", *paths, "--index", tmp_path / "index")
    assert done.status == 1
    assert done.out.startswith("documents: 2 added, 6 failed\n4 pages ")
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 6
    for name, reason in expected.items():
        assert any(name in line and re.search(reason, line) for line in errors), (name, errors)
    assert any("missing.pdf" in line and "nothing at" in line for line in errors)
    assert any(str(tmp_path / "empty") in line for line in errors)
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err

    listed = pagesight("documents", "--index", tmp_path / "index", "--json").json
    assert sorted(record["document"] for record in listed) == sorted(PAGES)


def test_failures_in_json(pagesight, own, tmp_path):
    done = pagesight("index", tmp_path / "missing.pdf", "--index", own, "--json")
    assert done.status == 1
    assert set(done.json) == {
        "added", "replaced", "unchanged", "repaired", "failed", "warnings", "passed_over", "pages", "seconds"
    }  # fmt: skip
    assert done.json["failed"][0]["path"].endswith("missing.pdf")
    assert "error: " in done.err


def test_a_page_of_enormous_size_is_indexed_within_the_pixel_limit(pagesight, tmp_path, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_MAX_PIXELS", "1000000")
    poster = write_pdf(tmp_path / "poster.pdf", [["A poster of five metres"]], size=(14400, 14400))
    assert pagesight("index", poster, "--index", "posters").status == 0
    done = pagesight("ask", "poster of five metres", "--index", "posters", "--evidence", "pictures")
    assert done.status == 0, done.err
    with Image.open("pictures/poster.pdf-p1.png") as picture:
        assert picture.width * picture.height <= 1_000_000


def test_progress_is_shown_on_a_terminal_only(shelf, tmp_path):
    main_end, child_end = pty.openpty()
    process = start("index", shelf, "--index", tmp_path / "index", stderr=child_end)
    os.close(child_end)
    with ThreadPoolExecutor(1) as reader:
        drained = reader.submit(_all_of, main_end)  # while it runs: a terminal that nobody reads holds up the program
        try:
            out, _ = process.communicate(timeout=120)
        finally:
            process.kill()
        shown = drained.result(timeout=60)
    os.close(main_end)
    assert process.returncode == 0
    assert "documents: 2 added" in out
    assert b"4/4" in shown


def _all_of(descriptor: int) -> bytes:
    return b"".join(iter(lambda: _read(descriptor), b""))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_a_full_disk_loses_nothing(pagesight, shelf, own, tmp_path):
    small = tmp_path / "small disk"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        shutil.copytree(own, small / "index")
        (small / "ballast").write_bytes(b"\0" * (shutil.disk_usage(small).free - 8192))
        big = write_pdf(tmp_path / "big.pdf", [[f"Page {number}", "text " * 20] for number in range(40)])
        one_error(pagesight("index", big, "--index", small / "index"), "disk is full.*[Ff]ree some space")
        (small / "ballast").unlink()
        kept = pagesight("documents", "--index", small / "index", "--json")
        assert {record["document"] for record in kept.json} == set(PAGES)
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_an_index_of_another_encoder_is_refused(pagesight, shelf, own):
    recorded = json.loads((own / "index.json").read_text())
    recorded["encoder"]["revision"] = "of another time"
    (own / "index.json").write_text(json.dumps(recorded))
    one_error(pagesight("index", shelf, "--index", own), "made with the encoder.*of another time.*--index OTHER")
    one_error(pagesight("search", "revenue", "--index", own), "made with the encoder")


def test_an_unknown_encoder_is_refused(pagesight, shelf):
    one_error(pagesight("index", shelf, "--encoder", "crystal-ball"), "no encoder 'crystal-ball'.*lexical")


# search


def test_search_prints_a_line_for_each_page(pagesight, made):
    done = pagesight("search", "net revenue", "--index", made)
    assert done.status == 0
    first = done.out.splitlines()[0]
    assert re.match(rf"1\t{re.escape(REPORT)} p\. 2\t\d+\.\d+\tNet revenue rose to 4\.2 billion", first)


def test_a_search_that_nothing_matches_says_so(pagesight, made):
    done = pagesight("search", "zebra unicorn", "--index", made)
    assert done.status == 0
    assert done.out == ""
    assert "no page matches" in done.err
    assert pagesight("search", "zebra unicorn", "--index", made, "--json").json == []


def test_search_in_json(pagesight, made):
    hits = pagesight("search", "net revenue", "--index", made, "--json").json
    best = hits[0]
    assert list(best) == ["rank", "label", "document", "document_id", "page", "score", "boxes", "lines", "regions"]
    assert (best["rank"], best["label"], best["document"], best["page"]) == (1, f"{REPORT} p. 2", REPORT, 2)
    assert re.fullmatch("[0-9a-f]{16}", best["document_id"])
    assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in best["boxes"])
    assert any("4.2 billion" in line for line in best["lines"])
    [[ymin, xmin, ymax, xmax]] = best["regions"]
    assert 0 <= ymin < 100 < 130 < ymax <= 300
    assert 0 <= xmin < 130 < 300 < xmax <= 700


def test_search_is_narrowed(pagesight, made):
    assert len(pagesight("search", "the", "--index", made, "--top-k", 1, "--json").json) <= 1
    narrowed = pagesight("search", "net revenue Pumpe", "--document", SHEET, "--index", made, "--json").json
    assert {hit["document"] for hit in narrowed} == {SHEET}
    both = ["--document", SHEET, "--document", REPORT]
    hits = pagesight("search", "net revenue Pumpe", *both, "--index", made, "--json").json
    assert {hit["document"] for hit in hits} == {SHEET, REPORT}


def test_the_index_is_named_before_or_after_the_command(pagesight, made, monkeypatch):
    assert pagesight("--index", made, "search", "revenue").status == 0
    assert pagesight("--index", "nowhere", "search", "revenue", "--index", made).status == 0
    monkeypatch.setenv("PAGESIGHT_INDEX", str(made))
    assert pagesight("search", "revenue").status == 0
    one_error(pagesight("--index", "nowhere", "search", "revenue"), "no index in .*nowhere")


@pytest.mark.parametrize("command", ["search", "ask"])
@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_an_empty_question_is_refused(pagesight, made, command, mode):
    one_error(pagesight(command, "  ", "--index", made, *mode), "(?i)empty|no words")


@pytest.mark.parametrize("command", [["search", "x"], ["ask", "x"], ["chat"], ["documents"], ["remove", "x"]])
def test_a_missing_index_is_named_with_the_way_out(pagesight, command, own_folder):
    one_error(pagesight(*command), r"no index in .*\.pagesight.*pagesight index")
    assert list(own_folder.iterdir()) == []


def test_an_unknown_document_is_named(pagesight, made):
    for command in (["search", "x", "--document"], ["ask", "x", "--document"], ["remove"]):
        one_error(pagesight(*command, "anual-report.pdf", "--index", made), f"anual-report.pdf.*{REPORT}")


def test_a_setting_that_cannot_be_used_is_named(pagesight, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_TOP_K", "many")
    one_error(pagesight("search", "x"), "top_k.*PAGESIGHT_")


# ask


def test_pages_that_nobody_searched_are_not_announced(pagesight, made, gemini):
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was 4.2 billion euros [{REPORT} p. 2].")
    done = pagesight("ask", QUESTION, "--index", made, "--no-evidence")
    assert done.status == 0
    assert "pages searched" not in done.err


def test_ask_without_a_model(pagesight, made, own_folder):
    done = pagesight("ask", QUESTION, "--index", made, "--evidence", "pictures")
    assert done.status == 0
    assert f"[{REPORT} p. 2]" in done.out
    assert re.search(rf"pages searched:\n +1\. {re.escape(REPORT)} p\. 2 .*\(looked at\)", done.err)
    assert f"[{REPORT} p. 2]  pictures/{REPORT}-p2.png" in done.err
    with Image.open(own_folder / "pictures" / f"{REPORT}-p2.png") as picture:
        assert picture.format == "PNG"
        yellow = [colour for _, colour in picture.getcolors(1 << 24) if colour[0] > 200 and colour[2] < 60]
        assert yellow, "nothing is highlighted"
    assert "reasoner: offline (" in done.err
    assert "searched" in done.err


def test_evidence_lies_in_the_index_unless_told_otherwise(pagesight, own):
    done = pagesight("ask", QUESTION, "--index", own)
    assert str(own / "evidence" / f"{REPORT}-p2.png") in done.err
    assert (own / "evidence" / f"{REPORT}-p2.png").exists()
    assert "evidence" not in pagesight("ask", QUESTION, "--index", own, "--no-evidence").err


@pytest.mark.slow
def test_files_are_asked_about_without_an_index(pagesight, shelf, tmp_path):
    first = pagesight("ask", QUESTION, shelf / REPORT, "--no-evidence")
    assert first.status == 0
    assert f"4.2 billion euros in 2023.” [{REPORT} p. 2]" in first.out
    assert "read 3 pages of 1 document" in first.err
    moved = Path(shutil.copy(shelf / REPORT, tmp_path / REPORT))
    again = pagesight("ask", QUESTION, moved, "--no-evidence")  # the same file, wherever it is
    assert again.out == first.out
    assert "read 3 pages" not in again.err
    both = pagesight("ask", "Leistungsaufnahme der Pumpe P7", shelf, tmp_path / "missing.pdf", "--no-evidence")
    assert f"[{SHEET} p. 1]" in both.out
    assert "missing.pdf" in both.err
    assert len(list((tmp_path / "cache" / "pagesight" / "asked").iterdir())) == 2


def test_files_that_cannot_be_asked_about_are_named(pagesight, shelf, tmp_path, made):
    one_error(pagesight("ask", QUESTION, tmp_path / "missing.pdf"), "missing.pdf")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    one_error(pagesight("ask", QUESTION, tmp_path / "broken.pdf"), "broken.pdf")
    assert pagesight("ask", QUESTION, shelf / REPORT, "--index", made).status == 2


def test_ask_in_json(pagesight, made):
    answer = pagesight("ask", QUESTION, "--index", made, "--json").json
    assert list(answer) == ["answer", "found", "citations", "claims", "pages_viewed", "usage", "reasoner"]
    assert answer["found"] is True
    assert answer["reasoner"] == "offline"
    assert {claim["outcome"] for claim in answer["claims"]} == {"supported"}
    plain = pagesight("ask", QUESTION, "--index", made, "--no-evidence")
    assert "claims:" not in plain.out + plain.err  # a quotation stands where it was taken from
    assert answer["citations"][0] | {"region": None} == {
        "label": f"{REPORT} p. 2", "document": REPORT, "page": 2, "region": None
    }  # fmt: skip
    assert f"{REPORT} p. 2" in answer["pages_viewed"]


def test_gemini_answers_when_there_is_a_key(pagesight, made, gemini):
    gemini.calls("search_pages", query="net revenue")
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was 4.2 billion euros [{REPORT} p. 2, region 50,50,200,800].")
    done = pagesight("ask", QUESTION, "--index", made, "--evidence", "pictures")
    assert done.status == 0, done.err
    # The region is drawn to the words that say it.
    assert done.out == f"It was 4.2 billion euros [{REPORT} p. 2, region 74,302,88,333].\n"
    assert "reasoner: google_genai:" in done.err
    assert "GOOGLE_API_KEY" in done.err
    assert Path("pictures", f"{REPORT}-p2.png").exists()
    assert len(gemini.model_requests[-1].pictures) == 1


@pytest.mark.parametrize(
    ("said", "found", "status"),
    [
        (f"Net revenue was 4.2 billion euros [{REPORT} p. 2].", True, 0),
        (f"Net revenue was 4.7 billion euros [{REPORT} p. 2].", False, 3),
        ("Not found in these documents.", False, 3),
    ],
)
def test_strictly_what_the_pages_do_not_say_is_not_found(pagesight, made, gemini, said, found, status):
    for _ in range(2):  # as JSON and as text
        gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
        gemini.says(said)
        if "4.7" in said:
            gemini.says(said)
    done = pagesight("ask", QUESTION, "--index", made, "--strict", "--json")
    assert (done.status, done.json["found"]) == (status, found)
    done = pagesight("ask", QUESTION, "--index", made, "--strict", "--no-evidence")
    assert (done.status, done.out) == (status, f"{said}\n")
    assert gemini.replies_left == 0


def test_strictly_asks_for_a_check(pagesight, made):
    done = pagesight("ask", QUESTION, "--index", made, "--strict", "--verify", "off")
    assert done.status == 2
    assert "--verify off" in done.err


def test_the_model_can_be_named(pagesight, made, gemini):
    gemini.says("Not found in these documents.")
    done = pagesight("ask", QUESTION, "--model", "google_genai:gemini-of-tomorrow", "--index", made, "--json")
    assert done.status == 0, done.err
    assert done.json["reasoner"] == "google_genai:gemini-of-tomorrow"
    assert done.json["found"] is False
    assert "/models/gemini-of-tomorrow:" in gemini.model_requests[0].path
    quoting = pagesight("ask", QUESTION, "--reasoner", "offline", "--index", made, "--json")
    assert quoting.json["reasoner"] == "offline"


def test_the_answer_stands_alone_on_stdout(made, gemini):
    """What thinks aloud, what is corrected and all steps go to stderr: ``ask … > answer.txt`` holds the answer."""
    gemini.calls("search_pages", aloud=f"Perhaps [{REPORT} p. 3] says so.", query="net revenue")
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was 5 billion [{REPORT} p. 1].")
    gemini.says(f"It was 4.2 billion euros [{REPORT} p. 2].")
    done = spawn("ask", QUESTION, "--index", made, "--no-evidence", env=dict(os.environ))
    assert (done.status, done.out) == (0, f"It was 4.2 billion euros [{REPORT} p. 2].\n"), done.err
    assert "asked to correct" in done.err
    assert "\x1b" not in done.out + done.err


def test_ctrl_c_ends_an_answer_that_waits_for_the_model(made):
    """The model's server never answers; nothing is left behind and nothing is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        env = os.environ | {"GOOGLE_API_KEY": "AIza-a-test-key", "GOOGLE_GEMINI_BASE_URL": address}
        process = start("ask", QUESTION, "--index", made, env=env)
        deaf.settimeout(60)
        connection, _ = deaf.accept()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        out, err = process.communicate(timeout=60)
        connection.close()
    assert (process.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    assert time.monotonic() - asked < SOON


@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_a_refused_key_is_said(pagesight, made, gemini, mode):
    gemini.fails(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")
    one_error(pagesight("ask", QUESTION, "--index", made, *mode), "key.*GOOGLE_API_KEY")


def test_a_blocked_or_empty_answer_is_said(pagesight, made, gemini):
    gemini.blocks_the_prompt()
    assert re.search("error: .*blocked", pagesight("ask", QUESTION, "--index", made).err)
    gemini.gives_no_candidate()
    done = pagesight("ask", QUESTION, "--index", made)
    assert (done.status, "error: " in done.err) == (1, True)


def test_a_model_without_its_key_or_name_is_refused(pagesight, made):
    one_error(pagesight("ask", "x", "--index", made, "--model", "google_genai:gemini-x"), "needs a key.*GOOGLE_API_KEY")
    one_error(pagesight("ask", "x", "--index", made, "--model", "oracle"), "'oracle' is not known.*offline")


# documents, remove


def test_documents(pagesight, made, shelf):
    listed = pagesight("documents", "--index", made).out
    assert re.search(rf"{re.escape(REPORT)}\t3\t20\d\d-", listed)
    records = pagesight("documents", "--index", made, "--json").json
    assert list(records[0]) == ["document", "document_id", "pages", "path", "added", "metadata"]
    assert {record["path"] for record in records} == {str(shelf / name) for name in PAGES}


def test_remove_by_name_and_by_path(pagesight, own, shelf):
    assert pagesight("remove", REPORT, "--index", own).out == f"removed {REPORT} (3 pages)\n"
    removed = pagesight("remove", shelf / SHEET, "--index", own, "--json").json
    assert [record["document"] for record in removed] == [SHEET]
    assert pagesight("documents", "--index", own, "--json").json == []
    assert all((shelf / name).exists() for name in PAGES)


# what surrounds a command


@pytest.mark.slow
def test_ctrl_c_stops_quietly_and_indexing_goes_on_from_there(pagesight, tmp_path):
    long = write_pdf(tmp_path / "long.pdf", [[f"Page {number}", "some words " * 8] for number in range(600)])
    process = start("index", long, "--index", tmp_path / "index")
    deadline = time.monotonic() + 90
    # Once the third batch of pages is being written, the first one is in the index for certain.
    while len(list((tmp_path / "index").glob("multivectors/**/*.*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    told = re.fullmatch(r"stopped: (\d+) of 600 pages are written, and kept\. .* goes on from there\.\n", err)
    assert told, err
    report = pagesight("index", long, "--index", tmp_path / "index", "--json").json
    assert 0 < report["pages"] < 600
    assert 600 - report["pages"] >= int(told[1])  # what was said to be kept is
    assert pagesight("documents", "--index", tmp_path / "index", "--json").json[0]["pages"] == 600


def test_a_reader_that_goes_away_is_no_failure_worth_words(made):
    process = start("search", "revenue", "--index", made, "--json")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) in (0, 1)


def test_any_encoding_will_do(pagesight, tmp_path):
    paper = write_pdf(tmp_path / "Übersicht ✓.pdf", [["Größe"]])
    assert pagesight("index", paper, "--index", "own").status == 0
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    table = spawn("documents", "--index", "own", env=ascii_only)
    assert (table.status, table.err) == (0, "")
    assert "bersicht" in table.out
    assert spawn("documents", "--index", "own", "--json", env=ascii_only).json[0]["document"] == paper.name


def test_documents_cannot_steer_the_terminal(pagesight, tmp_path):
    paper = write_pdf(tmp_path / "red\x1b[31m\x07.pdf", [["Revenue"]])
    assert pagesight("index", paper, "--index", "own").status == 0
    for command in (["documents"], ["search", "revenue"], ["ask", "revenue"]):
        done = pagesight(*command, "--index", "own")
        assert done.status == 0
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.out + done.err)
