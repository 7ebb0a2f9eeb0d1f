"""The outline of one document, and the file in which an index keeps it.

It stands beside the document's page files, and can be made anew from the kept document at any time: one that is
missing or damaged is no damage to the index (docs/format.md).
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from pagesight.indexing.storage.checked_json import read_checked, write_checked

FILE = "outline.json"
#: Entries of an outline, and letters of a title: guesses, not measured.
MOST_ENTRIES, LONGEST_TITLE = 400, 120

Kind = Literal["bookmark", "contents", "heading", "caption"]


@dataclass(frozen=True)
class OutlineEntry:
    """A part of a document: ``level`` from 1, ``page`` where it begins, ``kind`` how it was found.

    A bookmark is the file's own, "contents" a line of its table of contents, a heading a line in larger print, a
    caption that of a figure or a table.
    """

    level: Annotated[int, Field(ge=1, le=9)]
    title: Annotated[str, Field(max_length=LONGEST_TITLE)]
    page: Annotated[int, Field(ge=1, lt=2**24)]
    kind: Kind


@dataclass(frozen=True)
class Outline:
    """The entries in the order of the pages; ``names`` and ``years`` that the document speaks of most; its ``terms``.

    ``terms`` are its most frequent words, of which those that are rare in other documents say what it is about.
    """

    entries: Annotated[list[OutlineEntry], Field(max_length=MOST_ENTRIES)] = field(default_factory=list)
    names: Annotated[list[str], Field(max_length=20)] = field(default_factory=list)
    years: Annotated[list[int], Field(max_length=20)] = field(default_factory=list)
    terms: Annotated[list[str], Field(max_length=60)] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The outline as it stands in its file and in ``outline --json``."""
        return asdict(self)


def keep_outline(folder: Path, outline: Outline) -> None:
    """Write it beside the page files in ``folder``. Raises OSError."""
    write_checked(folder / FILE, outline.as_dict())


def kept_outline(folder: Path) -> Outline | None:
    """The outline in the folder; None where there is none that is whole."""
    with contextlib.suppress(OSError, ValueError, ValidationError):
        return TypeAdapter(Outline).validate_python(read_checked(folder / FILE))
    return None
