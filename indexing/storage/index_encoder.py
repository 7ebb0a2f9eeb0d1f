"""An encoder of an index that is open, with what the index keeps by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pagesight.indexing.encoders import MultiVector, PageEncoder
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.pages import PageRow, VectorRecord
from pagesight.indexing.storage.interfaces import MultiVectorStore
from pagesight.indexing.storage.manifest import Manifest, RecordedEncoder, refuse_other
from pagesight.indexing.vectors.quantization import StoredVectors, page_checksum, stored


@dataclass(frozen=True)
class EncoderRecord:
    """An encoder of an index: what its vectors carry there, its ``name``, and itself.

    One that is not ``finished`` is being added: not all pages have its vectors yet, and no search uses them.
    """

    id: str
    name: str
    encoder: PageEncoder = field(repr=False)
    finished: bool

    def as_dict(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return {"id": self.id, "name": self.name, "finished": self.finished, "dimensions": self.encoder.dim}


@dataclass(frozen=True)
class IndexEncoder:
    """``recorded`` is what the index says of it, ``multivectors`` where the vectors are that it made of pages."""

    recorded: RecordedEncoder
    encoder: PageEncoder
    multivectors: MultiVectorStore

    @property
    def id(self) -> str:
        """What its vectors carry in the index."""
        return self.recorded.id

    @property
    def dim(self) -> int:
        """The dimensions of its vectors."""
        return self.encoder.dim

    @property
    def name(self) -> str:
        """What it is called, which no other encoder of the index is."""
        return self.recorded.name

    def told(self) -> EncoderRecord:
        """What people are told of it."""
        return EncoderRecord(self.id, self.name, self.encoder, self.recorded.finished)

    def finish(self) -> IndexEncoder:
        """The same, once all pages have its vectors."""
        return replace(self, recorded=replace(self.recorded, finished=True))

    def nothing(self) -> StoredVectors:
        """The vectors of a page that is blank."""
        none = MultiVector(np.zeros((0, self.dim), np.float32), np.zeros((0, 4), np.float16))
        return stored(none, self.recorded.layout.precision)

    def recorded_of(self, key: str, kept: StoredVectors) -> VectorRecord:
        """What the row of the page with this key says of these vectors; candidates are written later."""
        return VectorRecord(len(kept), checksum=page_checksum(key, kept, self.id))

    def lacks(self, rows: Iterable[PageRow]) -> list[PageRow]:
        """Those of the pages that it has not seen yet."""
        return [row for row in rows if row.encoded(self.id) is None]


def by_id(encoders: Sequence[IndexEncoder], name: str) -> IndexEncoder | None:
    """The encoder of this name or id."""
    return next((one for one in encoders if name in (one.id, one.name)), None)


def refuse_changed(manifest: Manifest | None, encoders: Sequence[IndexEncoder], place: object) -> None:
    """Raise PageIndexError where another process has given the index other encoders than these since it was opened.

    EncoderMismatch for another one in the place of one of them, as a process may choose that finds no documents.
    """
    known = {one.id: one.description for one in manifest.encoders} if manifest else None
    if known is None:
        return
    for one in encoders:
        if one.id in known:
            refuse_other([known[one.id]], one.recorded.description, place)
    if list(known) != [one.id for one in encoders]:
        raise changed(place)


def changed(place: object) -> PageIndexError:
    """The error for an index whose encoders are others than when it was opened."""
    return PageIndexError(
        f"the encoders of the index in {place} are others than when this process opened it. Close it and open it again."
    )
