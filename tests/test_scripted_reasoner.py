"""The stand-in for a model that users test with; and what it shows of the agent: logs, and an event loop left free."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import Any

import pytest
from conversations import QUESTION, WAYS, asked, followed
from langchain_core.messages import AIMessage, ToolMessage
from small_index import REPORT

from pagesight.agent import Step, answers_in, as_node, as_tool, ask, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, ScriptError, calls, calls_at_once
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import AnswerBlocked
from pagesight.tools.messages.page_view import PageView

LABEL = f"{REPORT} p. 2"
ANSWER = f"It was 4.2 billion euros [{LABEL}]."


def script(*last: Any) -> ScriptedReasoner:
    return ScriptedReasoner(
        script=[calls("search_pages", query="net revenue"), calls("view_pages", pages=[LABEL]), *last]
    )


@pytest.mark.parametrize("way", WAYS)
async def test_it_plays_its_script_and_keeps_what_it_was_shown(index: PageIndex, way: str) -> None:
    model = script(ANSWER)

    answer = await asked(way, create_page_agent(index, model=model))

    assert answer.text == ANSWER
    assert [citation.label for citation in answer.citations] == [LABEL]
    assert answer.usage["total_tokens"] == 330
    assert [request.pictures for request in model.requests] == [[], [], [LABEL]]
    assert model.requests[0].texts[-1] == QUESTION
    assert {"search_pages", "view_pages", "list_documents"} <= set(model.requests[0].tools)
    model.assert_finished()


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_pieces_are_streamed_as_they_are(index: PageIndex, way: str) -> None:
    model = script([f"It was [{LABEL}]", " 4.2", " billion."])
    items = await followed(way, create_page_agent(index, model=model))
    pieces = [item for item in items if isinstance(item, str)]
    assert len(pieces) > 1
    assert "".join(pieces) == f"It was [{LABEL}] 4.2 billion."


def test_tools_are_called_at_once_and_messages_are_taken_as_they_are(index: PageIndex) -> None:
    usage = {"input_tokens": 7, "output_tokens": 1, "total_tokens": 8}
    looks = calls_at_once(("view_pages", {"pages": [LABEL]}), ("view_pages", {"pages": [f"{REPORT} p. 3"]}))
    model = ScriptedReasoner(script=[looks, AIMessage(ANSWER, usage_metadata=usage)])
    answer = ask(create_page_agent(index, model=model), QUESTION)
    assert model.requests[1].pictures == [LABEL, f"{REPORT} p. 3"]
    assert answer.usage["total_tokens"] == 118


@pytest.mark.parametrize("way", WAYS)
async def test_errors_are_raised(index: PageIndex, way: str) -> None:
    with pytest.raises(AnswerBlocked, match="withheld"):
        await asked(way, create_page_agent(index, model=script(AnswerBlocked("withheld"))))


@pytest.mark.parametrize("way", WAYS)
async def test_a_script_that_is_too_short_or_too_long_is_told(index: PageIndex, way: str) -> None:
    with pytest.raises(ScriptError, match=r"has 2 steps, and this is call 3"):
        await asked(way, create_page_agent(index, model=script()))
    model = script(ANSWER, "Never said.")
    await asked(way, create_page_agent(index, model=model))
    with pytest.raises(ScriptError, match=r"1 of 4 steps were not taken; the next one is 'Never said\.'"):
        model.assert_finished()
    with pytest.raises(ScriptError, match="step 3 is no text"):
        await asked(way, create_page_agent(index, model=script(7)))


# Logs


def test_each_model_call_and_tool_is_logged_with_its_figures(
    index: PageIndex, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="pagesight.agent"):
        ask(create_page_agent(index, model=script(ANSWER)), QUESTION)
    lines = [record.getMessage() for record in caplog.records if record.name == "pagesight.agent"]
    assert [re.sub(r"\d+ ms$", "0 ms", line) for line in lines] == [
        "model call: 2 messages, 0 pictures, 100 tokens in, 10 out, 0 ms",
        "tool search_pages, success, 0 ms",
        "model call: 4 messages, 0 pictures, 100 tokens in, 10 out, 0 ms",
        "tool view_pages, success, 0 ms",
        "model call: 7 messages, 1 pictures, 100 tokens in, 10 out, 0 ms",
    ]


# The event loop


async def as_a_node(index: PageIndex, model: Any) -> None:
    """Goes on from a page that another agent looked at, so that the picture is made for the model's call."""
    page = await asyncio.to_thread(index.page, f"{REPORT} p. 3")
    seen = {"pages": [PageView(page).as_dict()]}
    past = [
        ("user", "Before?"),
        ToolMessage("Shown", name="view_pages", tool_call_id="1", artifact=seen),
        ("ai", "Yes."),
    ]
    state = await as_node(create_page_agent(index, model=model)).ainvoke({"messages": [*past, ("user", QUESTION)]})
    assert answers_in(state["messages"])


async def as_a_tool(index: PageIndex, model: Any) -> None:
    assert await as_tool(create_page_agent(index, model=model)).ainvoke({"question": QUESTION})


async def asked_async(index: PageIndex, model: Any) -> None:
    assert await asked("ainvoke", create_page_agent(index, model=model))


async def streamed_async(index: PageIndex, model: Any) -> None:
    items = await followed("astream", create_page_agent(index, model=model))
    assert any(isinstance(item, Step) for item in items)


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("way", [as_a_node, as_a_tool, asked_async, streamed_async])
async def test_a_slow_index_does_not_hold_up_the_event_loop(
    index: PageIndex, monkeypatch: pytest.MonkeyPatch, way: Any, offline: bool
) -> None:
    in_the_loop: dict[str, bool] = {}

    def slow(name: str) -> None:
        quick = getattr(PageIndex, name)

        def waiting(*args: Any, **kwargs: Any) -> Any:
            in_the_loop[name] = in_the_loop.get(name, False) or asyncio._get_running_loop() is not None
            time.sleep(0.05)
            return quick(*args, **kwargs)

        monkeypatch.setattr(PageIndex, name, waiting)

    for name in ("search", "page", "document", "opened", "documents"):
        slow(name)

    await way(index, "offline" if offline else script(ANSWER))

    assert {"search", "page", "opened"} <= set(in_the_loop)
    assert not any(in_the_loop.values()), in_the_loop
