"""Where the files of a snapshot lie: below an index's folder here, on a server in milvus/snapshot_rows.py.

<index>/derived/current.json    the state (state.py)
<index>/derived/<name>.arrays   segments (segment.py), with <name>.faiss
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol

from pagesight.indexing.snapshot.array_file import ArrayFile
from pagesight.indexing.snapshot.segment import Segment
from pagesight.indexing.snapshot.segment_content import SegmentContent, write_content
from pagesight.indexing.snapshot.state import SnapshotState, read, written
from pagesight.indexing.storage.atomic_files import write_atomically


class SnapshotFiles(Protocol):
    """A state, which is replaced whole, and segments, which never change.

    Writing raises OSError or PageIndexError. ``keeps_vectors`` says that readers find candidates by the segments.
    """

    keeps_vectors: bool

    def revision(self) -> object:
        """What is another value once another state is published; the same where there is none."""
        ...

    def state(self) -> SnapshotState | None:
        """The state that is published; None if there is none of this version.

        Raises SnapshotDamaged if it is not as it was written, OSError if it cannot be read.
        """
        ...

    def publish(self, state: SnapshotState) -> None:
        """Put a state in place of the one before."""
        ...

    def segment(self, name: str, dims: Mapping[str, int]) -> Segment:
        """Open a segment; see `Segment`."""
        ...

    def write(self, name: str, content: SegmentContent) -> None:
        """Write a segment."""
        ...

    def dropped(self, name: str) -> None:
        """Remove a segment that no state names any more, as soon as no reader can need it."""
        ...

    def clear_away(self, names: Collection[str]) -> None:
        """Remove all segments but these, which the state names."""
        ...


class FolderFiles:
    """A folder that is mapped: who has a file open keeps it when it is removed. See `SnapshotFiles`."""

    keeps_vectors = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._current = folder / "current.json"

    def revision(self) -> tuple[int, ...]:
        """See `SnapshotFiles.revision`."""
        try:
            found = self._current.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size

    def state(self) -> SnapshotState | None:
        """See `SnapshotFiles.state`."""
        try:
            return read(self._current.read_bytes(), str(self._current))
        except FileNotFoundError:
            return None

    def publish(self, state: SnapshotState) -> None:
        """See `SnapshotFiles.publish`."""
        write_atomically(self._current, written(state))

    def segment(self, name: str, dims: Mapping[str, int]) -> Segment:
        """See `SnapshotFiles.segment`."""
        return Segment(name, ArrayFile(self.folder / f"{name}.arrays"), dims)

    def write(self, name: str, content: SegmentContent) -> None:
        """See `SnapshotFiles.write`."""
        write_content(self.folder, name, content)

    def dropped(self, name: str) -> None:
        """Remove its files."""
        self._remove(lambda path: path.name.partition(".")[0] == name)

    def clear_away(self, names: Collection[str]) -> None:
        """Remove the files that are of no segment."""
        self._remove(lambda path: path.name.partition(".")[0] not in {"current", *names})

    def _remove(self, unwanted: Callable[[Path], bool]) -> None:
        if self.folder.is_dir():
            for path in filter(unwanted, self.folder.iterdir()):
                with contextlib.suppress(OSError):  # a folder, which is none of ours
                    path.unlink(missing_ok=True)
