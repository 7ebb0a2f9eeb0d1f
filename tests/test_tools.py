"""The tools as the reasoner meets them: what they reply, what is left of the budget, and errors that it can correct."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conversations import agent_at
from gemini_server import GeminiServer
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from slow_index import SLOW, slow_down, watched_loop
from small_index import PHOTO, REPORT, SHEET, SLIDES

from pagesight.agent import Step, ask, create_page_agent, stream
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import UnknownDocument
from pagesight.tools.budget import Budget, BudgetLeft, budget_left
from pagesight.tools.messages.conversation import Conversation


def replies(server: GeminiServer, agent: CompiledStateGraph, way: str = "invoke") -> list[ToolMessage]:
    """The tools' messages of one question; the server has been told what to call."""
    server.says("Done.")
    state = agent.invoke({"messages": [HumanMessage("How much?")]})
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


def test_the_model_is_offered_these_tools_and_nothing_else(server: GeminiServer, index: PageIndex) -> None:
    server.says("Done.")
    ask(agent_at(server, index), "How much?")

    [request] = server.model_requests
    offered = {tool["name"]: tool for tool in request.body["tools"][0]["functionDeclarations"]}
    assert set(offered) == {"search_pages", "view_pages", "list_documents", "locate", "outline", "read_pages"}
    assert set(offered["search_pages"]["parameters"]["properties"]) == {"query", "documents", "where", "top_k", "like"}
    assert set(offered["view_pages"]["parameters"]["properties"]) == {"pages", "region", "neighbours", "with_text"}
    assert offered["search_pages"]["parameters"]["required"] == ["query"]
    assert "[annual-report.pdf p. 12]" in request.body["systemInstruction"]["parts"][0]["text"]


def test_a_search_names_pages_with_scores_lines_and_regions_and_shows_none(
    server: GeminiServer, index: PageIndex
) -> None:
    server.calls("search_pages", query="net revenue rose in 2023", top_k=2)

    [reply] = replies(server, agent_at(server, index))

    first = reply.text.splitlines()[1]
    assert re.match(rf"1\. {REPORT} p\. 2 \(score \d\.\d{{3}}, closer look: \[\d", first)
    assert "   | Net revenue rose to 4.2 billion euros in 2023." in reply.text
    assert f"2. {SLIDES} p. 2" in reply.text
    assert reply.text.endswith("Left for this question: 7 searches, 16 pages to look at, 23 model calls.")
    assert reply.artifact == {
        "query": "net revenue rose in 2023",
        "hits": [hit.as_dict() for hit in index.search("net revenue rose in 2023", top_k=2)],
    }
    assert server.model_requests[-1].pictures == []


def test_a_search_can_be_narrowed_to_documents(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="net revenue", documents=[SLIDES])

    [reply] = replies(server, agent_at(server, index))

    assert {hit["document"] for hit in reply.artifact["hits"]} == {SLIDES}


def test_documents_are_listed(server: GeminiServer, index: PageIndex) -> None:
    server.calls("list_documents")
    server.calls("list_documents", containing="DATEN")

    every, some = replies(server, agent_at(server, index))

    assert f"- {REPORT}: 8 pages" in every.text
    assert f"- {SHEET}: 1 page. Datenblatt Pumpe P7 (p. 1)\n" in every.text
    assert every.text.endswith("Left for this question: 8 searches, 16 pages to look at, 23 model calls.")
    assert some.artifact == {"documents": [{"document": SHEET, "pages": 1}]}


# Errors that the model can correct


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("view_pages", {"pages": [f"{REPORT} p. 99"]}), ["99", "8"]),
        (("view_pages", {"pages": [f"{REPORT} p. 0"]}), ["0"]),
        (("view_pages", {"pages": ["anual-report.pdf p. 1"]}), [REPORT]),
        (("view_pages", {"pages": ["page twelve"]}), ["page twelve"]),
        (("view_pages", {"pages": []}), ["at least one page"]),
        (("view_pages", {"pages": [f"{REPORT} p. 1"], "region": [500, 100, 200, 900]}), ["500", "200"]),
        (("view_pages", {"pages": [f"{REPORT} p. 1"], "region": [0, 0, 1200, 900]}), ["1200"]),
        (("view_pages", {"pages": [f"{REPORT} p. 1"], "region": [0, 0, 500]}), ["four numbers"]),
        (("search_pages", {"query": "  "}), ["empty"]),
        (("search_pages", {"query": "revenue", "documents": ["anual-report.pdf"]}), [REPORT]),
    ],
)
def test_a_request_that_cannot_be_met_is_answered_with_how_to_mend_it(
    server: GeminiServer, index: PageIndex, call: tuple[str, dict[str, Any]], says: list[str]
) -> None:
    name, arguments = call
    server.calls(name, **arguments)

    [reply] = replies(server, agent_at(server, index))

    assert reply.status == "error"
    for word in says:
        assert word in reply.text
    assert reply.text.splitlines()[-1] == "Left for this question: 8 searches, 16 pages to look at, 23 model calls."
    assert reply.text.split("\n")[0] in server.model_requests[-1].replies[0]  # and this is what the model reads


def test_arguments_of_the_wrong_kind_are_answered_too(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=f"{REPORT} p. 1")
    server.calls("look_at_pages", pages=[])

    wrong, unknown = replies(server, agent_at(server, index))

    assert "valid list" in wrong.text
    assert "look_at_pages is not a valid tool, try one of [search_pages" in unknown.text


def test_the_model_mends_its_request_in_the_next_step(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 22"])
    server.calls("view_pages", pages=[f"{REPORT} p. 2"], region=[900, 0, 100, 1000])
    server.calls("view_pages", pages=[f"[{REPORT} p. 2]"], region=[0, 0, 500, 1000])
    server.says(f"4.2 billion [{REPORT} p. 2].")

    *items, answer = stream(agent_at(server, index), "How much?")

    kinds = [item.kind for item in items if isinstance(item, Step)]
    assert kinds == ["correct", "correct", "view"]
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]


# The budget


def test_what_is_left_is_counted_down(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="revenue")
    server.calls("view_pages", pages=[f"{REPORT} p. 1", f"{REPORT} p. 2"])
    server.calls("view_pages", pages=[f"{REPORT} p. 99"])  # costs nothing
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 3"])  # one of them is known
    server.calls("search_pages", query="employees")

    messages = replies(server, agent_at(server, index, pages_per_question=4, searches_per_question=2))

    assert [message.text.splitlines()[-1] for message in messages] == [
        "Left for this question: 1 search, 4 pages to look at, 23 model calls.",
        "Left for this question: 1 search, 2 pages to look at, 22 model calls.",
        "Left for this question: 1 search, 2 pages to look at, 21 model calls.",
        "Left for this question: 1 search, 1 page to look at, 20 model calls.",
        "Left for this question: 0 searches, 1 page to look at, 19 model calls. "
        "No more searches: look at pages already found, or answer with what you have seen.",
    ]


def test_when_it_is_used_up_the_model_is_told_to_answer(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="revenue")
    server.calls("view_pages", pages=[f"{REPORT} p. {page}" for page in (1, 2, 3)])
    server.calls("view_pages", pages=[f"{REPORT} p. 4"])
    server.calls("search_pages", query="more")

    _, some, none, search = replies(server, agent_at(server, index, pages_per_question=2, searches_per_question=1))

    assert [page["page"] for page in some.artifact["pages"]] == [1, 2]
    assert f"Not shown, since no more pages are left for this question: {REPORT} p. 3." in some.text
    for reply in (some, none, search):
        assert reply.text.endswith("The budget is used up: answer now with what you have seen.")
    assert none.artifact == {"pages": []}
    assert search.artifact["hits"] == []
    assert len(server.model_requests[-1].pictures) == 2


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_calls_at_the_same_time_share_the_budget(server: GeminiServer, index: PageIndex, way: str) -> None:
    calls = [("view_pages", {"pages": [f"{REPORT} p. {page}", f"{REPORT} p. {page + 1}"]}) for page in (1, 3, 5)]
    server.calls_at_once([*calls, ("search_pages", {"query": "a"}), ("search_pages", {"query": "b"})])
    server.says("Done.")
    agent = agent_at(server, index, pages_per_question=3, searches_per_question=1)

    question = {"messages": [HumanMessage("How much?")]}
    state = agent.invoke(question) if way == "invoke" else await agent.ainvoke(question)

    messages = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    assert [len(message.artifact["pages"]) for message in messages[:3]] == [2, 1, 0]
    assert [bool(message.artifact["hits"]) for message in messages[3:]] == [True, False]
    assert len(server.model_requests[-1].pictures) == 3


def test_the_next_question_has_a_budget_of_its_own(server: GeminiServer, index: PageIndex) -> None:
    agent = agent_at(server, index, pages_per_question=1, checkpointer=InMemorySaver())
    for _ in range(2):
        server.calls("view_pages", pages=[f"{REPORT} p. 1"])
        server.says("Done.")
        answer = ask(agent, "How much?", thread_id="one")
        assert answer.pages_viewed == [f"{REPORT} p. 1"]


def test_a_budget_counts_from_the_last_question() -> None:
    call = {"name": "search_pages", "args": {"query": "a"}, "id": "1"}
    past = [HumanMessage("?"), AIMessage("", tool_calls=[call]), ToolMessage("", name="search_pages", tool_call_id="1")]
    now = [*past, AIMessage("!"), HumanMessage("??"), AIMessage("", tool_calls=[{**call, "id": "2"}])]

    assert budget_left(Budget(3, 4, 9), Conversation.read(past)) == BudgetLeft(2, 4, 8)
    assert budget_left(Budget(3, 4, 9), Conversation.read(now), "2") == BudgetLeft(3, 4, 8)


# Slow look-ups


@pytest.mark.slow
async def test_a_slow_index_does_not_keep_the_event_loop(
    server: GeminiServer, index: PageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = agent_at(server, index)
    server.calls_at_once(
        [
            ("search_pages", {"query": "net revenue"}),
            ("view_pages", {"pages": [f"{REPORT} p. 1"], "neighbours": "next"}),
            ("list_documents", {}),
            ("locate", {"page": f"{REPORT} p. 1", "things": ["a table"]}),
        ]
    )
    server.says('{"boxes": []}')
    server.says("Done.")
    slow_down(monkeypatch)

    async with watched_loop() as longest:
        await agent.ainvoke({"messages": [HumanMessage("How much?")]})

    assert server.replies_left == 0
    assert longest() < 0.5 * SLOW


# Narrowed to some documents


def test_an_agent_for_some_documents_sees_no_others(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="net revenue")
    server.calls("search_pages", query="net revenue", documents=[REPORT])
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.calls("list_documents")
    server.calls("outline", document=REPORT)
    server.calls("read_pages", pages=[f"{REPORT} p. 2"])

    search, other, view, listing, outline, read = replies(server, agent_at(server, index, documents=[SLIDES, PHOTO]))

    assert {hit["document"] for hit in search.artifact["hits"]} == {SLIDES}
    assert other.status == view.status == "error"
    assert "not among the documents of this conversation" in other.text
    assert "not among the documents of this conversation" in view.text
    assert [record["document"] for record in listing.artifact["documents"]] == [PHOTO, SLIDES]
    assert outline.status == read.status == "error"
    assert "not among the documents of this conversation" in outline.text
    assert "not among the documents of this conversation" in read.text
    system = server.model_requests[0].body["systemInstruction"]["parts"][0]["text"]
    assert f"- {SLIDES}: 2 pages" in system
    assert f"- {REPORT}" not in system


def test_an_agent_for_a_document_that_is_not_there_is_an_error_at_once(index: PageIndex) -> None:
    with pytest.raises(UnknownDocument, match=rf"nowhere\.pdf.*{REPORT}"):
        create_page_agent(index, model="offline", documents=["nowhere.pdf"])
