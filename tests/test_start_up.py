"""What a start costs: "there is no index" needs no imports, and on a terminal something moves before they are done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from small_index import write_pdf

from pagesight.agent.cli import main

COMMAND = [sys.executable, "-m", "pagesight.agent.cli"]
MODULES = (
    "import sys, json; from pagesight.agent.cli import main; status = main(sys.argv[1:]);"
    "print(json.dumps([status, sorted({name.split('.')[0] for name in sys.modules})]))"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_pdf(folder / "report.pdf", [["Net revenue rose to 4.2 billion euros in 2023."]])
    assert main(["index", str(folder), "--index", str(folder / "index")]) == 0
    return folder / "index"


def loaded_by(folder: Path, *arguments: str, **variables: str) -> tuple[int, set[str], str]:
    """The status of a command that is run in a folder, the packages that it imported, what it said on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *arguments], capture_output=True, text=True, cwd=folder, timeout=120,
        env={**os.environ, **variables},
    )  # fmt: skip
    status, modules = json.loads(done.stdout.splitlines()[-1])
    return status, set(modules), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "net revenue"],
        ["--index", "other", "ask", "How high?", "--json"],
        ["documents", "--index=other", "--json"],
        ["view", "report.pdf p. 1", "-v"],
        ["chat"],
    ],
)
def test_no_index_is_said_before_anything_heavy_is_imported(tmp_path, arguments):
    status, modules, said = loaded_by(tmp_path, *arguments, PAGESIGHT_REASONER="offline")
    assert status == 1
    assert f"there is no index in {tmp_path / ('other' if 'other' in str(arguments) else '.pagesight')}." in said
    assert not modules & {"pydantic", "rich", "numpy", "pandas", "pymilvus", "langchain_core", "langgraph"}


def test_no_index_is_said_of_the_place_that_the_settings_would_name(tmp_path):
    def missing(**variables: str) -> str:
        status, _, said = loaded_by(tmp_path, "documents", **variables)
        assert status == 1
        return said

    assert str(tmp_path / ".pagesight") in missing()
    (tmp_path / ".env").write_text("pagesight_index=from-file\n")
    assert str(tmp_path / "from-file") in missing()
    assert str(tmp_path / "from-environment") in missing(PAGESIGHT_INDEX="from-environment")
    assert str(tmp_path / "from-file") in missing(PAGESIGHT_INDEX="")


@pytest.mark.parametrize(
    "arguments", [["search"], ["search", "two", "questions"], ["chat", "--json"], ["search", "x", "--top-k", "0"]]
)
def test_wrong_usage_is_said_first(tmp_path, arguments):
    status, _, said = loaded_by(tmp_path, *arguments, "--index", "none")
    assert status == 2
    assert "there is no index" not in said


def test_something_moves_before_the_answer_and_is_gone_with_it(made):
    child = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "search", "net revenue", "--index", str(made)], encoding="utf-8", timeout=120,
        dimensions=(24, 100),
    )  # fmt: skip
    child.expect("reading the settings")
    child.expect("opening the index")
    child.expect("report.pdf p. 1")
    before = child.before
    child.expect(pexpect.EOF)
    assert "\r\x1b[K" in before  # the line is taken away before the list stands in its place
    assert "opening the index" not in child.before


def test_nothing_moves_in_a_pipe(made):
    done = subprocess.run(
        [*COMMAND, "search", "net revenue", "--index", str(made)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("1\treport.pdf p. 1\t")
    assert done.stderr == ""
