"""What grows with an index on a Milvus server: opening, searching, a reader's memory.

    .venv-milvus/bin/python tests/milvus_server.py .venv-dev/bin/python benchmarks/server_scale.py {} --pages 3000 30000

Pages are those of scale.py with words, but with four of their vectors: what grows at opening are rows, terms and texts.
A reader is measured twice in a process of its own: as the first one on its machine, and as the next. Adds a column for
each number of pages to benchmarks/results/scale.json, and draws the tables and the plot of docs/retrieval.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scale import draw, read_results, reading, searcher, write_document, write_results
from scale_pages import PAGES, PAGES_A_DOCUMENT

from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.encoders import MultiVector

_VECTORS = 4  # of each page


def main() -> None:
    """Measures what is asked for and writes the results; or does one step, for itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of the server, with the login")
    parser.add_argument("--pages", type=int, nargs="+", default=[3_000, 30_000])
    parser.add_argument("--no-results", action="store_true", help="print only")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.step:
        print(json.dumps(_STEPS[wanted.step](wanted.address, wanted.folder, wanted.pages[0])))
        return
    results = read_results()
    for count in wanted.pages:
        row = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, Milvus on the same"}
        with tempfile.TemporaryDirectory() as folder:
            for step, prefix in (("write", ""), ("read", ""), ("read", "again_")):
                found = _in_a_process(step, f"{wanted.address}/pages_{count}", Path(folder), count)
                print(f"server, {count} pages, {prefix}{step}: {json.dumps(found)}", file=sys.stderr, flush=True)
                row |= {f"{prefix}{name}": figure for name, figure in found.items()}
        results.setdefault("server", {})[str(count)] = row
        if not wanted.no_results:
            write_results(results)
    if not wanted.no_results:
        draw(results)


def _in_a_process(step: str, address: str, folder: Path, count: int) -> dict[str, Any]:
    """What a step finds; what the machine keeps of the index lies in the folder."""
    command = [sys.executable, __file__, address, "--step", step, "--folder", str(folder), "--pages", str(count)]
    kept = os.environ | {"PAGESIGHT_INDEX": str(folder / "kept")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=kept)
    if done.returncode:
        raise SystemExit(f"{step} of {count} pages failed with {done.returncode}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _write(address: str, folder: Path, count: int) -> dict[str, Any]:
    making, started, processor = 0.0, time.perf_counter(), time.process_time()
    with PageIndex.open(address, encoder="lexical", settings=load_settings()) as index, index._parts.writing() as parts:
        pages = PAGES["lexical"](folder, count)
        for first in range(0, count, PAGES_A_DOCUMENT):
            before, own = time.perf_counter(), time.thread_time()
            document = [next(pages) for _ in range(min(PAGES_A_DOCUMENT, count - first))]
            few = [(text, MultiVector(page.vectors[:_VECTORS], page.boxes[:_VECTORS])) for text, page in document]
            making, processor = making + time.perf_counter() - before, processor + time.thread_time() - own
            write_document(parts, few, first)
    return {
        "write_pages_per_s": count / (time.perf_counter() - started - making),
        "write_cpu_ms_a_page": 1000 * (time.process_time() - processor) / count,
    }


def _read(address: str, folder: Path, count: int) -> dict[str, Any]:
    return reading(address, searcher("lexical", folder))[0]


_STEPS = {"write": _write, "read": _read}


if __name__ == "__main__":
    main()
