"""What an answer has taken, as the index's ledger keeps it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.indexing.calls.ledger import Ledger, Spent
from pagesight.indexing.calls.prices import ModelCall, Tariff

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer

_log = logging.getLogger(__name__)


def note(folder: Path, took: Spent) -> None:
    """Adds a record to the ledger in an index's ``folder``.

    The answer is worth more than its record: a ledger that cannot be written is a line in the log.
    """
    try:
        Ledger(folder).add(took)
    except OSError as error:
        _log.warning("what the answer cost was not noted: %s (%s)", error.strerror or error, folder)


def spent_on_calls(kind: str, reasoner: str, calls: Sequence[ModelCall], tariff: Tariff, seconds: float) -> Spent:
    """The record of model calls that brought no answer."""
    usages = [call.usage for call in calls]
    return Spent(
        kind=kind,
        model=next((call.answered_by for call in reversed(calls) if call.answered_by), reasoner),
        calls=len(calls),
        input_tokens=sum(usage["input_tokens"] for usage in usages),
        output_tokens=sum(usage["output_tokens"] for usage in usages),
        thinking_tokens=sum(usage.get("output_token_details", {}).get("reasoning", 0) for usage in usages),
        cached_tokens=sum(usage.get("input_token_details", {}).get("cache_read", 0) for usage in usages),
        seconds=round(seconds, 3),
        dollars=tariff.of(calls),
    )


def spent(kind: str, answer: Answer, seconds: float) -> Spent:
    """The record of an answer: by the model that the service says has answered, or else by the reasoner's name."""
    usage = answer.usage
    return Spent(
        kind=kind,
        model=usage.get("model_version") or answer.reasoner,
        calls=usage.get("model_calls", 0),
        input_tokens=usage.get("input_tokens", 0),
        output_tokens=usage.get("output_tokens", 0),
        thinking_tokens=usage.get("reasoning_tokens", 0),
        cached_tokens=usage.get("cached_tokens", 0),
        pictures=usage.get("pictures", 0),
        seconds=round(seconds, 3),
        dollars=usage.get("cost"),
    )
