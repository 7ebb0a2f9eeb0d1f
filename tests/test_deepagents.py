"""The agent as a sub-agent and as a tool of deepagents, and its answers in messages that came over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from small_index import REPORT

from pagesight.agent import answers_in, as_node, as_tool, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex

QUESTION = "How high was the net revenue in 2023?"
CITED = f"4.2 billion euros [{REPORT} p. 2]."


def scripted(index: PageIndex, times: int = 1) -> Any:
    script = [step for _ in range(times) for step in (calls("view_pages", pages=[f"{REPORT} p. 2"]), CITED)]
    return create_page_agent(index, model=ScriptedReasoner(script=script))


def deep(steps: list[Any], **options: Any) -> tuple[Any, ScriptedReasoner]:
    package = pytest.importorskip("deepagents")
    model = ScriptedReasoner(script=steps)
    return package.create_deep_agent(model=model, **options), model


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_sub_agents_answer_is_found_in_its_reply(index: PageIndex, way: str) -> None:
    sub = {"name": "documents", "description": "Knows the reports.", "runnable": as_node(scripted(index))}
    steps = [calls("task", description=QUESTION, subagent_type="documents"), "It was so."]
    graph, model = deep(steps, subagents=[sub])
    asked: Any = {"messages": [HumanMessage("Find out.")]}

    messages = (graph.invoke(asked) if way == "sync" else await graph.ainvoke(asked))["messages"]

    (answer,) = answers_in(messages)
    assert (answer.text, answer.found, answer.question) == (CITED, True, QUESTION)
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert answer.usage["model_calls"] == 2
    reply = next(message.text for message in model.requests[-1].messages if isinstance(message, ToolMessage))
    assert CITED in reply
    assert len(reply) < 1500
    assert messages[-1].text == "It was so."


def test_a_tool_of_a_deep_agent(index: PageIndex) -> None:
    graph, _ = deep([calls("ask_pagesight", question=QUESTION), "It was so."], tools=[as_tool(scripted(index))])
    messages = graph.invoke({"messages": [HumanMessage("Find out.")]})["messages"]
    assert [answer.text for answer in answers_in(messages)] == [CITED]


@pytest.mark.parametrize("kind", ["node", "tool"])
def test_answers_are_found_in_messages_that_came_over_http(index: PageIndex, kind: str) -> None:
    agent = scripted(index)
    if kind == "node":
        messages = as_node(agent).invoke({"messages": [HumanMessage(QUESTION)]})["messages"]
    else:
        call: Any = {"name": "ask_pagesight", "args": {"question": QUESTION}, "id": "1", "type": "tool_call"}
        reply = as_tool(agent).invoke(call)
        messages = [AIMessage("", tool_calls=[call]), reply]
    sent = json.loads(json.dumps([message.model_dump(mode="json") for message in messages]))

    assert [answer.citations for answer in answers_in(sent)] == [answer.citations for answer in answers_in(messages)]
    assert answers_in(sent)[0].text == CITED


@pytest.mark.parametrize("text", ["{", '{"pagesight": true}', '{"pagesight": true, "text": 7}', '["pagesight"]', "{}"])
def test_what_is_no_answer_is_none(text: str) -> None:
    odd: list[Any] = [ToolMessage(text, tool_call_id="1"), {"type": "x"}, {"content": "?"}, {"role": "user"}]
    assert answers_in(odd) == []
