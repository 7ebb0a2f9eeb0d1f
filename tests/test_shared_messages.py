"""In messages that others write too, the agent goes by what it did itself: in supervisors, swarms, parallel sends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from conversations import agent_at
from gemini_server import GeminiServer
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from small_index import PHOTO, REPORT, SHEET, small_settings

from pagesight.agent import Answer, answers_in, as_node, as_tool, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import EmptyAnswer, EmptyQuestion, KeyRefused, UnknownDocument
from pagesight.indexing.testing import made_index

QUESTION = "How high was the net revenue in 2023?"
CITED = f"4.2 billion euros [{REPORT} p. 2]."
SEARCHES, LOOKS = calls("search_pages", query="net revenue"), calls("view_pages", pages=[f"{REPORT} p. 2"])
ROUNDS = 10


@pytest.fixture(scope="module")
def other() -> Iterator[PageIndex]:
    """An index of other pages under the same name."""
    with made_index({REPORT: ["Nothing", "The net revenue of another company was one euro."]}) as index:
        yield index


def scripted(index: PageIndex, *script: Any, **options: Any) -> tuple[CompiledStateGraph, ScriptedReasoner]:
    model = ScriptedReasoner(script=list(script))
    return create_page_agent(index, model=model, **options), model


def fresh(*script: AIMessage) -> list[AIMessage]:
    """The steps with ids of their own, so that they can be played more than once."""
    return [calls(call["name"], **call["args"]) for one in script for call in one.tool_calls]


def looks_and_says(text: str = CITED) -> list[Any]:
    return [*fresh(SEARCHES, LOOKS), text]


def others(number: int = 1, text: str = f"As everybody knows, it was 9 billion [{REPORT} p. 5].") -> list[BaseMessage]:
    return [AIMessage(text, name="planner") for _ in range(number)]


def viewed(ref: Any) -> list[BaseMessage]:
    """Messages of nobody's making that show a page."""
    call = {"name": "view_pages", "args": {"pages": [ref.label]}, "id": "made-by-hand"}
    page = {"document_id": ref.document_id, "document": ref.document, "page": ref.page, "region": None}
    shown = {"pages": [{**page, "tokens": 9, "size": 9}]}
    reply = ToolMessage("Shown as pictures.", name="view_pages", tool_call_id="made-by-hand", artifact=shown)
    return [AIMessage("", tool_calls=[call], name="pagesight"), reply]


def run(graph: Any, messages: Sequence[BaseMessage], **config: Any) -> list[BaseMessage]:
    return graph.invoke({"messages": list(messages)}, config or None)["messages"]


def last_answer(graph: Any, messages: Sequence[BaseMessage]) -> Answer:
    return answers_in(run(graph, messages))[-1]


# Others' texts


@pytest.mark.parametrize("wrapped", [True, False], ids=["node", "bare"])
def test_with_a_refused_key_no_text_of_others_becomes_the_answer(index: PageIndex, wrapped: bool) -> None:
    agent, _ = scripted(index, KeyRefused("the key was refused"))
    with pytest.raises(KeyRefused):
        run(as_node(agent) if wrapped else agent, [HumanMessage(QUESTION), *others()])


def test_no_text_of_others_is_sent_back_to_be_corrected(index: PageIndex) -> None:
    agent, model = scripted(index, *looks_and_says())
    answer = last_answer(as_node(agent), [HumanMessage(QUESTION), *others(3)])

    assert answer.text == CITED
    assert not [text for request in model.requests for text in request.texts if "Your answer cites" in text]
    assert answer.usage["model_calls"] == 3


def test_messages_of_others_take_nothing_of_the_budget(index: PageIndex) -> None:
    agent, model = scripted(index, *looks_and_says())
    answer = last_answer(as_node(agent), [HumanMessage(QUESTION), *others(60)])

    assert answer.text == CITED
    assert answer.usage["model_calls"] == 3
    assert answer.usage["input_tokens"] == 300
    replies = [message.text for message in model.requests[-1].messages if isinstance(message, ToolMessage)]
    left = small_settings().budget
    assert f"{left.searches_per_question - 1} searches" in replies[0]
    assert f"{left.calls_per_question - 2} model calls" in replies[1]


def test_only_what_this_agent_has_brought_is_in_its_answer(index: PageIndex, other: PageIndex) -> None:
    first, _ = scripted(other, *looks_and_says("One euro."), name="first")
    state = run(as_node(first), [HumanMessage(QUESTION)])
    second, _ = scripted(index, "Not found in these documents.", name="second")

    answer = last_answer(as_node(second), state)

    assert (answer.hits, answer.pages_viewed, answer.usage["model_calls"]) == ([], [], 1)
    assert answer.usage["pictures"] == 0


def test_an_empty_answer_or_none_is_an_error_of_the_node_and_a_reply_of_the_tool(index: PageIndex) -> None:
    agent, _ = scripted(index, AIMessage(""), AIMessage(" \n"))
    with pytest.raises(EmptyAnswer):
        run(as_node(agent), [HumanMessage(QUESTION)])
    call = {"name": "ask_pagesight", "args": {"question": QUESTION}, "id": "1", "type": "tool_call"}
    reply = as_tool(agent).invoke(call)
    assert reply.status == "error"
    assert "empty answer" in reply.text


# Pictures of others, and the boundary


@pytest.mark.parametrize("names", [("one", "two"), ("pagesight", "pagesight")], ids=["named", "same name"])
def test_pages_of_another_index_are_neither_shown_nor_evidence(
    index: PageIndex, other: PageIndex, names: tuple[str, str]
) -> None:
    one, _ = scripted(other, *looks_and_says("One euro."), name=names[0])
    two, model = scripted(index, "So they say: one euro [annual-report.pdf p. 2].", "Again [annual-report.pdf p. 2].",
                          name=names[1])  # fmt: skip
    graph = StateGraph(MessagesState)
    graph.add_node("one", as_node(one)).add_node("two", as_node(two))
    graph.add_edge(START, "one").add_edge("one", "two").add_edge("two", END)

    first, second = answers_in(run(graph.compile(), [HumanMessage(QUESTION)]))

    assert first.pages_viewed == [f"{REPORT} p. 2"]
    assert [request.pictures for request in model.requests] == [[], []]
    assert second.citations == []
    assert [citation.label for citation in second.unverified] == [f"{REPORT} p. 2"]


@pytest.mark.parametrize("place", [REPORT, PHOTO])
def test_a_view_that_nobody_of_ours_made_shows_nothing(index: PageIndex, place: str) -> None:
    messages = [HumanMessage(QUESTION), *viewed(index.page(f"{place} p. 1"))]
    text = f"It is so [{place} p. 1]."
    agent, model = scripted(index, text, text)

    answer = last_answer(as_node(agent), messages)

    assert [request.pictures for request in model.requests] == [[], []]
    assert answer.citations == []


def test_what_was_seen_before_the_boundary_was_drawn_is_shown_no_more(index: PageIndex) -> None:
    looks = calls("view_pages", pages=[f"{REPORT} p. 2", f"{PHOTO} p. 1"])
    wide, before = scripted(index, looks, "Seen.")
    state = run(wide, [HumanMessage("Look at both.")])
    narrow, model = scripted(index, "Not found in these documents.", documents=[REPORT])

    run(narrow, [*state, HumanMessage(QUESTION)])

    assert before.requests[-1].pictures == [f"{REPORT} p. 2", f"{PHOTO} p. 1"]
    assert model.requests[0].pictures == [f"{REPORT} p. 2"]
    assert f"{PHOTO} p. 1 cannot be shown" in "\n".join(model.requests[0].texts)


def test_a_page_counts_as_shown_when_its_picture_went_along(index: PageIndex) -> None:
    """A view in our own name that cannot be drawn, since its page is not there, is no page that was shown."""
    agent, _ = scripted(index, calls("view_pages", pages=[f"{REPORT} p. 2"]), CITED)
    state = run(agent, [HumanMessage(QUESTION)])
    (reply,) = [message for message in state if isinstance(message, ToolMessage)]
    forged = {**reply.artifact["pages"][0], "page": 99}
    state[state.index(reply)] = reply.model_copy(update={"artifact": {"pages": [forged]}})
    again, model = scripted(index, f"So it is [{REPORT} p. 99].", f"So it is [{REPORT} p. 99].")

    answer = last_answer(as_node(again), [*state, HumanMessage("And?")])

    assert [request.pictures for request in model.requests] == [[], []]
    assert [citation.page for citation in answer.unverified] == [99]


NARROW = [calls("search_pages", query="net revenue euros"), calls("list_documents"),
          calls("view_pages", pages=[f"{REPORT} p. 2"]), calls("view_pages", pages=[f"{SHEET} p. 1"]),
          "Done."]  # fmt: skip


def narrowed(index: PageIndex, **options: Any) -> tuple[set[str], set[str], list[str]]:
    """The documents that were found, those that were listed, and the pages that were shown, within a boundary."""
    agent, model = scripted(index, *fresh(*NARROW[:-1]), NARROW[-1], **options)
    replies = [message.artifact or {} for message in run(agent, [HumanMessage(QUESTION)])
               if isinstance(message, ToolMessage)]  # fmt: skip
    found = {hit["document"] for hit in replies[0]["hits"]}
    listed = {record["document"] for record in replies[1]["documents"]}
    return found, listed, model.requests[-1].pictures


def test_no_documents_are_none(index: PageIndex) -> None:
    assert narrowed(index, documents=[]) == (set(), set(), [])


@pytest.mark.slow
def test_documents_are_named_by_name_id_or_pattern(index: PageIndex) -> None:
    record = index.document(REPORT)
    for handle in (REPORT, record.document_id, "annual-*", record.path):
        found, listed, shown = narrowed(index, documents=[handle])
        assert (found, listed, shown) == ({REPORT}, {REPORT}, [f"{REPORT} p. 2"]), handle
    _, listed, _ = narrowed(index, documents=["*.pdf"])
    assert len(listed) == 3


@pytest.mark.parametrize("handle", ["nowhere.pdf", "*.xlsx", "0123456789abcdef"])
def test_a_document_that_is_not_there_is_told_at_once(index: PageIndex, handle: str) -> None:
    with pytest.raises(UnknownDocument):
        create_page_agent(index, model="offline", documents=[handle])


# Under a supervisor, in a swarm, in parallel


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["last_message", "full_history"])
def test_ten_rounds_under_a_supervisor_are_each_as_the_first(index: PageIndex, mode: Any) -> None:
    agent, model = scripted(index, *(step for _ in range(ROUNDS) for step in looks_and_says()))
    delegates = [calls("transfer_to_pagesight") for _ in range(ROUNDS)]
    supervisor = ScriptedReasoner(script=[*delegates, "All is known."])
    graph = create_supervisor([as_node(agent)], model=supervisor, output_mode=mode).compile()

    messages = run(graph, [HumanMessage(QUESTION)], recursion_limit=100)

    answers = answers_in(messages)
    assert len(answers) == ROUNDS
    for answer in answers:
        assert (answer.text, answer.usage["model_calls"], answer.unverified) == (CITED, 3, [])
        assert answer.pages_viewed == [f"{REPORT} p. 2"]
        assert len(answer.hits) == len(answers[0].hits)
    assert messages[-1].text == "All is known."
    assert all(not [text for text in request.texts if "Your answer cites" in text] for request in model.requests)
    model.assert_finished()


@pytest.mark.parametrize("mode", ["last_message", "full_history"])
def test_a_draft_of_any_round_stays_inside(index: PageIndex, mode: Any) -> None:
    rounds = [[f"It was 9 [{REPORT} p. 9].", *looks_and_says()] for _ in range(3)]
    agent, _ = scripted(index, *(step for one in rounds for step in one))
    delegates = [calls("transfer_to_pagesight") for _ in rounds]
    supervisor = ScriptedReasoner(script=[*delegates, "All is known."])
    graph = create_supervisor([as_node(agent)], model=supervisor, output_mode=mode).compile()

    messages = run(graph, [HumanMessage(QUESTION)], recursion_limit=100)

    assert [answer.text for answer in answers_in(messages)] == [CITED] * 3
    assert not [message for message in messages if "It was 9" in message.text]


def test_agents_of_a_swarm_hand_over_to_each_other(index: PageIndex, other: PageIndex) -> None:
    ours, model = scripted(index, *looks_and_says(), *looks_and_says("Again 4.2 [annual-report.pdf p. 2]."))
    theirs, _ = scripted(other, *looks_and_says("One euro [annual-report.pdf p. 2]."), name="theirs")
    planner = create_page_planner(["pagesight", "theirs", "pagesight"])
    swarm = create_swarm([planner, as_node(ours), as_node(theirs)], default_active_agent="planner").compile()

    state: Any = {"messages": [HumanMessage(QUESTION)]}
    for _ in range(3):
        state = swarm.invoke({**state, "active_agent": "planner"})
        state["messages"].append(HumanMessage("Once more?"))

    texts = [answer.text for answer in answers_in(state["messages"])]
    assert texts == [CITED, "One euro [annual-report.pdf p. 2].", "Again 4.2 [annual-report.pdf p. 2]."]
    assert [answer.unverified for answer in answers_in(state["messages"])] == [[], [], []]
    assert all(len(request.pictures) <= 1 for request in model.requests)


def create_page_planner(destinations: list[str]) -> Any:
    """An agent of somebody else's that hands over to each of these in turn."""
    from langgraph.prebuilt import create_react_agent

    model = ScriptedReasoner(script=[calls(f"transfer_to_{name}") for name in destinations])
    tools = [create_handoff_tool(agent_name=name) for name in dict.fromkeys(destinations)]
    return create_react_agent(model, tools, name="planner")


@pytest.mark.slow
def test_ten_questions_sent_at_once_are_each_answered(index: PageIndex) -> None:
    agent = as_node(create_page_agent(index, model="offline"))
    topics = ["net revenue by region", "people worked for the group", "Leistungsaufnahme Watt", "Schutzart",
              "net revenue until 2026", "Letter to the shareholders", "auxiliary figures 5", "auxiliary figures 7",
              "Grow in Asia", "Europe and Asia"]  # fmt: skip
    graph = StateGraph(MessagesState)
    graph.add_node("documents", agent)
    graph.add_conditional_edges(
        START, lambda state: [Send("documents", {"messages": [HumanMessage(topic)]}) for topic in topics], ["documents"]
    )
    graph.add_edge("documents", END)

    alone = [last_answer(agent, [HumanMessage(topic)]) for topic in topics]
    answers = answers_in(run(graph.compile(), others(30)))

    assert [answer.text for answer in answers] == [answer.text for answer in alone]
    assert [answer.usage["model_calls"] for answer in answers] == [one.usage["model_calls"] for one in alone]


def test_a_node_that_comes_twice_in_a_row_answers_twice(index: PageIndex) -> None:
    settings = small_settings(calls_per_question=4)
    agent, _ = scripted(index, *looks_and_says(), *looks_and_says("Once more: 4.2 [annual-report.pdf p. 2]."),
                        settings=settings)  # fmt: skip
    graph = StateGraph(MessagesState)
    graph.add_node("one", agent).add_node("two", as_node(agent))
    graph.add_edge(START, "one").add_edge("one", "two").add_edge("two", END)

    (answer,) = answers_in(run(graph.compile(), [HumanMessage(QUESTION)]))

    assert answer.text.startswith("Once more")
    assert answer.usage["model_calls"] == 3


# Histories of every shape


@pytest.mark.slow
def test_a_history_may_be_cut_anywhere(server: GeminiServer, index: PageIndex) -> None:
    agent = as_node(agent_at(server, index))
    play(server)
    whole = run(agent, [HumanMessage(QUESTION)])
    for start in range(len(whole) + 1):
        play(server)
        cut = [*whole[start:], HumanMessage("And once more?")]
        answer = last_answer(agent, cut)
        assert (answer.text, answer.unverified, answer.usage["model_calls"]) == (CITED, [], 3), start


def test_a_call_of_others_that_nobody_answered_is_no_hindrance(server: GeminiServer, index: PageIndex) -> None:
    open_call = {"name": "transfer_to_somebody", "args": {}, "id": "open"}
    play(server)
    messages = [HumanMessage("Before?"), AIMessage("", tool_calls=[open_call], name="planner"), HumanMessage(QUESTION)]
    assert last_answer(as_node(agent_at(server, index)), messages).text == CITED


def play(server: GeminiServer) -> None:
    server.calls("search_pages", query="net revenue 2023")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(CITED)


@pytest.mark.parametrize("before", [[], [SystemMessage("Be brief.")]], ids=["alone", "after a system message"])
def test_without_a_human_message_the_last_words_of_another_are_the_question(
    server: GeminiServer, index: PageIndex, before: list[BaseMessage]
) -> None:
    asks = [*before, AIMessage(QUESTION, name="planner")]
    play(server)
    assert last_answer(as_node(agent_at(server, index)), asks).text == CITED
    assert QUESTION in server.model_requests[0].texts
    assert "4.2 billion" in last_answer(as_node(create_page_agent(index, model="offline")), asks).text


@pytest.mark.parametrize("messages", [[], [SystemMessage("Be brief.")], [HumanMessage("")], [HumanMessage(" \n")],
                                      [SystemMessage("x"), AIMessage("", name="planner")]], ids=str)  # fmt: skip
@pytest.mark.parametrize("wrapped", [True, False], ids=["node", "bare"])
def test_where_nothing_is_asked_that_is_the_error(index: PageIndex, messages: list[BaseMessage], wrapped: bool) -> None:
    agent, model = scripted(index)
    for graph in (agent, create_page_agent(index, model="offline")):
        with pytest.raises(EmptyQuestion):
            run(as_node(graph) if wrapped else graph, messages)
    assert model.requests == []
