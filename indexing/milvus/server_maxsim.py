"""Candidates by a server's own MaxSim over all vectors of a page, on Milvus 2.6.4 and later.

A page is one row with an array of structs, each with one vector; the search compares lists of vectors (`MAX_SIM_IP`):
https://milvus.io/docs/array-of-structs.md. Its requests are tested on the wire; it was not run on such a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.milvus.centroid_search import HNSW, Took, candidate_id, page_of, wanted_filter
from pagesight.indexing.milvus.client import DataType, EmbeddingList, MilvusClient
from pagesight.indexing.milvus.connection import Collection, Connection
from pagesight.indexing.milvus.page_rows import documents_filter
from pagesight.indexing.pages import FIRST_ENCODER, PageRow
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.storage.manifest import of_encoder

_MOST_VECTORS = 4096  # a server's limit for an array
_VECTORS_AT_ONCE = 16_384  # in one message, 8 MB of 128 numbers each


class ServerMaxSim:
    """The server's MaxSim; see `CandidateSearch`."""

    def __init__(self, connection: Connection, encoder: str = FIRST_ENCODER, took: Took | None = None) -> None:
        """``took`` is told of each page's vectors once they are written."""
        self._connection = connection
        self._took = took
        self._kind = of_encoder("patches", encoder)

    def write(self, ordinal: int, document_id: str, pages: Sequence[PageVectors]) -> list[int]:
        """Write all vectors of the pages, of a page with more than 4,096 as many, evenly taken."""
        rows = [_row(ordinal, document_id, one.page, one.vectors.vectors) for one in pages if len(one.vectors)]
        chunk: list[dict[str, Any]] = []
        for row in rows:
            if chunk and sum(len(other["patches"]) for other in [*chunk, row]) > _VECTORS_AT_ONCE:
                self._connection.upsert(self._kind, chunk)
                chunk = []
            chunk.append(row)
        if chunk:
            self._connection.upsert(self._kind, chunk)
        if self._took:
            for one in pages:
                self._took(document_id, one.page, one.centroids)
        return [min(1, len(one.vectors)) for one in pages]

    def near(self, query: QueryVectors, settings: Settings, wanted: Mapping[int, str] | None) -> list[tuple[int, int]]:
        """The pages with the greatest MaxSim; a query vector's weight goes into its length."""
        asked = EmbeddingList(query.vectors * query.weights[:, None].astype(np.float32))
        found = self._connection.search(
            self._kind,
            data=[asked],
            anns_field="patches[vector]",
            limit=settings.search.most_candidates(),
            filter=wanted_filter(wanted),
            search_params={
                "metric_type": "MAX_SIM_IP",
                "params": {"ef": max(settings.search.ef, settings.search.most_candidates())},
            },
            output_fields=["id"],
        )
        return [page_of(hit.id) for hit in found[0]]

    def drop_surplus(self, ordinal: int, page: int, count: int) -> None:
        """Forget the page where it has no vectors any more."""
        if not count:
            self._connection.delete(self._kind, f"id == {candidate_id(ordinal, page, 0)}")

    def counts(self, document_id: str) -> dict[int, int]:
        """One for each page of a document."""
        found = self._connection.rows(self._kind, documents_filter([document_id]), ["id"])
        return {page_of(row["id"])[1]: 1 for row in found}

    def remove(self, document_id: str, rows: Sequence[PageRow] = ()) -> None:
        """See `CandidateSearch.remove`."""
        self._connection.delete(self._kind, documents_filter([document_id]))

    def remove_all(self) -> None:
        """Drop the collection."""
        self._connection.drop(self._kind)

    def flush(self) -> None:
        """A server seals what was written when it is time."""


def collection(dim: int, encoder: str = FIRST_ENCODER) -> Collection:
    """What `ServerMaxSim` needs of a Milvus, for vectors of ``dim`` numbers."""
    patch = MilvusClient.create_struct_field_schema()
    patch.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field(
        "patches", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=patch, max_capacity=_MOST_VECTORS
    )
    index = MilvusClient.prepare_index_params()
    index.add_index("patches[vector]", index_type="HNSW", metric_type="MAX_SIM_IP", params=HNSW)
    return Collection(of_encoder("patches", encoder), schema, index)


def _row(ordinal: int, document_id: str, page: int, vectors: NDArray[np.float32]) -> dict[str, Any]:
    if len(vectors) > _MOST_VECTORS:
        vectors = vectors[np.linspace(0, len(vectors) - 1, _MOST_VECTORS).astype(int)]
    return {
        "id": candidate_id(ordinal, page, 0),
        "document_id": document_id,
        "patches": [{"vector": vector} for vector in vectors],
    }
