"""What grows with an index in a folder: opening, searching, writing, removing, memory. `make bench`, or by itself.

    python benchmarks/scale.py --kind lexical --pages 3000 30000 [--folder FOLDER]
    python benchmarks/scale.py --kind vectors --pages 3000 10000

Documents have 200 pages. Lexical pages have 250 words of a vocabulary that is used as unevenly as a language's, and
questions six words of one page. Vectors are the pages of vectors.py, each three patches of like content pooled to one,
343 × 128 int8; recall is of exact MaxSim over these. Each step runs in a process of its own, and is measured by the
clock and by the processor's time, which other work on the machine moves less. Memory is a process' own
(`Anonymous` in /proc/self/smaps_rollup): what it maps of files is the disk's cache.

An index in ``--folder`` is kept there, and taken up by the next run. Writes benchmarks/results/scale.json, and the
tables and the plot of docs/retrieval.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from marks import write_between
from retrieval import GivenVectors, asked_by, recall, search_vectors
from scale_pages import PAGES, PAGES_A_DOCUMENT, QUESTIONS
from scale_results import plot, table
from vectors import DIM

from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.encoders import MultiVector
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import PageText
from pagesight.indexing.parallel import map_on_all_cores
from pagesight.indexing.preparing.encoded_page import encoded
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.writing.commit import write_batch

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "scale.json"
PAGE = ROOT / "docs" / "retrieval.md"
PLOT = ROOT / "docs" / "scale.svg"
_BATCH = 8
_PRECISION = "int8"
_SEARCHES = 100
_TRUTH_PAGES = 2_000  # whose vectors are compared with all questions at once


def main() -> None:
    """Measures what is asked for and writes the results; or does one step, for itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=PAGES, action="append")
    parser.add_argument("--pages", type=int, nargs="+", default=[3_000, 10_000, 30_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-results", action="store_true", help="print only")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.step:
        print(json.dumps(_STEPS[wanted.step](wanted.folder, wanted.kind[0], wanted.pages[0])))
        return
    results = read_results()
    for kind in wanted.kind or PAGES:
        for count in wanted.pages:
            with tempfile.TemporaryDirectory() as folder:
                row = measure((wanted.folder or Path(folder)) / f"{kind}-{count}", kind, count)
            row["machine"] = f"{os.cpu_count()} cores, {platform.machine()}"
            results.setdefault(kind, {})[str(count)] = row
            if not wanted.no_results:
                write_results(results)
    if not wanted.no_results:
        draw(results)


def read_results() -> dict[str, Any]:
    """What was measured until now, by kind and number of pages."""
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def write_results(results: dict[str, Any]) -> None:
    """Keep what was measured."""
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def draw(results: dict[str, Any]) -> None:
    """The tables and the plot."""
    write_between(PAGE, "scale", "\n\n".join(table(kind, rows) for kind, rows in results.items()))
    plot(results, PLOT)


def measure(folder: Path, kind: str, count: int) -> dict[str, Any]:
    """All rows of an index of so many pages, each step in a process of its own."""
    row: dict[str, Any] = {}
    written = folder / "written.json"
    for step in ("write", "truth", "read", "remove"):
        if step == "truth" and kind == "lexical":
            continue
        if step == "write" and written.exists():
            row |= json.loads(written.read_text())
            continue
        found = _in_a_process(step, folder, kind, count)
        if step == "write":
            written.write_text(json.dumps(found))
        row |= found
        print(f"{kind}, {count} pages, {step}: {json.dumps(found)}", file=sys.stderr, flush=True)
    return row


def _in_a_process(step: str, folder: Path, kind: str, count: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder), "--kind", kind, "--pages", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{step} of {count} pages failed with {done.returncode}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def write(folder: Path, kind: str, count: int) -> dict[str, Any]:
    """Pages a second, without the time in which the pages are made, and the writer's greatest memory."""
    folder.mkdir(parents=True, exist_ok=True)
    making, made_s, most = 0.0, 0.0, 0.0
    settings = load_settings(precision=_PRECISION if kind == "vectors" else "float16")
    started, processor, marks = time.perf_counter(), time.process_time(), []
    with PageIndex.open(folder / "index", encoder="lexical", settings=settings) as index:
        with index._parts.writing() as parts:
            pages = PAGES[kind](folder, count)
            for first in range(0, count, PAGES_A_DOCUMENT):
                before, own = time.perf_counter(), time.thread_time()
                document = [next(pages) for _ in range(min(PAGES_A_DOCUMENT, count - first))]
                making, made_s = making + time.perf_counter() - before, made_s + time.thread_time() - own
                write_document(parts, document, first)
                most = max(most, own_memory())
                marks.append((first + len(document), time.perf_counter() - started - making))
        most = max(most, own_memory())
    seconds = time.perf_counter() - started - making
    last = [mark for mark in marks if mark[0] <= max(count - 2_000, PAGES_A_DOCUMENT)][-1]
    return {
        "write_pages_per_s": count / seconds,
        "write_pages_per_s_last": (count - last[0]) / (marks[-1][1] - last[1]) if count > last[0] else None,
        "write_cpu_ms_a_page": 1000 * (time.process_time() - processor - made_s) / count,
        "write_memory_mb": most,
        "kb_a_page": _bytes(folder / "index") / count / 1000,
        "derived_kb_a_page": _bytes(folder / "index" / "derived") / count / 1000,
    }


def write_document(parts: WritingParts, pages: list[tuple[PageText, MultiVector]], first: int) -> None:
    """A document of these pages, by the same function that indexing writes with."""
    name = f"{first:016x}"
    document = {
        "document_id": name, "document": f"{first}.pdf", "path": f"/made/{first}.pdf", "page_count": len(pages),
        "ordinal": 1 + first, "size": 0, "modified": 0, "metadata": {}, "added": "2026-01-01T00:00:00",
    }  # fmt: skip
    for start in range(0, len(pages), _BATCH):
        batch = pages[start : start + _BATCH]
        read = [PreparedPage(number, text, (0.0, 0.0)) for number, (text, _) in enumerate(batch, start + 1)]
        made = {parts.encoder.name: [page for _, page in batch]}
        write_batch(parts, document, encoded(read, made, parts.recipe, {}), {}, {})


def truth(folder: Path, kind: str, count: int) -> dict[str, Any]:
    """The best ten pages for each question by MaxSim over all that the index keeps, without our own search."""
    if (folder / "truth.json").exists():
        return {}
    asked = np.load(folder / "questions.npy")
    vectors = asked.reshape(-1, DIM)
    scores = np.zeros((len(asked), 0), np.float32)
    with PageIndex.open(folder / "index", encoder="lexical") as index:
        rows = index.pages()
        for start in range(0, len(rows), _TRUTH_PAGES):
            kept = index._parts.encoders[0].multivectors.read(rows[start : start + _TRUTH_PAGES])
            best = map_on_all_cores(lambda page: (vectors @ page.vectors.T).max(axis=1), kept)
            summed = np.stack(list(best), axis=1).reshape(*asked.shape[:2], -1).sum(axis=1)
            scores = np.concatenate([scores, summed], axis=1)
    found = [[int(page) for page in np.argsort(-row, kind="stable")[:10]] for row in scores]
    (folder / "truth.json").write_text(json.dumps(found))
    return {}


def read(folder: Path, kind: str, count: int) -> dict[str, Any]:
    """Opening to the first hit, warm searches, the reader's memory, and recall."""
    row, found = reading(folder / "index", searcher(kind, folder))
    return row | (recall(found, json.loads((folder / "truth.json").read_text())) if kind == "vectors" else {})


def reading(place: Path | str, search: Searcher) -> tuple[dict[str, Any], list[list[int]]]:
    """What `read` measures of the index at a place, and the pages that each question found."""
    gc.collect()
    before = own_memory()
    started, processor = time.perf_counter(), time.process_time()
    with PageIndex.open(place, encoder="lexical") as index:
        search(index, 0)
        first, first_cpu = time.perf_counter() - started, time.process_time() - processor
        times, processors, found = [], [], []
        for number in range(_SEARCHES):
            started, processor = time.perf_counter(), time.process_time()
            found.append(search(index, number % QUESTIONS))
            times.append(1000 * (time.perf_counter() - started))
            processors.append(1000 * (time.process_time() - processor))
        row = {
            "open_s": first,
            "open_cpu_s": first_cpu,
            "search_ms": statistics.median(times),
            "search_least_ms": min(times),
            "search_cpu_ms": statistics.median(processors),
            "reader_memory_mb": own_memory(),
            "reader_memory_before_mb": before,
        }
        return row, found[:QUESTIONS]


def remove(folder: Path, kind: str, count: int) -> dict[str, Any]:
    """Seconds in which a document of 200 pages is removed, opening and closing the store with it, and taken back."""
    with PageIndex.open(folder / "index", encoder="lexical") as index:
        name = index.documents()[0].document
        started, processor = time.perf_counter(), time.process_time()
        index.remove(name)
        row = {"remove_s": time.perf_counter() - started, "remove_cpu_s": time.process_time() - processor}
        row |= {"remove_memory_mb": own_memory()}
        started = time.perf_counter()
        index.restore(name)
        return row | {"restore_s": time.perf_counter() - started}


def own_memory() -> float:
    """Megabytes of this process' memory that no file stands behind."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1000
    raise RuntimeError("smaps_rollup has no Anonymous")


class _BySixWords:
    """A whole search, as `pagesight search` does it."""

    def __init__(self, folder: Path) -> None:
        self._asked = json.loads((folder / "questions.json").read_text())

    def __call__(self, index: PageIndex, number: int) -> list[int]:
        return [hit.page for hit in index.search(self._asked[number])]


class _ByVectors:
    """A search by given vectors alone, from these to ranked pages."""

    def __init__(self, folder: Path) -> None:
        self._encoder = GivenVectors(np.load(folder / "questions.npy"))

    def __call__(self, index: PageIndex, number: int) -> list[int]:
        return search_vectors(asked_by(index._parts, self._encoder), number)


#: Takes an open index and the number of a question.
Searcher = Callable[[PageIndex, int], list[int]]


def searcher(kind: str, folder: Path) -> Searcher:
    """What puts the questions that stand in the folder."""
    return _BySixWords(folder) if kind == "lexical" else _ByVectors(folder)


_STEPS = {"write": write, "truth": truth, "read": read, "remove": remove}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
