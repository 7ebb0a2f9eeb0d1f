"""What is asked again costs nothing again: repeated calls, pictures that stay at their place, equal prefixes."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from conversations import QUESTION, agent_at, asked, followed, sent, steps
from gemini_server import GeminiServer
from gemini_wire import Recorded
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from small_index import PHOTO, REPORT

from pagesight.agent import ask
from pagesight.indexing import PageIndex

P1, P2, P3, FIGURE = f"{REPORT} p. 1", f"{REPORT} p. 2", f"{REPORT} p. 3", f"{PHOTO} p. 1"
CITED = f"4.2 billion [{P2}]."
BOXES = json.dumps({"boxes": [{"label": "net revenue", "box_2d": [10, 20, 300, 400]}]})


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that reached the index."""
    queries: list[str] = []
    real: Callable[..., Any] = PageIndex.search

    def search(self: PageIndex, query: str, **how: Any) -> Any:
        queries.append(query)
        return real(self, query, **how)

    monkeypatch.setattr(PageIndex, "search", search)
    return queries


def replies(server: GeminiServer, index: PageIndex, **options: Any) -> list[ToolMessage]:
    server.says(CITED)
    state = agent_at(server, index, **options).invoke({"messages": [HumanMessage(QUESTION)]})
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


# The same call again


@pytest.mark.parametrize("again", [{}, {"documents": None}, {"documents": [], "where": ""}], ids=str)
def test_the_same_search_is_not_made_again(
    server: GeminiServer, index: PageIndex, searched: list[str], again: dict[str, Any]
) -> None:
    server.calls("search_pages", query="net revenue")
    server.calls("search_pages", query="net revenue", **again)
    server.calls("search_pages", query="net revenue by region")

    first, second, third = replies(server, index, searches_per_question=3)

    assert searched == ["net revenue", "net revenue by region"]
    assert "You made this call before" in second.text
    assert first.artifact["hits"][0]["label"] in second.text
    assert len(second.text) < len(first.text)
    assert "Left for this question: 2 searches" in second.text
    assert "Left for this question: 1 search" in third.text


def test_the_same_search_twice_at_once_is_one(server: GeminiServer, index: PageIndex, searched: list[str]) -> None:
    server.calls_at_once([("search_pages", {"query": "net revenue"})] * 2)
    replies(server, index)
    assert searched == ["net revenue"]


def test_a_search_that_failed_may_be_made_again(server: GeminiServer, index: PageIndex) -> None:
    for _ in range(2):
        server.calls("search_pages", query="net revenue", documents=["nowhere.pdf"])
    first, second = replies(server, index)
    assert (first.status, second.status) == ("error", "error")
    assert "You made this call before" not in second.text


def test_a_new_question_may_search_for_the_same(server: GeminiServer, index: PageIndex, searched: list[str]) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    for _ in range(2):
        server.calls("search_pages", query="net revenue")
        server.says("Not found in these documents.")
        ask(agent, QUESTION, thread_id="one")
    assert searched == ["net revenue"] * 2


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_the_same_things_are_not_located_again(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls("view_pages", pages=[P2])
    server.calls("locate", page=P2, things=["net revenue"])
    server.says(BOXES)
    server.calls("locate", page=P2, things=["net revenue"])
    server.says(f"Net revenue rose [{P2}].")
    agent = agent_at(server, index)

    answer = await asked(way, agent)

    assert answer.usage["model_calls"] == 5
    assert f"[{P2}, region 10,20,300,400]" in server.model_requests[-1].replies[2]
    assert server.replies_left == 0


async def test_a_repeated_call_is_told_as_one(server: GeminiServer, index: PageIndex) -> None:
    for name in ("list_documents", "list_documents"):
        server.calls(name)
    server.says("Not found in these documents.")
    items = await followed("stream", agent_at(server, index))
    again = "called list_documents again as before: nothing was done anew"
    assert steps(items, "list") == ["listed 4 documents", again]


# Pictures


def test_a_page_that_is_still_attached_stays_where_it_is(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[P1, P2])
    server.calls("view_pages", pages=[P2, P3])
    server.says(CITED)

    answer = ask(agent_at(server, index, pages_per_question=3), QUESTION)

    *_, request = server.model_requests
    assert request.pictures == [sent(index, label) for label in (P1, P2, P3)]
    first, second = request.replies
    assert f"{P2} is attached further up already" in second
    assert f"in this order: {P3}." in second
    assert "further up" not in first
    assert answer.pages_viewed == [P1, P2, P3]


def test_a_page_that_went_along_no_more_is_attached_again_for_nothing(server: GeminiServer, index: PageIndex) -> None:
    for label in (P1, P2, P3, P1):
        server.calls("view_pages", pages=[label])
    server.says(f"So [{P1}].")

    answer = ask(agent_at(server, index, images_per_call=2, pages_per_question=3), QUESTION)

    assert server.model_requests[-2].pictures == [sent(index, label) for label in (P2, P3)]
    assert server.model_requests[-1].pictures == [sent(index, label) for label in (P3, P1)]
    assert "Left for this question: 8 searches, 0 pages" in server.model_requests[-1].replies[-1]
    assert [citation.label for citation in answer.citations] == [P1]


# Prefixes


def assert_each_begins_the_next(requests: list[Recorded]) -> None:
    """Byte for byte: what is fixed is equal, and the contents of each call are the beginning of the next one's."""
    for before, after in pairwise(requests):
        for name in ("systemInstruction", "tools"):
            assert json.dumps(before.body[name]) == json.dumps(after.body[name])
        contents = [json.dumps(content) for content in after.body["contents"]]
        assert [json.dumps(content) for content in before.body["contents"]] == contents[: len(before.body["contents"])]


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-2.5-flash"])
@pytest.mark.parametrize("transport", ["bytes", "base64", "files"])
def test_the_calls_of_a_conversation_each_begin_the_next(
    server: GeminiServer, index: PageIndex, transport: str, model: str
) -> None:
    agent = agent_at(server, index, transport=transport, gemini_model=model, checkpointer=InMemorySaver())
    for label in (P2, FIGURE):
        server.calls("search_pages", query="net revenue")
        server.calls_at_once([("view_pages", {"pages": [label, P1]}), ("view_pages", {"pages": [P2]})])
        server.calls("view_pages", pages=[P2, label])
        server.calls("view_pages", pages=[P2], region=[0, 0, 500, 500])
        server.says(f"It was 9 [{P3}].")  # goes back to be corrected
        server.says(CITED)
        ask(agent, QUESTION, thread_id="one")

    assert len(server.model_requests) == 12
    assert_each_begins_the_next(server.model_requests)
    assert len(server.model_requests[-1].pictures) == 4


def test_what_was_cached_is_counted(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[P2])
    server.says(CITED, cached=90)
    assert ask(agent_at(server, index), QUESTION).usage["cached_tokens"] == 90
