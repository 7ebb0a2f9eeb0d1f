"""What the tools of the MCP server give as structured content, as their output schemas tell it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from pagesight.agent.servers.answer_schemas import Hit


class FoundPages(BaseModel):
    """The pages that a search found, best first."""

    query: str
    hits: list[Hit]


class ListedDocument(BaseModel):
    """A document, as labels of its pages begin."""

    document: str
    pages: int = Field(description="how many it has")


class ListedDocuments(BaseModel):
    """The documents that can be searched."""

    documents: list[ListedDocument]
