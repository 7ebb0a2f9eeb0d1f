"""One question of a conversation and what was done for it: what the model said, what the tools brought, the costs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ToolCall, ToolMessage

from pagesight.indexing.calls.prices import ModelCall
from pagesight.indexing.pages import Hit
from pagesight.tools.messages.authorship import form_of, looks_of, samples_of, spent_before
from pagesight.tools.messages.page_view import PageView
from pagesight.tools.messages.tool_reply import ToolReply

if TYPE_CHECKING:
    from pagesight.tools.messages.conversation import Conversation

#: Where an answer that took more than one attempt says how many, in its ``response_metadata``.
ATTEMPTS = "pagesight_attempts"


class Question:
    """A question and what was done for it: the messages from ``start`` to before ``end`` of a conversation.

    Where several agents write, these are of one agent's run; ``replies`` are those to its own calls.
    """

    def __init__(self, conversation: Conversation, start: int, end: int, text: str):
        self.start, self.end = start, end
        self.text = text
        self.messages = conversation.messages[start:end]
        own = [at for at in range(start, end) if conversation.is_own(at)]
        self.replies = [conversation.replies[at] for at in own if at in conversation.replies]
        self._own = [conversation.messages[at] for at in own]

    @cached_property
    def model_messages(self) -> list[AIMessage]:
        """What the model said, calls of tools counted in."""
        return [message for message in self._own if isinstance(message, AIMessage)]

    @cached_property
    def calls_of_tools(self) -> list[tuple[ToolCall, ToolReply | None]]:
        """The calls of tools, in order, each with its reply; None where there is none yet."""
        made: list[tuple[ToolCall, ToolReply | None]] = []
        last: dict[str | None, int] = {}
        replies = iter(self.replies)
        for message in self._own:
            if isinstance(message, ToolMessage):
                at = last[message.tool_call_id]
                made[at] = made[at][0], next(replies)
            else:
                for call in message.tool_calls if isinstance(message, AIMessage) else []:
                    last[call["id"]] = len(made)
                    made.append((call, None))
        return made

    @cached_property
    def views(self) -> list[PageView]:
        """The pages and regions that were looked at, each as often as it was."""
        return [view for reply in self.replies for view in reply.views]

    @cached_property
    def pages_shown(self) -> list[str]:
        """The labels of the pages that were looked at, or that a tool showed a model, in order."""
        views = [[*reply.views, *([reply.located_on] if reply.located_on else [])] for reply in self.replies]
        return [view.ref.label for of_one in views for view in of_one]

    @cached_property
    def hits(self) -> list[Hit]:
        """What the searches found, one search after the other."""
        return [hit for reply in self.replies for hit in reply.hits]

    @cached_property
    def before(self) -> Mapping[str, float]:
        """What was spent before the first message of the model's that is left: a history may be cut in a run."""
        return spent_before(self.model_messages[0]) if self.model_messages else {}

    @cached_property
    def looks(self) -> list[Mapping[str, Any]]:
        """What was looked at to check the claims of its answers, and what that took."""
        return [looks for message in self.model_messages if (looks := looks_of(message))]

    @cached_property
    def _beside(self) -> list[Mapping[str, Any]]:
        """What putting an answer into a form took, comparing it with others, and looking again for its claims."""
        made = [one for message in self.model_messages for one in (form_of(message), samples_of(message)) if one]
        return [*made, *self.looks]

    @property
    def calls(self) -> int:
        """How often a model was called: attempts that brought nothing and calls by tools counted in."""
        located = sum(reply.located is not None for reply in self.replies)
        earlier = int(self.before.get("calls", 0)) + sum(int(form.get("calls", 0)) for form in self._beside)
        return earlier + sum(_attempts(message) for message in self.model_messages) + located

    @property
    def model_calls(self) -> list[ModelCall]:
        """The tokens of each call, as the model's provider reports them, and which model answered."""
        said = [ModelCall(one.usage_metadata, _answered_by(one)) for one in self.model_messages if one.usage_metadata]
        for form in self._beside:
            said += [ModelCall(usage, str(form.get("model", ""))) for usage in form.get("usages", [])]
        return said + [reply.model_call for reply in self.replies if reply.model_call]


def _answered_by(message: AIMessage) -> str:
    return str(message.response_metadata.get("model_name") or "")


def _attempts(message: AIMessage) -> int:
    attempts = message.response_metadata.get(ATTEMPTS, 1)
    return attempts if isinstance(attempts, int) else 1
