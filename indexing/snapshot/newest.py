"""The newest snapshot, open: opened again once another is published, segments that stay only once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.snapshot.segment import Segment
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.snapshot_files import SnapshotFiles
from pagesight.indexing.snapshot.snapshot_view import SnapshotView

# A writer may remove segments between a reader's look at the state and its opening them: how often that is tried.
_TRIES = 10

View = TypeVar("View", bound=SnapshotView)


class NewestView(Generic[View]):
    """What readers see of the snapshot in some files. Threads can share it."""

    def __init__(
        self, files: SnapshotFiles, dims: Callable[[], Mapping[str, int]], view: Callable[[Snapshot], View]
    ) -> None:
        """``dims`` gives the dimensions of the index's encoders by their ids, ``view`` makes a view of a snapshot."""
        self._files, self._dims, self._make = files, dims, view
        self._opening = threading.Lock()
        self._segments: dict[str, Segment] = {}
        self._view: View | None = None
        self._revision: object = None

    def view(self) -> View:
        """The newest. Raises SnapshotDamaged, also where there is none."""
        with self._opening:
            now = self._files.revision()
            if self._view is None or now != self._revision:
                self._view = self._make(self._opened())
                self._revision = now
            return self._view

    def is_renewed(self) -> bool:
        """Open what is newer than what was opened last; says whether there was such. Raises as `view` does."""
        before = self._view
        return before is not None and self.view() is not before

    def forget(self) -> None:
        """Let go of what is open."""
        with self._opening:
            self._segments, self._view = {}, None

    def _opened(self) -> Snapshot:
        for left in reversed(range(_TRIES)):
            state = self._files.state()
            if state is None:
                raise SnapshotDamaged(
                    "What readers of the index begin with is gone. Close the index and open it again."
                )
            try:
                snapshot = Snapshot(state, self._segment)
            except SnapshotDamaged:
                if not left or self._files.state() == state:
                    raise
                continue
            self._segments = {segment.name: segment for segment in snapshot.segments}
            return snapshot
        raise AssertionError("the last try returns or raises")

    def _segment(self, name: str) -> Segment:
        return self._segments.get(name) or self._files.segment(name, self._dims())
