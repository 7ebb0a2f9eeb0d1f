"""One call of the loop: the state's pages as the model takes them, its answer, signed as the agent's.

Each model of a chain of fallbacks gets the pages in its own form. Which loop goes around the calls makes no difference.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool
from langgraph.runtime import Runtime

from pagesight.agent.answers.claims.blind_look import LookBudget
from pagesight.agent.answers.claims.claim_check import Asked, ClaimCheck
from pagesight.agent.answers.correction import Correction
from pagesight.agent.loop.comparison import Comparison
from pagesight.agent.loop.speakers import Speaker, Speakers
from pagesight.agent.reasoners.chains import chained
from pagesight.indexing.calls.whole_text import whole_text
from pagesight.indexing.errors import EmptyAnswer, EmptyQuestion, ReasonerError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.messages.authorship import (
    answered_by,
    read_author,
    shown_with,
    spent_before,
    with_answerer,
    withheld_from,
)
from pagesight.tools.messages.conversation import Conversation


@dataclass(frozen=True)
class ModelCalls:
    """Makes the model of each call: with tools while the budget lasts, then without, so that it must answer.

    ``verify`` has the claims of answers checked; ``looks`` allows looks at what their words cannot tell; ``comparison``
    asks others for short answers to the same pages.
    """

    speakers: Speakers
    tools: Sequence[BaseTool]
    budget: Budget
    correction: Correction
    allowed: AllowedDocuments
    verify: bool = False
    looks: LookBudget = field(default_factory=LookBudget)
    comparison: Comparison | None = None

    def next_call(self, state: Any, runtime: Runtime[Any]) -> Runnable[Any, BaseMessage]:
        """The call that the state asks for: state → the model's message.

        Raises EmptyQuestion, EmptyAnswer when the budget is used up, and for a context that cannot be read.
        """
        conversation = Conversation.of_state(state, self.correction.author)
        if conversation.asks_nothing:
            raise EmptyQuestion("the question is empty: ask something about the documents")
        if conversation.under_way is None or not conversation.under_way.model_messages:
            self.allowed.within(runtime.context)  # what cannot be read in it is an error now, no reply to the model
        rest = budget_left(self.budget, conversation)
        if rest.calls == 0 or self._was_told(conversation):
            raise self._no_answer(self.budget.calls - rest.calls)
        chosen = self._compared(self._checked(self._last if rest.must_answer else self._usual, runtime), runtime)
        return _or_as_it_is(chosen, conversation.messages[-1]) if self.correction.is_due(conversation) else chosen

    def _no_answer(self, calls: int) -> EmptyAnswer:
        return EmptyAnswer(
            f"{self.speakers.first.reasoner.name} kept calling tools and gave no answer in {calls} model calls: ask "
            "for less at once, allow more with PAGESIGHT_CALLS_PER_QUESTION, or take another model with "
            "PAGESIGHT_REASONER"
        )

    @cached_property
    def _usual(self) -> Runnable[Any, BaseMessage]:
        return chained(self.speakers.model, partial(self._link, last=False))

    @cached_property
    def _last(self) -> Runnable[Any, BaseMessage]:
        return chained(self.speakers.model, partial(self._link, last=True))

    def _was_told(self, conversation: Conversation) -> bool:
        """Whether the last call was made without a cent left: who cannot be made to answer then has had its last."""
        said, dollars = conversation.under_way.model_messages if conversation.under_way else [], self.budget.dollars
        return bool(said and dollars is not None and spent_before(said[-1]).get("dollars", 0) >= dollars)

    def _link(self, model: BaseChatModel, options: Mapping[str, Any], *, last: bool) -> Runnable[Any, BaseMessage]:
        """One chat model's call: state → its message, marked as the agent's, as the prompt of the call says."""
        speaker = self.speakers.each[id(model)]
        # Those that cannot be forced are told, and the loop ends after them.
        forced = {"tool_choice": "none"} if last and speaker.reasoner.can.forced_answer else {}
        bound = speaker.reasoner.model.bind_tools(self.tools, **{**options, **forced})

        def call(state: Any, config: RunnableConfig) -> BaseMessage:
            messages = self._as_read_by(speaker, speaker.hydrator.messages(state))
            return self._signed(speaker, state, bound.invoke(messages, config), messages[0])

        async def acall(state: Any, config: RunnableConfig) -> BaseMessage:
            messages = self._as_read_by(speaker, await speaker.hydrator.amessages(state))
            return self._signed(speaker, state, await bound.ainvoke(messages, config), messages[0])

        return RunnableLambda(call, acall, name="reasoner")

    def _as_read_by(self, speaker: Speaker, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The messages; what another model of the chain has said goes without what only its provider reads."""
        own = "" if speaker is self.speakers.first else speaker.reasoner.name
        return [
            _plain(message)
            if isinstance(message, AIMessage) and read_author(message) and answered_by(message) != own
            else message
            for message in messages
        ]

    def _signed(self, speaker: Speaker, state: Any, answer: BaseMessage, prompt: BaseMessage) -> BaseMessage:
        conversation = Conversation.of_state(state, self.correction.author)
        author, answer = read_author(prompt), _with_own_ids(_with_whole_text(answer), conversation)
        if author is None:
            return answer
        spent = budget_left(self.budget, conversation).spent_of(self.budget)
        marked = author.signed(answer, shown_with(prompt) or [], withheld_from(prompt), spent)
        return marked if speaker is self.speakers.first else with_answerer(marked, speaker.reasoner.name)

    def _checked(self, model: Runnable[Any, BaseMessage], runtime: Runtime[Any]) -> Runnable[Any, BaseMessage]:
        """The model, the claims of whose answers are checked, where that is asked for."""
        if not self.verify:
            return model
        reader = chained(self.speakers.model, self.speakers.reading) if self.looks.calls else None
        check = ClaimCheck(self.allowed.within(runtime.context), reader, self.looks)

        def checked(state: Any, config: RunnableConfig) -> BaseMessage:
            answer = model.invoke(state, config)
            return check.of(answer, self._asked(state, answer)) if self._sees(answer) else answer

        async def achecked(state: Any, config: RunnableConfig) -> BaseMessage:
            answer = await model.ainvoke(state, config)
            return await check.aof(answer, self._asked(state, answer)) if self._sees(answer) else answer

        return RunnableLambda(checked, achecked, name="claims")

    def _compared(self, model: Runnable[Any, BaseMessage], runtime: Runtime[Any]) -> Runnable[Any, BaseMessage]:
        """The model, whose answers are compared with short ones to the same pages, where that is asked for."""
        comparison = self.comparison
        if comparison is None:
            return model
        allowed = self.allowed.within(runtime.context)

        def compared(state: Any, config: RunnableConfig) -> BaseMessage:
            conversation = Conversation.of_state(state, self.correction.author)
            return comparison.of(model.invoke(state, config), conversation, allowed)

        async def acompared(state: Any, config: RunnableConfig) -> BaseMessage:
            conversation = Conversation.of_state(state, self.correction.author)
            return await comparison.aof(await model.ainvoke(state, config), conversation, allowed)

        return RunnableLambda(compared, acompared, name="comparison")

    def _asked(self, state: Any, answer: BaseMessage) -> Asked:
        """What the check of an answer goes by: the pages shown with it or before, and the looks of its question."""
        conversation = Conversation.of_state(state, self.correction.author)
        shown = conversation.sent_pictures(self.correction.limits).labels_shown() | {*(shown_with(answer) or [])}
        return Asked(shown - {*withheld_from(answer)}, conversation.under_way.looks if conversation.under_way else ())

    def _sees(self, answer: BaseMessage) -> bool:
        """Whether a model that looks at pages wrote it: what one quotes without looking is not checked."""
        name = answered_by(answer)
        by = next((one for one in self.speakers.each.values() if one.reasoner.name == name), self.speakers.first)
        return by.way is not None


def _plain(message: AIMessage) -> AIMessage:
    """The text and the calls of a message: signatures and thoughts mean nothing to another model, and are refused."""
    return message.model_copy(update={"content": message.text, "additional_kwargs": {}})


def _with_whole_text(answer: BaseMessage) -> BaseMessage:
    """The message without half characters, which messages made of its text refuse."""
    if answer.text == whole_text(answer.text):
        return answer
    blocks = [answer.content] if isinstance(answer.content, str) else answer.content
    content = [whole_text(one) if isinstance(one, str) else _with_whole_words(one) for one in blocks]
    return answer.model_copy(update={"content": content[0] if isinstance(answer.content, str) else content})


def _with_whole_words(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, "text": whole_text(block["text"])} if isinstance(block.get("text"), str) else block


def _with_own_ids(answer: BaseMessage, conversation: Conversation) -> BaseMessage:
    """The message, whose calls have ids that no call before them has: some models count theirs anew each time, and
    LangGraph then takes a call for one that has its reply."""
    if not isinstance(answer, AIMessage) or not answer.tool_calls:
        return answer
    taken, calls = conversation.call_ids, []
    for call in answer.tool_calls:
        own = call["id"] if call["id"] and call["id"] not in taken else f"call_{uuid.uuid4().hex[:16]}"
        taken.add(own)
        calls.append({**call, "id": own})
    return answer if calls == answer.tool_calls else answer.model_copy(update={"tool_calls": calls})


def _or_as_it_is(model: Runnable[Any, BaseMessage], answer: BaseMessage) -> Runnable[Any, BaseMessage]:
    """The model; when it fails to correct its answer, the answer stays, and what is not verified in it is marked."""
    as_it_is: Runnable[Any, BaseMessage] = RunnableLambda(
        lambda state: author.signed(AIMessage(answer.text)) if (author := read_author(answer)) else answer
    )
    return model.with_fallbacks([as_it_is], exceptions_to_handle=(ReasonerError,))
