"""An index in a folder, as both its readers and its writer know it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pagesight.indexing.storage.folder import IndexFolder
from pagesight.indexing.storage.interfaces import MultiVectorStore
from pagesight.indexing.storage.page_files import PageFiles


@dataclass(frozen=True)
class FolderParts:
    """The folder, its pages' multi-vectors, ``dim`` of them, the rules of its terms, and the centroids of a page."""

    folder: IndexFolder
    multivectors: MultiVectorStore
    page_files: PageFiles
    dim: int
    term_rules: int
    centroids: int

    @property
    def database(self) -> Path:
        """Milvus Lite's folder."""
        return self.folder.path / "milvus.db"
