"""A conversation read back from its messages: each question with the steps that followed and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

from pagesight.agent.answers.agent_limits import AgentLimits
from pagesight.agent.answers.answer import Answer
from pagesight.agent.answers.read_answer import read_answer
from pagesight.agent.run.steps import step_of
from pagesight.tools.messages.conversation import Conversation, Question


@dataclass(frozen=True)
class Turn:
    """A question, what the agent did for it in one line each, and its answer; None if it was stopped before."""

    question: str
    steps: list[str]
    answer: Answer | None


def turns(messages: Sequence[BaseMessage], limits: AgentLimits) -> list[Turn]:
    """The turns of a conversation. Answers are checked against the pages that were shown until then."""
    conversation = Conversation.read(messages)
    return [_turn(conversation, question, limits) for question in conversation.questions]


def _turn(conversation: Conversation, question: Question, limits: AgentLimits) -> Turn:
    steps = [step_of(reply).text for reply in question.replies]
    last = question.messages[-1]
    answered = isinstance(last, AIMessage) and not last.tool_calls and last.text.strip()
    answer = read_answer(conversation, limits, question=question) if answered else None
    return Turn(question.text, steps, answer)
