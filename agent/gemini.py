"""Gemini, through ChatGoogleGenerativeAI: page pictures as raw bytes, and nothing fails silently.

A blocked prompt, a blocked answer, an empty one and a malformed tool call all reach LangChain as an empty message, and
an agent would end as if it had answered. Here, and only here, they become errors; so do the service's own refusals.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_google_genai import ChatGoogleGenerativeAI

from pagesight.indexing.errors import AnswerBlocked, EmptyAnswer
from pagesight.tools.refusals import plain_refusals
from pagesight.tools.transport import inline_parts

#: Of https://ai.google.dev/api/generate-content#FinishReason those by which the service withholds an answer.
_BLOCKED = {
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
}
_EMPTY = {
    "MAX_TOKENS": "it had used up its tokens before the first word: ask for less at once",
    "MALFORMED_FUNCTION_CALL": "it called a tool in a way that cannot be read: ask again",
    "UNEXPECTED_TOOL_CALL": "it called a tool that it was not offered: ask again",
    "TOO_MANY_TOOL_CALLS": "it called too many tools in a row: ask for less at once",
}


class GeminiReasoner(ChatGoogleGenerativeAI):
    """ChatGoogleGenerativeAI as pagesight needs it; raises ReasonerError and its kinds, also while it streams."""

    #: The sign for `pagesight.agent.reasoner.transport_for` that raw bytes reach the request.
    takes_inline_parts: ClassVar[bool] = True

    def _prepare_request(self, messages: list[BaseMessage], **kwargs: Any) -> dict[str, Any]:
        request = super()._prepare_request(messages, **kwargs)
        inline_parts(request["contents"], messages)
        return request

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        with plain_refusals(self.google_api_key):
            return self._spoken(super()._generate(messages, *args, **kwargs))

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        with plain_refusals(self.google_api_key):
            return self._spoken(await super()._agenerate(messages, *args, **kwargs))

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        whole = _Whole()
        with plain_refusals(self.google_api_key):
            for chunk in super()._stream(messages, *args, **kwargs):
                whole.add(chunk)
                yield chunk
        _check(self.model, whole.says_something, whole.told)

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        whole = _Whole()
        with plain_refusals(self.google_api_key):
            async for chunk in super()._astream(messages, *args, **kwargs):
                whole.add(chunk)
                yield chunk
        _check(self.model, whole.says_something, whole.told)

    def _spoken(self, result: ChatResult) -> ChatResult:
        whole = _Whole(result.llm_output)
        for generation in result.generations:
            whole.add(generation)
        _check(self.model, whole.says_something, whole.told)
        return result


class _Whole:
    """What all chunks of an answer say together: whether it holds anything, and how the service says that it ended."""

    def __init__(self, told: dict[str, Any] | None = None):
        self.says_something = False
        self.told: dict[str, Any] = dict(told or {})

    def add(self, generation: ChatGeneration) -> None:
        message = generation.message
        calls = isinstance(message, AIMessage) and bool(message.tool_calls)
        self.says_something = self.says_something or calls or bool(message.text.strip())
        self.told |= {**message.response_metadata, **(generation.generation_info or {})}


def _check(model: str, says_something: bool, told: dict[str, Any]) -> None:
    """Raise what the end of an answer, in the service's words, amounts to."""
    blocked = (told.get("prompt_feedback") or {}).get("block_reason")
    if blocked:
        reason = getattr(blocked, "value", blocked)
        raise AnswerBlocked(f"{model} blocked the question, or a page it was shown ({reason}): ask in other words")
    finish = str(told.get("finish_reason") or "no candidate")
    if finish in _BLOCKED:
        raise AnswerBlocked(f"{model} withheld its answer ({finish}): ask in other words, or about other pages")
    if not says_something:
        raise EmptyAnswer(f"{model} returned nothing ({finish}); {_EMPTY.get(finish, 'ask again')}")
