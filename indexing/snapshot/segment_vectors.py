"""The candidate vectors of a segment by one encoder: in its file, in 8 bits, and also in lists where there are many."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.snapshot.array_file import ArrayFile
from pagesight.indexing.snapshot.segment_content import CandidateVectors, lists_name
from pagesight.indexing.snapshot.vector_lists import VectorLists
from pagesight.indexing.vectors.maxsim import best_in_runs
from pagesight.indexing.vectors.quantization import StoredVectors

_NO_BOXES = np.zeros((0, 4), np.float16)  # candidate vectors look nowhere


class SegmentVectors:
    """The vectors in the file of a segment of so many ``pages``, which count from 0.

    Raises SnapshotDamaged where they are not as they were written.
    """

    def __init__(self, file: ArrayFile, encoder: str, pages: int, dim: int, lists: Any) -> None:
        """``lists`` is what the file tells of those of the encoder with this id, None where there are none."""
        self._file, self._encoder, self._pages = file, encoder, pages
        self._dim, self._told = dim, lists

    @property
    def kinds(self) -> dict[str, tuple[Any, tuple[int, ...]]]:
        """Of which type and shape its arrays are to be."""
        count = self._file.length(f"vector_scales:{self._encoder}")
        return {
            f"vectors:{self._encoder}": (np.int8, (count, self._dim)),
            f"vector_scales:{self._encoder}": (np.float16, (count,)),
            f"vector_starts:{self._encoder}": (np.int64, (self._pages + 1,)),
        }

    def near(
        self, query: NDArray[np.float32], hits: int, probes: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `VectorLists.near`."""
        if self._lists:
            return self._lists.near(query, hits, probes, allowed)
        vectors, pages = self._all
        if allowed is not None:
            wanted = allowed[pages]
            vectors, pages = vectors[wanted], pages[wanted]
        similarities = query @ vectors.T
        if len(pages) > hits:
            best = np.argpartition(-similarities, hits - 1, axis=1)[:, :hits]
            return np.take_along_axis(similarities, best, axis=1), pages[best].astype(np.int64)
        return similarities, np.broadcast_to(pages.astype(np.int64), similarities.shape)

    def best_similarities(self, query: NDArray[np.float32], pages: NDArray[np.int64]) -> NDArray[np.float32]:
        """As `maxsim.best_similarities`, with the candidate vectors of some pages."""
        counts = self._starts[pages + 1] - self._starts[pages]
        places = np.arange(counts.sum()) + np.repeat(self._starts[pages + 1] - np.cumsum(counts), counts)
        values = self._file.rows(f"vectors:{self._encoder}", places)
        scales = self._file.rows(f"vector_scales:{self._encoder}", places)
        return best_in_runs(query, [values], scales, counts)

    def check(self) -> None:
        """Read all lists."""
        if self._lists:
            self._lists.check()

    def content(self, wanted: NDArray[np.bool_]) -> CandidateVectors:
        """Those of the wanted pages, (pages,)."""
        counts = np.diff(self._starts)
        kept = slice(None) if wanted.all() else np.repeat(wanted, counts)  # all is not copied
        return CandidateVectors(self._values[kept], self._scales[kept], counts[wanted])

    @property
    def _values(self) -> NDArray[np.int8]:
        return self._file.all(f"vectors:{self._encoder}")

    @property
    def _scales(self) -> NDArray[np.float16]:
        return self._file.all(f"vector_scales:{self._encoder}")

    @cached_property
    def _lists(self) -> VectorLists | None:
        path = self._file.path.with_name(lists_name(self._file.path.stem, self._encoder))
        return VectorLists(path, self._told, self._dim) if self._told else None

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The first vector of each page, and the number of all."""
        starts = self._file.all(f"vector_starts:{self._encoder}")
        count = self._file.length(f"vectors:{self._encoder}")  # not read: a search looks at few of them
        if starts[0] != 0 or starts[-1] != count or (np.diff(starts) < 0).any():
            raise self._file.damaged("its pages have not as many vectors as it has")
        return starts

    @cached_property
    def _all(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        pages = np.repeat(np.arange(self._pages, dtype=np.int32), np.diff(self._starts))
        return StoredVectors(self._values, _NO_BOXES, self._scales).vectors, pages
