"""The Milvus collections of an index: `pages`, a row a page with BM25 over its terms, and `candidates`, K rows a page.

The same code for Milvus Lite in a folder and for a server. What it does not do: decide what is written in which order
(ingest.py), or score pages exactly (maxsim.py).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import PageIndexError, StorageFull
from pagesight.indexing.settings import environment

# It loads a `.env` from any folder above the one it is installed in: not the caller's, whose it would override.
with environment(PYTHON_DOTENV_DISABLED="1"):
    from pymilvus import DataType, Function, FunctionType, MilvusClient, MilvusException

# BM25's usual constants; at k1 1.2 or b 0.5 real questions scored up to .04 nDCG@5 lower.
_BM25 = {"bm25_k1": 1.5, "bm25_b": 0.75}
# M and efConstruction as FAISS recommends for some 100,000 vectors.
_HNSW = {"M": 16, "efConstruction": 200}
_VARCHAR_BYTES = 65_535  # a server's limit; Milvus Lite does not check it
_CALM = {"grpc.keepalive_time_ms": 600_000, "grpc.keepalive_permit_without_calls": False}
_PAGE_BITS, _CENTROID_BITS = 24, 8


@dataclass(frozen=True)
class PageRow:
    """A page's row in `pages`; written last, so that a page with a row is complete.

    ``ordinal`` numbers the documents of an index, so that a page is a number in `candidates`; ``batch`` is the first
    page of its multi-vector file; ``terms`` are separated by spaces; ``size`` bytes and ``modified`` nanoseconds are
    the file's when it was indexed; ``added`` is ISO 8601 in UTC; ``metadata`` is the document's.
    """

    key: str
    document_id: str
    document: str
    path: str
    page: int
    page_count: int
    ordinal: int
    batch: int
    text_source: str
    size: int
    modified: int
    added: str
    metadata: dict[str, Any] = field(default_factory=dict)
    terms: str = ""
    text: str = ""


_LIGHT_FIELDS = [item.name for item in fields(PageRow) if item.name not in ("terms", "text")]


class PageStore:
    """The two collections behind one address."""

    def __init__(self, uri: str, dim: int) -> None:
        self._uri = uri
        self._client = _connect(uri)
        self._is_lite = not uri.startswith("http")
        self._dim = dim
        with _storage_errors("open"):
            if not self._client.has_collection("candidates"):
                self._create_candidates()
            if not self._client.has_collection("pages"):
                self._create_pages()
            # A process that was killed leaves them on the disk and not loaded.
            self._client.load_collection("candidates")
            self._client.load_collection("pages")

    def write_candidates(
        self, ordinal: int, document_id: str, pages: Sequence[tuple[int, NDArray[np.float32]]]
    ) -> None:
        """Write the candidate vectors of pages, (number, (k, dim) float32) each; k at most 256."""
        rows = [
            {"id": candidate_id(ordinal, page, position), "document_id": document_id, "vector": vector}
            for page, vectors in pages
            for position, vector in enumerate(vectors)
        ]
        if rows:
            with _storage_errors("write"):
                self._client.upsert("candidates", rows)

    def write_pages(self, rows: Sequence[PageRow]) -> None:
        """Write the rows that make pages findable."""
        with _storage_errors("write"):
            self._client.upsert("pages", [_fitted(row) for row in rows])

    def flush(self) -> None:
        """Seal what was written, which makes the next searches faster; nothing is lost without it."""
        with _storage_errors("write"):
            self._client.flush("candidates")
            self._client.flush("pages")

    def pages(self) -> list[PageRow]:
        """All rows of `pages`, without terms and text."""
        return [_page_row(row) for row in self._rows("page > 0", _LIGHT_FIELDS)]

    def describe(self, document_id: str, metadata: dict[str, Any]) -> list[PageRow]:
        """Give a document other metadata; returns its rows without terms and text."""
        every = [item.name for item in fields(PageRow)]
        rows = [_page_row(row) for row in self._rows(_documents_filter([document_id]), every)]
        described = [replace(row, metadata=metadata) for row in rows]
        self.write_pages(described)
        return [replace(row, terms="", text="") for row in described]

    def terms(self) -> Iterator[tuple[str, list[str]]]:
        """Each page's key and terms."""
        for row in self._rows("page > 0", ["key", "terms"]):
            yield row["key"], row["terms"].split()

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """The pages' texts, in lines, by key."""
        with _storage_errors("read"):
            rows = self._client.get("pages", ids=list(keys), output_fields=["key", "text"]) if keys else []
        return {row["key"]: row["text"] for row in rows}

    def search_terms(self, terms: Sequence[str], limit: int, document_ids: Sequence[str] | None) -> dict[str, float]:
        """The BM25 scores of the best ``limit`` pages, higher is better, by key."""
        with _storage_errors("search"):
            found = self._client.search(
                "pages",
                data=[" ".join(terms)],
                anns_field="bm25",
                limit=limit,
                filter=_documents_filter(document_ids),
                # Asked for nothing, Milvus Lite hands out every field, at ten times the time of the search.
                output_fields=["key"],
            )
        # Milvus Lite hands BM25 scores out negative, a server positive.
        return {hit.id: abs(hit.distance) for hit in found[0]}

    def search_vectors(
        self, query: NDArray[np.float32], limit: int, ef: int, document_ids: Sequence[str] | None
    ) -> list[list[tuple[int, int, float]]]:
        """For each query vector of (m, dim), its best ``limit`` candidates as (ordinal, page, similarity).

        ``ef`` is how many HNSW keeps in view as it goes: more find better ones, in more time.
        """
        with _storage_errors("search"):
            found = self._client.search(
                "candidates",
                data=list(query),
                anns_field="vector",
                limit=limit,
                filter=_documents_filter(document_ids),
                search_params={"params": {"ef": max(ef, limit)}},
                output_fields=["id"],
            )
        return [[(*_page_of(hit.id), hit.distance) for hit in hits] for hits in found]

    def remove_pages(self, document_id: str) -> None:
        """Remove a document's rows from `pages`: from here on it is not found."""
        with _storage_errors("remove"):
            self._client.delete("pages", filter=_documents_filter([document_id]))

    def remove_candidates(self, document_id: str) -> None:
        """Remove a document's candidate vectors."""
        with _storage_errors("remove"):
            self._client.delete("candidates", filter=_documents_filter([document_id]))

    def close(self) -> None:
        """Close the connection; Milvus Lite lets go of its folder."""
        self._client.close()
        if self._is_lite:
            # Its server stays behind otherwise, with the folder locked, until this process ends.
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self._uri)

    def _rows(self, condition: str, names: list[str]) -> list[dict[str, Any]]:
        with _storage_errors("read"):
            if self._is_lite:
                return list(self._client.query("pages", filter=condition, output_fields=names))
            # A server hands out 16,384 rows at most, and more only through an iterator.
            iterator = self._client.query_iterator("pages", batch_size=4096, filter=condition, output_fields=names)
            rows: list[dict[str, Any]] = []
            while batch := iterator.next():
                rows.extend(batch)
            iterator.close()
        return rows

    def _create_pages(self) -> None:
        schema = self._client.create_schema(enable_dynamic_field=True)
        schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("document_id", DataType.VARCHAR, max_length=64)
        schema.add_field("page", DataType.INT64)
        # Terms come split and in lower case: the standard analyzer takes them as they are, on Lite and on servers.
        schema.add_field("terms", DataType.VARCHAR, max_length=_VARCHAR_BYTES, enable_analyzer=True)
        schema.add_field("text", DataType.VARCHAR, max_length=_VARCHAR_BYTES)
        schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            Function(
                name="bm25", function_type=FunctionType.BM25, input_field_names=["terms"], output_field_names=["bm25"]
            )
        )
        index = self._client.prepare_index_params()
        index.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=_BM25)
        self._client.create_collection("pages", schema=schema, index_params=index, consistency_level="Strong")

    def _create_candidates(self) -> None:
        schema = self._client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("document_id", DataType.VARCHAR, max_length=64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dim)
        # Made with the collection: on a filled one Milvus Lite builds it in one call that gRPC gives up on.
        index = self._client.prepare_index_params()
        # Over 8-bit copies the graph takes half the time and disk and found as many of the best vectors.
        kind = "HNSW_SQ" if self._is_lite else "HNSW"
        index.add_index("vector", index_type=kind, metric_type="IP", params=_HNSW)
        self._client.create_collection("candidates", schema=schema, index_params=index, consistency_level="Strong")


def candidate_id(ordinal: int, page: int, centroid: int) -> int:
    """A candidate vector's key, which carries its page: asking Milvus for fields would double the time of a search."""
    return (ordinal << (_PAGE_BITS + _CENTROID_BITS)) | (page << _CENTROID_BITS) | centroid


def _page_of(key: int) -> tuple[int, int]:
    return key >> (_PAGE_BITS + _CENTROID_BITS), (key >> _CENTROID_BITS) & ((1 << _PAGE_BITS) - 1)


def _documents_filter(document_ids: Sequence[str] | None) -> str:
    return "" if document_ids is None else f"document_id in {json.dumps(list(document_ids))}"


def _page_row(row: dict[str, Any]) -> PageRow:
    return PageRow(**{item.name: row[item.name] for item in fields(PageRow) if item.name in row})


def _fitted(row: PageRow) -> dict[str, Any]:
    return asdict(row) | {"terms": _cut(row.terms), "text": _cut(row.text)}


def _cut(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= _VARCHAR_BYTES else encoded[:_VARCHAR_BYTES].decode(errors="ignore")


def _connect(uri: str) -> MilvusClient:
    # Milvus Lite logs what it also raises, and its server the calls of pymilvus that it does not have.
    logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)
    logging.getLogger("grpc._server").addFilter(_is_no_missing_call)
    try:
        # pymilvus pings every 10 s, also when nothing is asked; Milvus Lite takes that for an attack and closes the
        # connection, with a message on standard error.
        return MilvusClient(uri, grpc_options=_CALM)
    except MilvusException as error:
        raise _translated(error, f"Milvus at {uri} cannot be opened") from error


@contextmanager
def _storage_errors(action: str) -> Iterator[None]:
    """Turns what Milvus raises inside the block into errors that say what to do."""
    try:
        yield
    except MilvusException as error:
        raise _translated(error, f"Milvus could not {action}") from error


def _is_no_missing_call(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], NotImplementedError))


def _translated(error: MilvusException, what: str) -> PageIndexError:
    text = str(error.message)
    if "No space left" in text or "Errno 28" in text:
        return StorageFull(
            f"{what}: the disk is full. Free some space and run the same command again; what was written stays."
        )
    return PageIndexError(f"{what}: {text}. Run `pagesight doctor` to see whether the index can be used.")


def lite_uri(folder: Path) -> str:
    """The address of Milvus Lite in an index's folder."""
    return str(folder / "milvus.db")
