"""An answer that cites pages which the model was not shown goes back to it, once, to be corrected.

The request stands in the model's call and not in the conversation: it is made anew, for each call, from the answer that
went back, so checkpoints, budgets and other graphs see two answers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import Command

from pagesight.agent.answers.citation_check import check_at
from pagesight.indexing.calls.progress import tell
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.conversation import Conversation, is_cut_off, role_of
from pagesight.tools.sent_pictures import CallLimits

_REQUEST = """\
Your answer cites pages that you have not been shown: {labels}. Look at them with view_pages if you need them, else
leave out what only they would support. Then write the whole answer again, with citations to pages that you have been
shown only; do not mention this correction."""


@dataclass(frozen=True)
class Correction:
    """Finds the answers of a conversation that cite what was not shown, and sends one back for each question."""

    limits: CallLimits
    budget: Budget

    def send_back(self, state: dict[str, Any]) -> Command[str] | None:
        """For ``post_model_hook`` of `create_react_agent`: back to the model with an answer that is to be corrected."""
        conversation = Conversation.read(state["messages"])
        labels = self._to_correct(conversation)
        if not labels or budget_left(self.budget, conversation).calls == 0:
            return None
        tell("corrects", text=f"cited {'; '.join(labels)} without having looked: asked to correct that")
        return Command(goto="agent")

    def requests(self, conversation: Conversation) -> dict[int, str]:
        """What the model is asked after each answer that went back, by the answer's position."""
        labels = {
            at: self._unverified(conversation, at) for at in range(len(conversation)) if _went_on(conversation, at)
        }
        return {at: _REQUEST.format(labels="; ".join(named)) for at, named in labels.items() if named}

    def is_due(self, conversation: Conversation) -> bool:
        """Whether the next model call is a correction: the last message is an answer that went back."""
        return bool(self._unverified(conversation, len(conversation) - 1))

    def _to_correct(self, conversation: Conversation) -> list[str]:
        """The labels that the last message cites without grounds; none when one went back before to its question."""
        last = len(conversation) - 1
        labels = self._unverified(conversation, last)
        before = range(conversation.question.start, last) if labels and conversation.question else []
        return [] if any(self._unverified(conversation, at) for at in before) else labels

    def _unverified(self, conversation: Conversation, at: int) -> list[str]:
        """The labels of pages that the message at ``at``, if it is a whole answer, cites and that were not shown."""
        if not _is_answer(conversation, at):
            return []
        return conversation.fact(("unverified", self.limits, at), lambda: self._cited_unseen(conversation, at))

    def _cited_unseen(self, conversation: Conversation, at: int) -> list[str]:
        _, unverified = check_at(conversation, self.limits, at).cited(conversation.messages[at].text)
        return list(dict.fromkeys(citation.label for citation in unverified))


def _went_on(conversation: Conversation, at: int) -> bool:
    """Whether no question follows the message: what follows, or the next call, belongs to the same one."""
    following = conversation.messages[at + 1] if at + 1 < len(conversation) else None
    return following is None or role_of(following) != "question"


def _is_answer(conversation: Conversation, at: int) -> bool:
    message = conversation.messages[at]
    whole = not is_cut_off(message)
    return whole and isinstance(message, AIMessage) and role_of(message) == "model" and not message.tool_calls
