"""How an answer of Gemini's ended, in the service's words, and what that amounts to: an answer, or which error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from pagesight.indexing.errors import AnswerBlocked, AnswerCutOff, EmptyAnswer, ReasonerError

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
#: Those by which a call of a tool came to nothing, whatever was said before it, and what would correct it.
_MISCALLED = {
    "MALFORMED_FUNCTION_CALL": "it called a tool in a way that cannot be read: ask again",
    "UNEXPECTED_TOOL_CALL": "it called a tool that it was not offered: ask again",
    "TOO_MANY_TOOL_CALLS": "it called too many tools in a row: ask for less at once",
}
_EMPTY = {
    "MAX_TOKENS": "it had used up its tokens before the first word: ask for less at once",
    "CONTINUATION": "it had used up its tokens before the first word, and cannot go on: ask for less at once",
} | _MISCALLED
#: Another attempt helps with none of these: the same request meets the same end.
_FINAL = {"MAX_TOKENS", "CONTINUATION", "TOO_MANY_TOOL_CALLS"}


@dataclass
class Ending:
    """What the pieces of an answer say together.

    ``last`` holds the pieces that are not passed on yet: thoughts and calls until the first word, since what was passed
    on cannot be taken back when the stream breaks off; and the end, until it is known whether the answer is accepted.
    ``begun`` says whether any word has been passed on.
    """

    says_something: bool = False
    begun: bool = False
    ended: bool = False
    told: dict[str, Any] = field(default_factory=dict)
    last: list[ChatGenerationChunk] = field(default_factory=list)
    unsaid_usage: UsageMetadata | None = None

    @classmethod
    def of(cls, result: ChatResult) -> Ending:
        """The ending of an answer that came in one piece."""
        ending = cls(told=dict(result.llm_output or {}))
        for generation in result.generations:
            ending._add(generation)
            ending._keep_usage(generation)
        return ending

    def passed_on(self, chunk: ChatGenerationChunk) -> list[ChatGenerationChunk]:
        """The pieces that may be passed on now that this one has come."""
        self._add(chunk)
        self.ended = self.ended or _reason(chunk) or _feedback(chunk)
        self.last.append(chunk)
        if self.ended or not (self.begun or chunk.message.text.strip()):
            self._keep_usage(chunk)
            return []
        self.begun = True
        self.unsaid_usage = None
        passed, self.last = self.last, []
        return passed

    def fault(self, model: str) -> ReasonerError | None:
        """The error that the ending amounts to; None for an answer."""
        blocked = (self.told.get("prompt_feedback") or {}).get("block_reason")
        if blocked:
            reason = getattr(blocked, "value", blocked)
            return AnswerBlocked(f"{model} blocked the question, or a page it was shown ({reason}): ask in other words")
        finish = str(self.told.get("finish_reason") or "")
        if finish in _BLOCKED:
            return AnswerBlocked(f"{model} withheld its answer ({finish}): ask in other words, or about other pages")
        if finish in _MISCALLED or not self.says_something:
            end = finish or "no candidate"
            return EmptyAnswer(f"{model} returned nothing ({end}); {_EMPTY.get(finish, 'ask again')}")
        if not finish:
            return AnswerCutOff(f"{model}'s answer stopped before its end, without a reason: ask again")
        return None

    @property
    def may_ask_again(self) -> bool:
        """Whether another attempt may bring an answer."""
        blocked = (self.told.get("prompt_feedback") or {}).get("block_reason")
        finish = self.told.get("finish_reason")
        cut_off = not finish and self.begun
        return not blocked and finish not in _BLOCKED | _FINAL and not cut_off

    def _add(self, generation: ChatGeneration) -> None:
        message = generation.message
        calls = isinstance(message, AIMessage) and bool(message.tool_calls)
        self.says_something = self.says_something or calls or bool(message.text.strip())
        self.told |= {**message.response_metadata, **(generation.generation_info or {})}

    def _keep_usage(self, generation: ChatGeneration) -> None:
        if isinstance(generation.message, AIMessage):
            self.unsaid_usage = add_usage(self.unsaid_usage, generation.message.usage_metadata)


def _reason(chunk: ChatGenerationChunk) -> bool:
    told = {**chunk.message.response_metadata, **(chunk.generation_info or {})}
    return bool(told.get("finish_reason"))


def _feedback(chunk: ChatGenerationChunk) -> bool:
    return bool(chunk.message.response_metadata.get("prompt_feedback"))
