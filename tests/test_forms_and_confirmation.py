"""Answers in a form of the user's own, and runs that wait for a word before a step that costs much."""

from __future__ import annotations

from typing import Any

import pytest
from conversations import agent_at
from gemini_server import GeminiServer
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.prebuilt.chat_agent_executor import AgentState
from langgraph.types import Command
from pydantic import BaseModel, Field
from small_index import REPORT, small_settings

from pagesight.agent import (
    ConfirmBefore,
    aask,
    answers_in,
    aresume,
    as_node,
    as_tool,
    ask,
    create_page_agent,
    resume,
    stream,
)
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import AnswerWaits, SettingsError

QUESTION = "How high was the net revenue in 2023?"
LOOKS = f"{REPORT} p. 2"
CITED = f"4.2 billion euros [{LOOKS}]."
NOT_FOUND = "Not found in these documents."
LOOPS = ["create_react_agent", "create_agent"]


class Revenue(BaseModel):
    """The net revenue of a year."""

    billions: float = Field(description="in billions")
    currency: str
    source: str = Field(description="with its citation")


FILLED: dict[str, Any] = {"billions": 4.2, "currency": "euros", "source": f"the report [{LOOKS}]"}


def scripted(index: PageIndex, *script: Any, **options: Any) -> tuple[Any, ScriptedReasoner]:
    if options.get("loop") == "create_agent":
        pytest.importorskip("langchain.agents")
    model = ScriptedReasoner(script=list(script))
    return create_page_agent(index, model=model, **options), model


def looks_and_says() -> list[Any]:
    return [calls("view_pages", pages=[LOOKS]), CITED]


# A form


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", [ask, aask])
async def test_an_answer_comes_in_a_form_with_its_citations(index: PageIndex, loop: Any, way: Any) -> None:
    agent, model = scripted(index, *looks_and_says(), calls("Revenue", **FILLED), response_format=Revenue, loop=loop)
    answer = way(agent, QUESTION)
    answer = answer if way is ask else await answer

    assert answer.structured == Revenue(**FILLED)
    assert (answer.text, answer.usage["model_calls"], answer.usage["total_tokens"]) == (CITED, 3, 330)
    assert [citation.label for citation in answer.citations] == [LOOKS]
    assert answer.as_dict()["structured"] == FILLED
    assert "in billions" in model.requests[0].texts[0]
    asked = model.requests[-1]
    assert (asked.pictures, f"Question: {QUESTION}\n\nAnswer: {CITED}" in asked.texts) == ([], True)


def test_gemini_fills_a_form(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[LOOKS])
    server.says(CITED)
    server.says(Revenue(**FILLED).model_dump_json())
    answer = ask(agent_at(server, index, response_format=Revenue), QUESTION)
    assert answer.structured == Revenue(**FILLED)


def test_a_form_is_kept_as_data_and_is_of_the_last_answer(index: PageIndex) -> None:
    script = [*looks_and_says(), calls("Revenue", **FILLED), NOT_FOUND]
    agent, _ = scripted(index, *script, response_format=Revenue, checkpointer=InMemorySaver())
    pieces = [item for item in stream(agent, QUESTION, thread_id="one") if isinstance(item, str)]
    assert "".join(pieces) == CITED
    kept = agent.get_state({"configurable": {"thread_id": "one"}}).values
    assert kept["structured_response"] == Revenue(**FILLED)
    assert ask(agent, "And the ferry?", thread_id="one").structured is None


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_node_carries_the_form(index: PageIndex, wrapped: bool) -> None:
    agent, _ = scripted(index, *looks_and_says(), calls("Revenue", **FILLED), response_format=Revenue)
    graph = StateGraph(MessagesState)
    graph.add_node("documents", as_node(agent) if wrapped else agent)
    graph.add_edge(START, "documents")
    messages = graph.compile().invoke({"messages": [HumanMessage(QUESTION)]})["messages"]
    assert messages[-1].text == CITED
    if wrapped:
        assert answers_in(messages)[-1].structured == FILLED


def test_a_form_that_does_not_fit_is_asked_for_once_more_and_the_answer_stands(index: PageIndex) -> None:
    wrong = calls("Revenue", billions="much", currency="euros", source="x")
    agent, model = scripted(index, *looks_and_says(), wrong, calls("Revenue", **FILLED), response_format=Revenue)
    assert ask(agent, QUESTION).structured == Revenue(**FILLED)
    assert "does not fit the form" in model.requests[-1].texts[-1]
    agent, _ = scripted(index, *looks_and_says(), wrong, calls("Revenue", billions="?"), response_format=Revenue)
    answer = ask(agent, QUESTION)
    assert (answer.text, answer.structured, answer.usage["model_calls"]) == (CITED, None, 4)


def test_who_cannot_fill_forms_says_so(index: PageIndex) -> None:
    with pytest.raises(SettingsError, match="offline puts no answer"):
        create_page_agent(index, model="offline", response_format=Revenue)
    with pytest.raises(SettingsError, match="structured_response"):
        scripted(index, response_format=Revenue, state_schema=AgentState)


# A word before what costs much


MANY = [f"{REPORT} p. {number}" for number in range(2, 7)]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", ["sync", "async"])
async def test_many_pages_wait_for_a_word(index: PageIndex, loop: Any, way: str) -> None:
    agent, model = scripted(
        index, calls("view_pages", pages=MANY), CITED, confirm=ConfirmBefore(pages=3), checkpointer=InMemorySaver(),
        loop=loop,
    )  # fmt: skip
    with pytest.raises(AnswerWaits, match=r"resume\(agent, 'one', True\)") as waits:
        ask(agent, QUESTION, thread_id="one") if way == "sync" else await aask(agent, QUESTION, thread_id="one")

    said: Any = waits.value.value
    assert (said["question"], said["pages"]) == (QUESTION, MANY)
    answer = resume(agent, "one", True) if way == "sync" else await aresume(agent, "one", True)
    assert (answer.text, answer.pages_viewed, answer.usage["model_calls"]) == (CITED, MANY, 2)
    model.assert_finished()


def test_a_step_that_is_refused_is_not_taken_and_the_model_is_told_why(index: PageIndex) -> None:
    agent, model = scripted(index, calls("view_pages", pages=MANY), NOT_FOUND, confirm=ConfirmBefore(pages=3),
                            checkpointer=InMemorySaver())  # fmt: skip
    with pytest.raises(AnswerWaits):
        ask(agent, QUESTION, thread_id="one")
    answer = resume(agent, "one", "too many at once")
    assert (answer.pages_viewed, answer.found) == ([], False)
    assert "refused: too many at once" in model.requests[-1].texts[-1]


def test_few_pages_and_cents_wait_for_nobody(index: PageIndex) -> None:
    wanted = ConfirmBefore(pages=5, dollars=1.0)
    agent, _ = scripted(index, calls("view_pages", pages=MANY), CITED, confirm=wanted, checkpointer=InMemorySaver())
    assert ask(agent, QUESTION, thread_id="one").text == CITED


def test_dollars_wait_for_a_word_each_time_that_they_are_up(index: PageIndex) -> None:
    """Each call takes 110 tokens, at a dollar for a million."""
    looks = [calls("list_documents", containing=str(number)) for number in range(8)]
    agent, model = scripted(
        index, *looks, NOT_FOUND, confirm=ConfirmBefore(dollars=0.0004), checkpointer=InMemorySaver(),
        settings=small_settings(prices={"ScriptedReasoner": [1, 1]}),
    )  # fmt: skip
    asked = []
    try:
        ask(agent, QUESTION, thread_id="one")
    except AnswerWaits as waits:
        asked.append((len(model.requests), waits.value))
    while True:
        try:
            answer = resume(agent, "one", True)
            break
        except AnswerWaits as waits:
            asked.append((len(model.requests), waits.value))
    assert [number for number, _ in asked] == [3, 7]
    assert answer.usage["model_calls"] == 9


def test_a_node_in_a_parent_waits_and_is_resumed_by_langgraphs_command(index: PageIndex) -> None:
    agent, _ = scripted(index, calls("view_pages", pages=MANY), CITED, confirm=ConfirmBefore(pages=3))
    graph = StateGraph(MessagesState)
    graph.add_node("documents", as_node(agent))
    graph.add_edge(START, "documents")
    app, config = graph.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "one"}}

    waiting = app.invoke({"messages": [HumanMessage(QUESTION)]}, config)
    assert waiting["__interrupt__"][0].value["pages"] == MANY
    messages = app.invoke(Command(resume=True), config)["messages"]

    assert [answer.text for answer in answers_in(messages)] == [CITED]
    assert len([message for message in messages if isinstance(message, ToolMessage)]) == 1
    assert isinstance(messages[-1], AIMessage)


def test_a_tool_waits_and_goes_on_where_it_was(index: PageIndex) -> None:
    agent, model = scripted(index, calls("view_pages", pages=MANY), CITED, confirm=ConfirmBefore(pages=3))
    lead = ScriptedReasoner(script=[calls("ask_pagesight", question=QUESTION), "So it was."])
    app = create_react_agent(lead, [as_tool(agent)], checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one"}}

    waiting = app.invoke({"messages": [HumanMessage("Find out.")]}, config)
    assert waiting["__interrupt__"][0].value["pages"] == MANY
    messages = app.invoke(Command(resume=True), config)["messages"]

    assert [answer.text for answer in answers_in(messages)] == [CITED]
    model.assert_finished()


def test_without_a_checkpointer_there_is_no_way_on(index: PageIndex) -> None:
    agent, _ = scripted(index, calls("view_pages", pages=MANY), confirm=ConfirmBefore(pages=3))
    with pytest.raises(AnswerWaits, match="give the agent a checkpointer"):
        ask(agent, QUESTION)
