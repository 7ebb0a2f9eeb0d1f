"""Finding the pages that are worth an exact score: by HNSW over the centroids of each page's multi-vector.

On servers that can, by their own MaxSim instead (server_maxsim.py), behind the same seam.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.milvus.capabilities import MilvusCapabilities
from pagesight.indexing.milvus.client import DataType, MilvusClient
from pagesight.indexing.milvus.connection import Collection, Connection
from pagesight.indexing.milvus.page_rows import documents_filter
from pagesight.indexing.pages import FIRST_ENCODER, PageRow, VectorRecord
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.storage.manifest import of_encoder
from pagesight.indexing.vectors.centroids import best_holders

# M and efConstruction as FAISS recommends for some 100,000 vectors.
HNSW = {"M": 16, "efConstruction": 200}
_PAGE_BITS, _CENTROID_BITS = 24, 8
_IDS_A_RANGE = 4  # documents that a range must have on average; a guess, not measured: 3 ids are as long as it
_KEYS_AT_ONCE = 5_000  # that are deleted in one message; a guess, not measured


#: Takes a document's id, a page's number and its candidate vectors, (k, dim) float32.
Took = Callable[[str, int, NDArray[np.float32]], None]


class CentroidSearch:
    """HNSW over a few centroids of each page; see `CandidateSearch`."""

    def __init__(self, connection: Connection, encoder: str = FIRST_ENCODER, took: Took | None = None) -> None:
        """``took`` is told of each page's candidate vectors once they are written."""
        self._connection = connection
        self._kind = of_encoder("candidates", encoder)
        self._encoder = encoder
        self._took = took

    def write(self, ordinal: int, document_id: str, pages: Sequence[PageVectors]) -> list[int]:
        """Write the pages' centroids, at most 256 each."""
        rows = [
            {"id": candidate_id(ordinal, page.page, position), "document_id": document_id, "vector": vector}
            for page in pages
            for position, vector in enumerate(page.centroids)
        ]
        if rows:
            self._connection.upsert(self._kind, rows)
        if self._took:
            for page in pages:
                self._took(document_id, page.page, page.centroids)
        return [len(page.centroids) for page in pages]

    def near(self, query: QueryVectors, settings: Settings, wanted: Mapping[int, str] | None) -> list[tuple[int, int]]:
        """The pages with the greatest sum of best hits, all query vectors searched for in one call."""
        limit = settings.search.hits_per_vector
        found = self._connection.search(
            self._kind,
            data=list(query.vectors),
            anns_field="vector",
            limit=limit,
            filter=wanted_filter(wanted),
            search_params={"params": {"ef": max(settings.search.ef, limit)}},
            output_fields=["id"],
        )
        similarities = np.full((len(found), limit), -np.inf, np.float32)
        pages = np.full((len(found), limit), -1, np.int64)
        for place, hits in enumerate(found):  # not by single hits, each of which pymilvus makes an object of
            similarities[place, : len(hits)] = hits.distances
            pages[place, : len(hits)] = np.array(hits.ids, np.int64) >> _CENTROID_BITS
        best = best_holders(similarities, pages, query.weights, settings.search.most_candidates(), limit)
        return [page_of(page << _CENTROID_BITS) for page in best]

    def drop_surplus(self, ordinal: int, page: int, count: int) -> None:
        """Forget the page's centroids beyond so many."""
        first, end = candidate_id(ordinal, page, count), candidate_id(ordinal, page + 1, 0)
        self._connection.delete(self._kind, f"id >= {first} and id < {end}")

    def counts(self, document_id: str) -> dict[int, int]:
        """How many centroids each page of a document has."""
        found = self._connection.rows(self._kind, documents_filter([document_id]), ["id"])
        return dict(Counter(page_of(row["id"])[1] for row in found))

    def remove(self, document_id: str, rows: Sequence[PageRow] = ()) -> None:
        """See `CandidateSearch.remove`."""
        counts = [(row, row.encoded(self._encoder) or VectorRecord()) for row in rows]
        keys = [candidate_id(row.ordinal, row.page, place) for row, one in counts for place in range(one.candidates)]
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            self._connection.delete(self._kind, f"id in {keys[start : start + _KEYS_AT_ONCE]}")
        if not rows:
            self._connection.delete(self._kind, documents_filter([document_id]))

    def remove_all(self) -> None:
        """Drop the collection."""
        self._connection.drop(self._kind)

    def flush(self) -> None:
        """Seal what was written."""
        self._connection.flush(self._kind)


def collection(dim: int, able: MilvusCapabilities, encoder: str = FIRST_ENCODER) -> Collection:
    """What `CentroidSearch` needs of a Milvus, for vectors of ``dim`` numbers."""
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type=able.graph, metric_type="IP", params=HNSW)
    return Collection(of_encoder("candidates", encoder), schema, index)


def candidate_id(ordinal: int, page: int, centroid: int) -> int:
    """A candidate's key, which carries its page: asking Milvus for fields would double the time of a search."""
    return (ordinal << (_PAGE_BITS + _CENTROID_BITS)) | (page << _CENTROID_BITS) | centroid


def wanted_filter(wanted: Mapping[int, str] | None) -> str:
    """The condition of Milvus for candidates of these documents, ids by their ordinals; None is all.

    Documents that were added one after the other are a range of keys, such as those of a tenant: a search of a million
    documents would send 20 MB of ids else. Where the ranges are many, the ids are named.
    """
    if wanted is None:
        return ""
    ranges = _ranges(sorted(wanted))
    if not ranges or len(ranges) * _IDS_A_RANGE > len(wanted):
        return documents_filter(list(wanted.values()))
    keys = ((candidate_id(first, 0, 0), candidate_id(end, 0, 0)) for first, end in ranges)
    return " or ".join(f"(id >= {first} and id < {end})" for first, end in keys)


def _ranges(ordinals: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges: the first of each and the one behind its last."""
    found: list[tuple[int, int]] = []
    for ordinal in ordinals:
        if found and found[-1][1] == ordinal:
            found[-1] = found[-1][0], ordinal + 1
        else:
            found.append((ordinal, ordinal + 1))
    return found


def page_of(key: int) -> tuple[int, int]:
    """The ordinal and the page in a candidate's key."""
    return key >> (_PAGE_BITS + _CENTROID_BITS), (key >> _CENTROID_BITS) & ((1 << _PAGE_BITS) - 1)
