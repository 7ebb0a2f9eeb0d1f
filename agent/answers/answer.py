"""An answer, and the check of its citations against the pages that the model was really shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage

from pagesight.agent.answers.citations import Citation, CitationReader, says_not_found
from pagesight.agent.hydrate import CallLimits, pages_shown, plans
from pagesight.indexing.calls.prices import Price
from pagesight.indexing.pages import Hit, PageRef
from pagesight.tools.conversation import calls_made, found, is_cut_off, this_question, usages, viewed

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["Answer", "Citation", "CitationCheck", "Terms", "check_for", "read_answer", "terms_of"]


@dataclass(frozen=True)
class Answer:
    """What the agent answered, and what it rests on.

    ``found`` is False when the text says that the documents do not hold the answer. ``citations`` are to pages that
    the model was shown; ``unverified`` are to others and marked so in the text: no evidence. ``pages_viewed`` are the
    labels of the pages shown for this question, ``hits`` the pages its searches found, best first. ``cut_off`` says
    that the model ran out of tokens in the middle of the answer.

    ``usage`` counts ``input_tokens``, ``output_tokens`` (thinking counted in), ``total_tokens``, ``reasoning_tokens``,
    ``cached_tokens``, ``model_calls``, ``pictures`` (each as often as it was sent), ``bytes_uploaded`` (pictures in
    requests and as files; None where nobody counted), and ``cost`` in US dollars (None where the price is not known).
    """

    text: str
    found: bool
    citations: list[Citation] = field(default_factory=list)
    unverified: list[Citation] = field(default_factory=list)
    pages_viewed: list[str] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    reasoner: str = ""
    cut_off: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The answer as it stands in ``ask --json``; ``cut_off`` is there only where it is true."""
        return {
            "answer": self.text,
            "found": self.found,
            "citations": [citation.as_dict() for citation in self.citations],
            "pages_viewed": self.pages_viewed,
            "usage": self.usage,
            "reasoner": self.reasoner,
            **({"cut_off": True} if self.cut_off else {}),
        }

    def _repr_html_(self) -> str:
        """For notebooks: the text, then what it rests on and who wrote it."""
        text = escape(self.text).replace("\n", "<br>")
        cited = ", ".join(escape(label) for label in dict.fromkeys(citation.label for citation in self.citations))
        rests = f"rests on {cited}" if cited else "rests on no page"
        return f"<p>{text}</p><p><small>{rests}; reasoner: {escape(self.reasoner)}</small></p>"


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


@dataclass(frozen=True)
class Terms:
    """What `create_page_agent` writes on the graph for whoever reads its answers."""

    reasoner: str
    limits: CallLimits = field(default_factory=CallLimits)
    price: Price | None = None

    def as_metadata(self) -> dict[str, Any]:
        """As they stand in the graph's metadata."""
        price = asdict(self.price) if self.price else None
        return {"pagesight_reasoner": self.reasoner, "pagesight_limits": asdict(self.limits), "pagesight_price": price}


def terms_of(agent: CompiledStateGraph) -> Terms:
    """The inverse of `Terms.as_metadata`, for an agent."""
    metadata = (agent.config or {}).get("metadata", {})
    limits = CallLimits(**metadata.get("pagesight_limits", {}))
    price = metadata.get("pagesight_price")
    return Terms(metadata.get("pagesight_reasoner", agent.name), limits, Price(**price) if price else None)


def check_for(messages: Sequence[BaseMessage], limits: CallLimits) -> CitationCheck:
    """The check for an answer that ends a conversation: it knows the documents and the pages that stand in it."""
    refs = [view.ref for message in messages for view in viewed(message)]
    refs += [hit.ref for message in messages for hit in found(message)]
    return CitationCheck({ref.document for ref in refs}, pages_shown(messages, limits))


def read_answer(messages: Sequence[BaseMessage], terms: Terms, bytes_uploaded: int | None = None) -> Answer:
    """The answer that ends a conversation; all but ``bytes_uploaded`` is read from its messages."""
    check = check_for(messages, terms.limits)
    text = unicodedata.normalize("NFC", messages[-1].text)
    question = this_question(messages)
    citations, unverified = check.cited(text)
    sent = plans(messages, terms.limits)[-_count(question) :]
    pictures = sum(len(views) for plan in sent for views in plan.values())
    return Answer(
        text=check.mark(text),
        found=not says_not_found(text),
        citations=citations,
        unverified=unverified,
        pages_viewed=check.seen(view.ref.label for message in question for view in viewed(message)),
        hits=_best_first(question),
        usage=_tokens(question, terms.price) | {"pictures": pictures, "bytes_uploaded": bytes_uploaded},
        reasoner=terms.reasoner,
        cut_off=is_cut_off(messages[-1]),
    )


def _best_first(messages: Sequence[BaseMessage]) -> list[Hit]:
    """Each page found once, at its best rank; the hits of earlier searches go first where ranks are equal."""
    hits = sorted((hit for message in messages for hit in found(message)), key=lambda hit: hit.rank)
    first = {hit.ref: hit for hit in reversed(hits)}
    return [hit for hit in hits if first[hit.ref] is hit]


def _count(messages: Sequence[BaseMessage]) -> int:
    return sum(isinstance(message, AIMessage) for message in messages)


def _tokens(messages: Sequence[BaseMessage], price: Price | None) -> dict[str, Any]:
    reported = usages(messages)
    return {
        "input_tokens": sum(usage["input_tokens"] for usage in reported),
        "output_tokens": sum(usage["output_tokens"] for usage in reported),
        "total_tokens": sum(usage["total_tokens"] for usage in reported),
        "reasoning_tokens": sum(usage.get("output_token_details", {}).get("reasoning", 0) for usage in reported),
        "cached_tokens": sum(usage.get("input_token_details", {}).get("cache_read", 0) for usage in reported),
        "model_calls": calls_made(messages),
        "cost": round(price.of(reported), 6) if price else None,
    }
