"""The parts of one open index, which both journeys work with."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from pagesight.indexing.catalog import Catalog
from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.folder import IndexFolder
from pagesight.indexing.multivectors import MultiVectors
from pagesight.indexing.precision import VectorLayout
from pagesight.indexing.settings import Settings
from pagesight.indexing.store import PageStore


@dataclass(frozen=True)
class IndexParts:
    """Folder, collections, multi-vectors and how they are kept, catalog, and the encoder that made them."""

    folder: IndexFolder
    store: PageStore
    multivectors: MultiVectors
    layout: VectorLayout
    catalog: Catalog
    encoder: PageEncoder
    settings: Settings
    #: One writer at a time: adding and removing take it, searching does not.
    writing: threading.RLock = field(default_factory=threading.RLock)

    def close(self) -> None:
        """Close everything and let the folder go."""
        self.multivectors.close()
        self.store.close()
        self.encoder.close()
        self.folder.close()
