"""An index folder of format 3 becomes one of format 4, in place (docs/format.md).

Nothing that format 3 has is taken away or changes its meaning until the last step, the manifest: cut off anywhere, it
is an index of format 3, and the next writer begins again.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import FIRST_ENCODER, PageRow
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.storage.interfaces import Lost
from pagesight.indexing.storage.manifest import FORMAT
from pagesight.indexing.vectors.quantization import page_checksum
from pagesight.indexing.writing.commit import write_files

_log = logging.getLogger(__name__)


def upgrade(parts: WritingParts) -> None:
    """Bring the folder of an open index to this format; nothing is done where it has it, or on a server.

    Pages whose vectors cannot be read get no checksum: they count as damaged as before.
    """
    manifest = parts.folder.manifest() if parts.page_files else None
    if manifest is None or manifest.format >= FORMAT:
        return
    entries = parts.catalog.entries()
    for entry in entries:
        parts.catalog.add(parts.store.write_pages(_with_checksums(parts, entry)))
    for entry in parts.catalog.entries():
        write_files(parts, entry)
    parts.folder.documents.own()
    parts.flush()
    parts.folder.note_manifest(replace(manifest, format=FORMAT))
    _log.debug("brought %s from format %d to %d", parts.place, manifest.format, FORMAT)


def _with_checksums(parts: WritingParts, entry: Entry) -> list[PageRow]:
    document_id = entry.first.document_id
    counts, lost = parts.candidates[FIRST_ENCODER].counts(document_id), Lost()
    rows = parts.store.whole_rows(document_id)
    read = list(parts.encoders[0].multivectors.read([replace(row, checksum="") for row in rows], lost))
    pages = iter(read)
    found = []
    for row in rows:
        checksum = "" if row.key in lost else page_checksum(row.key, next(pages))
        found.append(replace(row, checksum=checksum, candidates=counts.get(row.page, 0)))
    return found
