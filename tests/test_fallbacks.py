"""Chains of models: each gets the pages in its own form, whoever of them has to answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from gemini_server import GeminiServer
from langchain_core.language_models import BaseChatModel
from langchain_google_genai import ChatGoogleGenerativeAI
from small_index import REPORT, small_settings

from pagesight.agent import Step, aask, ask, create_page_agent, stream
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import SettingsError

QUESTION = "How high was the net revenue in 2023?"
LOOKS = f"{REPORT} p. 2"
CITED = f"4.2 billion euros [{LOOKS}]."


def looks_and_says() -> list[Any]:
    return [calls("search_pages", query="net revenue"), calls("view_pages", pages=[LOOKS]), CITED]


class Provider(BaseHTTPRequestHandler):
    """OpenAI's and Anthropic's protocol, as far as one answer goes; it keeps what it was asked."""

    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18, "input_tokens": 9, "output_tokens": 9}
        message = {"role": "assistant", "content": CITED}
        of_openai = {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
        of_anthropic = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": CITED}],
                        "stop_reason": "end_turn", "stop_sequence": None}  # fmt: skip
        answer = of_anthropic if self.path.endswith("/messages") else of_openai
        body = json.dumps({"id": "one", "created": 1, "model": "theirs", "usage": usage, **answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def provider() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address, and what was asked there."""
    handler = type("Asked", (Provider,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler.asked  # type: ignore[attr-defined]
        server.shutdown()


def gemini(server: GeminiServer, model: str) -> ChatGoogleGenerativeAI:
    return ChatGoogleGenerativeAI(
        model=model, api_key="AIza-test-key", base_url=server.url, max_retries=1, vertexai=False
    )


def openai(address: str) -> BaseChatModel:
    package = pytest.importorskip("langchain_openai")
    made: BaseChatModel = package.ChatOpenAI(model="gpt-5.5", api_key="sk-x", base_url=f"{address}/v1", max_retries=0)
    return made


def anthropic(address: str) -> BaseChatModel:
    package = pytest.importorskip("langchain_anthropic")
    made: BaseChatModel = package.ChatAnthropic(
        model="claude-opus-4-6", api_key="sk-x", base_url=address, max_retries=0, max_tokens=999
    )
    return made


def blocks(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """All blocks of content in a request."""
    return [
        block for message in asked["messages"] if isinstance(message["content"], list) for block in message["content"]
    ]


def test_each_generation_of_gemini_gets_pictures_where_it_wants_them(index: PageIndex) -> None:
    """The stand-in refuses pictures in the place of another generation, and signatures of another model."""
    with GeminiServer() as third, GeminiServer() as second:
        third.calls("view_pages", pages=[LOOKS])
        third.fails(503, "UNAVAILABLE", "busy")
        second.says(CITED)
        chain = gemini(third, "gemini-3.8-flash").with_fallbacks([gemini(second, "gemini-2.5-flash")])
        answer = ask(create_page_agent(index, model=chain), QUESTION)

    assert (answer.text, answer.reasoner) == (CITED, "ChatGoogleGenerativeAI:gemini-2.5-flash")
    assert [citation.label for citation in answer.citations] == [LOOKS]
    assert [len(request.pictures) for request in (*third.model_requests, *second.model_requests)] == [0, 1, 1]


@pytest.mark.parametrize("make", [openai, anthropic])
def test_other_providers_get_their_own_blocks(index: PageIndex, provider: Any, make: Any) -> None:
    address, asked = provider
    with GeminiServer() as server:
        server.calls("view_pages", pages=[LOOKS])
        server.fails(503, "UNAVAILABLE", "busy")
        chain = gemini(server, "gemini-3.8-flash").with_fallbacks([make(address)])
        answer = ask(create_page_agent(index, model=chain), QUESTION)

    assert answer.text == CITED
    kinds = [block["type"] for block in blocks(asked[0]) if block["type"] in ("image", "image_url")]
    assert kinds == ["image_url" if make is openai else "image"]
    (picture,) = [block for block in blocks(asked[0]) if block["type"] == kinds[0]]
    source = picture["image_url"]["url"] if make is openai else picture["source"]["media_type"]
    assert source.removeprefix("data:").startswith("image/png")


@pytest.mark.parametrize("way", [ask, aask])
async def test_who_fails_is_followed_by_the_next_and_tried_again_by_itself(index: PageIndex, way: Any) -> None:
    for chain in (
        lambda broken, whole: broken.with_fallbacks([whole]),
        lambda broken, whole: broken.with_retry(stop_after_attempt=2).with_fallbacks([whole.bind(stop=["###"])]),
        lambda broken, whole: broken.with_config(tags=["mine"]).with_fallbacks([whole.with_retry()]),
    ):
        broken = ScriptedReasoner(script=[OSError("down")] * 9)
        whole = ScriptedReasoner(script=looks_and_says())
        answer = way(create_page_agent(index, model=chain(broken, whole)), QUESTION)
        answer = answer if way is ask else await answer
        assert (answer.text, answer.pages_viewed) == (CITED, [LOOKS])
        assert whole.requests[-1].pictures == [LOOKS]
    again = ScriptedReasoner(script=[OSError("down"), *looks_and_says()])
    model = again.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    answer = way(create_page_agent(index, model=model), QUESTION)
    assert (answer if way is ask else await answer).text == CITED


def test_locate_is_done_by_who_can(index: PageIndex) -> None:
    boxes = json.dumps({"boxes": [{"label": "net revenue", "box_2d": [10, 20, 300, 400]}]})
    found = calls("Boxes", **json.loads(boxes))
    first = ScriptedReasoner(
        script=[calls("view_pages", pages=[LOOKS]), calls("locate", page=LOOKS, things=["net revenue"]),
                OSError("down"), CITED]
    )  # fmt: skip
    second = ScriptedReasoner(script=[found])
    answer = ask(create_page_agent(index, model=first.with_fallbacks([second])), QUESTION)
    assert answer.text == CITED
    assert len(second.requests) == 1


def test_pieces_of_a_model_that_broke_off_are_told_from_the_answer(index: PageIndex) -> None:
    class BreaksOff(ScriptedReasoner):
        """Ends in the middle of its answer."""

        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            for number, chunk in enumerate(super()._stream(*args, **kwargs)):
                if number > 7 and chunk.text:
                    raise OSError("the line is dead")
                yield chunk

    first = BreaksOff(script=[*looks_and_says()[:2], f"As said [{LOOKS}] and then much, much more."])
    second = ScriptedReasoner(script=[CITED])
    items = list(stream(create_page_agent(index, model=first.with_fallbacks([second])), QUESTION))
    last = max(number for number, item in enumerate(items) if isinstance(item, Step))
    assert "".join(item for item in items[last + 1 :] if isinstance(item, str)) == CITED


def test_a_chain_of_anything_else_is_an_error(index: PageIndex) -> None:
    with pytest.raises(SettingsError, match="RunnableSequence"):
        create_page_agent(index, model=ScriptedReasoner(script=[]) | (lambda message: message))
    assert create_page_agent(index, model="offline", settings=small_settings()).name == "pagesight"
