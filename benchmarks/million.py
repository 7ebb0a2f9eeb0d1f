"""Which kind of index still finds the candidates of a million pages, by FAISS' indexes of the same kinds as Milvus'.

    python benchmarks/million.py [--pages 1000000] [--hnsw-pages 60000 250000] [--folder FOLDER]

Pages are those of vectors.py without the noise of single patches: 12 to 60 concepts, some often and some once. Each has
8 centroids, a quarter of what an index takes, so that a million pages fit into a machine of 16 GB. A question's vectors
each find 400 centroids, and the pages with the greatest sums are its candidates, as in an index. What an index loses is
counted against all centroids compared one by one ("flat"), which is the most that it can find; what centroids lose
against MaxSim is another question (docs/retrieval.md). HNSW would take an hour and a half of a core over a million
pages: it is built over parts of them, each beside a flat search over that part.

Writes benchmarks/results/million.json and the table in docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Products of small matrices: threads would wait for each other more than they multiply. Read as numpy is loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import faiss
import numpy as np
from marks import write_between
from numpy.typing import NDArray
from vectors import DIM

from pagesight.indexing.vectors.centroids import best_holders

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "million.json"
PAGE = ROOT / "docs" / "scale.md"
CENTROIDS, CONCEPTS, BLOCK, MOST_KINDS = 8, 4000, 2000, 60
QUESTIONS, VECTORS, HITS = 60, 20, 400
CANDIDATES = 200
LISTS, SAMPLE = 4096, 40 * 4096  # FAISS asks for 39 vectors a list, to place them by
PROBES = (16, 64, 256, 512)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Each divided by its length."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def concepts() -> NDArray[np.float32]:
    """As in vectors.py."""
    rng = np.random.default_rng(1)
    found = unit(rng.standard_normal((CONCEPTS, DIM)) * np.arange(1, DIM + 1) ** -0.35)
    return unit(found + 0.35 * unit(rng.standard_normal((1, DIM))))


def blocks(pages: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """The vectors of pages, (pages, 60, dim), and how many of them each has; what is beyond repeats its first."""
    known = concepts()
    for start in range(0, pages, BLOCK):
        rng = np.random.default_rng([2, start])
        count = min(BLOCK, pages - start)
        kinds = rng.integers(12, MOST_KINDS, count)
        own = known[rng.integers(CONCEPTS, size=(count, MOST_KINDS))]
        own += np.float32(0.06) * rng.standard_normal(own.shape, np.float32)
        own = unit(own)
        beyond = np.arange(MOST_KINDS) >= kinds[:, None]
        own[beyond] = np.repeat(own[:, 0], beyond.sum(axis=1), axis=0)
        yield own, kinds


def centroids(own: NDArray[np.float32], kinds: NDArray[np.int64]) -> NDArray[np.float32]:
    """(pages, 8, dim): as `vectors.centroids` makes them, of many pages at once; a vector counts as often as it is."""
    places, rows = np.arange(MOST_KINDS), np.arange(len(own))
    weights = np.where(places < kinds[:, None], 1 / (1 + places), 0).astype(np.float32)
    mean = np.einsum("pk,pkd->pd", weights, own)
    chosen = [np.argmax(np.einsum("pkd,pd->pk", own, mean), axis=1)]
    nearest = np.einsum("pkd,pd->pk", own, own[rows, chosen[0]])
    while len(chosen) < CENTROIDS:
        chosen.append(np.argmin(nearest, axis=1))
        nearest = np.maximum(nearest, np.einsum("pkd,pd->pk", own, own[rows, chosen[-1]]))
    centres = own[rows[:, None], np.stack(chosen, axis=1)]
    for _ in range(3):
        similar = np.matmul(own, centres.transpose(0, 2, 1))
        member = (similar == similar.max(axis=2, keepdims=True)) * weights[:, :, None]
        sums = np.matmul(member.transpose(0, 2, 1), own)
        norms = np.linalg.norm(sums, axis=2, keepdims=True)
        centres = np.where(norms > 1e-6, sums / np.maximum(norms, 1e-6), centres)
    return np.asarray(centres, np.float32)


def questions(own: NDArray[np.float32], kinds: NDArray[np.int64], start: int) -> dict[int, NDArray[np.float32]]:
    """Some of the pages with a question each, (vectors, dim): vectors of its own with noise, alike by .71."""
    rng = np.random.default_rng([7, start])
    asked = {}
    for page in rng.integers(len(own), size=2):
        chosen = own[page, rng.integers(kinds[page], size=VECTORS)]
        asked[start + int(page)] = unit(chosen + unit(rng.standard_normal(chosen.shape))).astype(np.float32)
    return asked


def make(folder: Path, pages: int) -> None:
    """Writes the centroids in float16, and questions with the page that each is about."""
    kept = np.lib.format.open_memmap(folder / "making.npy", "w+", np.float16, (pages, CENTROIDS, DIM))
    asked: dict[int, NDArray[np.float32]] = {}
    done = 0
    for own, kinds in blocks(pages):
        kept[done : done + len(own)] = centroids(own, kinds)
        if len(asked) < QUESTIONS:
            asked |= questions(own, kinds, done)
        done += len(own)
        if done % (50 * BLOCK) == 0:
            print(f"{done} pages made, {time.process_time():.0f} s", file=sys.stderr, flush=True)
    kept.flush()
    np.savez(folder / "questions.npz", about=list(asked), asked=np.stack(list(asked.values())))
    (folder / "making.npy").rename(folder / "centroids.npy")


class Flat:
    """What comparing with all vectors finds: the hits of each vector, and the candidates of each question."""

    def __init__(self, vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> None:
        started = time.process_time()
        self.similarities, self.hits = flat_search(vectors, asked)
        self.search_ms = 1000 * (time.process_time() - started) / len(asked)
        self.candidates = candidates(self.similarities, self.hits)


def candidates(similarities: NDArray[np.float32], hits: NDArray[np.int64]) -> list[list[int]]:
    """The pages of each question, as an index takes them."""
    weights = np.ones(VECTORS, np.float32)
    several = range(0, len(hits), VECTORS)
    holders = np.where(hits >= 0, hits // CENTROIDS, -1)
    parts = (slice(start, start + VECTORS) for start in several)
    return [best_holders(similarities[part], holders[part], weights, CANDIDATES, HITS) for part in parts]


def measured(name: str, index: Any, asked: NDArray[np.float32], about: NDArray[np.int64], flat: Flat) -> dict[str, Any]:
    """What of a flat search's hits and candidates an index finds, and of the pages that questions are about."""
    started = time.process_time()
    similarities, hits = index.search(asked.reshape(-1, DIM), HITS)
    took = 1000 * (time.process_time() - started) / len(asked)
    found = candidates(similarities, hits)
    return {
        "index": name,
        "search_cpu_ms": took,
        "of_hits": float(np.mean([np.isin(one, other).mean() for one, other in zip(flat.hits, hits, strict=True)])),
        "of_candidates": float(
            np.mean([np.isin(one, other).mean() for one, other in zip(flat.candidates, found, strict=True)])
        ),
        "of_best_five": float(
            np.mean([np.isin(one[:5], other).mean() for one, other in zip(flat.candidates, found, strict=True)])
        ),
        "of_pages_asked_about": float(np.mean([page in one for page, one in zip(about, found, strict=True)])),
    }


def flat_search(vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The best hits of all vectors, compared one by one, a part of them in memory at a time."""
    best: tuple[NDArray[Any], NDArray[Any]] | None = None
    for start in range(0, len(vectors), 500_000):
        part = faiss.IndexFlatIP(DIM)
        part.add(vectors[start : start + 500_000].astype(np.float32))
        near, places = part.search(asked.reshape(-1, DIM), HITS)
        if best:
            near, places = np.concatenate([best[0], near], 1), np.concatenate([best[1], places + start], 1)
            order = np.argsort(-near, axis=1)[:, :HITS]
            near, places = np.take_along_axis(near, order, 1), np.take_along_axis(places, order, 1)
        best = near, places
    assert best is not None
    return best


def inverted(name: str, coarse: Any) -> Any:
    """An index of lists; RaBitQ has one bit a dimension."""
    if name == "IVF_SQ8":
        bits = faiss.ScalarQuantizer.QT_8bit
        return faiss.IndexIVFScalarQuantizer(coarse, DIM, LISTS, bits, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIVFRaBitQ(coarse, DIM, LISTS, faiss.METRIC_INNER_PRODUCT)


def filled(index: Any, sample: NDArray[np.float32], vectors: NDArray[np.float16]) -> float:
    """Trains it and adds the vectors in parts; the processor's seconds."""
    started = time.process_time()
    index.train(sample)
    for start in range(0, len(vectors), 200_000):
        index.add(vectors[start : start + 200_000].astype(np.float32))
    return time.process_time() - started


def compare(folder: Path, pages: int, graph_pages: list[int]) -> Iterator[dict[str, Any]]:
    """A row for each index and setting."""
    made = np.load(folder / "questions.npz")
    asked, about = made["asked"], made["about"]
    every = np.load(folder / "centroids.npy", mmap_mode="r").reshape(-1, DIM)
    vectors = every[: pages * CENTROIDS]
    chosen = np.random.default_rng(3).choice(len(vectors), min(SAMPLE, len(vectors)), False)
    sample = vectors[np.sort(chosen)].astype(np.float32)
    flat = Flat(vectors, asked)
    yield measured("flat", Known(flat), asked, about, flat) | {"pages": pages, "search_cpu_ms": flat.search_ms}
    coarse = faiss.IndexFlatIP(DIM)
    for name in ("IVF_SQ8", "IVF_RABITQ"):
        index = inverted(name, coarse)
        more = {"pages": pages, "build_cpu_s": filled(index, sample, vectors)}
        for probes in PROBES:
            index.nprobe = probes
            yield measured(f"{name}, nprobe {probes}", index, asked, about, flat) | more
        if name == "IVF_RABITQ":
            for probes in PROBES[1:]:
                index.nprobe = probes
                refined = Refined(index, vectors, 4)
                yield measured(f"{name}, nprobe {probes}, refined × 4", refined, asked, about, flat) | more
        del index
    for part in graph_pages:
        yield from compare_graph(every[: part * CENTROIDS], asked, about, sample)


def compare_graph(
    vectors: NDArray[np.float16], asked: NDArray[np.float32], about: NDArray[np.int64], sample: NDArray[np.float32]
) -> Iterator[dict[str, Any]]:
    """The rows of an HNSW graph over some pages' centroids, by the questions about these."""
    pages = len(vectors) // CENTROIDS
    asked, about = asked[about < pages], about[about < pages]
    flat = Flat(vectors, asked)
    yield measured("flat", Known(flat), asked, about, flat) | {"pages": pages, "search_cpu_ms": flat.search_ms}
    kind: Any = faiss.ScalarQuantizer.QT_8bit  # FAISS' types know of an object only
    graph = faiss.IndexHNSWSQ(DIM, kind, 16, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = 200
    more = {"pages": pages, "build_cpu_s": filled(graph, sample, vectors)}
    for ef in (400, 800, 1600):
        graph.hnsw.efSearch = ef
        yield measured(f"HNSW, 8 bits, ef {ef}", graph, asked, about, flat) | more


class Known:
    """A search that was made already."""

    def __init__(self, flat: Flat) -> None:
        self._flat = flat

    def search(self, _asked: NDArray[np.float32], _hits: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """What it found."""
        return self._flat.similarities, self._flat.hits


class Refined:
    """An index whose best hits, several times as many, are compared anew by their own vectors in 8 bits."""

    def __init__(self, index: Any, vectors: NDArray[np.float16], times: int) -> None:
        self._index, self._vectors, self._times = index, vectors, times

    def search(self, asked: NDArray[np.float32], hits: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """(queries, hits) similarities and places."""
        _, found = self._index.search(asked, hits * self._times)
        near, places = [], []
        for query, one in zip(asked, found, strict=True):
            one = one[one >= 0]
            own = np.rint(self._vectors[one].astype(np.float32) * 127) / 127
            similar = own @ query
            order = np.argsort(-similar)[:hits]
            missing = hits - len(order)
            near.append(np.pad(similar[order], (0, missing), constant_values=-np.inf))
            places.append(np.pad(one[order], (0, missing), constant_values=-1))
        return np.stack(near), np.stack(places)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as they stand in docs/scale.md."""
    head = "| pages | index | of flat's hits | of its 200 candidates | of its best five | pages asked about | CPU ms | "
    head += "build, CPU s |"
    lines = [head, "|---" * 8 + "|"]
    for row in rows:
        build = f"{row['build_cpu_s']:,.0f}" if "build_cpu_s" in row else ""
        lines.append(
            f"| {row['pages']:,} | {row['index']} | {row['of_hits']:.3f} | {row['of_candidates']:.3f} | "
            f"{row['of_best_five']:.3f} | {row['of_pages_asked_about']:.3f} | {row['search_cpu_ms']:,.0f} | {build} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Makes what is missing, measures, and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--hnsw-pages", type=int, nargs="+", default=[60_000, 250_000])
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "million")
    parser.add_argument("--no-results", action="store_true", help="print only")
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    if not (wanted.folder / "centroids.npy").exists():
        make(wanted.folder, wanted.pages)
    rows = []
    for row in compare(wanted.folder, wanted.pages, [min(part, wanted.pages) for part in wanted.hnsw_pages]):
        print(json.dumps(row), file=sys.stderr, flush=True)
        rows.append(row)
    print(table(rows))
    if not wanted.no_results:
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
        write_between(PAGE, "million", table(rows))


if __name__ == "__main__":
    main()
