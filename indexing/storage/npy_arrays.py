"""numpy arrays, one after the other, in one file (`.npy`, version 1, C order)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def packed(arrays: Iterable[NDArray[Any]]) -> bytes:
    """The arrays as the content of a file."""
    # In memory first: numpy's own writing to a file reports a full disk without its error number.
    file = io.BytesIO()
    for array in arrays:
        npy.write_array(file, array)
    return file.getvalue()


def unpacked(content: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """The arrays of a file's content, not copied. Raises ValueError for what is no such file."""
    file, arrays = _Position(content), list[NDArray[Any]]()
    while file.place < len(content):
        npy.read_magic(file)
        shape, _, dtype = npy.read_array_header_1_0(file)
        if dtype.hasobject or min(shape, default=0) < 0:
            raise ValueError(f"it has an array of {dtype} with the shape {shape}")
        end = file.place + int(np.prod(shape, dtype=object)) * dtype.itemsize
        if end > len(content):
            raise ValueError("it ends too early")
        arrays.append(content[file.place : end].view(dtype).reshape(shape))
        file.place = end
    return arrays


class _Position:
    """A place in a content, from which numpy reads an array's header."""

    def __init__(self, content: NDArray[np.uint8]) -> None:
        self._content, self.place = content, 0

    def read(self, size: int = 0, /) -> bytes:
        """The next bytes."""
        self.place += size
        return self._content[self.place - size : self.place].tobytes()
