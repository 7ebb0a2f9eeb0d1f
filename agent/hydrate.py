"""Page references → picture parts, for one model call, on copies of the messages: the state never holds a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableLambda

from pagesight.indexing.errors import RequestError, SourceError
from pagesight.tools.conversation import Conversation, PageView
from pagesight.tools.sent_pictures import CallLimits
from pagesight.tools.transport.pictures import Picture, Pictures
from pagesight.tools.transport.transport import Block, Transport

#: Where a message of a model call that carries pictures names them, in their order, in its ``response_metadata``,
#: which no provider is sent.
LABELS = "pagesight_pictures"

#: A page whose source is gone becomes a line of text; an index that is gone, or a service that refuses, ends the run.
_UNREADABLE = (RequestError, SourceError, OSError)


@dataclass(frozen=True)
class Hydrator:
    """Makes the messages of one model call: the system prompt, then the conversation with its pages as pictures.

    The newest pictures within the ``limits`` go along, a page or region shown twice once; the older ones become a line
    of text that says how to see them again. Gemini takes pictures ``in_tool_replies``; other providers, some of which
    refuse them there, get them in a message of the user after the replies. Without a ``transport`` none are sent.
    ``requests`` gives what the model is asked after a message, by its position, in this call and not in the state.
    """

    system_prompt: str
    pictures: Pictures
    transport: Transport | None
    limits: CallLimits
    in_tool_replies: bool = True
    requests: Callable[[Conversation], Mapping[int, str]] = lambda conversation: {}

    def runnable(self) -> Runnable[Any, list[BaseMessage]]:
        """For ``prompt=`` of `create_react_agent`; a middleware of ``create_agent`` can call the same functions."""
        return RunnableLambda(self.messages, afunc=self.amessages, name="hydrate")

    def messages(self, state: Mapping[str, Any]) -> list[BaseMessage]:
        """The messages for the model. Raises ReasonerError when the transport cannot send, and PageIndexError."""
        conversation = Conversation.read(state["messages"])
        if self.transport is None:
            return self._call(conversation, {}, None)
        sent = conversation.sent_pictures(self.limits).of_the_next_call()
        made = {view: self._picture(view) for view in _in_order(sent)}
        blocks = self.transport.blocks([picture for picture in made.values() if isinstance(picture, Picture)])
        return self._call(conversation, sent, _block_of_each(made, blocks))

    async def amessages(self, state: Mapping[str, Any]) -> list[BaseMessage]:
        """The same, async; the pictures are made side by side."""
        conversation = Conversation.read(state["messages"])
        if self.transport is None:
            return self._call(conversation, {}, None)
        sent = conversation.sent_pictures(self.limits).of_the_next_call()
        views = _in_order(sent)
        pictures = await asyncio.gather(*(asyncio.to_thread(self._picture, view) for view in views))
        made = dict(zip(views, pictures, strict=True))
        blocks = await self.transport.ablocks([picture for picture in pictures if isinstance(picture, Picture)])
        return self._call(conversation, sent, _block_of_each(made, blocks))

    def _picture(self, view: PageView) -> Picture | str:
        """The picture, or why there is none."""
        try:
            return self.pictures.of(view)
        except _UNREADABLE as error:
            return str(error)

    def _call(
        self,
        conversation: Conversation,
        sent: Mapping[int, list[PageView]],
        parts: Mapping[PageView, Block | str] | None,
    ) -> list[BaseMessage]:
        """The messages of the call; without ``parts`` replies stay as they are."""
        requests = self.requests(conversation)
        call: list[BaseMessage] = [SystemMessage(self.system_prompt)]
        waiting: list[tuple[PageView, Block]] = []  # pictures that go along after the last of several tool replies
        for position, message in enumerate(conversation.messages):
            if waiting and not isinstance(message, ToolMessage):
                call.append(_beside(waiting))
                waiting = []
            if parts is None or position not in conversation.replies:
                call.append(message)
            else:
                blocks = _blocks(sent.get(position, []), parts)
                reply = _reply(message, conversation.replies[position].views, [view for view, _ in blocks], parts)
                call.append(_with_pictures(reply, blocks) if self.in_tool_replies else reply)
                waiting += [] if self.in_tool_replies else blocks
            call += [HumanMessage(requests[position])] if position in requests else []
        return [*call, _beside(waiting)] if waiting else call


def _blocks(views: Sequence[PageView], parts: Mapping[PageView, Block | str]) -> list[tuple[PageView, Block]]:
    """The pictures that can be shown."""
    return [(view, part) for view in views if isinstance(part := parts[view], dict)]


def _in_order(sent: Mapping[int, list[PageView]]) -> list[PageView]:
    """The pictures of a call from the first message on: from call to call the same ones stand first."""
    return [view for position in sorted(sent) for view in sent[position]]


def _block_of_each(made: Mapping[PageView, Picture | str], blocks: Sequence[Block]) -> dict[PageView, Block | str]:
    """For each page its block, or why there is none."""
    next_block = iter(blocks)
    return {view: next(next_block) if isinstance(one, Picture) else one for view, one in made.items()}


def _reply(
    message: BaseMessage, named: Sequence[PageView], kept: list[PageView], parts: Mapping[PageView, Block | str]
) -> BaseMessage:
    """The message when all its pictures go along; else a copy that says which do and what became of the others."""
    missing = [view for view in named if view not in kept]
    if not missing:
        return message
    attached = f"Attached here now, in this order: {'; '.join(view.label for view in kept) or 'none'}."
    text = "\n".join([message.text, attached, *_reasons(missing, parts)])
    return message.model_copy(update={"content": text})


def _reasons(missing: Sequence[PageView], parts: Mapping[PageView, Block | str]) -> Iterator[str]:
    for view in missing:
        reason = parts.get(view)
        if isinstance(reason, str):
            yield f"{view.label} cannot be shown: {reason}"
        else:
            yield f"{view.label} is not attached here any more; to see it again call view_pages with its label."


def _with_pictures(message: BaseMessage, pictures: Sequence[tuple[PageView, Block]]) -> BaseMessage:
    if not pictures:
        return message
    content = [{"type": "text", "text": message.text}, *(block for _, block in pictures)]
    return message.model_copy(update={"content": content, "response_metadata": _labelled(message, pictures)})


def _beside(pictures: Sequence[tuple[PageView, Block]]) -> HumanMessage:
    labels = "; ".join(view.label for view, _ in pictures)
    text = f"The pages that view_pages shows, as pictures in this order: {labels}."
    message = HumanMessage([{"type": "text", "text": text}, *(block for _, block in pictures)])
    return message.model_copy(update={"response_metadata": _labelled(message, pictures)})


def _labelled(message: BaseMessage, pictures: Sequence[tuple[PageView, Block]]) -> dict[str, Any]:
    return {**message.response_metadata, LABELS: [view.label for view, _ in pictures]}
