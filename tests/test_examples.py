"""The examples, run as people run them: each in a process of its own, with Gemini's protocol on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gemini_server import GeminiServer
from small_index import REPORT, make_index

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
QUESTION = "How high was the net revenue in 2023?"
CITED = f"4.2 billion euros [{REPORT} p. 2]."


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("index")
    make_index(folder).close()
    return str(folder / "index")


def run(example: str, *arguments: str, server: GeminiServer | None = None) -> list[str]:
    """The lines that an example prints."""
    gemini = {"GOOGLE_API_KEY": "AIza-test-key", "GOOGLE_GEMINI_BASE_URL": server.url} if server else {}
    command = [sys.executable, str(EXAMPLES / example), *arguments]
    done = subprocess.run(
        command, env={**os.environ, **gemini}, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def looks_and_says(server: GeminiServer) -> None:
    server.calls("search_pages", query="net revenue 2023")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(CITED)


def test_as_node_without_a_key(index: str) -> None:
    lines = run("as_node.py", index, QUESTION)
    assert [line.split(":")[0] for line in lines[:2]] == ["· search_pages", "· view_pages"]
    assert f"cited: {REPORT} p. 2" in lines


@pytest.mark.slow
def test_as_tool(server: GeminiServer, index: str) -> None:
    server.calls("ask_pagesight", question=QUESTION)
    looks_and_says(server)
    server.says(f"It was {CITED}")
    assert run("as_tool.py", index, QUESTION, server=server) == [f"It was {CITED}", f"rests on: {REPORT} p. 2"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["last_message", "full_history"])
def test_under_supervisor(server: GeminiServer, index: str, mode: str) -> None:
    server.calls("transfer_to_pagesight")
    looks_and_says(server)
    server.says(f"It was {CITED}")
    lines = run("under_supervisor.py", index, QUESTION, mode, server=server)
    assert lines == [f"It was {CITED}", f"rests on: {REPORT} p. 2"]


@pytest.mark.slow
def test_mcp_client(index: str) -> None:
    _, best, *_, last = run("mcp_client.py", index, "net revenue 2023")
    assert best.startswith(f"1. {REPORT} p. 2 ")
    assert last.startswith("image/")


@pytest.mark.slow
def test_mcp_in_graph(server: GeminiServer, index: str) -> None:
    command = [sys.executable, "-m", "pagesight.agent.cli", "mcp", "--index", index, "--http", "--port", "0"]
    command += ["--token", "sesame"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            address = process.stderr.readline().split()[-1]
            server.calls("view_pages", pages=[f"{REPORT} p. 2"])
            server.says(CITED)
            assert run("mcp_in_graph.py", address, "sesame", QUESTION, server=server) == [CITED]
        finally:
            process.terminate()
    assert len(server.model_requests[-1].pictures) == 1


def test_each_example_has_a_test_and_stands_in_the_docs() -> None:
    here = Path(__file__).parent
    tests = "".join((here / f"test_{name}.py").read_text() for name in ("examples", "examples_of_asking", "studio"))
    page = (here.parent / "docs" / "graphs.md").read_text()
    for example in EXAMPLES.glob("*.py"):
        assert f'"{example.name}"' in tests
        assert f"examples/{example.name}" in page
