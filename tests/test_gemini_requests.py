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
from pagesight.indexing.calls.prices import price_of
from pagesight.indexing.errors import AnswerCutOff, ReasonerError, SettingsError

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


# Time, thinking, and what is kept


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_an_answer_in_one_piece_is_waited_for_longer_than_a_word_with_signs_of_life(
    server: GeminiServer, index: PageIndex, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pagesight.indexing.calls import progress

    told: list[str] = []
    monkeypatch.setattr(progress, "LIFE_EVERY", 0.2)
    monkeypatch.setattr(progress, "tell", lambda kind, **what: told.append(f"{kind}: {what['text']}"))
    server.says("Not found in these documents.")
    server.seconds_of_silence = 0.9

    await asked(way, agent_at(server, index, timeout=0.5))

    assert told
    assert all(line.startswith("waits: Gemini has not answered yet: waiting for ") for line in told)


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_thinks_for_long_says_that_it_is_waited_for(
    server: GeminiServer, index: PageIndex, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagesight.indexing.calls.progress.LIFE_EVERY", 0.2)
    server.says("Not found in these documents.")
    server.seconds_of_silence = 0.9

    items = await followed(way, agent_at(server, index))

    assert len(steps(items, "wait")) in (2, 3, 4)
    assert "has not answered yet" in steps(items, "wait")[0]


@pytest.mark.parametrize("way", WAYS)
async def test_our_own_time_limit_is_not_the_services(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.says("Not found in these documents.")
    await asked(way, agent_at(server, index, timeout=7))
    assert "x-server-timeout" not in last(server).headers


@pytest.mark.parametrize(("level", "sent"), [("default", None), ("low", "LOW"), ("high", "HIGH")])
def test_how_much_the_model_thinks_is_a_setting_and_its_tokens_are_counted(
    server: GeminiServer, index: PageIndex, level: str, sent: str | None
) -> None:
    from pagesight.agent import ask

    server.says("Not found in these documents.", thinking=40)
    answer = ask(agent_at(server, index, thinking_level=level), QUESTION)
    thinking = last(server).body["generationConfig"].get("thinkingConfig", {}).get("thinkingLevel")
    assert (thinking and thinking.upper()) == sent
    assert answer.usage["reasoning_tokens"] == 40
    assert answer.usage["output_tokens"] == 50
    price = price_of(answer.reasoner)
    assert price
    assert answer.usage["cost"] == pytest.approx((100 * price.input + 50 * price.output) / 1e6, abs=1e-6)


def test_a_model_that_takes_no_level_of_thinking_is_an_error_at_once(server: GeminiServer, index: PageIndex) -> None:
    with pytest.raises(SettingsError, match=r"gemini-2\.5-flash.*--thinking"):
        agent_at(server, index, thinking_level="low", gemini_model="gemini-2.5-flash")


@pytest.mark.parametrize(("kept", "sent"), [(False, False), (True, None)])
def test_the_service_is_told_to_keep_nothing_unless_it_may(
    server: GeminiServer, index: PageIndex, kept: bool, sent: bool | None
) -> None:
    from pagesight.agent import ask

    server.says("Not found in these documents.")
    ask(agent_at(server, index, store_requests=kept), QUESTION)
    assert last(server).body.get("store") is sent
