"""Candidate vectors of many pages in a FAISS file: in lists by the centre that they are nearest to, in 8 bits.

The file is mapped: a search reads the centres and the lists nearest to the question. FAISS is what Milvus Lite searches
with, too.
"""

from __future__ import annotations

import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.storage.atomic_files import replacing

#: From so many vectors on: below, comparing with all takes no longer. A guess, not measured.
WORTH_LISTS = 4_096
_TRAINED_ON = 64  # vectors for each centre; FAISS asks for 39 at least
_AT_ONCE = 65_536  # vectors that are turned into float32 at once


def write_lists(
    path: Path, values: NDArray[np.int8], scales: NDArray[np.float16], pages: NDArray[np.int32]
) -> dict[str, int]:
    """Write (n, dim) vectors, ``values`` times ``scales``, each with its page; returns what `VectorLists` asks to know
    of the file.
    """
    import faiss

    count, dim = values.shape
    lists = int(count**0.5)
    # One range for all dimensions: searched in two thirds of the time of a range for each, and found the same.
    kind = faiss.ScalarQuantizer.QT_8bit_uniform
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, lists, kind, faiss.METRIC_INNER_PRODUCT, False)
    sample = np.linspace(0, count - 1, min(count, _TRAINED_ON * lists)).astype(np.int64)
    index.train(_vectors(values[sample], scales[sample]))
    for start in range(0, count, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        index.add_with_ids(_vectors(values[part], scales[part]), pages[part].astype(np.int64))
    with replacing(path) as unfinished:
        faiss.write_index(index, str(unfinished))
        size = unfinished.stat().st_size
        head = size - count * (index.code_size + 8)
        return {"size": size, "head": head, "head_check": _check(unfinished, head), "check": _check(unfinished, size)}


class VectorLists:
    """A file of `write_lists`. Raises SnapshotDamaged if what FAISS reads at once is not as it was written."""

    def __init__(self, path: Path, facts: dict[str, int], dim: int) -> None:
        self._path = path
        self._facts = facts
        try:
            if path.stat().st_size != facts["size"] or _check(path, facts["head"]) != facts["head_check"]:
                raise ValueError("it is not as it was written")
            faiss: Any = import_module("faiss")
            self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
            kind = (type(self._index), self._index.d, self._index.metric_type, self._index.code_size)
            if kind != (faiss.IndexIVFScalarQuantizer, dim, faiss.METRIC_INNER_PRODUCT, dim):
                raise ValueError("it has other vectors than the index")
            # FAISS reads the lists ahead on 32 threads that it starts for each search: half of a search's time.
            faiss.downcast_InvertedLists(self._index.invlists).prefetch_nthread = 0
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise SnapshotDamaged(f"{path} is damaged ({error}).") from error

    def near(
        self, query: NDArray[np.float32], hits: int, probes: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The similarities and pages of each query vector's nearest, (m, hits), best first; page -1 where fewer are.

        Only pages that are ``allowed``, (pages,), if that is not None.
        """
        faiss: Any = import_module("faiss")  # its types do not know what its Python side takes
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        chosen = None if bits is None else faiss.IDSelectorBitmap(bits)
        asked = faiss.SearchParametersIVF(nprobe=min(probes, self._index.nlist), sel=chosen)
        # Of this thread alone. FAISS's own threads wait for each other by spinning: on a busy machine that took four
        # times the processor's time of the search itself, and segments are searched side by side anyway.
        faiss.omp_set_num_threads(1)
        similarities, pages = self._index.search(query, hits, params=asked)
        return similarities, pages

    def check(self) -> None:
        """Read all of it. Raises SnapshotDamaged if it is not as it was written."""
        if _check(self._path, self._facts["size"]) != self._facts["check"]:
            raise SnapshotDamaged(f"{self._path} is damaged (it is not as it was written).")


def _vectors(values: NDArray[np.int8], scales: NDArray[np.float16]) -> NDArray[np.float32]:
    return values * scales.astype(np.float32)[:, None]


def _check(path: Path, size: int) -> int:
    """The CRC-32 of the file's first bytes."""
    check = 0
    with path.open("rb") as file:
        while size > 0 and (content := file.read(min(size, 1 << 20))):
            check = zlib.crc32(content, check)
            size -= len(content)
    return check
