"""An answer that cites pages which the model was not shown, or none, goes back to it, once, to be corrected.

The request stands in the model's call and not in the conversation: it is made anew, for each call, from the answer that
went back, so checkpoints, budgets and other graphs see two answers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langgraph.types import Command

from pagesight.agent.answers.citation_check import check_at
from pagesight.agent.answers.citations import NOT_FOUND, asks_something, lacks_citations
from pagesight.indexing.calls.progress import tell
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.conversation import Conversation, is_cut_off, role_of
from pagesight.tools.sent_pictures import CallLimits

_UNSEEN = """\
Your answer cites pages that you have not been shown: {labels}. Look at them with view_pages if you need them, else
leave out what only they would support. Then write the whole answer again, with citations to pages that you have been
shown only; do not mention this correction."""

_UNCITED = f"""\
Your answer holds no citation that can be read. Write the whole answer again with a citation such as
[annual-report.pdf p. 12] after each statement, to pages that you have been shown; look at them with view_pages if you
need them, and leave out what none supports. If the documents do not hold the answer, begin with "{NOT_FOUND}". What
states nothing about documents stays as it is; do not mention this correction."""


@dataclass(frozen=True)
class _Fault:
    """What is wrong with an answer: ``unseen`` are labels that it cites without grounds; none, and it cites nothing."""

    unseen: tuple[str, ...] = ()

    @property
    def request(self) -> str:
        return _UNSEEN.format(labels="; ".join(self.unseen)) if self.unseen else _UNCITED

    @property
    def told(self) -> str:
        if self.unseen:
            return f"cited {'; '.join(self.unseen)} without having looked: asked to correct that"
        return "answered without a citation: asked to cite the pages"


@dataclass(frozen=True)
class Correction:
    """Finds the answers that cite what was not shown, or nothing, and sends one back for each question.

    Only answers of the agent of that ``name`` are looked at; without one all are.
    """

    limits: CallLimits
    budget: Budget
    name: str = ""

    def send_back(self, state: dict[str, Any]) -> Command[str] | None:
        """For ``post_model_hook`` of `create_react_agent`: back to the model with an answer that is to be corrected."""
        conversation = Conversation.read(state["messages"])
        fault = self._to_correct(conversation)
        if fault is None or budget_left(self.budget, conversation).calls == 0:
            return None
        tell("corrects", text=fault.told)
        return Command(goto="agent")

    def requests(self, conversation: Conversation) -> dict[int, str]:
        """What the model is asked after each answer that went back, by the answer's position."""
        went_on = (at for at in range(len(conversation)) if _went_on(conversation, at))
        return {at: fault.request for at in went_on if (fault := self._fault(conversation, at))}

    def is_due(self, conversation: Conversation) -> bool:
        """Whether the next model call is a correction: the last message is an answer that went back."""
        return self._fault(conversation, len(conversation) - 1) is not None

    def _to_correct(self, conversation: Conversation) -> _Fault | None:
        """What is wrong with the last message; nothing when an answer went back before to its question."""
        last = len(conversation) - 1
        fault = self._fault(conversation, last)
        before = range(conversation.question.start, last) if fault and conversation.question else []
        return None if any(self._fault(conversation, at) for at in before) else fault

    def _fault(self, conversation: Conversation, at: int) -> _Fault | None:
        """What is wrong with the message at ``at``, if it is a whole answer of this agent."""
        message = conversation.messages[at]
        if not _is_answer(message) or (self.name and message.name not in (None, self.name)):
            return None
        return conversation.fact(("fault", self.limits, at), lambda: self._found(conversation, at))

    def _found(self, conversation: Conversation, at: int) -> _Fault | None:
        text = conversation.messages[at].text
        _, unseen = check_at(conversation, self.limits, at).cited(text)
        if unseen:
            return _Fault(tuple(dict.fromkeys(citation.label for citation in unseen)))
        uncited = lacks_citations(text, conversation.documents(at)) and _expects_facts(conversation, at)
        return _Fault() if uncited else None


def _went_on(conversation: Conversation, at: int) -> bool:
    """Whether no question follows the message: what follows, or the next call, belongs to the same one."""
    following = conversation.messages[at + 1] if at + 1 < len(conversation) else None
    return following is None or role_of(following) != "question"


def _expects_facts(conversation: Conversation, at: int) -> bool:
    """Whether the message at ``at`` answers more than a greeting: a tool was called for it, or something was asked."""
    question = next((one for one in reversed(conversation.questions) if one.start <= at), None)
    return question is not None and (bool(question.replies) or asks_something(question.text))


def _is_answer(message: BaseMessage) -> bool:
    whole = not is_cut_off(message)
    return whole and isinstance(message, AIMessage) and role_of(message) == "model" and not message.tool_calls
