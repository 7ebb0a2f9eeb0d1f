"""Page references → picture parts, for one model call, on copies of the messages: the state never holds a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableLambda

from pagesight.indexing.errors import RequestError, SourceError
from pagesight.indexing.pages import PageRef
from pagesight.tools.conversation import PageView, viewed
from pagesight.tools.transport.pictures import Picture, Pictures
from pagesight.tools.transport.transport import Block, Transport

#: A page whose source is gone becomes a line of text; an index that is gone, or a service that refuses, ends the run.
_UNREADABLE = (RequestError, SourceError, OSError)


@dataclass(frozen=True)
class CallLimits:
    """What the pictures of one model call may come to: their number, their tokens, and their bytes in the request.

    ``inline_bytes`` None is no limit, where pictures beyond the limit of a request travel as files.
    """

    images: int = 3000
    image_tokens: int = 10_000_000
    inline_bytes: int | None = None


@dataclass(frozen=True)
class Hydrator:
    """Makes the messages of one model call: the system prompt, then the conversation with its pages as pictures.

    The newest pictures within the ``limits`` go along, a page or region shown twice once; the older ones become a line
    of text that says how to see them again. Gemini takes pictures ``in_tool_replies``; other providers, some of which
    refuse them there, get them in a message of the user after the replies. Without a ``transport`` none are sent.
    """

    system_prompt: str
    pictures: Pictures
    transport: Transport | None
    limits: CallLimits
    in_tool_replies: bool = True

    def runnable(self) -> Runnable[Any, list[BaseMessage]]:
        """For ``prompt=`` of `create_react_agent`; a middleware of ``create_agent`` can call the same functions."""
        return RunnableLambda(self.messages, afunc=self.amessages, name="hydrate")

    def messages(self, state: Mapping[str, Any]) -> list[BaseMessage]:
        """The messages for the model. Raises ReasonerError when the transport cannot send, and PageIndexError."""
        if self.transport is None:
            return [SystemMessage(self.system_prompt), *state["messages"]]
        sent = plan(state["messages"], self.limits)
        made = {view: self._picture(view) for view in _in_order(sent)}
        blocks = self.transport.blocks([picture for picture in made.values() if isinstance(picture, Picture)])
        return self._hydrated(state["messages"], sent, _parts(made, blocks))

    async def amessages(self, state: Mapping[str, Any]) -> list[BaseMessage]:
        """The same, async; the pictures are made side by side."""
        if self.transport is None:
            return [SystemMessage(self.system_prompt), *state["messages"]]
        sent = plan(state["messages"], self.limits)
        views = _in_order(sent)
        pictures = await asyncio.gather(*(asyncio.to_thread(self._picture, view) for view in views))
        made = dict(zip(views, pictures, strict=True))
        blocks = await self.transport.ablocks([picture for picture in pictures if isinstance(picture, Picture)])
        return self._hydrated(state["messages"], sent, _parts(made, blocks))

    def _picture(self, view: PageView) -> Picture | str:
        """The picture, or why there is none."""
        try:
            return self.pictures.of(view)
        except _UNREADABLE as error:
            return str(error)

    def _hydrated(
        self, messages: Sequence[BaseMessage], sent: dict[int, list[PageView]], parts: dict[PageView, Block | str]
    ) -> list[BaseMessage]:
        hydrated: list[BaseMessage] = [SystemMessage(self.system_prompt)]
        waiting: list[tuple[PageView, Block]] = []
        for position, message in enumerate(messages):
            if waiting and not isinstance(message, ToolMessage):
                hydrated.append(_beside(waiting))
                waiting = []
            blocks = [(view, part) for view in sent.get(position, []) if isinstance(part := parts[view], dict)]
            reply = _reply(message, [view for view, _ in blocks], parts)
            if self.in_tool_replies:
                hydrated.append(_with_pictures(reply, [block for _, block in blocks]))
            else:
                hydrated.append(reply)
                waiting += blocks
        return [*hydrated, _beside(waiting)] if waiting else hydrated


def plan(messages: Sequence[BaseMessage], limits: CallLimits) -> dict[int, list[PageView]]:
    """Which pictures go along with which message, by its position, in the order in which the message names them."""
    return _newest([viewed(message) for message in messages], limits)


def plans(messages: Sequence[BaseMessage], limits: CallLimits) -> list[dict[int, list[PageView]]]:
    """The plan of each model call of a conversation, as it was made then, in order."""
    named = [viewed(message) for message in messages]
    calls = [position for position, message in enumerate(messages) if isinstance(message, AIMessage)]
    return [_newest(named[:position], limits) for position in calls]


def pages_shown(messages: Sequence[BaseMessage], limits: CallLimits) -> set[PageRef]:
    """The pages whose pictures went along with a model call of the conversation, or go with the next one."""
    every = [*plans(messages, limits), plan(messages, limits)]
    return {view.ref for sent in every for views in sent.values() for view in views}


def _newest(named: Sequence[Sequence[PageView]], limits: CallLimits) -> dict[int, list[PageView]]:
    """Of the pages that each message names the newest within the limits, each with the last message that names it.

    The first that does not fit ends it: a page is never left out for one that is older. One picture always goes.
    """
    sent: dict[int, list[PageView]] = {}
    taken: set[PageView] = set()
    tokens = size = 0
    for position in range(len(named) - 1, -1, -1):
        for view in reversed(named[position]):
            if view in taken:
                continue
            tokens, size = tokens + view.tokens, size + view.size
            beyond = tokens > limits.image_tokens or (limits.inline_bytes is not None and size > limits.inline_bytes)
            if taken and (beyond or len(taken) >= limits.images):
                return sent
            taken.add(view)
            sent.setdefault(position, []).insert(0, view)
    return sent


def _in_order(sent: Mapping[int, list[PageView]]) -> list[PageView]:
    """The pictures of a call from the first message on: from call to call the same ones stand first."""
    return [view for position in sorted(sent) for view in sent[position]]


def _parts(made: Mapping[PageView, Picture | str], blocks: Sequence[Block]) -> dict[PageView, Block | str]:
    """For each page its block, or why there is none."""
    next_block = iter(blocks)
    return {view: next(next_block) if isinstance(one, Picture) else one for view, one in made.items()}


def _reply(message: BaseMessage, kept: list[PageView], parts: dict[PageView, Block | str]) -> BaseMessage:
    """The message when all its pictures go along; else a copy that says which do and what became of the others."""
    missing = [view for view in viewed(message) if view not in kept]
    if not missing:
        return message
    lines = [f"Attached here now, in this order: {'; '.join(view.label for view in kept) or 'none'}."]
    for view in missing:
        reason = parts.get(view)
        if isinstance(reason, str):
            lines.append(f"{view.label} cannot be shown: {reason}")
        else:
            lines.append(f"{view.label} is not attached here any more; to see it again call view_pages with its label.")
    return message.model_copy(update={"content": "\n".join([message.text, *lines])})


def _with_pictures(message: BaseMessage, blocks: list[Block]) -> BaseMessage:
    if not blocks:
        return message
    return message.model_copy(update={"content": [{"type": "text", "text": message.text}, *blocks]})


def _beside(pictures: list[tuple[PageView, Block]]) -> HumanMessage:
    labels = "; ".join(view.label for view, _ in pictures)
    text = f"The pages that view_pages shows, as pictures in this order: {labels}."
    return HumanMessage([{"type": "text", "text": text}, *(block for _, block in pictures)])
