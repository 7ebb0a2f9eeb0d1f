"""A question that names no document, after a conversation about one: that document's pages come first among equals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from conversations import agent_at
from gemini_server import GeminiServer
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from pagesight.agent import ask, create_page_agent
from pagesight.indexing import PageIndex, Subject, load_settings
from pagesight.indexing.testing import made_index
from pagesight.tools.messages.conversation import Conversation
from pagesight.tools.messages.subject import subject_of

FIRST, SECOND, OTHER = "bremen.pdf", "hamburg.pdf", "ferries.pdf"
NOTICE = "How long is the notice period?"
PAGES = {
    FIRST: ["The office has 120 square metres.", "The notice period is three months."],
    SECOND: ["The warehouse has 900 square metres.", "The notice period is six months."],
    OTHER: ["The ferry Aurora carries 1200 passengers.", "Passengers are told of a delay of the Aurora."],
}


@pytest.fixture(scope="module")
def leases() -> Iterator[PageIndex]:
    with made_index(PAGES) as index:
        yield index


def subject(index: PageIndex, name: str, question: str = NOTICE) -> Subject:
    return Subject(index.document(name).document_id, question)


def labels(index: PageIndex, query: str, about: Subject | None = None) -> list[str]:
    return [hit.label for hit in index.search(query, subject=about)]


def test_the_conversations_document_comes_first_among_equals(leases: PageIndex) -> None:
    assert labels(leases, NOTICE)[0] == f"{FIRST} p. 2"
    assert labels(leases, NOTICE, subject(leases, SECOND))[0] == f"{SECOND} p. 2"
    assert labels(leases, NOTICE, subject(leases, FIRST))[0] == f"{FIRST} p. 2"


def test_a_page_that_fits_much_better_stays_first(leases: PageIndex) -> None:
    question = "How many passengers does the ferry carry?"
    assert labels(leases, question, subject(leases, SECOND, question))[0] == f"{OTHER} p. 1"


def test_scores_stay_between_0_and_1(leases: PageIndex) -> None:
    question = "Hamburg warehouse 900 square metres"
    hits = leases.search(question, subject=subject(leases, SECOND, question))
    assert all(0 <= hit.score <= 1 for hit in hits)


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("notice period in Bremen", "And in the other town?"),  # as a model writes it out
        ("warehouse Hamburg notice period Bremen", "And in Bremen?"),  # put after the question before
    ],
)
def test_a_question_that_names_another_document_is_searched_as_without_a_conversation(
    leases: PageIndex, query: str, question: str
) -> None:
    found = leases.search(query, subject=subject(leases, SECOND, question))
    assert [hit.as_dict() for hit in found] == [hit.as_dict() for hit in leases.search(query)]


def test_what_stands_nowhere_is_found_in_no_conversation(leases: PageIndex) -> None:
    assert labels(leases, "xylophone", subject(leases, SECOND, "xylophone")) == []


def test_a_document_that_is_gone_changes_nothing(leases: PageIndex) -> None:
    assert labels(leases, NOTICE, Subject("0123456789abcdef", NOTICE)) == labels(leases, NOTICE)


def test_its_pages_are_candidates_where_others_crowd_them_out() -> None:
    with made_index(PAGES, settings=load_settings(ocr=False, exhaustive_below=0, candidates=1)) as index:
        assert labels(index, NOTICE) == [f"{FIRST} p. 2"]
        assert labels(index, NOTICE, subject(index, SECOND))[0] == f"{SECOND} p. 2"


def test_without_a_model_the_answer_to_a_follow_up_is_from_the_same_document(leases: PageIndex) -> None:
    agent = create_page_agent(leases, model="offline", checkpointer=InMemorySaver())
    ask(agent, "How large is the warehouse?", thread_id="hamburg")

    assert ask(agent, NOTICE, thread_id="hamburg").hits[0].label == f"{SECOND} p. 2"
    assert ask(agent, "And the notice period in Bremen?", thread_id="hamburg").hits[0].label == f"{FIRST} p. 2"
    assert ask(agent, NOTICE, thread_id="new").hits[0].label == f"{FIRST} p. 2"


def test_a_models_searches_lean_to_the_document_that_it_cited(server: GeminiServer, leases: PageIndex) -> None:
    agent = agent_at(server, leases, checkpointer=InMemorySaver())
    server.calls("search_pages", query="square metres of the warehouse")
    server.calls("view_pages", pages=[f"{FIRST} p. 1", f"{SECOND} p. 1"])
    server.says(f"900 square metres [{SECOND} p. 1].")
    first = ask(agent, "How large is the warehouse?", thread_id="hamburg")
    server.calls("search_pages", query="notice period")
    server.calls("search_pages", query="notice period", documents=[FIRST])
    server.says("Six months.")
    then = ask(agent, NOTICE, thread_id="hamburg")

    assert [hit.label for hit in first.hits] == labels(leases, "square metres of the warehouse")
    assert [hit.label for hit in then.hits if hit.rank == 1] == [f"{SECOND} p. 2", f"{FIRST} p. 2"]


# Which document a conversation is about


def asked(question: str, seen: Sequence[str] = (), answer: str = "") -> list[BaseMessage]:
    """A question, the documents whose first pages are looked at for it, and its answer."""
    pages = [{"document_id": f"{ord(name[0]):016x}", "document": name, "page": 1} for name in seen]
    call = {"name": "view_pages", "args": {}, "id": question, "type": "tool_call"}
    looks = [AIMessage("", tool_calls=[call]), ToolMessage("", name="view_pages", tool_call_id=question)]
    looks[1].artifact = {"pages": pages}
    return [HumanMessage(question), *(looks if seen else []), *([AIMessage(answer)] if answer else [])]


@pytest.mark.parametrize(
    ("before", "about"),
    [
        ([], None),
        (asked("How large?", [FIRST], "Large."), FIRST),
        (asked("How large?", [FIRST, SECOND], f"900 [{SECOND} p. 1]."), SECOND),
        (asked("How large?", [FIRST, SECOND], "I cannot say."), None),
        (asked("Compare.", [FIRST, SECOND], f"120 [{FIRST} p. 1], 900 [{SECOND} p. 1]."), None),
        (asked("How large?", [FIRST], "Large.") + asked("And tall?", [SECOND], "Tall."), SECOND),
        (asked("How large?", [FIRST], "Large.") + asked("Who won?", [], "Not found in these documents."), FIRST),
        (asked("How large?", [FIRST], "Large.") + asked("Compare.", [FIRST, SECOND], "Both."), None),
    ],
)
def test_the_document_is_that_of_the_last_answer_with_pages(before: list[BaseMessage], about: str | None) -> None:
    found = subject_of(Conversation([*before, *asked(NOTICE, [OTHER])]))
    assert found == (Subject(f"{ord(about[0]):016x}", NOTICE) if about else None)
