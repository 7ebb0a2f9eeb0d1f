"""Opens indexes, in a folder or on a Milvus server; each once in a process."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

from pagesight.indexing.calls.ledger import Ledger
from pagesight.indexing.configuration.index_place import index_missing
from pagesight.indexing.encoders import choose, encoder_code, note_costs, remember
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.opening.folder_access import FolderAccess, in_folder, start
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.named_encoder import Asked, asked_names, named_by, named_encoders, same_encoders
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import folder_of, server_address
from pagesight.indexing.storage.atomic_files import private_folder
from pagesight.indexing.storage.folder import IndexFolder, disk_errors, refuse_links
from pagesight.indexing.storage.folder_parts import FolderParts
from pagesight.indexing.storage.manifest import Manifest, refuse_other
from pagesight.indexing.storage.page_files import PageFiles
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.storage.sharing import WriterLock

_log = logging.getLogger(__name__)

# The indexes that this process has open: opening one again, as notebooks do, shares what is open.
_registry: dict[str, IndexParts] = {}
_uses: dict[str, int] = {}
_registry_lock = threading.Lock()


def take(place: str, encoder: Asked, settings: Settings, create: bool) -> IndexParts:
    """The parts of the index at a place, until `give_back`; see `PageIndex.open`."""
    address = server_address(place)
    key = str(address or folder_of(place, settings))
    with _registry_lock:
        parts = _registry.get(key)
        if parts is None:
            if address:
                # Only a server's client is loaded for it: reading a folder needs none.
                from pagesight.indexing.opening.open_server import open_on_server

                parts = open_on_server(address, encoder, settings, create)
            else:
                parts = _in_folder(Path(key), encoder, settings, create)
            _register(parts)
        asked = asked_names(encoder)
        for name in asked:
            refuse_other([one.encoder.describe() for one in parts.encoders], {"name": choose(name).name}, key)
        for one in parts.encoders:
            if not named_by(one.encoder.name, asked, settings, key):
                remember(encoder_code(one.encoder))
        _uses[key] = _uses.get(key, 0) + 1
    return replace(parts, settings=settings)


def with_encoder(parts: IndexParts, encoder: str) -> IndexParts:
    """The parts of an index without documents, made anew with another encoder, for whom alone in this process has it.

    The old ones are closed then. Raises PageIndexError, before anything is asked of the encoder, for an index that has
    documents, or removed ones that can be restored, or is on a server; IndexInUse, SettingsError, EncoderError.
    """
    with _registry_lock:
        folder, lock = parts.folder, WriterLock(parts.folder.path)
        if server_address(parts.place) or _uses[parts.place] > 1:
            raise PageIndexError(f"the encoder of the index in {parts.place} cannot be changed: make a new index.")
        with disk_errors(f"the index folder {folder.path} cannot be used"), lock.held(parts.settings.sharing.wait):
            if parts.view(at_once=True).page_count() or RemovedDocuments(folder.path).records():
                raise PageIndexError(
                    f"the index in {parts.place} has documents, or removed ones that can be restored, and keeps its "
                    f"encoder: make a new index, `pagesight index PATH… --index OTHER --encoder {encoder}`."
                )
            chosen, made_with = named_encoders(None, encoder, parts.settings, folder.path)
            for one in chosen:
                one.close()
            folder.clear()
            _begun(folder, made_with)
        parts.close()
        opened = _in_folder(folder.path, encoder, parts.settings, create=False)
        _register(opened)
    return opened


def _register(parts: IndexParts) -> None:
    for one in parts.encoders:
        note_costs(one.encoder, Ledger(parts.folder.path).add)
    _registry[parts.place] = parts


def give_back(parts: IndexParts) -> None:
    """Close the parts once nobody in this process has them any more."""
    with _registry_lock:
        _uses[parts.place] -= 1
        if _uses[parts.place] == 0:
            _registry.pop(parts.place)
            parts.close()


def _in_folder(path: Path, encoder: Asked, settings: Settings, create: bool) -> IndexParts:
    folder, lock = IndexFolder(path), WriterLock(path)
    refuse_links(path)
    manifest = folder.manifest()
    if manifest is None and not create:
        raise index_missing(path)
    chosen, made_with = named_encoders(manifest, encoder, settings, path)
    try:
        if manifest is None:
            made_with = _made(folder, lock, made_with, settings.sharing.wait)
        encoders = [in_folder(path, *one) for one in zip(made_with.encoders, chosen, strict=True)]
        files, centroids = PageFiles(path / "pages"), settings.vectors.centroids
        access = FolderAccess(FolderParts(folder, encoders, files, made_with.term_rules, centroids), lock)
        access.prepare(settings.sharing.wait)
    except BaseException:
        for one in chosen:
            one.close()
        raise
    names = ", ".join(one.name for one in chosen)
    _log.debug("opened %s: %d pages, encoder %s", path, access.view().page_count(), names)
    return IndexParts(folder, encoders, files, settings, access, str(path), made_with.term_rules)


def _made(folder: IndexFolder, lock: WriterLock, made_with: Manifest, wait: float) -> Manifest:
    """Makes an index in the folder, unless another process has made it meanwhile: then that counts."""
    with disk_errors(f"the index folder {folder.path} cannot be used"):
        private_folder(folder.path)
        with lock.held(wait):
            manifest = folder.manifest()
            if manifest is None:
                _begun(folder, made_with)
                return made_with
    return same_encoders(manifest, made_with, folder.path)


def _begun(folder: IndexFolder, made_with: Manifest) -> None:
    folder.note_manifest(made_with)
    start(folder, made_with)
