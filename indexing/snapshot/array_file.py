"""Named arrays in one file, which is written once and then only mapped, or fetched in parts from a server.

What is read of it is checked when first read.

The file: `_MAGIC`, the length and the CRC-32 of a header in JSON, the header, then the arrays, each from a multiple of
64 bytes on. The header has each array's type, shape, place, and a CRC-32 for every block of bytes.
"""

from __future__ import annotations

import json
import math
import operator
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.storage.atomic_files import replacing

_MAGIC = b"pagesight arrays 1\n"
_LENGTHS = struct.Struct("<II")
_ALIGNED = 64
BLOCK = 1 << 16  # bytes that are checked at once, where a file does not say another number: a guess, not measured

# What reading raises where a file was written by somebody else, whose checksums may be right.
_NOT_OURS = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


class SnapshotDamaged(PageIndexError):
    """A file of the snapshot is gone or not as it was written; it can be made anew from Milvus."""


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], block: int = BLOCK) -> None:
    """Write the arrays, and facts that JSON can hold; the file has its name once it is whole. Raises OSError.

    ``block`` bytes are checked at once, and so the least that is read.
    """
    data = {name: np.ascontiguousarray(array).reshape(-1).view(np.uint8) for name, array in arrays.items()}
    described, place = {}, 0
    for name, array in arrays.items():
        described[name] = {
            "dtype": array.dtype.str,
            "shape": array.shape,
            "place": place,
            "checks": [zlib.crc32(data[name][at : at + block].data) for at in range(0, len(data[name]), block)],
        }
        place += _padded(len(data[name]))
    header = json.dumps({"arrays": described, "facts": facts, "block": block}).encode()
    start = _MAGIC + _LENGTHS.pack(len(header), zlib.crc32(header)) + header
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(start.ljust(_padded(len(start)), b"\0"))
        for array in data.values():
            file.write(array.data)
            file.write(bytes(_padded(len(array)) - len(array)))


class Content(Protocol):
    """The bytes of a file."""

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Those from one place to before another. Raises OSError, ValueError where it has not so many."""
        ...

    def ahead(self, parts: Iterable[tuple[int, int]]) -> None:
        """Have some of them at hand, from each place to before the other, that will be read next."""
        ...


class _Mapped:
    def __init__(self, path: Path) -> None:
        self._content = np.memmap(path, np.uint8, "r").view(np.ndarray)

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        if not 0 <= start <= stop <= len(self._content):
            raise ValueError(f"it has no bytes {start} to {stop}")
        return self._content[start:stop]

    def ahead(self, parts: Iterable[tuple[int, int]]) -> None:
        """The system does it."""


class _Described(NamedTuple):
    """An array of the file: its type, its shape, its bytes' place in the file, and the bytes of one of its rows."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    place: int
    step: int


class ArrayFile:
    """A file of `write_arrays`. Raises SnapshotDamaged where it is not as it was written."""

    def __init__(self, path: Path, content: Content | None = None) -> None:
        """``content`` is that of a file which is elsewhere; one at ``path`` is mapped."""
        self.path = path
        try:
            self._content = content or _Mapped(path)
            header, start = self._header()
            self._block = max(1, operator.index(header.get("block", BLOCK)))
            self.facts: dict[str, Any] = header["facts"]
            arrays: dict[str, dict[str, Any]] = header["arrays"]
            self._checks = {name: one["checks"] for name, one in arrays.items()}
            self._unread = {name: np.ones(len(checks), bool) for name, checks in self._checks.items()}
            self._arrays = {
                name: _described(one["dtype"], one["shape"], start + one["place"]) for name, one in arrays.items()
            }
        except _NOT_OURS as error:
            raise self.damaged(str(error)) from error

    @property
    def names(self) -> list[str]:
        """The names of its arrays."""
        return list(self._arrays)

    def refuse_unlike(self, expected: Mapping[str, tuple[Any, tuple[int, ...]]]) -> None:
        """Raise SnapshotDamaged unless the file has these arrays, of these types and shapes."""
        found = {name: (array.dtype, array.shape) for name, array in self._arrays.items()}
        if found != {name: (np.dtype(kind), shape) for name, (kind, shape) in expected.items()}:
            raise self.damaged("its arrays are not those of a snapshot")

    def length(self, name: str) -> int:
        """How long the array is; 0 where there is none."""
        return self._arrays[name].shape[0] if name in self._arrays else 0

    def all(self, name: str) -> NDArray[Any]:
        """The whole array; where it is mapped, not copied."""
        return self.part(name, 0, self.length(name))

    def part(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """The array from one place to before another; where it is mapped, not copied."""
        if not 0 <= start <= stop <= self.length(name):
            raise self.damaged(f"{name} has no places {start} to {stop}")
        step = self._arrays[name].step
        blocks = range(start * step // self._block, -(-stop * step // self._block))
        if self._unread[name][blocks.start : blocks.stop].any():
            self._check(name, blocks)
        return self._taken(name, start, stop)

    def rows(self, name: str, places: NDArray[np.integer]) -> NDArray[Any]:
        """Copies of what the array has at many places, which it has."""
        step, unread = self._arrays[name].step, self._unread[name]
        if unread.any():
            touched = np.zeros(len(unread), bool)
            touched[places * step // self._block] = True
            touched[(places * step + step - 1) // self._block] = True
            for block in np.flatnonzero(touched & unread).tolist():
                self._check(name, range(block, block + 1))
        return np.take(self._taken(name, 0, self.length(name)), places, axis=0)

    def ahead(self, name: str, starts: NDArray[np.integer], stops: NDArray[np.integer]) -> None:
        """Have parts of an array at hand, from the places ``starts`` to before ``stops``, that will be read next."""
        array, block = self._arrays[name], self._block
        first = starts * array.step // block * block
        end = np.minimum(-(-stops * array.step // block) * block, array.shape[0] * array.step)
        try:
            self._content.ahead(zip((array.place + first).tolist(), (array.place + end).tolist(), strict=True))
        except (OSError, ValueError) as error:
            raise self.damaged(str(error)) from error

    def check(self) -> None:
        """Read all of it."""
        for name in self._arrays:
            self.all(name)

    def _header(self) -> tuple[dict[str, Any], int]:
        end = len(_MAGIC) + _LENGTHS.size
        begin = self._bytes(0, end).tobytes()
        if begin[: len(_MAGIC)] != _MAGIC:
            raise ValueError("it does not begin as such a file does")
        length, check = _LENGTHS.unpack(begin[len(_MAGIC) :])
        text = self._bytes(end, end + length).tobytes()
        if zlib.crc32(text) != check:
            raise ValueError("its header is not as it was written")
        return dict(json.loads(text)), _padded(end + length)

    def _taken(self, name: str, start: int, stop: int) -> NDArray[Any]:
        dtype, shape, place, step = self._arrays[name]
        found = self._bytes(place + start * step, place + stop * step)
        return found.view(dtype).reshape(stop - start, *shape[1:])

    def _check(self, name: str, blocks: range) -> None:
        """Checks blocks of an array that stand side by side."""
        array = self._arrays[name]
        end = min(blocks.stop * self._block, array.shape[0] * array.step)
        content = self._bytes(array.place + blocks.start * self._block, array.place + end)
        for number, block in enumerate(blocks):
            if zlib.crc32(content[number * self._block : (number + 1) * self._block].data) != self._checks[name][block]:
                raise self.damaged(f"{name} is not as it was written")
            self._unread[name][block] = False

    def _bytes(self, start: int, stop: int) -> NDArray[np.uint8]:
        try:
            return self._content.read(start, stop)
        except (OSError, ValueError) as error:
            raise self.damaged(str(error)) from error

    def damaged(self, why: str) -> SnapshotDamaged:
        """The error for this file."""
        return SnapshotDamaged(
            f"{self.path} is damaged ({why}). It is made anew from the rest of the index by who may write there."
        )


def _described(dtype: str, shape: list[int], place: int) -> _Described:
    kind, sizes = np.dtype(dtype), tuple(map(operator.index, shape))
    if not sizes or min(sizes) < 0:
        raise ValueError("it has an array of no size")
    return _Described(kind, sizes, operator.index(place), math.prod(sizes[1:]) * kind.itemsize)


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
