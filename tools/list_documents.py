"""The tool `list_documents`: what documents the index holds."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.pages import DocumentRecord
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.conversation import LIST_DOCUMENTS, Conversation
from pagesight.tools.messages.repeated_calls import REPEATED, reply_before
from pagesight.tools.outline import MOST_TOLD, told_of

Reply = tuple[str, dict[str, Any]]

#: A list that a model reads in one go: a guess, not measured.
_MOST = 200
CONTAINING = "only documents with this in their name"
DESCRIPTION = "List the documents that can be searched, with their numbers of pages."


class ListDocuments(BaseModel):
    """The arguments that the model gives."""

    containing: str | None = Field(None, description=CONTAINING)


def listed_documents(allowed: AllowedDocuments, containing: str | None = None) -> Reply:
    """Those of the ``allowed`` documents with ``containing`` in their name, as text and as data."""
    wanted = (containing or "").casefold()
    records = [record for record in allowed.records() if wanted in record.document.casefold()]
    # Of a few documents their parts are told, too; of many that would be a book.
    told = told_of(allowed, records) if len(records) <= MOST_TOLD else [_pages(record) for record in records[:_MOST]]
    lines = [f"- {record.document}: {text}" for record, text in zip(records, told, strict=False)]
    if len(records) > _MOST:
        lines.append(f"… and {len(records) - _MOST} more: narrow the list with containing")
    data = [{"document": record.document, "pages": record.pages} for record in records[:_MOST]]
    return "\n".join(lines or ["No document has that in its name."]), {"documents": data}


def _pages(record: DocumentRecord) -> str:
    return f"{record.pages} page{'s' * (record.pages != 1)}"


def make_list_documents(allowed: AllowedDocuments, budget: Budget, author: Author | None = None) -> BaseTool:
    """The tool for an index. It lists the ``allowed`` documents only."""

    def list_them(runtime: ToolRuntime, containing: str | None = None) -> Reply:
        conversation = Conversation.of_state(runtime.state, author)
        rest = budget_left(budget, conversation, runtime.tool_call_id)
        if reply_before(conversation.under_way, runtime.tool_call_id):
            return f"{REPEATED}\n{rest}", {"documents": [], "repeated": True}
        text, data = listed_documents(allowed.within(runtime.context), containing)
        return f"{text}\n{rest}", data

    # Async calls run this function in a thread; it waits for the index.
    return StructuredTool.from_function(
        list_them, name=LIST_DOCUMENTS, description=f"{DESCRIPTION} Costs no search and no page.",
        args_schema=ListDocuments, response_format="content_and_artifact",
    )  # fmt: skip
