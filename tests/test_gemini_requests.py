"""What goes to Gemini, by the server that keeps its rules: ids, names, places of pictures, signatures, segments."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from conversations import QUESTION, WAYS, agent_at, asked, followed, steps
from gemini_server import GeminiServer, Recorded
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from small_index import REPORT

from pagesight.agent.reasoners.gemini import GeminiReasoner
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import AnswerCutOff, ReasonerError

CITED = f"4.2 billion [{REPORT} p. 2]."
LOOK = ("view_pages", {"pages": [f"{REPORT} p. 2"]})
SEARCH = ("search_pages", {"query": "net revenue"})


def reasoner(server: GeminiServer, model: str = "gemini-3.5-flash") -> GeminiReasoner:
    return GeminiReasoner(model=model, api_key="AIza-test-key", vertexai=False, base_url=server.url, attempts=1)


def named(request: Recorded, kind: str) -> list[tuple[str | None, str]]:
    """The id and the name of each call, or of each reply."""
    return [(part[kind].get("id"), part[kind]["name"]) for part in request.parts if kind in part]


@pytest.mark.parametrize("way", WAYS)
async def test_each_reply_has_the_id_and_the_name_of_its_call(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls_at_once([LOOK, SEARCH, LOOK])
    server.calls(*LOOK[:1], **LOOK[1])
    server.says(CITED)

    answer = await asked(way, agent_at(server, index))

    last = server.model_requests[-1]
    assert answer.citations
    assert named(last, "functionResponse") == named(last, "functionCall")
    assert len({one for one, _ in named(last, "functionCall")}) == 4
    assert all(one and one.startswith("call-") for one, _ in named(last, "functionCall"))  # the service's own


def test_a_generation_without_ids_gets_none(server: GeminiServer, index: PageIndex) -> None:
    server.calls_at_once([LOOK, SEARCH])
    server.says(CITED)
    reasoner(server, "gemini-2.5-flash").invoke(conversation())
    assert {one for kind in ("functionCall", "functionResponse") for one, _ in named(last(server), kind)} == {None}


def last(server: GeminiServer) -> Recorded:
    return server.model_requests[-1]


def conversation() -> list[Any]:
    """Replies in another order than their calls, one under another name, one missing, two questions in a row."""
    calls = [{"name": name, "args": {}, "id": f"theirs-{name}"} for name in ("one", "two", "three")]
    picture = {"type": "image", "base64": base64.b64encode(b"\x89PNG").decode(), "mime_type": "image/png"}
    return [
        HumanMessage("Look."),
        AIMessage("", tool_calls=calls),
        ToolMessage([{"type": "text", "text": "second"}, picture], tool_call_id="theirs-two", name="renamed"),
        ToolMessage("first", tool_call_id="theirs-one"),
        HumanMessage("And?"),
        HumanMessage("Well?"),
    ]


@pytest.mark.parametrize("model", ["gemini-3.5-flash", "gemini-3-flash-preview", "gemini-2.5-flash"])
def test_a_conversation_from_elsewhere_is_put_in_order(server: GeminiServer, model: str) -> None:
    server.says("Fine.")

    assert reasoner(server, model).invoke(conversation()).text == "Fine."

    replies = [part["functionResponse"] for part in last(server).parts if "functionResponse" in part]
    assert [reply["name"] for reply in replies] == ["one", "two", "three"]
    assert replies[2]["response"] == {"error": "Nothing came back."}
    assert last(server).pictures == [("image/png", b"\x89PNG")]
    assert last(server).texts == ["Look.", "And?", "Well?"]


# Signatures


@pytest.mark.parametrize("way", WAYS)
async def test_a_thread_lives_on_when_its_signatures_are_refused(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    server.calls_at_once([LOOK, SEARCH])
    server.says(CITED)
    await asked(way, agent, thread_id="one")
    server.forgets_signatures()
    server.calls(*SEARCH[:1], **SEARCH[1])
    server.says(CITED)

    answer = await asked(way, agent, "Once more?", thread_id="one")

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    # Refused once, asked again at once; the call after it, with a new signature beside the old ones, passes.
    assert len(server.model_requests) == 2 + 3
    assert signed(server.model_requests[-2]) == 0
    assert signed(server.model_requests[-1]) == 1


def signed(request: Recorded) -> int:
    """The signatures of the service's in a request."""
    found = [part["thoughtSignature"] for part in request.parts if "thoughtSignature" in part]
    return len([one for one in found if one != "skip_thought_signature_validator"])


@pytest.mark.parametrize("other", [{"gemini_model": "gemini-3.6-flash"}, {"google_api_key": "AIza-another-key"}])
def test_a_thread_goes_on_with_another_model_or_key(
    server: GeminiServer, index: PageIndex, other: dict[str, str]
) -> None:
    from pagesight.agent import ask

    memory = InMemorySaver()
    server.calls_at_once([LOOK, SEARCH])
    server.says(CITED)
    ask(agent_at(server, index, checkpointer=memory), QUESTION, thread_id="one")
    server.says(CITED)
    assert ask(agent_at(server, index, checkpointer=memory, **other), "Again?", thread_id="one").citations


def test_signatures_that_are_refused_though_there_are_none_are_an_error(server: GeminiServer, index: PageIndex) -> None:
    server.fails(400, "INVALID_ARGUMENT", "Corrupted thought signature.")
    server.says("Never asked for.")
    with pytest.raises(ReasonerError, match="Corrupted"):
        reasoner(server).invoke([HumanMessage("?")])
    assert server.replies_left == 1


# An answer in several segments, and streams that break off


TOKEN = base64.b64encode(b"go on").decode()


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_goes_on_in_further_segments(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls(*LOOK[:1], **LOOK[1])
    server.says("4.2 billion ", finish="CONTINUATION", token=TOKEN)
    server.says(f"[{REPORT} p. 2].")

    answer = await asked(way, agent_at(server, index))

    assert answer.text == CITED
    assert not answer.cut_off
    assert answer.usage["output_tokens"] == 30
    assert last(server).body["continuationToken"]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_cannot_go_on_is_marked_as_cut_off(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.calls(*LOOK[:1], **LOOK[1])
    server.says(CITED, finish="CONTINUATION")

    items = await followed(way, agent_at(server, index))

    assert items[-1].cut_off
    if way.endswith("stream"):
        assert len(steps(items, "cut")) == 1


THOUGHTS = {"text": "I should look at page 2.", "thought": True}


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("broken", ["after thoughts", "after a call", "after thoughts and a call"])
async def test_a_stream_that_breaks_before_its_first_word_leaves_nothing_behind(
    server: GeminiServer, index: PageIndex, way: str, broken: str
) -> None:
    from gemini_server import Reply

    call = {"functionCall": {"name": SEARCH[0], "args": SEARCH[1]}}
    parts = {"after thoughts": [THOUGHTS], "after a call": [call], "after thoughts and a call": [THOUGHTS, call]}
    agent = agent_at(server, index, checkpointer=InMemorySaver(), max_retries=2)
    before = len(parts[broken]) + ("thoughts" in broken)  # the thoughts come in two pieces
    server.replies(Reply([*parts[broken], call, call], breaks=before))
    server.calls(*LOOK[:1], **LOOK[1])
    server.says(CITED)

    items = await followed(way, agent, thread_id="one")

    assert items[-1].text == CITED
    assert len(steps(items, "wait")) == 1
    kept = (await agent.aget_state({"configurable": {"thread_id": "one"}})).values["messages"]
    assert [call["name"] for message in kept for call in getattr(message, "tool_calls", [])] == ["view_pages"]
    assert "I should look" not in str(kept)
    assert items[-1].usage["input_tokens"] == 300  # what the attempt that broke off had counted is paid for, too


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_breaks_after_a_word_and_a_call_is_an_error_and_the_thread_goes_on(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    from gemini_server import Reply

    call = {"functionCall": {"name": SEARCH[0], "args": SEARCH[1]}}
    server.replies(Reply([{"text": "I look."}, call, call], breaks=2))
    with pytest.raises(AnswerCutOff):
        await asked(way, agent, thread_id="one")
    server.says("Not found in these documents.")
    assert not (await asked(way, agent, "Once more?", thread_id="one")).found
