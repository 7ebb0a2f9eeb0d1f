"""The tool `list_documents`: what documents the index holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool, StructuredTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.conversation import LIST_DOCUMENTS, Conversation

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

Reply = tuple[str, dict[str, Any]]

_MOST = 200
_DESCRIPTION = "List the documents that can be searched, with their numbers of pages. Costs no search and no page."


class ListDocuments(BaseModel):
    """The arguments that the model gives."""

    containing: str | None = Field(None, description="only documents with this in their name")


def make_list_documents(index: PageIndex, budget: Budget, documents: Sequence[str] | None = None) -> BaseTool:
    """The tool for one index. With ``documents`` it lists these only."""

    def list_them(runtime: ToolRuntime, containing: str | None = None) -> Reply:
        records = [
            record
            for record in index.documents()
            if (not documents or record.document in documents)
            and (containing or "").casefold() in record.document.casefold()
        ]
        lines = [f"- {record.document}: {record.pages} page{'s' * (record.pages != 1)}" for record in records[:_MOST]]
        if len(records) > _MOST:
            lines.append(f"… and {len(records) - _MOST} more: narrow the list with containing")
        rest = budget_left(budget, Conversation.read(runtime.state["messages"]), runtime.tool_call_id)
        text = "\n".join([*(lines or ["No document has that in its name."]), str(rest)])
        artifact = [{"document": record.document, "pages": record.pages} for record in records[:_MOST]]
        return text, {"documents": artifact}

    return StructuredTool.from_function(
        list_them, name=LIST_DOCUMENTS, description=_DESCRIPTION, args_schema=ListDocuments,
        response_format="content_and_artifact",
    )  # fmt: skip
