"""numpy arrays, one after the other, in one file (`.npy`, version 1, C order)."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable
from mmap import mmap
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# An array's head as numpy writes it (numpy.lib.format, version 1.0), its length in bytes 8 and 9. numpy's own reading
# parses it as Python, which takes longer than all else that opening a file of vectors does, and fails now and then on a
# busy machine ("SystemError: AST constructor recursion depth mismatch", seen with Python 3.11).
_FIXED = 10
_MAGIC = b"\x93NUMPY\x01\x00"
_KIND, _SHAPE = rb"'([<|][fiu][1248])'", rb"\(([0-9]+),(?: ([0-9]+))?\)"
_HEAD = re.compile(rb"\{'descr': " + _KIND + rb", 'fortran_order': False, 'shape': " + _SHAPE + rb", \} *\n")


def packed(arrays: Iterable[NDArray[Any]]) -> bytes:
    """The arrays as the content of a file."""
    # In memory first: numpy's own writing to a file reports a full disk without its error number.
    file = io.BytesIO()
    for array in arrays:
        npy.write_array(file, array)
    return file.getvalue()


def unpacked(content: bytes | mmap) -> list[NDArray[Any]]:
    """The arrays of a file's content, not copied. Raises ValueError for what is no such file."""
    arrays: list[NDArray[Any]] = []  # not list[…](), which takes as long as an array does
    start, end = 0, len(content)
    while start < end:
        array, start = _next(content, start)
        arrays.append(array)
    return arrays


def _next(content: bytes | mmap, start: int) -> tuple[NDArray[Any], int]:
    """The array whose head is there, and where it ends."""
    fixed = content[start : start + _FIXED]
    place = start + _FIXED + int.from_bytes(fixed[len(_MAGIC) :], "little")
    found = _HEAD.fullmatch(content, start + _FIXED, place)
    if not fixed.startswith(_MAGIC) or found is None:
        raise ValueError("it has an array that is not as numpy writes it")
    kind, rows, columns = found.groups()
    shape = (int(rows),) if columns is None else (int(rows), int(columns))
    dtype, count = np.dtype(kind.decode()), math.prod(shape)
    # numpy takes no array of nothing from there
    array = np.frombuffer(content, dtype, count, place) if count else np.zeros(0, dtype)
    return array.reshape(shape), place + count * dtype.itemsize
