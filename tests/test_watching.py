"""`index --watch`: what changes in a folder changes in the index, until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documents import pdf

from pagesight.agent.cli import main

SECONDS = 120.0


@contextmanager
def watching(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that watches the folder, whose index lies in it, and the file that it writes to."""
    said = folder.parent / "said.txt"
    command = [sys.executable, "-m", "pagesight.agent.cli", "index", str(folder), "--watch", *options]
    with said.open("w") as out:
        process = subprocess.Popen(
            [*command, f"--index={folder / 'index'}"], stdout=out, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PAGESIGHT_ENCODER": "lexical", "PAGESIGHT_OCR": "false"},
        )  # fmt: skip
    try:
        yield process, said
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(is_so: Callable[[], bool], process: subprocess.Popen[str], said: Path) -> None:
    ends = time.monotonic() + SECONDS
    while not is_so():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < ends, said.read_text()
        time.sleep(0.2)


def page(path: Path, words: str) -> Path:
    """Written elsewhere and moved there, so that nobody reads half of it."""
    pdf(path.parent.parent / "unfinished.pdf", [[(words, 72, 700, 12)]]).rename(path)
    return path


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["documents", f"--index={folder / 'index'}", "--json"]) == 0
    return [one["document"] for one in json.loads(capsys.readouterr().out)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise on Windows")
def test_what_changes_is_indexed_until_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    page(folder / "first.pdf", "first words")
    with watching(folder) as (process, said):
        until(lambda: "1 added" in said.read_text(), process, said)
        page(folder / "second.pdf", "second words")
        (folder / "notes.xyz").write_text("no document")
        until(lambda: said.read_text().count("1 added") == 2, process, said)
        page(folder / "first.pdf", "other words")
        until(lambda: "1 replaced" in said.read_text(), process, said)
        (folder / "second.pdf").unlink()
        until(lambda: "second.pdf: its file is gone; it stays" in said.read_text(), process, said)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    assert "stopped watching" in said.read_text()
    assert "failed" not in said.read_text()
    assert listed(folder, capsys) == ["first.pdf", "second.pdf"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise on Windows")
def test_removed_files_leave_the_index_with_prune(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "papers"
    (folder / "inner").mkdir(parents=True)
    page(folder / "stays.pdf", "staying words")
    pdf(folder / "inner" / "goes.pdf", [[("going words", 72, 700, 12)]])
    with watching(folder, "--prune") as (process, said):
        until(lambda: "2 added" in said.read_text(), process, said)
        (folder / "inner").rename(tmp_path / "away")
        until(lambda: "goes.pdf: removed with its file" in said.read_text(), process, said)
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
    assert listed(folder, capsys) == ["stays.pdf"]


def test_a_missing_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", str(tmp_path / "none"), "--watch", f"--index={tmp_path / 'index'}"]) == 1
    assert "there is nothing at" in capsys.readouterr().err
