"""Listings at any width: what names a row stays whole, long text gives way; in a pipe each row is a line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from rich.cells import cell_len
from small_index import write_pdf

from pagesight.agent.cli import main

COMMAND = [sys.executable, "-m", "pagesight.agent.cli"]
LONG = "annual-report-of-the-group-2023-final.pdf"
WIDE = "年度報告書.pdf"
LINE = "Net revenue rose to 4.2 billion euros in 2023, after 3.9 billion in the year before it"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder whose name is long enough to be cut at the end of a narrow terminal")
    write_pdf(folder / LONG, [[LINE]])
    write_pdf(folder / WIDE, [["Net revenue in Asia"]])
    assert main(["index", str(folder), "--index", str(folder / "index")]) == 0
    return folder / "index"


def seen(text: str) -> list[str]:
    """The lines of a terminal, without what was erased and what steers it."""
    text = re.sub(r"[^\n]*\r\x1b\[K", "", text)
    return re.sub(r"\x1b\][^\x1b]*\x1b\\|\x1b\[[0-9;?]*[A-Za-z]|\r", "", text).splitlines()


def without_width() -> dict[str, str]:
    """The environment without what would beat the terminal's own width; readline, which pytest loads, sets it."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


def on_terminal(index: Path, width: int, *arguments: str) -> list[str]:
    child = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "--index", str(index), *arguments], encoding="utf-8", timeout=120,
        dimensions=(40, width), env=without_width(),
    )  # fmt: skip
    child.expect(pexpect.EOF)
    return seen(child.before)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_hit_keeps_rank_page_and_score_at_every_width(made, width):
    lines = on_terminal(made, width, "search", "net revenue")
    assert max(map(cell_len, lines)) <= width, lines
    assert lines[0].split()[:3] == ["rank", "page", "score"]
    for name in (LONG, WIDE):
        row = re.compile(rf" +\d  {re.escape(name)} p\. 1 +\d\.\d{{3}}")
        (at,) = [place for place, line in enumerate(lines) if row.match(line)]
        assert "Net revenue" in "".join(lines[at : at + 2])
    column = {cell_len(line[: re.search(r"\d\.\d{3}", line).start()]) for line in lines if re.match(r" +\d  ", line)}
    assert len(column) == 1  # also beside wide letters
    assert any(line.endswith("…") for line in lines) is (width < 200)
    assert any(LINE in line for line in lines) is (width == 200)


def test_a_label_longer_than_the_terminal_folds_alone(made):
    lines = on_terminal(made, 40, "search", "net revenue")
    (short,) = [line for line in lines if WIDE in line]
    assert cell_len(short) <= 40
    assert re.search(r" 0\.\d{3}$", short)
    (at,) = [place for place, line in enumerate(lines) if line.endswith(f"{LONG} p. 1")]
    assert re.fullmatch(r" +0\.\d{3}", lines[at + 1])  # below it, in the column of scores
    assert len(lines[at + 1]) == cell_len(short) == len(lines[0])
    assert lines[at + 2].startswith("    Net revenue rose")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_documents_and_encoders_are_named_whole(made, width):
    for command, names in (("documents", [LONG, WIDE]), ("encoders", ["ibm-granite/granite-vision-3.3-2b-embedding"])):
        lines = on_terminal(made, width, command)
        for name in names:
            assert len([line for line in lines if line.startswith(name)]) == 1
        assert max(map(cell_len, lines)) <= width, lines


def test_in_a_pipe_a_row_is_a_line_of_cells_between_tabs(made):
    def piped(*arguments: str) -> list[list[str]]:
        done = subprocess.run([*COMMAND, "--index", str(made), *arguments], capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    hits = piped("search", "net revenue")
    assert [cells[0] for cells in hits] == ["1", "2"]
    assert {cells[1] for cells in hits} == {f"{LONG} p. 1", f"{WIDE} p. 1"}
    assert all(re.fullmatch(r"\d\.\d{3}", cells[2]) for cells in hits)
    assert LINE in {cells[3] for cells in hits}
    assert {tuple(cells[:2]) for cells in piped("documents")} == {(LONG, "1"), (WIDE, "1")}
    assert [len(cells) for cells in piped("encoders")] == [5] * len(piped("encoders"))


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 120])
def test_kept_conversations_are_listed_at_every_width(made, tmp_path, width):
    index = Path(shutil.copytree(made, tmp_path / "index"))
    question = "How high was the net revenue in the year 2023, and how high had it been in the year before?"
    asked = [*COMMAND, "chat", "--index", str(index)]
    subprocess.run(asked, input=f"{question}\n", text=True, check=True, capture_output=True)
    child = pexpect.spawn(
        asked[0], [*asked[1:], "--no-pictures"], encoding="utf-8", timeout=120, dimensions=(40, width),
        env=without_width(),
    )  # fmt: skip
    child.expect("Ctrl-D ends the")
    child.expect(re.escape("\x1b[?2004h"))
    child.send("/threads\r")
    child.expect(r"began with[^\x00]*…")
    shown = seen(child.before + child.after)
    child.close(force=True)
    (at,) = [place for place, line in enumerate(shown) if re.match(r" *1  20\d\d-\d\d-\d\d \d\d:\d\d +1", line)]
    assert question[:20] in shown[at]
    assert all(cell_len(line) <= width for line in shown[at:])
