"""The graph that `langgraph dev` serves (see langgraph.json) to Studio, agent-chat-ui and langgraph-sdk.

The index is the one that the settings name (PAGESIGHT_INDEX); it is opened when it is first needed.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph


async def make_graph() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The agent as a node, so that its last message is checked and carries the answer. The server brings the memory.

    Raises what `create_page_agent` raises; the server calls this for each run, the graph is made once.
    """
    return await asyncio.to_thread(_graph)


@lru_cache(maxsize=1)
def _graph() -> CompiledStateGraph[Any, Any, Any, Any]:
    from pagesight.agent.graph import create_page_agent
    from pagesight.agent.subagent import as_node
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import load_settings

    settings = load_settings()
    return as_node(create_page_agent(PageIndex.open(settings=settings, create=False), settings=settings))
