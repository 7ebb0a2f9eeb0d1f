"""What a tool's reply holds, read from its artifact once.

Replies come from a state that others write too: what is not as our tools write it is left out and never raises.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar, cast

from langchain_core.messages import ToolMessage
from langchain_core.messages.ai import UsageMetadata

from pagesight.indexing.calls.prices import ModelCall
from pagesight.indexing.pages import Box, Hit
from pagesight.tools.messages.page_view import (
    PageView,
    is_whole,
    read_page_ref,
    read_page_view,
    read_printed_label,
    read_region,
)

SEARCH_PAGES = "search_pages"
VIEW_PAGES = "view_pages"
LIST_DOCUMENTS = "list_documents"
LOCATE = "locate"
OUTLINE = "outline"
READ_PAGES = "read_pages"

Item = TypeVar("Item")


@dataclass(frozen=True)
class ToolReply:
    """A tool's reply: what it was called with and what it brought, by the tool's name.

    ``views`` are the pages that view_pages refers to, in the order in which it names them; ``query`` and ``hits`` are
    of search_pages; ``read`` are the pages whose words read_pages told; ``listed`` counts the documents of
    list_documents; ``located`` the things that locate found, None where it called no model, ``located_on`` the page
    that it showed that model, and ``model_call`` what that took.
    ``repeated`` says that the same call was made before, and that nothing was done.
    """

    tool: str
    failed: bool
    text: str
    query: str = ""
    views: tuple[PageView, ...] = ()
    hits: tuple[Hit, ...] = ()
    read: tuple[PageView, ...] = ()
    listed: int = 0
    located: int | None = None
    located_on: PageView | None = None
    model_call: ModelCall | None = None
    repeated: bool = False

    @property
    def seen(self) -> list[PageView]:
        """The pages that it showed a model, as pictures or in words."""
        return [*self.views, *self.read, *([self.located_on] if self.located_on else [])]


def read_tool_reply(message: ToolMessage) -> ToolReply:
    """The reply that a tool message holds."""
    tool, failed = message.name or "", message.status == "error"
    artifact = message.artifact if isinstance(message.artifact, dict) else {}
    read = _READERS.get(tool)
    repeated = artifact.get("repeated") is True
    return ToolReply(tool, failed, message.text, repeated=repeated, **(read(artifact) if read else {}))


def _view_reply(artifact: Mapping[str, Any]) -> dict[str, Any]:
    views = (read_page_view(page) for page in _items(artifact, "pages"))
    return {"views": tuple(view for view in views if view)}


def _search_reply(artifact: Mapping[str, Any]) -> dict[str, Any]:
    hits = (_hit(hit) for hit in _items(artifact, "hits"))
    return {"query": str(artifact.get("query", "")), "hits": tuple(hit for hit in hits if hit)}


def _read_reply(artifact: Mapping[str, Any]) -> dict[str, Any]:
    views = (read_page_view(page) for page in _items(artifact, "read"))
    return {"read": tuple(view for view in views if view)}


def _list_reply(artifact: Mapping[str, Any]) -> dict[str, Any]:
    return {"listed": len(_items(artifact, "documents"))}


def _locate_reply(artifact: Mapping[str, Any]) -> dict[str, Any]:
    if not artifact or artifact.get("repeated"):
        return {}
    shown = read_page_view(artifact.get("page"))
    return {"located": len(_items(artifact, "boxes")), "located_on": shown, "model_call": _model_call(artifact)}


_READERS = {
    VIEW_PAGES: _view_reply, SEARCH_PAGES: _search_reply, LIST_DOCUMENTS: _list_reply, LOCATE: _locate_reply,
    READ_PAGES: _read_reply,
}  # fmt: skip


def _items(artifact: Mapping[str, Any], key: str) -> list[Any]:
    items = artifact.get(key)
    return items if isinstance(items, list) else []


def _hit(hit: object) -> Hit | None:
    """The inverse of `Hit.as_dict`; None for what is no hit."""
    ref = read_page_ref(hit)
    if ref is None or not isinstance(hit, Mapping):
        return None
    rank, score = hit.get("rank"), hit.get("score")
    if not is_whole(rank) or not _is_number(score):
        return None
    boxes = [_box(box) for box in _items(hit, "boxes")]
    regions = [read_region(region) for region in _items(hit, "regions")]
    lines = [line for line in _items(hit, "lines") if isinstance(line, str)]
    kinds = tuple(kind for kind in _items(hit, "kinds") if isinstance(kind, str))
    return Hit(rank, ref, float(score), _present(boxes), lines, _present(regions), read_printed_label(hit), kinds)


def _present(items: Iterable[Item | None]) -> list[Item]:
    return [item for item in items if item is not None]


def _box(edges: object) -> Box | None:
    if not isinstance(edges, list | tuple) or len(edges) != 4 or not all(map(_is_number, edges)):
        return None
    left, top, right, bottom = edges
    return left, top, right, bottom


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _model_call(artifact: Mapping[str, Any]) -> ModelCall | None:
    usage, model = _usage(artifact.get("usage")), artifact.get("model")
    return ModelCall(usage, model if isinstance(model, str) else "") if usage else None


def _usage(given: object) -> UsageMetadata | None:
    counts = ("input_tokens", "output_tokens", "total_tokens")
    if not isinstance(given, dict) or not all(is_whole(given.get(count)) for count in counts):
        return None
    details = ("input_token_details", "output_token_details")
    if not all(_are_counts(given.get(detail, {})) for detail in details):
        return None
    return cast("UsageMetadata", given)


def _are_counts(given: object) -> bool:
    return isinstance(given, dict) and all(is_whole(count) for count in given.values())
