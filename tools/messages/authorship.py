"""Who made a message. An agent marks what its model says, and knows its own by that mark: names alone are others' too.

langgraph-supervisor, for one, speaks in the name of its agents. The mark also says what a state cannot show otherwise:
which pages went along with the request that the message answers, and that an answer went back to be corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage

#: The key of the mark in ``response_metadata``, which no provider is sent.
MARK = "pagesight"

Message = TypeVar("Message", bound=BaseMessage)


@dataclass(frozen=True)
class Author:
    """An agent, by its name and by what tells its index from others."""

    agent: str
    index: str

    def wrote(self, message: BaseMessage) -> bool:
        """Whether the message has this agent's mark."""
        mark = _mark(message)
        return (mark.get("agent"), mark.get("index")) == (self.agent, self.index)

    def signed(
        self, message: BaseMessage, shown: Sequence[str] = (), withheld: Sequence[str] = (),
        before: Mapping[str, float] | None = None,
    ) -> BaseMessage:  # fmt: skip
        """A copy with the mark; claims that a reasoner itself gave grounds for stay in it.

        ``shown`` are the labels of pages that the request was the first to bring along, ``withheld`` those shown
        earlier that lie outside of what this call may see, and ``before`` is what the run had spent before it.
        """
        spent = {name: amount for name, amount in (before or {}).items() if amount}
        said = {key: one for key, one in (("withheld", list(withheld)), ("before", spent)) if one}
        claims = {"claims": given} if (given := claims_of(message)) else {}
        return _marked(message, {**asdict(self), "shown": list(shown), **said, **claims})


def read_author(message: BaseMessage) -> Author | None:
    """Whose mark the message has; None without one."""
    mark = _mark(message)
    agent, index = mark.get("agent"), mark.get("index")
    return Author(agent, index) if isinstance(agent, str) and isinstance(index, str) else None


def shown_with(message: BaseMessage) -> list[str] | None:
    """The labels of the pages that the mark says were shown; None where it says nothing of them."""
    shown = _mark(message).get("shown")
    return [label for label in shown if isinstance(label, str)] if isinstance(shown, list) else None


def withheld_from(message: BaseMessage) -> list[str]:
    """The labels of pages that the call which brought the message could not rest on, whatever was shown earlier."""
    withheld = _mark(message).get("withheld")
    return [label for label in withheld if isinstance(label, str)] if isinstance(withheld, list) else []


def spent_before(message: BaseMessage) -> Mapping[str, float]:
    """What the run had spent before the message: calls, searches, pages, dollars; a history may be cut in between."""
    spent = _mark(message).get("before")
    return spent if isinstance(spent, Mapping) else {}


def with_answerer(message: BaseMessage, reasoner: str) -> BaseMessage:
    """A copy that says which reasoner of a chain of fallbacks brought it, where it was not the first."""
    return _marked(message, {**_mark(message), "by": reasoner})


def answered_by(message: BaseMessage) -> str:
    """The reasoner that brought a message; "" for the agent's first one."""
    reasoner = _mark(message).get("by")
    return reasoner if isinstance(reasoner, str) else ""


def with_form(message: BaseMessage, form: Mapping[str, Any]) -> BaseMessage:
    """A copy of an answer with the form that it was put into: its ``value``, and what that took."""
    return _marked(message, {**_mark(message), "form": dict(form)})


def form_of(message: BaseMessage) -> Mapping[str, Any]:
    """The form that an answer was put into, and what that took; empty without one."""
    form = _mark(message).get("form")
    return form if isinstance(form, Mapping) else {}


def with_confirmed(message: BaseMessage, dollars: float) -> BaseMessage:
    """A copy of a step that a person allowed, at what the question costs with it."""
    return _marked(message, {**_mark(message), "confirmed": dollars})


def confirmed_dollars(message: BaseMessage) -> float:
    """What a person allowed the question to cost with this step; 0 for one that nobody was asked about."""
    dollars = _mark(message).get("confirmed")
    return float(dollars) if isinstance(dollars, int | float) else 0.0


def with_shown(message: BaseMessage, drafts: Sequence[BaseMessage]) -> BaseMessage:
    """A copy that also counts as the first with the pages that these ``drafts``, which go away, were the first with."""
    shown = dict.fromkeys(label for one in [*drafts, message] for label in shown_with(one) or [])
    return _marked(message, {**_mark(message), "shown": list(shown)}) if drafts else message


def as_draft(message: BaseMessage, request: str) -> BaseMessage:
    """A copy of an answer that goes back to the model with this request to correct it."""
    return _marked(message, {**_mark(message), "correct": request})


def with_claims(
    message: Message, claims: Sequence[Mapping[str, Any]], text: str = "", changes: Sequence[str] = ()
) -> Message:
    """A copy of an answer with its claims, checked.

    ``text`` is the answer with its citations corrected, if ``changes``, a line each, were made in them. The message
    itself keeps what the model wrote: providers compare and sign it.
    """
    settled = {"text": text, "changes": list(changes)} if text else {}
    return _marked(message, {**_mark(message), "claims": [dict(claim) for claim in claims], **settled})


def answer_text(message: BaseMessage) -> str:
    """The text of an answer, its citations as they were corrected."""
    text = _mark(message).get("text")
    return text if isinstance(text, str) and text else message.text


def changes_of(message: BaseMessage) -> list[str]:
    """What was changed in the citations of an answer, a line each."""
    changes = _mark(message).get("changes")
    return [str(change) for change in changes] if isinstance(changes, list) else []


def with_looks(message: BaseMessage, looks: Mapping[str, Any]) -> BaseMessage:
    """A copy of an answer with what was looked at to check its claims, and what that took."""
    return _marked(message, {**_mark(message), "looks": dict(looks)})


def looks_of(message: BaseMessage) -> Mapping[str, Any]:
    """What was looked at to check an answer's claims, and what that took; empty for nothing."""
    looks = _mark(message).get("looks")
    return looks if isinstance(looks, Mapping) else {}


def with_samples(message: BaseMessage, samples: Mapping[str, Any]) -> BaseMessage:
    """A copy of an answer with the short answers to the same pages that it was compared with, and what they took."""
    return _marked(message, {**_mark(message), "samples": dict(samples)})


def samples_of(message: BaseMessage) -> Mapping[str, Any]:
    """The short answers that an answer was compared with: ``differ`` what others say, and what they took."""
    samples = _mark(message).get("samples")
    return samples if isinstance(samples, Mapping) else {}


def claims_of(message: BaseMessage) -> list[Mapping[str, Any]]:
    """The claims that the mark of an answer holds; none where they were not checked."""
    claims = _mark(message).get("claims")
    return [claim for claim in claims if isinstance(claim, Mapping)] if isinstance(claims, list) else []


def correction_of(message: BaseMessage) -> str:
    """The request with which an answer went back; "" for one that did not."""
    request = _mark(message).get("correct")
    return request if isinstance(request, str) and isinstance(message, AIMessage) else ""


def _mark(message: BaseMessage) -> Mapping[str, Any]:
    mark = message.response_metadata.get(MARK)
    return mark if isinstance(mark, Mapping) else {}


def _marked(message: Message, mark: Mapping[str, Any]) -> Message:
    return message.model_copy(update={"response_metadata": {**message.response_metadata, MARK: dict(mark)}})
