"""Budgets and what was spent: pictures and their tokens per call, model calls and money per question, bytes sent."""

from __future__ import annotations

from typing import Any

import pytest
from conversations import QUESTION, WAYS, agent_at, asked, sent
from gemini_server import GeminiServer
from langchain_core.messages import ToolMessage
from small_index import PHOTO, REPORT

from pagesight.agent import ask, create_page_agent
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.prices import dearest
from pagesight.indexing.errors import EmptyAnswer
from pagesight.tools.gemini_service.picture_tokens import ByResolution
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.transport.pictures import Pictures


def replies(state: dict[str, Any]) -> list[str]:
    return [message.text for message in state["messages"] if isinstance(message, ToolMessage)]


# Pictures and tokens of one call


def test_the_tokens_of_a_calls_pictures_keep_to_the_budget(server: GeminiServer, index: PageIndex) -> None:
    labels = [f"{REPORT} p. {page}" for page in (1, 2, 3)]
    server.calls("view_pages", pages=labels)
    server.says("Seen.")

    answer = ask(agent_at(server, index, image_tokens_per_call=2 * 1120), QUESTION)

    request = server.model_requests[-1]
    assert request.pictures == [sent(index, label) for label in labels[1:]]
    assert f"{REPORT} p. 1 is not attached here any more; to see it again call view_pages" in request.replies[0]
    assert answer.usage["pictures"] == 2


def test_a_request_inline_stays_under_its_limit(server: GeminiServer, index: PageIndex) -> None:
    labels = [f"{REPORT} p. {page}" for page in (1, 2, 3)]
    size = Pictures(index, ByResolution(), webp=True).of(PageView(index.page(labels[2]))).inline_size
    server.calls("view_pages", pages=labels)
    server.says("Seen.")

    ask(agent_at(server, index, transport="bytes", inline_limit=size + 10), QUESTION)

    assert server.model_requests[-1].pictures == [sent(index, labels[2])]


# Calls and money of one question


@pytest.mark.parametrize("way", WAYS)
async def test_the_last_call_has_no_tools_and_answers(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls("search_pages", query="revenue")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"4.2 billion [{REPORT} p. 2].")

    answer = await asked(way, agent_at(server, index, calls_per_question=3))

    first, second, last = (request.body.get("toolConfig", {}) for request in server.model_requests)
    assert first == second == {}
    assert last["functionCallingConfig"]["mode"] == "NONE"
    told = server.model_requests[-1].replies
    assert told[0].endswith("15 pages to look at, 2 model calls.") or "2 model calls." in told[0]
    assert told[1].endswith("1 model call. The budget is used up: answer now with what you have seen.")
    assert answer.usage["model_calls"] == 3


def test_a_model_that_calls_tools_even_then_is_stopped(server: GeminiServer, index: PageIndex) -> None:
    for _ in range(4):
        server.calls("list_documents")

    with pytest.raises(EmptyAnswer, match=r"in 3 model calls.*PAGESIGHT_CALLS_PER_QUESTION"):
        ask(agent_at(server, index, calls_per_question=3), QUESTION)
    assert len(server.model_requests) == 3


def test_when_the_money_is_spent_the_model_must_answer(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="revenue")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says("Done.")
    prices = {"gemini-3.8-flash": [1000.0, 10_000.0, 100.0]}  # 100 tokens in and 10 out: 0.20 a call

    state = agent_at(server, index, prices=prices, dollars_per_question=0.35).invoke({"messages": [("user", QUESTION)]})

    search, view = replies(state)
    assert search.endswith("22 model calls, $0.1500.") or "$0.1500." in search
    assert view.endswith("$0.0000. The budget is used up: answer now with what you have seen.")
    assert server.model_requests[-1].body["toolConfig"]["functionCallingConfig"]["mode"] == "NONE"


def test_a_limit_of_money_without_a_known_price_is_kept_in_tokens_at_the_dearest(
    index: PageIndex, server: GeminiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.calls("search_pages", query="revenue")
    server.says("Done.")
    price = dearest()
    limit = (100 * price.input + 10 * price.output) / 1e6  # what the first call costs then

    agent = agent_at(server, index, model="google_genai:gemini-from-tomorrow", dollars_per_question=limit)
    ask(agent, QUESTION)

    [warning] = caplog.messages
    assert "gemini-from-tomorrow" in warning
    assert f"kept as {round(1e6 * limit / price.input)} tokens" in warning
    assert "PAGESIGHT_PRICES" in warning
    assert "answer now" in server.model_requests[-1].replies[0]
    assert server.model_requests[-1].body["toolConfig"]["functionCallingConfig"]["mode"] == "NONE"


# What was spent


@pytest.mark.parametrize("way", WAYS)
async def test_thinking_and_cached_tokens_are_counted_and_paid_for(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{PHOTO} p. 1"])
    server.says(f"A longer answer, in several pieces [{REPORT} p. 2].", tokens=(1000, 50), thinking=200, cached=600)

    usage = (await asked(way, agent_at(server, index, prices={"gemini-3.8-flash": [1.0, 10.0, 0.1]}))).usage

    whole = [sent(index, f"{REPORT} p. 2")[1], sent(index, f"{PHOTO} p. 1")[1]]
    assert usage == {
        "input_tokens": 1100,
        "output_tokens": 260,
        "total_tokens": 1360,
        "reasoning_tokens": 200,
        "cached_tokens": 600,
        "model_calls": 2,
        "pictures": 2,
        "bytes_uploaded": sum(4 * -(-len(data) // 3) for data in whole),
        "cost": pytest.approx((500 * 1.0 + 600 * 0.1 + 260 * 10.0) / 1e6),
        "model_version": "gemini-3.8-flash",
    }


@pytest.mark.parametrize("way", WAYS)
async def test_each_call_costs_what_the_model_that_answered_costs(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    for version in ("dear-001", "cheap"):
        server.says("Hello!", model=version, thinking=30)
    prices = {"dear-001": [10.0, 20.0], "cheap": [1.0, 2.0], "gemini-4-neon": [500.0, 500.0]}
    agent = agent_at(server, index, model="google_genai:gemini-4-neon", prices=prices)

    dear, cheap = [(await asked(way, agent)).usage for _ in range(2)]

    assert (dear["model_version"], cheap["model_version"]) == ("dear-001", "cheap")
    assert (dear["cost"], cheap["cost"]) == (pytest.approx(0.0018), pytest.approx(0.00018))


def test_the_cost_of_an_unknown_model_is_not_known(server: GeminiServer, index: PageIndex) -> None:
    server.says("Hello!")
    answer = ask(agent_at(server, index, model="google_genai:gemini-from-tomorrow"), QUESTION)
    assert answer.usage["cost"] is None


def test_without_a_model_nothing_is_spent(index: PageIndex) -> None:
    usage = ask(create_page_agent(index, model="offline"), QUESTION).usage
    assert (usage["cost"], usage["bytes_uploaded"], usage["total_tokens"]) == (0.0, 0, 0)
