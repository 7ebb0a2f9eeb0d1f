"""A conversation is read once, whoever wrote its messages: what goes with a call, what was shown, what is left out."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from small_index import REPORT

from pagesight.agent import answers_in, as_node, create_page_agent
from pagesight.agent.answers.agent_limits import AgentLimits
from pagesight.agent.reports.turns import turns
from pagesight.indexing import PageIndex
from pagesight.indexing.pages import PageRef
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.messages.conversation import Conversation, PageView
from pagesight.tools.messages.sent_pictures import CallLimits

ID = "0123456789abcdef"
QUESTION = "How high was the net revenue in 2023?"
GOOD = {"document_id": ID, "document": "a.pdf", "page": 1, "region": [0, 0, 500, 500], "tokens": 7, "size": 9}
HIT = {"rank": 1, "document_id": ID, "document": "a.pdf", "page": 1, "score": 0.5, "boxes": [[0, 0, 1, 1]],
       "lines": ["x"], "regions": [[0, 0, 500, 500]]}  # fmt: skip


def replied(tool: str, artifact: object, **fields: Any) -> ToolMessage:
    return ToolMessage("reply", name=tool, tool_call_id="1", artifact=artifact, **fields)


def views(*pages: int) -> ToolMessage:
    """A reply of view_pages; the tokens and the size of a page are its number."""
    shown = [PageView(PageRef(ID, "a.pdf", page), None, page, page) for page in pages]
    return replied("view_pages", {"pages": [view.as_dict() for view in shown]})


# Pictures of a call


def newest(named: Sequence[tuple[int, ...]], limits: CallLimits) -> list[int]:
    """The plain rule: from the newest on, each once, until one does not fit; one always goes."""
    taken: list[int] = []
    for page in (page for pages in reversed(named) for page in reversed(pages)):
        if page in taken:
            continue
        total = sum(taken) + page
        much = total > limits.image_tokens or (limits.inline_bytes is not None and total > limits.inline_bytes)
        if taken and (much or len(taken) >= limits.images):
            break
        taken.append(page)
    return taken


def expected(named: Sequence[tuple[int, ...]], limits: CallLimits) -> dict[int, list[int]]:
    """The newest, each where it was named when it last came along anew."""
    place: dict[int, tuple[int, int]] = {}
    for position, pages in enumerate(named):
        kept = newest(named[: position + 1], limits)
        place = {page: place.get(page) or (position, pages.index(page)) for page in kept}
    sent: dict[int, list[int]] = {}
    for page in sorted(place, key=lambda page: place[page]):
        sent.setdefault(place[page][0], []).append(page)
    return sent


@pytest.mark.parametrize("seed", range(30))
def test_pictures_of_every_call_are_the_newest_that_fit_however_the_conversation_was_read(seed: int) -> None:
    chance = random.Random(seed)
    limits = CallLimits(chance.randint(1, 6), chance.choice([20, 40, 10_000]), chance.choice([None, 15, 60]))
    messages: list[BaseMessage] = []
    named: list[tuple[int, ...]] = []
    shown: set[str] = set()
    counts: list[int] = []
    for _ in range(40):
        pages = tuple(chance.randint(1, 9) for _ in range(chance.randint(0, 4)))
        kind = chance.choice(["views", "views", "call", "question"])
        before = expected(named, limits)
        messages.append({"views": views(*pages), "call": AIMessage("."), "question": HumanMessage("?")}[kind])
        named.append(pages if kind == "views" else ())
        if kind == "call":
            shown |= {f"a.pdf p. {page}" for sent in before.values() for page in sent}
            counts.append(sum(map(len, before.values())))
        step = Conversation.read(messages).sent_pictures(limits)
        after = expected(named, limits)
        assert {at: [view.ref.page for view in sent] for at, sent in step.of_the_next_call().items()} == after
        assert step.labels_shown() == shown | {f"a.pdf p. {page}" for sent in after.values() for page in sent}
        assert step.number(0, len(messages)) == sum(counts)

    whole = Conversation(messages).sent_pictures(limits)
    assert whole.of_the_next_call() == step.of_the_next_call()
    assert whole.labels_shown(len(messages)) == shown


def test_what_was_shown_is_told_for_any_call_of_the_past() -> None:
    messages = [HumanMessage("?"), views(1), AIMessage("."), views(2), AIMessage("."), views(3)]
    sent = Conversation.read(messages).sent_pictures(CallLimits())
    assert sent.labels_shown(2) == {"a.pdf p. 1"}
    assert sent.labels_shown(4) == {"a.pdf p. 1", "a.pdf p. 2"}
    assert sent.labels_shown() == {"a.pdf p. 1", "a.pdf p. 2", "a.pdf p. 3"}


def test_where_no_person_has_asked_there_are_no_questions_to_tell() -> None:
    for messages in ([], [AIMessage("The planner asks.")], [views(1), AIMessage(".")]):
        assert Conversation(messages).questions == []


# Read once


def test_a_thread_that_is_loaded_anew_for_each_question_is_kept_once() -> None:
    """A chat's memory grew with the square of its questions while the earlier loadings stayed."""
    asked = [AIMessage(str(number), id=f"{number}") for number in range(40)]
    beside = Conversation.read([HumanMessage("?", id="0"), HumanMessage("other", id="1, of a fork")])
    loaded = []
    for length in range(1, 40, 3):
        anew = [message.model_copy() for message in asked[:length]]
        loaded += [weakref.ref(Conversation.read(anew))]
        del anew
    gc.collect()
    assert [one() is not None for one in loaded] == [False] * (len(loaded) - 1) + [True]
    assert Conversation.read(beside.messages) is beside


class Counted(dict[str, Any]):
    """An artifact that counts how often its pages or hits are asked for."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.asked += key in ("pages", "hits")
        return super().get(key, default)


def past(length: int) -> tuple[list[BaseMessage], list[Counted]]:
    """A conversation of so many questions, and its artifacts."""
    artifacts = [Counted(pages=[GOOD | {"page": number + 1}]) for number in range(length)]
    call = {"name": "view_pages", "args": {}, "id": "1"}
    messages: list[BaseMessage] = []
    for number, artifact in enumerate(artifacts, 1):
        messages += [HumanMessage(f"{number}?"), AIMessage("", tool_calls=[call]), replied("view_pages", artifact)]
        messages.append(AIMessage(f"So it is [a.pdf p. {number}]."))
    return messages, artifacts


@pytest.mark.parametrize("model", ["offline", None])
def test_a_question_reads_each_artifact_of_a_long_conversation_once(index: PageIndex, model: Any) -> None:
    """However often budget, pictures, citations, correction and the reasoner ask what stands in it."""
    from conversations import agent_at
    from gemini_server import GeminiServer

    messages, artifacts = past(30)
    with GeminiServer() as server:
        server.calls("search_pages", query="net revenue")
        server.calls("view_pages", pages=[f"{REPORT} p. 2"])
        server.says(f"It was 4.2 billion [{REPORT} p. 2].")
        agent = create_page_agent(index, model=model) if model else agent_at(server, index)
        state = as_node(agent).invoke({"messages": [*messages, HumanMessage(QUESTION)]})

    assert "4.2 billion" in answers_in(state["messages"])[-1].text
    assert {artifact.asked for artifact in artifacts} == {1}


def test_turns_read_each_artifact_once_and_check_each_answer_by_what_was_shown_then() -> None:
    messages, artifacts = past(50)
    messages[3] = AIMessage("Too early [a.pdf p. 2].")

    read = turns(messages, AgentLimits("a-model"))

    assert {artifact.asked for artifact in artifacts} == {1}
    answers = [turn.answer for turn in read if turn.answer]
    assert len(answers) == 50
    assert [citation.page for citation in answers[0].unverified] == [2]
    assert all(not answer.unverified and answer.pages_viewed for answer in answers[1:])
    assert {answer.usage["pictures"] for answer in answers[:3]} == {1, 3, 5}


def test_a_message_that_is_replaced_is_read_anew() -> None:
    messages = [HumanMessage("?"), views(1), AIMessage(".")]
    Conversation.read(messages)
    messages[1] = views(2)
    assert Conversation.read(messages).sent_pictures(CallLimits()).labels_shown() == {"a.pdf p. 2"}
    assert Conversation.read(messages[:1]).sent_pictures(CallLimits()).labels_shown() == set()


# Messages of others


STRANGE: list[Any] = [
    None, "text", 7, [], {}, {"document_id": ID}, {**GOOD, "document_id": "../../etc/passwd"},
    {**GOOD, "document_id": ID.upper()}, {**GOOD, "document_id": f"{ID}0"}, {**GOOD, "document_id": 7},
    {**GOOD, "document": ""}, {**GOOD, "document": ["a.pdf"]}, {**GOOD, "page": "1"}, {**GOOD, "page": 0},
    {**GOOD, "page": True}, {**GOOD, "page": 1.5}, {**GOOD, "page": None}, {**GOOD, "region": [1, 2, 3]},
    {**GOOD, "region": ["0", "0", "5", "5"]}, {**GOOD, "region": [0, 0, 1.5, 5]}, {**GOOD, "region": [5, 5, 0, 0]},
    {**GOOD, "region": [0, 0, 5, 9999]}, {**GOOD, "region": "0,0,5,5"}, {**GOOD, "region": {"a": 1}},
]  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_a_reference_to_a_page_that_is_none_is_left_out(strange: Any) -> None:
    message = replied("view_pages", {"pages": [strange, GOOD]})
    (reply,) = Conversation.read([HumanMessage("?"), message]).replies.values()
    assert [view.as_dict() for view in reply.views] == [GOOD]


@pytest.mark.parametrize("strange", [*STRANGE[:16], {**HIT, "rank": "1"}, {**HIT, "score": None}], ids=str)
def test_a_hit_that_is_none_is_left_out(strange: Any) -> None:
    strange = {**HIT, **strange, "region": None} if isinstance(strange, dict) and len(strange) > 1 else strange
    message = replied("search_pages", {"query": ["x"], "hits": [strange, HIT]})
    (reply,) = Conversation.read([HumanMessage("?"), message]).replies.values()
    assert [hit.ref.label for hit in reply.hits] == ["a.pdf p. 1"]


def test_parts_of_a_hit_and_costs_that_are_none_are_left_out() -> None:
    hit = {**HIT, "boxes": [[0, 0, 1], "box", [0, 0, 1, "1"], [0, 0, 1, 1]], "lines": [7, "x"], "regions": [[1], None]}
    messages = [
        HumanMessage("?"),
        replied("search_pages", {"query": "x", "hits": [hit]}),
        replied("view_pages", {"pages": [{**GOOD, "tokens": "many", "size": -5}]}),
        replied("locate", {"boxes": None, "usage": {"input_tokens": "7"}}),
        replied("locate", {"usage": {"input_tokens": 7, "output_tokens": 1, "total_tokens": 8}}),
    ]
    conversation = Conversation.read(messages)
    search, view, *_ = conversation.replies.values()
    assert (search.hits[0].boxes, search.hits[0].lines, search.hits[0].regions) == ([(0, 0, 1, 1)], ["x"], [])
    assert (view.views[0].tokens, view.views[0].size) == (0, 0)
    assert conversation.question
    assert [call.usage["total_tokens"] for call in conversation.question.model_calls] == [8]
    assert budget_left(Budget(3, 4, 9), conversation).calls == 7


@pytest.mark.parametrize("artifact", [None, [], "x", 7, {"pages": None, "hits": 7}, {"pages": "abc", "hits": {}},
                                      {"pages": [None], "hits": [None]}], ids=str)  # fmt: skip
@pytest.mark.parametrize("tool", ["search_pages", "view_pages", "list_documents", "locate", "their_tool", None])
def test_strange_replies_of_others_end_no_question(index: PageIndex, tool: str | None, artifact: Any) -> None:
    theirs = ToolMessage("", name=tool, tool_call_id="9", artifact=artifact)
    failed = ToolMessage("", name=tool, tool_call_id="8", artifact=artifact, status="error")
    messages = [SystemMessage("x"), HumanMessage("Before?"), theirs, failed, AIMessage("Yes."), HumanMessage(QUESTION)]
    agent = create_page_agent(index, model="offline")

    state = as_node(agent).invoke({"messages": messages})

    assert "4.2 billion" in answers_in(state["messages"])[-1].text
    assert len(turns(messages, AgentLimits("a-model"))) == 2


def test_a_conversation_without_a_question_has_the_whole_budget_left() -> None:
    for messages in ([], [SystemMessage("x")], [AIMessage("Hello."), views(1)]):
        conversation = Conversation.read(messages)
        assert conversation.question is None
        assert budget_left(Budget(3, 4, 9), conversation).calls == 9
