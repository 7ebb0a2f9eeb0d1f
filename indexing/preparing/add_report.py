"""What an indexing run tells: how far it has come, and in the end what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagesight.indexing.documents.sources import Failure, PassedOver, readable
from pagesight.indexing.pages import DocumentRecord


@dataclass(frozen=True)
class Progress:
    """How far indexing has come: pages done of all pages to do, and the document that is being read.

    While documents are opened, none is done of those found so far.
    """

    done_pages: int
    total_pages: int
    document: str


@dataclass(frozen=True)
class PageWarning:
    """A document that was indexed, of which something may be missing, and what."""

    path: Path
    text: str


@dataclass
class AddReport:
    """What `PageIndex.add` did: ``pages`` written, ``seconds`` taken, and each path that failed with its reason.

    ``repaired`` documents were damaged, and what was is made anew; ``warnings`` name documents that were indexed, of
    which something may be missing; ``passed_over`` what in folders was not taken for a document.
    """

    added: list[DocumentRecord] = field(default_factory=list)
    replaced: list[DocumentRecord] = field(default_factory=list)
    unchanged: list[DocumentRecord] = field(default_factory=list)
    repaired: list[DocumentRecord] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    warnings: list[PageWarning] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    pages: int = 0
    seconds: float = 0.0

    def kinds_passed_over(self) -> dict[str, int]:
        """How many files or folders of each kind were passed over, the commonest first."""
        return dict(Counter(one.kind for one in self.passed_over).most_common())

    def as_dict(self) -> dict[str, Any]:
        """The report as it stands in ``index --json``."""
        return {
            "added": [record.as_dict() for record in self.added],
            "replaced": [record.as_dict() for record in self.replaced],
            "unchanged": [record.as_dict() for record in self.unchanged],
            "repaired": [record.as_dict() for record in self.repaired],
            "failed": [{"path": readable(one.path), "reason": str(one.error)} for one in self.failed],
            "warnings": [{"path": readable(one.path), "text": one.text} for one in self.warnings],
            "passed_over": self.kinds_passed_over(),
            "pages": self.pages,
            "seconds": round(self.seconds, 3),
        }


def page_ranges(numbers: Iterable[int]) -> str:
    """``[1, 2, 3, 7]`` → "pages 1 to 3 and 7", ``[4]`` → "page 4"; long lists are cut short."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    shown = [" to ".join(map(str, run)) for run in runs[:_MOST_RANGES]]
    if len(runs) > _MOST_RANGES:
        shown.append("more")
    several = len(runs) > 1 or len(runs[0]) > 1
    listed = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    return f"{'pages' if several else 'page'} {listed}"


_MOST_RANGES = 8  # that a message lists; a guess, not measured
