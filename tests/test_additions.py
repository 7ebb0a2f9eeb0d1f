"""What users add: a prompt, tools, hooks, a state, a store and a context of their own, as to any LangGraph agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import ToolRuntime
from langgraph.prebuilt.chat_agent_executor import AgentState
from langgraph.store.memory import InMemoryStore
from langgraph_swarm import create_handoff_tool, create_swarm
from small_index import REPORT, small_settings

from pagesight.agent import aask, answers_in, as_node, ask, create_page_agent, resume
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import EmptyAnswer, SettingsError

QUESTION = "How high was the net revenue in 2023?"
NOT_FOUND = "Not found in these documents."


def scripted(index: PageIndex, *script: Any, **options: Any) -> tuple[Any, ScriptedReasoner]:
    model = ScriptedReasoner(script=list(script))
    return create_page_agent(index, model=model, **options), model


def by_state(state: Any, config: RunnableConfig) -> list[Any]:
    """As LangGraph's quickstart has it."""
    name = config["configurable"].get("user_name", "nobody")
    return [SystemMessage(f"Address the user as {name}."), *state["messages"]]


async def by_state_async(state: Any) -> str:
    return f"There are {len(state['messages'])} messages."


PROMPTS = [
    ("Answer in one line.", "Answer in one line."),
    (SystemMessage("Answer in one line."), "Answer in one line."),
    (by_state, "Address the user as Ada."),
    (lambda state: f"Messages: {len(state['messages'])}", "Messages: 1"),
]


@pytest.mark.parametrize(("prompt", "says"), PROMPTS, ids=["text", "message", "quickstart", "function"])
async def test_a_prompt_adds_to_ours(index: PageIndex, prompt: Any, says: str) -> None:
    agent, model = scripted(index, NOT_FOUND, NOT_FOUND, prompt=prompt)
    config: Any = {"configurable": {"user_name": "Ada"}}
    ask(agent, QUESTION, config=config)
    await aask(agent, QUESTION, config=config)
    for request in model.requests:
        assert request.texts[0].startswith("You answer questions about a collection of documents")
        assert request.texts[0].endswith(says)
        assert request.texts[1:] == [QUESTION]


async def test_a_prompt_may_be_async(index: PageIndex) -> None:
    agent, model = scripted(index, NOT_FOUND, prompt=by_state_async)
    await aask(agent, QUESTION)
    assert model.requests[0].texts[0].endswith("There are 1 messages.")


def test_a_prompt_of_another_kind_is_an_error(index: PageIndex) -> None:
    agent, _ = scripted(index, prompt=lambda state: 7)
    with pytest.raises(SettingsError, match="prompt made int"):
        ask(agent, QUESTION)


def exchange_rate(currency: str) -> str:
    """The rate of a currency in euros."""
    return f"One {currency} is 0.9 euros."


def test_tools_stand_beside_ours_under_the_same_budget(index: PageIndex) -> None:
    script = [calls("exchange_rate", currency="dollar"), calls("exchange_rate", currency="pound"), NOT_FOUND]
    agent, model = scripted(index, *script, tools=[exchange_rate])

    answer = ask(agent, QUESTION)

    assert {"exchange_rate", "search_pages", "view_pages"} <= set(model.requests[0].tools)
    assert "One dollar is 0.9 euros." in model.requests[1].texts
    assert answer.usage["model_calls"] == 3
    endless = [calls("exchange_rate", currency=str(number)) for number in range(9)]
    agent, _ = scripted(index, *endless, tools=[exchange_rate], settings=small_settings(calls_per_question=4))
    with pytest.raises(EmptyAnswer, match="4 model calls"):
        ask(agent, QUESTION)


def test_a_tool_with_one_of_our_names_is_an_error(index: PageIndex) -> None:
    def search_pages(query: str) -> str:
        """Search."""
        return query

    with pytest.raises(SettingsError, match="'search_pages' of yours"):
        create_page_agent(index, model="offline", tools=[search_pages])


def test_hooks_come_before_the_model_and_after_our_correction(index: PageIndex) -> None:
    seen: list[str] = []

    def before(state: Any) -> Any:
        return {"llm_input_messages": state["messages"][-3:]}

    def after(state: Any) -> Any:
        seen.append(state["messages"][-1].text)
        return {}

    script = [f"It was 9 [{REPORT} p. 9].", calls("view_pages", pages=[f"{REPORT} p. 2"]), f"4.2 [{REPORT} p. 2]."]
    agent, _ = scripted(index, *script, pre_model_hook=before, post_model_hook=after)

    answer = ask(agent, QUESTION)

    assert answer.citations
    assert seen == ["", f"4.2 [{REPORT} p. 2]."]


@dataclass
class Who:
    """A context of the user's own, with one of our fields in it."""

    user: str
    documents: list[str] | None = None


class Counted(AgentState):
    """A state with one more field."""

    count: int


def test_state_context_and_store_reach_the_users_tools(index: PageIndex) -> None:
    def remember(runtime: ToolRuntime) -> str:
        """Remember who asks."""
        assert runtime.store
        runtime.store.put(("users",), runtime.context.user, {"count": runtime.state["count"]})
        return "Remembered."

    store = InMemoryStore()
    script = [calls("remember"), calls("search_pages", query="net revenue"), NOT_FOUND]
    agent, _ = scripted(index, *script, tools=[remember], store=store, state_schema=Counted, context_schema=Who)

    asked: Any = {"messages": [HumanMessage(QUESTION)], "count": 7}
    state = agent.invoke(asked, context=Who("ada", [REPORT]))

    kept = store.get(("users",), "ada")
    assert kept
    assert kept.value == {"count": 7}
    assert {hit["document"] for message in state["messages"] if isinstance(message, ToolMessage) and message.artifact
            for hit in message.artifact["hits"]} == {REPORT}  # fmt: skip


def test_an_interrupt_before_the_tools_waits_for_a_word(index: PageIndex) -> None:
    agent, model = scripted(
        index, calls("search_pages", query="net revenue"), NOT_FOUND, checkpointer=InMemorySaver(),
        interrupt_before=["tools"],
    )  # fmt: skip
    with pytest.raises(EmptyAnswer):
        ask(agent, QUESTION, thread_id="one")
    assert len(model.requests) == 1
    answer = resume(agent, "one")
    assert (answer.text, answer.usage["model_calls"]) == (NOT_FOUND, 2)


def test_our_agent_hands_over_to_another_of_a_swarm(index: PageIndex) -> None:
    ours, model = scripted(index, calls("transfer_to_second"), tools=[create_handoff_tool(agent_name="second")])
    second, _ = scripted(index, NOT_FOUND, name="second")
    swarm = create_swarm([as_node(ours), as_node(second)], default_active_agent="pagesight").compile()

    state: Any = swarm.invoke({"messages": [HumanMessage(QUESTION)]})

    assert state["active_agent"] == "second"
    assert [answer.text for answer in answers_in(state["messages"])] == [NOT_FOUND]
    model.assert_finished()
