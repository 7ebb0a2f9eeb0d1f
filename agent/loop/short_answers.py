"""A short answer to one question by a few pages: the form of it, and how each model of a chain is asked for one.

The call stands alone: no tools, no conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.constants import TAG_NOSTREAM
from pydantic import BaseModel, Field

from pagesight.agent.reasoners.chains import chained
from pagesight.indexing.calls.prices import ModelCall
from pagesight.tools.messages.page_view import PageView

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagesight.agent.loop.speakers import Speaker, Speakers

_LONGEST_TEXT = 8000  # letters of a page that a model without eyes gets; a guess, not measured
_LONGEST_REASON = 300  # letters
_PAGE = "Page {number}, {label}:"


class Cell(BaseModel):
    """The answer to the question, by these pages."""

    found: bool = Field(description="whether these pages answer the question")
    value: str = Field(description="the answer alone, short, with its unit, as it stands on the page; else empty")
    statement: str = Field(description="one sentence with the value and what it is of, in the page's words; else empty")
    page: int = Field(description="the number, from 1, of the page above that says it; 0 if none does")


@dataclass(frozen=True)
class ShortQuestion:
    """A question of some pages; ``role`` is the system's prompt, ``why`` what was wrong with the last attempt."""

    role: str
    question: str
    pages: Sequence[PageView]
    why: str = ""


def short_answers(speakers: Speakers) -> Runnable[ShortQuestion, Any]:
    """Who answers a `ShortQuestion`: with ``raw``, the message, ``parsed``, a `Cell` or None, and ``parsing_error``."""

    def link(model: BaseChatModel, options: Mapping[str, Any]) -> Runnable[ShortQuestion, Any]:
        speaker = speakers.each[id(model)]
        filler = speaker.reasoner.model.with_structured_output(Cell, include_raw=True)
        asked = RunnableLambda(partial(messages_of, speaker), partial(_amessages_of, speaker), name="short_question")
        return asked | filler.with_config(tags=[TAG_NOSTREAM])

    return chained(speakers.model, link)


def messages_of(speaker: Speaker, asked: ShortQuestion) -> list[BaseMessage]:
    """The messages of the call, with the pages as the model takes them."""
    if speaker.way is None:
        return _messages(asked, _texts(speaker, asked))
    return _messages(asked, speaker.way.blocks([speaker.pictures.of(view) for view in asked.pages]))


async def _amessages_of(speaker: Speaker, asked: ShortQuestion) -> list[BaseMessage]:
    if speaker.way is None:
        return _messages(asked, await asyncio.to_thread(_texts, speaker, asked))
    pictures = await asyncio.gather(*(asyncio.to_thread(speaker.pictures.of, view) for view in asked.pages))
    return _messages(asked, await speaker.way.ablocks(pictures))


def _texts(speaker: Speaker, asked: ShortQuestion) -> list[dict[str, str]]:
    index = speaker.pictures.index
    return [{"type": "text", "text": index.text(view.ref)[:_LONGEST_TEXT]} for view in asked.pages]


def _messages(asked: ShortQuestion, blocks: Sequence[Any]) -> list[BaseMessage]:
    parts: list[Any] = []
    for number, (view, block) in enumerate(zip(asked.pages, blocks, strict=True), 1):
        parts += [{"type": "text", "text": _PAGE.format(number=number, label=view.label)}, block]
    again = f"\nYour last attempt does not fit the form ({one_line(asked.why)}): give all of it again."
    parts.append({"type": "text", "text": f"The question: {asked.question}{again if asked.why else ''}"})
    return [SystemMessage(asked.role), HumanMessage(parts)]


def call_of(message: Any) -> ModelCall | None:
    """What a model's message has taken; None where its provider does not say."""
    usage = getattr(message, "usage_metadata", None)
    return ModelCall(usage, str(message.response_metadata.get("model_name") or "")) if usage else None


def one_line(why: object) -> str:
    """A reason as a short line."""
    return " ".join(str(why).split())[:_LONGEST_REASON]
