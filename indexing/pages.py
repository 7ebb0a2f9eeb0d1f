"""What the rooms hand to each other: pages, their words, and the pages found for a question."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A part of a page, ``(left, top, right, bottom)``, each 0–1 of the page's width or height, from its top left corner.
Box = tuple[float, float, float, float]
WHOLE_PAGE: Box = (0.0, 0.0, 1.0, 1.0)

#: A part of a page as the model writes it, ``(ymin, xmin, ymax, xmax)``, integers 0–1000.
Region = tuple[int, int, int, int]


@dataclass(frozen=True)
class PageText:
    """The words of one page, in reading order.

    ``words`` n strings; ``boxes`` (n, 4) float32, a `Box` for each word; ``lines`` (n,) int32, the number of the
    line, from 0, that a word stands in; ``source`` says where they come from: "text layer", "ocr" or "none".
    """

    words: list[str]
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]
    source: str

    @classmethod
    def empty(cls, source: str = "none") -> PageText:
        """The text of a page without words."""
        return cls([], np.zeros((0, 4), np.float32), np.zeros(0, np.int32), source)

    @property
    def text(self) -> str:
        """The words as lines of text."""
        rows: dict[int, list[str]] = {}
        for word, line in zip(self.words, self.lines.tolist(), strict=True):
            rows.setdefault(line, []).append(word)
        return "\n".join(" ".join(row) for row in rows.values())


@dataclass(frozen=True)
class PageRef:
    """One page of an indexed document; ``page`` counts from 1."""

    document_id: str
    document: str
    page: int

    @property
    def key(self) -> str:
        """``<document_id>:<page>``, the page's key in Milvus."""
        return f"{self.document_id}:{self.page}"

    @property
    def label(self) -> str:
        """What people and the model see and cite, such as ``annual-report.pdf p. 12``; unique within an index."""
        return f"{self.document} p. {self.page}"


@dataclass(frozen=True)
class Hit:
    """A page found for a question: the better ``score`` the better.

    ``boxes`` and ``lines`` say where it matched, best first; ``regions`` are the few places worth a closer look.
    """

    rank: int
    ref: PageRef
    score: float
    boxes: list[Box] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Such as ``annual-report.pdf p. 12``."""
        return self.ref.label

    @property
    def document(self) -> str:
        """The document's name, such as ``annual-report.pdf``."""
        return self.ref.document

    @property
    def document_id(self) -> str:
        """The first 16 hex digits of the file's SHA-256."""
        return self.ref.document_id

    @property
    def page(self) -> int:
        """The page's number, from 1."""
        return self.ref.page

    def as_dict(self) -> dict[str, Any]:
        """The hit as it stands in ``search --json``."""
        return {
            "rank": self.rank,
            "label": self.label,
            "document": self.document,
            "document_id": self.document_id,
            "page": self.page,
            "score": round(self.score, 6),
            "boxes": [[round(edge, 4) for edge in box] for box in self.boxes],
            "lines": self.lines,
            "regions": [list(region) for region in self.regions],
        }


class Hits(list[Hit]):
    """The pages found for a question, best first: a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{hit.rank}</td><td style='text-align:left'>{escape(hit.label)}</td><td>{hit.score:.3f}</td>"
            f"<td style='text-align:left'>{'<br>'.join(escape(line) for line in hit.lines)}</td></tr>"
            for hit in self
        )
        return f"<table><tr><th>rank</th><th>page</th><th>score</th><th>best lines</th></tr>{rows}</table>"


@dataclass(frozen=True)
class DocumentRecord:
    """A document in the index; ``document`` is its name there, ``path`` where it was found, ``added`` ISO 8601 UTC."""

    document_id: str
    document: str
    path: str
    pages: int
    added: str
    metadata: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The record as it stands in ``documents --json``."""
        return {
            "document": self.document,
            "document_id": self.document_id,
            "pages": self.pages,
            "path": self.path,
            "added": self.added,
            "metadata": self.metadata,
        }
