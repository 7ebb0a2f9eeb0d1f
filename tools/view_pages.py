"""The tool `view_pages`: page labels → references to pages, whole or a region of one, that the next model call sees.

The reply holds no picture: `pagesight.agent.hydrate` puts the pictures into the model call and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.errors import BadRegion, RequestError, SourceError, UnknownPage
from pagesight.indexing.pages import PageRef, Region
from pagesight.tools.budget import Budget, Left, left, seen
from pagesight.tools.conversation import VIEW_PAGES, PageView
from pagesight.tools.pictures import Pictures

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

Reply = tuple[str, dict[str, Any]]

_DESCRIPTION = """\
Look at pages: shows each as a picture. With a region, shows that part of the pages rendered anew and larger, for small
print, tables and charts."""


class ViewPages(BaseModel):
    """The arguments that the model gives."""

    pages: list[str] = Field(description='labels of pages, such as ["annual-report.pdf p. 12"]')
    region: list[int] | None = Field(
        None,
        description="[ymin, xmin, ymax, xmax], integers 0 to 1000 from the top left corner; leave out for whole pages",
    )


def make_view_pages(
    index: PageIndex, pictures: Pictures, budget: Budget, documents: Sequence[str] | None = None
) -> BaseTool:
    """The tool for one index. With ``documents`` it shows pages of these only."""

    def view(runtime: ToolRuntime, pages: list[str], region: list[int] | None = None) -> Reply:
        messages = runtime.state["messages"]
        rest = left(budget, messages, runtime.tool_call_id)
        try:
            views = _views(index, pages, _region(region), documents)
            known = seen(messages)
            new = [view for view in views if view not in known]
            shown = [view for view in views if view in known or view in new[: rest.pages]]
            for view in shown:
                pictures.of(view)  # what cannot be rendered is told now, while the model can still mend it
        except (RequestError, SourceError) as error:
            raise ToolException(f"No page is shown: {error}\n{rest}") from error
        after = Left(rest.searches, rest.pages - min(len(new), rest.pages))
        return _told(shown, views, after), {"pages": [view.as_dict() for view in shown]}

    # Async calls run this function in a thread; it waits for the renderer and nothing else.
    return StructuredTool.from_function(
        view, name=VIEW_PAGES, description=_DESCRIPTION, args_schema=ViewPages,
        response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip


def _views(
    index: PageIndex, labels: list[str], region: Region | None, documents: Sequence[str] | None
) -> list[PageView]:
    if not labels:
        raise UnknownPage('name at least one page, such as ["annual-report.pdf p. 12"]; search_pages finds some')
    refs = [index.page(label.strip().strip("[]")) for label in labels]
    for ref in refs:
        _must_be_among(ref, documents)
    return list(dict.fromkeys(PageView(ref, region) for ref in refs))


def _must_be_among(ref: PageRef, documents: Sequence[str] | None) -> None:
    if documents and ref.document not in documents:
        raise UnknownPage(
            f"{ref.label} is not among the documents of this conversation, which are {', '.join(documents)}"
        )


def _region(region: list[int] | None) -> Region | None:
    if not region:
        return None
    if len(region) != 4:
        raise BadRegion(f"a region is four numbers [ymin, xmin, ymax, xmax], not {len(region)}: {region}")
    ymin, xmin, ymax, xmax = region
    return ymin, xmin, ymax, xmax


def _told(shown: list[PageView], asked: list[PageView], rest: Left) -> str:
    lines = []
    if shown:
        lines.append("Shown as pictures, in this order:")
        lines += [f"{number}. {view.label}" for number, view in enumerate(shown, 1)]
    missing = [view.label for view in asked if view not in shown]
    if missing:
        lines.append(f"Not shown, since no more pages are left for this question: {'; '.join(missing)}.")
    return "\n".join([*lines, str(rest)])
