"""The tool `read_pages`: page labels → the words that stand there, as text, tables as rows. It shows no picture.

Words cost a quarter to a half of what a picture does. What a chart, a photo or a signature shows is not in them. A page
whose words were read may be cited: what is said of it is checked by its words.
"""

from __future__ import annotations

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.errors import RequestError, SourceError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.conversation import READ_PAGES, Conversation
from pagesight.tools.messages.page_view import PageView
from pagesight.tools.page_words import fenced_words
from pagesight.tools.view_pages import requested_views

Reply = tuple[str, dict[str, Any]]

#: Pages of one call, pages that are read for each one that may be looked at: guesses, not measured.
MOST_AT_ONCE = 10
PER_PICTURE = 3

DESCRIPTION = """\
Read the words of pages as text, tables as rows with | between cells. Cheaper than view_pages; enough for prose and
plain tables. For charts, pictures, forms, handwriting, signatures, and where columns are unclear, use view_pages."""
PAGES = f'labels of pages, {MOST_AT_ONCE} at most, such as ["annual-report.pdf p. 12", "annual-report.pdf p. 13"]'


class ReadPages(BaseModel):
    """The arguments that the model gives."""

    pages: list[str] = Field(description=PAGES)


def read_words(allowed: AllowedDocuments, labels: list[str], most: int = MOST_AT_ONCE) -> Reply:
    """The words of pages of the ``allowed`` documents, as text and as data. Raises UnknownPage, UnknownDocument."""
    refs = list(dict.fromkeys(view.ref for view in requested_views(allowed, labels).views))
    read = refs[: min(most, MOST_AT_ONCE)]
    parts = [fenced_words(allowed.index, ref) for ref in read]
    if left := refs[len(read) :]:
        rest = "; ".join(ref.label for ref in left)
        parts.append(f"Not read, since {len(read)} pages are as many as there are now: {rest}.")
    return "\n\n".join(parts), {"read": [PageView(ref).as_dict() for ref in read]}


def make_read_pages(allowed: AllowedDocuments, budget: Budget, author: Author | None = None) -> BaseTool:
    """The tool for an index. It reads pages of the ``allowed`` documents only."""

    def read(runtime: ToolRuntime, pages: list[str]) -> Reply:
        conversation = Conversation.of_state(runtime.state, author)
        rest = budget_left(budget, conversation, runtime.tool_call_id)
        question = conversation.under_way
        before = {view.ref for reply in question.replies for view in reply.read} if question else set()
        most = max(0, PER_PICTURE * budget.pages - len(before))
        if most == 0:
            return f"No page was read: as many were as may be for this question.\n{rest}", {"read": []}
        try:
            text, data = read_words(allowed.within(runtime.context), pages, most)
        except (RequestError, SourceError) as error:
            raise ToolException(f"No page was read: {error}\n{rest}") from error
        return f"{text}\n\n{rest}", data

    # Async calls run this function in a thread; it waits for the index.
    return StructuredTool.from_function(
        read, name=READ_PAGES, description=DESCRIPTION, args_schema=ReadPages,
        response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip
