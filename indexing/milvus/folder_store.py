"""Milvus Lite in an index's folder, open for the one process that writes, and what it publishes for readers.

Every complete document goes into the snapshot (snapshot/), in the same order as for who reads Milvus: the rows first.
Where the two differ, since a writer was killed or the snapshot is gone, Milvus is right.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pagesight.indexing.errors import PageIndexError, StorageFull
from pagesight.indexing.milvus import centroid_search, page_rows
from pagesight.indexing.milvus.centroid_search import CentroidSearch
from pagesight.indexing.milvus.connection import Connection, connect_folder
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.milvus.publishing import Published, Publishing
from pagesight.indexing.milvus.sealed_files import clear_others, clear_unsealed_indexes, seal, unsealed_damage
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.snapshot.snapshot_files import FolderFiles
from pagesight.indexing.snapshot.writer import SnapshotWriter
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.folder import SEAL, disk_errors
from pagesight.indexing.storage.folder_parts import FolderParts
from pagesight.indexing.storage.interfaces import CandidateSearch, Sharing
from pagesight.indexing.storage.manifest import collections_of
from pagesight.indexing.storage.multivector_files import MultiVectorFiles
from pagesight.indexing.storage.sharing import UnsharedRows
from pagesight.indexing.storage.stamp import stamp
from pagesight.indexing.vectors.quantization import VectorLayout


@dataclass(frozen=True)
class FolderStore:
    """See `pagesight.indexing.opening.index_parts.OpenStore`."""

    store: PageStore
    candidates: Mapping[str, CandidateSearch]
    catalog: Catalog
    sharing: Sharing
    folder: Path

    def forget_encoder(self, encoder: str) -> None:
        """See `pagesight.indexing.opening.index_parts.OpenStore`."""
        MultiVectorFiles(self.folder / "multivectors", VectorLayout(), 0, encoder).remove_all()


@contextlib.contextmanager
def open_store(parts: FolderParts, *, anew: bool = False) -> Iterator[FolderStore]:
    """Milvus Lite in the folder, inside the block; what is written becomes visible to readers, at its end all of it.

    With ``anew`` the whole snapshot is made from Milvus' rows, however it looks.
    For who holds the folder's `WriterLock`. Raises StorageFull, and PageIndexError for damaged files of Milvus.
    """
    with disk_errors(_what(parts)):
        dims = {one.id: one.dim for one in parts.encoders}
        searched = [one.id for one in parts.encoders if one.recorded.finished]
        snapshot = SnapshotWriter(
            FolderFiles(parts.folder.path / "derived"), dims, searched, parts.term_rules, anew=anew
        )
    try:
        with _connected(parts, snapshot) as opened:
            yield opened
        rest = [entry.first.document_id for entry in opened.catalog.entries()]
        with disk_errors(_what(parts)):
            snapshot.finish(stamp(parts.database), rest)
    except BaseException:
        # Readers get what was done until here; what cannot be written now is caught up later.
        with contextlib.suppress(OSError, SnapshotDamaged):
            snapshot.finish("")
        raise
    finally:
        snapshot.close()


def opens(database: Path) -> bool:
    """Whether Milvus Lite can open its files, if there are any. Raises StorageFull."""
    if not database.exists():
        return True
    try:
        connection = connect_folder(database)
        try:
            if connection.has("pages"):
                connection.ensure([page_rows.collection()])
                PageStore(connection).pages()
        finally:
            connection.close()
    except StorageFull:
        raise
    except PageIndexError:
        return False
    return True


@contextlib.contextmanager
def _connected(parts: FolderParts, snapshot: SnapshotWriter) -> Iterator[FolderStore]:
    behind = snapshot.state.store != stamp(parts.database)
    _refuse_damaged(parts)
    with disk_errors(_what(parts)):
        snapshot.begin()
    with _told_of_repair(parts):
        connection = connect_folder(parts.database)
    try:
        with _told_of_repair(parts):
            able = connection.capabilities
            candidates = [centroid_search.collection(one.dim, able, one.id) for one in parts.encoders]
            connection.ensure([*candidates, page_rows.collection()])
            opened = _opened(parts, connection, snapshot, behind)
        yield opened
    finally:
        connection.close()
        with contextlib.suppress(OSError):  # a full disk
            seal(parts.database, parts.folder.path / SEAL)


@contextlib.contextmanager
def _told_of_repair(parts: FolderParts) -> Iterator[None]:
    """Adds to what Milvus Lite says of its files, where it cannot open them, how they are made anew."""
    try:
        yield
    except (StorageFull, SnapshotDamaged):
        raise
    except PageIndexError as error:
        path = parts.folder.path
        raise PageIndexError(
            f"{error} If its files are damaged, `pagesight repair --index {path}` makes them anew from the index's "
            "other files."
        ) from error


def _refuse_damaged(parts: FolderParts) -> None:
    """Raises PageIndexError where Milvus Lite would open files that are damaged; removes what no encoder has."""
    path, collections = parts.folder.path, collections_of(one.id for one in parts.encoders)
    clear_others(parts.database, collections)
    clear_unsealed_indexes(parts.database, path / SEAL)
    if damage := unsealed_damage(parts.database, path / SEAL, collections):
        more = f" and {len(damage) - 1} more" if damage[1:] else ""
        raise PageIndexError(
            f"a file of the index in {path} is damaged: {damage[0].path} ({damage[0].why}){more}. No document is lost: "
            f"`pagesight repair --index {path}` makes it anew from the index's other files."
        )


def _published(parts: FolderParts) -> Published:
    return Published(str(parts.folder.path), parts.encoders, parts.centroids, parts.page_files)


def _what(parts: FolderParts) -> str:
    return _published(parts).what


def _opened(parts: FolderParts, connection: Connection, snapshot: SnapshotWriter, behind: bool) -> FolderStore:
    pages = PageStore(connection)
    publishing = Publishing(_published(parts), snapshot, pages)
    candidates = {
        one.id: CentroidSearch(connection, one.id, partial(publishing.took_vectors, one.id)) for one in parts.encoders
    }
    catalog = publishing.catalog(behind=behind)
    return FolderStore(pages, candidates, catalog, UnsharedRows(), parts.folder.path)
