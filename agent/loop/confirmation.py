"""Waits for a person's word before a step that costs much, by LangGraph's own `interrupt`.

A run that waits is gone on with by ``Command(resume=True)``, or `resume`; another value refuses the step, and the model
answers with what it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langgraph.types import interrupt

from pagesight.agent.hydrate import call_context
from pagesight.indexing.calls.prices import ModelCall
from pagesight.indexing.errors import RequestError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, views_so_far
from pagesight.tools.messages.authorship import Author, confirmed_dollars, with_confirmed
from pagesight.tools.messages.conversation import VIEW_PAGES, Conversation
from pagesight.tools.view_pages import requested_views

#: Tokens of a picture at the default resolution of Gemini 3 and later (docs/cost.md); others count fewer for a page.
_TOKENS_OF_A_PICTURE = 1120


@dataclass(frozen=True)
class ConfirmBefore:
    """Which steps wait for a word: those that look at more than ``pages`` new pages at once, and those by which the
    question comes to cost more than ``dollars``, then each that many dollars further. None does not wait."""

    pages: int | None = None
    dollars: float | None = None


@dataclass(frozen=True)
class Confirmation:
    """Asks before the tools of a step are called, while nothing of it is paid for."""

    wanted: ConfirmBefore
    allowed: AllowedDocuments
    budget: Budget
    author: Author

    def asked(self, state: Any) -> dict[str, Any] | None:
        """For the place after the model: the state's update once it was asked; None where nobody needs to be."""
        conversation = Conversation.of_state(state, self.author)
        message = conversation.messages[-1]
        if not isinstance(message, AIMessage) or not conversation.is_own(len(conversation) - 1):
            return None
        pages, dollars = self._new_pages(conversation, message), self._dollars(conversation)
        estimate = dollars + self._next_dollars(message, len(pages))
        if not message.tool_calls or not self._is_much(len(pages), estimate - self._confirmed(conversation)):
            return None
        told = {"question": conversation.question.text if conversation.question else "", "pages": pages,
                "dollars_so_far": round(dollars, 6), "dollars_with_this_step": round(estimate, 6)}  # fmt: skip
        said = interrupt(told)
        return {"messages": [with_confirmed(message, estimate)] if said is True else _refusals(message, said)}

    def _is_much(self, pages: int, dollars: float) -> bool:
        """Whether so many new pages, or so much more than was confirmed, wait for a word."""
        most = self.wanted
        return (most.pages is not None and pages > most.pages) or (most.dollars is not None and dollars > most.dollars)

    def _new_pages(self, conversation: Conversation, message: AIMessage) -> list[str]:
        """The labels of pages and regions that the step would look at for the first time."""
        known, new = views_so_far(conversation), []
        allowed = self.allowed.within(call_context())
        for call in message.tool_calls:
            if call["name"] != VIEW_PAGES:
                continue
            try:
                given = call["args"]
                asked = requested_views(allowed, given["pages"], given.get("region"), given.get("neighbours")).views
            except (RequestError, KeyError, TypeError, ValueError, AttributeError):
                continue  # the tool says what is wrong with it
            new += [view.label for view in asked if view not in known]
        return list(dict.fromkeys(new))

    def _dollars(self, conversation: Conversation) -> float:
        question, tariff = conversation.question, self.budget.tariff
        if question is None or tariff is None:
            return 0.0
        return tariff.at_most(question.model_calls) + question.before.get("dollars", 0.0)

    def _next_dollars(self, message: AIMessage, pages: int) -> float:
        """What the model's next call will cost at least: all that it was sent, what it said, and the new pictures."""
        usage = message.usage_metadata
        if self.budget.tariff is None or usage is None:
            return 0.0
        tokens = usage["total_tokens"] + pages * _TOKENS_OF_A_PICTURE
        sent = UsageMetadata(input_tokens=tokens, output_tokens=0, total_tokens=tokens)
        return self.budget.tariff.at_most([ModelCall(sent, "")])

    def _confirmed(self, conversation: Conversation) -> float:
        said = conversation.question.model_messages if conversation.question else []
        return max(map(confirmed_dollars, said), default=0.0)


def _refusals(message: AIMessage, said: Any) -> list[ToolMessage]:
    """The replies to a step's calls that a person did not want."""
    why = f": {said}" if isinstance(said, str) and said.strip() else ""
    refusal = f"This step was refused{why}. Go on without it, or answer with what you have seen."
    return [
        ToolMessage(refusal, name=call["name"], tool_call_id=call["id"] or "", status="error")
        for call in message.tool_calls
    ]
