"""What traces a call sees the names and sizes of pictures, never their bytes, unless it is asked for them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from conversations import agent_at, sent
from gemini_server import GeminiServer
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps
from langchain_core.messages import HumanMessage
from small_index import REPORT

from pagesight.agent import aask, ask, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex

LABEL = f"{REPORT} p. 2"
CITED = f"4.2 billion [{LABEL}]."
BOXES = json.dumps({"boxes": [{"label": "net revenue", "box_2d": [10, 20, 300, 400]}]})


class Everything(BaseCallbackHandler):
    """Keeps all that a callback is told, as text: as it prints, and as LangChain serialises it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def _note(self, *given: Any, **named: Any) -> None:
        self.told += [repr(given), repr(named), dumps([given, named])]

    on_chain_start = on_chain_end = on_chat_model_start = on_llm_end = on_tool_start = on_tool_end = _note
    on_llm_new_token = _note


def play(server: GeminiServer) -> None:
    server.calls("view_pages", pages=[LABEL])
    server.calls("locate", page=LABEL, things=["net revenue"])
    server.says(BOXES)
    server.says(CITED)


def shows(told: list[str], data: bytes) -> bool:
    """Whether a picture is in what was told, as bytes or in base64."""
    traces = [repr(data[12:40])[2:-1], base64.b64encode(data)[16:56].decode()]
    return any(trace in text for trace in traces for text in told)


@pytest.mark.parametrize("transport", ["bytes", "base64"])
@pytest.mark.parametrize("way", [ask, aask])
async def test_callbacks_see_no_bytes_and_the_model_does(
    server: GeminiServer, index: PageIndex, transport: str, way: Any
) -> None:
    noted = Everything()
    play(server)
    answer = way(agent_at(server, index, transport=transport), "How much?", config={"callbacks": [noted]})
    answer = answer if way is ask else await answer

    _, data = sent(index, LABEL)
    assert answer.citations
    assert [len(request.pictures) for request in server.model_requests] == [0, 1, 1, 1]
    assert server.model_requests[1].pictures == [sent(index, LABEL)]
    assert any("[picture: image/webp" in text for text in noted.told)
    assert not shows(noted.told, data)


def test_bytes_are_traced_where_they_are_asked_for(server: GeminiServer, index: PageIndex) -> None:
    noted = Everything()
    play(server)
    ask(agent_at(server, index, transport="base64", trace_pictures=True), "?", config={"callbacks": [noted]})
    assert shows(noted.told, sent(index, LABEL)[1])


async def test_events_hold_no_bytes(server: GeminiServer, index: PageIndex) -> None:
    play(server)
    agent = agent_at(server, index)
    asked: Any = {"messages": [HumanMessage("How much?")]}
    events = [repr(event) async for event in agent.astream_events(asked, version="v2")]
    assert any("[picture: image/webp" in event for event in events)
    assert not shows(events, sent(index, LABEL)[1])


def test_another_model_is_the_same_object_in_state(index: PageIndex) -> None:
    """What a model of the user's own notes of its calls is there, on the one that was given."""
    noted, model = Everything(), ScriptedReasoner(script=[calls("view_pages", pages=[LABEL]), CITED])
    ask(create_page_agent(index, model=model), "How much?", config={"callbacks": [noted]})

    blocks = [block for message in model.requests[1].messages if isinstance(message.content, list)
              for block in message.content if isinstance(block, dict) and block["type"] == "image"]  # fmt: skip
    assert len(blocks) == 1
    assert not shows(noted.told, base64.b64decode(blocks[0]["base64"]))
    model.assert_finished()
