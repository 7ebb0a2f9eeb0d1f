"""Named arrays in one file, which is written once and then only mapped. What is read of it is checked when first read.

The file: `_MAGIC`, the length and the CRC-32 of a header in JSON, the header, then the arrays, each from a multiple of
64 bytes on. The header has each array's type, shape, place, and a CRC-32 for every `_BLOCK` bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.storage.atomic_files import replacing

_MAGIC = b"pagesight arrays 1\n"
_LENGTHS = struct.Struct("<II")
_ALIGNED = 64
_BLOCK = 1 << 16  # bytes that are checked at once: a guess, not measured

# What reading raises where a file was written by somebody else, whose checksums may be right.
_NOT_OURS = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


class SnapshotDamaged(PageIndexError):
    """A file of the snapshot is gone or not as it was written; it can be made anew from Milvus."""


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write the arrays, and facts that JSON can hold; the file has its name once it is whole. Raises OSError."""
    data = {name: np.ascontiguousarray(array).reshape(-1).view(np.uint8) for name, array in arrays.items()}
    described, place = {}, 0
    for name, array in arrays.items():
        described[name] = {
            "dtype": array.dtype.str,
            "shape": array.shape,
            "place": place,
            "checks": [zlib.crc32(data[name][at : at + _BLOCK].data) for at in range(0, len(data[name]), _BLOCK)],
        }
        place += _padded(len(data[name]))
    header = json.dumps({"arrays": described, "facts": facts}).encode()
    start = _MAGIC + _LENGTHS.pack(len(header), zlib.crc32(header)) + header
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(start.ljust(_padded(len(start)), b"\0"))
        for array in data.values():
            file.write(array.data)
            file.write(bytes(_padded(len(array)) - len(array)))


class ArrayFile:
    """A file of `write_arrays`. Raises SnapshotDamaged where it is not as it was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._content = np.memmap(path, np.uint8, "r").view(np.ndarray)
            header, self._start = self._header()
            self.facts: dict[str, Any] = header["facts"]
            self._described: dict[str, dict[str, Any]] = header["arrays"]
            self._unread = {name: np.ones(len(one["checks"]), bool) for name, one in self._described.items()}
            self._flat = {name: self._mapped(**one) for name, one in self._described.items()}
        except _NOT_OURS as error:
            raise self.damaged(str(error)) from error

    def refuse_unlike(self, expected: Mapping[str, tuple[Any, tuple[int, ...]]]) -> None:
        """Raise SnapshotDamaged unless the file has these arrays, of these types and shapes."""
        found = {name: (array.dtype, array.shape) for name, array in self._flat.items()}
        if found != {name: (np.dtype(kind), shape) for name, (kind, shape) in expected.items()}:
            raise self.damaged("its arrays are not those of a snapshot")

    def length(self, name: str) -> int:
        """How long the array is; 0 where there is none."""
        return len(self._flat.get(name, ()))

    def all(self, name: str) -> NDArray[Any]:
        """The whole array, mapped and not copied."""
        return self.part(name, 0, self.length(name))

    def part(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """The array from one place to before another, mapped and not copied."""
        found = self._flat[name]
        if not 0 <= start <= stop <= len(found):
            raise self.damaged(f"{name} has no places {start} to {stop}")
        step = found[:1].nbytes
        blocks = range(start * step // _BLOCK, -(-stop * step // _BLOCK))
        for block in blocks if self._unread[name][blocks.start : blocks.stop].any() else ():
            self._check(name, block)
        return found[start:stop]

    def rows(self, name: str, places: NDArray[np.integer]) -> NDArray[Any]:
        """The array at these places, which it has, as a copy."""
        found, unread = self._flat[name], self._unread[name]
        step = found[:1].nbytes
        blocks = np.union1d(places * step // _BLOCK, (places * step + step - 1) // _BLOCK)
        for block in blocks[unread[blocks]].tolist():
            self._check(name, block)
        return np.asarray(found[places])

    def check(self) -> None:
        """Read all of it."""
        for name in self._described:
            self.all(name)

    def _header(self) -> tuple[dict[str, Any], int]:
        end = len(_MAGIC) + _LENGTHS.size
        if self._content[: len(_MAGIC)].tobytes() != _MAGIC:
            raise ValueError("it does not begin as such a file does")
        length, check = _LENGTHS.unpack(self._content[len(_MAGIC) : end].tobytes())
        text = self._content[end : end + length].tobytes()
        if zlib.crc32(text) != check:
            raise ValueError("its header is not as it was written")
        return dict(json.loads(text)), _padded(end + length)

    def _mapped(self, dtype: str, shape: list[int], place: int, checks: list[int]) -> NDArray[Any]:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        at = self._start + place
        return self._content[at : at + size].view(dtype).reshape(shape)

    def _check(self, name: str, block: int) -> None:
        content = self._flat[name].reshape(-1).view(np.uint8)[block * _BLOCK : (block + 1) * _BLOCK]
        if zlib.crc32(content.data) != self._described[name]["checks"][block]:
            raise self.damaged(f"{name} is not as it was written")
        self._unread[name][block] = False

    def damaged(self, why: str) -> SnapshotDamaged:
        """The error for this file."""
        return SnapshotDamaged(
            f"{self.path} is damaged ({why}). It is made anew from the rest of the index by who may write there."
        )


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
