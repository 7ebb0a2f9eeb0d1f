"""Writes the pictures of all pages into a folder, to be kept in a bucket that Vertex AI reads (setting `bucket`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.indexing.documents.own_files import mark_folder
from pagesight.indexing.storage.folder import disk_errors
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.transport.pictures import Pictures

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex


def write_pages(index: PageIndex, pictures: Pictures, folder: Path) -> int:
    """Writes each page as ``<folder>/<document_id>/<page>.<suffix>``, the names that `BucketTransport` refers to.

    Returns the number of pages. Raises SourceError for a page that cannot be rendered, StorageFull, PageIndexError.
    """
    mark_folder(folder)
    refs = [ref for record in index.documents() for ref in record.page_refs]
    for ref in refs:
        picture = pictures.of(PageView(ref))
        path = folder / f"{picture.name}{picture.suffix}"
        with disk_errors(f"{path} cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.data)
    return len(refs)
