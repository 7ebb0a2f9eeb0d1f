"""Opens indexes: in a folder, in one that another process serves, or on a Milvus server; each once in a process."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

from pagesight.indexing.calls.ledger import Ledger
from pagesight.indexing.encoders import PageEncoder, choose, encoder_code, is_called, make_encoder, note_costs, remember
from pagesight.indexing.errors import IndexMissing, PageIndexError
from pagesight.indexing.index_parts import IndexParts, warn_of_lost
from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.milvus import centroid_search, lease, multivector_rows, page_rows, server_maxsim
from pagesight.indexing.milvus.centroid_search import CentroidSearch
from pagesight.indexing.milvus.connection import Collection, Connection, connect_folder, connect_served, connect_server
from pagesight.indexing.milvus.lease import ServerSharing
from pagesight.indexing.milvus.multivector_rows import MultiVectorRows
from pagesight.indexing.milvus.page_rows import PageStore
from pagesight.indexing.milvus.sealed_files import unsealed_damage
from pagesight.indexing.milvus.server_maxsim import ServerMaxSim
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import ServerAddress, folder_of, server_address
from pagesight.indexing.storage.catalog import Catalog
from pagesight.indexing.storage.folder import SEAL, IndexFolder
from pagesight.indexing.storage.interfaces import MultiVectorStore, Sharing
from pagesight.indexing.storage.manifest import Manifest, read_manifest, refuse_other
from pagesight.indexing.storage.multivector_files import MultiVectorFiles
from pagesight.indexing.storage.page_files import PageFiles
from pagesight.indexing.storage.sharing import ServedFolder, UnsharedFolder
from pagesight.indexing.vectors.quantization import VectorLayout

_log = logging.getLogger(__name__)

# The indexes that this process has open: opening one again, as notebooks do, shares what is open and does not wait for
# the process's own lock.
_registry: dict[str, IndexParts] = {}
_uses: dict[str, int] = {}
_registry_lock = threading.Lock()


def take(place: str, encoder: str | None, settings: Settings, create: bool) -> IndexParts:
    """The parts of the index at a place, until `give_back`; see `PageIndex.open`."""
    address = server_address(place)
    key = str(address or folder_of(place, settings))
    with _registry_lock:
        parts = _registry.get(key)
        if parts is None:
            parts = _on_server(address, encoder, settings, create) if address else None
            parts = parts or _in_folder(Path(key), encoder, settings, create)
            note_costs(parts.encoder, Ledger(parts.folder.path).add)
            _registry[key] = parts
        elif encoder not in (None, "auto", parts.encoder.name) and not is_called(parts.encoder.name, encoder or ""):
            refuse_other(Manifest(parts.encoder.describe(), parts.layout), {"name": choose(encoder or "").name}, key)
        if not _named_by(parts.encoder.name, encoder, settings, key):
            remember(encoder_code(parts.encoder))
        _uses[key] = _uses.get(key, 0) + 1
    return replace(parts, settings=settings)


def give_back(parts: IndexParts) -> None:
    """Close the parts once nobody in this process has them any more."""
    with _registry_lock:
        _uses[parts.place] -= 1
        if _uses[parts.place] == 0:
            _registry.pop(parts.place)
            parts.close()


def _in_folder(path: Path, encoder: str | None, settings: Settings, create: bool) -> IndexParts:
    folder = IndexFolder(path)
    uri = folder.served_at()
    if uri is None:
        folder.hold(create=create)
    try:
        manifest = folder.manifest()
        chosen, made_with = _encoder(manifest, encoder, settings, path)
        if uri is None:
            _refuse_damaged(path)
        connection = (
            connect_served(uri, str(path), folder.served_token()) if uri else connect_folder(path / "milvus.db")
        )
        if manifest is None:
            folder.note_manifest(made_with)
        connection.ensure(_collections(chosen.dim, connection))
        sharing = ServedFolder(path) if uri else UnsharedFolder()
        multivectors = MultiVectorFiles(path / "multivectors", made_with.layout, chosen.dim)
        files = PageFiles(path / "pages")
        parts = _assembled(folder, connection, multivectors, files, sharing, chosen, made_with, settings, str(path))
        warn_of_lost(parts)
        return parts
    except BaseException:
        folder.close()
        raise


def _refuse_damaged(path: Path) -> None:
    """Raises PageIndexError where Milvus Lite would open files that are damaged."""
    if damage := unsealed_damage(path / "milvus.db", path / SEAL):
        more = f" and {len(damage) - 1} more" if damage[1:] else ""
        raise PageIndexError(
            f"a file of the index in {path} is damaged: {damage[0].path} ({damage[0].why}){more}. No document is lost: "
            f"`pagesight repair --index {path}` makes it anew from the index's other files."
        )


def _on_server(address: ServerAddress, encoder: str | None, settings: Settings, create: bool) -> IndexParts:
    connection = connect_server(address, settings)
    try:
        if connection.serves_folder:
            raise PageIndexError(
                f"{address.uri} is where `pagesight serve` serves an index in a folder. Open that one by its folder: "
                "--index DIR."
            )
        sharing = ServerSharing(connection)
        manifest = _manifest_on_server(sharing, connection)
        if manifest is None and not create:
            raise IndexMissing(
                f"there is no index at {address}. Make one with `pagesight index PATH… --index {address}`, or name "
                "another with --index."
            )
        chosen, made_with = _encoder(manifest, encoder, settings, address)
        connection.ensure(
            [
                lease.collection(),
                multivector_rows.collection(),
                *_collections(chosen.dim, connection),
            ]
        )
        if manifest is None:
            made_with = _noted(sharing, made_with, address)
        multivectors = MultiVectorRows(connection, made_with.layout, chosen.dim)
        folder = IndexFolder(folder_of(str(address), settings))
        return _assembled(folder, connection, multivectors, None, sharing, chosen, made_with, settings, str(address))
    except BaseException:
        connection.close()
        raise


def _assembled(
    folder: IndexFolder,
    connection: Connection,
    multivectors: MultiVectorStore,
    page_files: PageFiles | None,
    sharing: Sharing,
    encoder: PageEncoder,
    manifest: Manifest,
    settings: Settings,
    place: str,
) -> IndexParts:
    pages = PageStore(connection)
    candidates = ServerMaxSim(connection) if connection.capabilities.max_sim else CentroidSearch(connection)
    catalog = Catalog(pages, sharing, manifest.term_rules)
    _log.debug("opened %s: %d documents, encoder %s", place, len(catalog.view().entries), encoder.name)
    return IndexParts(
        folder,
        pages,
        candidates,
        multivectors,
        page_files,
        manifest.layout,
        catalog,
        encoder,
        settings,
        sharing,
        place,
        manifest.term_rules,
    )


def _collections(dim: int, connection: Connection) -> list[Collection]:
    able = connection.capabilities
    candidates = server_maxsim.collection(dim) if able.max_sim else centroid_search.collection(dim, able)
    return [candidates, page_rows.collection()]


def _encoder(
    manifest: Manifest | None, encoder: str | None, settings: Settings, place: object
) -> tuple[PageEncoder, Manifest]:
    """The index's encoder, or that of a new one, and what it is made with. Raises EncoderMismatch."""
    known = manifest.encoder if manifest else None
    name = known["name"] if known and encoder in (None, "auto") else choose(encoder or settings.encoding.encoder).name
    refuse_other(manifest, {"name": name}, place)
    asked = _as_asked(name, encoder, settings)
    chosen = make_encoder(asked, settings, known, named_by=_named_by(name, encoder, settings, place))
    refuse_other(manifest, chosen.describe(), place)
    usual = VectorLayout(settings.vectors.precision or "float16", settings.vectors.pool or 1)
    return chosen, Manifest(
        chosen.describe(), manifest.layout if manifest else usual, manifest.term_rules if manifest else TERM_RULES
    )


def _as_asked(name: str, encoder: str | None, settings: Settings) -> str:
    """The encoder of this name as the argument or the setting names it, where one does: with its server's address."""
    if encoder not in (None, "auto"):
        return encoder or name
    return settings.encoding.encoder if is_called(name, settings.encoding.encoder) else name


def _named_by(name: str, encoder: str | None, settings: Settings, place: object) -> str:
    """What names the encoder, in words; empty if it is the user, by an argument or in the environment."""
    if encoder not in (None, "auto"):
        return ""
    asked = settings.encoding.encoder
    if asked == "auto" or not is_called(name, asked):
        return f"the index in {place}"
    return f"the file {Path('.env').resolve()}" if settings.from_dotenv("encoder") else ""


def _manifest_on_server(sharing: ServerSharing, connection: Connection) -> Manifest | None:
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
    manifest = read_manifest(recorded, address)
    refuse_other(manifest, made_with.encoder, address)
    return manifest
