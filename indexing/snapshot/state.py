"""Which segments a snapshot is made of: a small text, replaced whole, that names files which never change.

`VERSION` says how all of it is written.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated

from pydantic import Field, TypeAdapter

from pagesight.indexing.pages import ENCODER_ID
from pagesight.indexing.snapshot.array_file import SnapshotDamaged

_DocumentId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
_EncoderId = Annotated[str, Field(pattern=f"^(?:{ENCODER_ID})?$")]
_Name = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]  # of files that are opened and removed

VERSION = 3  # of all files of the snapshot; one of another version is made anew


@dataclass(frozen=True)
class SegmentPart:
    """A segment in a snapshot; ``hidden`` are the numbers of its documents that are not in the index any more."""

    name: _Name
    documents: Annotated[int, Field(ge=0)]
    pages: Annotated[int, Field(ge=0)]
    hidden: frozenset[Annotated[int, Field(ge=0)]] = frozenset()

    @property
    def live(self) -> int:
        """How many of its documents are in the index."""
        return self.documents - len(self.hidden)


@dataclass(frozen=True)
class SnapshotState:
    """``encoders`` that searches use, by their ids, with the dimensions of their candidate vectors.

    ``term_rules`` are those of the index (lexical/tokens.py).

    ``store`` is the stamp of the store that the snapshot was made from. It is empty while somebody writes: a writer
    that is killed leaves it so. ``rest`` are the ids of the store's documents that the snapshot has not, since they are
    unfinished or older versions; None is not known.
    """

    encoders: Mapping[_EncoderId, Annotated[int, Field(ge=1)]]
    term_rules: int
    store: str = ""
    parts: tuple[SegmentPart, ...] = field(default=())
    rest: tuple[_DocumentId, ...] | None = None

    def fits(self, dims: Mapping[str, int], term_rules: int) -> bool:
        """Whether it can be of an index with these encoders, whose vectors have so many dimensions."""
        known = self.encoders.keys() & dims.keys()
        return self.term_rules == term_rules and bool(known) and all(self.encoders[one] == dims[one] for one in known)


_STATE = TypeAdapter(SnapshotState)


def written(state: SnapshotState) -> str:
    """The state as a text that says whether it is whole."""
    text = json.dumps({"version": VERSION, **asdict(state)}, default=sorted)
    return json.dumps({"snapshot": text, "check": zlib.crc32(text.encode())})


def read(content: str | bytes, where: str) -> SnapshotState | None:
    """The state that was written so; None if it is of another version.

    Raises SnapshotDamaged, which says ``where`` it stood, if it is not as it was written.
    """
    try:
        recorded = json.loads(content)
        text = recorded["snapshot"]
        if zlib.crc32(text.encode()) != recorded["check"]:
            raise ValueError("it is not as it was written")
        fields = json.loads(text)
        return _STATE.validate_python(fields) if fields.pop("version") == VERSION else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotDamaged(f"{where} is damaged ({error}).") from error
