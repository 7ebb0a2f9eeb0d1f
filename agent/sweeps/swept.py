"""What a sweep brings: a row for each document or page, and what all of them cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from pagesight.agent.answers.claims.claim import Outcome
from pagesight.indexing.pages import Box

By = Literal["document", "page"]
#: "none": the pages that were looked at do not say it; "not asked": the limit in dollars was reached before.
State = Literal["answered", "none", "failed", "not asked"]


@dataclass(frozen=True)
class SweptRow:
    """What one document, or one page of it, says to the question.

    ``value`` is the answer alone, ``citation`` the label of the page that says it, ``outcome`` what the check of claims
    found there (see `check_claims`; None without a value), ``boxes`` where. ``reason`` says why: of the outcome, or
    why there is no value. ``pages`` were looked at. ``kept`` says that an earlier sweep has paid for it.
    """

    document: str
    document_id: str
    page: int | None
    state: State
    value: str = ""
    citation: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    boxes: list[Box] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    dollars: float | None = 0.0
    kept: bool = False

    @property
    def mark(self) -> str:
        """✓ the cited words say it, ~ computed or read off a picture, ? not found there; "" without a value."""
        if self.outcome is None:
            return ""
        return "✓" if self.outcome == "supported" else "?" if self.outcome == "unsupported" else "~"

    @property
    def cell(self) -> str:
        """What stands in the table: the value, "none", or what became of it."""
        return self.value if self.state == "answered" else self.state

    def as_dict(self) -> dict[str, Any]:
        """The row as it stands in ``sweep --json``."""
        return {
            "document": self.document,
            "document_id": self.document_id,
            "page": self.page,
            "state": self.state,
            "value": self.value if self.state == "answered" else None,
            "citation": self.citation or None,
            "outcome": self.outcome,
            "mark": self.mark,
            "reason": self.reason,
            "boxes": [[round(edge, 4) for edge in box] for box in self.boxes],
            "pages": self.pages,
            "metadata": self.metadata,
            "dollars": self.dollars,
            "kept": self.kept,
        }


@dataclass(frozen=True)
class SweepTable:
    """The rows of a sweep in the order of documents and pages; ``dollars`` are those of this run, None if unknown."""

    question: str
    by: By
    reasoner: str
    rows: list[SweptRow]
    seconds: float = 0.0

    def count(self, state: State) -> int:
        """How many rows are in that state."""
        return sum(row.state == state for row in self.rows)

    @property
    def dollars(self) -> float | None:
        """What this run has cost; None where a price is not known."""
        paid = [row.dollars for row in self.rows if not row.kept]
        return None if None in paid else round(sum(one or 0.0 for one in paid), 6)

    @property
    def is_whole(self) -> bool:
        """Whether each document or page was asked, and none failed."""
        return not self.count("failed") and not self.count("not asked")

    def as_dict(self) -> dict[str, Any]:
        """The table as it stands in ``sweep --json``."""
        counts = {name: self.count(name) for name in ("answered", "none", "failed", "not asked")}
        return {
            "question": self.question,
            "by": self.by,
            "reasoner": self.reasoner,
            "counts": counts | {"kept": sum(row.kept for row in self.rows)},
            "dollars": self.dollars,
            "seconds": round(self.seconds, 3),
            "rows": [row.as_dict() for row in self.rows],
        }

    def _repr_html_(self) -> str:
        """For notebooks."""
        rows = "".join(
            f"<tr><td>{escape(row.document)}</td><td style='text-align:left'>{escape(row.cell)}</td>"
            f"<td>{row.mark}</td><td>{escape(row.citation or row.reason)}</td></tr>"
            for row in self.rows
        )
        return f"<table><tr><th>document</th><th>{escape(self.question)}</th><th></th><th>page</th></tr>{rows}</table>"
