"""Gemini, through ChatGoogleGenerativeAI: page pictures as raw bytes, and nothing fails silently.

A blocked prompt, a blocked answer, an empty one and a malformed tool call all reach LangChain as an empty message, and
an agent would end as if it had answered. Here, and only here, they become errors, or another attempt where that helps;
so do the service's own refusals. How it ended is judged in `endings`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, ClassVar

import httpx
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import model_validator

from pagesight.agent.reasoners.finish import Ending
from pagesight.indexing.calls.deadline import ends_within
from pagesight.indexing.calls.progress import tell
from pagesight.indexing.calls.retries import FAILURES, Patience
from pagesight.indexing.errors import AnswerCutOff
from pagesight.tools.conversation import ATTEMPTS
from pagesight.tools.gemini_service.errors import is_about_a_file, plain_refusals
from pagesight.tools.transport.files_api import arenewed, renewed
from pagesight.tools.transport.transport import inline_parts

#: A whole answer may take this many times as long as the wait for its next word.
_WHOLE = 5

#: What LangChain logs and then hides; here it becomes an error.
logging.getLogger("langchain_google_genai.chat_models").addFilter(
    lambda record: not str(record.msg).startswith("Gemini produced an empty response")
)


class GeminiReasoner(ChatGoogleGenerativeAI):
    """ChatGoogleGenerativeAI as pagesight needs it; raises ReasonerError and its kinds, also while it streams.

    ``attempts`` at one request, with waits of ``longest_wait`` seconds at most between them; ``resolution`` "low",
    "medium" or "high" is how closely pictures are looked at, "default" leaves it to the model.
    """

    #: The sign for `pagesight.agent.reasoners.choose.transport_for` that raw bytes reach the request.
    takes_inline_parts: ClassVar[bool] = True

    attempts: int = 4
    longest_wait: float = 60.0
    resolution: str = "default"

    @model_validator(mode="before")
    @classmethod
    def _wait_as_asked(cls, given: dict[str, Any]) -> dict[str, Any]:
        """google-genai asks once: its own attempts know nothing of how long the service asks to wait."""
        seconds = given.get("request_timeout") or given.get("timeout")
        limit = {"event_hooks": {"response": [ends_within(_WHOLE * seconds)]}} if seconds else {}
        return {**given, "max_retries": 1, "client_args": {**limit, **(given.get("client_args") or {})}}

    def _prepare_request(self, messages: list[BaseMessage], **kwargs: Any) -> dict[str, Any]:
        if self.resolution != "default":
            kwargs.setdefault("media_resolution", f"MEDIA_RESOLUTION_{self.resolution.upper()}")
        messages = [_without_addresses(message) for message in messages]
        request = super()._prepare_request(messages, **kwargs)
        inline_parts(request["contents"], messages)
        return request

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        course = _Course(self, messages)
        with plain_refusals(self.google_api_key):
            while True:
                try:
                    result = super()._generate(course.messages, *args, **kwargs)
                except FAILURES as error:
                    if course.may_renew(error):
                        course.messages = renewed(course.messages)
                    else:
                        time.sleep(course.patience.wait(error))
                    continue
                if course.accepts(Ending.of(result)):
                    return course.counted(result)

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        course = _Course(self, messages)
        with plain_refusals(self.google_api_key):
            while True:
                try:
                    result = await super()._agenerate(course.messages, *args, **kwargs)
                except FAILURES as error:
                    if course.may_renew(error):
                        course.messages = await arenewed(course.messages)
                    else:
                        await asyncio.sleep(course.patience.wait(error))
                    continue
                if course.accepts(Ending.of(result)):
                    return course.counted(result)

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        course = _Course(self, messages)
        with plain_refusals(self.google_api_key):
            while True:
                ending = Ending()
                try:
                    for chunk in super()._stream(course.messages, *args, **kwargs):
                        yield from ending.passed_on(chunk)
                except FAILURES as error:
                    course.must_not_have_begun(ending, error)
                    if course.may_renew(error):
                        course.messages = renewed(course.messages)
                    else:
                        time.sleep(course.patience.wait(error))
                    continue
                if course.accepts(ending):
                    yield from ending.last
                    yield from course.note()
                    return

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        course = _Course(self, messages)
        with plain_refusals(self.google_api_key):
            while True:
                ending = Ending()
                try:
                    async for chunk in super()._astream(course.messages, *args, **kwargs):
                        for piece in ending.passed_on(chunk):
                            yield piece
                except FAILURES as error:
                    course.must_not_have_begun(ending, error)
                    if course.may_renew(error):
                        course.messages = await arenewed(course.messages)
                    else:
                        await asyncio.sleep(course.patience.wait(error))
                    continue
                if course.accepts(ending):
                    for piece in [*ending.last, *course.note()]:
                        yield piece
                    return


class _Course:
    """The attempts at one answer: what goes into the next one, and what those before it have cost."""

    def __init__(self, model: GeminiReasoner, messages: Sequence[BaseMessage]):
        self.messages = list(messages)
        self.patience = Patience(model.attempts, model.longest_wait)
        self._model = model.model
        self._renewed = False
        self._attempts = 1
        self._spent: UsageMetadata | None = None

    def may_renew(self, error: Exception) -> bool:
        """Whether a file that the request names is gone: then they are uploaded again, once."""
        gone = is_about_a_file(error) and not self._renewed
        self._renewed = self._renewed or gone
        return gone

    def accepts(self, ending: Ending) -> bool:
        """Whether this is the answer; if not, it is asked for once more. Raises what it amounts to the second time."""
        fault = ending.fault(self._model)
        if fault is None:
            return True
        if self._attempts > 1 or not ending.may_mend:
            raise fault
        self._attempts += 1
        self._spent = add_usage(self._spent, ending.unsaid_usage)
        tell("waits", text=f"{fault}; asking again")
        return False

    def must_not_have_begun(self, ending: Ending, error: Exception) -> None:
        """Raises AnswerCutOff when an answer broke off that has been passed on in part."""
        if ending.begun and isinstance(error, httpx.TransportError):
            slow = isinstance(error, httpx.TimeoutException)
            raise AnswerCutOff(
                f"{self._model}'s answer broke off in the middle ({type(error).__name__}): ask again"
                + (", or give it longer with PAGESIGHT_TIMEOUT" if slow else "")
            ) from error
        if ending.begun:
            raise error

    def counted(self, result: ChatResult) -> ChatResult:
        """The result with the tokens of the attempts before it, and their number where there were several."""
        message = result.generations[0].message
        if self._attempts > 1 and isinstance(message, AIMessage):
            message.usage_metadata = add_usage(self._spent, message.usage_metadata)
            message.response_metadata[ATTEMPTS] = self._attempts
        return result

    def note(self) -> list[ChatGenerationChunk]:
        """The same for a stream: a last piece without text."""
        if self._attempts == 1:
            return []
        note = AIMessageChunk(content="", usage_metadata=self._spent, response_metadata={ATTEMPTS: self._attempts})
        return [ChatGenerationChunk(message=note)]


def _without_addresses(message: BaseMessage) -> BaseMessage:
    """The message with pictures that only an address stands for as text: LangChain would fetch any address itself."""
    if not isinstance(message.content, list):
        return message
    content = [_as_text(address) if (address := _address(block)) else block for block in message.content]
    return message.model_copy(update={"content": content})


def _address(block: Any) -> str:
    if not isinstance(block, dict):
        return ""
    given = block.get("url") or block.get("image_url") or ""
    address = given.get("url", "") if isinstance(given, dict) else given
    return "" if str(address).startswith("data:") else str(address)


def _as_text(address: str) -> dict[str, str]:
    return {"type": "text", "text": f"[{address} was not fetched: only pages of the index are shown]"}
