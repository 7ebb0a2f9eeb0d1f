"""What the rooms hand to each other: pages, their words, and the pages found for a question."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from html import escape
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from pagesight.indexing.errors import PageIndexError

#: A part of a page, ``(left, top, right, bottom)``, each 0–1 of the page's width or height, from its top left corner.
Box = tuple[float, float, float, float]
WHOLE_PAGE: Box = (0.0, 0.0, 1.0, 1.0)

#: A part of a page as the model writes it, ``(ymin, xmin, ymax, xmax)``, integers 0–1000.
Region = tuple[int, int, int, int]

#: Letters of a correction, and corrections of a page: so a page's are less than a row of Milvus' may hold beside its
#: text, 65,536 bytes.
MOST_LETTERS, MOST_CORRECTIONS = 120, 40

#: Kinds and labels that a page may have; and from which score on it is of a kind.
MOST_KINDS, IS_OF_KIND = 60, 0.5

_DOCUMENT_ID = "[0-9a-f]{16}"

#: The id of an encoder in an index, which is part of names of files and collections; that of the first one is empty.
ENCODER_ID = "[a-z0-9](?:-?[a-z0-9])*"
FIRST_ENCODER = ""

#: Documents' numbers are below it: a candidate's key has room for 31 bits of them.
ORDINAL_END = 2**31

# What a row from outside may hold, so that a path, a key or a length made of it is one of ours.
_Id = Annotated[str, Field(strict=True, pattern=f"^{_DOCUMENT_ID}$")]
_Name = Annotated[str, Field(strict=True, pattern=r"^[^\x00]+$", max_length=4096)]  # Linux's longest path
_Text = Annotated[str, Field(strict=True)]
_Page = Annotated[int, Field(strict=True, ge=1, lt=2**24)]  # as many as a candidate's key has room for
_Ordinal = Annotated[int, Field(strict=True, ge=1, lt=ORDINAL_END)]
_Vectors = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]  # a guess, not measured: 500 times a page of patches
_Number = Annotated[int, Field(strict=True)]
_CorrectionId = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{12}$")]
_Who = Annotated[str, Field(strict=True, max_length=64)]
_Words = Annotated[str, Field(strict=True, min_length=1, max_length=MOST_LETTERS)]
_Kind = Annotated[str, Field(strict=True, pattern="^[a-z][a-z0-9_]{0,39}$")]
_Share = Annotated[float, Field(ge=0, le=1)]
_Checksum = Annotated[str, Field(strict=True, pattern="^([0-9a-f]{16})?$")]
_EncoderId = Annotated[str, Field(strict=True, pattern=f"^{ENCODER_ID}$", max_length=64)]


@lru_cache(maxsize=4_096)  # asked for each page that is read
def is_document_id(text: str) -> bool:
    """Whether a text is a document's id: 16 hex digits."""
    return re.fullmatch(_DOCUMENT_ID, text) is not None


def checked_document_id(text: str) -> str:
    """The text, where it is a document's id and so may be part of a path. Raises PageIndexError."""
    if not is_document_id(text):
        raise PageIndexError(f"{text[:80]!r} is no document's id, which has 16 hex digits. Nothing was done with it.")
    return text


def page_key(document_id: str, page: int) -> str:
    """``<document_id>:<page>``, a page's key in Milvus."""
    return f"{document_id}:{page}"


def page_label(document: str, page: int) -> str:
    """What people and the model see and cite, such as ``annual-report.pdf p. 12``; unique within an index."""
    return f"{document} p. {page}"


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

    @property
    def word_height(self) -> float:
        """The height of the middling word with a letter or digit, as part of the page's; 0 without words.

        The dots that lead to a page's number are words, too, and many.
        """
        told = [place for place, word in enumerate(self.words) if any(map(str.isalnum, word))]
        boxes = self.boxes[told] if told else self.boxes
        return float(np.median(boxes[:, 3] - boxes[:, 1])) if len(boxes) else 0.0


@dataclass(frozen=True)
class Correction:
    """Words of a page that were read wrongly, side by side in a line, and what stands there.

    ``was`` and ``now`` are words with a space between; ``box`` is around what was read; ``by`` says who corrected it
    and ``at`` when, ISO 8601 in UTC; ``id`` has 12 hex digits.
    """

    id: _CorrectionId
    was: _Words
    now: _Words
    box: Box
    by: _Who
    at: _Text

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``corrections --json``."""
        return vars(self) | {"box": [round(edge, 4) for edge in self.box]}


@dataclass(frozen=True)
class PageRef:
    """One page of an indexed document; ``page`` counts from 1."""

    document_id: str
    document: str
    page: int

    @property
    def key(self) -> str:
        """``<document_id>:<page>``, the page's key in Milvus."""
        return page_key(self.document_id, self.page)

    @property
    def label(self) -> str:
        """What people and the model see and cite, such as ``annual-report.pdf p. 12``; unique within an index."""
        return page_label(self.document, self.page)


@dataclass(frozen=True)
class VectorRecord:
    """What an index has of a page by one encoder: so many ``vectors`` with this ``checksum``, and ``candidates``."""

    vectors: _Vectors = 0
    candidates: _Vectors = 0
    checksum: _Checksum = ""


@dataclass(frozen=True)
class PageRow:
    """A page as the index knows it: its row in `pages`, written last, so that a page with a row is complete.

    ``ordinal`` numbers the documents of an index, so that a page is a number in `candidates`; ``batch`` is the first
    page of its multi-vector file, which has ``vectors`` with this ``checksum`` for it (empty in rows of format 3), and
    ``candidates`` stand for it, by the index's first encoder; ``more_encoders`` say the same of others by their ids
    (`encoded` gives that of any); ``terms`` are separated by spaces; ``size`` bytes and ``modified`` nanoseconds are
    the file's when it was indexed; ``added`` is ISO 8601 in UTC; ``metadata`` is the document's; ``printed_label`` is
    what the document counts the page by, such as "iv", where that is not its number; ``terms`` and ``text`` are as they
    stand after its ``corrections``; ``kinds`` says what kind of page it is, each from 0 to 1 (`page_kinds.KINDS`, and
    labels of `classify`), None where nobody has looked.
    """

    document_id: _Id
    document: _Name
    path: _Name
    page: _Page
    page_count: _Page
    ordinal: _Ordinal
    batch: _Page
    text_source: _Text
    size: _Number
    modified: _Number
    added: _Text
    metadata: dict[_Text, Any] = field(default_factory=dict)
    vectors: _Vectors = 0
    candidates: _Vectors = 0
    checksum: _Checksum = ""
    terms: _Text = ""
    text: _Text = ""
    printed_label: _Text = ""
    corrections: Annotated[tuple[Correction, ...], Field(max_length=MOST_CORRECTIONS)] = ()
    kinds: Annotated[dict[_Kind, _Share], Field(max_length=MOST_KINDS)] | None = None
    more_encoders: dict[_EncoderId, VectorRecord] = field(default_factory=dict)

    def encoded(self, encoder: str) -> VectorRecord | None:
        """What the index has of the page by the encoder with this id; None where that has not seen it."""
        if encoder == FIRST_ENCODER:
            return VectorRecord(self.vectors, self.candidates, self.checksum)
        return self.more_encoders.get(encoder)

    def with_encoded(self, encoder: str, encoded: VectorRecord) -> PageRow:
        """The row with what the index has of the page by the encoder with this id."""
        if encoder == FIRST_ENCODER:
            return replace(self, **vars(encoded))
        return replace(self, more_encoders=self.more_encoders | {encoder: encoded})

    @property
    def key(self) -> str:
        """Its key in Milvus."""
        return page_key(self.document_id, self.page)

    @property
    def ref(self) -> PageRef:
        """The page, as others are told of it."""
        return PageRef(self.document_id, self.document, self.page)

    @property
    def label(self) -> str:
        """Such as ``annual-report.pdf p. 12``."""
        return page_label(self.document, self.page)

    @property
    def named_kinds(self) -> tuple[str, ...]:
        """The kinds that it is of, such as "chart"."""
        return tuple(kind for kind, score in (self.kinds or {}).items() if score >= IS_OF_KIND)


def encoders_of_all(rows: Iterable[PageRow]) -> frozenset[str]:
    """The ids of the further encoders that have seen all of these pages."""
    found = [frozenset(row.more_encoders) for row in rows]
    return frozenset.intersection(*found) if found else frozenset()


@cache
def _row_adapter() -> TypeAdapter[PageRow]:
    return TypeAdapter(PageRow)


def checked_page_row(fields: Any) -> PageRow:
    """The row that the fields make, from a file or a server, if it can be one of ours. Raises ValueError."""
    row = _row_adapter().validate_python(fields)
    if not row.batch <= row.page <= row.page_count:
        raise ValueError(f"page {row.page} of {row.page_count} with the vectors from page {row.batch} on")
    return row


@dataclass(frozen=True)
class Hit:
    """A page found for a question: ``score`` 0 to 1, the better the higher, comparable within one search.

    ``boxes`` and ``lines`` say where it matched, best first; ``regions`` are the few places worth a closer look;
    ``printed_label`` is what its document counts it by, such as "iv", where that is not its number; ``kinds`` what kind
    of page it is, such as "chart".
    """

    rank: int
    ref: PageRef
    score: float
    boxes: list[Box] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    printed_label: str = ""
    kinds: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Such as ``annual-report.pdf p. 12``."""
        return self.ref.label

    @property
    def shown_label(self) -> str:
        """The label and what is printed as the page's number: ``annual-report.pdf p. 12 (printed: viii)``."""
        return f"{self.label} (printed: {self.printed_label})" if self.printed_label else self.label

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
        printed = {"printed_label": self.printed_label} if self.printed_label else {}
        return {
            "rank": self.rank,
            "label": self.label,
            "document": self.document,
            "document_id": self.document_id,
            "page": self.page,
            **printed,
            **({"kinds": list(self.kinds)} if self.kinds else {}),
            "score": round(self.score, 6),
            "boxes": [[round(edge, 4) for edge in box] for box in self.boxes],
            "lines": self.lines,
            "regions": [list(region) for region in self.regions],
        }


class Hits(list[Hit]):
    """The pages found for a question, best first: a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{hit.rank}</td><td style='text-align:left'>{escape(hit.shown_label)}</td><td>{hit.score:.3f}</td>"
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

    @property
    def page_refs(self) -> list[PageRef]:
        """Its pages, in their order."""
        return [PageRef(self.document_id, self.document, page) for page in range(1, self.pages + 1)]

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
