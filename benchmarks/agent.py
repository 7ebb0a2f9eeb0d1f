"""What it costs to send pages to Gemini, by each transport: `make bench`, or `python benchmarks/agent.py`.

A question is played against a server on loopback that speaks Gemini's protocol: search, look at four pages, look at a
region, look at four more, answer; then a second question on the same thread. Times are of the processor, so that what
else runs there counts little, and hold the server's small part; bytes are what went over the wire; tokens are counted
by Google's published rule for Gemini 3.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from gemini_server import GeminiServer, Recorded  # noqa: E402
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage  # noqa: E402
from langgraph.checkpoint.memory import InMemorySaver  # noqa: E402
from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: E402
from PIL import Image  # noqa: E402

from pagesight.agent import ask, create_page_agent  # noqa: E402
from pagesight.agent.hydrate import Hydrator  # noqa: E402
from pagesight.agent.reasoners.choose import make_reasoner, transport_for  # noqa: E402
from pagesight.indexing import PageIndex, Settings, load_settings  # noqa: E402
from pagesight.tools.gemini_service.picture_tokens import ByResolution  # noqa: E402
from pagesight.tools.messages.conversation import PageView  # noqa: E402
from pagesight.tools.messages.sent_pictures import CallLimits  # noqa: E402
from pagesight.tools.transport.pictures import Pictures  # noqa: E402

REPORT = "annual-report.pdf"
WAYS: dict[str, dict[str, Any]] = {
    "bytes": {"transport": "bytes"},
    "base64": {"transport": "base64"},
    "files": {"transport": "files"},
    "auto, 500 kB inline": {"transport": "auto", "inline_limit": 500_000},
    "bytes, pages as PDF": {"transport": "bytes", "pages_as": "pdf"},
}


def main() -> None:
    """Runs everything and prints tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    wanted = parser.parse_args()
    logging.disable(logging.WARNING)
    with (
        tempfile.TemporaryDirectory() as folder,
        PageIndex.open(Path(folder) / "index", settings=_settings("http://127.0.0.1:9")) as index,
    ):
        index.add(ROOT / "samples")
        question(index, WAYS["bytes"])  # the first one loads packages and is thrown away
        results = {
            "questions": [{"transport": name, **question(index, how)} for name, how in WAYS.items()],
            "overhead": {name: overhead(index, name) for name in ("bytes", "base64", "files")},
            "checkpoint": checkpoint(index, Path(folder) / "thread.sqlite"),
        }
    print(json.dumps(results, indent=2) if wanted.json else _tables(results))


def question(index: PageIndex, how: dict[str, Any]) -> dict[str, Any]:
    """Processor seconds per model call, bytes on the wire and image tokens of a thread's first and second question."""
    for note in index.path.glob("uploads/*.json"):
        note.unlink()
    with GeminiServer() as server:
        agent = create_page_agent(index, settings=_settings(server.url, **how), checkpointer=InMemorySaver())
        rows: dict[str, Any] = {}
        for name in ("first", "second"):
            seen = len(server.requests)
            _play(server)
            started = time.process_time()
            answer = ask(agent, "How did revenue develop?", thread_id="one")
            rows[f"{name}_seconds_per_call"] = (time.process_time() - started) / answer.usage["model_calls"]
            requests = server.requests[seen:]
            rows[f"{name}_bytes"] = sum(int(request.headers.get("content-length", 0)) for request in requests)
            rows[f"{name}_pictures"] = answer.usage["pictures"]
            rows[f"{name}_tokens"] = sum(_tokens(request) for request in server.model_requests[-5:])
        return rows


def overhead(index: PageIndex, name: str) -> dict[str, float]:
    """Milliseconds for one model call with 8 pages that are rendered and, for files, uploaded: of our own code, from
    the state to the messages with pictures; and until the request is made, most of which is LangChain's."""
    with GeminiServer() as server:
        settings = _settings(server.url)
        reasoner = make_reasoner(None, settings)
        model: Any = reasoner.model
        way = transport_for(reasoner, name, settings, index.path / "uploads")
        hydrator = Hydrator("You answer questions.", Pictures(index, ByResolution(), webp=True), way, CallLimits())
        views = [PageView(index.page(f"{REPORT} p. {page}")) for page in range(1, 9)]
        call = {"name": "view_pages", "args": {}, "id": "1"}
        shown = {"pages": [view.as_dict() for view in views]}
        reply = ToolMessage("Shown.", name="view_pages", tool_call_id="1", artifact=shown)
        state = {"messages": [HumanMessage("?"), AIMessage("", tool_calls=[call]), reply]}
        hydrator.messages(state)
        own = _milliseconds(lambda: hydrator.messages(state))
        whole = _milliseconds(lambda: model._prepare_request(hydrator.messages(state)))
        return {"own": own, "whole": whole}


def checkpoint(index: PageIndex, file: Path) -> dict[str, Any]:
    """Bytes of the newest checkpoint after 20 turns with 60 pictures, and of the file with the whole history."""
    with GeminiServer() as server, SqliteSaver.from_conn_string(str(file)) as memory:
        agent = create_page_agent(index, settings=_settings(server.url), checkpointer=memory)
        for number in range(20):
            server.calls("search_pages", query="net revenue by region")
            server.calls("view_pages", pages=[f"{REPORT} p. {1 + (3 * number + step) % 12}" for step in range(3)])
            server.says(f"4.2 billion [{REPORT} p. 2].")
            ask(agent, "How did revenue develop?", thread_id="one")
    with sqlite3.connect(file) as database:
        newest = database.execute("select length(checkpoint) from checkpoints order by checkpoint_id desc").fetchone()
    return {"newest": newest[0], "a_reference": newest[0] / 60, "file": file.stat().st_size}


def _play(server: GeminiServer) -> None:
    server.calls("search_pages", query="net revenue by region")
    server.calls("view_pages", pages=[f"{REPORT} p. {page}" for page in (1, 2, 3, 4)])
    server.calls("view_pages", pages=[f"{REPORT} p. 4"], region=[100, 100, 500, 900])
    server.calls("view_pages", pages=[f"{REPORT} p. {page}" for page in (5, 6, 7, 8)])
    server.says(f"It rose [{REPORT} p. 2].")


def _tokens(request: Recorded) -> int:
    rule = ByResolution()
    return sum(
        rule.pdf_page_tokens() if mime == "application/pdf" else rule.tokens(Image.open(io.BytesIO(data)).size)
        for mime, data in request.pictures
    )


def _milliseconds(run: Callable[[], object]) -> float:
    """The median of 30 runs."""
    times = []
    for _ in range(30):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def _settings(address: str, **how: Any) -> Settings:
    usual = {"google_api_key": "a-key", "google_base_url": address, "reasoner": "auto", "vertex_project": None}
    return load_settings(**{**usual, **how})


def _tables(results: dict[str, Any]) -> str:
    titles = ["transport", "ms of processor per call", "MB sent, first question", "second", "pictures", "image tokens"]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * 5]
    lines += [f"| {' | '.join(_cells(row))} |" for row in results["questions"]]
    lines += ["", "One call with 8 rendered pages:"]
    lines += [
        f"{name}: {times['own']:.1f} ms from state to messages, {times['whole']:.1f} ms to the request"
        for name, times in results["overhead"].items()
    ]
    kept = results["checkpoint"]
    lines += ["", f"20 turns with 60 pictures: the thread {kept['newest'] / 1e3:.0f} kB"]
    lines += [f"{kept['a_reference'] / 1e3:.1f} kB a page reference; its whole history {kept['file'] / 1e6:.1f} MB"]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> list[str]:
    times = "; ".join(f"{1000 * row[f'{which}_seconds_per_call']:.0f}" for which in ("first", "second"))
    sent = [f"{row[f'{which}_bytes'] / 1e6:.2f}" for which in ("first", "second")]
    counts = [
        "; ".join(f"{row[f'{which}_{what}']:,}" for which in ("first", "second")) for what in ("pictures", "tokens")
    ]
    return [row["transport"], times, *sent, *counts]


if __name__ == "__main__":
    main()
