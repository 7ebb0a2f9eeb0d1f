"""The service in AG-UI's events, read as a client of that protocol reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conversations import KEY
from gemini_server import GeminiServer
from service_server import QUESTION, Served, served, wait_until
from small_index import REPORT, SLIDES

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")
core = pytest.importorskip("ag_ui.core", reason="ag-ui-protocol is not installed: the extra http brings it")
from pydantic import TypeAdapter  # noqa: E402

CITED = f"4.2 billion euros [{REPORT} p. 2]."


@pytest.fixture
def running(server: GeminiServer, folder: Path) -> Iterator[Served]:
    with served(folder, google_base_url=server.url) as service:
        yield service


def body(*said: tuple[str, Any], thread: str = "one", **more: Any) -> dict[str, Any]:
    messages = [{"id": str(number), "role": role, "content": text} for number, (role, text) in enumerate(said)]
    usual = {"state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return {"threadId": thread, "runId": "run-1", "messages": messages, **usual, **more}


def events_of(reply: httpx.Response) -> list[Any]:
    """The events, each checked against the protocol's own models."""
    assert reply.headers["content-type"].startswith("text/event-stream"), reply.text
    lines = [line.removeprefix("data: ") for line in reply.text.splitlines() if line.startswith("data: ")]
    return [TypeAdapter(core.Event).validate_json(line) for line in lines]


def applied(events: list[Any]) -> list[tuple[str, str]]:
    """The messages of the assistant that a client has after these events; raises where they do not fit each other."""
    texts: dict[str, str] = {}
    open_message = None
    assert events[0].type == "RUN_STARTED"
    assert events[-1].type in ("RUN_FINISHED", "RUN_ERROR")
    for event in events:
        if event.type == "TEXT_MESSAGE_START":
            assert open_message is None
            open_message = event.message_id
            texts[open_message] = ""
        elif event.type == "TEXT_MESSAGE_CONTENT":
            assert event.message_id == open_message
            assert event.delta
            texts[open_message] += event.delta
        elif event.type == "TEXT_MESSAGE_END":
            assert event.message_id == open_message
            open_message = None
        elif event.type == "MESSAGES_SNAPSHOT":
            texts = {one.id: one.content for one in event.messages if one.role == "assistant"}
    assert open_message is None
    return list(texts.items())


def test_a_question_is_answered_in_the_protocols_events(server: GeminiServer, running: Served) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"It was 9 [{REPORT} p. 9].")  # goes back to be corrected
    server.says(CITED)
    with running.client() as client:
        asked = body(("user", "Hello"), ("assistant", "Hi"), ("user", QUESTION), thread="agui-1")
        events = events_of(client.post("/agui", json=asked))
        (before, answer) = applied(events)
        assert (before[1], answer[1]) == ("Hi", CITED)
        steps = [event.step_name for event in events if event.type == "STEP_STARTED"]
        assert steps[0] == f"looked at {REPORT} p. 2"
        drafts = [event for event in events if event.type == "CUSTOM" and event.name == "draft"]
        assert len(drafts) == 1
        assert drafts[0].value["messageId"] != answer[0]
        result = events[-1].result
        assert (events[-1].thread_id, events[-1].run_id) == ("agui-1", "run-1")
        assert (result["answer"], result["question"]) == (CITED, QUESTION)
        assert result["citations"][0]["label"] == f"{REPORT} p. 2"
        (turn,) = client.get("/threads/agui-1").json()["turns"]  # the service keeps it as any conversation
        assert turn["question"] == QUESTION


def test_what_narrows_a_question_comes_in_the_forwarded_props(running: Served) -> None:
    narrow = {"documents": [SLIDES], "offline": True, "theme": "dark"}
    with running.client() as client:
        events = events_of(client.post("/agui", json=body(("user", QUESTION), forwardedProps=narrow)))
    assert {hit["document"] for hit in events[-1].result["hits"]} == {SLIDES}


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        (body(), 422, "no message of a user"),
        (body(("user", "  ")), 422, "the question is empty"),
        (body(("user", [{"type": "image", "source": {"type": "data", "value": "AA==", "mimeType": "image/png"}}])),
         422, "a question is text here"),
        (body(("user", "?"), forwardedProps={"documents": ["nope.pdf"]}), 404, "no document 'nope.pdf'"),
        (body(("user", "?"), forwardedProps={"effort": "great"}), 422, "effort"),
        (body(("user", "?"), thread="../owner"), 422, "thread_id"),
        ({"threadId": "x"}, 422, "messages"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem(running: Served, asked: dict[str, Any], status: int, says: str) -> None:
    with running.client() as client:
        reply = client.post("/agui", json=asked)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert says in json.dumps(reply.json())


def test_a_model_that_fails_ends_the_run_with_its_error(server: GeminiServer, running: Served) -> None:
    server.fails(403, "PERMISSION_DENIED", "API key not valid", reason="API_KEY_INVALID")
    with running.client() as client:
        reply = client.post("/agui", json=body(("user", QUESTION)))
    events = events_of(reply)
    assert applied(events) == []
    assert (events[-1].type, events[-1].code) == ("RUN_ERROR", "urn:pagesight:key-refused")
    assert KEY not in reply.text


def test_who_hangs_up_ends_the_run(server: GeminiServer, running: Served) -> None:
    server.seconds_of_silence = 1.0
    for _ in range(9):
        server.calls("search_pages", query="revenue")
    with running.client() as client:
        with client.stream("POST", "/agui", json=body(("user", QUESTION))) as reply:
            lines = reply.iter_lines()  # which hangs up when it is let go
            next(lines)
            wait_until(lambda: len(server.model_requests) >= 1)
        asked = len(server.model_requests)
        time.sleep(2.5)
        assert len(server.model_requests) <= asked + 1


def test_it_asks_for_a_token_that_may_ask(folder: Path) -> None:
    with served(folder, tokens={"reader": {"scopes": ["read"]}}, reasoner="offline") as service:
        for token, status in (("", 401), ("reader", 403)):
            with service.client(token) as client:
                assert client.post("/agui", json=body(("user", QUESTION))).status_code == status
