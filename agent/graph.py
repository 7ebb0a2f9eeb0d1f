"""The agent: reasoner, tools, the prompt that hydrates pages, and LangGraph's ReAct loop around them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.warnings import LangGraphDeprecatedSinceV10

from pagesight.agent.hydrate import Hydrator
from pagesight.agent.prompts import SYSTEM_PROMPT
from pagesight.agent.reasoner import make_reasoner, takes_pictures_in_tool_replies, transport_for
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import UnknownDocument
from pagesight.indexing.settings import Settings
from pagesight.tools.budget import Budget
from pagesight.tools.list_documents import make_list_documents
from pagesight.tools.pictures import Pictures
from pagesight.tools.search_pages import make_search_pages
from pagesight.tools.view_pages import make_view_pages

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.tools import BaseTool
    from langgraph.types import Checkpointer


def create_page_agent(
    index: PageIndex | str | Path,
    *,
    model: str | BaseChatModel | None = None,
    transport: str | None = None,
    checkpointer: Checkpointer = None,
    documents: Sequence[str] | None = None,
    name: str = "pagesight",
    settings: Settings | None = None,
) -> CompiledStateGraph:
    """A ReAct agent that answers questions about an index by looking at its pages.

    ``index`` is an open index or its address; ``model`` a reasoner's name (see `make_reasoner`) or any LangChain chat
    model; ``transport`` "auto", "bytes", "base64" or "files"; ``documents`` narrows everything to these, by name. What
    is not given comes from ``settings``, by default the index's own. Ask it with `ask` or `stream`, or run it as any
    graph with ``messages``: its state holds references to pages and no pictures.

    Raises what `PageIndex.open` and `make_reasoner` raise, UnknownDocument, and SettingsError.
    """
    index = index if isinstance(index, PageIndex) else PageIndex.open(index, settings=settings, create=False)
    settings = settings or index.settings
    narrowed = _known(index, documents)

    reasoner = make_reasoner(model, settings)
    pictures = Pictures(index)
    budget = Budget(settings.searches_per_question, settings.pages_per_question)
    tools = _tools(index, pictures, budget, narrowed)
    hydrator = Hydrator(
        system_prompt=SYSTEM_PROMPT,
        pictures=pictures,
        transport=transport_for(reasoner, transport or settings.transport),
        images_per_call=settings.images_per_call,
        in_tool_replies=takes_pictures_in_tool_replies(reasoner),
    )
    with warnings.catch_warnings():
        # The successor, langchain.agents.create_agent, would bring the whole langchain package into the core.
        warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)
        agent = create_react_agent(
            reasoner.model, tools, prompt=hydrator.runnable(), checkpointer=checkpointer, name=name
        )
    return agent.with_config(
        recursion_limit=_steps(budget),
        metadata={"pagesight_reasoner": reasoner.name, "pagesight_images_per_call": settings.images_per_call},
    )


def _tools(index: PageIndex, pictures: Pictures, budget: Budget, documents: list[str] | None) -> list[BaseTool]:
    return [
        make_search_pages(index, budget, documents),
        make_view_pages(index, pictures, budget, documents),
        make_list_documents(index, budget, documents),
    ]


def _steps(budget: Budget) -> int:
    """Steps of the graph for one question: two for each tool call the budget allows, and some for what is mended."""
    return 2 * (budget.searches + budget.pages) + 20


def _known(index: PageIndex, documents: Sequence[str] | None) -> list[str] | None:
    """The documents by name as the index has them; a name that it lacks is an error now, not at the first search."""
    if not documents:
        return None
    names = {record.document for record in index.documents()}
    for unknown in [document for document in documents if document not in names]:
        raise UnknownDocument(f"no document is named {unknown!r}; there are {', '.join(sorted(names)[:20])}")
    return list(documents)
