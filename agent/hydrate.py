"""Page references → picture parts, for one model call, on copies of the messages: the state never holds a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.runtime import get_runtime

from pagesight.agent.request.additions import prompt_text
from pagesight.agent.request.attached_images import attached
from pagesight.agent.request.call_order import in_call_order
from pagesight.indexing.calls.progress import tell
from pagesight.indexing.errors import RequestError, SourceError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.messages.authorship import MARK, Author
from pagesight.tools.messages.conversation import Conversation, PageView
from pagesight.tools.messages.sent_pictures import CallLimits
from pagesight.tools.outline import document_map
from pagesight.tools.transport.pictures import Picture, Pictures
from pagesight.tools.transport.transport import Block, Transport

#: Where a message of a model call that carries pictures names them, in their order, in its ``response_metadata``,
#: which no provider is sent.
LABELS = "pagesight_pictures"

_OF_ANOTHER = "{} cannot be shown: there is no page here that another agent looked at."
#: A page whose source is gone becomes a line of text; an index that is gone, or a service that refuses, ends the run.
_UNREADABLE = (RequestError, SourceError, OSError)


@dataclass(frozen=True)
class Hydrator:
    """Makes the messages of one model call: the system prompt, then the conversation with its pages as pictures.

    The newest pictures within the ``limits`` go along, a page or region shown twice once; the older ones become a line
    of text that says how to see them again. Only what the ``author`` looked at is shown, and of that only pages of the
    ``allowed`` documents, whatever stands in the state. Gemini takes pictures ``in_tool_replies``; other providers,
    some of which refuse them there, get them in a message of the user after the replies. Without a ``transport`` none
    are sent. None for an author is any, None for allowed documents all. ``addition`` makes of the state what comes
    after our prompt. In ``attachments`` lie the images that came with questions.
    """

    system_prompt: str
    pictures: Pictures
    transport: Transport | None
    limits: CallLimits
    in_tool_replies: bool = True
    author: Author | None = None
    allowed: AllowedDocuments | None = None
    addition: Runnable[Any, Any] | None = None
    attachments: Path | None = None

    def runnable(self) -> Runnable[Any, list[BaseMessage]]:
        """For ``prompt=`` of `create_react_agent`; a middleware of ``create_agent`` can call the same functions."""
        return RunnableLambda(self.messages, afunc=self.amessages, name="hydrate")

    def messages(self, state: Any) -> list[BaseMessage]:
        """The messages for the model. Raises ReasonerError when the transport cannot send, and PageIndexError."""
        return self._with_addition(self._messages(state), self.addition.invoke(state) if self.addition else "")

    async def amessages(self, state: Any) -> list[BaseMessage]:
        """The same, async; the pictures are made side by side."""
        addition = await self.addition.ainvoke(state) if self.addition else ""
        return self._with_addition(await self._amessages(state), addition)

    def _with_addition(self, call: list[BaseMessage], made: object) -> list[BaseMessage]:
        """The call with what the user's prompt has made after ours."""
        text = prompt_text(made)
        return [call[0].model_copy(update={"content": f"{call[0].text}\n{text}"}), *call[1:]] if text else call

    def _messages(self, state: Any) -> list[BaseMessage]:
        conversation, allowed = self._begun(state), self._allowed()
        views = _in_order(self._sent(conversation))
        if self.transport is None:
            return self._call(conversation, {view: self._refusal(view, allowed) or {} for view in views}, allowed)
        made = {view: self._picture(view, allowed) for view in views}
        given = self._given(conversation)
        blocks = self.transport.blocks(_of_all(made, given))
        call = self._call(conversation, _block_of_each(made, blocks), allowed)
        return _with_given(call, conversation, given, blocks)

    async def _amessages(self, state: Any) -> list[BaseMessage]:
        if self.transport is None:
            return await asyncio.to_thread(self._messages, state)
        conversation, allowed = self._begun(state), await asyncio.to_thread(self._allowed)
        views = _in_order(self._sent(conversation))
        pictures = await asyncio.gather(*(asyncio.to_thread(self._picture, view, allowed) for view in views))
        made = dict(zip(views, pictures, strict=True))
        given = await asyncio.to_thread(self._given, conversation)
        blocks = await self.transport.ablocks(_of_all(made, given))
        call = await asyncio.to_thread(self._call, conversation, _block_of_each(made, blocks), allowed)
        return _with_given(call, conversation, given, blocks)

    def _given(self, conversation: Conversation) -> dict[int, list[Picture | str]]:
        """The images that came with questions, by the position of these."""
        if self.attachments is None:
            return {}
        each = {at: attached(message, self.attachments) for at, message in enumerate(conversation.messages)}
        return {at: images for at, images in each.items() if images}

    def _begun(self, state: Any) -> Conversation:
        return Conversation.of_state(state, self.author)

    def _allowed(self) -> AllowedDocuments | None:
        return self.allowed.within(call_context()) if self.allowed else None

    def _sent(self, conversation: Conversation) -> dict[int, list[PageView]]:
        return conversation.sent_pictures(self.limits).of_the_next_call()

    def _refusal(self, view: PageView, allowed: AllowedDocuments | None) -> str:
        """Why a page may not be shown; "" if it may."""
        return "" if allowed is None or allowed.holds(view.ref) else "it is no page of this conversation's documents"

    def _picture(self, view: PageView, allowed: AllowedDocuments | None) -> Picture | str:
        """The picture, or why there is none."""
        try:
            return self._refusal(view, allowed) or self.pictures.of(view)
        except _UNREADABLE as error:
            return str(error)

    def _call(
        self, conversation: Conversation, parts: Mapping[PageView, Block | str], allowed: AllowedDocuments | None
    ) -> list[BaseMessage]:
        """The messages of the call, with ``parts`` for the pages that go along: blocks, or why there are none."""
        sent = self._sent(conversation)
        call: list[tuple[BaseMessage, list[tuple[PageView, Block]]]] = [
            (self._prompt(conversation, parts, allowed), [])
        ]
        for position, message in in_call_order(conversation):
            if position is None or position not in conversation.replies:
                call.append((message, []))
                continue
            blocks = _blocks(sent.get(position, []), parts) if conversation.is_own(position) else []
            above = {view for at, views in sent.items() if at < position for view in views}
            call.append((self._reply(conversation, position, [view for view, _ in blocks], parts, above), blocks))
        if self.in_tool_replies:
            return [_with_pictures(message, blocks) for message, blocks in call]
        return list(_pictures_after_replies(call))

    def _prompt(
        self, conversation: Conversation, parts: Mapping[PageView, Block | str], allowed: AllowedDocuments | None
    ) -> SystemMessage:
        """The system prompt; it notes whose call this is and which pages it is the first to bring."""
        prompt = SystemMessage(_with_map(self.system_prompt, allowed))
        if self.author is None:
            return prompt
        before = conversation.sent_pictures(self.limits).labels_shown(len(conversation))
        labels = dict.fromkeys(view.ref.label for view, part in parts.items() if isinstance(part, dict))
        bounded = conversation.refs_viewed if allowed and not allowed.is_all else []
        withheld = [ref.label for ref in bounded if allowed and not allowed.holds(ref)]
        if withheld:  # also to who reads the answer as it comes, before it has its mark
            tell("withholds", labels=withheld)
        signed = self.author.signed(prompt, [label for label in labels if label not in before], withheld)
        return cast("SystemMessage", signed)

    def _reply(
        self, conversation: Conversation, position: int, kept: list[PageView], parts: Mapping[PageView, Block | str],
        above: Set[PageView],
    ) -> BaseMessage:  # fmt: skip
        """The reply when all its pictures go along; else a copy that says which do and what became of the others."""
        message, named = conversation.messages[position], conversation.replies[position].views
        missing = [view for view in named if view not in kept]
        if not missing or self.transport is None:
            return message
        if not conversation.is_own(position):
            lines = [_OF_ANOTHER.format(view.label) for view in named]
            return message.model_copy(update={"content": "\n".join([message.text, *lines])})
        attached = f"Attached here now, in this order: {'; '.join(view.label for view in kept) or 'none'}."
        text = "\n".join([message.text, attached, *_reasons(missing, parts, above)])
        return message.model_copy(update={"content": text})


def _with_map(prompt: str, allowed: AllowedDocuments | None) -> str:
    """The system prompt with a few lines on what there is: the same from call to call, while that does not change."""
    there = document_map(allowed) if allowed else ""
    return f"{prompt}\n{there}\n" if there else prompt


def call_context() -> object:
    """The context of the run that this is called in; None outside of one."""
    try:
        return get_runtime().context
    except (KeyError, RuntimeError):
        return None


def _of_all(made: Mapping[PageView, Picture | str], given: Mapping[int, list[Picture | str]]) -> list[Picture]:
    """The pictures of pages, then those of questions."""
    several = [*made.values(), *(image for images in given.values() for image in images)]
    return [one for one in several if isinstance(one, Picture)]


def _with_given(
    call: list[BaseMessage],
    conversation: Conversation,
    given: Mapping[int, list[Picture | str]],
    blocks: Sequence[Block],
) -> list[BaseMessage]:
    """The call, whose questions hold the images that came with them: the last of the ``blocks``."""
    rest = iter(blocks[len(blocks) - sum(isinstance(one, Picture) for images in given.values() for one in images) :])
    for at, images in given.items():
        question = conversation.messages[at]
        parts = [next(rest) if isinstance(one, Picture) else {"type": "text", "text": one} for one in images]
        whole = question.model_copy(update={"content": [{"type": "text", "text": question.text}, *parts]})
        call = [whole if message is question else message for message in call]
    return call


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


def _reasons(missing: Sequence[PageView], parts: Mapping[PageView, Block | str], above: Set[PageView]) -> Iterator[str]:
    for view in missing:
        reason = parts.get(view)
        if isinstance(reason, str):
            yield f"{view.label} cannot be shown: {reason}"
        elif view in above:
            yield f"{view.label} is attached further up already, where it was shown first: look at it there."
        else:
            yield f"{view.label} is not attached here any more; to see it again call view_pages with its label."


def _with_pictures(message: BaseMessage, pictures: Sequence[tuple[PageView, Block]]) -> BaseMessage:
    pictures = [one for one in pictures if one[1]]
    if not pictures:
        return message
    content = [{"type": "text", "text": message.text}, *(block for _, block in pictures)]
    return message.model_copy(update={"content": content, "response_metadata": _labelled(message, pictures)})


def _pictures_after_replies(
    call: Sequence[tuple[BaseMessage, list[tuple[PageView, Block]]]],
) -> Iterator[BaseMessage]:
    """The messages, with the pictures of replies that follow each other in one message after the last of them."""
    for are_replies, several in groupby(call, key=lambda one: isinstance(one[0], ToolMessage)):
        together = list(several)
        yield from (message for message, _ in together)
        pictures = [one for _, blocks in together for one in blocks if one[1]]
        if are_replies and pictures:
            yield _beside(pictures)


def _beside(pictures: Sequence[tuple[PageView, Block]]) -> HumanMessage:
    labels = "; ".join(view.label for view, _ in pictures)
    text = f"The pages that view_pages shows, as pictures in this order: {labels}."
    message = HumanMessage([{"type": "text", "text": text}, *(block for _, block in pictures)])
    return message.model_copy(update={"response_metadata": {**_labelled(message, pictures), MARK: {}}})


def _labelled(message: BaseMessage, pictures: Sequence[tuple[PageView, Block]]) -> dict[str, Any]:
    return {**message.response_metadata, LABELS: [view.label for view, _ in pictures]}
