"""numpy arrays, one after the other, in one file (`.npy`, version 1, C order)."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# What numpy writes before an array (numpy.lib.format, version 1.0), and the length of its header. numpy's own reading
# parses the header as Python, which fails now and then on a busy machine ("SystemError: AST constructor recursion depth
# mismatch", seen with Python 3.11).
_MAGIC = b"\x93NUMPY\x01\x00"
_BEFORE = len(_MAGIC) + 2
_HEADER = re.compile(rb"\{'descr': '([<|][ifu][1248])', 'fortran_order': False, 'shape': (\([\d, ]{0,99}\)), \} *\n")


def packed(arrays: Iterable[NDArray[Any]]) -> bytes:
    """The arrays as the content of a file."""
    # In memory first: numpy's own writing to a file reports a full disk without its error number.
    file = io.BytesIO()
    for array in arrays:
        npy.write_array(file, array)
    return file.getvalue()


def unpacked(content: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """The arrays of a file's content, not copied. Raises ValueError for what is no such file."""
    place, arrays = 0, list[NDArray[Any]]()
    while place < len(content):
        begins = content[place : place + _BEFORE].tobytes()
        if not begins.startswith(_MAGIC):
            raise ValueError("it has something else where an array should begin")
        start = place + _BEFORE + int.from_bytes(begins[len(_MAGIC) :], "little")
        header = _HEADER.fullmatch(content[place + _BEFORE : start].tobytes())
        if not header:
            raise ValueError("it has an array that is not ours")
        dtype, shape = np.dtype(header[1].decode()), tuple(int(number) for number in re.findall(rb"\d+", header[2]))
        place = start + math.prod(shape) * dtype.itemsize
        if place > len(content):
            raise ValueError("it ends too early")
        arrays.append(content[start:place].view(dtype).reshape(shape))
    return arrays
