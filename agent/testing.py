"""A stand-in for a language model in your own tests: it plays a script, and keeps what it was shown.

    model = ScriptedReasoner(script=[
        calls("search_pages", query="net revenue"),
        calls("view_pages", pages=["annual-report.pdf p. 2"]),
        "It was 4.2 billion euros [annual-report.pdf p. 2].",
    ])
    answer = ask(create_page_agent(index, model=model), "How high was the net revenue?")
    assert model.requests[-1].pictures == ["annual-report.pdf p. 2"]
    model.assert_finished()

A step of the script is a text, a list of texts (pieces that are streamed as they are), an exception (raised), or an
`AIMessage`, such as `calls` and `calls_at_once` make. Each model call takes the next step, also the calls of `locate`,
whose step is the JSON of its boxes. It needs no key and no network; tools, index and pictures are the real ones.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from pagesight.agent.hydrate import LABELS

ScriptStep = str | list[str] | AIMessage | BaseException


class ScriptError(AssertionError):
    """The script and the calls that were made do not fit; the message says where."""


@dataclass(frozen=True)
class ModelRequest:
    """One model call: the ``messages`` as they were sent, ``pictures`` by label in their order, ``tools`` by name."""

    messages: list[BaseMessage]
    pictures: list[str]
    tools: list[str]

    @property
    def texts(self) -> list[str]:
        """The text of each message."""
        return [message.text for message in self.messages]


class ScriptedReasoner(BaseChatModel):
    """A LangChain chat model that answers with the steps of a ``script``, in order; sync, async and streamed.

    ``requests`` are the calls so far. ``usage`` is reported for each answer that has none of its own. A call beyond the
    script raises ScriptError, and so does `assert_finished` when steps are left.
    """

    script: list[Any] = Field(default_factory=list)
    usage: UsageMetadata = Field(
        default_factory=lambda: UsageMetadata(input_tokens=100, output_tokens=10, total_tokens=110)
    )
    _requests: list[ModelRequest] = PrivateAttr(default_factory=list)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def requests(self) -> list[ModelRequest]:
        """The model calls so far."""
        return list(self._requests)

    def assert_finished(self) -> None:
        """Raises ScriptError when the script has steps that no call has taken."""
        left = self.script[len(self._requests) :]
        if left:
            raise ScriptError(f"{len(left)} of {len(self.script)} steps were not taken; the next one is {left[0]!r}")

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    @property
    def _llm_type(self) -> str:
        return "pagesight-scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        step = self._next(messages, kwargs)
        message = step if isinstance(step, AIMessage) else AIMessage("".join(step))
        usage = message.usage_metadata or self.usage
        return ChatResult(generations=[ChatGeneration(message=message.model_copy(update={"usage_metadata": usage}))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for message in self._pieces(self._next(messages, kwargs)):
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _next(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage | list[str]:
        """Notes the call and takes its step: a message, or a text in pieces. Raises what the script has to raise."""
        names = [tool["function"]["name"] for tool in options.get("tools", [])]
        with self._lock:
            number = len(self._requests)
            if number >= len(self.script):
                raise ScriptError(
                    f"the script has {len(self.script)} steps, and this is call {number + 1}; "
                    f"its last message is: {messages[-1].text[:200]!r}"
                )
            self._requests.append(ModelRequest(list(messages), _labels(messages), names))
        step = self.script[number]
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, str):
            return re.findall(r"\S+\s*", step) or [step]
        if isinstance(step, AIMessage) or (isinstance(step, list) and all(isinstance(piece, str) for piece in step)):
            return step
        raise ScriptError(f"step {number + 1} is no text, pieces of text, message or exception: {step!r}")

    def _pieces(self, step: AIMessage | list[str]) -> Iterator[AIMessageChunk]:
        message = step if isinstance(step, AIMessage) else AIMessage("")
        chunks = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        yield AIMessageChunk(
            content=message.content,
            tool_call_chunks=chunks,
            usage_metadata=message.usage_metadata or self.usage,
            response_metadata=message.response_metadata,
        )
        if isinstance(step, list):
            yield from (AIMessageChunk(content=piece) for piece in step)


def calls(tool: str, **arguments: Any) -> AIMessage:
    """The step that calls one tool."""
    return calls_at_once((tool, arguments))


def calls_at_once(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    """The step that calls several tools at the same time, each with its arguments."""
    made = [{"name": name, "args": arguments, "id": f"call_{uuid.uuid4().hex[:16]}"} for name, arguments in wanted]
    return AIMessage("", tool_calls=made)


def _labels(messages: Sequence[BaseMessage]) -> list[str]:
    return [label for message in messages for label in message.response_metadata.get(LABELS, [])]
