"""`langgraph dev` serves the agent: a thread over HTTP by langgraph-sdk, with Gemini's protocol on loopback."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gemini_server import GeminiServer
from langchain_core.messages import convert_to_messages
from langgraph_sdk import get_client
from small_index import REPORT, make_index

from pagesight.agent import answers_in

ROOT = Path(__file__).parent.parent
QUESTION = "How high was the net revenue in 2023?"
CITED = f"4.2 billion euros [{REPORT} p. 2]."
LONGEST_START = 90.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer() as running:
        yield running


@pytest.fixture(scope="module")
def address(gemini: GeminiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`langgraph dev` with the repository's langgraph.json over an index of its own; it ends with the tests."""
    folder = tmp_path_factory.mktemp("studio")
    make_index(folder).close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--config", str(ROOT / "langgraph.json")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-browser", "--no-reload"]
    environment = {
        **os.environ,
        "PAGESIGHT_INDEX": str(folder / "index"),
        "GOOGLE_API_KEY": "AIza-test-key",
        "GOOGLE_GEMINI_BASE_URL": gemini.url,
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGGRAPH_NO_VERSION_CHECK": "1",
        "LANGSMITH_TRACING": "false",
    }
    log = folder / "log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/ok").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"langgraph dev did not start:\n{log.read_text()[-3000:]}")


def looks_and_says(gemini: GeminiServer, text: str) -> None:
    gemini.calls("search_pages", query="net revenue 2023")
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(text)


def asks(question: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}]}


async def test_a_thread_over_http_answers_remembers_and_holds_no_picture(gemini: GeminiServer, address: str) -> None:
    client = get_client(url=address)
    thread = await client.threads.create()
    looks_and_says(gemini, f"{CITED} More is in [{REPORT} p. 7].")
    gemini.says(f"{CITED} More is in [{REPORT} p. 7].")  # when it is asked to correct it

    # As agent-chat-ui asks: content in blocks, values of the whole graph, pieces of messages from within.
    blocks = {"messages": [{"type": "human", "content": [{"type": "text", "text": QUESTION}]}]}
    parts = [
        part
        async for part in client.runs.stream(
            thread["thread_id"], "pagesight", input=blocks,
            stream_mode=["values", "messages-tuple"], stream_subgraphs=True,
        )
    ]  # fmt: skip

    assert not [part for part in parts if part.event == "error"]
    assert [part for part in parts if part.event.startswith("messages|")]
    state = await client.threads.get_state(thread["thread_id"])
    messages = convert_to_messages(state["values"]["messages"])
    (answer,) = answers_in(messages)
    assert answer.text == messages[-1].text == f"{CITED} More is in [{REPORT} p. 7 — not verified]."
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]

    gemini.says(f"Europe 1.9 billion [{REPORT} p. 2].")
    after = await client.runs.wait(thread["thread_id"], "pagesight", input=asks("And in Europe?"))
    assert [len(answer.citations) for answer in answers_in(convert_to_messages(after["messages"]))] == [1, 1]
    assert QUESTION in gemini.model_requests[-1].texts
    ((_, picture),) = gemini.model_requests[-1].pictures
    whole = json.dumps([after, await client.threads.get_history(thread["thread_id"])]) + repr(parts)
    assert base64.b64encode(picture)[:40].decode() not in whole


def test_the_examples_client(gemini: GeminiServer, address: str) -> None:
    looks_and_says(gemini, CITED)
    command = [sys.executable, str(ROOT / "docs" / "examples" / "langgraph_client.py"), address, QUESTION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout.splitlines() == ["· search_pages", "· view_pages", CITED, f"cited: {REPORT} p. 2"], done.stderr


async def test_studio_finds_the_graph_and_its_schemas(address: str) -> None:
    client = get_client(url=address)
    (assistant,) = await client.assistants.search(graph_id="pagesight")
    graph = await client.assistants.get_graph(assistant["assistant_id"], xray=True)
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    assert {"look", "check"} <= {str(node["id"]).split(":")[0] for node in graph["nodes"]}
    assert "messages" in (schemas["input_schema"] or {})["properties"]


def test_an_index_that_is_missing_is_named() -> None:
    code = "import asyncio; from pagesight.agent.studio import make_graph; asyncio.run(make_graph())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "IndexMissing" in done.stderr
    assert "pagesight index" in done.stderr
