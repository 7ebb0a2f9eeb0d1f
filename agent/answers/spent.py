"""What an answer has taken, as the index's ledger keeps it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.indexing.calls.ledger import Ledger, Spent

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer

_log = logging.getLogger(__name__)


def note_answer(folder: Path, kind: str, answer: Answer, seconds: float) -> None:
    """Adds an answer to the ledger in an index's ``folder``; ``kind`` is "ask", "chat" or "eval".

    The answer is worth more than its record: a ledger that cannot be written is a line in the log.
    """
    try:
        Ledger(folder).add(spent(kind, answer, seconds))
    except OSError as error:
        _log.warning("what the answer cost was not noted: %s (%s)", error.strerror or error, folder)


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
