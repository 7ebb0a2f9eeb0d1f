"""Everything at once on one folder: searches, a chat, an MCP client and a writer, each in a process of its own.

    python tests/everything.py [SECONDS]        by default 180; writes the figures in docs/trust.md

Two processes search in a loop, two loops run the command `search` anew each time; one document stays all the while,
and each search must find it first. What anybody says that is an error is kept, and there must be none.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.integrity.verify import verify

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
QUESTION = "How many passengers does the ferry Aurora carry?"
FOUND = "ferry.pdf p. 1"
_DOCUMENTS = 6  # that come, change and go
_A_CONVERSATION = 20  # questions
_SAMPLES = 10  # of memory, in a sixth of the time

# Searches until its input ends; says at last how often, and what went wrong.
SEARCHER = """
import json, sys, threading, warnings
from pagesight.indexing import PageIndex, load_settings
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
done, wrong = 0, []
with warnings.catch_warnings(record=True) as caught, \\
        PageIndex.open(sys.argv[1], settings=load_settings(ocr=False), create=False) as index:
    warnings.simplefilter("always")
    while not over.is_set():
        try:
            hits = index.search(sys.argv[2])
            if not hits or hits[0].label != sys.argv[3]:
                wrong.append(f"found {[hit.label for hit in hits]}")
            index.documents()
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
        done += 1
print(json.dumps([done, wrong + [str(one.message) for one in caught]]))
"""


@dataclass
class Figures:
    """How often each thing was done, what went wrong, and the memory of each process after a third and at the end.

    Memory is what a process holds of its own, without mapped files, which the system takes back when it needs room; the
    least of ten samples in a sixth of the time, since what one question takes and gives back is no growth.
    """

    seconds: float
    done: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)  # MB

    def as_markdown(self) -> str:
        """As they stand in docs/trust.md."""
        lines = ["| who | how often | MB after a third | MB at the end |", "|---|---|---|---|"]
        for name, count in self.done.items():
            memory = self.memory.get(name)
            lines.append(f"| {name} | {count} | " + (f"{memory[0]:.0f} | {memory[1]:.0f} |" if memory else "| |"))
        return "\n".join(lines)


class Everything:
    """The processes and threads at work on one folder."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.index = folder, folder / "index"
        self.figures = Figures(seconds)
        self.expected: dict[str, int] = {}  # pages of the documents that should be there at the end
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def run(self) -> Figures:
        """Makes the index, and does all at once for so many seconds."""
        with PageIndex.open(self.index, settings=small_settings()) as index:
            index.add(write_pdf(self.folder / "ferry.pdf", [FERRY]))
        jobs: list[tuple[str, Callable[[str], None]]] = [
            ("search in a process (1)", self._search),
            ("search in a process (2)", self._search),
            ("command `search` (1)", self._command),
            ("command `search` (2)", self._command),
            ("chat", self._chat),
            ("MCP client", self._mcp),
            ("writer", self._write),
        ]
        threads = [threading.Thread(target=self._guarded, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        self._weigh()
        for thread in threads:
            thread.join()
        self._look()
        self.figures.done = {name: self.figures.done[name] for name, _ in jobs if name in self.figures.done}
        return self.figures

    def _guarded(self, name: str, job: Callable[[str], None]) -> None:
        try:
            job(name)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is looked for
            self._wrong(name, f"{type(error).__name__}: {error}")

    def _weigh(self) -> None:
        """Waits until time is over, and takes the memory of each process after a third of it and at the end."""
        sixth = self.figures.seconds / 6
        time.sleep(sixth)
        early = self._weighed(sixth)
        time.sleep(3 * sixth)
        late = self._weighed(sixth)
        self.figures.memory = {name: (early[name], late[name]) for name in early.keys() & late.keys()}
        self._over.set()

    def _weighed(self, seconds: float) -> dict[str, float]:
        least: dict[str, float] = {}
        for _ in range(_SAMPLES):
            pids = {name: process.pid for name, process in self._processes.items()} | {"writer": os.getpid()}
            least = {name: min(_held(pid), least.get(name, math.inf)) for name, pid in pids.items()}
            time.sleep(seconds / _SAMPLES)
        return least

    def _search(self, name: str) -> None:
        process = self._started(name, sys.executable, "-c", SEARCHER, str(self.index), QUESTION, FOUND)
        self._over.wait()
        out, err = process.communicate("")
        done, wrong = json.loads(out)
        self._did(name, done)
        for said in [*wrong, *_bad(err)]:
            self._wrong(name, said)

    def _command(self, name: str) -> None:
        count = 0
        while not self._over.is_set():
            done = subprocess.run(
                _pagesight("search", QUESTION, "--json", "--index", str(self.index)), capture_output=True, text=True
            )
            if done.returncode or json.loads(done.stdout)[0]["label"] != FOUND or _bad(done.stderr):
                self._wrong(name, f"{done.returncode} {done.stdout[:200]} {done.stderr[:500]}")
            count += 1
        self._did(name, count)

    def _chat(self, name: str) -> None:
        process = self._started(name, *_pagesight("chat", "--index", str(self.index), "--reasoner", "offline"))
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout or []))
        complaints: list[str] = []
        listener = threading.Thread(target=lambda: complaints.extend(process.stderr or []))
        reader.start()
        listener.start()
        asked = 0
        assert process.stdin
        while not self._over.wait(1.0):
            if asked % _A_CONVERSATION == 0:
                process.stdin.write("/new\n")  # one conversation's memory grows with it
            process.stdin.write(QUESTION + "\n")
            process.stdin.flush()
            asked += 1
        process.stdin.close()
        process.wait()
        reader.join()
        listener.join()
        answered = sum("1200 passengers" in line and FOUND in line for line in said)
        self._did(name, answered)
        for line in _bad("".join(complaints)):
            self._wrong(name, line)
        if process.returncode or answered != asked:
            told = " ".join(line.strip() for line in said if "1200 passengers" not in line or FOUND not in line)
            self._wrong(name, f"{answered} of {asked} questions answered, status {process.returncode}: {told[:1000]}")

    def _mcp(self, name: str) -> None:
        asyncio.run(self._mcp_session(name))

    async def _mcp_session(self, name: str) -> None:
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client

        program, *arguments = _pagesight("mcp", "--index", str(self.index))
        count = 0
        with (self.folder / "mcp.err").open("w+") as complaints:
            served = stdio_client(StdioServerParameters(command=program, args=arguments), errlog=complaints)
            async with served as (read, write), ClientSession(read, write) as session:
                await session.initialize()
                self._note_child(name)
                while not self._over.is_set():
                    reply = await session.call_tool("search_pages", {"query": QUESTION})
                    text = " ".join(getattr(part, "text", "") for part in reply.content)
                    if reply.isError or FOUND not in text:
                        self._wrong(name, text[:500])
                    await session.call_tool("list_documents", {})
                    count += 1
            complaints.seek(0)
            for line in _bad(complaints.read()):
                self._wrong(name, line)
        self._did(name, count)

    def _note_child(self, name: str) -> None:
        """Takes the server that the MCP client has started among the processes whose memory is taken."""
        for status in Path("/proc").glob("[0-9]*/cmdline"):
            command = status.read_bytes().split(b"\0")
            if b"mcp" in command and str(self.index).encode() in command:
                self._processes[name] = _Known(int(status.parent.name))  # type: ignore[assignment]

    def _write(self, name: str) -> None:
        chance, count = random.Random(1), 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            while not self._over.is_set():
                self._change(chance)
                count += 1
        self._did(name, count)

    def _change(self, chance: random.Random) -> None:
        """Adds a document, replaces it, or removes it."""
        name = f"{chance.randrange(_DOCUMENTS)}.pdf"
        with PageIndex.open(self.index, settings=small_settings(), create=False) as index:
            if name in self.expected and chance.random() < 0.4:
                index.remove(name)
                del self.expected[name]
                return
            pages = [[f"Buoy {chance.randrange(10**9)}", "lies in the bay"] for _ in range(chance.randint(1, 12))]
            report = index.add(write_pdf(self.folder / name, pages))
            assert not report.failed, report.failed
            self.expected[name] = len(pages)

    def _look(self) -> None:
        """Nothing is lost: all that should be there is there and whole, and each page is found."""
        found = verify(str(self.index), small_settings())
        for one in found.damage:
            self._wrong("verify", f"{one.what}: {one.why}")
        with PageIndex.open(self.index, settings=small_settings(), create=False) as index:
            there = {record.document: record.pages for record in index.documents()}
            if there != self.expected | {"ferry.pdf": 1}:
                self._wrong("documents", f"{there} instead of {self.expected}")
            for record in index.documents():
                for ref in record.page_refs:
                    index.picture(ref, long_side=20)
                    if ref.label not in [hit.label for hit in index.search(index.text(ref), top_k=5)]:
                        self._wrong("documents", f"{ref.label} is not found by its text")

    def _started(self, name: str, *command: str) -> subprocess.Popen[str]:
        piped = subprocess.PIPE
        process = subprocess.Popen(command, stdin=piped, stdout=piped, stderr=piped, text=True, bufsize=1)
        self._processes[name] = process
        return process

    def _did(self, name: str, count: int) -> None:
        with self._lock:
            self.figures.done[name] = count

    def _wrong(self, name: str, what: str) -> None:
        with self._lock:
            self.figures.wrong.append(f"{name}: {what}")


@dataclass
class _Known:
    pid: int


def _pagesight(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pagesight.agent.cli", *arguments]


def _bad(said: str) -> list[str]:
    """The lines of standard error that tell of an error or warn."""
    return [line.strip() for line in said.splitlines() if line.startswith(("error", "warning", "Traceback"))]


def _held(pid: int) -> float:
    """MB of memory that a process holds without mapped files; 0 where it has ended."""
    try:
        said = Path(f"/proc/{pid}/status").read_text().partition("RssAnon:")[2]
        return int(said.split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        figures = Everything(Path(scratch), float(sys.argv[1]) if sys.argv[1:] else 180).run()
    print(figures.as_markdown())
    for line in figures.wrong:
        print(line)
    if not figures.wrong:
        page = Path(__file__).parent.parent / "docs" / "trust.md"
        before, start, rest = page.read_text().partition("<!-- everything -->\n")
        after = rest.partition("<!-- /everything -->")[2]
        page.write_text(f"{before}{start}{figures.as_markdown()}\n<!-- /everything -->{after}")
