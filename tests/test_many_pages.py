"""Thousands of tiny documents, and one document of thousands of pages: each costs what it did in a small index."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex, Progress

TINY, LONG = 2000, 5000


@pytest.mark.slow
def test_thousands_of_tiny_documents(tmp_path: Path) -> None:
    folder = tmp_path / "receipts"
    folder.mkdir()
    for number in range(TINY):
        write_pdf(folder / f"receipt-{number:04d}.pdf", [[f"Receipt {number}", f"Paid to shop{number % 50}"]])
    seconds: list[float] = []

    def note(progress: Progress) -> None:
        seconds.append(time.process_time())

    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        report = index.add(folder, progress=note)
        assert (report.pages, len(report.added), report.failed) == (TINY, TINY, [])
        part = TINY // 4
        first, last = seconds[part] - seconds[0], seconds[-1] - seconds[-part]
        assert last < 3 * first  # a document's cost does not grow with the index

        started = time.process_time()
        again = index.add(folder)
        assert (again.pages, len(again.unchanged)) == (0, TINY)
        assert time.process_time() - started < first  # and what is unchanged costs little

        for number in (0, 777, TINY - 1):
            assert index.search(f"receipt {number}", top_k=1)[0].document == f"receipt-{number:04d}.pdf"
        names = [f"receipt-{number:04d}.pdf" for number in range(0, TINY, 100)]
        assert len(index.remove(names)) == TINY // 100
        assert len(index.documents()) == TINY - TINY // 100
        assert index.search("receipt 700", top_k=1)[0].document != "receipt-0700.pdf"


ADD_LONG = """
import json, resource, sys
from pagesight.indexing import PageIndex, load_settings
kilobytes = []
def note(progress):
    kilobytes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1))
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False)) as index:
    report = index.add(sys.argv[2], progress=note)
    hits = [index.search(f"clause {number}", top_k=1)[0].page for number in (1, 2500, 5000)]
    print(json.dumps({"pages": report.pages, "hits": hits, "first": kilobytes[0], "last": kilobytes[-1]}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no module resource")
def test_a_document_of_thousands_of_pages_takes_little_memory(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "long.pdf", [[f"Clause {n}", f"It is about place{n % 50}"] for n in range(1, LONG + 1)])
    done = subprocess.run(
        [sys.executable, "-c", ADD_LONG, str(tmp_path / "i"), str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["pages"], told["hits"]) == (LONG, [1, 2500, 5000])
    assert told["last"] - told["first"] < 250_000  # kB: for rows, candidate vectors and what Milvus Lite keeps of them
