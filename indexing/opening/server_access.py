"""An index on a server: readers see its snapshot there, one at a time writes, by a lease.

Opening reads what does not grow with the pages, a search what it needs (milvus/snapshot_rows.py).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.milvus import centroid_search, multivector_rows, server_maxsim
from pagesight.indexing.milvus.centroid_search import CentroidSearch, Took
from pagesight.indexing.milvus.connection import Collection, Connection
from pagesight.indexing.milvus.lease import ServerSharing
from pagesight.indexing.milvus.multivector_rows import MultiVectorRows
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.milvus.publishing import Published, Publishing
from pagesight.indexing.milvus.server_maxsim import ServerMaxSim
from pagesight.indexing.milvus.server_view import ServerView
from pagesight.indexing.milvus.snapshot_rows import SnapshotRows
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.snapshot.newest import NewestView
from pagesight.indexing.snapshot.snapshot import Snapshot
from pagesight.indexing.snapshot.state import SnapshotState
from pagesight.indexing.snapshot.writer import SnapshotWriter
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.index_encoder import IndexEncoder, refuse_changed
from pagesight.indexing.storage.interfaces import CandidateSearch
from pagesight.indexing.storage.manifest import Manifest, RecordedEncoder, of_encoder, read_manifest

_WHOLE = "whole"  # says of a snapshot that it has all that the rows have
_ASKED_AT_ONCE = 8  # segments that a search asks for at the same time; a guess, not measured


@dataclass(frozen=True)
class ServerStore:
    """See `pagesight.indexing.opening.index_parts.OpenStore`."""

    store: PageStore
    candidates: Mapping[str, CandidateSearch]
    catalog: Catalog
    sharing: ServerSharing
    connection: Connection

    def forget_encoder(self, encoder: str) -> None:
        """See `pagesight.indexing.opening.index_parts.OpenStore`."""
        candidates_of(self.connection, encoder).remove_all()
        self.connection.drop(of_encoder("vectors", encoder))


class ServerAccess:
    """See `IndexAccess`."""

    def __init__(
        self,
        connection: Connection,
        files: SnapshotRows,
        sharing: ServerSharing,
        encoders: Sequence[IndexEncoder],
        term_rules: int,
        centroids: int,
    ) -> None:
        self._connection, self._files, self._sharing = connection, files, sharing
        self._encoders, self._term_rules = encoders, term_rules
        self._published = Published(connection.place, encoders, centroids, page_files=None)
        self._store = PageStore(connection)
        self._asking = ThreadPoolExecutor(_ASKED_AT_ONCE, thread_name_prefix="segments")
        self._newest = NewestView(files, lambda: self._dims, self._seen)
        self._writer = threading.Lock()

    def view(self, *, at_once: bool = False) -> ServerView:
        """See `IndexAccess.view`. Raises SnapshotDamaged."""
        return self._newest.view()

    def prepare(self) -> None:
        """See that there is a snapshot: an earlier version made none. Raises IndexInUse where somebody writes."""
        with contextlib.suppress(SnapshotDamaged):
            self.view()
            return
        self.remake()

    @contextlib.contextmanager
    def writing(self, wait: float, *, from_rows: bool = False, anew: bool = False) -> Iterator[ServerStore]:
        """See `IndexAccess.writing`; who else writes is waited for only as long as it shows no sign of life.

        With ``anew`` the whole snapshot is made anew at first.
        """
        with self._writer, self._sharing.lease():
            refuse_changed(self.manifest(), self._encoders, self._connection.place)
            done = False
            try:
                with self._opened(anew=anew, from_rows=from_rows) as opened:
                    yield opened
                    done = True
            except SnapshotDamaged:
                with self._opened(anew=True, from_rows=True):
                    pass
                if not done:
                    raise

    def remake(self) -> bool:
        """See `IndexAccess.remake`."""
        with contextlib.suppress(SnapshotDamaged):
            if self._newest.is_renewed():
                return False
        with self.writing(0, anew=True):
            pass
        self._newest.forget()
        return True

    def manifest(self) -> Manifest:
        """See `IndexAccess.manifest`."""
        return read_manifest(self._sharing.manifest(), self._connection.place)

    def note_manifest(self, manifest: Manifest) -> None:
        """See `IndexAccess.note_manifest`."""
        self._sharing.note_manifest(manifest.as_dict())

    def with_stores(self, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
        """See `IndexAccess.with_stores`."""
        self._connection.ensure(collections(encoder.dim, self._connection, recorded.id))
        return on_server(self._connection, recorded, encoder)

    def close(self) -> None:
        """Close the connection."""
        self._newest.forget()
        self._asking.shutdown()
        self._connection.close()

    @property
    def _dims(self) -> dict[str, int]:
        return {one.id: one.dim for one in self._encoders}

    def _seen(self, snapshot: Snapshot) -> ServerView:
        return ServerView(snapshot, self._store, partial(candidates_of, self._connection), self._asking.map)

    @contextlib.contextmanager
    def _opened(self, *, anew: bool, from_rows: bool) -> Iterator[ServerStore]:
        """The rows, for who holds the lease; what is written becomes visible to readers, at the end all of it."""
        searched = [one.id for one in self._encoders if one.recorded.finished]
        with self._files.for_writing() as files:
            snapshot = SnapshotWriter(files, self._dims, searched, self._term_rules, anew=anew)
            try:
                behind = from_rows or snapshot.state.store != _WHOLE
                snapshot.begin()
                publishing = Publishing(self._published, snapshot, self._store)
                candidates = {
                    one.id: candidates_of(self._connection, one.id, partial(publishing.took_vectors, one.id))
                    for one in self._encoders
                }
                catalog = publishing.catalog(behind=behind)
                yield ServerStore(self._store, candidates, catalog, self._sharing, self._connection)
                snapshot.finish(_WHOLE, [entry.first.document_id for entry in catalog.entries()])
            except BaseException:
                # Readers get what was done until here; what cannot be written now is caught up later.
                with contextlib.suppress(OSError, PageIndexError):
                    snapshot.finish("")
                raise
            finally:
                snapshot.close()


def nothing(manifest: Manifest) -> SnapshotState:
    """What readers see of a new index."""
    dims = {one.id: one.description["dim"] for one in manifest.encoders}
    return SnapshotState(dims, manifest.term_rules, _WHOLE, rest=())


def on_server(connection: Connection, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
    """An encoder of the index, with where its vectors are."""
    return IndexEncoder(recorded, encoder, MultiVectorRows(connection, recorded.layout, encoder.dim, recorded.id))


def candidates_of(connection: Connection, encoder: str, took: Took | None = None) -> CandidateSearch:
    """The candidates by the encoder with this id, by the best means that the server has."""
    if connection.capabilities.max_sim:
        return ServerMaxSim(connection, encoder, took)
    return CentroidSearch(connection, encoder, took)


def collections(dim: int, connection: Connection, encoder: str) -> list[Collection]:
    """What an encoder needs of the server."""
    able = connection.capabilities
    if able.max_sim:
        return [multivector_rows.collection(encoder), server_maxsim.collection(dim, encoder)]
    return [multivector_rows.collection(encoder), centroid_search.collection(dim, able, encoder)]
