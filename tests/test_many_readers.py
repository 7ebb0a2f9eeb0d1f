"""One folder, many processes: all read at once, whatever the others do; one writes at a time, the next one waits."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf
from waiting import SOON

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import IndexInUse, IndexWarning, PagesightError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are stopped, and mounts made, as on Linux")

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]

# Reads lines "search QUESTION" and "documents" and answers each with a line of JSON.
READER = """
import json, sys
from pagesight.indexing import PageIndex, load_settings
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False), create=False) as index:
    print("open", flush=True)
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "search":
            found = [hit.label for hit in index.search(rest)]
        else:
            found = [record.document for record in index.documents()]
        print(json.dumps(found), flush=True)
"""

# Adds a file and stops after each batch until it is told to go on.
WRITER = """
import sys
from pagesight.indexing import PageIndex, load_settings
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False)) as index:
    def pause(progress):
        print(progress.done_pages, flush=True)
        sys.stdin.readline()
    index.add(sys.argv[2:], progress=pause)
print("done", flush=True)
"""


# Writes, as Milvus Lite does, files that are gone a moment later, and a folder of theirs.
HASTY = """
import shutil, sys
from pathlib import Path
from pagesight.indexing.storage.sharing import WriterLock
folder = Path(sys.argv[1])
passing = folder / "milvus.db" / "collections" / "pages" / "partitions" / "passing"
with WriterLock(folder).held(5):
    print("writing", flush=True)
    while True:
        passing.mkdir()
        for number in range(50):
            (passing / f"data_{number}.parquet").touch()
        shutil.rmtree(passing)
"""


class Process:
    """A Python program that reads and writes lines."""

    def __init__(self, program: str, *arguments: object) -> None:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()

    def ask(self, line: str) -> list[str]:
        self.write(line)
        return list(json.loads(self.read()))

    def write(self, line: str = "") -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()


@contextlib.contextmanager
def running(program: str, *arguments: object) -> Iterator[Process]:
    process = Process(program, *arguments)
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.communicate()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with PageIndex.open(folder / "i", settings=small_settings()) as index:
        index.add(write_pdf(folder / "a.pdf", [["Cover"], FERRY]))
    return folder / "i"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "i"))


@pytest.fixture
def many_pages(tmp_path: Path) -> Path:
    """A document that takes two batches."""
    return write_pdf(tmp_path / "b.pdf", [[f"pump {number}"] for number in range(12)])


def test_four_commands_search_at_once(folder: Path) -> None:
    command = [sys.executable, "-m", "pagesight.agent.cli", "search", "ferry Aurora", "--json", "--index", str(folder)]
    searching = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in searching:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert json.loads(out)[0]["label"] == "a.pdf p. 2"


def test_a_reader_opens_while_files_of_a_writer_come_and_go(folder: Path) -> None:
    with running(HASTY, folder) as writer:
        assert writer.read() == "writing"
        for _ in range(30):
            with PageIndex.open(folder, settings=small_settings(), create=False) as index:
                assert index.documents()


def test_a_search_waits_for_nobody(folder: Path, many_pages: Path) -> None:
    """Beside an open reader, a stopped reader, and a writer that is stopped in the middle of its work."""
    with (
        running(READER, folder) as first,
        running(READER, folder) as stopped,
        running(WRITER, folder, many_pages) as writer,
    ):
        assert {first.read(), stopped.read(), writer.read()} == {"open", "8"}
        stopped.popen.send_signal(signal.SIGSTOP)
        writer.popen.send_signal(signal.SIGSTOP)
        with PageIndex.open(folder, settings=small_settings(), create=False) as index:
            assert index.search("ferry Aurora passengers")[0].label == "a.pdf p. 2"
            assert first.ask("search ferry Aurora")[0] == "a.pdf p. 2"
            assert index.multivector(index.page("a.pdf p. 2")).vectors.shape == (9, index.encoder.dim)
            assert first.ask("documents") == ["a.pdf"]  # whole documents only
            writer.popen.send_signal(signal.SIGCONT)
            writer.write()
            assert writer.read() == "12"
            done = time.monotonic()
            writer.write()
            while first.ask("documents") != ["a.pdf", "b.pdf"]:
                assert time.monotonic() < done + 2
            assert [record.document for record in index.documents()] == ["a.pdf", "b.pdf"]
            assert index.search("pump 7")[0].document == "b.pdf"


def test_a_finished_document_is_seen_while_its_writer_goes_on(folder: Path, tmp_path: Path, many_pages: Path) -> None:
    first = write_pdf(tmp_path / "0.pdf", [PUMP])
    with running(WRITER, folder, first, many_pages) as writer, PageIndex.open(folder, create=False) as index:
        assert writer.read() == "1"
        finished = time.monotonic()
        while len(index.documents()) < 2:
            assert time.monotonic() < finished + 2
            time.sleep(0.02)
        assert index.search("pump Boreas")[0].label == "0.pdf p. 1"


def test_a_second_writer_waits_and_is_told_for_whom(folder: Path, many_pages: Path) -> None:
    with running(WRITER, folder, many_pages) as writer:
        assert writer.read() == "8"
        with PageIndex.open(folder, settings=small_settings(wait=0.2)) as index:
            with (
                pytest.warns(IndexWarning, match=rf"process {writer.popen.pid} .*is writing.*up to 0.2 s"),
                pytest.raises(IndexInUse, match=rf"process {writer.popen.pid} .*is writing.*--wait"),
            ):
                index.remove("a.pdf")
            writer.popen.send_signal(signal.SIGSTOP)
            with (
                pytest.warns(IndexWarning),
                pytest.raises(IndexInUse, match=rf"paused .`kill -CONT {writer.popen.pid}`"),
            ):
                index.remove("a.pdf")
            writer.popen.send_signal(signal.SIGCONT)
        going_on = threading.Timer(0.3, lambda: writer.popen.communicate("\n\n"))
        with PageIndex.open(folder, settings=small_settings(wait=60)) as index:
            going_on.start()
            with pytest.warns(IndexWarning, match="waiting"):
                assert [record.document for record in index.remove("a.pdf")] == ["a.pdf"]
            assert [record.document for record in index.documents()] == ["b.pdf"]
        going_on.join()


def test_a_writer_that_was_killed_is_waited_for_by_nobody(folder: Path, many_pages: Path) -> None:
    with running(WRITER, folder, many_pages) as writer:
        assert writer.read() == "8"
        writer.popen.kill()
        writer.popen.wait()
        assert json.loads((folder / "writer.json").read_text())["pid"] == writer.popen.pid
        with warnings.catch_warnings():
            warnings.simplefilter("error", IndexWarning)
            with PageIndex.open(folder, settings=small_settings(wait=0)) as index:
                assert [record.document for record in index.documents()] == ["a.pdf"]
                assert index.add(many_pages).pages == 4
                assert index.search("pump 3")[0].document == "b.pdf"


def test_a_process_that_took_over_the_number_of_another_is_not_named(folder: Path, many_pages: Path) -> None:
    with running(WRITER, folder, many_pages) as writer:
        assert writer.read() == "8"
        holder = json.loads((folder / "writer.json").read_text())
        (folder / "writer.json").write_text(json.dumps(holder | {"pid": os.getpid(), "command": "an older one"}))
        with PageIndex.open(folder, settings=small_settings(wait=0)) as index, pytest.raises(IndexInUse) as told:
            index.remove("a.pdf")
        assert "another process is writing" in str(told.value)


def test_a_clock_that_jumps_changes_nothing(folder: Path, many_pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with running(WRITER, folder, many_pages) as writer:
        assert writer.read() == "8"
        for jump in (-1e7, 1e7):
            monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
            for path in (folder / "lock", folder / "writer.json", folder / "derived" / "current.json"):
                os.utime(path, (now + jump, now + jump))
            started = time.monotonic()
            with PageIndex.open(folder, settings=small_settings(wait=0.3)) as index:
                assert index.search("ferry Aurora")[0].label == "a.pdf p. 2"
                with pytest.warns(IndexWarning), pytest.raises(IndexInUse, match=f"process {writer.popen.pid} "):
                    index.remove("a.pdf")
            assert 0.3 <= time.monotonic() - started < SOON


@pytest.fixture
def read_only(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """The index on a medium that nobody can write to."""
    if os.geteuid():
        pytest.skip("mounting a folder read-only needs root")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    if subprocess.run(["mount", "--bind", str(folder), str(mounted)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(mounted)], check=True)
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True)


def test_a_medium_that_nobody_can_write_to_is_read(read_only: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", IndexWarning)
        with PageIndex.open(read_only, settings=small_settings(), create=False) as index:
            assert index.search("ferry Aurora")[0].label == "a.pdf p. 2"
            assert index.picture(index.page("a.pdf p. 1"), long_side=100).height == 100
            with pytest.raises(PagesightError, match="cannot be written to: Read-only file system"):
                index.remove("a.pdf")


def test_a_medium_that_nobody_can_write_to_is_read_without_a_snapshot(folder: Path, read_only: Path) -> None:
    shutil.rmtree(folder / "derived")
    with (
        pytest.warns(IndexWarning, match=r"cannot be written to.*took a copy"),
        PageIndex.open(read_only, settings=small_settings(), create=False) as index,
    ):
        assert index.search("ferry Aurora")[0].label == "a.pdf p. 2"


def test_reading_writes_nothing_and_needs_no_milvus(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    program = READER + "\nassert not {'pymilvus', 'milvus_lite', 'pyarrow'} & {*sys.modules}, 'Milvus was loaded'\n"
    with running(program, folder) as reader:
        assert reader.read() == "open"
        assert reader.ask("search ferry Aurora")[0] == "a.pdf p. 2"
        reader.popen.communicate()
        assert reader.popen.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path, part: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(part * (len(content) - 1))] ^= 1
    path.write_bytes(content)


FAULTS = [removed, emptied, halved, *(lambda path, part=part / 5: flipped(path, part) for part in range(6))]


@pytest.mark.slow
def test_a_damaged_snapshot_is_made_anew(tmp_path: Path, many_pages: Path) -> None:
    """A snapshot with many candidate vectors, too: 200 pages of 32 words."""
    words = [f"{first}{second}rk" for first in "abcdefghij" for second in "klmnopqrst"]
    pages = [
        [" ".join(words[(number * 7 + place * (1 + number % 9)) % 100] for place in range(32))] for number in range(200)
    ]
    settings = small_settings(exhaustive_below=0, candidates=10)
    with PageIndex.open(tmp_path / "i", settings=settings) as index:
        index.add([write_pdf(tmp_path / "a.pdf", pages), many_pages])
        right = [hit.as_dict() for hit in index.search("cnrk pump aork")]
        texts = [index.text(index.page(f"b.pdf p. {number}")) for number in range(1, 13)]
    names = sorted(path.name for path in (tmp_path / "i" / "derived").iterdir())
    assert {path.rpartition(".")[2] for path in names} == {"json", "arrays", "faiss"}
    for suffix in (".json", ".arrays", ".faiss"):
        for fault in FAULTS:
            (path,) = [path for path in (tmp_path / "i" / "derived").iterdir() if path.suffix == suffix][:1]
            fault(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", IndexWarning)
                with PageIndex.open(tmp_path / "i", settings=settings) as index:
                    assert [hit.as_dict() for hit in index.search("cnrk pump aork")] == right
                    assert [index.text(index.page(f"b.pdf p. {number}")) for number in range(1, 13)] == texts
                    assert len(index.pages()) == 212
