"""The tool `view_pages`: page labels → references to pages, whole or a region of one, that the next model call sees.

The reply holds no picture: `pagesight.agent.hydrate` puts the pictures into the model call and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.errors import BadRegion, RequestError, SourceError, UnknownPage
from pagesight.indexing.labels.page_labels import page_mentions
from pagesight.indexing.pages import PageRef, Region
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, BudgetLeft, budget_left, views_so_far
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.conversation import VIEW_PAGES, Conversation, PageView
from pagesight.tools.page_words import fenced_words
from pagesight.tools.transport.pictures import Pictures

Reply = tuple[str, dict[str, Any]]
Neighbours = Literal["next", "previous", "both"]

DESCRIPTION = """\
Look at pages: shows each as a picture. With a region, shows that part of the pages rendered anew and larger, for small
print, tables and charts. With neighbours, shows the pages after or before them too, where a table or a text goes on."""


PAGES = 'labels of pages, such as ["annual-report.pdf p. 12"]'
REGION = "[ymin, xmin, ymax, xmax], integers 0 to 1000 from the top left corner; leave out for whole pages"
WITH_TEXT = "give the words of whole pages as text, too: for long numbers and small print"
NEIGHBOURS = "show also the next page of each, the previous one, or both; always whole"


class ViewPages(BaseModel):
    """The arguments that the model gives."""

    pages: list[str] = Field(description=PAGES)
    region: list[int] | None = Field(None, description=REGION)
    neighbours: Neighbours | None = Field(None, description=NEIGHBOURS)
    with_text: bool = Field(False, description=WITH_TEXT)


def make_view_pages(
    allowed: AllowedDocuments, pictures: Pictures, budget: Budget, author: Author | None = None
) -> BaseTool:
    """The tool for an index. It shows pages of the ``allowed`` documents only."""

    def view(
        runtime: ToolRuntime,
        pages: list[str],
        region: list[int] | None = None,
        neighbours: Neighbours | None = None,
        with_text: bool = False,
    ) -> Reply:
        conversation = Conversation.of_state(runtime.state, author)
        rest = budget_left(budget, conversation, runtime.tool_call_id)
        known = views_so_far(conversation)
        try:
            within = allowed.within(runtime.context)
            asked = requested_views(within, pages, region, neighbours)
            new = [view for view in asked.views if view not in known]
            # What cannot be rendered is told now, while the model can still correct its request.
            shown = [_weighed(view, pictures) for view in asked.views if view in known or view in new[: rest.pages]]
        except (RequestError, SourceError) as error:
            raise ToolException(f"No page is shown: {error}\n{rest}") from error
        after = replace(rest, pages=rest.pages - min(len(new), rest.pages))
        labels = within.printed_labels()
        noted = [replace(view, printed_label=_printed(labels[view.ref.document], view.ref.page)) for view in shown]
        words = [fenced_words(within.index, view.ref) for view in shown if with_text and view.region is None]
        return _text(shown, asked, after, words), {"pages": [view.as_dict() for view in noted]}

    # Async calls run this function in a thread; it waits for the renderer and nothing else.
    return StructuredTool.from_function(
        view, name=VIEW_PAGES, description=DESCRIPTION, args_schema=ViewPages,
        response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip


def _printed(labels: Mapping[str, int], number: int) -> str:
    """What the document counts a page by; empty where that is its number."""
    return next((label for label, page in labels.items() if page == number), "")


def _named(allowed: AllowedDocuments, label: str) -> list[PageView]:
    """The pages that one label names, "a.pdf pp. 2-3" two, with its regions. Raises UnknownPage, UnknownDocument."""
    mentions = page_mentions(label, allowed.printed_labels())
    if len(mentions) < 2 and not any(mention.region for mention in mentions):
        return [PageView(allowed.page(label))]
    labels = [(one.label, one.region) for one in mentions]
    return [PageView(allowed.page(whole), region) for whole, region in labels]


@dataclass(frozen=True)
class RequestedViews:
    """The pages and regions asked for, each once, in order; ``outside`` says which neighbours there are not."""

    views: list[PageView]
    outside: list[str]


def requested_views(
    allowed: AllowedDocuments,
    labels: Sequence[str],
    region: list[int] | None = None,
    neighbours: Neighbours | None = None,
) -> RequestedViews:
    """What the labels name, of the ``allowed`` documents, with the region and the neighbours.

    Waits for the index. Raises UnknownPage, UnknownDocument, BadRegion.
    """
    if not labels:
        raise UnknownPage('name at least one page, such as ["annual-report.pdf p. 12"]; search_pages finds some')
    views: list[PageView] = []
    outside: list[str] = []
    part = _region(region)
    for named in [view for label in labels for view in _named(allowed, label)]:
        ref = named.ref
        before, after, missing = _beside(
            ref, neighbours, allowed.index.document(ref.document_id).pages if neighbours else 0
        )
        views += [*map(PageView, before), PageView(ref, part or named.region), *map(PageView, after)]
        outside += missing
    return RequestedViews(list(dict.fromkeys(views)), outside)


def _beside(ref: PageRef, neighbours: Neighbours | None, last: int) -> tuple[list[PageRef], list[PageRef], list[str]]:
    """The pages before and after that are asked for, and a line for each that there is not."""
    before = [replace(ref, page=ref.page - 1)] if neighbours in ("previous", "both") else []
    after = [replace(ref, page=ref.page + 1)] if neighbours in ("next", "both") else []
    first_line = [f"{ref.label} is the first page of its document"] if before and ref.page == 1 else []
    last_line = [f"{ref.label} is the last page of its document"] if after and ref.page == last else []
    return before if ref.page > 1 else [], after if ref.page < last else [], first_line + last_line


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


def _text(shown: list[PageView], asked: RequestedViews, rest: BudgetLeft, words: list[str]) -> str:
    lines = []
    if shown:
        lines.append("Shown as pictures, in this order:")
        lines += [f"{number}. {view.label}" for number, view in enumerate(shown, 1)]
    missing = [view.label for view in asked.views if view not in shown]
    if missing:
        lines.append(f"Not shown, since no more pages are left for this question: {'; '.join(missing)}.")
    lines += [f"{fact}." for fact in asked.outside] + words
    return "\n".join([*lines, str(rest)])
