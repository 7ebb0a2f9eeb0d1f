"""The tool `view_pages`: page labels → references to pages, whole or a region of one, that the next model call sees.

The reply holds no picture: `pagesight.agent.hydrate` puts the pictures into the model call and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.errors import BadRegion, RequestError, SourceError, UnknownPage
from pagesight.indexing.page_labels import page_mentions
from pagesight.indexing.pages import PageRef, Region
from pagesight.tools.budget import Budget, Left, left, seen
from pagesight.tools.conversation import VIEW_PAGES, PageView
from pagesight.tools.transport.pictures import Pictures

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

Reply = tuple[str, dict[str, Any]]
Neighbours = Literal["next", "previous", "both"]

_DESCRIPTION = """\
Look at pages: shows each as a picture. With a region, shows that part of the pages rendered anew and larger, for small
print, tables and charts. With neighbours, shows the pages after or before them too, where a table or a text goes on."""


class ViewPages(BaseModel):
    """The arguments that the model gives."""

    pages: list[str] = Field(description='labels of pages, such as ["annual-report.pdf p. 12"]')
    region: list[int] | None = Field(
        None,
        description="[ymin, xmin, ymax, xmax], integers 0 to 1000 from the top left corner; leave out for whole pages",
    )
    neighbours: Neighbours | None = Field(
        None, description="show also the next page of each, the previous one, or both; always whole"
    )


def make_view_pages(
    index: PageIndex, pictures: Pictures, budget: Budget, documents: Sequence[str] | None = None
) -> BaseTool:
    """The tool for one index. With ``documents`` it shows pages of these only."""

    def view(
        runtime: ToolRuntime, pages: list[str], region: list[int] | None = None, neighbours: Neighbours | None = None
    ) -> Reply:
        messages = runtime.state["messages"]
        rest = left(budget, messages, runtime.tool_call_id)
        try:
            asked, outside = _views(index, pages, _region(region), neighbours, documents)
            known = seen(messages)
            new = [view for view in asked if view not in known]
            # What cannot be rendered is told now, while the model can still mend it.
            shown = [_weighed(view, pictures) for view in asked if view in known or view in new[: rest.pages]]
        except (RequestError, SourceError) as error:
            raise ToolException(f"No page is shown: {error}\n{rest}") from error
        after = replace(rest, pages=rest.pages - min(len(new), rest.pages))
        return _told(shown, asked, outside, after), {"pages": [view.as_dict() for view in shown]}

    # Async calls run this function in a thread; it waits for the renderer and nothing else.
    return StructuredTool.from_function(
        view, name=VIEW_PAGES, description=_DESCRIPTION, args_schema=ViewPages,
        response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip


def page_named(index: PageIndex, label: str, documents: Sequence[str] | None) -> PageRef:
    """The page that the model names. Raises UnknownPage, UnknownDocument, also for one outside ``documents``."""
    ref = index.page(label)
    if documents and ref.document not in documents:
        raise UnknownPage(
            f"{ref.label} is not among the documents of this conversation, which are {', '.join(documents)}"
        )
    return ref


def _named(index: PageIndex, label: str, documents: Sequence[str] | None) -> list[PageView]:
    """The pages that one label names, "a.pdf pp. 2-3" two, with the regions that it gives. Raises as `page_named`."""
    mentions = page_mentions(label, [record.document for record in index.documents()])
    if len(mentions) < 2 and not any(mention.region for mention in mentions):
        return [PageView(page_named(index, label, documents))]
    labels = [(f"{one.document} p. {one.page}", one.region) for one in mentions]
    return [PageView(page_named(index, whole, documents), region) for whole, region in labels]


def _views(
    index: PageIndex,
    labels: list[str],
    region: Region | None,
    neighbours: Neighbours | None,
    documents: Sequence[str] | None,
) -> tuple[list[PageView], list[str]]:
    """The pages and regions to show, each once, in the order of the pages, and the neighbours that there are not."""
    if not labels:
        raise UnknownPage('name at least one page, such as ["annual-report.pdf p. 12"]; search_pages finds some')
    views: list[PageView] = []
    outside: list[str] = []
    for view in [view for label in labels for view in _named(index, label, documents)]:
        ref = view.ref
        last = index.document(ref.document).pages
        before = [replace(ref, page=ref.page - 1)] if neighbours in ("previous", "both") else []
        after = [replace(ref, page=ref.page + 1)] if neighbours in ("next", "both") else []
        beside = [one for one in before + after if 1 <= one.page <= last]
        outside += [f"{ref.label} is the {'first' if not one.page else 'last'} page of its document"
                    for one in before + after if one not in beside]  # fmt: skip
        views += [PageView(one) for one in before if one in beside]
        views.append(PageView(ref, region or view.region))
        views += [PageView(one) for one in after if one in beside]
    return list(dict.fromkeys(views)), outside


def _weighed(view: PageView, pictures: Pictures) -> PageView:
    """The view with what its picture costs in a model call."""
    picture = pictures.of(view)
    return replace(view, tokens=picture.tokens, size=picture.inline_size)


def _region(region: list[int] | None) -> Region | None:
    if not region:
        return None
    if len(region) != 4:
        raise BadRegion(f"a region is four numbers [ymin, xmin, ymax, xmax], not {len(region)}: {region}")
    ymin, xmin, ymax, xmax = region
    return ymin, xmin, ymax, xmax


def _told(shown: list[PageView], asked: list[PageView], outside: list[str], rest: Left) -> str:
    lines = []
    if shown:
        lines.append("Shown as pictures, in this order:")
        lines += [f"{number}. {view.label}" for number, view in enumerate(shown, 1)]
    missing = [view.label for view in asked if view not in shown]
    if missing:
        lines.append(f"Not shown, since no more pages are left for this question: {'; '.join(missing)}.")
    lines += [f"{fact}." for fact in outside]
    return "\n".join([*lines, str(rest)])
