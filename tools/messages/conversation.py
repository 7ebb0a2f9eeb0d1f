"""A conversation read from its messages, once: its questions, what the model said, what the tools brought.

Everything that the agent decides from (budgets, pictures of a call, citations, answers) is read here. Where others
write too, what an agent goes by is what it made itself, and of that its last run. A conversation that goes on is read
on from where it stood, so a step of a long one costs what is new in it.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from pagesight.indexing.labels.printed_labels import by_label
from pagesight.indexing.pages import Hit, PageRef
from pagesight.tools.messages.authorship import (
    MARK,
    Author,
    correction_of,
    shown_with,
    withheld_from,
)
from pagesight.tools.messages.page_view import PageView
from pagesight.tools.messages.question import ATTEMPTS, Question
from pagesight.tools.messages.sent_pictures import CallLimits, SentPictures
from pagesight.tools.messages.tool_reply import (
    LIST_DOCUMENTS,
    LOCATE,
    OUTLINE,
    READ_PAGES,
    SEARCH_PAGES,
    VIEW_PAGES,
    ToolReply,
    read_tool_reply,
)

__all__ = [
    "ATTEMPTS",
    "LIST_DOCUMENTS",
    "LOCATE",
    "OUTLINE",
    "READ_PAGES",
    "SEARCH_PAGES",
    "VIEW_PAGES",
    "Conversation",
    "PageView",
    "Question",
    "ToolReply",
    "is_cut_off",
    "role_of",
]

#: Conversations that are kept to be read on: a guess at how many one process answers at once, not measured.
_KEPT = 16

Fact = TypeVar("Fact")


def role_of(message: BaseMessage) -> Literal["question", "model", "tool", "other"]:
    """Whose message it is: a question to the agent, what its model said, a tool's reply, or none of these.

    The one place where this is decided; all else asks it.
    """
    if isinstance(message, HumanMessage):
        return "other" if MARK in message.response_metadata else "question"
    if isinstance(message, AIMessage):
        return "model"
    return "tool" if isinstance(message, ToolMessage) else "other"


def is_cut_off(message: BaseMessage) -> bool:
    """Whether an answer stopped before its end, since its tokens were used up and it did not go on."""
    return message.response_metadata.get("finish_reason") in ("MAX_TOKENS", "CONTINUATION")


class Conversation:
    """A conversation's messages, read. It does not change; `read` gives the one that goes on from it.

    ``replies`` are the tools' by the position of their message, also those that others called. With an ``author`` only
    its messages are the model's; without one all are.
    """

    def __init__(
        self, messages: Sequence[BaseMessage], before: Conversation | None = None, author: Author | None = None
    ):
        self.messages = list(messages)
        self.author: Author | None = before.author if before else author
        self.replies: dict[int, ToolReply] = {}
        self._starts: list[int] = []
        self._documents: dict[str, int] = {}
        self._printed: dict[str, dict[int, str]] = {}
        self._facts: dict[Hashable, Any] = {}
        self._own: set[int] = set()
        #: Whether the last call with an id was the author's: some models count their calls anew in each message.
        self._callers: dict[str | None, bool] = {}
        self._called: dict[str | None, str] = {}
        self._run = _OwnRun()
        self._sent: dict[CallLimits, SentPictures] = {}
        if before:
            self._take_over(before)
        read = len(before) if before else 0
        for position in range(read, len(self.messages)):
            self._add(position)
        for limits, pictures in [*self._sent.items()]:
            self._sent[limits] = self._with_messages(SentPictures(limits, pictures), read)

    def _take_over(self, before: Conversation) -> None:
        """What was read of the messages that this conversation begins with."""
        self.replies.update(before.replies)
        self._starts += before._starts
        self._documents.update(before._documents)
        self._printed.update({name: dict(printed) for name, printed in before._printed.items()})
        self._facts.update(before._facts)
        self._own |= before._own
        self._callers.update(before._callers)
        self._called.update(before._called)
        self._run = before._run
        self._sent.update(before._sent)

    def __len__(self) -> int:
        return len(self.messages)

    @staticmethod
    def read(messages: Sequence[BaseMessage], author: Author | None = None) -> Conversation:
        """The conversation of these messages; read on from one that was read before where that is their beginning.

        Messages are known by identity: whoever changes one puts a copy in its place, as LangGraph's state does too.
        """
        with _lock:
            known = max((one for one in _recent if one._begins(messages, author)), key=len, default=None)
        if known is not None and len(known) == len(messages):
            return known
        conversation = Conversation(messages, known, author)
        if messages:
            with _lock:
                for older in [one for one in _recent if one is known or one._is_outgrown_by(conversation)]:
                    _recent.remove(older)
                _recent.append(conversation)
        return conversation

    @staticmethod
    def of_state(state: Any, author: Author | None = None) -> Conversation:
        """That of a graph's state, a mapping or a model of Pydantic's."""
        return Conversation.read(state["messages"] if isinstance(state, Mapping) else state.messages, author)

    def is_own(self, position: int) -> bool:
        """Whether the message is the author's: its model's, or a reply to a call of its model's."""
        return position in self._own

    @cached_property
    def asked_at(self) -> int | None:
        """Where the last question stands: with a person, or, where no person has said anything, with another agent."""
        if self._starts:
            return self._starts[-1]
        others = [at for at, one in enumerate(self.messages) if isinstance(one, AIMessage) and at not in self._own]
        return next((at for at in reversed(others) if self.messages[at].text.strip()), None)

    @property
    def asks_nothing(self) -> bool:
        """Whether there is no question, or an empty one; a run whose question was cut off goes on."""
        if self.asked_at is None:
            return not self._is_under_way
        message = self.messages[self.asked_at]
        return not message.text.strip() and not (isinstance(message.content, list) and message.content)

    @property
    def asked(self) -> list[str]:
        """The questions so far, in their words."""
        at = self._starts or ([] if self.asked_at is None else [self.asked_at])
        return [self.messages[position].text for position in at]

    @cached_property
    def questions(self) -> list[Question]:
        """The questions in order; what stands before the first belongs to none."""
        return [self._question(*ends) for ends in pairwise([*self._starts, len(self.messages)])]

    @cached_property
    def question(self) -> Question | None:
        """The last question; None when nothing was asked. With an author, what its last run did for it."""
        if self.author is None:
            return self._question(self._starts[-1], len(self.messages)) if self._starts else None
        asked = self.asked_at is not None or self._is_under_way
        return self._question(self._run.start, len(self.messages)) if asked else None

    @property
    def _is_under_way(self) -> bool:
        return not self._run.ended and any(at in self._own for at in range(self._run.start, len(self.messages)))

    @property
    def under_way(self) -> Question | None:
        """The question that the next call is made for: after an answer of the author's a new run begins."""
        if self.author is None or not self._run.ended or self.question is None:
            return self.question
        return self._question(len(self.messages), len(self.messages))

    def withheld(self, position: int) -> list[str]:
        """The labels of pages that the message cannot rest on, since they lie outside of what its call could see."""
        return withheld_from(self.messages[position]) if self.is_own(position) else []

    @property
    def call_ids(self) -> set[str]:
        """The ids of the calls and replies of tools so far, whoever made them."""
        replied = {one.tool_call_id for one in self.messages if isinstance(one, ToolMessage)}
        return replied | {name for name in self._callers if name}

    @property
    def refs_viewed(self) -> list[PageRef]:
        """The pages that the author's tools named to be looked at or read, each once."""
        own = [self.replies[at] for at in sorted(self._own) if at in self.replies]
        return list(dict.fromkeys(view.ref for reply in own for view in reply.seen))

    def documents(self, last: int | None = None) -> dict[str, dict[str, int]]:
        """The names of the documents whose pages were found or looked at up to the message ``last``, or at all.

        Each has the numbers of those pages by their printed labels.
        """
        names = [name for name, first in self._documents.items() if last is None or first <= last]
        return {name: by_label(self._printed.get(name, {}).items()) for name in names}

    def labels_read(self, last: int | None = None) -> set[str]:
        """The labels of the pages whose words the author's tools told before the message ``last``, or at all."""
        replies = [self.replies[at] for at in self._own if at in self.replies and (last is None or at < last)]
        return {view.ref.label for reply in replies for view in reply.read}

    def sent_pictures(self, limits: CallLimits) -> SentPictures:
        """The pictures of each model call within these limits. Not to be changed."""
        if limits not in self._sent:
            self._sent[limits] = self._with_messages(SentPictures(limits), 0)
        return self._sent[limits]

    def fact(self, key: Hashable, find: Callable[[], Fact]) -> Fact:
        """What ``find`` finds out of a message and those before it; the conversation that goes on keeps it.

        ``key`` names what it is and the message's position.
        """
        if key not in self._facts:
            self._facts[key] = find()
        found: Fact = self._facts[key]
        return found

    def _question(self, start: int, end: int) -> Question:
        text = (self.asked or [""])[-1] if self.author else self.messages[start].text
        return Question(self, start, end, text)

    def _add(self, position: int) -> None:
        message = self.messages[position]
        role = role_of(message)
        if role == "question":
            self._starts.append(position)
        elif isinstance(message, AIMessage):
            own = self.author is None or self.author.wrote(message)
            self._own |= {position} if own else set()
            self._callers |= {call["id"]: own for call in message.tool_calls}
            self._called |= {call["id"]: call["name"] for call in message.tool_calls}
        elif isinstance(message, ToolMessage):
            self._add_reply(position, message)
        self._run = self._run.after(position, message, own=position in self._own)

    def _add_reply(self, position: int, message: ToolMessage) -> None:
        if self.author is None or self._callers.get(message.tool_call_id):
            self._own.add(position)
        # Some who keep messages leave out whose reply it is.
        named = {"name": message.name or self._called.get(message.tool_call_id)}
        reply = read_tool_reply(message if message.name else message.model_copy(update=named))
        self.replies[position] = reply
        pages: list[PageView | Hit] = [*reply.seen, *reply.hits]
        for page in pages:
            self._documents.setdefault(page.ref.document, position)
            if page.printed_label:
                self._printed.setdefault(page.ref.document, {})[page.ref.page] = page.printed_label

    def _with_messages(self, pictures: SentPictures, start: int) -> SentPictures:
        for position in range(start, len(self.messages)):
            if position not in self._own:
                continue
            if position in self.replies:
                reply = self.replies[position]
                pictures.add_views(position, reply.views)
                if reply.located_on:
                    pictures.add_shown(position, reply.located_on)
            else:
                pictures.add_call(position, shown_with(self.messages[position]))
        return pictures

    def _is_outgrown_by(self, other: Conversation) -> bool:
        """Whether the other goes on from what this one holds as other objects: a thread's messages, loaded anew."""
        last = len(self) - 1
        if self.author != other.author or last >= len(other):
            return False
        ours, theirs = ((one.messages[0].id, one.messages[last].id) for one in (self, other))
        return ours == theirs and None not in ours

    def _begins(self, messages: Sequence[BaseMessage], author: Author | None) -> bool:
        same = self.author == author and len(self) <= len(messages)
        return same and all(map(operator.is_, self.messages, messages))


@dataclass(frozen=True)
class _OwnRun:
    """An agent's last run: it begins with its first message and ends with an answer, or with what another says."""

    start: int = 0
    ended: bool = False

    def after(self, position: int, message: BaseMessage, *, own: bool) -> _OwnRun:
        """The run when this message has come. Tools' replies and notes of the system interrupt none."""
        if own:
            answers = isinstance(message, AIMessage) and not message.tool_calls and not correction_of(message)
            return _OwnRun(position if self.ended else self.start, answers)
        return self if role_of(message) in ("tool", "other") and not self.ended else _OwnRun(position + 1)


_recent: deque[Conversation] = deque(maxlen=_KEPT)
_lock = threading.Lock()
