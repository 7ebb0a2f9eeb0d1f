"""The snapshot of an index on a server: its files in rows of the collection `snapshot`, read by need.

A file is cut into pieces, in base64; a row's key is `<name>:<number of the piece>`. Its last piece is shorter than the
others. The state (snapshot/state.py) is a file, too: its name is the index's revision, in the collection `state`, so
that it is replaced whole. Candidates and texts are not in it: the server searches and keeps these itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
import uuid
from base64 import b64decode, b64encode
from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.milvus.client import DataType, MilvusClient
from pagesight.indexing.milvus.connection import NO_VECTOR, Collection, Connection, without_vectors
from pagesight.indexing.milvus.last_used import LastUsed
from pagesight.indexing.milvus.lease import ServerSharing
from pagesight.indexing.snapshot.array_file import ArrayFile
from pagesight.indexing.snapshot.segment import Segment
from pagesight.indexing.snapshot.segment_content import SegmentContent, write_content
from pagesight.indexing.snapshot.state import SnapshotState, read, written

_KIND = "snapshot"
_PIECE = 12_288  # bytes of a row, and a third more in base64. This and the next three are guesses, not measured
_BLOCK = 8_192  # bytes that are checked at once
_PIECES_AT_ONCE = 512  # in one message, 8 MB
_PIECES_KEPT = 4_096  # in memory, 50 MB
_LARGEST_COPY = 128 << 20  # bytes of a segment that may be merged once more (snapshot/writer.py), twice that

Item = TypeVar("Item")


def collection() -> Collection:
    """What `SnapshotRows` needs of a Milvus."""
    schema = MilvusClient.create_schema()
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("name", DataType.VARCHAR, max_length=32)
    schema.add_field("number", DataType.INT64)
    schema.add_field("piece", DataType.VARCHAR, max_length=len(b64encode(bytes(_PIECE))))
    return Collection(_KIND, schema, without_vectors(schema))


class SnapshotRows:
    """See `SnapshotFiles`. Only who holds the lease may write."""

    keeps_vectors = False

    def __init__(self, connection: Connection, sharing: ServerSharing) -> None:
        self._connection = connection
        self._sharing = sharing
        self._pieces = _Pieces(connection)
        self._own: Path | None = None

    @contextlib.contextmanager
    def for_writing(self) -> Iterator[SnapshotRows]:
        """The same for a writer, in the block: what it writes and may soon merge, it reads from a folder here."""
        with tempfile.TemporaryDirectory(prefix="pagesight-") as folder:
            own = SnapshotRows(self._connection, self._sharing)
            own._pieces, own._own = self._pieces, Path(folder)
            yield own

    def revision(self) -> str:
        """See `SnapshotFiles.revision`."""
        return self._sharing.revision()

    def state(self) -> SnapshotState | None:
        """See `SnapshotFiles.state`; None also where an earlier version has written since."""
        content = self._pieces.file(self._sharing.revision())
        return read(content, f"what {self._connection.place} has for readers") if content else None

    def publish(self, state: SnapshotState) -> None:
        """See `SnapshotFiles.publish`. Raises IndexInUse where the lease was lost."""
        self._sharing.confirm()
        name = uuid.uuid4().hex
        self._pieces.write(name, written(state).encode())
        self._sharing.publish(name)

    def segment(self, name: str, dims: Mapping[str, int]) -> Segment:
        """See `SnapshotFiles.segment`."""
        if self._own and (copy := self._own / f"{name}.arrays").is_file():
            return Segment(name, ArrayFile(copy), dims)
        return Segment(name, ArrayFile(Path(f"{name}.arrays"), _File(self._pieces, name)), dims)

    def write(self, name: str, content: SegmentContent) -> None:
        """See `SnapshotFiles.write`; `for_writing`."""
        assert self._own, "segments are written in the block of for_writing"
        write_content(self._own, name, content, _BLOCK)
        path = self._own / f"{name}.arrays"
        self._pieces.write(name, path.read_bytes())
        if path.stat().st_size > _LARGEST_COPY:
            path.unlink()

    def dropped(self, name: str) -> None:
        """Only the copy here: readers may be reading it. It goes when the next writer begins."""
        if self._own:
            (self._own / f"{name}.arrays").unlink(missing_ok=True)

    def clear_away(self, names: Names[str]) -> None:
        """Remove all files but these segments and the state."""
        self._sharing.confirm()
        self._pieces.remove_others({*names, self._sharing.revision()})


class _File:
    """See `Content`."""

    def __init__(self, pieces: _Pieces, name: str) -> None:
        self._pieces, self._name = pieces, name

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """See `Content.read`."""
        first = start // _PIECE * _PIECE
        content = b"".join(self._pieces.of(self._keys(start, stop)))[start - first : stop - first]
        if len(content) != stop - start:
            raise ValueError(f"it has no bytes {start} to {stop}")
        return np.frombuffer(content, np.uint8)

    def ahead(self, parts: Iterable[tuple[int, int]]) -> None:
        """See `Content.ahead`."""
        self._pieces.of(list(dict.fromkeys(key for part in parts for key in self._keys(*part))))

    def _keys(self, start: int, stop: int) -> list[str]:
        return [f"{self._name}:{number}" for number in range(start // _PIECE, -(-stop // _PIECE))]


class _Pieces:
    """The pieces of files; those that were read last stay in memory. Threads can share it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept = LastUsed(_PIECES_KEPT, self._fetched)

    def of(self, keys: Sequence[str]) -> list[bytes]:
        """The pieces with these keys. Raises ValueError where one is gone."""
        found = self._kept.of(keys)
        if len(found) < len(keys):
            raise ValueError("a piece of it is gone")
        return list(found.values())

    def file(self, name: str) -> bytes:
        """A whole file; empty where there is none. Raises ValueError where a piece is gone."""
        if not self._fetched([f"{name}:0"]):
            return b""
        pieces = []
        for number in itertools.count():
            (piece,) = self.of([f"{name}:{number}"])
            pieces.append(piece)
            if len(piece) < _PIECE:
                return b"".join(pieces)
        raise AssertionError("it has a last piece")

    def write(self, name: str, content: bytes) -> None:
        """Write a file; the server has it when this returns."""
        for numbers in _chunks(range(len(content) // _PIECE + 1)):
            pieces = (content[number * _PIECE : (number + 1) * _PIECE] for number in numbers)
            rows = [
                {"key": f"{name}:{number}", "name": name, "number": number, "piece": b64encode(piece).decode()}
                for number, piece in zip(numbers, pieces, strict=True)
            ]
            self._connection.upsert(_KIND, [row | NO_VECTOR for row in rows])

    def remove_others(self, names: set[str]) -> None:
        """Remove all files but these."""
        found = self._connection.rows(_KIND, "number == 0", ["name"], strong=True)
        others = sorted({row["name"] for row in found} - names)
        for chunk in _chunks(others):
            self._connection.delete(_KIND, f"name in {json.dumps(list(chunk))}")

    def _fetched(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The pieces that are there; asked for again where another machine may have written them a moment ago."""
        found: dict[str, bytes] = {}
        for strong in (False, True):
            missing = [key for key in keys if key not in found]
            for chunk in _chunks(missing):
                rows = self._connection.get(_KIND, chunk, ["key", "piece"], strong=strong)
                found |= {row["key"]: b64decode(row["piece"]) for row in rows}
        return found


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """As many as go into one message."""
    return (items[start : start + _PIECES_AT_ONCE] for start in range(0, len(items), _PIECES_AT_ONCE))
