"""Publishing snapshots: by the one process that may write to the index, a document at most `_AT_MOST` seconds late.

Each publishing writes the new documents as a segment and then the state that names it. Segments of like size are merged
beside that, so that there are few. What is left behind by a writer that is killed is cleared away by the next.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.pages import PageRow
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.snapshot.segment import Segment
from pagesight.indexing.snapshot.segment_content import CompleteDocument, SegmentContent, content_of, merged
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.snapshot_files import SnapshotFiles
from pagesight.indexing.snapshot.state import SegmentPart, SnapshotState
from pagesight.indexing.snapshot.term_postings import term_hash

_log = logging.getLogger(__name__)

_AT_MOST = 0.5  # seconds between two publishings while documents come quickly
_MERGED_AT_ONCE = 4  # segments of like size
_SMALL = 64  # pages: segments of fewer than `_MERGED_AT_ONCE` times as many are alike
# Pages of a segment that is merged no more; four just below make one of 32,000, which takes 0.5 GB of memory meanwhile.
_LARGEST = 8_192
_MOST_HIDDEN = 0.5  # of a segment's documents; with more it is written anew. A guess, not measured


class SnapshotWriter:
    """What is published of an index in a folder; only for who holds the index's lock. Threads can share it."""

    def __init__(
        self,
        files: SnapshotFiles,
        dims: Mapping[str, int],
        searched: Iterable[str],
        term_rules: int,
        *,
        anew: bool = False,
    ) -> None:
        """Goes on from what is published, unless it is damaged, or all is to be made ``anew``.

        Then nothing is published before `complete` is called: readers keep what they have. ``dims`` has the dimensions
        of each encoder of the index by its id, ``searched`` are those that searches use from now on.
        """
        self._files = files
        self._dims = dict(dims)
        self._kept = self._dims if files.keeps_vectors else {}
        self._searched = {known: dims[known] for known in searched}
        self._lock = threading.RLock()
        self._merger = ThreadPoolExecutor(1, thread_name_prefix="merge")
        self._merging: Future[None] | None = None
        self._timer: threading.Timer | None = None
        self._pending: dict[str, CompleteDocument] = {}
        self._last = -math.inf
        self._segments: dict[str, Segment] = {}
        self._places: dict[str, tuple[str, int]] = {}  # of the live documents
        self.state = SnapshotState(self._searched, term_rules)
        self._public = False
        with contextlib.suppress(SnapshotDamaged):
            self._take_up(None if anew else files.state())
        if self._public:
            self._clear_away()

    @property
    def keeps_vectors(self) -> bool:
        """See `SnapshotFiles`."""
        return self._files.keeps_vectors

    @property
    def document_ids(self) -> set[str]:
        """The ids of the documents that are published or about to be."""
        with self._lock:
            return {*self._places, *self._pending}

    def described(self, document_id: str) -> tuple[PageRow, int, frozenset[str]] | None:
        """A row with what all pages of a published document have alike, how many, and encoders of all but the first."""
        found = self._places.get(document_id)
        if found is None:
            return None
        segment = self._segments[found[0]]
        place = found[1]
        return segment.described(place), int(np.diff(segment.starts)[place]), segment.encoders_of(place)

    def rows(self, document_id: str) -> list[PageRow] | None:
        """The rows of a published document, without terms and texts; None where another has taken its place."""
        with self._lock:
            if document_id not in self._places:
                return None
            name, number = self._places[document_id]
            return self._segments[name].rows(number)

    def begin(self) -> None:
        """Note that somebody writes: a snapshot that stays behind the store is known by it. Raises OSError."""
        with self._lock:
            self._set(replace(self.state, store="", encoders=self._searched))

    def complete(self) -> None:
        """Say that all documents of the store have been added. Raises OSError."""
        self.publish()
        with self._lock:
            if not self._public:
                self._public = True
                self._set(self.state)
                self._clear_away()

    def add(self, document: CompleteDocument) -> None:
        """Publish a document soon, in place of what had its id or its path."""
        row = document.rows[0]
        with self._lock:
            self._pending = {known: one for known, one in self._pending.items() if one.rows[0].path != row.path} | {
                row.document_id: document
            }
            wait = self._last + _AT_MOST - time.monotonic()
            if wait <= 0:
                self.publish()
            elif self._timer is None:
                self._timer = threading.Timer(wait, self._publish_later)
                self._timer.daemon = True
                self._timer.start()

    def remove(self, document_ids: Iterable[str]) -> None:
        """Publish now that documents are gone. Raises OSError."""
        gone = set(document_ids)
        with self._lock:
            self._pending = {known: one for known, one in self._pending.items() if known not in gone}
            if gone & self._places.keys():
                self._publish(gone)

    def publish(self) -> None:
        """Publish all that was added. Raises OSError."""
        with self._lock:
            if self._pending:
                self._publish(set())

    def finish(self, store: str, rest: Iterable[str] = ()) -> None:
        """Publish and merge all that is due, and note the store's stamp and the rest of it. Raises OSError.

        See `SnapshotState`; of the ``rest`` those are left out that are published.
        """
        self.publish()
        if not self._public:
            return
        while self._merge_due() or self._merging:
            if merging := self._merging:
                merging.result()
        with self._lock:
            unpublished = tuple(sorted(set(rest) - self._places.keys()))
            self._set(replace(self.state, store=store, rest=unpublished))

    def close(self) -> None:
        """End its threads; what is not published by then is not."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            self._pending = {}
        self._merger.shutdown()

    def _take_up(self, state: SnapshotState | None) -> None:
        if state is None or not state.fits(self._dims, self.state.term_rules):
            return
        segments = {segment.name: segment for segment in Snapshot(state, self._opened).segments}
        for part in state.parts:
            self._note(part, segments[part.name])
        self._segments = segments
        self.state = state
        self._public = True

    def _opened(self, name: str) -> Segment:
        return self._files.segment(name, self._dims)

    def _note(self, part: SegmentPart, segment: Segment) -> None:
        """Where a segment's documents are."""
        for number, known in enumerate(segment.ids.tolist()):
            if number not in part.hidden:
                self._places[f"{known:016x}"] = part.name, number

    def _publish_later(self) -> None:
        with self._lock:
            self._timer = None
            try:
                self.publish()
            except (OSError, PageIndexError) as error:  # tried again with the next document, or at the end
                _log.debug("%d documents could not be published: %s", len(self._pending), error)

    def _publish(self, gone: set[str]) -> None:
        documents = list(self._pending.values())
        gone = gone | {known for document in documents for known in self._older(document)}
        parts = [self._without(part, gone) for part in self.state.parts]
        name = uuid.uuid4().hex
        if documents:
            self._files.write(name, content_of(documents, self._kept, self.state.term_rules))
            parts.append(SegmentPart(name, len(documents), sum(len(document.rows) for document in documents)))
        self._set(replace(self.state, parts=tuple(part for part in parts if part.live)))
        for known in gone:
            self._places.pop(known, None)
        if documents:
            self._segments[name] = self._opened(name)
            self._note(parts[-1], self._segments[name])
        self._pending = {}
        self._last = time.monotonic()
        self._merge_due()

    def _older(self, document: CompleteDocument) -> list[str]:
        """The published documents that a new one takes the place of."""
        row, path = document.rows[0], np.uint64(term_hash(document.rows[0].path))
        found = [row.document_id]
        for part in self.state.parts:
            segment = self._segments[part.name]
            for number in np.flatnonzero(segment.paths == path).tolist():
                if number not in part.hidden and segment.described(number).path == row.path:
                    found.append(f"{int(segment.ids[number]):016x}")
        return found

    def _without(self, part: SegmentPart, gone: set[str]) -> SegmentPart:
        hidden = {self._places[known][1] for known in gone if self._places.get(known, ("",))[0] == part.name}
        return replace(part, hidden=part.hidden | hidden)

    def _set(self, state: SnapshotState) -> None:
        """Publish a state; the files that it names no more are removed, for who has them open they stay."""
        if self._public:
            self._files.publish(state)
        dropped = {part.name for part in self.state.parts} - {part.name for part in state.parts}
        self.state = state
        for name in dropped:
            self._segments.pop(name, None)
            self._files.dropped(name)

    def _merge_due(self) -> bool:
        """Start to merge what should be, unless that goes on; says whether something should be."""
        with self._lock:
            if self._merging is None and (chosen := _to_merge(self.state.parts)):
                self._merging = self._merger.submit(self._merge, chosen)
            return self._merging is not None

    def _merge(self, chosen: Sequence[SegmentPart]) -> None:
        started, name = time.monotonic(), uuid.uuid4().hex
        try:
            self._files.write(name, merged((self._live(part) for part in chosen), self._kept))
            made = self._opened(name)
            with self._lock:
                self._swap({part.name for part in chosen}, made)
            _log.debug("merged %d segments, %d pages, in %.1f s", len(chosen), made.pages, time.monotonic() - started)
        except BaseException:
            self._files.dropped(name)
            raise
        finally:
            with self._lock:
                self._merging = None

    def _live(self, part: SegmentPart) -> SegmentContent:
        """What is in the index of a segment."""
        wanted = np.ones(part.documents, bool)
        wanted[list(part.hidden)] = False
        return self._opened(part.name).content(wanted)

    def _swap(self, old: set[str], merged: Segment) -> None:
        """Take the merged segment in place of the old ones; what was removed meanwhile is hidden in it."""
        ids = [f"{known:016x}" for known in merged.ids.tolist()]
        hidden = frozenset(number for number, known in enumerate(ids) if self._places.get(known, ("",))[0] not in old)
        part = SegmentPart(merged.name, merged.documents, merged.pages, hidden)
        kept = [other for other in self.state.parts if other.name not in old]
        self._set(replace(self.state, parts=(*kept, part)))
        self._segments[part.name] = merged
        self._note(part, merged)

    def _clear_away(self) -> None:
        """Remove the segments that no state names."""
        self._files.clear_away({part.name for part in self.state.parts})


def _to_merge(parts: Sequence[SegmentPart]) -> list[SegmentPart]:
    """Segments of like size of which there are enough, the smallest first, or one that is half hidden; none is none."""
    alike: dict[int, list[SegmentPart]] = {}
    for part in parts:
        if len(part.hidden) > _MOST_HIDDEN * part.documents:
            return [part]
        if part.pages < _LARGEST:
            size = max(0, int(math.log(max(1, part.pages) / _SMALL, _MERGED_AT_ONCE)))
            alike.setdefault(size, []).append(part)
    due = [alike[size] for size in sorted(alike) if len(alike[size]) >= _MERGED_AT_ONCE]
    return due[0] if due else []
