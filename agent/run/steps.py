"""What the agent does on the way to an answer, each step in one quiet line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pagesight.tools.messages.conversation import (
    LIST_DOCUMENTS,
    LOCATE,
    OUTLINE,
    READ_PAGES,
    SEARCH_PAGES,
    VIEW_PAGES,
    ToolReply,
)

StepKind = Literal["search", "view", "list", "locate", "correct", "wait", "aside", "cut"]


@dataclass(frozen=True)
class Step:
    """Something the agent did on the way; ``text`` is one quiet line, such as ``searched "net revenue" → 5 pages``.

    "correct" tells that the model is told what was wrong (a tool that failed, an answer that cites what was not shown)
    and goes on, or that citations were corrected, after which the whole answer comes again; "wait" of a pause that the
    service asked for, or of another attempt; "aside" that the pieces of text before it were not the answer yet; "cut"
    that the model ran out of tokens in the middle of it.
    """

    kind: StepKind
    text: str
    pages: tuple[str, ...] = ()  # the labels of the pages that were looked at


_KINDS: dict[str, StepKind] = {
    SEARCH_PAGES: "search", VIEW_PAGES: "view", READ_PAGES: "view", LIST_DOCUMENTS: "list", OUTLINE: "list",
    LOCATE: "locate",
}  # fmt: skip


def step_of(reply: ToolReply) -> Step:
    """The step that a tool's reply tells of."""
    if reply.failed:
        return Step("correct", f"{reply.tool} failed: {''.join(reply.text.splitlines()[:1])}")
    if reply.repeated:
        return Step(_KINDS.get(reply.tool, "correct"), f"called {reply.tool} again as before: nothing was done anew")
    tell = _TOLD.get(reply.tool)
    return tell(reply) if tell else Step("correct", f"called {reply.tool}")


def _searched(reply: ToolReply) -> Step:
    return Step("search", f'searched "{reply.query}" → {_counted(len(reply.hits), "page")}')


def _looked(reply: ToolReply) -> Step:
    labels = "; ".join(view.label for view in reply.views)
    pages = tuple(dict.fromkeys(view.ref.label for view in reply.views))
    return Step("view", f"looked at {labels or 'nothing: no pages are left for this question'}", pages)


def _read(reply: ToolReply) -> Step:
    return Step("view", f"read the words of {'; '.join(view.ref.label for view in reply.read) or 'no page'}")


_TOLD: dict[str, Callable[[ToolReply], Step]] = {
    SEARCH_PAGES: _searched,
    VIEW_PAGES: _looked,
    READ_PAGES: _read,
    OUTLINE: lambda reply: Step("list", "read the outline of a document"),
    LIST_DOCUMENTS: lambda reply: Step("list", f"listed {_counted(reply.listed, 'document')}"),
    LOCATE: lambda reply: Step("locate", f"located {_counted(reply.located or 0, 'thing')} on a page"),
}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
