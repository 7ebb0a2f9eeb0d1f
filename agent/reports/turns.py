"""A conversation read back from its messages: each question with the steps that followed and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from pagesight.agent.answers.answer import Answer, Terms, read_answer
from pagesight.agent.asking import step_of


@dataclass(frozen=True)
class Turn:
    """A question, what the agent did for it in one line each, and its answer; None if it was stopped before."""

    question: str
    steps: list[str]
    answer: Answer | None


def turns(messages: Sequence[BaseMessage], terms: Terms) -> list[Turn]:
    """The turns of a conversation. Answers are checked against the pages that were shown until then."""
    starts = [at for at, message in enumerate(messages) if isinstance(message, HumanMessage)]
    ends = [*starts[1:], len(messages)]
    return [_turn(messages[:end], start, terms) for start, end in zip(starts, ends, strict=True)]


def _turn(messages: Sequence[BaseMessage], start: int, terms: Terms) -> Turn:
    steps = [step_of(message).text for message in messages[start:] if isinstance(message, ToolMessage)]
    last = messages[-1]
    answered = isinstance(last, AIMessage) and not last.tool_calls and last.text.strip()
    return Turn(messages[start].text, steps, read_answer(messages, terms) if answered else None)
