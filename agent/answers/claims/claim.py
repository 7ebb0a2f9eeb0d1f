"""A claim of an answer, and what the words of the pages that it cites say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from pagesight.agent.answers.citations import Citation
from pagesight.indexing.pages import Box

#: "supported": the cited words say it; "computed": its numbers come from theirs; "read": it was read off a picture, by
#: a model that was not told it, or, of numbers that stand in a chart, by whoever claims it; "unsupported": it was not
#: found there.
Outcome = Literal["supported", "computed", "read", "unsupported"]
#: What each mark of a claim says of it.
MARKS = {"✓": "as the cited words say", "~": "computed or read off a picture", "?": "not found there"}
#: Why a claim stands, where its words or its numbers are there.
SAYS_IT, FOLLOWS = "the cited words say it", "its numbers follow from those of the cited page"
#: Why words do not tell whether a claim is so.
NO_WORDS = "the cited page has no words to compare; only a look at its picture can tell"
IN_A_PICTURE = "its numbers stand there, in a picture whose words do not tell what they are of"


@dataclass(frozen=True)
class Evidence:
    """Where a page says something: its label, and the boxes of the words."""

    label: str
    boxes: list[Box]


@dataclass(frozen=True)
class Claim:
    """A sentence of an answer, or the part of one that ends in a citation, without the citation.

    ``reason`` says in a sentence why the outcome is what it is, and what was changed in what it cites. ``evidence`` is
    where the words that support it stand. ``undecided`` says that the words neither say it nor something else: a look
    at the picture may tell.
    """

    text: str
    citations: list[Citation]
    outcome: Outcome
    reason: str
    evidence: list[Evidence] = field(default_factory=list)
    undecided: bool = field(default=False, compare=False, repr=False)

    @property
    def mark(self) -> Literal["✓", "~", "?"]:
        """✓ the cited words say it, ~ it was computed from them or read off the picture, ? it was not found there."""
        return "✓" if self.outcome == "supported" else "?" if self.outcome == "unsupported" else "~"

    @property
    def boxes(self) -> list[Box]:
        """All boxes of the evidence: ``(left, top, right, bottom)``, 0–1 of the page from its top left corner."""
        return [box for one in self.evidence for box in one.boxes]

    def as_dict(self) -> dict[str, Any]:
        """The claim as it stands in ``ask --json``."""
        return {
            "text": self.text,
            "citations": [citation.as_dict() for citation in self.citations],
            "outcome": self.outcome,
            "reason": self.reason,
            "evidence": [
                {"label": one.label, "boxes": [[round(edge, 4) for edge in box] for box in one.boxes]}
                for one in self.evidence
            ],
        }


def read_claims(rows: list[Mapping[str, Any]]) -> list[Claim]:
    """The inverse of `Claim.as_dict` for several; one that is none of ours, from a state of another's, is left out."""
    return [claim for row in rows if (claim := _read(row))]


def _read(row: Mapping[str, Any]) -> Claim | None:
    try:
        return TypeAdapter(Claim).validate_python(dict(row))
    except ValidationError:
        return None
