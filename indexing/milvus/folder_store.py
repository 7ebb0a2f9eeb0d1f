"""Milvus Lite in an index's folder, open for the one process that writes, and what it publishes for readers.

Every complete document goes into the snapshot (snapshot/), in the same order as for who reads Milvus: the rows first.
Where the two differ, since a writer was killed or the snapshot is gone, Milvus is right.
"""

from __future__ import annotations

import contextlib
import logging
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import IndexWarning, PageIndexError, StorageFull, VectorsMissing
from pagesight.indexing.milvus import centroid_search, page_rows
from pagesight.indexing.milvus.centroid_search import CentroidSearch
from pagesight.indexing.milvus.connection import Connection, connect_folder
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.milvus.sealed_files import clear_others, seal, unsealed_damage
from pagesight.indexing.pages import PageRow
from pagesight.indexing.parallel import map_on_all_cores
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.snapshot.segment_content import CompleteDocument
from pagesight.indexing.snapshot.writer import SnapshotWriter
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.catalog_view import Entry, UnreadEntry, shown
from pagesight.indexing.storage.folder import SEAL, disk_errors
from pagesight.indexing.storage.folder_parts import FolderParts
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.interfaces import CandidateSearch, Sharing
from pagesight.indexing.storage.manifest import collections_of
from pagesight.indexing.storage.multivector_files import MultiVectorFiles
from pagesight.indexing.storage.sharing import UnsharedRows
from pagesight.indexing.storage.stamp import stamp
from pagesight.indexing.vectors.centroids import centroids
from pagesight.indexing.vectors.quantization import VectorLayout

_log = logging.getLogger(__name__)

_MOST_NAMES = 8  # that a warning lists; a guess, not measured
_PAGES_AT_ONCE = 2_000  # that are read from Milvus at once to be published; some 40 MB


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
        snapshot = SnapshotWriter(parts.folder.path / "derived", dims, searched, parts.term_rules, anew=anew)
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
    if damage := unsealed_damage(parts.database, path / SEAL, collections):
        more = f" and {len(damage) - 1} more" if damage[1:] else ""
        raise PageIndexError(
            f"a file of the index in {path} is damaged: {damage[0].path} ({damage[0].why}){more}. No document is lost: "
            f"`pagesight repair --index {path}` makes it anew from the index's other files."
        )


def _what(parts: FolderParts) -> str:
    return f"the index in {parts.folder.path} cannot be written to"


def _opened(parts: FolderParts, connection: Connection, snapshot: SnapshotWriter, behind: bool) -> FolderStore:
    pages = PageStore(connection)
    publishing = _Publishing(parts, snapshot, pages)
    candidates = {
        one.id: CentroidSearch(connection, one.id, partial(publishing.took_vectors, one.id)) for one in parts.encoders
    }
    catalog = Catalog(
        pages,
        candidates,
        UnsharedRows(),
        parts.term_rules,
        encoders=lambda: snapshot.state.encoders,
        listener=publishing,
        known=None if behind or snapshot.state.rest is None else publishing.entries,
    )
    if behind:
        publishing.catch_up(catalog)
    return FolderStore(pages, candidates, catalog, UnsharedRows(), parts.folder.path)


class _Publishing:
    """Hands complete documents to the snapshot; see `CatalogListener`."""

    def __init__(self, parts: FolderParts, snapshot: SnapshotWriter, pages: PageStore) -> None:
        self._parts = parts
        self._snapshot = snapshot
        self._pages = pages
        self._rows: defaultdict[str, dict[int, PageRow]] = defaultdict(dict)
        # Of each document, by page and encoder.
        self._vectors: defaultdict[str, dict[tuple[int, str], NDArray[np.float16]]] = defaultdict(dict)

    def took_vectors(self, encoder: str, document_id: str, page: int, vectors: NDArray[np.float32]) -> None:
        """Note a page's candidate vectors by an encoder, which its row will follow."""
        self._vectors[document_id][page, encoder] = vectors.astype(np.float16)

    def wrote(self, rows: Sequence[PageRow], *, complete: bool) -> None:
        """See `CatalogListener.wrote`."""
        document_id = rows[0].document_id
        vectors = self._vectors[document_id]
        encoders = [one.id for one in self._parts.encoders]
        self._rows[document_id] |= {
            row.page: row for row in rows if all((row.page, known) in vectors for known in encoders)
        }
        if not complete:
            return
        found = self._rows.pop(document_id)
        del self._vectors[document_id]
        if len(found) == rows[0].page_count:
            numbers = sorted(found)
            by_encoder = {known: [vectors[page, known] for page in numbers] for known in encoders}
            self._add([found[one] for one in numbers], by_encoder)
        else:  # some pages were written earlier, or only what is known of them has changed
            self._publish([document_id])

    def removed(self, document_id: str) -> None:
        """See `CatalogListener.removed`."""
        self._rows.pop(document_id, None)
        self._vectors.pop(document_id, None)
        with disk_errors(_what(self._parts)):
            self._snapshot.remove([document_id])

    def entries(self) -> Iterator[Entry]:
        """All documents of a store that the snapshot is up to date with, read from there."""
        found = {known: self._snapshot.row(known) for known in self._snapshot.document_ids}
        for known, first in sorted(found.items(), key=lambda item: item[1].ordinal):
            yield UnreadEntry(first, partial(self._rows_of, known))
        if rest := self._snapshot.state.rest:
            unpublished: defaultdict[str, Entry] = defaultdict(Entry)
            for row in self._from_store(rest):
                unpublished[row.document_id].rows[row.page] = row
            yield from unpublished.values()

    def _rows_of(self, document_id: str) -> list[PageRow]:
        rows = self._snapshot.rows(document_id)
        return self._from_store([document_id]) if rows is None else rows

    def _from_store(self, document_ids: Sequence[str]) -> list[PageRow]:
        return [replace(row, terms="", text="") for row in self._pages.rows_of(document_ids)]

    def catch_up(self, catalog: Catalog) -> None:
        """Publish what Milvus has and the snapshot has not, and remove from it what Milvus has not."""
        started = time.monotonic()
        entries = {entry.first.document_id: entry for entry in shown(catalog.entries())}
        # What has a record and no rows is lost, not removed: what readers have of it is kept (docs/format.md).
        gone = {known for known in self._snapshot.document_ids - entries.keys() if not self._is_recorded(known)}
        changed = [entry for known, entry in entries.items() if not self._is_published(entry)]
        with disk_errors(_what(self._parts)):
            self._snapshot.remove(gone)
        ordered = iter(sorted(changed, key=lambda entry: entry.first.ordinal))
        while group := _group(ordered):
            self._publish(group)
        with disk_errors(_what(self._parts)):
            self._snapshot.complete()
        self._warn_of_lost()
        took = time.monotonic() - started
        _log.debug("caught up: %d documents published, %d gone, in %.1f s", len(changed), len(gone), took)

    def _warn_of_lost(self) -> None:
        """Warns of documents that the index should hold and that neither Milvus nor the snapshot has whole."""
        files = self._parts.page_files
        lost = [known for known in files.ids() if files.has_record(known)]
        lost = [known for known in lost if known not in self._snapshot.document_ids]
        if lost:
            names = ", ".join(files.name(known) for known in lost[:_MOST_NAMES])
            more = f" and {len(lost) - _MOST_NAMES} more" if len(lost) > _MOST_NAMES else ""
            path = self._parts.folder.path
            warnings.warn(
                f"the index in {path} has lost rows of {names}{more}, and leaves {'them' if lost[1:] else 'it'} out of "
                f"answers. `pagesight repair --index {path}` takes them from the index's other files.",
                IndexWarning,
                stacklevel=2,
            )

    def _is_recorded(self, document_id: str) -> bool:
        return self._parts.page_files.has_record(document_id)

    def _is_published(self, entry: Entry) -> bool:
        found = self._snapshot.described(entry.first.document_id)
        if found is None:
            return False
        shared, pages, encoders = found
        if (pages, encoders) != (len(entry.rows), entry.encoders):
            return False
        return all(getattr(entry.first, name) == value for name, value in shared.items())

    def _publish(self, document_ids: Sequence[str]) -> None:
        """Publish documents as Milvus has them."""
        rows: defaultdict[str, list[PageRow]] = defaultdict(list)
        for row in self._pages.rows_of(document_ids):
            rows[row.document_id].append(row)
        for pages in rows.values():
            pages.sort(key=lambda row: row.page)
            vectors = {
                one.id: list(map_on_all_cores(partial(self._candidates_of, one), pages)) for one in self._parts.encoders
            }
            self._add(pages, vectors)

    def _candidates_of(self, encoder: IndexEncoder, row: PageRow) -> NDArray[np.float32]:
        """The page's candidate vectors, made as when it was written; none where its vectors are lost."""
        try:
            (page,) = encoder.multivectors.read([row])
        except VectorsMissing:
            return np.zeros((0, encoder.dim), np.float32)
        return centroids(page.vectors, self._parts.centroids)

    def _add(self, rows: Sequence[PageRow], vectors: Mapping[str, Sequence[NDArray[np.floating]]]) -> None:
        with disk_errors(_what(self._parts)):
            self._snapshot.add(CompleteDocument(rows, vectors))


def _group(entries: Iterator[Entry]) -> list[str]:
    """The ids of the next entries with as many pages as are read at once, one at the least."""
    found: list[str] = []
    pages = 0
    for entry in islice(entries, _PAGES_AT_ONCE):
        found.append(entry.first.document_id)
        pages += len(entry.rows)
        if pages >= _PAGES_AT_ONCE:
            break
    return found
