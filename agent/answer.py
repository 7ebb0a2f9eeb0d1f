"""An answer, and the check of its citations against the pages that the model was really shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from pagesight.agent.citations import Citation, CitationReader, says_not_found
from pagesight.agent.hydrate import pages_shown
from pagesight.indexing.pages import Hit, PageRef
from pagesight.tools.conversation import found, this_question, viewed

__all__ = ["Answer", "Citation", "CitationCheck", "check_for", "read_answer"]


@dataclass(frozen=True)
class Answer:
    """What the agent answered, and what it rests on.

    ``found`` is False when the text says that the documents do not hold the answer. ``citations`` are to pages that
    the model was shown; ``unverified`` are to others and marked so in the text: no evidence. ``pages_viewed`` are the
    labels of the pages shown for this question, ``hits`` the pages its searches found, best first. ``usage`` counts
    ``input_tokens``, ``output_tokens``, ``total_tokens``, ``reasoning_tokens``, ``cached_tokens`` and ``model_calls``.
    """

    text: str
    found: bool
    citations: list[Citation] = field(default_factory=list)
    unverified: list[Citation] = field(default_factory=list)
    pages_viewed: list[str] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    reasoner: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The answer as it stands in ``ask --json``."""
        return {
            "answer": self.text,
            "found": self.found,
            "citations": [citation.as_dict() for citation in self.citations],
            "pages_viewed": self.pages_viewed,
            "usage": self.usage,
            "reasoner": self.reasoner,
        }


class CitationCheck:
    """Tells citations to pages that were shown from others, and marks the others in the text."""

    def __init__(self, documents: Iterable[str], shown: Iterable[PageRef]):
        self._reader = CitationReader(documents)
        self._shown = {ref.label for ref in shown}

    def cited(self, text: str) -> tuple[list[Citation], list[Citation]]:
        """The citations in a text, each once: those to pages that were shown, and the others."""
        every = [citation for bracket in self._reader.read(text) for citation in bracket.citations]
        each = list(dict.fromkeys(every))
        return [one for one in each if one.label in self._shown], [one for one in each if one.label not in self._shown]

    def mark(self, text: str) -> str:
        """The text with each citation to a page that was not shown written as ``[… — not verified]``."""
        marked, done = "", 0
        for bracket in self._reader.read(text):
            marked += text[done : bracket.start] + self._bracket(text[bracket.start : bracket.end], bracket.citations)
            done = bracket.end
        return marked + text[done:]

    def seen(self, labels: Iterable[str]) -> list[str]:
        """Those of the labels whose pages were shown, each once."""
        return [label for label in dict.fromkeys(labels) if label in self._shown]

    def cites(self, text: str) -> bool:
        """Whether the text holds a citation."""
        return next(self._reader.read(text), None) is not None

    def _bracket(self, written: str, citations: list[Citation]) -> str:
        if all(citation.label in self._shown for citation in citations):
            return written
        marks = ["" if citation.label in self._shown else " — not verified" for citation in citations]
        return " ".join(f"[{citation}{mark}]" for citation, mark in zip(citations, marks, strict=True))


def check_for(messages: Sequence[BaseMessage], images_per_call: int) -> CitationCheck:
    """The check for an answer that ends a conversation: it knows the documents and the pages that stand in it."""
    refs = [view.ref for message in messages for view in viewed(message)]
    refs += [hit.ref for message in messages for hit in found(message)]
    return CitationCheck({ref.document for ref in refs}, pages_shown(messages, images_per_call))


def read_answer(messages: Sequence[BaseMessage], *, reasoner: str, images_per_call: int) -> Answer:
    """The answer that ends a conversation; all of it is read from its messages."""
    check = check_for(messages, images_per_call)
    text = unicodedata.normalize("NFC", messages[-1].text)
    question = this_question(messages)
    citations, unverified = check.cited(text)
    return Answer(
        text=check.mark(text),
        found=not says_not_found(text),
        citations=citations,
        unverified=unverified,
        pages_viewed=check.seen(view.ref.label for message in question for view in viewed(message)),
        hits=_best_first(question),
        usage=_usage(question),
        reasoner=reasoner,
    )


def _best_first(messages: Sequence[BaseMessage]) -> list[Hit]:
    """Each page found once, at its best rank; the hits of earlier searches go first where ranks are equal."""
    hits = sorted((hit for message in messages for hit in found(message)), key=lambda hit: hit.rank)
    first = {hit.ref: hit for hit in reversed(hits)}
    return [hit for hit in hits if first[hit.ref] is hit]


def _usage(messages: Sequence[BaseMessage]) -> dict[str, int]:
    calls = [message for message in messages if isinstance(message, AIMessage)]
    reported = [call.usage_metadata for call in calls if call.usage_metadata]
    return {
        "input_tokens": sum(usage["input_tokens"] for usage in reported),
        "output_tokens": sum(usage["output_tokens"] for usage in reported),
        "total_tokens": sum(usage["total_tokens"] for usage in reported),
        "reasoning_tokens": sum(usage.get("output_token_details", {}).get("reasoning", 0) for usage in reported),
        "cached_tokens": sum(usage.get("input_token_details", {}).get("cache_read", 0) for usage in reported),
        "model_calls": len(calls),
    }
