"""Opens indexes on a Milvus server, which any number of processes read and write by turns (milvus/lease.py)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pagesight.indexing.calls.destinations import refuse_unconfirmed
from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import IndexMissing
from pagesight.indexing.milvus import lease, page_rows, snapshot_rows
from pagesight.indexing.milvus.connection import Connection, connect_server
from pagesight.indexing.milvus.lease import ServerSharing
from pagesight.indexing.milvus.snapshot_rows import SnapshotRows
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.named_encoder import Asked, named_encoders, same_encoders
from pagesight.indexing.opening.server_access import ServerAccess, collections, nothing, on_server
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import ServerAddress, folder_of
from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.manifest import Manifest, read_manifest
from pagesight.indexing.storage.shared_documents import SharedDocuments

_log = logging.getLogger(__name__)


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
        of_encoders = [each for one, made in recorded for each in collections(made.dim, connection, one.id)]
        connection.ensure([lease.collection(), page_rows.collection(), snapshot_rows.collection(), *of_encoders])
        files = SnapshotRows(connection, sharing)
        if manifest is None:
            made_with = _noted(sharing, files, made_with, address)
        return _assembled(address, connection, files, sharing, chosen, made_with, settings)
    except BaseException:
        connection.close()
        raise


def _assembled(
    address: ServerAddress,
    connection: Connection,
    files: SnapshotRows,
    sharing: ServerSharing,
    chosen: Sequence[PageEncoder],
    manifest: Manifest,
    settings: Settings,
) -> IndexParts:
    encoders = [on_server(connection, *one) for one in zip(manifest.encoders, chosen, strict=True)]
    access = ServerAccess(connection, files, sharing, encoders, manifest.term_rules, settings.vectors.centroids)
    access.prepare()
    _log.debug("opened %s, encoder %s", address, ", ".join(one.name for one in chosen))
    return IndexParts(
        IndexFolder(folder_of(str(address), settings), _shared_documents(address, settings)),
        encoders,
        None,
        settings,
        access,
        str(address),
        manifest.term_rules,
    )


def _shared_documents(address: ServerAddress, settings: Settings) -> SharedDocuments | None:
    place = settings.sharing.documents_at
    if place is None:
        return None
    refuse_unconfirmed(settings, "documents_at")
    return SharedDocuments(place, address.name, settings.documents)


def _manifest(sharing: ServerSharing, connection: Connection) -> Manifest | None:
    if not connection.has("state"):
        return None
    connection.ensure([lease.collection()])
    recorded = sharing.manifest(strong=True)
    return None if recorded is None else read_manifest(recorded, connection.place)


def _noted(sharing: ServerSharing, files: SnapshotRows, made_with: Manifest, address: ServerAddress) -> Manifest:
    """Notes what a new index is made with, unless another machine has made it meanwhile: then that counts."""
    with sharing.lease():
        recorded = sharing.manifest(strong=True)
        if recorded is None:
            sharing.note_manifest(made_with.as_dict())
            files.publish(nothing(made_with))
            return made_with
    return same_encoders(read_manifest(recorded, address), made_with, address)
