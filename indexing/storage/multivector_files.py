"""Full multi-vectors in memory-mapped files: one file for each batch of pages, renamed into place when complete.

A file holds numpy arrays, one after the other: ``offsets`` (pages + 1,) int64, ``boxes`` (vectors, 4) float16,
``values`` (vectors, dim) float16 or int8, and for int8 ``scales`` (vectors,) float16. It lies at
``<folder>/<document_id>/<first page>.npy``; those of a further encoder at ``<first page>.<its id>.npy``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import VectorsMissing
from pagesight.indexing.pages import FIRST_ENCODER, PageRow, checked_document_id
from pagesight.indexing.storage.atomic_files import write_atomically
from pagesight.indexing.storage.interfaces import Lost
from pagesight.indexing.storage.npy_arrays import packed, unpacked
from pagesight.indexing.vectors.quantization import Precision, StoredVectors, VectorLayout, page_checksum

# Maps of files that stay open. Each holds a file descriptor, so that they are at most half of what a process may have,
# which is often 1,024. On 30,000 pages, 3,750 files, opening them again was a quarter of a search.
_MOST_OPEN = 16_384


class MultiVectorFiles:
    """The multi-vectors by one encoder of an index in a folder; see `MultiVectorStore`."""

    local = True

    def __init__(self, folder: Path, layout: VectorLayout, dim: int, encoder: str = FIRST_ENCODER) -> None:
        self.folder = folder
        self._encoder = encoder
        self._ending = f".{encoder}.npy" if encoder else ".npy"
        self._folder = str(folder)  # a search opens hundreds of files, and building a Path takes as long
        self._batch = lru_cache(maxsize=_kept_open())(partial(_open_batch, precision=layout.precision, dim=dim))

    def write(self, document_id: str, first_page: int, pages: Sequence[StoredVectors]) -> None:
        """Write the pages; on the disk, and under their file's name, when this returns."""
        write_atomically(Path(self._path(document_id, first_page)), _packed(pages), durable=True)
        self._batch.cache_clear()

    def read(self, rows: Sequence[PageRow], lost: Lost | None = None, *, anew: bool = False) -> Iterator[StoredVectors]:
        """The vectors of pages, mapped and not copied."""
        if anew:
            self._batch.cache_clear()
        for row in rows:
            try:
                page = self._page(row)
            except VectorsMissing as error:
                if lost is None:
                    raise
                lost[row.key] = error
            else:
                yield page

    def _page(self, row: PageRow) -> StoredVectors:
        try:
            return self._checked_page(row)
        except VectorsMissing:  # or another process has written the file anew since we opened it
            self._batch.cache_clear()
            return self._checked_page(row)

    def _checked_page(self, row: PageRow) -> StoredVectors:
        encoded = row.encoded(self._encoder)
        if encoded is None:
            raise _missing(row, f"{self._encoder} has not seen it")
        path = self._path(row.document_id, row.batch)
        try:
            batch, place = self._batch(path), row.page - row.batch
            page = batch.page(place)
        except FileNotFoundError:
            raise _missing(row, f"{path} is gone") from None
        except (OSError, ValueError, IndexError, TypeError) as error:
            raise _missing(row, f"{path} is damaged: {error}") from error
        if encoded.checksum and (
            len(page) != encoded.vectors or batch.checksum(row.key, place, self._encoder) != encoded.checksum
        ):
            raise _missing(row, f"{path} is damaged: its checksum is another one")
        return page

    def remove(self, document_id: str) -> None:
        """Remove the document's folder."""
        self._batch.cache_clear()
        shutil.rmtree(self.folder / checked_document_id(document_id), ignore_errors=True)

    def remove_all(self) -> None:
        """Remove the encoder's files, also those of documents that were removed and can be restored."""
        self._batch.cache_clear()
        kept = self.folder.glob("*/*.npy"), self.folder.parent.glob("removed/*/multivectors/*.npy")
        for path in chain(*kept):
            if path.name.partition(".")[2] == self._ending[1:]:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files."""
        self._batch.cache_clear()

    def _path(self, document_id: str, first_page: int) -> str:
        return f"{self._folder}/{checked_document_id(document_id)}/{first_page:06d}{self._ending}"


@dataclass(frozen=True)
class _Batch:
    """The multi-vectors of consecutive pages of one document."""

    offsets: NDArray[np.int64]
    vectors: StoredVectors
    checked: dict[int, str] = field(default_factory=dict)

    def checksum(self, key: str, position: int, encoder: str) -> str:
        """The checksum of the page at a position from 0, from what is read of the file at first."""
        if position not in self.checked:
            self.checked[position] = page_checksum(key, self.page(position), encoder)
        return self.checked[position]

    def page(self, position: int) -> StoredVectors:
        """The batch's page at a position from 0."""
        return self.vectors.part(int(self.offsets[position]), int(self.offsets[position + 1]))


def _kept_open() -> int:
    try:
        import resource
    except ImportError:  # on Windows, where descriptors are not so few
        return _MOST_OPEN
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_OPEN if allowed == resource.RLIM_INFINITY else min(_MOST_OPEN, max(1, allowed // 2))


def _packed(pages: Sequence[StoredVectors]) -> bytes:
    offsets = np.concatenate([[0], np.cumsum([len(page) for page in pages])]).astype(np.int64)
    arrays = [offsets, np.concatenate([page.boxes for page in pages]), np.concatenate([page.values for page in pages])]
    if scales := [page.scales for page in pages if page.scales is not None]:
        arrays.append(np.concatenate(scales))
    return packed(arrays)


def _missing(row: PageRow, why: str) -> VectorsMissing:
    return VectorsMissing(f"the index has lost the vectors of {row.label} ({why}). `pagesight repair` makes them anew.")


def _open_batch(path: str, precision: Precision, dim: int) -> _Batch:
    """The file's arrays. Raises ValueError if they are not those of an index with these vectors."""
    file = os.open(path, os.O_RDONLY)
    try:
        arrays = unpacked(mmap(file, 0, access=ACCESS_READ))  # one map, and so one file descriptor, for all
    finally:
        os.close(file)
    kept = np.dtype(precision)
    offsets, boxes, values, *scales = arrays
    count = len(values)
    expected = [(offsets.shape, np.int64), ((count, 4), np.float16), ((count, dim), kept)]
    expected += [((count,), np.float16)] if kept == np.int8 else []
    if [(array.shape, array.dtype) for array in arrays] != expected or offsets.ndim != 1:
        raise ValueError("its arrays are not those of this index")
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != count or (offsets[1:] < offsets[:-1]).any():
        raise ValueError("its pages are not one after the other")
    return _Batch(offsets, StoredVectors(values, boxes, scales[0] if scales else None))
