"""An answer that cites pages which the model was not shown, or none, or that others read differently, goes back to it,
once, to be corrected.

The request stands in the mark of the answer that went back, from where it is put into each later call: checkpoints,
budgets and other graphs see two answers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import Command

from pagesight.agent.answers.citation_check import check_at
from pagesight.agent.answers.citations import NOT_FOUND, asks_something, lacks_citations
from pagesight.agent.answers.claims.claim import Claim, read_claims
from pagesight.indexing.calls.progress import tell
from pagesight.tools.budget import Budget
from pagesight.tools.messages.authorship import Author, answer_text, as_draft, claims_of, correction_of, samples_of
from pagesight.tools.messages.conversation import Conversation, Question, is_cut_off
from pagesight.tools.messages.sent_pictures import CallLimits

_UNSEEN = """\
Your answer cites pages that you have not been shown: {labels}. Look at them with view_pages if you need them, else
leave out what only they would support. Then write the whole answer again, with citations to pages that you have been
shown only; do not mention this correction."""

_UNCITED = f"""\
Your answer holds no citation that can be read. Write the whole answer again with a citation such as
[annual-report.pdf p. 12] after each statement, to pages that you have been shown; look at them with view_pages if you
need them, and leave out what none supports. If the documents do not hold the answer, begin with "{NOT_FOUND}". What
states nothing about documents stays as it is; do not mention this correction."""

_UNSUPPORTED = """\
The words of the pages that you cite do not say this:
{claims}
Look again where you need to. Then write the whole answer again: correct what is wrong, cite the page and region where
each number stands, and keep what you have really read off a picture. Do not mention this correction."""

_DIFFERS = """Others who looked at the same pages answered the question differently:
{answers}
Look at the place once more with view_pages, with a region where it is small, and decide what is right. Then write the
whole answer again, with its citations; do not mention the others."""


@dataclass(frozen=True)
class _Fault:
    """What is wrong with an answer.

    ``unseen`` are labels that it cites without grounds, ``unsupported`` claims that what it cites does not say,
    ``differing`` what others say to the same pages; ``uncited`` is an answer that cites nothing.
    """

    unseen: tuple[str, ...] = ()
    unsupported: tuple[Claim, ...] = ()
    uncited: bool = False
    differing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.unseen or self.unsupported or self.uncited or self.differing)

    @property
    def request(self) -> str:
        asked = [self._of_citations()] if self.unseen or self.unsupported or self.uncited else []
        if self.differing:
            asked.append(_DIFFERS.format(answers="\n".join(f"- {one}" for one in self.differing)))
        return "\n\n".join(asked)

    def _of_citations(self) -> str:
        if self.unsupported:
            claims = "\n".join(f"- {claim.text!r}: {claim.reason}" for claim in self.unsupported)
            return _UNSUPPORTED.format(claims=claims)
        return _UNSEEN.format(labels="; ".join(self.unseen)) if self.unseen else _UNCITED

    @property
    def told(self) -> str:
        if self.differing:
            return f"others read the same pages differently ({'; '.join(self.differing)}): asked to look once more"
        if self.unsupported:
            return f"said {_counted(len(self.unsupported))} that the cited words do not say: asked to correct that"
        if self.unseen:
            return f"cited {'; '.join(self.unseen)} without having looked: asked to correct that"
        return "answered without a citation: asked to cite the pages"


@dataclass(frozen=True)
class Correction:
    """Finds the answers that cite what was not shown, or nothing, and sends one back for each question.

    Only those of the ``author`` are looked at; without one all are.
    """

    limits: CallLimits
    budget: Budget
    author: Author | None = None

    def send_back(self, state: Any) -> Command[str] | None:
        """For ``post_model_hook`` of `create_react_agent`: back to the model with an answer that is to be corrected."""
        conversation = Conversation.of_state(state, self.author)
        fault = self._to_correct(conversation)
        if fault is None or conversation.question is None or conversation.question.calls >= self.budget.calls:
            return None
        tell("corrects", text=fault.told)
        draft = as_draft(conversation.messages[-1], fault.request)
        return Command(goto="agent", update={"messages": [draft]})

    def is_due(self, conversation: Conversation) -> bool:
        """Whether the next model call is a correction: the last message is an answer that went back."""
        last = len(conversation) - 1
        return last >= 0 and conversation.is_own(last) and bool(correction_of(conversation.messages[last]))

    def _to_correct(self, conversation: Conversation) -> _Fault | None:
        """What is wrong with the last message; nothing when an answer went back before to its question."""
        fault = self._fault(conversation, len(conversation) - 1)
        asked = conversation.question.model_messages if fault and conversation.question else []
        return None if any(map(correction_of, asked)) else fault

    def _fault(self, conversation: Conversation, at: int) -> _Fault | None:
        """What is wrong with the message at ``at``, the last one, if it is a whole answer of this agent."""
        if not _is_answer(conversation, at):
            return None
        return conversation.fact(("fault", self.limits, at), lambda: self._found(conversation, at))

    def _found(self, conversation: Conversation, at: int) -> _Fault | None:
        message = conversation.messages[at]
        fault = replace(self._of_citations(conversation, at), differing=tuple(samples_of(message).get("differ", ())))
        return fault or None

    def _of_citations(self, conversation: Conversation, at: int) -> _Fault:
        text = answer_text(conversation.messages[at])
        _, unseen = check_at(conversation, self.limits, at).cited(text)
        if unseen:
            return _Fault(unseen=tuple(dict.fromkeys(citation.label for citation in unseen)))
        if lacks_citations(text, conversation.documents(at)) and _expects_facts(conversation.question):
            return _Fault(uncited=True)
        claims = read_claims(claims_of(conversation.messages[at]))
        return _Fault(unsupported=tuple(one for one in claims if one.outcome == "unsupported" and one.citations))


def _counted(claims: int) -> str:
    return "a thing" if claims == 1 else f"{claims} things"


def _expects_facts(question: Question | None) -> bool:
    """Whether an answer is more than a greeting: a tool was called for it, or something was asked."""
    return question is not None and (bool(question.replies) or asks_something(question.text))


def _is_answer(conversation: Conversation, at: int) -> bool:
    message = conversation.messages[at]
    whole = not is_cut_off(message)
    return whole and isinstance(message, AIMessage) and conversation.is_own(at) and not message.tool_calls
