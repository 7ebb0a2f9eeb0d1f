"""Why claims stand or fall, in German below a German answer. The sentences are those of the browser's page too."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from pagesight.agent.answers.claims.answer_text.claim_number import language_of
from pagesight.indexing.lexical.tokens import tokenize

_SENTENCES = Path(__file__).with_name("german_reasons.json")
_GROUP = re.compile(r"\$(\d)")


def in_language_of(answer: str, reason: str) -> str:
    """A claim's reason in German where the answer's text is German, else as it is.

    Reasons are pieces with "; " between them; what is not known, and all behind it, stays English.
    """
    return _german(reason) if language_of(tokenize(answer)) == "de" else reason


def _german(reason: str) -> str:
    made: list[str] = []
    while reason:
        found = next(((match, german) for known, german in _known() if (match := known.match(reason))), None)
        if found is None:
            return "; ".join([*made, reason])
        match, german = found
        made.append(_GROUP.sub(lambda group, match=match: match[int(group[1])], german))  # type: ignore[misc]
        reason = reason[match.end() :]
    return "; ".join(made)


@cache
def _known() -> list[tuple[re.Pattern[str], str]]:
    sentences = json.loads(_SENTENCES.read_text("utf-8"))
    return [(re.compile(rf"{pattern}(?:; |\Z)"), german) for pattern, german in sentences]
