"""Histories that others cut, and marks that outlive it: budgets, boundaries and calls hold in whatever is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.prebuilt import create_react_agent
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from small_index import PHOTO, REPORT, small_settings, write_pdf

from pagesight.agent import Answer, aask, answers_in, as_node, ask, astream, create_page_agent, stream
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import EmptyAnswer, SettingsError, UnknownDocument

QUESTION = "How high was the net revenue in 2023?"
CITED = f"4.2 billion euros [{REPORT} p. 2]."
NOT_FOUND = "Not found in these documents."
LOOKS = f"{REPORT} p. 2"


def scripted(index: PageIndex, *script: Any, **options: Any) -> tuple[Any, ScriptedReasoner]:
    model = ScriptedReasoner(script=list(script))
    return create_page_agent(index, model=model, **options), model


def looks_and_says(text: str = CITED) -> list[Any]:
    return [calls("search_pages", query="net revenue"), calls("view_pages", pages=[LOOKS]), text]


def invoked(graph: Any, messages: list[BaseMessage], **how: Any) -> list[BaseMessage]:
    return graph.invoke({"messages": messages}, **how)["messages"]


# Budgets


def last_two(state: Any) -> dict[str, Any]:
    return {"llm_input_messages": state["messages"][-2:]}


def all_but_two_removed(state: Any) -> dict[str, Any]:
    return {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), *state["messages"][-2:]]}


@pytest.mark.parametrize("hook", [last_two, all_but_two_removed])
def test_a_budget_counts_on_when_the_history_is_cut_within_a_run(index: PageIndex, hook: Any) -> None:
    endless = [calls("search_pages", query=f"net revenue {number}") for number in range(30)]
    settings = small_settings(calls_per_question=6, searches_per_question=3)
    agent, model = scripted(index, *endless, settings=settings, pre_model_hook=hook)

    with pytest.raises(EmptyAnswer, match="6 model calls"):
        invoked(agent, [HumanMessage(QUESTION)])

    assert len(model.requests) == 6
    assert "No search was made" in model.requests[5].texts[-1]
    assert "0 searches" in model.requests[5].texts[-1]


def test_the_dollars_of_messages_that_are_gone_are_counted(index: PageIndex) -> None:
    settings = small_settings(dollars_per_question=0.001, prices={"ScriptedReasoner": [1, 1]})
    looks = [calls("list_documents", containing=str(number)) for number in range(30)]  # 110 tokens each
    agent, model = scripted(index, *looks, settings=settings, pre_model_hook=last_two)
    with pytest.raises(EmptyAnswer):
        invoked(agent, [HumanMessage(QUESTION)])
    assert len(model.requests) == 11
    assert "budget is used up" in "\n".join(model.requests[10].texts)


def test_a_hook_before_the_model_leaves_room_for_every_call(index: PageIndex) -> None:
    """Each of its steps counts for LangGraph's own limit."""
    looks = [calls("list_documents", containing=str(number)) for number in range(23)]
    agent, _ = scripted(
        index, *looks, NOT_FOUND, pre_model_hook=lambda state: {"llm_input_messages": state["messages"]}
    )
    assert ask(agent, QUESTION).usage["model_calls"] == 24


# Calls


def test_a_model_that_counts_its_calls_anew_is_understood(index: PageIndex) -> None:
    def counted(tool: str, **arguments: Any) -> AIMessage:
        return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": "call_0"}])

    script = [counted("search_pages", query="net revenue"), counted("view_pages", pages=[LOOKS]), CITED]
    foreign = [AIMessage("", tool_calls=[{"name": "find", "args": {}, "id": "call_0"}], name="planner"),
               ToolMessage("Found.", tool_call_id="call_0")]  # fmt: skip
    for before in ([], foreign):
        agent, _ = scripted(index, *script)
        answer = answers_in(invoked(as_node(agent), [*before, HumanMessage(QUESTION)]))[-1]
        assert (answer.text, answer.pages_viewed, answer.usage["model_calls"]) == (CITED, [LOOKS], 3)


# The boundary, in what went before


@pytest.mark.parametrize("call", [False, True], ids=["of the agent", "of the call"])
def test_a_page_shown_before_is_no_evidence_outside_the_boundary(index: PageIndex, call: bool) -> None:
    claims = f"A picture [{PHOTO} p. 1] and 4.2 [{LOOKS}]."
    looks = calls("view_pages", pages=[f"{PHOTO} p. 1", LOOKS])
    script, memory = [looks, claims, claims, claims, claims], InMemorySaver()
    model = ScriptedReasoner(script=script)
    wide = create_page_agent(index, model=model, checkpointer=memory, settings=small_settings(verify="off"))
    ask(wide, "Look at both.", thread_id="one")
    bound: Any = {} if call else {"documents": [REPORT]}
    agent = create_page_agent(index, model=model, checkpointer=memory, settings=small_settings(verify="off"), **bound)

    items = list(stream(agent, "And now?", thread_id="one", context={"documents": [REPORT]} if call else None))

    answer = items[-1]
    streamed = "".join(item for item in items if isinstance(item, str))
    assert streamed == answer.text * 2  # it goes back to be corrected, once
    assert isinstance(answer, Answer)
    assert [citation.label for citation in answer.citations] == [LOOKS]
    assert [citation.label for citation in answer.unverified] == [f"{PHOTO} p. 1"]
    assert "not verified" in answer.text


def test_a_page_that_a_removed_draft_was_the_first_with_stays_shown(index: PageIndex) -> None:
    agent, _ = scripted(index, calls("view_pages", pages=[LOOKS]), "It was 4.2 billion euros.", CITED)
    state = invoked(as_node(agent), [HumanMessage(QUESTION)])
    assert [message.text for message in state if message.text.startswith("It was")] == []
    narrow, model = scripted(index, CITED, CITED, settings=small_settings(images_per_call=1))
    answer = answers_in(invoked(as_node(narrow), [*state, HumanMessage("And?")]))[-1]
    assert [citation.label for citation in answer.citations] == [LOOKS]
    assert model.requests[0].pictures == [LOOKS]


def test_documents_are_a_list(index: PageIndex) -> None:
    with pytest.raises(SettingsError, match="a list of names"):
        create_page_agent(index, model="offline", documents=REPORT)


TENANTS = ("acme/report.pdf", "acme-corp/report.pdf", "acme2/report.pdf", "globex/acme/other.pdf")


def test_names_that_begin_alike_are_different_tenants(tmp_path: Path) -> None:
    """By folder, by metadata, and whatever a document is named for the order in which files came in."""
    for name in TENANTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_pdf(tmp_path / name, [[f"Net revenue of {name}"]])
        Path(f"{tmp_path / name}.meta.json").write_text(json.dumps({"tenant": name.partition("/")[0]}))
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        for folder in ("acme-corp", "acme2", "globex", "acme"):
            index.add(tmp_path / folder)
        own = {record.path for record in index.documents() if record.metadata["tenant"] == "acme"}
        contexts: list[Any] = [
            {"tenant": "acme"}, {"where": "tenant == 'acme'"}, {"documents": [f"{tmp_path}/acme/*"]},
            {"documents": [str(tmp_path / "acme" / "report.pdf")]},
            {"documents": [record.document_id for record in index.documents() if record.path in own]},
        ]  # fmt: skip
        for context in contexts:
            agent, _ = scripted(index, calls("list_documents"), calls("search_pages", query="net revenue"), NOT_FOUND)
            state = agent.invoke({"messages": [HumanMessage(QUESTION)]}, context=context)["messages"]
            listed, found = [message.artifact for message in state if isinstance(message, ToolMessage)]
            paths = {index.document(one["document"]).path for one in [*listed["documents"], *found["hits"]]}
            assert paths == own, context
        assert {hit.document for hit in index.search("net revenue", documents=[f"{tmp_path}/acme2/*"])} != set()
        with pytest.raises(UnknownDocument):
            create_page_agent(index, model="offline", documents=[f"{tmp_path}/acm/*"])


# Histories that were made smaller or come from elsewhere


def without_ids(messages: list[BaseMessage]) -> list[BaseMessage]:
    return [message.model_copy(update={"id": None, "name": None}) for message in messages]


def without_marks(messages: list[BaseMessage]) -> list[BaseMessage]:
    return [message.model_copy(update={"response_metadata": {}}) for message in messages]


def summarised(messages: list[BaseMessage]) -> list[BaseMessage]:
    return [SystemMessage(f"So far: {messages[-1].text}")]


@pytest.mark.parametrize(("made", "shown"), [(without_ids, [LOOKS]), (without_marks, []), (summarised, [])])
def test_what_a_history_still_shows_is_what_counts(index: PageIndex, made: Any, shown: list[str]) -> None:
    agent, _ = scripted(index, *looks_and_says())
    history = made(invoked(as_node(agent), [HumanMessage(QUESTION)]))
    again, model = scripted(index, CITED, CITED)
    answer = answers_in(invoked(as_node(again), [*history, HumanMessage("Once more?")]))[-1]
    assert model.requests[0].pictures == shown
    assert [citation.label for citation in answer.citations] == shown
    assert answer.usage["model_calls"] == (1 if shown else 2)


# Others' graphs


def test_a_supervisor_of_supervisors_keeps_every_answer(index: PageIndex) -> None:
    agent, _ = scripted(index, *looks_and_says(), *looks_and_says())
    lead = ScriptedReasoner(script=[calls("transfer_to_pagesight"), "Known.", calls("transfer_to_pagesight"), "Known."])
    team = create_supervisor([as_node(agent)], model=lead, supervisor_name="lead", output_mode="full_history")
    boss = ScriptedReasoner(script=[calls("transfer_to_team"), calls("transfer_to_team"), "All is known."])
    graph = create_supervisor([team.compile(name="team")], model=boss, output_mode="full_history").compile()

    answers = answers_in(invoked(graph, [HumanMessage(QUESTION)], config={"recursion_limit": 100}))

    assert [(answer.text, answer.usage["model_calls"]) for answer in answers] == [(CITED, 3)] * 2


@pytest.mark.parametrize("mode", ["last_message", "full_history"])
def test_a_supervisor_without_words_of_handing_over(index: PageIndex, mode: Any) -> None:
    agent, _ = scripted(index, *looks_and_says(), *looks_and_says())
    boss = ScriptedReasoner(script=[calls("transfer_to_pagesight"), calls("transfer_to_pagesight"), "All is known."])
    graph = create_supervisor([as_node(agent)], model=boss, output_mode=mode, add_handoff_messages=False,
                              add_handoff_back_messages=False).compile()  # fmt: skip
    answers = answers_in(invoked(graph, [HumanMessage(QUESTION)], config={"recursion_limit": 100}))
    assert [(answer.text, answer.usage["model_calls"]) for answer in answers] == [(CITED, 3)] * 2


@pytest.mark.parametrize("wrapped", [True, False], ids=["node", "bare"])
def test_a_swarm_remembers_and_takes_turns(index: PageIndex, wrapped: bool) -> None:
    handoff = create_handoff_tool(agent_name="planner")
    agent, model = scripted(index, *looks_and_says(), calls("transfer_to_planner"), tools=[handoff])
    script = [calls("transfer_to_pagesight"), "I plan."]
    planner = create_react_agent(ScriptedReasoner(script=script), [create_handoff_tool(agent_name="pagesight")],
                                 name="planner")  # fmt: skip
    swarm = create_swarm([planner, as_node(agent) if wrapped else agent], default_active_agent="planner")
    graph, config = swarm.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "one"}}

    first: Any = graph.invoke({"messages": [HumanMessage(QUESTION)]}, config)
    second: Any = graph.invoke({"messages": [HumanMessage("What next?")]}, config)

    assert first["messages"][-1].text == CITED
    assert (second["messages"][-1].text, second["active_agent"]) == ("I plan.", "planner")
    model.assert_finished()


# Who stops waiting


async def test_who_stops_reading_ends_the_run(index: PageIndex) -> None:
    agent, model = scripted(index, *looks_and_says())
    items = astream(agent, QUESTION)
    async for _ in items:
        break
    await items.aclose()  # type: ignore[attr-defined]
    made = len(model.requests)
    assert made < 3
    assert (await aask(scripted(index, NOT_FOUND)[0], QUESTION)).text == NOT_FOUND
    assert len(model.requests) == made


def test_a_middleware_that_sums_up_a_history_goes_around_ours(index: PageIndex) -> None:
    middleware = pytest.importorskip("langchain.agents.middleware")
    sums_up = middleware.SummarizationMiddleware(
        model=ScriptedReasoner(script=["So far."] * 9), trigger=("messages", 5), keep=("messages", 3)
    )
    searches = [calls("search_pages", query=f"net revenue {number}") for number in range(4)]
    agent, _ = scripted(index, *searches, *looks_and_says()[1:], loop="create_agent", middleware=[sums_up])
    answer = ask(agent, QUESTION)
    assert (answer.text, answer.question, answer.usage["model_calls"]) == (CITED, QUESTION, 6)
