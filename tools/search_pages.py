"""The tool `search_pages`: a question → ranked page references. Never a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.errors import RequestError
from pagesight.indexing.lexical.document_prior import Subject
from pagesight.indexing.page_kinds.page_kinds import KINDS
from pagesight.indexing.pages import Hit
from pagesight.indexing.ranking.picture_question import PictureQuestion
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, BudgetLeft, budget_left
from pagesight.tools.messages.attached import numbered_image
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.conversation import SEARCH_PAGES, Conversation, ToolReply
from pagesight.tools.messages.repeated_calls import REPEATED, reply_before
from pagesight.tools.messages.subject import subject_of

Reply = tuple[str, dict[str, Any]]

#: Pages that one search names at most, and letters of a line of text: guesses, not measured.
MOST = 20
_LONGEST_LINE = 240

DESCRIPTION = """\
Find the pages that fit a query best. Returns page labels with scores, the best-matching lines and regions worth a
closer look, but no pictures: look at pages with view_pages before you rely on them."""
QUERY = "what to look for: the terms that would stand on the page"
LIKE = (
    "find pages that look like this one: a label, also with a region, such as "
    '"annual-report.pdf p. 5, region 100,60,500,940"; the query goes along with it, and may be ""'
)
_OR_AN_IMAGE = '; or "image 1", the first image that came with the question'
DOCUMENTS = 'search only in these documents, named as in the labels, or by a pattern such as "reports/*"'
WHERE = (
    "search only in documents whose metadata, as list_documents gives it, meets this, such as 'year >= 2020', and only "
    f"on pages of a kind, such as 'page_chart': {', '.join(f'page_{kind}' for kind in KINDS)}"
)
TOP_K = f"how many pages to return, 1 to {MOST}"


class SearchPages(BaseModel):
    """The arguments that the model gives."""

    query: str = Field(description=QUERY)
    documents: list[str] | None = Field(None, description=DOCUMENTS)
    where: str | None = Field(None, description=WHERE)
    top_k: int | None = Field(None, description=TOP_K)
    like: str | None = Field(None, description=LIKE + _OR_AN_IMAGE)


def found_pages(
    allowed: AllowedDocuments,
    query: str,
    documents: list[str] | None = None,
    top_k: int | None = None,
    where: str | None = None,
    like: str | None = None,
    messages: Sequence[BaseMessage] = (),
    subject: Subject | None = None,
) -> Reply:
    """The pages that fit the query, as text and as data; of the ``allowed`` documents, and of these as narrowed.

    ``like`` is a page or a region, or an image of the last question in ``messages`` that came with some: what is found
    looks like it. ``subject`` is the document that the conversation was about. ``top_k`` is brought into 1 to 20.
    Raises EmptyQuestion, UnknownDocument, UnknownPage, BadCondition, RequestError for an image that is not there.
    """
    pages = min(max(top_k or allowed.index.settings.search.top_k, 1), MOST)
    # Models write "" or [] for an argument that they leave out.
    narrowed = allowed.narrowed(documents or None, where or None)
    question = _alike(allowed, like, query, messages) if like else query
    lean = None if like else subject
    hits = allowed.index.search(question, top_k=pages, documents=narrowed.ids(), where=narrowed.where, subject=lean)
    told = f"{query} (like {like})".lstrip() if like else query
    return _text(told, hits), {"query": told, "hits": [hit.as_dict() for hit in hits]}


def _alike(allowed: AllowedDocuments, like: str, words: str, messages: Sequence[BaseMessage]) -> PictureQuestion:
    """A page, a region of it or an image of the question, as a question; pages outside are as if there were none."""
    image = numbered_image(like, messages, allowed.index.path)
    if image:
        return allowed.index.picture_question(image, words)
    label = like.strip("[] ")
    allowed.page(label)
    return allowed.index.like(label, words=words)


def make_search_pages(allowed: AllowedDocuments, budget: Budget, author: Author | None = None) -> BaseTool:
    """The tool for an index. It searches in the ``allowed`` documents only, whatever the model asks for."""

    def search(
        runtime: ToolRuntime,
        query: str,
        documents: list[str] | None = None,
        where: str | None = None,
        top_k: int | None = None,
        like: str | None = None,
    ) -> Reply:
        conversation = Conversation.of_state(runtime.state, author)
        rest = budget_left(budget, conversation, runtime.tool_call_id)
        if before := reply_before(conversation.under_way, runtime.tool_call_id):
            return _repeated_text(before, rest), {"query": query, "hits": [], "repeated": True}
        if rest.searches == 0:
            return f"No search was made.\n{rest}", {"query": query, "hits": []}
        try:
            within = allowed.within(runtime.context)
            subject = subject_of(conversation)
            text, data = found_pages(within, query, documents, top_k, where, like, conversation.messages, subject)
        except RequestError as error:
            raise ToolException(f"The search failed: {error}\n{rest}") from error
        return f"{text}\n{replace(rest, searches=rest.searches - 1)}", data

    # Async calls run this function in a thread; it waits for the index and nothing else.
    return StructuredTool.from_function(
        search, name=SEARCH_PAGES, description=DESCRIPTION, args_schema=SearchPages,
        response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip


def _repeated_text(before: ToolReply, rest: BudgetLeft) -> str:
    found = f" It found: {'; '.join(hit.label for hit in before.hits)}." if before.hits else ""
    return f"{REPEATED}{found} Search in other words, look at pages that were found, or answer.\n{rest}"


def _text(query: str, hits: list[Hit]) -> str:
    if not hits:
        return f'No page fits "{query}". Try other words.'
    pages = "\n".join(_line(hit) for hit in hits)
    return f"Pages that fit best, the best first (no pictures yet: call view_pages with their labels):\n{pages}"


def _line(hit: Hit) -> str:
    regions = "; ".join(str(list(region)) for region in hit.regions)
    lines = [f"   | {line[:_LONGEST_LINE]}" for line in hit.lines]
    printed = f"printed as p. {hit.printed_label}, " if hit.printed_label else ""
    kinds = f"{', '.join(hit.kinds)}; " if hit.kinds else ""
    closer = f", closer look: {regions}" if regions else ""
    return "\n".join([f"{hit.rank}. {hit.label} ({kinds}{printed}score {hit.score:.3f}{closer})", *lines])
