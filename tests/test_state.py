"""What conversations leave behind: a small checkpoint without pictures and keys, that goes on in a changed world."""

from __future__ import annotations

import base64
import logging
import sqlite3
import traceback
from pathlib import Path
from typing import Any

import pytest
from conversations import KEY, QUESTION, agent_at, asked, sent
from gemini_server import GeminiServer
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from small_index import PHOTO, REPORT, make_index, small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import PagesightError

CITED = f"4.2 billion [{REPORT} p. 2]."


def turn(server: GeminiServer, *labels: str) -> None:
    server.calls("search_pages", query="net revenue by region")
    server.calls("view_pages", pages=list(labels))
    server.says(CITED)


def traces(index: PageIndex, label: str) -> list[bytes]:
    """Pieces by which a picture would be known, as bytes and in base64."""
    _, data = sent(index, label)
    return [data[12:40], data[-60:-20], base64.b64encode(data)[16:56], base64.b64encode(data)[-60:-20]]


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["bytes", "base64", "files"])
def test_after_twenty_turns_and_sixty_pictures_the_checkpoint_is_small(
    server: GeminiServer, index: PageIndex, tmp_path: Path, transport: str
) -> None:
    labels = [f"{REPORT} p. 1", f"{REPORT} p. 2", f"{PHOTO} p. 1"]
    file = tmp_path / "conversations.sqlite"
    with SqliteSaver.from_conn_string(str(file)) as memory:
        agent = agent_at(server, index, transport=transport, checkpointer=memory)
        for _ in range(20):
            turn(server, *labels)
            ask(agent, QUESTION, thread_id="one")
        shown = len(server.model_requests[-1].pictures)

    with sqlite3.connect(file) as database:
        [(newest,)] = database.execute("select checkpoint from checkpoints order by checkpoint_id desc limit 1")
    everything = file.read_bytes()
    assert shown == 3
    assert newest.count(b"document_id") >= 60
    assert len(newest) / 60 < 5_000
    for label in labels:
        assert not any(trace in everything for trace in traces(index, label))
    assert KEY.encode() not in everything


# A thread goes on


def test_a_thread_goes_on_in_another_process_life_with_an_index_that_moved(
    server: GeminiServer, tmp_path: Path
) -> None:
    file = str(tmp_path / "conversations.sqlite")
    with make_index(tmp_path) as index, SqliteSaver.from_conn_string(file) as memory:
        turn(server, f"{REPORT} p. 2")
        ask(agent_at(server, index, checkpointer=memory), QUESTION, thread_id="one")
        old = index.path
    moved = old.rename(tmp_path / "moved")
    for source in (tmp_path / "sources").iterdir():
        source.unlink()

    with PageIndex.open(moved, create=False) as index, SqliteSaver.from_conn_string(file) as memory:
        server.says(CITED)
        answer = ask(agent_at(server, index, checkpointer=memory), "And now?", thread_id="one")
        assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. 2")]

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert QUESTION in server.model_requests[-1].texts


@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_a_thread_goes_on_with_another_transport_and_with_another_index(
    server: GeminiServer, index: PageIndex, tmp_path: Path, way: str
) -> None:
    memory = InMemorySaver()
    turn(server, f"{REPORT} p. 2")
    await asked(way, agent_at(server, index, transport="files", checkpointer=memory), thread_id="one")
    server.files.clear()
    server.says(CITED)
    await asked(way, agent_at(server, index, transport="base64", checkpointer=memory), thread_id="one")
    assert len(server.model_requests[-1].pictures) == 1

    with PageIndex.open(tmp_path / "other", settings=small_settings()) as other:
        server.says(f"As seen [{REPORT} p. 2].")
        await asked(way, agent_at(server, other, checkpointer=memory), thread_id="one")

    assert server.model_requests[-1].pictures == []
    assert f"{REPORT} p. 2 cannot be shown: there is no page" in " ".join(server.model_requests[-1].replies)


# Keys


class Everything(BaseCallbackHandler):
    """A tracer that keeps whatever it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_"):
            return lambda *args, **kwargs: self.told.append(repr((args, kwargs)))
        return super().__getattribute__(name)


@pytest.mark.parametrize("transport", ["bytes", "files"])
def test_the_key_is_in_no_log_trace_error_or_checkpoint(
    server: GeminiServer, index: PageIndex, tmp_path: Path, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracer, file = Everything(), tmp_path / "conversations.sqlite"
    key = "AIza-a-key-that-must-not-be-seen"
    with SqliteSaver.from_conn_string(str(file)) as memory, caplog.at_level(logging.DEBUG):
        agent = agent_at(server, index, transport=transport, checkpointer=memory, google_api_key=key)
        agent = agent.with_config(callbacks=[tracer])
        turn(server, f"{REPORT} p. 2")
        ask(agent, QUESTION, thread_id="one")
        server.fails(403, "PERMISSION_DENIED", f"API key {key} is not allowed")
        with pytest.raises(PagesightError) as raised:
            ask(agent, QUESTION, thread_id="one")

    assert server.model_requests[0].headers["x-goog-api-key"] == key
    assert tracer.told
    error = "".join(traceback.format_exception(raised.value))
    stored = file.read_bytes() + b"".join(path.read_bytes() for path in index.path.glob("uploads/*.json"))
    for place in (error, str(tracer.told), caplog.text, stored.decode("latin-1"), repr(agent), str(agent.config)):
        assert key not in place


def test_an_agent_does_not_show_its_key(index: PageIndex, server: GeminiServer) -> None:
    assert KEY not in repr(create_page_agent(index, settings=small_settings(google_base_url=server.url)).nodes)
