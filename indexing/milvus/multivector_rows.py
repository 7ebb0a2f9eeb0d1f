"""Full multi-vectors in rows of Milvus, for indexes on a server: whoever reaches it can score pages exactly.

A page's values, boxes and scales (quantization.py), one after the other, in base64, are cut into rows of 65,532
characters; their keys, `<document_id>:<page>:<part>`, are known from the number of the page's vectors.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from pagesight.indexing.errors import VectorsMissing
from pagesight.indexing.milvus.client import DataType, MilvusClient
from pagesight.indexing.milvus.connection import NO_VECTOR, Collection, Connection, without_vectors
from pagesight.indexing.milvus.long_texts import VARCHAR_BYTES
from pagesight.indexing.milvus.page_rows import documents_filter
from pagesight.indexing.pages import FIRST_ENCODER, PageRow, VectorRecord, page_key
from pagesight.indexing.storage.interfaces import Lost
from pagesight.indexing.storage.manifest import of_encoder
from pagesight.indexing.vectors.quantization import StoredVectors, VectorLayout, page_checksum

_PART_BYTES = VARCHAR_BYTES // 4 * 3
# Rows in one message, 12 MB: a server takes 64 MB at most, and while one chunk is scored the next one is fetched.
_ROWS_AT_ONCE = 192

_NOT_SEEN = "not seen"  # a checksum that no page has


def collection(encoder: str = FIRST_ENCODER) -> Collection:
    """What `MultiVectorRows` needs of a Milvus."""
    schema = MilvusClient.create_schema()
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field("part", DataType.VARCHAR, max_length=VARCHAR_BYTES)
    return Collection(of_encoder("vectors", encoder), schema, without_vectors(schema))


class MultiVectorRows:
    """The multi-vectors by one encoder of an index on a server; see `MultiVectorStore`."""

    local = False

    def __init__(self, connection: Connection, layout: VectorLayout, dim: int, encoder: str = FIRST_ENCODER) -> None:
        self._connection = connection
        self._encoder = encoder
        self._kind = of_encoder("vectors", encoder)
        self._values = np.dtype(layout.precision)
        self._dim = dim
        self._fetching = ThreadPoolExecutor(1, thread_name_prefix="multivectors")

    def write(self, document_id: str, first_page: int, pages: Sequence[StoredVectors]) -> None:
        """Write the pages; the server has them when this returns."""
        rows = (
            {"key": f"{page_key(document_id, page)}:{part}", "document_id": document_id, "part": text} | NO_VECTOR
            for page, vectors in enumerate(pages, first_page)
            for part, text in enumerate(_encoded_parts(vectors))
        )
        while chunk := list(islice(rows, _ROWS_AT_ONCE)):
            self._connection.upsert(self._kind, chunk)

    def read(self, rows: Sequence[PageRow], lost: Lost | None = None, *, anew: bool = False) -> Iterator[StoredVectors]:
        """The vectors of pages, fetched a chunk ahead of what is asked for."""
        chunks = self._chunks(rows)
        ahead = [self._fetching.submit(self._fetch, chunk) for chunk in islice(chunks, 1)]
        while ahead:
            found = ahead.pop().result()
            ahead = [self._fetching.submit(self._fetch, chunk) for chunk in islice(chunks, 1)]
            for row, page in found:
                if isinstance(page, StoredVectors):
                    yield page
                elif lost is None:
                    raise page
                else:
                    lost[row.key] = page

    def remove(self, document_id: str) -> None:
        """Remove the document's rows."""
        self._connection.delete(self._kind, documents_filter([document_id]))

    def close(self) -> None:
        """End the thread that fetches."""
        self._fetching.shutdown()

    def _chunks(self, rows: Sequence[PageRow]) -> Iterator[list[PageRow]]:
        chunk: list[PageRow] = []
        parts = 0
        for row in rows:
            if chunk and parts + self._part_count(row) > _ROWS_AT_ONCE:
                yield chunk
                chunk, parts = [], 0
            chunk.append(row)
            parts += self._part_count(row)
        if chunk:
            yield chunk

    def _fetch(self, pages: list[PageRow]) -> list[tuple[PageRow, StoredVectors | VectorsMissing]]:
        keys = [f"{page.key}:{part}" for page in pages for part in range(self._part_count(page))]
        found = self._get(keys)
        return [(page, self._joined(page, found)) for page in pages]

    def _get(self, keys: list[str]) -> dict[str, str]:
        """The rows by their keys; asked for again where another machine may have written them a moment ago."""
        found: dict[str, str] = {}
        for strong in (False, True):
            missing = [key for key in keys if key not in found]
            if missing:
                rows = self._connection.get(self._kind, missing, ["key", "part"], strong=strong)
                found |= {row["key"]: row["part"] for row in rows}
        return found

    def _joined(self, page: PageRow, found: dict[str, str]) -> StoredVectors | VectorsMissing:
        try:
            content = b"".join(b64decode(found[f"{page.key}:{part}"]) for part in range(self._part_count(page)))
            vectors = self._unpacked(page, content)
        except (KeyError, ValueError):  # a row that is not there, or not one of ours
            vectors = None
        if vectors is not None and self._of(page).checksum in ("", page_checksum(page.key, vectors, self._encoder)):
            return vectors
        return VectorsMissing(
            f"{self._connection.place} has lost the vectors of {page.label}. `pagesight repair` makes them anew."
        )

    def _unpacked(self, page: PageRow, content: bytes) -> StoredVectors:
        count = self._of(page).vectors
        if len(content) != count * self._bytes_per_vector:
            raise ValueError(f"{len(content)} bytes for {count} vectors")
        boxes, scales = np.cumsum([count * self._dim * self._values.itemsize, count * 8])
        return StoredVectors(
            np.frombuffer(content[:boxes], self._values).reshape(-1, self._dim),
            np.frombuffer(content[boxes:scales], np.float16).reshape(-1, 4),
            np.frombuffer(content[scales:], np.float16) if self._values == np.int8 else None,
        )

    def _part_count(self, page: PageRow) -> int:
        return -(-self._of(page).vectors * self._bytes_per_vector // _PART_BYTES)

    def _of(self, page: PageRow) -> VectorRecord:
        return page.encoded(self._encoder) or VectorRecord(checksum=_NOT_SEEN)

    @property
    def _bytes_per_vector(self) -> int:
        return self._dim * self._values.itemsize + 8 + (2 if self._values == np.int8 else 0)


def _encoded_parts(page: StoredVectors) -> Iterator[str]:
    arrays = [page.values, page.boxes] + ([] if page.scales is None else [page.scales])
    content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    for start in range(0, len(content), _PART_BYTES):
        yield b64encode(content[start : start + _PART_BYTES]).decode()
