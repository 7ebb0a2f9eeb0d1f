"""An index in a folder, as both its readers and its writer know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.page_files import PageFiles


@dataclass(frozen=True)
class FolderParts:
    """The folder, its encoders, the rules of its terms, and the centroids of a page by each encoder.

    All who have the index open in this process share the list of ``encoders``.
    """

    folder: IndexFolder
    encoders: Sequence[IndexEncoder]
    page_files: PageFiles
    term_rules: int
    centroids: int

    @property
    def database(self) -> Path:
        """Milvus Lite's folder."""
        return self.folder.path / "milvus.db"
