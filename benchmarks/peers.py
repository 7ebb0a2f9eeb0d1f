"""Other ways to search multi-vectors, each in a process and an environment of its own: writes, asks, prints JSON.

    python benchmarks/peers.py WAY PAGES.npy QUESTIONS.npy FOLDER SECONDS

PAGES.npy is (pages, vectors, dim) float16, QUESTIONS.npy (questions, m, dim) float32. Asks until all questions are
asked or the seconds are over. A way imports what it needs itself: only numpy is in all environments.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Search = Callable[[np.ndarray], list[int]]  # a question (m, dim) → pages, best first
TOP = 10
_CANDIDATES = 20  # of the recipe


def recipe(pages: np.ndarray, folder: Path) -> Search:
    """The well-known recipe: a Milvus row for each patch; a query for each candidate page's vectors; MaxSim."""
    from pymilvus import DataType, MilvusClient

    logging.disable(logging.CRITICAL)
    calm = {"grpc.keepalive_time_ms": 3_600_000, "grpc.keepalive_permit_without_calls": False}
    client = MilvusClient(str(folder / "recipe.db"), grpc_options=calm)
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("page", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=pages.shape[2])
    client.create_collection("patches", schema=schema)
    size = pages.shape[1]
    for number, page in enumerate(pages):
        rows = page.astype(np.float32)
        client.insert(
            "patches",
            [{"id": number * size + place, "page": number, "vector": row} for place, row in enumerate(rows)],
        )
    client.flush("patches")
    index = client.prepare_index_params()
    index.add_index("vector", index_type="HNSW", metric_type="IP", params={"M": 16, "efConstruction": 200})
    client.create_index("patches", index)
    client.load_collection("patches")

    def search(question: np.ndarray) -> list[int]:
        found = client.search("patches", data=list(question), limit=50, output_fields=["page"])
        scores: dict[int, float] = {}
        candidates = list(dict.fromkeys(hit["entity"]["page"] for hits in found for hit in hits))[:_CANDIDATES]
        for page in candidates:
            rows = client.query("patches", filter=f"page == {page}", output_fields=["vector"], limit=size)
            scores[page] = float((question @ np.array([row["vector"] for row in rows]).T).max(axis=1).sum())
        return sorted(scores, key=lambda page: -scores[page])

    return search


def numpy(pages: np.ndarray, folder: Path) -> Search:
    """Every page, in float32 in memory."""
    resident = pages.astype(np.float32)

    def search(question: np.ndarray) -> list[int]:
        return _best((resident @ question.T).max(axis=1).sum(axis=1))

    return search


def torch(pages: np.ndarray, folder: Path) -> Search:
    """Every page, in float32 in memory."""
    import torch

    resident = torch.from_numpy(pages.astype(np.float32))

    def search(question: np.ndarray) -> list[int]:
        return _best((resident @ torch.from_numpy(question).T).amax(dim=1).sum(dim=1).numpy())

    return search


def torch_bfloat16(pages: np.ndarray, folder: Path) -> Search:
    """Every page, in bfloat16 in memory."""
    import torch

    resident = torch.from_numpy(pages.astype(np.float32)).bfloat16()

    def search(question: np.ndarray) -> list[int]:
        similarities = resident @ torch.from_numpy(question).bfloat16().T
        return _best(similarities.amax(dim=1).float().sum(dim=1).numpy())

    return search


def maxsim_cpu(pages: np.ndarray, folder: Path) -> Search:
    """Every page, in float32 in memory, by maxsim-cpu."""
    import maxsim_cpu

    resident = pages.astype(np.float32)

    def search(question: np.ndarray) -> list[int]:
        return _best(maxsim_cpu.maxsim_scores(question, resident))

    return search


def qdrant(pages: np.ndarray, folder: Path) -> Search:
    """qdrant-client on a local folder, multi-vectors with MaxSim; it has no HNSW there."""
    import warnings

    from qdrant_client import QdrantClient, models

    warnings.simplefilter("ignore")
    client = QdrantClient(path=str(folder / "qdrant"))
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    config = models.VectorParams(size=pages.shape[2], distance=models.Distance.DOT, multivector_config=several)
    client.create_collection("pages", vectors_config=config)
    for number, page in enumerate(pages):
        client.upsert("pages", [models.PointStruct(id=number, vector=page.astype(np.float32).tolist())])

    def search(question: np.ndarray) -> list[int]:
        return [point.id for point in client.query_points("pages", query=question.tolist(), limit=TOP).points]

    return search


def lancedb_flat(pages: np.ndarray, folder: Path) -> Search:
    """lancedb's multi-vector column, without an index."""
    return _lancedb(pages, folder, indexed=False)


def lancedb_ivf_pq(pages: np.ndarray, folder: Path) -> Search:
    """lancedb's multi-vector column with IVF_PQ; results refined with the full vectors."""
    return _lancedb(pages, folder, indexed=True)


def _lancedb(pages: np.ndarray, folder: Path, indexed: bool) -> Search:
    import lancedb
    import pyarrow as pa

    kind = pa.list_(pa.list_(pa.float16(), pages.shape[2]))
    schema = pa.schema([pa.field("id", pa.int32()), pa.field("vector", kind)])
    table = lancedb.connect(folder / "lance").create_table("pages", schema=schema)
    for start in range(0, len(pages), 50):
        batch = pages[start : start + 50]
        table.add([{"id": start + place, "vector": list(page)} for place, page in enumerate(batch)])
    if indexed:
        table.create_index(metric="cosine", vector_column_name="vector", index_type="IVF_PQ")

    def search(question: np.ndarray) -> list[int]:
        wanted = table.search(question.astype(np.float16), vector_column_name="vector").distance_type("cosine")
        if indexed:
            wanted = wanted.refine_factor(10)
        return [int(row["id"]) for row in wanted.limit(TOP).select(["id"]).to_list()]

    return search


def fast_plaid(pages: np.ndarray, folder: Path) -> Search:
    """fast-plaid with its own defaults."""
    import torch
    from fast_plaid import search as plaid

    index = plaid.FastPlaid(index=str(folder / "plaid"), device="cpu")
    index.create([torch.from_numpy(page.astype(np.float32)) for page in pages])

    def search(question: np.ndarray) -> list[int]:
        (found,) = index.search(torch.from_numpy(question)[None], top_k=TOP, show_progress=False)
        return [page for page, _ in found]

    return search


WAYS = {
    way.__name__: way
    for way in (
        recipe, numpy, torch, torch_bfloat16, maxsim_cpu, qdrant, lancedb_flat, lancedb_ivf_pq, fast_plaid,
    )
}  # fmt: skip


def _best(scores: np.ndarray) -> list[int]:
    return [int(page) for page in np.argsort(-scores, kind="stable")[:TOP]]


def measure(way: str, pages: np.ndarray, questions: np.ndarray, folder: Path, seconds: float) -> dict[str, Any]:
    """Seconds to write, milliseconds of each search after the first, and the pages found for each question."""
    start = time.perf_counter()
    search = WAYS[way](pages, folder)
    written = time.perf_counter() - start
    search(questions[0])
    times, found = [], []
    end = time.perf_counter() + seconds
    for question in questions:
        start = time.perf_counter()
        found.append(search(question))
        times.append((time.perf_counter() - start) * 1e3)
        if time.perf_counter() > end:
            break
    return {"write_s": written, "search_ms": times, "found": found}


if __name__ == "__main__":
    name, pages_path, questions_path, place, limit = sys.argv[1:]
    report = measure(name, np.load(pages_path), np.load(questions_path), Path(place), float(limit))
    print(json.dumps(report))
