"""What models are loaded as, and what is said to who named one that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """The word for it, the settings of its revision and its time-out, and what may be done without it.

    ``again`` is said when trying again may help.
    """

    noun: str
    revision: str
    timeout: str
    way_out: str
    again: str


ENCODER = Role(
    "encoder",
    "PAGESIGHT_REVISION",
    "PAGESIGHT_ENCODER_TIMEOUT",
    "set PAGESIGHT_ENCODER=lexical, which needs none",
    "What was encoded until now is kept; run the same again",
)
RERANKER = Role(
    "reranker",
    "PAGESIGHT_RERANK_REVISION",
    "PAGESIGHT_TIMEOUT",
    "leave out --rerank (and PAGESIGHT_RERANK)",
    "Leave out --rerank (and PAGESIGHT_RERANK), or run the same again",
)
