"""Nothing fails silently: every way in which Gemini or the network fails, over HTTP, by each way of asking."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from conversations import KEY, QUESTION, WAYS, agent_at, asked, followed, steps
from gemini_server import GeminiServer, Reply
from langgraph.checkpoint.memory import InMemorySaver
from small_index import REPORT
from waiting import SOON

from pagesight.agent import ask
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import (
    AnswerBlocked,
    AnswerCutOff,
    EmptyAnswer,
    KeyRefused,
    PagesightError,
    ReasonerError,
)

CITED = f"4.2 billion [{REPORT} p. 2]."


# Endings


FINAL: list[tuple[Callable[[GeminiServer], None], type[PagesightError], str]] = [
    (lambda s: s.fails(403, "PERMISSION_DENIED", f"{KEY} is not allowed"), KeyRefused, "GOOGLE_API_KEY"),
    (
        lambda s: s.fails(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID"),
        KeyRefused,
        "PAGESIGHT_REASONER=offline",
    ),
    (lambda s: s.fails(401, "UNAUTHENTICATED", "who?"), KeyRefused, "GOOGLE_API_KEY"),
    (lambda s: s.fails(400, "INVALID_ARGUMENT", "request too large"), ReasonerError, "request too large"),
    (lambda s: s.fails(404, "NOT_FOUND", "no such model"), ReasonerError, "PAGESIGHT_GEMINI_MODEL"),
    (lambda s: s.fails(429, "RESOURCE_EXHAUSTED", "quota"), ReasonerError, "quota is used up"),
    (lambda s: s.fails(503, "UNAVAILABLE", "overloaded"), ReasonerError, "overloaded"),
    (lambda s: s.blocks_the_prompt("PROHIBITED_CONTENT"), AnswerBlocked, "PROHIBITED_CONTENT"),
    (lambda s: s.ends_empty("SAFETY"), AnswerBlocked, "SAFETY"),
    (lambda s: s.ends_empty("RECITATION", "It is said that"), AnswerBlocked, "RECITATION"),
    (lambda s: s.ends_empty("MAX_TOKENS"), EmptyAnswer, "MAX_TOKENS"),
]


@pytest.mark.parametrize(
    ("script", "error", "says", "way"),
    [(*failure, way) for failure in FINAL for way in ("invoke", "astream")]
    + [(*failure, way) for failure in FINAL[::5] for way in ("ainvoke", "stream")],
)
async def test_what_no_other_attempt_mends_is_an_error_at_once(
    server: GeminiServer, index: PageIndex, script: Callable, error: type[PagesightError], says: str, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    script(server)
    server.says("Never asked for.")

    with pytest.raises(error) as raised:
        await asked(way, agent_at(server, index))

    assert type(raised.value) is error
    assert says in str(raised.value)
    assert KEY not in str(raised.value)
    assert server.replies_left == 1


MENDABLE: list[tuple[Callable[[GeminiServer], None], str]] = [
    (lambda s: s.gives_no_candidate(), "no candidate"),
    (lambda s: s.ends_empty("STOP"), "STOP"),
    (lambda s: s.ends_empty("MALFORMED_FUNCTION_CALL"), "MALFORMED_FUNCTION_CALL"),
    (lambda s: s.ends_empty("MALFORMED_FUNCTION_CALL", "I will look."), "MALFORMED_FUNCTION_CALL"),
    (lambda s: s.ends_empty("UNEXPECTED_TOOL_CALL"), "UNEXPECTED_TOOL_CALL"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("script", "says"), MENDABLE)
async def test_an_empty_or_malformed_answer_is_asked_for_once_more_and_paid_for_twice(
    server: GeminiServer, index: PageIndex, script: Callable, says: str, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    script(server)
    server.says(CITED)

    items = await followed(way, agent_at(server, index))

    answer = items[-1]
    assert answer.text.endswith(CITED)
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert answer.usage["model_calls"] == 3
    # LangChain hands on no usage of an answer without candidates, unless it streams.
    assert answer.usage["input_tokens"] == (200 if says == "no candidate" and way.endswith("invoke") else 300)
    assert not answer.cut_off
    if way.endswith("stream"):
        [told] = steps(items, "wait")
        assert says in told
        assert "asking again" in told


@pytest.mark.parametrize("way", ["invoke", "astream"])
@pytest.mark.parametrize(("script", "says"), MENDABLE)
async def test_the_second_time_it_is_an_error_that_names_it(
    server: GeminiServer, index: PageIndex, script: Callable, says: str, way: str
) -> None:
    script(server)
    script(server)
    server.says("Never asked for.")

    with pytest.raises(EmptyAnswer, match=says):
        await asked(way, agent_at(server, index))
    assert server.replies_left == 1


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_ran_out_of_tokens_is_marked_as_cut_off(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"{CITED} The years before", finish="MAX_TOKENS")

    items = await followed(way, agent_at(server, index))

    assert items[-1].cut_off
    assert items[-1].as_dict()["cut_off"] is True
    if way.endswith("stream"):
        assert len(steps(items, "cut")) == 1


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_closes_cleanly_without_a_reason_is_not_an_answer(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.says(f"{CITED} And some more.", finish=None)

    with pytest.raises(AnswerCutOff, match="without a reason"):
        await asked(way, agent_at(server, index))


def test_nothing_is_logged_that_is_also_raised(
    server: GeminiServer, index: PageIndex, caplog: pytest.LogCaptureFixture
) -> None:
    server.blocks_the_prompt()
    with caplog.at_level(logging.WARNING), pytest.raises(AnswerBlocked):
        ask(agent_at(server, index), QUESTION)
    assert caplog.text == ""


# Waits


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "failure",
    [
        {"status": 429, "name": "RESOURCE_EXHAUSTED", "wait": "0.3s"},
        {"status": 503, "name": "UNAVAILABLE", "retry_after": "1"},
        {"status": 429, "name": "RESOURCE_EXHAUSTED", "says": "Quota exceeded. Please retry in 300.5ms."},
    ],
)
async def test_a_busy_service_is_waited_for_as_long_as_it_says(
    server: GeminiServer, index: PageIndex, failure: dict, way: str
) -> None:
    wait = 1.0 if "retry_after" in failure else 0.3
    server.fails(message=failure.pop("says", "busy"), **failure)
    server.says("Hello!")
    started = time.monotonic()

    items = await followed(way, agent_at(server, index, max_retries=2))

    assert items[-1].text == "Hello!"
    assert time.monotonic() - started >= wait
    assert items[-1].usage["model_calls"] == 1
    if way.endswith("stream"):
        [told] = steps(items, "wait")
        assert f"{failure['status']} {failure['name']}" in told
        assert "attempt 2 of 2" in told


@pytest.mark.parametrize("failure", [{"wait": "3600s"}, {"retry_after": "3600"}, {"says": "Please retry in 59m60.0s."}])
def test_a_wait_beyond_the_cap_ends_the_run_at_once_and_says_how_long(
    server: GeminiServer, index: PageIndex, failure: dict
) -> None:
    server.fails(429, "RESOURCE_EXHAUSTED", failure.pop("says", "quota"), **failure)
    started = time.monotonic()

    with pytest.raises(ReasonerError, match=r"wait 3600 s.*PAGESIGHT_LONGEST_WAIT"):
        ask(agent_at(server, index, max_retries=3, longest_wait=5), QUESTION)
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_the_attempts_come_to_an_end(server: GeminiServer, index: PageIndex, way: str) -> None:
    for _ in range(4):
        server.fails(503, "UNAVAILABLE", "busy", wait="0.01s")

    with pytest.raises(ReasonerError, match="503"):
        await asked(way, agent_at(server, index, max_retries=3))
    assert len(server.model_requests) == 3


def test_a_refusal_that_is_not_about_time_is_not_repeated(server: GeminiServer, index: PageIndex) -> None:
    server.fails(400, "INVALID_ARGUMENT", "bad schema")
    with pytest.raises(ReasonerError, match="bad schema"):
        ask(agent_at(server, index, max_retries=5), QUESTION)
    assert len(server.model_requests) == 1


# The network


@pytest.mark.parametrize("way", ["invoke", "astream"])
async def test_a_service_that_is_not_there_is_an_error(server: GeminiServer, index: PageIndex, way: str) -> None:
    with pytest.raises(ReasonerError, match=r"connection to Gemini at http://127\.0\.0\.1:9 failed"):
        await asked(way, agent_at(server, index, google_base_url="http://127.0.0.1:9"))


@contextmanager
def hanging_up(how: str) -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that ends each connection before it answers; its address, and the connections so far."""
    connections: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connections.append(connection)
                connection.recv(1)
                if how == "resets":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", connections
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_a_connection_that_ends_early_is_made_again(
    server: GeminiServer, index: PageIndex, how: str, way: str
) -> None:
    with (
        hanging_up(how) as (address, connections),
        pytest.raises(ReasonerError, match=r"connection to Gemini at \S+ failed"),
    ):
        await asked(way, agent_at(server, index, google_base_url=address, max_retries=2))
    assert len(connections) == 2


def test_the_version_of_the_api_is_the_one_that_has_all_we_use(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(CITED)
    ask(agent_at(server, index, transport="files"), QUESTION)
    paths = [request.path for request in server.requests if not request.path.startswith("/upload-session/")]
    assert {path.removeprefix("/upload").split("/")[1] for path in paths} == {"v1beta"}


@pytest.mark.parametrize("way", WAYS)
async def test_a_silent_server_ends_in_bounded_time_and_the_thread_goes_on(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    agent = agent_at(server, index, timeout=0.4, checkpointer=InMemorySaver())
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says("Hello!")
    await asked(way, agent, thread_id="one")
    # Without streaming nothing comes before the whole answer: its first byte is awaited 7.5 times as long.
    limit = 0.4 if way.endswith("stream") else 3.0
    server.seconds_of_silence = limit + 1.1
    started = time.monotonic()

    with pytest.raises(ReasonerError, match=r"in time.*PAGESIGHT_TIMEOUT"):
        await asked(way, agent, thread_id="one")

    assert limit <= time.monotonic() - started < SOON
    server.seconds_of_silence = 0
    server.says(CITED)
    server.says(CITED)  # the request given up takes one of them, if it is answered before
    assert (await asked(way, agent, "Once more?", thread_id="one")).citations


@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_trickles_ends_in_bounded_time(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.says(f"{CITED} " + "Word after word. " * 400, drips=0.08)
    agent = agent_at(server, index, timeout=0.2)  # the first one takes seconds where nothing is imported yet
    started = time.monotonic()

    with pytest.raises(ReasonerError, match=r"PAGESIGHT_TIMEOUT"):
        await asked(way, agent)

    assert time.monotonic() - started < SOON


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_breaks_in_the_middle_is_an_error_and_the_thread_goes_on(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver(), max_retries=3)
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"{CITED} And some more that never comes.", breaks=3)

    with pytest.raises(AnswerCutOff, match="broke off in the middle"):
        await asked(way, agent, thread_id="one")

    server.says(CITED)
    answer = await asked(way, agent, "Once more?", thread_id="one")
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_breaks_before_its_first_word_is_asked_for_again(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.says("Never comes.", breaks=0)
    server.says("Hello!")

    items = await followed(way, agent_at(server, index, max_retries=2))

    assert items[-1].text == "Hello!"
    assert len(steps(items, "wait")) == 1


# Answers that are none


_ERROR = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "The model is overloaded."}}
_NO_JSON = b"<html>Log in to this network</html>"


@pytest.fixture
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "shape",
    [
        {"status": 503, "body": b"<html>503</html>"},
        {"status": 502, "body": b"\n"},
        {"status": 529, "body": b"overloaded"},
        {"status": 503, "body": b'[{"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}}]'},
        {"status": 503, "body": b'{"error": "busy"}'},
        {"body": _NO_JSON},
        {"body": b"[]"},
        {"body": b"null"},
    ],
    ids=lambda shape: f"{shape.get('status', 200)} {shape['body'][:12]}",
)
async def test_what_stands_in_the_place_of_an_answer_is_asked_again_and_told_plainly(
    server: GeminiServer, index: PageIndex, shape: dict, way: str
) -> None:
    server.replies(Reply(**shape))
    server.says("Hello!")
    agent = agent_at(server, index, max_retries=3)
    assert (await asked(way, agent)).text == "Hello!"

    server.replies(*[Reply(**shape)] * 3)
    with pytest.raises(ReasonerError, match=r"Gemini|gemini"):
        await asked(way, agent)


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("fault", [{"error": _ERROR}, {"body": b'{"cand'}], ids=["error", "no JSON"])
async def test_an_error_in_the_middle_of_a_stream(
    server: GeminiServer, index: PageIndex, fault: dict, way: str
) -> None:
    thought = {"text": "I read the page.", "thought": True}
    call = {"functionCall": {"name": "list_documents", "args": {}}}
    agent = agent_at(server, index, max_retries=2)
    for begun in ([thought], [thought, call]):
        server.replies(Reply([*begun, {"text": "Never"}], breaks=len(begun), **fault))
        server.says("Hello!")
        items = await followed(way, agent)
        assert items[-1].text == "Hello!"
        assert items[-1].usage["model_calls"] == 1

    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.replies(Reply([{"text": f"{CITED} And some more that never comes."}], breaks=3, **fault))
    with pytest.raises(AnswerCutOff, match=r"broke off in the middle \((503 UNAVAILABLE|UnknownApiResponseError)\)"):
        await asked(way, agent)


# A message that cites and goes on


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_text_that_cites_and_then_calls_a_tool_is_taken_back(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.calls("view_pages", aloud=f"On [{REPORT} p. 2] I see revenue; I will look on.", pages=[f"{REPORT} p. 3"])
    server.says(CITED)

    items = await followed(way, agent_at(server, index))

    [aside] = [place for place, item in enumerate(items) if getattr(item, "kind", "") == "aside"]
    assert all(isinstance(piece, str) for piece in items[aside - 1 : aside])
    last_step = max(place for place, item in enumerate(items[:-1]) if not isinstance(item, str))
    assert "".join(items[last_step + 1 : -1]) == items[-1].text == CITED


# What the model says is never fetched


@pytest.mark.parametrize("transport", ["bytes", "base64"])
def test_no_address_that_a_model_or_a_page_names_is_fetched(
    server: GeminiServer, index: PageIndex, transport: str
) -> None:
    trap = f"{server.url}/trap.png"
    server.calls("view_pages", pages=[trap, f"file:///{trap}"])
    server.calls("search_pages", query=trap)
    server.says(f"![see]({trap})")
    agent = agent_at(server, index, transport=transport)
    picture = {"type": "image_url", "image_url": {"url": trap}}
    pictures = [picture, {"type": "image", "url": trap}, {"type": "image_url", "image_url": trap}]

    agent.invoke({"messages": [("user", [{"type": "text", "text": QUESTION}, *pictures])]})

    assert all("enerateContent" in request.path for request in server.requests)
    assert sum(f"[{trap} was not fetched" in text for text in server.model_requests[-1].texts) == 3
