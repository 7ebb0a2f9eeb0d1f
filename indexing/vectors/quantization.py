"""How page vectors are kept, as float16 or as int8 with a scale for each vector, and how they become float32 again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xxhash
from numpy.typing import NDArray

from pagesight.indexing.vectors.multivector import MultiVector

Precision = Literal["float16", "int8"]

_SIGN_AND_NUMBER = np.int32(-0x70000001)  # 0x8FFFFFFF: without the bits that shifting fills with copies of the sign
_EXPONENTS_APART = np.float32(2.0**112)  # float32's exponents start 127 below 1, float16's 15


@dataclass(frozen=True)
class VectorLayout:
    """How an index keeps page vectors: in which precision, and how many are pooled into one."""

    precision: Precision = "float16"
    pool: int = 1


@dataclass(frozen=True)
class StoredVectors:
    """A page's vectors as they are kept.

    ``values`` (n, dim) float16 or int8; ``boxes`` (n, 4) float16; ``scales`` (n,) float16, what each int8 vector is
    multiplied with, None for float16.
    """

    values: NDArray[Any]
    boxes: NDArray[np.float16]
    scales: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> StoredVectors:
        """Those from one place to before another, not copied."""
        own = slice(start, stop)
        return StoredVectors(self.values[own], self.boxes[own], None if self.scales is None else self.scales[own])

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(n, dim) float32."""
        numbers = np.empty(self.values.shape, np.float32)
        as_float32(self.values, numbers)
        return numbers if self.scales is None else numbers * self.scales.astype(np.float32)[:, None]


def page_checksum(key: str, page: StoredVectors, encoder: str = "") -> str:
    """16 hex digits: the XXH3-64 of a page's key, of the id of the encoder, and of all that is kept of its vectors.

    See docs/format.md.
    """
    state = xxhash.xxh3_64(f"{key}:{encoder}".encode() if encoder else key.encode())
    for array in (page.values, page.boxes, page.scales):
        if array is not None and array.size:
            state.update(np.ascontiguousarray(array).data)
    return str(state.hexdigest())


def stored(page: MultiVector, precision: Precision) -> StoredVectors:
    """A page's vectors in a precision; int8 rounds each vector to 1/127 of its greatest number."""
    boxes = page.boxes.astype(np.float16)
    if precision == "float16":
        return StoredVectors(page.vectors.astype(np.float16), boxes)
    greatest = np.abs(page.vectors).max(axis=1, initial=0, keepdims=True)
    scales = (greatest / 127).astype(np.float16)
    values = np.rint(page.vectors / np.maximum(scales.astype(np.float32), 1e-7)).clip(-127, 127)
    return StoredVectors(values.astype(np.int8), boxes, scales[:, 0])


def as_float32(values: NDArray[Any], numbers: NDArray[np.float32]) -> None:
    """Write values that are kept into ``numbers`` of the same shape; finite float16 without loss.

    Those at several times numpy's own speed: the bits of a float16 moved 13 places up are those of a float32, 2^112
    times too small.
    """
    if values.dtype != np.float16:
        np.copyto(numbers, values)
        return
    bits = numbers.view(np.int32)
    np.copyto(bits, values.view(np.int16))
    bits <<= 13
    bits &= _SIGN_AND_NUMBER
    numbers *= _EXPONENTS_APART
