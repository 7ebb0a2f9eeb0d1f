"""How much of an index Milvus Lite holds in memory, and writes again.

Milvus Lite (3.2: engine/collection.py, storage/segment.py) reads each file of rows when it opens a collection or has
written the file, and keeps all: rows, vectors, and a dictionary of the keys. Who writes needs none of that: here files
are read when somebody asks for what is in them.

Rows that go into a file (storage/memtable.py) become Python's objects on the way, each number of a vector one: twelve
times the memory of the rows. Here they stay Arrow's.

Files of like size are merged (engine/compaction.py), four at least and up to 200,000 rows, of which there are four
copies meanwhile: 1 GB for pages with much text. From 33 files on, each flush also writes the two smallest anew. Here
only small files are merged, however many files there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
from milvus_lite.engine import collection
from milvus_lite.engine.compaction import CompactionManager
from milvus_lite.storage.memtable import MemTable
from milvus_lite.storage.segment import Segment

_KEPT_BACK = 32 << 20  # bytes of rows that go into a file at once
_MERGED = 16 << 20  # bytes of files that become one, which can be some four times as many in memory
_AT_LEAST = 4  # files that are merged, as in Milvus Lite

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


class SmallMerges(CompactionManager):  # type: ignore[misc]
    """Merges files of like size while they are small."""

    @staticmethod
    def _select_target(buckets: list[list[tuple[str, int]]], total_files: int, partition_dir: str) -> list[str] | None:
        """Some of the files, which stand with their sizes in ``buckets`` of like size; None is none."""
        del total_files, partition_dir
        for bucket in buckets:
            sizes = accumulate(size for _, size in bucket)
            chosen = [name for (name, _), size in zip(bucket, sizes, strict=True) if size <= _MERGED]
            if len(chosen) >= _AT_LEAST:
                return chosen
        return None


def _data_table(rows: MemTable, places: Sequence[tuple[int, int]]) -> pa.Table:
    """As `MemTable._build_data_table`: the rows of these batches, at these places in them."""
    batches = rows._insert_batches
    starts = [0, *accumulate(batch.num_rows for batch in batches)]
    chosen = pa.array((starts[batch] + row for batch, row in places), pa.int64())
    schema = rows._data_schema
    return pa.Table.from_batches(batches).select(schema.names).take(chosen).cast(schema)


def hold_little() -> None:
    """Have Milvus Lite read no file of rows before somebody asks for what is in it, keep less back to write, write it
    as it is, and merge only small files.
    """
    if getattr(collection, "Segment", None) is Segment:
        collection.Segment = UnreadSegment
    if hasattr(collection, "MEMTABLE_MEMORY_LIMIT"):
        collection.MEMTABLE_MEMORY_LIMIT = min(collection.MEMTABLE_MEMORY_LIMIT, _KEPT_BACK)
    if getattr(collection, "CompactionManager", None) is CompactionManager:
        collection.CompactionManager = SmallMerges
    if hasattr(MemTable, "_build_data_table"):
        MemTable._build_data_table = _data_table
