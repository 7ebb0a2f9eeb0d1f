"""How fast and how right the search for pages is, beside other ways: `make bench`, or `python benchmarks/retrieval.py`.

Synthetic pages of 1030 × 128 (vectors.py), 60 questions of 20 vectors; medians of warm searches, all in one run. Recall
is of exact MaxSim in float32. Writes benchmarks/results/retrieval.json and the tables of docs/retrieval.md.

    python benchmarks/retrieval.py [--sizes 200 1000 10000] [--peers PYTHON] [--plaid PYTHON] [--real FILE.npz]

A size that is not measured anew keeps its earlier rows. ``--peers`` and ``--plaid`` are the environments of
requirements/peers.txt and plaid.txt; without them their rows are left out. ``--real`` is a file of real pages' vectors,
one array a page, for the second half of the ablation.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from candidate_ablation import ablation, losses
from marks import write_between
from numpy.typing import NDArray
from vectors import DIM, VECTORS, questions, synthetic_pages

from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.encoders import MultiVector, QueryVectors
from pagesight.indexing.encoders.interface import Idf
from pagesight.indexing.lexical.query import Query, read_query
from pagesight.indexing.opening.index_parts import IndexParts, WritingParts
from pagesight.indexing.pages import PageText
from pagesight.indexing.preparing.encoded_page import encoded
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.ranking.rank_pages import Weights, rank_pages
from pagesight.indexing.ranking.search import encode
from pagesight.indexing.vectors.quantization import VectorLayout
from pagesight.indexing.writing.commit import write_batch

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "retrieval.json"
PAGE = ROOT / "docs" / "retrieval.md"
#: The environments of the peers, by what is installed there; the others run in this one.
_INSTALLED = dict.fromkeys(("maxsim_cpu", "qdrant", "lancedb_flat", "lancedb_ivf_pq"), "peers") | {
    "fast_plaid": "plaid"
}
_BATCH, _PAGES_A_DOCUMENT = 8, 200
_BOXES = np.zeros((VECTORS, 4), np.float32)
_LAYOUTS = {
    "float16": VectorLayout(),
    "int8": VectorLayout(precision="int8"),
    "float16, pooled ×3": VectorLayout(pool=3),
}
_ASKING_S = 20.0  # that a way is asked for at most
_GIVEN_UP_S = 600.0
_LARGEST_FOR_PEERS = 1000
# Those whose cost allows no more than the smallest size.
_SMALL_ONLY = ("recipe", "lancedb_ivf_pq")
_PEERS = (
    "recipe", "numpy", "torch", "torch_bfloat16", "maxsim_cpu", "qdrant",
    "lancedb_flat", "lancedb_ivf_pq", "fast_plaid",
)  # fmt: skip


#: Of all pages, (pages, vectors, dim).
Pages = NDArray[np.float16]


class GivenVectors:
    """An encoder whose questions are numbers of vectors that are there already; pages are not encoded at all."""

    name, revision, dim = "given", "1", DIM
    needs_pictures = False
    fusion_weight = 1.0

    def __init__(self, asked: NDArray[np.float32]) -> None:
        self._asked = asked

    def encode_pages(self, pictures: Sequence[Any], texts: Sequence[PageText]) -> list[MultiVector]:
        """Not here."""
        raise NotImplementedError

    def encode_query(self, query: Query, idf: Idf) -> QueryVectors:
        """The vectors of that number."""
        vectors = self._asked[int(query.text)]
        return QueryVectors(vectors, [""] * len(vectors), np.ones(len(vectors), np.float32))

    def encode_picture(self, seen: Any, text: PageText, words: Query | None, idf: Idf) -> QueryVectors:
        """Not here."""
        raise NotImplementedError

    def close(self) -> None:
        """It holds nothing."""

    def describe(self) -> dict[str, Any]:
        """Name, revision and dimensions."""
        return {"name": self.name, "revision": self.revision, "dim": self.dim}


def main() -> None:
    """Measures everything and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 1000, 10_000])
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--plaid", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--skip-ablation", action="store_true", help="keep the ablation and the losses as they were")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.open:
        print(json.dumps(_first_hit(wanted.open)))
        return
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"sizes": {}}
    results["machine"] = f"{os.cpu_count()} cores, {platform.machine()}"
    pythons = {"peers": wanted.peers, "plaid": wanted.plaid}
    for size in wanted.sizes:
        results["sizes"][str(size)] = measure(size, pythons)
    if not wanted.skip_ablation:
        results |= {"ablation": ablation(wanted.real), "losses": losses(wanted.real)}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for name, table in tables(results).items():
        print(f"\n{table}")
        write_between(PAGE, name, table)


def measure(size: int, pythons: dict[str, Path | None]) -> dict[str, Any]:
    """Our own rows at a size, and the peers' where they can be had."""
    _say(f"{size} pages")
    with tempfile.TemporaryDirectory() as folder:
        pages = np.lib.format.open_memmap(Path(folder) / "pages.npy", "w+", np.float16, (size, VECTORS, DIM))
        for number, page in enumerate(synthetic_pages(size)):
            pages[number] = page
        asked = questions([pages[number] for number in range(0, size, max(1, size // 500))])
        np.save(Path(folder) / "questions.npy", asked)
        best = exact(pages, asked)
        rows = {}
        if size <= _LARGEST_FOR_PEERS:
            rows = {way: _peer(way, Path(folder), best, size, pythons) for way in _PEERS}
        rows |= own(Path(folder), pages, asked, best)
    return {"rows": {name: row for name, row in rows.items() if row}}


def exact(pages: NDArray[np.float16], asked: NDArray[np.float32]) -> list[list[int]]:
    """The best ten pages for each question by MaxSim in float32, without our own code."""
    scores = np.empty((len(pages), len(asked)), np.float32)
    vectors = asked.reshape(-1, DIM)
    for number, page in enumerate(pages):
        best = (vectors @ page.astype(np.float32).T).max(axis=1)
        scores[number] = best.reshape(len(asked), -1).sum(axis=1)
    return [[int(page) for page in np.argsort(-row, kind="stable")[:10]] for row in scores.T]


def own(folder: Path, pages: Pages, asked: NDArray[np.float32], best: list[list[int]]) -> dict[str, dict[str, Any]]:
    """pagesight's rows: exhaustive, with candidates, pooled and int8; writing and opening."""
    rows: dict[str, dict[str, Any]] = {}
    for name, layout in _LAYOUTS.items():
        if len(pages) != _LARGEST_FOR_PEERS and name != "float16":
            continue
        place = folder / "index"
        row = _written(place, pages, layout)
        _say(f"  written, {name}: {row['pages_per_s']:.0f} pages/s")
        with PageIndex.open(place, encoder="lexical") as index:
            row |= {"kb_per_page": _bytes(place) / len(pages) / 1000}
            rows[f"exhaustive, {name}"] = row | _searched(index, asked, best, exhaustive_below=10**9)
            for candidates in (100, 200):
                rows[f"{candidates} candidates, {name}"] = _searched(
                    index, asked, best, exhaustive_below=0, candidates=candidates
                )
            rows[f"as it comes, {name}"] = _searched(index, asked, best)
        if name == "float16":
            rows["opening"] = _opened_afresh(place)
        shutil.rmtree(place)
    return rows


def _written(place: Path, pages: Pages, layout: VectorLayout) -> dict[str, Any]:
    settings = load_settings(precision=layout.precision, pool=layout.pool)
    with PageIndex.open(place, encoder="lexical", settings=settings) as index, index._parts.writing() as parts:
        start, halves = time.perf_counter(), []
        for first in range(0, len(pages), _PAGES_A_DOCUMENT):
            _write_document(parts, pages, first, min(_PAGES_A_DOCUMENT, len(pages) - first))
            if first + _PAGES_A_DOCUMENT in (1000, len(pages)):
                halves.append(time.perf_counter() - start)
        parts.flush()
        seconds = time.perf_counter() - start
    last = (len(pages) - 1000) / (seconds - halves[0]) if len(pages) > 2000 else None
    return {"write_s": seconds, "pages_per_s": len(pages) / seconds, "pages_per_s_after_1000": last}


def _write_document(parts: WritingParts, pages: Pages, first: int, count: int) -> None:
    """A document of some of the pages, by the same function that indexing writes with."""
    name = f"{first:016x}"
    document = {
        "document_id": name, "document": name, "path": name, "page_count": count, "ordinal": 1 + first,
        "size": 0, "modified": 0, "metadata": {}, "added": "2026-01-01T00:00:00",
    }  # fmt: skip
    for start in range(0, count, _BATCH):
        numbers = list(range(start + 1, min(start + _BATCH, count) + 1))
        made = [MultiVector(pages[first + number - 1].astype(np.float32), _BOXES) for number in numbers]
        read = [PreparedPage(number, PageText.empty(), (0.0, 0.0)) for number in numbers]
        write_batch(parts, document, encoded(read, {parts.encoder.name: made}, parts.recipe, {}), {}, {})


def _searched(index: PageIndex, asked: NDArray[np.float32], best: list[list[int]], **settings: Any) -> dict[str, Any]:
    """Milliseconds of a search, from the question's vectors to ranked pages, and recall."""
    parts = replace(asked_by(index._parts, GivenVectors(asked)), settings=load_settings(**settings))
    for number in range(3):
        search_vectors(parts, number)
    times, found = [], []
    end = time.perf_counter() + _ASKING_S
    for number in range(len(asked)):
        start = time.perf_counter()
        found.append(search_vectors(parts, number))
        times.append((time.perf_counter() - start) * 1e3)
        if time.perf_counter() > end:
            break
    return {"search_ms": statistics.median(times)} | recall(found, best)


def asked_by(parts: IndexParts, encoder: GivenVectors) -> IndexParts:
    """The index with another encoder of questions in the place of its first one."""
    return replace(parts, encoders=[replace(parts.encoders[0], encoder=encoder)])


def search_vectors(parts: IndexParts, number: int) -> list[int]:
    """The best ten pages for a question of `GivenVectors`, by its vectors alone."""
    search = encode(parts, parts.view(), str(number), read_query(str(number)), None)
    ranked = rank_pages(search, Weights(vectors=1.0, document_prior=0, named_page=0))
    return [row.ordinal - 1 + row.page - 1 for row, _ in ranked[:10]]


def recall(found: list[list[int]], best: list[list[int]]) -> dict[str, float]:
    """Of the exact best page, and of the exact best five, the part that is among as many found."""
    first = statistics.fmean(one[0] == right[0] for one, right in zip(found, best, strict=False))
    five = statistics.fmean(len({*one[:5]} & {*right[:5]}) / 5 for one, right in zip(found, best, strict=False))
    return {"top_1": first, "top_5": five}


def _opened_afresh(place: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--open", str(place)], capture_output=True, text=True, check=True, timeout=300
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _first_hit(place: Path) -> dict[str, Any]:
    """Seconds from opening an index to the first hit, packages loaded, and the greatest resident memory until then."""
    start = time.perf_counter()
    with PageIndex.open(place, encoder="lexical") as index:
        asked = _unit_questions()
        search_vectors(asked_by(index._parts, GivenVectors(asked)), 0)
        seconds = time.perf_counter() - start
    return {"open_s": seconds, "rss_mb": _greatest_resident_mb()}


def _greatest_resident_mb() -> float:
    """Since this process began; getrusage would count in what its parent had when it started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1000


def _unit_questions() -> NDArray[np.float32]:
    return questions(list(synthetic_pages(2)), 1)


def _peer(
    way: str, folder: Path, best: list[list[int]], size: int, pythons: dict[str, Path | None]
) -> dict[str, Any] | None:
    python = pythons[_INSTALLED[way]] if way in _INSTALLED else sys.executable
    if python is None or (way in _SMALL_ONLY and size > 200):
        return None
    with tempfile.TemporaryDirectory(dir=folder) as own_folder:
        command = [python, ROOT / "benchmarks" / "peers.py", way]
        given = [folder / "pages.npy", folder / "questions.npy", own_folder, _ASKING_S]
        try:
            done = subprocess.run(
                [str(part) for part in command + given], capture_output=True, text=True, timeout=_GIVEN_UP_S
            )
        except subprocess.TimeoutExpired:
            return {"gave_up_s": _GIVEN_UP_S}
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr[-2000:]}")
    report = json.loads(done.stdout.splitlines()[-1])
    _say(f"  {way}: {statistics.median(report['search_ms']):.0f} ms")
    return {
        "write_s": report["write_s"],
        "pages_per_s": size / report["write_s"],
        "search_ms": statistics.median(report["search_ms"]),
        "asked": len(report["search_ms"]),
    } | recall(report["found"], best)


_ABLATION = ["pages", "candidate vectors", "hits", "candidates", "top-1", "top-5"]
_LOSSES = ["pages", "kept as", "KB a page", "score moved by", "top-1", "top-5"]


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The results as Markdown, by the marks that they stand between in docs/retrieval.md."""
    return {
        "search": "\n".join(_size_tables(results)),
        "ablation": "\n".join(_table(_ABLATION, results["ablation"])),
        "losses": "\n".join(_table(_LOSSES, results["losses"])),
    }


def _size_tables(results: dict[str, Any]) -> Iterator[str]:
    for size, measured in results["sizes"].items():
        yield f"\n**{int(size):,} pages**\n"
        heads = ["way", "writes, pages/s", "KB a page", "search, ms", "top-1", "top-5"]
        yield from _table(heads, [_cells(name, row) for name, row in measured["rows"].items() if name != "opening"])
        opening = measured["rows"]["opening"]
        yield f"\nOpening to the first hit: {opening['open_s']:.1f} s, {opening['rss_mb']:,.0f} MB resident."


def _cells(name: str, row: dict[str, Any]) -> list[str]:
    if "gave_up_s" in row:
        return [name, f"nothing in {row['gave_up_s']:.0f} s", "", "", "", ""]
    kept = ((key, form) for key, form in (("pages_per_s", ".0f"), ("kb_per_page", ".0f"), ("search_ms", ".0f")))
    numbers = [format(row[key], form) if key in row else "" for key, form in kept]
    return [name, *numbers, f"{row['top_1']:.2f}", f"{row['top_5']:.2f}"]


def _table(heads: list[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(str(cell) for cell in line)} |" for line in lines]


def _bytes(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
