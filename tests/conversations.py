"""What the tests of the agent share: an agent at the server for tests, the four ways to ask it, what it should send."""

from __future__ import annotations

from typing import Any

from gemini_server import GeminiServer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from small_index import small_settings

from pagesight.agent import Answer, Step, aask, ask, astream, create_page_agent, stream
from pagesight.agent.loop.speakers import picture_rule
from pagesight.indexing import PageIndex
from pagesight.indexing.settings import flat_fields
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.transport.pictures import Pictures

WAYS = ["invoke", "ainvoke", "stream", "astream"]
QUESTION = "How high was the net revenue in 2023?"
KEY = "AIza-test-key"

_SETTINGS = set(flat_fields()) - {"transport"}


def agent_at(server: GeminiServer, index: PageIndex, **options: Any) -> CompiledStateGraph:
    """An agent whose Gemini is the server; ``options`` are settings, and arguments of `create_page_agent`."""
    own = {name: options.pop(name) for name in _SETTINGS & set(options)}
    return create_page_agent(index, settings=small_settings(**{"google_base_url": server.url, **own}), **options)


async def asked(way: str, agent: CompiledStateGraph, question: str = QUESTION, **options: Any) -> Answer:
    """The answer, asked for in one of the four ways."""
    return (await followed(way, agent, question, **options))[-1]


async def followed(way: str, agent: CompiledStateGraph, question: str = QUESTION, **options: Any) -> list[Any]:
    """Steps and pieces, where the way tells them, and the answer."""
    if way == "invoke":
        return [ask(agent, question, **options)]
    if way == "ainvoke":
        return [await aask(agent, question, **options)]
    if way == "stream":
        return list(stream(agent, question, **options))
    return [item async for item in astream(agent, question, **options)]


def steps(items: list[Any], kind: str) -> list[str]:
    """The texts of the steps of one kind."""
    return [item.text for item in items if isinstance(item, Step) and item.kind == kind]


def sent(
    index: PageIndex, label: str, region: tuple[int, int, int, int] | None = None, model: str = "gemini-3.8-flash"
) -> tuple[str, bytes]:
    """MIME type and bytes that Gemini should get for a page or a region."""
    picture = Pictures(index, picture_rule(index.settings, model), webp=True).of(PageView(index.page(label), region))
    return picture.mime_type, picture.data


def stored(memory: InMemorySaver) -> bytes:
    """Everything that a checkpointer holds, as it is serialised."""
    blobs = [value for _, value in memory.blobs.values()]
    writes = [value for task in memory.writes.values() for (_, _, (_, value), _) in task.values()]
    points = [value for space in memory.storage.values() for one in space.values() for pair in one.values()
              for value in (pair[0][1], pair[1][1])]  # fmt: skip
    return b"".join([*blobs, *writes, *points])
