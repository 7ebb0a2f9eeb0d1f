"""Opens indexes on a Milvus server, which any number of processes read and write by turns (milvus/lease.py)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pagesight.indexing.calls.destinations import refuse_unconfirmed
from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import IndexMissing
from pagesight.indexing.milvus import centroid_search, lease, multivector_rows, page_rows, server_maxsim
from pagesight.indexing.milvus.centroid_search import CentroidSearch
from pagesight.indexing.milvus.connection import Collection, Connection, connect_server
from pagesight.indexing.milvus.lease import ServerSharing
from pagesight.indexing.milvus.multivector_rows import MultiVectorRows
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.milvus.server_maxsim import ServerMaxSim
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.named_encoder import Asked, named_encoders, same_encoders
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import ServerAddress, folder_of
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.catalog_view import View
from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.index_encoder import IndexEncoder, refuse_changed
from pagesight.indexing.storage.interfaces import CandidateSearch
from pagesight.indexing.storage.manifest import Manifest, RecordedEncoder, of_encoder, read_manifest
from pagesight.indexing.storage.shared_documents import SharedDocuments

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerAccess:
    """Rows, candidates, catalog and lease of an index on a server; see `IndexAccess` and `OpenStore`."""

    connection: Connection
    encoders: Sequence[IndexEncoder]
    store: PageStore
    candidates: dict[str, CandidateSearch]
    catalog: Catalog
    sharing: ServerSharing

    def view(self, *, at_once: bool = False) -> View:
        """See `Catalog.view`."""
        return self.catalog.view(at_once=at_once)

    @contextlib.contextmanager
    def writing(self, wait: float) -> Iterator[ServerAccess]:
        """See `Catalog.writing`; who else writes is waited for only as long as it shows no sign of life."""
        with self.catalog.writing():
            refuse_changed(self.manifest(), self.encoders, self.connection.place)
            yield self

    def remake(self) -> None:
        """There is nothing: all that is read is on the server."""

    def manifest(self) -> Manifest:
        """See `IndexAccess.manifest`."""
        return read_manifest(self.sharing.manifest(), self.connection.place)

    def note_manifest(self, manifest: Manifest) -> None:
        """See `IndexAccess.note_manifest`."""
        self.sharing.note_manifest(manifest.as_dict())

    def with_stores(self, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
        """See `IndexAccess.with_stores`."""
        self.connection.ensure(_collections(encoder.dim, self.connection, recorded.id))
        self.candidates[recorded.id] = _candidates(self.connection, recorded.id)
        return _on_server(self.connection, recorded, encoder)

    def forget_encoder(self, encoder: str) -> None:
        """See `pagesight.indexing.opening.index_parts.OpenStore`."""
        self.candidates.pop(encoder, None)
        _candidates(self.connection, encoder).remove_all()
        self.connection.drop(of_encoder("vectors", encoder))

    def close(self) -> None:
        """Close the connection."""
        self.store.close()


def open_on_server(address: ServerAddress, encoder: Asked, settings: Settings, create: bool) -> IndexParts:
    """The parts of the index at an address; see `PageIndex.open`."""
    connection = connect_server(address, settings)
    try:
        sharing = ServerSharing(connection)
        manifest = _manifest(sharing, connection)
        if manifest is None and not create:
            raise IndexMissing(
                f"there is no index at {address}. Make one with `pagesight index PATH… --index {address}`, or name "
                "another with --index."
            )
        chosen, made_with = named_encoders(manifest, encoder, settings, address)
        recorded = zip(made_with.encoders, chosen, strict=True)
        of_encoders = [each for one, made in recorded for each in _collections(made.dim, connection, one.id)]
        connection.ensure([lease.collection(), page_rows.collection(), *of_encoders])
        if manifest is None:
            made_with = _noted(sharing, made_with, address)
        return _assembled(address, connection, sharing, chosen, made_with, settings)
    except BaseException:
        connection.close()
        raise


def _assembled(
    address: ServerAddress,
    connection: Connection,
    sharing: ServerSharing,
    chosen: Sequence[PageEncoder],
    manifest: Manifest,
    settings: Settings,
) -> IndexParts:
    pages = PageStore(connection)
    encoders = [_on_server(connection, *one) for one in zip(manifest.encoders, chosen, strict=True)]
    candidates = {one.id: _candidates(connection, one.id) for one in encoders}

    def searching() -> list[str]:
        recorded = read_manifest(sharing.manifest(), address).encoders
        return [one.id for one in recorded if one.finished]

    catalog = Catalog(pages, candidates, sharing, manifest.term_rules, encoders=searching)
    names = ", ".join(one.name for one in chosen)
    _log.debug("opened %s: %d documents, encoder %s", address, len(catalog.view().entries), names)
    return IndexParts(
        IndexFolder(folder_of(str(address), settings), _shared_documents(address, settings)),
        encoders,
        None,
        settings,
        ServerAccess(connection, encoders, pages, candidates, catalog, sharing),
        str(address),
        manifest.term_rules,
    )


def _shared_documents(address: ServerAddress, settings: Settings) -> SharedDocuments | None:
    place = settings.sharing.documents_at
    if place is None:
        return None
    refuse_unconfirmed(settings, "documents_at")
    return SharedDocuments(place, address.name, settings.documents)


def _on_server(connection: Connection, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
    return IndexEncoder(recorded, encoder, MultiVectorRows(connection, recorded.layout, encoder.dim, recorded.id))


def _candidates(connection: Connection, encoder: str) -> CandidateSearch:
    if connection.capabilities.max_sim:
        return ServerMaxSim(connection, encoder)
    return CentroidSearch(connection, encoder)


def _collections(dim: int, connection: Connection, encoder: str) -> list[Collection]:
    able = connection.capabilities
    if able.max_sim:
        return [multivector_rows.collection(encoder), server_maxsim.collection(dim, encoder)]
    return [multivector_rows.collection(encoder), centroid_search.collection(dim, able, encoder)]


def _manifest(sharing: ServerSharing, connection: Connection) -> Manifest | None:
    if not connection.has("state"):
        return None
    connection.ensure([lease.collection()])
    recorded = sharing.manifest(strong=True)
    return None if recorded is None else read_manifest(recorded, connection.place)


def _noted(sharing: ServerSharing, made_with: Manifest, address: ServerAddress) -> Manifest:
    """Notes what a new index is made with, unless another machine has made it meanwhile: then that counts."""
    with sharing.lease():
        recorded = sharing.manifest(strong=True)
        if recorded is None:
            sharing.note_manifest(made_with.as_dict())
            return made_with
    return same_encoders(read_manifest(recorded, address), made_with, address)
