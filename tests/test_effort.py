"""Effort: what it sets, what wins over it, and answers that are compared with others to the same pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from conversations import QUESTION, agent_at, asked, followed, steps
from gemini_server import GeminiServer
from small_index import REPORT, make_index, small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.configuration.efforts import EFFORTS
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import flat_fields, load_settings

PAGE = f"{REPORT} p. 2"
RIGHT = f"Net revenue was 4.2 billion euros in 2023 [{PAGE}]."
SAID = "Net revenue rose to 4.2 billion euros in 2023."
SAME = {"found": True, "value": "EUR 4.2 billion", "statement": SAID, "page": 1}
OTHER = {"found": True, "value": "3.9 billion euros", "statement": "It was 3.9 billion euros.", "page": 1}
NONE = {"found": False, "value": "", "statement": "", "page": 0}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    with make_index(tmp_path_factory.mktemp("effort")) as index:
        yield index


# What it sets


def test_what_an_effort_means_are_settings_and_medium_is_what_they_are_anyway() -> None:
    for effort, means in EFFORTS.items():
        assert load_settings(effort=effort).flat().items() >= asdict(means).items()
    defaults = {name: field.default for name, field in flat_fields().items()}
    medium = asdict(EFFORTS["medium"])
    assert medium.pop("thinking_level") == "medium"
    assert {name: defaults[name] for name in medium} == medium
    low, high = (asdict(EFFORTS[effort]) for effort in ("low", "high"))
    assert all(low[name] < high[name] for name in low if name != "thinking_level")


def test_what_is_set_itself_wins_over_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGESIGHT_EFFORT", "low")
    monkeypatch.setenv("PAGESIGHT_PAGES_PER_QUESTION", "9")
    settings = load_settings(searches_per_question=7)
    assert (settings.budget.searches_per_question, settings.budget.pages_per_question) == (7, 9)
    assert settings.budget.calls_per_question == EFFORTS["low"].calls_per_question
    high = settings.with_effort("high")
    assert (high.budget.searches_per_question, high.budget.pages_per_question) == (7, 9)
    assert high.budget.calls_per_question == EFFORTS["high"].calls_per_question
    assert high.with_effort("low").flat() == settings.flat()
    assert [settings.origin(name) for name in ("effort", "calls_per_question")] == ["environment", "effort"]
    assert load_settings(effort="high").reasoning.effort == "high"


def test_another_word_is_refused(index: PageIndex) -> None:
    effort: Any = "great"
    with pytest.raises(SettingsError, match="'great' is not known: take low, medium, high"):
        create_page_agent(index, effort=effort, settings=small_settings())
    with pytest.raises(SettingsError, match="effort"):
        load_settings(effort=effort)


def thinking(server: GeminiServer) -> dict[str, Any]:
    config = server.model_requests[-1].body.get("generationConfig", {}).get("thinkingConfig", {})
    return {name.replace("_", "").lower(): value for name, value in config.items()}


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gemini-3.8-flash", "low", {"thinkinglevel": "LOW"}),
        ("gemini-4-neon", "high", {"thinkinglevel": "HIGH"}),
        ("gemini-2.5-flash", "low", {"thinkingbudget": 1024}),
        ("gemini-2.5-pro", "high", {"thinkingbudget": 24576}),
        ("gemini-2.0-flash", "high", {}),
        ("gemini-3.8-flash", None, {}),
    ],
)
def test_each_generation_is_told_in_its_own_way_how_much_to_think(
    index: PageIndex, server: GeminiServer, model: str, effort: Any, sent: dict[str, Any]
) -> None:
    server.says("Not found in these documents.")
    ask(agent_at(server, index, gemini_model=model, effort=effort), QUESTION)
    told = thinking(server)
    assert {name: one.upper() if isinstance(one, str) else one for name, one in told.items()} == sent


def test_an_explicit_level_of_thinking_wins(index: PageIndex, server: GeminiServer) -> None:
    server.says("Not found in these documents.")
    ask(agent_at(server, index, thinking_level="high", effort="low"), QUESTION)
    assert thinking(server)["thinkinglevel"].upper() == "HIGH"


def test_effort_is_the_budget_that_the_model_is_told(index: PageIndex, server: GeminiServer) -> None:
    server.calls("search_pages", query="net revenue")
    server.says("Not found in these documents.")
    agent = create_page_agent(index, effort="low", settings=small_settings(google_base_url=server.url))
    ask(agent, QUESTION)
    assert "Left for this question: 2 searches, 5 pages to look at, 7 model calls" in json.dumps(
        server.model_requests[-1].body
    )


# Samples


def looked(server: GeminiServer, *then: str | dict[str, Any]) -> None:
    server.calls("view_pages", pages=[PAGE])
    for one in then:
        server.says(one if isinstance(one, str) else json.dumps(one))


@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_an_answer_that_others_agree_with_stands(index: PageIndex, server: GeminiServer, way: str) -> None:
    looked(server, RIGHT, SAME, SAME)
    answer = await asked(way, agent_at(server, index, effort="high"))
    assert answer.text == RIGHT
    assert answer.usage["model_calls"] == 4
    assert answer.usage["input_tokens"] == 400
    assert server.replies_left == 0
    short = server.model_requests[-1].body
    assert [len(request.pictures) for request in server.model_requests] == [0, 1, 1, 1]
    assert "tools" not in short
    assert "4.2 billion" not in json.dumps(short)  # who is asked anew is not told the answer


@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_what_others_read_differently_is_looked_at_once_more(
    index: PageIndex, server: GeminiServer, way: str
) -> None:
    looked(server, f"Net revenue was 3.9 billion euros in 2023 [{PAGE}].", SAME, NONE)
    server.calls("view_pages", pages=[PAGE], region=[0, 0, 500, 1000])
    server.says(RIGHT)
    items = await followed(way, agent_at(server, index, effort="high", verify="off"))
    assert items[-1].text == RIGHT
    assert items[-1].usage["model_calls"] == 6
    asked_again = server.model_requests[4].body["contents"][-1]["parts"][-1]["text"]
    assert {"- EUR 4.2 billion", "- not found"} < {*asked_again.splitlines()}
    assert "view_pages" in asked_again
    if way == "astream":
        assert any("others read the same pages differently" in step for step in steps(items, "correct"))


def test_what_is_looked_at_once_more_is_not_compared_again(index: PageIndex, server: GeminiServer) -> None:
    wrong = f"Net revenue was 3.9 billion euros in 2023 [{PAGE}]."
    looked(server, wrong, SAME, SAME, wrong)
    answer = ask(agent_at(server, index, effort="high", verify="off"), QUESTION)
    assert (answer.text, answer.usage["model_calls"]) == (wrong, 5)


def test_claims_that_are_not_supported_and_other_readings_go_back_together(
    index: PageIndex, server: GeminiServer
) -> None:
    looked(server, f"Net revenue was 4.7 billion euros in 2023 [{PAGE}].", SAME, SAME, RIGHT)
    ask(agent_at(server, index, effort="high"), QUESTION)
    request = server.model_requests[-1].body["contents"][-1]["parts"][-1]["text"]
    assert "4.7 billion euros is not on the cited page" in request
    assert "- EUR 4.2 billion" in request


def test_an_answer_not_found_is_compared_too(index: PageIndex, server: GeminiServer) -> None:
    looked(server, "Not found in these documents.", SAME, NONE, RIGHT)
    assert ask(agent_at(server, index, effort="high"), QUESTION).found


def test_samples_leave_the_call_that_looks_once_more(index: PageIndex, server: GeminiServer) -> None:
    looked(server, f"Net revenue was 3.9 billion euros in 2023 [{PAGE}].", SAME, RIGHT)
    answer = ask(agent_at(server, index, effort="high", calls_per_question=4, verify="off"), QUESTION)
    assert (answer.text, answer.usage["model_calls"]) == (RIGHT, 4)


@pytest.mark.parametrize("limit", [{"calls_per_question": 2}, {"dollars_per_question": 0.00000001}])
def test_without_a_budget_nothing_is_compared(index: PageIndex, server: GeminiServer, limit: dict[str, object]) -> None:
    looked(server, RIGHT)
    assert ask(agent_at(server, index, effort="high", **limit), QUESTION).text == RIGHT
    assert server.replies_left == 0


def test_a_sample_that_fails_is_left_out(index: PageIndex, server: GeminiServer) -> None:
    looked(server, RIGHT, SAME)
    server.fails(503, "UNAVAILABLE", "the model is overloaded")
    answer = ask(agent_at(server, index, effort="high"), QUESTION)
    assert (answer.text, answer.usage["model_calls"]) == (RIGHT, 4)


def test_any_chat_model_is_compared_with(index: PageIndex) -> None:
    said = [json.dumps(one) for one in (SAME, SAME)]
    model = ScriptedReasoner(script=[calls("view_pages", pages=[PAGE]), RIGHT, *said])
    agent = create_page_agent(index, model=model, effort="high", settings=small_settings())
    assert ask(agent, QUESTION).text == RIGHT
    assert len(model.requests) == 4


def test_without_a_model_effort_is_more_or_fewer_pages_only(index: PageIndex) -> None:
    agent = create_page_agent(index, model="offline", effort="high", settings=small_settings())
    assert "4.2 billion" in ask(agent, QUESTION).text
