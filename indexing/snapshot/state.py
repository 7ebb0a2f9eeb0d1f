"""Which segments a snapshot is made of: one small file, replaced whole, that names files which never change.

<index>/derived/current.json    this; `VERSION` says how all of it is written
<index>/derived/<name>.arrays   see segment.py, with <name>.faiss
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from pagesight.indexing.pages import ENCODER_ID
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.storage.atomic_files import write_atomically

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


def write_state(folder: Path, state: SnapshotState) -> None:
    """Publish a snapshot. Raises OSError."""
    text = json.dumps({"version": VERSION, **asdict(state)}, default=sorted)
    write_atomically(folder / "current.json", json.dumps({"snapshot": text, "check": zlib.crc32(text.encode())}))


def read_state(folder: Path) -> SnapshotState | None:
    """The snapshot that is published; None if there is none of this version.

    Raises SnapshotDamaged if the file is not as it was written, OSError if it cannot be read.
    """
    path = folder / "current.json"
    try:
        recorded = json.loads(path.read_bytes())
        text = recorded["snapshot"]
        if zlib.crc32(text.encode()) != recorded["check"]:
            raise ValueError("it is not as it was written")
        read = json.loads(text)
        return _STATE.validate_python(read) if read.pop("version") == VERSION else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotDamaged(f"{path} is damaged ({error}).") from error


def revision(folder: Path) -> tuple[int, ...]:
    """What is another tuple once another snapshot is published; empty where there is none."""
    try:
        found = (folder / "current.json").stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
