"""The agent inside other graphs: as a node, as a tool and under langgraph-supervisor, with the real packages."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conversations import stored
from gemini_server import GeminiServer
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_google_genai import ChatGoogleGenerativeAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph_supervisor import create_supervisor
from small_index import REPORT, small_settings

from pagesight.agent import Answer, answers_in, as_node, as_tool, create_page_agent
from pagesight.agent.reasoners.gemini_requests import with_fitted_requests
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import KeyRefused

QUESTION = "How high was the net revenue in 2023?"
CITED = f"4.2 billion euros [{REPORT} p. 2]."
THREAD: Any = {"configurable": {"thread_id": "one"}}
WAYS = ["sync", "async"]


def agent_at(server: GeminiServer, index: PageIndex, **options: Any) -> CompiledStateGraph:
    return create_page_agent(index, settings=small_settings(google_base_url=server.url), **options)


def model_at(server: GeminiServer) -> ChatGoogleGenerativeAI:
    """Somebody else's model, at the loopback server; it speaks as the service asks, as LangChain's alone does not."""
    return with_fitted_requests(
        ChatGoogleGenerativeAI(
            model="gemini-3.8-flash", api_key="AIza-test-key", base_url=server.url, max_retries=1, vertexai=False
        )
    )


def looks_and_says(server: GeminiServer, text: str = CITED) -> None:
    """What the page agent's model does: search, look, answer."""
    server.calls("search_pages", query="net revenue 2023")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(text)


async def run(way: str, graph: CompiledStateGraph, question: str = QUESTION, config: Any = THREAD) -> list[BaseMessage]:
    asked: Any = {"messages": [("user", question)]}
    result = graph.invoke(asked, config) if way == "sync" else await graph.ainvoke(asked, config)
    return result["messages"]


def with_node(node: Any, memory: Any = None) -> CompiledStateGraph:
    graph = StateGraph(MessagesState)
    graph.add_node("documents", node)
    graph.add_edge(START, "documents")
    return graph.compile(checkpointer=memory)


def with_tool(model: ChatGoogleGenerativeAI, tools: Sequence[Any], memory: Any = None) -> CompiledStateGraph:
    """A parent as the books write it: a model with tools, in a loop."""
    bound = model.bind_tools(tools)

    def chat(state: MessagesState) -> dict[str, Any]:
        return {"messages": [bound.invoke(state["messages"])]}

    async def achat(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("chat", RunnableLambda(chat, achat))
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "chat")
    graph.add_conditional_edges("chat", tools_condition)
    graph.add_edge("tools", "chat")
    return graph.compile(checkpointer=memory)


def under_supervisor(server: GeminiServer, node: Any, mode: Any, memory: Any) -> CompiledStateGraph:
    return create_supervisor([node], model=model_at(server), output_mode=mode).compile(checkpointer=memory)


def assert_no_picture(server: GeminiServer, *places: object) -> None:
    """None of the pictures that the model was sent is in these places, neither as bytes nor in base64."""
    pictures = {data for request in server.model_requests for _, data in request.pictures}
    assert pictures
    for data in pictures:
        for trace in (data[:24], data[-60:-20], base64.b64encode(data)[:24]):
            for place in places:
                assert trace not in place if isinstance(place, bytes) else repr(trace)[2:-1] not in repr(place)


# A node


@pytest.mark.parametrize(
    ("agents", "parents", "way"),
    [
        (None, None, "sync"),
        (None, "its own", "async"),
        (True, None, "async"),
        (True, "its own", "sync"),
        ("its own", None, "sync"),
        ("its own", "its own", "async"),
    ],
)
async def test_a_node_shares_messages_whoever_keeps_them(
    server: GeminiServer, index: PageIndex, agents: Any, parents: str | None, way: str
) -> None:
    memory = InMemorySaver() if parents else None
    agent = agent_at(server, index, checkpointer=InMemorySaver() if agents == "its own" else agents)
    looks_and_says(server)

    for node in (agent, as_node(agent)):
        graph = with_node(node, memory)
        config: Any = {"configurable": {"thread_id": type(node).__name__ + str(node is agent)}}
        messages = await run(way, graph, config=config)
        looks_and_says(server)

        assert messages[0].text == QUESTION
        assert messages[-1].text == CITED
        assert messages[-1].name == "pagesight"
        assert len(server.model_requests[-1].pictures) == 1
        assert_no_picture(server, messages, stored(memory) if memory else b"")


@pytest.mark.parametrize("way", WAYS)
async def test_a_node_carries_its_checked_answer_also_through_a_checkpoint(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    memory = InMemorySaver()
    graph = with_node(as_node(agent_at(server, index)), memory)
    text = f"4.2 billion [{REPORT} p. 2, region 50,100,150,700]. So says [{REPORT} p. 7]."
    looks_and_says(server, text)
    server.says(text)  # also when it is asked to correct that

    fresh = answers_in(await run(way, graph))
    kept = graph.get_state(THREAD).values["messages"]

    assert fresh == answers_in(kept)
    (answer,) = fresh
    assert [citation.as_dict() for citation in answer.citations] == [
        {"label": f"{REPORT} p. 2", "document": REPORT, "page": 2, "region": [102, 302, 116, 333]}
    ]
    assert [citation.label for citation in answer.unverified] == [f"{REPORT} p. 7"]
    assert kept[-1].text == answer.text
    assert f"[{REPORT} p. 7 — not verified]" in answer.text
    assert answer.pages_viewed == [f"{REPORT} p. 2"]
    assert answer.usage["model_calls"] == 4
    assert answer.found


async def test_a_follow_up_in_a_node_remembers_and_the_checkpoint_stays_small(
    server: GeminiServer, index: PageIndex
) -> None:
    memory = InMemorySaver()
    graph = with_node(as_node(agent_at(server, index)), memory)
    looks_and_says(server)
    await run("async", graph)
    server.says(f"Europe 1.9 billion [{REPORT} p. 2].")

    messages = await run("async", graph, "And in Europe?")

    first, follow_up = answers_in(messages)
    assert [citation.label for citation in follow_up.citations] == [citation.label for citation in first.citations]
    assert QUESTION in server.model_requests[-1].texts
    assert_no_picture(server, stored(memory))
    assert len(str(graph.get_state(THREAD).values)) < 20_000


def test_a_parent_that_streams_sees_the_steps_inside(server: GeminiServer, index: PageIndex) -> None:
    looks_and_says(server)
    graph = with_node(as_node(agent_at(server, index)))

    modes: Any = ["updates", "messages"]
    items = list(graph.stream({"messages": [("user", QUESTION)]}, stream_mode=modes, subgraphs=True))

    nodes = [(len(space), next(iter(update))) for space, mode, update in items if mode == "updates"]
    inside = [name for depth, name in nodes if depth == 2 and name in ("agent", "tools")]
    assert [name for name in inside if name != "post_model_hook"] == ["agent", "tools", "agent", "tools", "agent"]
    assert nodes[-1] == (0, "documents")
    told = [payload for _, mode, payload in items if mode == "messages"]
    pieces = [chunk.text for chunk, metadata in told if metadata["langgraph_node"] == "agent"]
    assert "".join(pieces).startswith("4.2 billion")
    assert_no_picture(server, items)


# A tool


@pytest.mark.parametrize(("agents", "way"), [(None, "async"), (True, "sync"), ("its own", "async")])
async def test_a_tool_answers_in_text_with_the_answer_as_artifact_and_leaves_nothing_else_behind(
    server: GeminiServer, index: PageIndex, agents: Any, way: str
) -> None:
    memory = InMemorySaver()
    tool = as_tool(agent_at(server, index, checkpointer=InMemorySaver() if agents == "its own" else agents))
    graph = with_tool(model_at(server), [tool], memory)
    server.calls("ask_pagesight", question=QUESTION)
    looks_and_says(server)
    server.says(f"The report says: {CITED}")

    messages = await run(way, graph)

    reply = messages[-2]
    assert isinstance(reply, ToolMessage)
    assert reply.text == CITED
    assert isinstance(reply.artifact, Answer)
    assert [citation.label for citation in reply.artifact.citations] == [f"{REPORT} p. 2"]
    assert answers_in(messages) == [reply.artifact] == answers_in(graph.get_state(THREAD).values["messages"])
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert len(server.model_requests[-2].pictures) == 1
    assert not server.model_requests[-1].pictures
    kept = stored(memory)
    assert_no_picture(server, kept, messages)
    assert b"view_pages" not in kept
    assert len(memory.storage) == 1
    assert len(kept) < 30_000


@pytest.mark.parametrize("way", WAYS)
async def test_two_calls_run_in_parallel(server: GeminiServer, index: PageIndex, way: str) -> None:
    tool = as_tool(create_page_agent(index, model="offline", name="The Reports"))
    graph = with_tool(model_at(server), [tool], InMemorySaver())
    questions = [QUESTION, "How many people worked for the group at the end of the year?"]
    server.calls_at_once([("ask_the_reports", {"question": question}) for question in questions])
    server.says("Both.")

    revenue, people = answers_in(await run(way, graph))

    assert "4.2 billion" in revenue.text
    assert "5310 people" in people.text
    assert [citation.page for citation in people.citations] == [3]


async def test_the_steps_inside_a_tool_can_be_streamed(server: GeminiServer, index: PageIndex) -> None:
    graph = with_tool(model_at(server), [as_tool(create_page_agent(index, model="offline"))])
    server.calls("ask_pagesight", question=QUESTION)
    server.says("Done.")

    asked: Any = {"messages": [("user", QUESTION)]}
    items = [item async for item in graph.astream(asked, stream_mode="updates", subgraphs=True)]

    inside = [name for space, update in items if len(space) > 1 for name in update if name in ("agent", "tools")]
    assert [name for name in inside if name != "post_model_hook"] == ["agent", "tools", "agent", "tools", "agent"]


@pytest.mark.parametrize("way", WAYS)
async def test_what_another_question_fixes_is_a_reply_and_what_it_cannot_is_raised(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    graph = with_tool(model_at(server), [as_tool(agent_at(server, index))])
    server.calls("ask_pagesight", question=" ")
    server.calls("ask_pagesight", question=QUESTION)
    server.blocks_the_prompt("SAFETY")
    server.says("I cannot say.")
    messages = await run(way, graph)

    replies = [message for message in messages if isinstance(message, ToolMessage)]
    assert [reply.status for reply in replies] == ["error", "error"]
    assert "the question is empty" in replies[0].text
    assert "SAFETY" in replies[1].text
    assert answers_in(messages) == []

    server.calls("ask_pagesight", question=QUESTION)
    server.fails(403, "PERMISSION_DENIED", "not allowed")
    with pytest.raises(KeyRefused):
        await run(way, graph)


@pytest.mark.slow
def test_a_model_that_never_stops_is_stopped_whatever_the_parents_limit(server: GeminiServer, index: PageIndex) -> None:
    settings = small_settings(google_base_url=server.url, searches_per_question=1, pages_per_question=1)
    for _ in range(40):
        server.calls("list_documents")

    with GeminiServer() as parents:
        graph = with_tool(model_at(parents), [as_tool(create_page_agent(index, settings=settings))])
        parents.calls("ask_pagesight", question=QUESTION)
        parents.says("No answer.")
        messages = graph.invoke({"messages": [("user", QUESTION)]}, {"recursion_limit": 5})

    assert "kept calling tools" in messages["messages"][-2].text
    assert 5 < len(server.model_requests) < 30


# A supervisor


@pytest.mark.parametrize(("mode", "way"), [("last_message", "async"), ("full_history", "sync")])
async def test_citations_stay_whole_under_a_supervisor(
    server: GeminiServer, index: PageIndex, mode: str, way: str
) -> None:
    memory = InMemorySaver()
    graph = under_supervisor(server, as_node(agent_at(server, index)), mode, memory)
    server.calls("transfer_to_pagesight")
    looks_and_says(server)
    server.says(f"In 2023 it was {CITED}")

    messages = await run(way, graph)

    (answer,) = answers_in(messages)
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert answer.pages_viewed == [f"{REPORT} p. 2"]
    assert answers_in(graph.get_state(THREAD).values["messages"]) == [answer]
    assert messages[-1].text == f"In 2023 it was {CITED}"
    assert CITED in server.model_requests[-1].texts
    viewed = [message for message in messages if message.name == "view_pages"]
    assert len(viewed) == (1 if mode == "full_history" else 0)
    assert_no_picture(server, stored(memory), messages)
    assert len(str(messages)) < 20_000


def test_messages_of_others_carry_no_answer() -> None:
    others = [AIMessage("Hello"), ToolMessage("42", tool_call_id="1", artifact={"number": 42})]
    assert answers_in(others) == []


def test_a_tool_can_be_renamed_and_described(index: PageIndex, tmp_path: Path) -> None:
    tool = as_tool(create_page_agent(index, model="offline"), name="contracts", description="Knows the contracts.")
    assert (tool.name, tool.description) == ("contracts", "Knows the contracts.")
    assert tool.invoke({"question": QUESTION}).startswith("- “")
