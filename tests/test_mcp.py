"""The MCP server, asked by the SDK's own client and through langchain-mcp-adapters, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
from conversations import agent_at
from gemini_server import GeminiServer
from langchain_core.messages import ToolMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import BlobResourceContents, CallToolResult, ImageContent, TextContent, TextResourceContents
from PIL import Image
from pydantic import AnyUrl
from slow_index import SLOW, slow_down, watched_loop
from small_index import PHOTO, REPORT, SLIDES, make_index

from pagesight.agent import mcp
from pagesight.agent.mcp import make_server
from pagesight.agent.servers.fitted_pictures import fitted
from pagesight.agent.servers.guarded_http import MOST_REQUESTS, GuardedApplication
from pagesight.indexing import PageIndex
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.transport.pictures import Picture

COMMAND = [sys.executable, "-m", "pagesight.agent.cli", "mcp"]
TOKEN = "a-token-of-the-tests"
TOOLS = ["list_documents", "outline", "read_pages", "search_pages", "view_pages"]


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server over HTTP, in a process of its own that ends with the tests."""
    copy = tmp_path_factory.mktemp("served")
    make_index(copy).close()
    with serving(copy / "index", "--token", TOKEN) as (process, address):
        yield address
        process.terminate()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of the server over HTTP, and its address."""
    command = [*COMMAND, "--index", str(folder), "--http", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            address = process.stderr.readline().split()[-1]
            assert "holder.json" in process.stderr.readline()
            yield process, address
        finally:
            process.kill()


@asynccontextmanager
async def over_stdio(folder: Path) -> AsyncIterator[ClientSession]:
    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--index", str(folder)], env=dict(os.environ)
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


@asynccontextmanager
async def over_http(address: str, token: str = TOKEN) -> AsyncIterator[ClientSession]:
    async with (
        httpx.AsyncClient(headers=bearer(token), timeout=60) as client,
        streamable_http_client(address, http_client=client) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def text(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def searched_and_seen(session: ClientSession) -> None:
    """What both ways of serving must do."""
    tools = (await session.list_tools()).tools
    assert sorted(tool.name for tool in tools) == TOOLS
    assert all(tool.annotations and tool.annotations.readOnlyHint for tool in tools)
    assert all(field["description"] for tool in tools for field in tool.inputSchema["properties"].values())

    found = await session.call_tool("search_pages", {"query": "net revenue 2023", "top_k": 2})
    assert found.structuredContent
    best, _ = found.structuredContent["hits"]
    assert best["label"] == f"{REPORT} p. 2"
    assert best["regions"]
    assert "Net revenue rose to 4.2 billion euros" in text(found)
    assert f"closer look: {best['regions'][0]}" in text(found)

    seen = await session.call_tool("view_pages", {"pages": [best["label"], f"{PHOTO} p. 1"]})
    assert [block.type for block in seen.content] == ["text", "image", "text", "image"]
    assert text(seen) == f"{REPORT} p. 2\n{PHOTO} p. 1"
    page = seen.content[1]
    assert isinstance(page, ImageContent)
    picture = Image.open(io.BytesIO(base64.b64decode(page.data)))
    assert Image.MIME[picture.format or ""] == page.mimeType
    assert picture.height > picture.width > 500


async def test_over_stdio_with_the_sdks_client_errors_say_what_mends_them(folder: Path) -> None:
    async with over_stdio(folder) as session:
        await searched_and_seen(session)

        part = await session.call_tool("view_pages", {"pages": [f"{REPORT} p. 2"], "region": [0, 0, 200, 1000]})
        (image,) = (block for block in part.content if isinstance(block, ImageContent))
        picture = Image.open(io.BytesIO(base64.b64decode(image.data)))
        assert picture.width > 2 * picture.height

        listed = await session.call_tool("list_documents", {"containing": "slides"})
        assert listed.structuredContent == {"documents": [{"document": SLIDES, "pages": 2}]}
        assert text(listed).startswith(f"- {SLIDES}: 2 pages. Strategy (p. 1); Targets (p. 2)")

        told = await session.call_tool("outline", {"document": REPORT})
        assert "- p. 2: Net revenue by region" in text(told)
        read = await session.call_tool("read_pages", {"pages": [f"{REPORT} p. 2"]})
        assert "| Net revenue rose to 4.2 billion euros in 2023." in text(read)

        for tool, arguments, says in [
            ("view_pages", {"pages": [f"{REPORT} p. 99"]}, "pages 1 to 8"),
            ("view_pages", {"pages": ["report.pdf p. 1"]}, REPORT),
            ("view_pages", {"pages": []}, "at least one page"),
            ("view_pages", {"pages": [f"{REPORT} p. 1"], "region": [1, 2]}, "four numbers"),
            ("view_pages", {"pages": [f"{REPORT} p. 1"], "region": [500, 0, 100, 1000]}, "region"),
            ("search_pages", {"query": " "}, "empty"),
            ("search_pages", {"query": "revenue", "documents": ["nothing.pdf"]}, "nothing.pdf"),
            ("search_pages", {"query": "revenue", "top_k": 0}, "top_k"),
            ("search_pages", {}, "query"),
            ("outline", {"document": "nothing.pdf"}, "nothing.pdf"),
            ("read_pages", {"pages": [f"{REPORT} p. 99"]}, "pages 1 to 8"),
        ]:
            wrong = await session.call_tool(tool, arguments)
            assert wrong.isError, (tool, arguments)
            assert says in text(wrong), text(wrong)
            assert "Traceback" not in text(wrong)


async def test_pages_are_resources_tools_say_what_they_give_and_how_far_they_are(address: str) -> None:
    async with over_http(address) as session:
        schemas = {tool.name: tool.outputSchema for tool in (await session.list_tools()).tools}
        assert schemas["search_pages"]
        assert set(schemas["search_pages"]["required"]) == {"query", "hits"}
        assert schemas["list_documents"]
        told: list[tuple[float, float | None]] = []

        async def progress(done: float, of: float | None, message: str | None) -> None:
            told.append((done, of))

        labels = [f"{REPORT} p. {number}" for number in (1, 2, 3)]
        await session.call_tool("view_pages", {"pages": labels}, progress_callback=progress)
        assert told == [(1, 3), (2, 3), (3, 3)]

        templates = {one.uriTemplate for one in (await session.list_resource_templates()).resourceTemplates}
        assert templates == {"pagesight://pages/{label}/picture", "pagesight://pages/{label}/text"}
        for label in (f"{REPORT} p. 2", f"{SLIDES} p. 2"):
            place = f"pagesight://pages/{quote(label, safe='')}"
            (seen,) = (await session.read_resource(AnyUrl(f"{place}/picture"))).contents
            assert isinstance(seen, BlobResourceContents)
            assert Image.open(io.BytesIO(base64.b64decode(seen.blob))).format == "JPEG"
            (read,) = (await session.read_resource(AnyUrl(f"{place}/text"))).contents
            assert isinstance(read, TextResourceContents)
            assert "evenue" in read.text
        (listed,) = (await session.read_resource(AnyUrl("pagesight://documents"))).contents
        assert isinstance(listed, TextResourceContents)
        assert {"document": SLIDES, "pages": 2} in json.loads(listed.text)["documents"]
        with pytest.raises(McpError, match=r"pages 1 to 8|p\. 99"):
            await session.read_resource(AnyUrl(f"pagesight://pages/{quote(REPORT)}%20p.%2099/text"))


async def test_a_boundary_holds_for_resources_too(index: PageIndex) -> None:
    asked = make_server(AllowedDocuments(index).narrowed([SLIDES]))
    (read,) = await asked.read_resource(f"pagesight://pages/{quote(f'{SLIDES} p. 1', safe='')}/text")
    assert "Asia" in str(read.content)
    for part in ("text", "picture"):
        with pytest.raises(Exception, match="not among the documents"):
            await asked.read_resource(f"pagesight://pages/{quote(f'{REPORT} p. 2', safe='')}/{part}")


def test_a_picture_that_is_too_large_for_a_client_is_made_smaller() -> None:
    noise = Image.effect_noise((1500, 1500), 100).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG")
    large = Picture(file.getvalue(), "image/png")
    assert large.inline_size > 1_000_000
    small = fitted(large, 1_000_000)
    assert small.inline_size <= 1_000_000
    assert small.mime_type == "image/jpeg"
    assert Image.open(io.BytesIO(small.data)).width >= 900
    assert fitted(small, 1_000_000) is small


async def test_over_http_with_the_sdks_client(address: str) -> None:
    async with over_http(address) as session:
        await searched_and_seen(session)


async def test_ctrl_c_ends_the_server_at_once_also_with_a_client_there(folder: Path) -> None:
    with serving(folder) as (process, address):
        noted = json.loads((folder / "holder.json").read_text())["mcp"]
        assert (folder / "holder.json").stat().st_mode & 0o777 == 0o600
        assert noted["address"] == address
        async with over_http(address, noted["token"]) as session:
            await session.list_tools()
            process.send_signal(signal.SIGINT)
            status = await asyncio.to_thread(process.wait, 20)
        assert process.stderr
        assert (status, process.stderr.read()) == (130, "")


async def test_http_listens_on_loopback_only_and_refuses_other_hosts_names(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")
    async with httpx.AsyncClient() as client:
        answer = await client.post(address, headers=bearer(TOKEN) | {"Host": "evil.example"}, json={})
    assert answer.status_code == 421


async def test_http_asks_for_the_token_and_limits_what_comes_in(address: str) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    wrong = [{}, bearer("other"), {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}]

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    async with httpx.AsyncClient(timeout=60) as client:
        for headers in wrong:
            for method in ("POST", "GET", "DELETE"):
                answer = await client.request(method, address, headers=headers, json=call)
                assert answer.status_code == 401, (headers, method)
        kinds = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        for content in (b" " * 2_000_000, parts()):
            answer = await client.post(address, headers=bearer(TOKEN) | kinds, content=content)
            assert answer.status_code == 413
    async with over_http(address) as session:
        assert await session.list_tools()


async def test_what_is_beyond_so_many_requests_is_told_to_come_again() -> None:
    answered = asyncio.Event()

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        await answered.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(app=cast(Any, GuardedApplication(slow, TOKEN)))
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=bearer(TOKEN)) as client:
        waiting = [asyncio.create_task(client.post("/mcp")) for _ in range(MOST_REQUESTS)]
        await asyncio.sleep(0.1)
        assert (await client.post("/mcp")).status_code == 503
        answered.set()
        assert {(await one).status_code for one in waiting} == {200}
        assert (await client.post("/mcp")).status_code == 200


async def test_a_reply_holds_so_many_pictures_and_names_the_others(
    index: PageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = [f"{REPORT} p. {number}" for number in range(1, 7)]
    asked = make_server(index)
    whole = cast(list[Any], await asked.call_tool("view_pages", {"pages": labels}))
    size = max(len(block.data) for block in whole if isinstance(block, ImageContent))
    monkeypatch.setattr(mcp, "MOST_PICTURE_BYTES", 3 * size)
    seen = cast(list[Any], await asked.call_tool("view_pages", {"pages": labels}))
    shown = [block for block in seen if isinstance(block, ImageContent)]
    assert 3 <= len(shown) < 6
    assert sum(len(block.data) for block in shown) <= 3 * size
    assert labels[len(shown)] in seen[-1].text
    assert "not in this reply" in seen[-1].text
    monkeypatch.setattr(mcp, "MOST_PICTURE_BYTES", 1)
    _, picture, _ = cast(list[Any], await asked.call_tool("view_pages", {"pages": labels}))
    assert isinstance(picture, ImageContent)


@pytest.mark.slow
async def test_through_langchain_mcp_adapters(address: str, folder: Path) -> None:
    connections: Any = {
        "over_http": {"transport": "streamable_http", "url": address, "headers": bearer(TOKEN)},
        "over_stdio": {
            "transport": "stdio",
            "command": COMMAND[0],
            "args": [*COMMAND[1:], "--index", str(folder)],
            "env": dict(os.environ),
        },
    }
    client = MultiServerMCPClient(connections)
    for name in connections:
        tools = {tool.name: tool for tool in await client.get_tools(server_name=name)}
        assert sorted(tools) == TOOLS
        arguments = {"pages": [f"{REPORT} p. 2"]}
        reply = await tools["view_pages"].ainvoke(
            {"name": "view_pages", "args": arguments, "id": "1", "type": "tool_call"}
        )
        assert isinstance(reply, ToolMessage)
        label, image = reply.content
        assert isinstance(label, dict)
        assert isinstance(image, dict)
        assert (label["text"], image["type"]) == (f"{REPORT} p. 2", "image")
        assert base64.b64decode(image["base64"])


async def test_it_says_what_the_agents_tools_say(server: GeminiServer, index: PageIndex) -> None:
    """The text of search and list, and which pages view shows, neighbours too."""
    arguments: dict[str, dict[str, Any]] = {
        "search_pages": {"query": "net revenue 2023"},
        "list_documents": {},
        "view_pages": {"pages": [f"{REPORT} p. 1"], "neighbours": "both"},
    }
    server.calls_at_once(list(arguments.items()))
    server.says("Done.")
    state = await agent_at(server, index).ainvoke({"messages": [("user", "How much?")]})
    replies = {message.name: message.text for message in state["messages"] if isinstance(message, ToolMessage)}

    asked = make_server(index)
    for name in ("search_pages", "list_documents"):
        said = text(cast(CallToolResult, await asked.call_tool(name, arguments[name])))
        assert replies[name].startswith(said + "\nLeft for this question:")
    seen = cast(list[Any], await asked.call_tool("view_pages", arguments["view_pages"]))
    labels = [block.text for block in seen if isinstance(block, TextContent)]
    assert labels == [f"{REPORT} p. 1", f"{REPORT} p. 2", f"{REPORT} p. 1 is the first page of its document"]
    assert all(label in replies["view_pages"] for label in labels)


@pytest.mark.slow
async def test_a_slow_index_does_not_keep_the_event_loop(index: PageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_down(monkeypatch)
    asked = make_server(index)
    async with watched_loop() as longest:
        await asked.call_tool("search_pages", {"query": "net revenue"})
        await asked.call_tool("view_pages", {"pages": [f"{REPORT} p. 1"], "neighbours": "next"})
        await asked.call_tool("list_documents", {})
    assert longest() < 0.5 * SLOW


def test_the_page_of_this_use_names_the_tools_and_the_port() -> None:
    page = (Path(__file__).parent.parent / "docs" / "graphs.md").read_text()
    (default,) = re.findall(r"default: (\d+)", run("--help").stdout)
    assert f"http://127.0.0.1:{default}/mcp" in page
    assert all(f"| `{tool}` |" in page for tool in TOOLS)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, input="")


def test_what_keeps_the_server_from_starting_is_one_line_that_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    missing = run("--index", str(tmp_path / "nowhere"))
    assert missing.returncode == 1
    assert "pagesight index" in missing.stderr
    assert missing.stdout == ""

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        in_use = run("--index", str(folder), "--http", "--port", str(port))
    assert in_use.returncode == 1
    assert in_use.stderr.count("\n") == 1
    assert str(port) in in_use.stderr
    assert "--port" in in_use.stderr


def test_without_the_sdk_the_command_names_what_to_install(folder: Path) -> None:
    code = (
        "import sys; sys.modules['mcp.server.fastmcp'] = None\n"
        f"from pagesight.agent.cli import main; sys.exit(main(['mcp', '--index', {str(folder)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.search(r"pip install .*\[mcp\]", done.stderr)


def test_the_server_over_stdio_ends_when_its_input_ends(folder: Path) -> None:
    done = run("--index", str(folder))
    assert (done.returncode, done.stdout) == (0, "")
