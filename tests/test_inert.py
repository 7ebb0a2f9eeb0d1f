"""What pagesight writes for others can do nothing there, whatever names, pages and models say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import pytest
from gemini_server import GeminiServer
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mcp.types import CallToolResult
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.agent.mcp import make_server
from pagesight.agent.reports.inert import as_written, inert
from pagesight.indexing import PageIndex

NAME = "![a](http:∕∕evil.example∕a.png) <img src=x onerror=alert(1)> [b](javascript:c) &lt;b&gt; www.evil.example.pdf"
EVIL = [
    "<script>alert(1)</script>",
    "<img src=//evil.example/a.png>",
    "![x](http://evil.example/x.png)",
    "![x][r] and [y][r] and [r]",
    "[click](javascript:alert(1))",
    "[r]: http://evil.example/r.png",
    "<http://evil.example/auto>",
    "https://evil.example/bare and www.evil.example and mail@evil.example",
    "\\<svg onload=alert(1)> \\![z](http://evil.example/z)",
    "&lt;iframe src=http://evil.example&gt;",
    "```\n<b>code</b>\n```\n<style>@import 'http://evil.example'</style>",
    "[[nested]](http://evil.example/n) [a\n](http://evil.example/m)",
    "| a |\n|---|\n| ![t](http://evil.example/t) |",
]


def tokens(markdown: str) -> Iterator[Token]:
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown):
        yield token
        yield from token.children or []


def active(markdown: str) -> list[str]:
    """What a viewer would run, fetch or link, but for pictures that lie beside the file."""
    found = [token.content for token in tokens(markdown) if token.type.startswith("html")]
    targets = [str(token.attrs[name]) for token in tokens(markdown) for name in ("href", "src") if name in token.attrs]
    found += [target for target in targets if not re.fullmatch(r"[\w%-]+-pages/[\w.()+%-]+\.png", target)]
    # what GitHub links without being asked: https://github.github.com/gfm/#autolinks-extension-
    texts = re.sub(r"\]\(<[^<>]*>\)", "]", markdown)
    return found + re.findall(r"(?:https?|ftp)://\S+|\bwww\.\w\S+|[\w.+-]+@[\w-]+\.\w+", texts)


@pytest.mark.parametrize("text", [*EVIL, "\n\n".join(EVIL), NAME])
def test_markdown_is_inert_and_reads_as_it_did(text: str) -> None:
    assert active(text + "\n\n" + EVIL[5])
    assert active(inert(text)) == []
    assert as_written(inert(text)) == text or "&" in text


def test_plain_answers_stay_as_they_are() -> None:
    text = "Sales & costs: 5 > 4, **4.2 billion** [a.pdf p. 2][b [final].pdf p. 3].\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert inert(text) == text


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    source = write_pdf(tmp_path / NAME, [["Cover"], ["net revenue", *EVIL]])
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(source)
    return tmp_path / "index"


def test_an_exported_conversation_is_inert(evil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    with GeminiServer() as server:
        monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-test-key")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        server.calls("search_pages", query="\n".join(EVIL))
        server.calls("view_pages", pages=[f"{NAME} p. 2"])
        server.says("\n\n".join(EVIL) + f"\n\nnet revenue [{NAME} p. 2]")
        question = " ".join(EVIL).replace("\n", " ")
        monkeypatch.setattr("sys.stdin", StringIO(f"{question}\n/export said.md\n"))
        assert main(["chat", "--index", str(evil)]) == 0
    written = Path("said.md").read_text()
    assert active(written) == ["<!-- pagesight -->\n"]  # by which it is known as ours
    (picture,) = [str(token.attrs["href"]) for token in tokens(written) if token.type == "link_open"]
    assert Path(unquote(picture)).is_file()


async def test_texts_for_mcp_clients_are_inert_and_their_labels_are_taken(evil: Path) -> None:
    with PageIndex.open(evil, settings=small_settings()) as index:
        asked = make_server(index)

        async def call(tool: str, **arguments: Any) -> list[Any]:
            reply = await asked.call_tool(tool, arguments)
            return reply.content if isinstance(reply, CallToolResult) else cast(list[Any], reply)

        found = await call("search_pages", query="net revenue alert evil example")
        assert active(found[0].text) == []
        listed = await call("list_documents")
        assert active(listed[0].text) == []
        label = found[0].text.split("1. ", 1)[1].split(" (score")[0]
        assert label != f"{NAME} p. 2"
        for way in (label, f"{NAME} p. 2"):
            seen = await call("view_pages", pages=[way])
            assert [block.type for block in seen] == ["text", "image"]
            assert active(seen[0].text) == []
        named = listed[0].text.removeprefix("- ").split(": 2 pages")[0]
        assert (await call("search_pages", query="revenue", documents=[named]))[0].text.startswith("Pages that fit")
        with pytest.raises(Exception, match=r"no page|no document") as caught:
            await call("view_pages", pages=["<img src=x>![a](http://evil.example) p. 1"])
        assert active(str(caught.value)) == []


def test_what_notebooks_show_is_inert(evil: Path) -> None:
    with PageIndex.open(evil, settings=small_settings()) as index:
        shown = index.search("net revenue alert")._repr_html_()
    assert "<img" not in shown
    assert "<script" not in shown
