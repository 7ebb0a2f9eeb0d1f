"""Gemini, through ChatGoogleGenerativeAI: page pictures as raw bytes, and nothing fails silently.

A blocked prompt, a blocked answer, an empty one and a malformed tool call all reach LangChain as an empty message, and
an agent would end as if it had answered. Here, and only here, they become errors, or another attempt where that helps;
so do the service's own refusals. How it ended is judged in `finish`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import PrivateAttr, model_validator

from pagesight.agent.reasoners.capabilities import Capabilities, of_gemini
from pagesight.agent.reasoners.finish import Ending
from pagesight.agent.reasoners.gemini_requests import fitted, signatures, without_signatures
from pagesight.indexing.calls.deadline import ends_within, without_header
from pagesight.indexing.calls.network_errors import network_error
from pagesight.indexing.calls.progress import signs_of_life, tell
from pagesight.indexing.calls.retries import Attempts, FailedAttempt
from pagesight.indexing.errors import AnswerCutOff
from pagesight.tools.gemini_service.api_version import API_VERSION, VERTEX_API_VERSION
from pagesight.tools.gemini_service.errors import failure_of, is_about_a_file, is_about_a_signature, plain_refusals
from pagesight.tools.gemini_service.generations import generation
from pagesight.tools.messages.conversation import ATTEMPTS
from pagesight.tools.transport.files_api import arenewed, renewed
from pagesight.tools.transport.transport import inline_parts

#: A whole answer may take this many times as long as the wait for its next word: 15 minutes by default, the time-out
#: that the service's migration notes ask for, since without streaming no byte comes until thinking ends.
_WHOLE, _LONGEST_WHOLE = 7.5, 900.0

#: What LangChain logs and then hides; here it becomes an error.
logging.getLogger("langchain_google_genai.chat_models").addFilter(
    lambda record: not str(record.msg).startswith("Gemini produced an empty response")
)


class GeminiReasoner(ChatGoogleGenerativeAI):
    """ChatGoogleGenerativeAI as pagesight needs it; raises ReasonerError and its kinds, also while it streams.

    ``attempts`` at one request, with waits of ``longest_wait`` seconds at most between them; ``resolution`` "low",
    "medium" or "high" is how closely pictures are looked at, "default" leaves it to the model. Without
    ``store_requests`` the service is told to keep none of them; Vertex AI has no such choice.
    """

    attempts: int = 4
    longest_wait: float = 60.0
    resolution: str = "default"
    store_requests: bool = False
    #: The thought signatures that the service has refused: they are not sent again.
    _refused: set[str] = PrivateAttr(default_factory=set)

    @model_validator(mode="before")
    @classmethod
    def _client_as_needed(cls, given: dict[str, Any]) -> dict[str, Any]:
        """google-genai asks once: its own attempts know nothing of how long the service asks to wait."""
        seconds = given.get("request_timeout") or given.get("timeout")
        # google-genai would tell the service our own limit, and a 504 after it would look like the service's.
        hooks: dict[str, Any] = {"request": [without_header("X-Server-Timeout")]}
        hooks |= {"response": [ends_within(_whole(seconds))]} if seconds else {}
        version = VERTEX_API_VERSION if given.get("vertexai") else API_VERSION
        client_args = {"event_hooks": hooks, **(given.get("client_args") or {})}
        # LangChain sends a temperature to a name whose generation it cannot tell; those of today refuse any.
        plain = {"temperature": None} if generation(str(given.get("model", ""))) >= (3, 0) else {}
        return {"api_version": version, **plain, **given, "max_retries": 1, "client_args": client_args}

    @model_validator(mode="after")
    def _without_aiohttp(self) -> Self:
        """Keeps google-genai from asking with aiohttp where that is installed, which knows none of our hooks."""
        client: Any = self.client
        # There is no public way: LangChain gives the sync and the async client the same arguments.
        client._api_client._use_aiohttp = lambda: False
        return self

    @property
    def capabilities(self) -> Capabilities:
        """What Gemini can, and raw bytes too: `_prepare_request` sets them into the request."""
        return of_gemini(vertex=bool(getattr(self, "_use_vertexai", False)), raw_parts=True)

    def _prepare_request(self, messages: list[BaseMessage], **kwargs: Any) -> dict[str, Any]:
        if self.resolution != "default":
            kwargs.setdefault("media_resolution", f"MEDIA_RESOLUTION_{self.resolution.upper()}")
        if not self.store_requests and not getattr(self, "_use_vertexai", False):
            kwargs.setdefault("store", False)
        messages = [_without_addresses(message) for message in without_signatures(messages, self._refused)]
        request = super()._prepare_request(messages, **kwargs)
        inline_parts(request["contents"], messages)
        request["contents"] = fitted(request["contents"], messages, self.model)
        return request

    def _plain_refusals(self) -> AbstractContextManager[None]:
        vertex = bool(getattr(self, "_use_vertexai", False))
        return plain_refusals(self.google_api_key, vertex=vertex, address=self.base_url)

    def _patient(self, how: dict[str, Any]) -> dict[str, Any]:
        """How to ask for an answer in one piece: its first byte is awaited as long as the whole of a stream."""
        return {"timeout": _whole(self.timeout), **how} if self.timeout else how

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        request = _AnswerRequest(self, messages)
        with self._plain_refusals():
            for attempt in request.attempts:
                with attempt, signs_of_life("Gemini"):
                    result = super()._generate(request.fresh_messages(), *args, **self._patient(kwargs))
                    request.accept(Ending.of(result))
        return request.counted(result)

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        request = _AnswerRequest(self, messages)
        with self._plain_refusals():
            async for attempt in request.attempts:
                with attempt, signs_of_life("Gemini"):
                    messages = await request.afresh_messages()
                    result = await super()._agenerate(messages, *args, **self._patient(kwargs))
                    request.accept(Ending.of(result))
        return request.counted(result)

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        request = _AnswerRequest(self, messages)
        with self._plain_refusals():
            for attempt in request.attempts:
                with attempt, signs_of_life("Gemini") as heard, request.streamed() as ending:
                    for chunk in super()._stream(request.fresh_messages(), *args, **kwargs):
                        heard()
                        yield from ending.passed_on(chunk)
                    request.accept(ending)
        yield from [*ending.last, *request.note()]

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = _AnswerRequest(self, messages)
        with self._plain_refusals():
            async for attempt in request.attempts:
                with attempt, signs_of_life("Gemini") as heard, request.streamed() as ending:
                    async for chunk in super()._astream(await request.afresh_messages(), *args, **kwargs):
                        heard()
                        for piece in ending.passed_on(chunk):
                            yield piece
                    request.accept(ending)
        for piece in [*ending.last, *request.note()]:
            yield piece


def _whole(seconds: float) -> float:
    """The seconds that a whole answer may take."""
    return min(_WHOLE * seconds, max(seconds, _LONGEST_WHOLE))


class _NoAnswer(Exception):
    """The attempt brought no answer, and another one may."""


class _AnswerRequest:
    """The attempts at one answer: what goes into the next one, and what those before it have cost."""

    def __init__(self, model: GeminiReasoner, messages: Sequence[BaseMessage]):
        self.attempts = Attempts("Gemini", self._failure_of, model.attempts, model.longest_wait)
        self._messages = list(messages)
        self._model = model.model
        self._refused_signatures = model._refused
        self._files_are_gone = self._files_were_renewed = False
        self._begun = False
        self._answers = 1
        self._spent: UsageMetadata | None = None

    def fresh_messages(self) -> list[BaseMessage]:
        """The messages; uploads that the last attempt found gone are made again."""
        if self._files_are_gone:
            self._messages, self._files_are_gone = renewed(self._messages), False
        return self._messages

    async def afresh_messages(self) -> list[BaseMessage]:
        """The same, async."""
        if self._files_are_gone:
            self._messages, self._files_are_gone = await arenewed(self._messages), False
        return self._messages

    def accept(self, ending: Ending) -> None:
        """Raises what the ending amounts to where it is no answer; the first time it is asked for once more."""
        fault = ending.fault(self._model)
        if fault is None:
            return
        if self._answers > 1 or not ending.may_ask_again:
            raise fault
        self._answers += 1
        self._spent = add_usage(self._spent, ending.unsaid_usage)
        tell("waits", text=f"{fault}; asking again")
        raise _NoAnswer from fault

    @contextmanager
    def streamed(self) -> Iterator[Ending]:
        """The ending of a stream. One that broke off after a part was passed on raises AnswerCutOff, and is not asked
        for again."""
        ending = Ending()
        try:
            yield ending
        except Exception as error:
            self._begun = ending.begun
            if not isinstance(error, _NoAnswer):
                self._spent = add_usage(self._spent, ending.unsaid_usage)
            why = _why_broken_off(error) if ending.begun else ""
            if not why:
                raise
            raise AnswerCutOff(
                f"{self._model}'s answer broke off in the middle ({why}): ask again"
                + (", or give it longer with PAGESIGHT_TIMEOUT" if network_error(error) == "silent" else "")
            ) from error

    def _failure_of(self, error: BaseException) -> FailedAttempt | None:
        if isinstance(error, _NoAnswer):
            return FailedAttempt("no answer", repaired=True)
        if self._begun:
            return None
        if is_about_a_file(error) and not self._files_were_renewed:
            self._files_are_gone = self._files_were_renewed = True
            return FailedAttempt("a file is gone", repaired=True)
        if is_about_a_signature(error) and self._drops_signatures():
            return FailedAttempt("thought signatures are refused", repaired=True)
        return failure_of(error)

    def _drops_signatures(self) -> bool:
        """Leaves the signatures of the conversation so far out from now on; false if there are none.

        A signature is worth nothing to another model, key or version than the one that made it.
        """
        old = signatures(self._messages) - self._refused_signatures
        self._refused_signatures |= old
        return bool(old)

    def counted(self, result: ChatResult) -> ChatResult:
        """The result with the tokens of the attempts before it, and their number where there were several."""
        message = result.generations[0].message
        if self._answers > 1 and isinstance(message, AIMessage):
            message.usage_metadata = add_usage(self._spent, message.usage_metadata)
            message.response_metadata[ATTEMPTS] = self._answers
        return result

    def note(self) -> list[ChatGenerationChunk]:
        """The same for a stream: a last piece without text."""
        if self._answers == 1 and not self._spent:
            return []
        note = AIMessageChunk(content="", usage_metadata=self._spent, response_metadata={ATTEMPTS: self._answers})
        return [ChatGenerationChunk(message=note)]


def _why_broken_off(error: Exception) -> str:
    """What ended a stream: a fault of the network, or what the service said in the middle; "" for anything else."""
    failure = failure_of(error)
    return failure.name if failure else ""


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
