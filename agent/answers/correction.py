"""An answer that cites pages which the model was not shown goes back to it, once, to be mended.

The request stands in the model's call and not in the conversation: it is made anew, for each call, from the answer that
went back, so checkpoints, budgets and other graphs see two answers and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.types import Command

from pagesight.agent.answers.answer import check_for
from pagesight.indexing.calls.progress import tell
from pagesight.tools.budget import Budget, left
from pagesight.tools.conversation import is_cut_off, this_question

if TYPE_CHECKING:
    from pagesight.agent.hydrate import CallLimits

_REQUEST = """\
Your answer cites pages that you have not been shown: {labels}. Look at them with view_pages if you need them, else
leave out what only they would support. Then write the whole answer again, with citations to pages that you have been
shown only; do not mention this correction."""


def mending(limits: CallLimits, budget: Budget) -> Callable[[dict[str, Any]], Command | None]:
    """For ``post_model_hook`` of `create_react_agent`: sends an answer back whose citations are to be mended."""

    def send_back(state: dict[str, Any]) -> Command | None:
        messages = state["messages"]
        labels = _to_mend(messages, limits)
        if not labels or left(budget, messages).calls == 0:
            return None
        tell("mends", text=f"cited {'; '.join(labels)} without having looked: asked to mend that")
        return Command(goto="agent")

    return send_back


def requests(limits: CallLimits) -> Runnable[list[BaseMessage], list[BaseMessage]]:
    """Puts the request to mend after each answer that went back, into the messages of one model call."""

    def with_requests(messages: list[BaseMessage]) -> list[BaseMessage]:
        asked: list[BaseMessage] = []
        for at, message in enumerate(messages):
            asked.append(message)
            follower = messages[at + 1] if at + 1 < len(messages) else None
            if not isinstance(follower, HumanMessage) and (labels := _unverified(messages[: at + 1], limits)):
                asked.append(HumanMessage(_REQUEST.format(labels="; ".join(labels))))
        return asked

    return RunnableLambda(with_requests, name="requests")


def is_mending(messages: Sequence[BaseMessage], limits: CallLimits) -> bool:
    """Whether the next model call is one that mends: the last message is an answer that went back."""
    return bool(_unverified(messages, limits))


def _to_mend(messages: Sequence[BaseMessage], limits: CallLimits) -> list[str]:
    """The labels that the last message cites without grounds; none when an answer to this question went back before."""
    labels = _unverified(messages, limits)
    start = len(messages) - len(this_question(messages))
    before = range(start, len(messages) - 1)
    return [] if labels and any(_unverified(messages[: at + 1], limits) for at in before) else labels


def _unverified(messages: Sequence[BaseMessage], limits: CallLimits) -> list[str]:
    """The labels of pages that the last message, if it is a whole answer, cites and that were not shown."""
    last = messages[-1]
    if not _is_answer(last) or is_cut_off(last):
        return []
    _, unverified = check_for(messages, limits).cited(last.text)
    return list(dict.fromkeys(citation.label for citation in unverified))


def _is_answer(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and not message.tool_calls
