"""The agent from the outside: conversations, checkpoints, streams, failures, and other people's chat models."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conversations import QUESTION, WAYS, agent_at, asked, sent, stored
from gemini_server import GeminiServer
from langchain_core.exceptions import ModelAPIError, ModelAuthenticationError
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import PrivateAttr
from small_index import PHOTO, REPORT, make_index, small_settings

from pagesight.agent import Step, ask, astream, create_page_agent, stream
from pagesight.agent.reasoners.choose import choose_reasoner, make_reasoner
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.prices import price_of
from pagesight.indexing.errors import (
    EmptyAnswer,
    EmptyQuestion,
    IndexMissing,
    KeyRefused,
    MissingExtra,
    PagesightError,
    ReasonerError,
    SettingsError,
)
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.transport.pictures import Pictures


def play(server: GeminiServer, last: str) -> None:
    """A usual course: search, look, answer."""
    server.calls("search_pages", aloud="I will search for it.", query="net revenue 2023")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(last)


# Answers


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_comes_with_citations_pages_hits_and_usage(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    play(server, f"4.2 billion euros [{REPORT} p. 2, region 50,100,150,700].")

    answer = await asked(way, agent_at(server, index))

    # the region is drawn to the words that say it
    assert answer.text == f"4.2 billion euros [{REPORT} p. 2, region 102,302,116,333]."
    assert answer.found
    assert [citation.as_dict() for citation in answer.citations] == [
        {"label": f"{REPORT} p. 2", "document": REPORT, "page": 2, "region": [102, 302, 116, 333]}
    ]
    assert answer.pages_viewed == [f"{REPORT} p. 2"]
    assert [hit.as_dict() for hit in answer.hits] == [hit.as_dict() for hit in index.search("net revenue 2023")]
    price = price_of(answer.reasoner)
    assert price
    assert answer.reasoner == "google_genai:gemini-3.8-flash"
    assert answer.usage == {
        "input_tokens": 300,
        "output_tokens": 30,
        "total_tokens": 330,
        "reasoning_tokens": 0,
        "cached_tokens": 0,
        "model_calls": 3,
        "pictures": 1,
        "bytes_uploaded": 4 * -(-len(sent(index, f"{REPORT} p. 2")[1]) // 3),
        "cost": pytest.approx((300 * price.input + 30 * price.output) / 1e6, abs=1e-6),
        "model_version": "gemini-3.8-flash",
    }
    assert json.loads(json.dumps(answer.as_dict()))["citations"][0]["page"] == 2


@pytest.mark.parametrize("way", WAYS)
async def test_a_citation_to_a_page_that_was_not_shown_is_marked_and_no_evidence(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    play(server, f"4.2 billion [{REPORT} p. 2], 5310 people [{REPORT} p. 3], and more [other.pdf p. 1].")

    answer = await asked(way, agent_at(server, index))

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert [citation.label for citation in answer.unverified] == [f"{REPORT} p. 3", "other.pdf p. 1"]
    assert f"5310 people [{REPORT} p. 3 — not verified], and more [other.pdf p. 1 — not verified]." in answer.text


def test_not_found_is_an_answer(server: GeminiServer, index: PageIndex) -> None:
    server.calls("search_pages", query="chess")
    server.says("Not found in these documents. I searched for chess.")

    answer = ask(agent_at(server, index), "Who won at chess?")

    assert not answer.found
    assert answer.citations == []


# Streams


async def test_a_stream_tells_steps_then_pieces_of_the_final_answer_only(
    server: GeminiServer, index: PageIndex
) -> None:
    text = f"It was 4.2 billion euros [{REPORT} p. 2]. Five times [{REPORT} p. 2] as much as the years before it."
    for _ in range(2):
        play(server, text)

    items = list(stream(agent_at(server, index), QUESTION))
    again = [item async for item in astream(agent_at(server, index), QUESTION)]

    assert items == again
    *before, answer = items
    assert [item.text for item in before[:2] if isinstance(item, Step)] == [
        'searched "net revenue 2023" → 5 pages',
        f"looked at {REPORT} p. 2",
    ]
    pieces = before[2:]
    assert all(isinstance(piece, str) for piece in pieces)
    assert len(pieces) > 3
    assert "".join(pieces) == answer.text
    assert "I will search" not in "".join(pieces)


def test_a_short_answer_without_citation_is_streamed_too(server: GeminiServer, index: PageIndex) -> None:
    server.says("Hello! Ask me about the documents.")
    *pieces, answer = stream(agent_at(server, index), "Hi")
    assert pieces == [answer.text] == ["Hello! Ask me about the documents."]


# Conversations and their checkpoints


def test_a_follow_up_remembers_and_two_threads_do_not_mix(server: GeminiServer, index: PageIndex) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    play(server, f"4.2 billion [{REPORT} p. 2].")
    ask(agent, QUESTION, thread_id="one")
    server.says(f"Yes, in Europe 1.9 billion [{REPORT} p. 2].")
    follow_up = ask(agent, "And in Europe?", thread_id="one")
    server.says(f"It says so here [{REPORT} p. 2].")
    stranger = ask(agent, "And in Europe?", thread_id="two")

    assert [citation.label for citation in follow_up.citations] == [f"{REPORT} p. 2"]
    assert QUESTION in server.model_requests[3].texts
    assert len(server.model_requests[3].pictures) == 1
    assert server.model_requests[4].texts == ["And in Europe?"]
    assert stranger.citations == []


@pytest.mark.parametrize("transport", ["bytes", "base64", "files"])
def test_neither_checkpoint_nor_streamed_values_hold_a_picture(
    server: GeminiServer, index: PageIndex, transport: str
) -> None:
    memory = InMemorySaver()
    agent = agent_at(server, index, transport=transport, checkpointer=memory)
    labels = [f"{REPORT} p. 1", f"{REPORT} p. 2", f"{PHOTO} p. 1"]
    server.calls("view_pages", pages=labels)
    server.says(f"Seen [{REPORT} p. 1].")

    values = list(agent.stream({"messages": [HumanMessage("?")]}, {"configurable": {"thread_id": "one"}}))

    assert len(server.model_requests[-1].pictures) == 3
    kept = stored(memory)
    assert b"annual-report.pdf p. 1" in kept
    assert len(kept) < 60_000
    for label in labels:
        _, data = sent(index, label)
        for trace in (data[12:36], data[-60:-20], base64.b64encode(data)[16:48]):
            assert trace not in kept
            assert repr(trace)[2:-1] not in repr(values)
    assert b"pagesight-inline" not in kept


def test_a_thread_goes_on_after_a_failure(server: GeminiServer, index: PageIndex) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.fails(500, "INTERNAL", "oops")
    with pytest.raises(ReasonerError):
        ask(agent, QUESTION, thread_id="one")

    server.says(f"4.2 billion [{REPORT} p. 2].")
    assert ask(agent, "Once more?", thread_id="one").citations


@pytest.mark.parametrize("way", WAYS)
async def test_a_thread_goes_on_after_it_was_stopped_between_a_call_and_its_reply(
    server: GeminiServer, index: PageIndex, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    server.calls_at_once([("search_pages", {"query": "a"}), ("search_pages", {"query": "b"})])

    def broken(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(PageIndex, "search", broken)
        with pytest.raises(OSError, match="disk is gone"):
            await asked(way, agent, thread_id="one")

    server.says("Not found in these documents.")
    assert not (await asked(way, agent, "Once more?", thread_id="one")).found
    assert "Stopped before it was done." in server.model_requests[-1].replies


# Bad input


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_an_error(index: PageIndex, question: str) -> None:
    agent = create_page_agent(index, model="offline")
    with pytest.raises(EmptyQuestion):
        ask(agent, question)
    with pytest.raises(EmptyQuestion):
        list(stream(agent, question))


def test_a_model_that_never_stops_calling_tools_is_an_error(server: GeminiServer, index: PageIndex) -> None:
    settings = small_settings(google_base_url=server.url, searches_per_question=1, pages_per_question=1)
    agent = create_page_agent(index, settings=settings)
    for _ in range(40):
        server.calls("list_documents")

    with pytest.raises(EmptyAnswer, match="kept calling tools"):
        ask(agent, QUESTION)


def test_an_index_can_be_given_by_its_path(index: PageIndex) -> None:
    assert ask(create_page_agent(index.path, model="offline"), QUESTION).found


def test_an_index_that_is_not_there_is_an_error_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        create_page_agent(tmp_path / "nowhere", model="offline")
    assert not (tmp_path / "nowhere").exists()


def test_a_page_whose_source_is_gone_becomes_a_line_of_text(server: GeminiServer, tmp_path: Path) -> None:
    memory = InMemorySaver()
    index = make_index(tmp_path)
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{PHOTO} p. 1"])
    server.says("Seen.")
    ask(agent_at(server, index, checkpointer=memory), QUESTION, thread_id="one")
    index.remove(REPORT)

    server.says(f"As seen [{REPORT} p. 2].")
    answer = ask(agent_at(server, index, checkpointer=memory), "And now?", thread_id="one")

    assert [mime for mime, _ in server.model_requests[-1].pictures] == ["image/webp"]
    assert f"{REPORT} p. 2 cannot be shown: " in server.model_requests[-1].replies[0]
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]  # it was seen then
    index.close()


# Which reasoner


def test_auto_takes_gemini_with_a_key_and_the_quoting_reasoner_without() -> None:
    with_key, without = small_settings(), small_settings().changed(google_api_key=None)

    assert choose_reasoner(None, with_key).name == "google_genai:gemini-3.8-flash"
    assert choose_reasoner("auto", without).name == "offline"
    assert "GOOGLE_API_KEY" in choose_reasoner(None, without).why
    assert make_reasoner(None, without).model._llm_type == "pagesight-quoting"
    with pytest.raises(KeyRefused, match="GOOGLE_API_KEY"):
        make_reasoner("google_genai:gemini-3.8-flash", without)


def test_a_name_that_cannot_be_read_or_whose_package_is_missing_says_what_to_do() -> None:
    with pytest.raises(SettingsError, match="PROVIDER:MODEL"):
        make_reasoner("gpt", small_settings())
    if subprocess.run([sys.executable, "-c", "import langchain"], capture_output=True, check=False).returncode:
        with pytest.raises(MissingExtra, match=r"pip install .*langchain langchain-openai"):
            make_reasoner("openai:gpt-5", small_settings())


class TheirModel(GenericFakeChatModel):
    """Somebody else's chat model: says what it is told and keeps what it was sent."""

    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._sent.append(messages)
        return super()._generate(messages, *args, **kwargs)


def test_another_chat_model_gets_standard_image_blocks_after_the_replies(index: PageIndex) -> None:
    looks = [
        {"name": "view_pages", "args": {"pages": [f"{REPORT} p. {page}"]}, "id": f"call-{page}"} for page in (2, 3)
    ]
    model = TheirModel(
        messages=iter([AIMessage("", tool_calls=looks), AIMessage(f"It rose to 4.2 billion euros [{REPORT} p. 2].")])
    )

    answer = ask(create_page_agent(index, model=model), QUESTION)

    assert answer.reasoner == "TheirModel"
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    *_, first, _, pictures = model._sent[-1]
    assert [message.type for message in model._sent[-1]] == ["system", "human", "ai", "tool", "tool", "human"]
    assert first.text.startswith("Shown as pictures")
    text, *blocks = pictures.content
    assert text["text"].endswith(f"in this order: {REPORT} p. 2; {REPORT} p. 3.")
    made = [Pictures(index).of(PageView(index.page(f"{REPORT} p. {page}"))) for page in (2, 3)]
    assert [base64.b64decode(block["base64"]) for block in blocks] == [picture.data for picture in made]
    assert {block["mime_type"] for block in blocks} == {"image/png"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("raised", "error"), [(ModelAuthenticationError("sk-secret"), KeyRefused), (ModelAPIError("down"), ReasonerError)]
)
async def test_what_goes_wrong_at_another_provider_is_an_error_of_ours(
    index: PageIndex, raised: Exception, error: type[PagesightError], way: str
) -> None:
    def failing() -> Iterator[AIMessage]:
        raise raised
        yield

    with pytest.raises(error, match="TheirModel") as caught:
        await asked(way, create_page_agent(index, model=TheirModel(messages=failing())))
    assert "sk-secret" not in str(caught.value)


# Manners


def test_importing_the_agent_loads_no_graph_no_model_and_no_index() -> None:
    code = "import sys, pagesight.agent; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    for heavy in ("langgraph", "langchain_core", "google.genai", "torch", "pymilvus", "PIL"):
        assert heavy not in loaded


def test_every_name_of_the_front_door_opens() -> None:
    import pagesight.agent

    for name in pagesight.agent.__all__:
        assert getattr(pagesight.agent, name)
        assert name in dir(pagesight.agent)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = pagesight.agent.nothing_of_the_kind


def test_making_an_agent_warns_of_nothing(index: PageIndex) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agent = create_page_agent(index, model="offline", name="pages")
    assert agent.name == "pages"
