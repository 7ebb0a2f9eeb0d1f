"""Full multi-vectors in memory-mapped files: one file for each batch of pages, renamed into place when complete.

A file holds three numpy arrays, one after the other: ``offsets`` (pages + 1,) int64, ``boxes`` (vectors, 4) float16 and
``vectors`` (vectors, dim) float16. It lies at ``<folder>/<document_id>/<first page>.npy``.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pagesight.indexing.encoders.base import MultiVector

# Each open map holds a file descriptor; the usual limit of a process is 1,024.
_OPEN_FILES = 256


@dataclass(frozen=True)
class Batch:
    """The multi-vectors of consecutive pages of one document."""

    offsets: NDArray[np.int64]
    boxes: NDArray[np.float16]
    vectors: NDArray[np.float16]

    def page(self, position: int) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """``(vectors (n, dim), boxes (n, 4))`` of the batch's page at a position from 0."""
        part = slice(int(self.offsets[position]), int(self.offsets[position + 1]))
        return self.vectors[part], self.boxes[part]


class MultiVectorFiles:
    """The multi-vectors of an index, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._batch = lru_cache(maxsize=_OPEN_FILES)(_open_batch)

    def write(self, document_id: str, first_page: int, pages: Sequence[MultiVector]) -> None:
        """Write the pages from ``first_page`` on; on the disk, and under its name, when this returns."""
        path = self._path(document_id, first_page)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        try:
            with unfinished.open("wb") as file:
                file.write(_packed(pages))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def read(self, document_id: str, first_page: int, page: int) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """``(vectors (n, dim) float16, boxes (n, 4) float16)`` of a page in the batch that starts at ``first_page``."""
        return self._batch(self._path(document_id, first_page)).page(page - first_page)

    def remove(self, document_id: str) -> None:
        """Remove all pages of a document."""
        self._batch.cache_clear()
        shutil.rmtree(self.folder / document_id, ignore_errors=True)

    def close(self) -> None:
        """Let go of the files."""
        self._batch.cache_clear()

    def _path(self, document_id: str, first_page: int) -> Path:
        return self.folder / document_id / f"{first_page:06d}.npy"


def _packed(pages: Sequence[MultiVector]) -> bytes:
    # In memory first: numpy's own writing to a file reports a full disk without its error number.
    file = io.BytesIO()
    lengths = [len(page.vectors) for page in pages]
    npy.write_array(file, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    npy.write_array(file, np.concatenate([page.boxes for page in pages]).astype(np.float16))
    npy.write_array(file, np.concatenate([page.vectors for page in pages]).astype(np.float16))
    return file.getvalue()


def _open_batch(path: Path) -> Batch:
    with path.open("rb") as file:
        return Batch(*(_map_array(file, path) for _ in range(3)))


def _map_array(file: BinaryIO, path: Path) -> NDArray:
    npy.read_magic(file)
    shape, _, dtype = npy.read_array_header_1_0(file)
    start = file.tell()
    size = int(np.prod(shape)) * dtype.itemsize
    file.seek(start + size)
    if size == 0:  # an empty map is not allowed
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape)
