"""An answer, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from pagesight.agent.answers.citations import Citation
from pagesight.agent.answers.claims.claim import Claim
from pagesight.indexing.pages import Hit


def _as_json(structured: Any) -> Any:
    dump = getattr(structured, "model_dump", None)
    return dump(mode="json") if dump else structured


@dataclass(frozen=True)
class Answer:
    """What the agent answered, and what it rests on.

    ``found`` is False when the text says that the documents do not hold the answer. ``citations`` are to pages that
    the model was shown; ``unverified`` are to others and marked so in the text: no evidence. ``pages_viewed`` are the
    labels of the pages shown for this question, ``hits`` the pages its searches found, best first. ``cut_off`` says
    that the model ran out of tokens in the middle of the answer. ``claims`` are its sentences, each with whether the
    cited words say it (see `check_claims`); none where the setting ``verify`` leaves that out. Those of an answer that
    no model wrote are its quotations, with where they stand. ``structured`` is the answer in the form that
    ``response_format`` asks for: as that class where it was just asked, a dictionary where the answer was kept; None
    where nothing was found.

    ``usage`` counts ``input_tokens``, ``output_tokens`` (thinking counted in), ``total_tokens``, ``reasoning_tokens``,
    ``cached_tokens``, ``model_calls``, ``pictures`` (each as often as it was sent), ``bytes_uploaded`` (pictures in
    requests and as files; None where nobody counted), and ``cost`` in US dollars (None where the price is not known).
    ``model_version`` is the model that answered, where the service says so. ``question`` is what was asked, in which
    ``thread_id`` and in which run: ``run_id`` is the one that tracing knows, where there is one.
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
    claims: list[Claim] = field(default_factory=list)
    structured: Any = None
    question: str = ""
    thread_id: str | None = field(default=None, compare=False)
    run_id: str | None = field(default=None, compare=False)

    @property
    def unsupported(self) -> list[Claim]:
        """The claims that the cited pages do not say."""
        return [claim for claim in self.claims if claim.outcome == "unsupported"]

    def strictly(self) -> Answer:
        """The answer, found only if the cited pages say all of it: no claim is unsupported, no citation unverified."""
        return replace(self, found=self.found and not self.unsupported and not self.unverified)

    def as_dict(self) -> dict[str, Any]:
        """The answer as it stands in ``ask --json``; ``cut_off`` is there only where it is true."""
        return {
            "answer": self.text,
            "found": self.found,
            "citations": [citation.as_dict() for citation in self.citations],
            "claims": [claim.as_dict() for claim in self.claims],
            "pages_viewed": self.pages_viewed,
            "usage": self.usage,
            "reasoner": self.reasoner,
            **({"cut_off": True} if self.cut_off else {}),
            **({} if self.structured is None else {"structured": _as_json(self.structured)}),
        }

    def _repr_html_(self) -> str:
        """For notebooks: the text, then what it rests on and who wrote it."""
        text = escape(self.text).replace("\n", "<br>")
        cited = ", ".join(escape(label) for label in dict.fromkeys(citation.label for citation in self.citations))
        rests = f"rests on {cited}" if cited else "rests on no page"
        return f"<p>{text}</p><p><small>{rests}; reasoner: {escape(self.reasoner)}</small></p>"
