"""The server for tests, spoken to by the real google-genai client."""

from __future__ import annotations

import io
import urllib.request

import pytest
from gemini_server import GeminiServer
from google.genai import Client, types
from google.genai.errors import ClientError, ServerError

MODEL = "gemini-test"


@pytest.fixture
def client(server: GeminiServer) -> Client:
    return Client(
        api_key="AIza-test-key",
        vertexai=False,
        http_options=types.HttpOptions(base_url=server.url, api_version="v1beta"),
    )


def test_it_says_what_is_scripted_and_records_what_it_was_asked(server: GeminiServer, client: Client) -> None:
    server.says("Forty-two.", tokens=(7, 3))
    picture = types.Part.from_bytes(data=b"\x89PNG\xff\xfe", mime_type="image/png")

    response = client.models.generate_content(model=MODEL, contents=["How much?", picture])

    assert response.text == "Forty-two."
    assert response.usage_metadata.total_token_count == 10
    [request] = server.model_requests
    assert not request.streams
    assert request.texts == ["How much?"]
    assert request.pictures == [("image/png", b"\x89PNG\xff\xfe")]
    assert request.headers["x-goog-api-key"] == "AIza-test-key"


def test_it_streams_in_pieces(server: GeminiServer, client: Client) -> None:
    server.says("A text that is longer than one piece of it.")

    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Go on."))

    assert len(chunks) > 2
    assert "".join(chunk.text or "" for chunk in chunks) == "A text that is longer than one piece of it."
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert server.model_requests[0].streams


async def test_it_serves_the_async_client(server: GeminiServer, client: Client) -> None:
    server.says("Yes.")
    server.says("No.")

    assert (await client.aio.models.generate_content(model=MODEL, contents="?")).text == "Yes."
    stream = await client.aio.models.generate_content_stream(model=MODEL, contents="?")
    assert "".join([chunk.text or "" async for chunk in stream]) == "No."


def test_it_calls_tools_one_or_several_at_once(server: GeminiServer, client: Client) -> None:
    server.calls("search_pages", aloud="Let me search.", query="revenue", top_k=3)
    server.calls_at_once([("a", {}), ("b", {"x_y": 1})])

    first = client.models.generate_content(model=MODEL, contents="?").candidates[0].content.parts
    second = client.models.generate_content(model=MODEL, contents="?").function_calls

    assert first[0].text == "Let me search."
    assert first[1].function_call.args == {"query": "revenue", "top_k": 3}
    assert [(call.name, call.args) for call in second] == [("a", {}), ("b", {"x_y": 1})]


def test_it_blocks_ends_empty_and_fails(server: GeminiServer, client: Client) -> None:
    server.blocks_the_prompt("SAFETY")
    server.ends_empty("MALFORMED_FUNCTION_CALL")
    server.gives_no_candidate()
    server.fails(429, "RESOURCE_EXHAUSTED", "quota")
    server.fails(500, "INTERNAL", "oops")

    def ask() -> types.GenerateContentResponse:
        return client.models.generate_content(model=MODEL, contents="?")

    assert ask().prompt_feedback.block_reason == types.BlockedReason.SAFETY
    assert ask().candidates[0].finish_reason == types.FinishReason.MALFORMED_FUNCTION_CALL
    assert ask().candidates is None
    with pytest.raises(ClientError, match="429 RESOURCE_EXHAUSTED"):
        ask()
    with pytest.raises(ServerError, match="oops"):
        ask()
    with pytest.raises(ClientError, match="no reply is scripted"):
        ask()


def test_it_keeps_files(server: GeminiServer, client: Client) -> None:
    server.polls_until_active = 1
    data = bytes(range(256)) * 50_000  # more than one chunk of the protocol

    file = client.files.upload(file=io.BytesIO(data), config={"mime_type": "image/png"})

    assert file.state == types.FileState.PROCESSING
    assert client.files.get(name=file.name).state == types.FileState.ACTIVE
    assert server.files[file.uri].data == data
    assert len(server.uploads) == 1
    assert [one.name for one in client.files.list()] == [file.name]
    server.says("Seen.")
    client.models.generate_content(model=MODEL, contents=[file, "What is it?"])
    assert server.model_requests[0].pictures == [("image/png", data)]
    client.files.delete(name=file.name)
    with pytest.raises(ClientError, match="404"):
        client.files.get(name=file.name)


def test_it_reads_either_casing(server: GeminiServer) -> None:
    server.says("Fine.")
    body = b'{"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "-_8"}}]}]}'
    address = f"{server.url}/v1beta/models/{MODEL}:generateContent"

    with urllib.request.urlopen(urllib.request.Request(address, body, {"x-goog-api-key": "AIza-test-key"})) as response:
        assert b"Fine." in response.read()

    assert server.model_requests[0].pictures == [("image/png", b"\xfb\xff")]
