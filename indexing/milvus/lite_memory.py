"""How much of an index Milvus Lite holds in memory, and writes again.

Milvus Lite (3.2: engine/collection.py, storage/segment.py) reads each file of rows when it opens a collection or has
written the file, and keeps all: rows, vectors, and a dictionary of the keys. Who writes needs none of that: here files
are read when somebody asks for what is in them.

From 33 files on (engine/compaction.py), each flush also writes the two smallest anew as one, or as two again where one
file may not hold the rows of both: seconds for each change of an index of 100,000 pages. Small files of like size are
merged however many files there are, so that their number alone is left as it is.
"""

from __future__ import annotations

from typing import Any

from milvus_lite.engine import collection, compaction
from milvus_lite.storage.segment import Segment

_MOST_FILES = 1_000_000
_KEPT_BACK = 32 << 20  # bytes of rows that go into a file at once, for which Milvus Lite takes several times as many

# What of a segment does not come from its file.
_INDEXES = ("indexes", "scalar_indexes", "sparse_indexes")


class UnreadSegment(Segment):  # type: ignore[misc]
    """A segment that reads its file at the first look at what is in it."""

    __slots__ = ("_fields",)

    @classmethod
    def load(cls, file_path: str, partition: str, pk_field: str, vector_field: str | None) -> UnreadSegment:
        """See `Segment.load`, which reads at once."""
        segment = cls.__new__(cls)
        segment.file_path, segment.partition = file_path, partition
        segment._fields = pk_field, vector_field
        segment.index = None
        for name in _INDEXES:
            setattr(segment, name, {})
        return segment

    def __getattr__(self, name: str) -> Any:
        """Python asks for it only where a slot is empty."""
        if name not in Segment.__slots__:
            raise AttributeError(name)
        read = Segment.load(self.file_path, self.partition, *self._fields)
        for slot in Segment.__slots__:
            if slot not in ("index", *_INDEXES):
                setattr(self, slot, getattr(read, slot))
        return getattr(self, name)


def hold_little() -> None:
    """Have Milvus Lite read no file of rows before somebody asks for what is in it, keep less back to write, and not
    write full files anew.
    """
    if getattr(collection, "Segment", None) is Segment:
        collection.Segment = UnreadSegment
    if hasattr(collection, "MEMTABLE_MEMORY_LIMIT"):
        collection.MEMTABLE_MEMORY_LIMIT = min(collection.MEMTABLE_MEMORY_LIMIT, _KEPT_BACK)
    if hasattr(compaction, "MAX_DATA_FILES"):
        compaction.MAX_DATA_FILES = _MOST_FILES
