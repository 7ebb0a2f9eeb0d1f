"""Reads the answer to a question from the conversation: its text, its citations checked, what it took."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage

from pagesight.agent.answers.agent_limits import AgentLimits
from pagesight.agent.answers.answer import Answer
from pagesight.agent.answers.citation_check import check_at
from pagesight.agent.answers.citations import says_not_found
from pagesight.agent.answers.claims.claim import read_claims
from pagesight.indexing.calls.prices import Tariff
from pagesight.indexing.errors import EmptyAnswer
from pagesight.indexing.pages import Hit
from pagesight.tools.messages.authorship import answer_text, answered_by, claims_of, form_of
from pagesight.tools.messages.conversation import Conversation, Question, is_cut_off

#: What `create_react_agent` says in the model's name when its steps are used up.
_OUT_OF_STEPS = "Sorry, need more steps to process this request."


def final_answer(
    messages: Sequence[BaseMessage],
    limits: AgentLimits,
    run: tuple[str | None, str | None] = (None, None),
    bytes_uploaded: int | None = None,
) -> Answer:
    """The answer with which a run of the agent has ended; ``run`` are the ids of its thread and of itself.

    Raises EmptyAnswer when there is none of its own.
    """
    conversation = Conversation.read(messages, limits.author)
    last = len(conversation) - 1
    text = conversation.messages[last].text if conversation.messages else ""
    if text == _OUT_OF_STEPS:
        raise EmptyAnswer(
            f"{limits.reasoner} kept calling tools and gave no answer: ask for less at once, or take another model "
            "with PAGESIGHT_REASONER or PAGESIGHT_GEMINI_MODEL"
        )
    if not text.strip() or not conversation.is_own(last):
        raise EmptyAnswer(f"{limits.reasoner} returned an empty answer: ask again, or in other words")
    return replace(read_answer(conversation, limits, bytes_uploaded), thread_id=run[0], run_id=run[1])


def read_answer(
    conversation: Conversation,
    limits: AgentLimits,
    bytes_uploaded: int | None = None,
    question: Question | None = None,
) -> Answer:
    """The answer that the last message of a ``question`` is, by default of the conversation's last one.

    All but ``bytes_uploaded`` is read from the messages. Citations are checked against the pages that were shown until
    then.
    """
    asked = question or conversation.question or Question(conversation, len(conversation), len(conversation), "")
    last = conversation.messages[asked.end - 1]
    check = check_at(conversation, limits.call, asked.end - 1)
    text = unicodedata.normalize("NFC", answer_text(last))
    citations, unverified = check.cited(text)
    pictures = conversation.sent_pictures(limits.call).number(asked.start, asked.end)
    return Answer(
        text=check.mark(text),
        found=not says_not_found(text),
        citations=citations,
        unverified=unverified,
        pages_viewed=check.shown(asked.pages_shown),
        hits=_best_first(asked.hits),
        usage=_usage(asked, limits.tariff) | {"pictures": pictures, "bytes_uploaded": bytes_uploaded},
        reasoner=answered_by(last) or limits.reasoner,
        cut_off=is_cut_off(last),
        claims=read_claims(claims_of(last)),
        question=asked.text,
        structured=form_of(last).get("value"),
    )


def _best_first(found: list[Hit]) -> list[Hit]:
    """Each page found once, at its best rank; the hits of earlier searches go first where ranks are equal."""
    hits = sorted(found, key=lambda hit: hit.rank)
    first = {hit.ref: hit for hit in reversed(hits)}
    return [hit for hit in hits if first[hit.ref] is hit]


def _usage(question: Question, tariff: Tariff) -> dict[str, Any]:
    calls = question.model_calls
    reported = [call.usage for call in calls]
    version = next((call.answered_by for call in reversed(calls) if call.answered_by), None)
    cost = tariff.of(calls)
    return {
        "input_tokens": sum(usage["input_tokens"] for usage in reported),
        "output_tokens": sum(usage["output_tokens"] for usage in reported),
        "total_tokens": sum(usage["total_tokens"] for usage in reported),
        "reasoning_tokens": sum(usage.get("output_token_details", {}).get("reasoning", 0) for usage in reported),
        "cached_tokens": sum(usage.get("input_token_details", {}).get("cache_read", 0) for usage in reported),
        "model_calls": question.calls,
        "cost": None if cost is None else round(cost, 6),
        **({"model_version": version} if version else {}),
    }
