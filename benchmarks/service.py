"""The service under load: 50 questions at a time for a minute, offline, in one process and in several beside a writer.

    python benchmarks/service.py                          # one process, a minute
    python benchmarks/service.py --workers 4 --writer     # four, and another process that adds documents all the while
    python benchmarks/service.py --one-loop               # what it is compared with: 50 `aask` on one event loop

Says how many were answered and by which status, how long they took (ms), how long a request for nothing but the
service's health took meanwhile, and how late the loop that answers requests was, as /metrics has it. The clients are a
process of their own on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

SAMPLES = Path(__file__).parent.parent / "samples"
QUESTIONS = [
    "What mean interest rate do the loans carry?",
    "Which heat pump was the loudest, and how many dB(A) did it reach?",
    "Welche Leistungszahl hat die Tarn 16 bei A2/W35?",
]
WRITER = """
import itertools, sys
from pathlib import Path
from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.testing import made_index
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False), create=False) as index:
    for number in itertools.count():
        with made_index({f"added-{number}.pdf": [f"Page {page} of addition {number}" for page in range(8)]}) as made:
            path = next(Path(made.path.parent / "documents").glob("*.pdf"))
            index.add(path)
        print(number + 1, flush=True)
"""


def main() -> None:
    """Runs what the arguments ask for, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=50, help="at a time")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--writer", action="store_true")
    parser.add_argument("--one-loop", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pagesight-load-") as folder:
        index = Path(folder) / "index"
        _index(index)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; {asked.questions} questions at a time")
        if asked.one_loop:
            asyncio.run(_one_loop(index, asked.questions, asked.seconds))
            return
        with _service(index, asked.workers) as (address, token):
            writer: contextlib.AbstractContextManager[list[str]] = contextlib.nullcontext([])
            with _writer(index) if asked.writer else writer as written:
                asyncio.run(_load(address, token, asked.questions, asked.seconds, asked.workers))
            if asked.writer:
                print(f"documents of 8 pages that the writer added meanwhile: {len(written)}")


def _index(place: Path) -> None:
    from pagesight.indexing import PageIndex, load_settings

    with PageIndex.open(place, encoder="lexical", settings=load_settings(ocr=False)) as index:
        index.add(SAMPLES)


@contextlib.contextmanager
def _service(index: Path, workers: int) -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-m", "pagesight.agent.cli", "serve-http", "--index", str(index), "--port", "0"]
    environment = {**os.environ, "PAGESIGHT_REASONER": "offline"}
    with subprocess.Popen(
        [*command, "--workers", str(workers)], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr
        address, token = (process.stderr.readline().split()[-1] for _ in range(2))
        try:
            ready, deadline = 0, time.monotonic() + 300
            while ready < 5 * workers and time.monotonic() < deadline:
                with contextlib.suppress(httpx.TransportError):
                    ready += httpx.get(f"{address}/healthz", timeout=5).status_code == 200
                time.sleep(0.1)
            yield address, token
        finally:
            process.send_signal(signal.SIGINT)


@contextlib.contextmanager
def _writer(index: Path) -> Iterator[list[str]]:
    written: list[str] = []
    with subprocess.Popen([sys.executable, "-c", WRITER, str(index)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield written
        finally:
            process.terminate()
            written.extend(process.stdout.read().splitlines())


async def _load(address: str, token: str, at_once: int, seconds: float, workers: int) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=600, limits=limits) as client:
        # Each process loads OCR and reads its pages for the first questions: that is another measurement.
        first = (client.post("/ask", json={"question": question}) for question in QUESTIONS * 2 * workers)
        await asyncio.gather(*first)
        before = _lag_buckets((await client.get("/metrics")).text)
        statuses: Counter[int] = Counter()
        took: list[float] = []
        health: list[float] = []
        end = time.monotonic() + seconds

        async def asker(number: int) -> None:
            while time.monotonic() < end:
                began = time.monotonic()
                reply = await client.post("/ask", json={"question": QUESTIONS[number % len(QUESTIONS)]})
                took.append(time.monotonic() - began)
                statuses[reply.status_code] += 1
                number += 1

        async def watcher() -> None:
            while time.monotonic() < end:
                began = time.monotonic()
                await client.get("/healthz")
                health.append(time.monotonic() - began)
                await asyncio.sleep(0.2)

        began = time.monotonic()
        await asyncio.gather(watcher(), *(asker(number) for number in range(at_once)))
        whole = time.monotonic() - began
        after = _lag_buckets((await client.get("/metrics")).text)
    print(f"answered by status {dict(statuses)} in {whole:.0f} s: {len(took) / whole:.1f} a second")
    print(f"a question took, ms: {_quantiles(took)}")
    print(f"/healthz took, ms: {_quantiles(health)}")
    counts = {edge: after[edge] - before.get(edge, 0) for edge in after}
    print(f"lag of the loop that answers, ms: p50 ≤ {_within(counts, 0.5):g}, p95 ≤ {_within(counts, 0.95):g}")


def _lag_buckets(text: str) -> dict[float, float]:
    """Upper edges in ms, and how many were below."""
    found = re.findall(r'^pagesight_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', text, re.M)
    return {float(edge) * 1000: float(count) for edge, count in found}


def _within(counts: dict[float, float], part: float) -> float:
    """The least edge that so many are below."""
    whole = max(counts.values())
    return next(edge for edge, count in sorted(counts.items()) if count >= part * whole)


async def _one_loop(place: Path, at_once: int, seconds: float) -> None:
    from pagesight.agent import aask, create_page_agent
    from pagesight.indexing import PageIndex, load_settings

    index = PageIndex.open(place, settings=load_settings(reasoner="offline"), create=False)
    agent = create_page_agent(index)
    await aask(agent, QUESTIONS[0])
    took: list[float] = []
    lags: list[float] = []
    end = time.monotonic() + seconds

    async def asker(number: int) -> None:
        while time.monotonic() < end:
            began = time.monotonic()
            await aask(agent, QUESTIONS[number % len(QUESTIONS)])
            took.append(time.monotonic() - began)
            number += 1

    async def watcher() -> None:
        while time.monotonic() < end:
            began = time.monotonic()
            await asyncio.sleep(0.05)
            lags.append(time.monotonic() - began - 0.05)

    await asyncio.gather(watcher(), *(asker(number) for number in range(at_once)))
    print(f"{len(took) / seconds:.1f} a second; a question took, ms: {_quantiles(took)}")
    print(f"lag of the loop, ms: {_quantiles(lags)}")


def _quantiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p95": 0.95, "most": 1.0}
    return ", ".join(
        f"{name} {1000 * ordered[min(int(part * len(ordered)), len(ordered) - 1)]:.0f}" for name, part in at.items()
    )


if __name__ == "__main__":
    main()
