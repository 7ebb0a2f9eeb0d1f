"""What a conversation holds of pages: which were found, which were looked at. Read from its messages alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from pagesight.indexing.pages import Hit, PageRef, Region

SEARCH_PAGES = "search_pages"
VIEW_PAGES = "view_pages"
LIST_DOCUMENTS = "list_documents"
LOCATE = "locate"
#: Where an answer that took more than one attempt says how many, in its ``response_metadata``.
ATTEMPTS = "pagesight_attempts"


@dataclass(frozen=True)
class PageView:
    """A page that the model looks at, whole or a ``region`` of it. This, not a picture, is what the state keeps.

    ``tokens`` and ``size``, its bytes in a request, say what its picture costs in a model call; 0 where unknown.
    """

    ref: PageRef
    region: Region | None = None
    tokens: int = field(default=0, compare=False)
    size: int = field(default=0, compare=False)

    @property
    def label(self) -> str:
        """Such as ``annual-report.pdf p. 12`` or ``annual-report.pdf p. 12, region 120,50,400,900``."""
        return self.ref.label + (f", region {','.join(map(str, self.region))}" if self.region else "")

    def as_dict(self) -> dict[str, Any]:
        """The reference as it stands in a tool message's artifact and so in the checkpoint."""
        region = list(self.region) if self.region else None
        ref = self.ref
        place = {"document_id": ref.document_id, "document": ref.document, "page": ref.page, "region": region}
        return {**place, "tokens": self.tokens, "size": self.size}

    @classmethod
    def from_dict(cls, reference: dict[str, Any]) -> PageView:
        """The inverse of `as_dict`."""
        ref = PageRef(reference["document_id"], reference["document"], reference["page"])
        region = reference.get("region")
        return cls(ref, tuple(region) if region else None, reference.get("tokens", 0), reference.get("size", 0))


def is_cut_off(message: BaseMessage) -> bool:
    """Whether an answer stopped before its end, since its tokens were used up and it did not go on."""
    return message.response_metadata.get("finish_reason") in ("MAX_TOKENS", "CONTINUATION")


def this_question(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """The messages from the last question on, the question first; empty when nothing was asked."""
    for position in range(len(messages) - 1, -1, -1):
        if isinstance(messages[position], HumanMessage):
            return messages[position:]
    return []


def viewed(message: BaseMessage) -> list[PageView]:
    """The pages that a reply of `view_pages` refers to, in the order in which it names them; else none."""
    return [PageView.from_dict(page) for page in _artifact(message, VIEW_PAGES).get("pages", [])]


def found(message: BaseMessage) -> list[Hit]:
    """The hits that a reply of `search_pages` lists; else none."""
    return [_hit(hit) for hit in _artifact(message, SEARCH_PAGES).get("hits", [])]


def calls_made(messages: Sequence[BaseMessage]) -> int:
    """How often a model was called for these messages: attempts that brought nothing and calls by tools counted in."""
    answers = [message for message in messages if isinstance(message, AIMessage)]
    located = sum(bool(_artifact(message, LOCATE)) for message in messages)
    return sum(int(message.response_metadata.get(ATTEMPTS, 1)) for message in answers) + located


def usages(messages: Sequence[BaseMessage]) -> list[UsageMetadata]:
    """The tokens of each call for these messages, as the model's provider reports them."""
    reported = [message.usage_metadata for message in messages if isinstance(message, AIMessage)]
    reported += [_artifact(message, LOCATE).get("usage") for message in messages]
    return [usage for usage in reported if usage]


def _artifact(message: BaseMessage, tool: str) -> dict[str, Any]:
    if isinstance(message, ToolMessage) and message.name == tool and isinstance(message.artifact, dict):
        return message.artifact
    return {}


def _hit(hit: dict[str, Any]) -> Hit:
    ref = PageRef(hit["document_id"], hit["document"], hit["page"])
    boxes = [(left, top, right, bottom) for left, top, right, bottom in hit["boxes"]]
    regions = [(ymin, xmin, ymax, xmax) for ymin, xmin, ymax, xmax in hit["regions"]]
    return Hit(hit["rank"], ref, hit["score"], boxes, list(hit["lines"]), regions)
