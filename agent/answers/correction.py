"""An answer that cites pages which the model was not shown goes back to it, once, to be corrected.

The request stands in the mark of the answer that went back, from where it is put into each later call: checkpoints,
budgets and other graphs see two answers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import Command

from pagesight.agent.answers.citation_check import check_at
from pagesight.indexing.calls.progress import tell
from pagesight.tools.authorship import Author, as_draft, correction_of
from pagesight.tools.budget import Budget
from pagesight.tools.conversation import Conversation, is_cut_off
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
    author: Author | None = None

    def send_back(self, state: dict[str, Any]) -> Command[str] | None:
        """For ``post_model_hook`` of `create_react_agent`: back to the model with an answer that is to be corrected."""
        conversation = Conversation.read(state["messages"], self.author)
        labels = self._to_correct(conversation)
        if not labels or conversation.question is None or conversation.question.calls >= self.budget.calls:
            return None
        tell("corrects", text=f"cited {'; '.join(labels)} without having looked: asked to correct that")
        draft = as_draft(conversation.messages[-1], _REQUEST.format(labels="; ".join(labels)))
        return Command(goto="agent", update={"messages": [draft]})

    def is_due(self, conversation: Conversation) -> bool:
        """Whether the next model call is a correction: the last message is an answer that went back."""
        last = len(conversation) - 1
        return last >= 0 and conversation.is_own(last) and bool(correction_of(conversation.messages[last]))

    def _to_correct(self, conversation: Conversation) -> list[str]:
        """The labels that the last message cites without grounds; none when one went back before to its question."""
        labels = self._unverified(conversation, len(conversation) - 1)
        asked = conversation.question.model_messages if labels and conversation.question else []
        return [] if any(map(correction_of, asked)) else labels

    def _unverified(self, conversation: Conversation, at: int) -> list[str]:
        """The labels of pages that the message at ``at``, if it is a whole answer, cites and that were not shown."""
        if not _is_answer(conversation, at):
            return []
        return conversation.fact(("unverified", self.limits, at), lambda: self._cited_unseen(conversation, at))

    def _cited_unseen(self, conversation: Conversation, at: int) -> list[str]:
        _, unverified = check_at(conversation, self.limits, at).cited(conversation.messages[at].text)
        return list(dict.fromkeys(citation.label for citation in unverified))


def _is_answer(conversation: Conversation, at: int) -> bool:
    message = conversation.messages[at]
    whole = not is_cut_off(message)
    return whole and isinstance(message, AIMessage) and conversation.is_own(at) and not message.tool_calls
