"""Processes that index, replace, remove, repair, upgrade and the like, killed at random moments, and what is left then.

    python tests/kills.py [KILLS] [SEED]        by default 200 and 1; writes the table in docs/trust.md

OCR is on. After each kill the index is opened as it is, the same work is done again, all is read by `verify`, and
what people see is compared with an index that nobody disturbed. What must not be raises AssertionError.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
import tarfile
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from documents import pdf_of_pictures, picture_of_text
from small_index import small_settings, write_pdf
from victims import context

from pagesight.indexing import PageIndex, prepare
from pagesight.indexing.errors import IndexMissing, PagesightError, UnknownDocument
from pagesight.indexing.integrity.archive import export_index, import_index
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.settings import Settings

FORMAT_3 = Path(__file__).parent / "fixtures" / "format-3" / "words.tar.gz"
QUESTIONS = ("ferry Aurora passengers", "pump Boreas kilowatts", "buoy 9 in the bay", "lighthouse 45", "figures 10")
_ENDED_SECONDS = 60  # for processes that a killed one had started, on a busy machine


def settings() -> Settings:
    """With OCR, and so few candidates that they decide what is found."""
    return small_settings(ocr=True, candidates=4, exhaustive_below=4, hits_per_vector=20)


def scanned(path: Path, *words: str) -> Path:
    """A scan of one page, which has no text."""
    lines = [(word, 40, 50 + 90 * number) for number, word in enumerate(words)]
    return pdf_of_pictures(path, [picture_of_text(lines, size=(480, 260))])


def annex(path: Path, what: str) -> Path:
    """A document of two batches."""
    return write_pdf(path, [[f"Annex {number}", f"The {what} {number} lies in the bay."] for number in range(1, 11)])


# The work, each in a folder with `index` and `sources`.


def adding(folder: Path) -> None:
    """Indexes what is in `sources`."""
    with PageIndex.open(folder / "index", settings=settings(), create=False) as index:
        report = index.add(folder / "sources")
        assert not report.failed, report.failed


def by_shards(folder: Path) -> None:
    """Makes shards of what is in `sources`, and takes them in."""
    assert not prepare(folder / "sources", folder / "shards", settings=settings()).failed
    with PageIndex.open(folder / "index", settings=settings(), create=False) as index:
        report = index.commit(folder / "shards")
        assert not report.failed, report.failed


def removing(folder: Path) -> None:
    """Removes two documents of four, or what is left of them."""
    with PageIndex.open(folder / "index", settings=settings(), create=False) as index:
        for name in ("annex.pdf", "scan.pdf"):
            with contextlib.suppress(UnknownDocument):
                index.remove(name)


def repairing(folder: Path) -> None:
    """Repairs the index."""
    assert repair(str(folder / "index"), settings()).left == []


def importing(folder: Path) -> None:
    """Imports the archive in the folder; not where that is done."""
    with contextlib.suppress(IndexMissing, PagesightError):
        if verify(str(folder / "index"), settings()).pages == 13:
            return
    import_index(folder / "kept.zip", str(folder / "index"), settings())


@dataclass(frozen=True)
class Work:
    """What is done, and the state that it begins with, made from one with an index of four documents."""

    do: Callable[[Path], None]
    begin: Callable[[Path], None] = lambda folder: None


def _without_two(folder: Path) -> None:
    with PageIndex.open(folder / "index", settings=settings()) as index:
        index.remove(["annex.pdf", "scan.pdf"])


def _changed(folder: Path) -> None:
    annex(folder / "sources" / "annex.pdf", "anchor")
    scanned(folder / "sources" / "scan.pdf", "Lighthouse", "Height 54 metres")


def _damaged(folder: Path) -> None:
    index = folder / "index"
    with PageIndex.open(index, settings=settings()) as opened:
        known = {record.document: record.document_id for record in opened.documents()}
    for name in ("annex.pdf", "scan.pdf"):
        (index / "multivectors" / known[name] / "000001.npy").write_bytes(b"")
    (index / "pages" / known["scan.pdf"] / "000001.json").write_bytes(b"")
    (index / "documents" / f"{known['pump.pdf']}.pdf").unlink()
    rows = next((index / "milvus.db" / "collections" / "pages").rglob("*.parquet"))
    rows.write_bytes(rows.read_bytes()[:100])
    shutil.rmtree(index / "derived")


def _archived(folder: Path) -> None:
    export_index(str(folder / "index"), folder / "kept.zip", settings())
    shutil.rmtree(folder / "index")


def _of_format_3(folder: Path) -> None:
    shutil.rmtree(folder / "index")
    with tarfile.open(FORMAT_3) as file:
        file.extractall(folder, filter="data")
    for name in ("annex.pdf", "pump.pdf", "ferry.pdf"):
        (folder / "sources" / name).unlink()


WORKS = {
    "index": Work(adding, _without_two),
    "replace": Work(adding, _changed),
    "shards": Work(by_shards, _without_two),
    "remove": Work(removing),
    "repair": Work(repairing, _damaged),
    "import": Work(importing, _archived),
    "upgrade": Work(adding, _of_format_3),
}

Pages = dict[tuple[str, int], tuple[str, bytes]]


@dataclass(frozen=True)
class Seen:
    """What people see of an index: each page's text and picture by its document's name, and the answers."""

    pages: Pages
    answers: list[list[str]]


def seen(folder: Path) -> Seen:
    """Opens the index as it is and looks at all of it."""
    with PageIndex.open(folder / "index", settings=settings(), create=False) as index:
        refs = [ref for record in index.documents() for ref in record.page_refs]
        pages = {(ref.document, ref.page): (index.text(ref), _shown(index, ref)) for ref in refs}
        answers = [[hit.label for hit in index.search(question, top_k=3)] for question in QUESTIONS]
    return Seen(pages, answers)


def _shown(index: PageIndex, ref: Any) -> bytes:
    try:
        return index.picture(ref, long_side=20).tobytes()
    except PagesightError:  # its kept copy and its original are gone
        return b""


@dataclass(frozen=True)
class Prepared:
    """A work with its first state, what is seen before and after it, and the seconds that it takes."""

    name: str
    work: Work
    state: Path
    before: Pages
    after: Seen
    seconds: float


def prepared(folder: Path, names: list[str]) -> list[Prepared]:
    """All works of these names; states are copied to and from one place, since an index knows its documents' paths."""
    here = folder / "here"
    (here / "sources").mkdir(parents=True)
    write_pdf(here / "sources" / "ferry.pdf", [["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]])
    write_pdf(here / "sources" / "pump.pdf", [["Heat pumps", "The pump Boreas delivers 12 kilowatts."]])
    annex(here / "sources" / "annex.pdf", "buoy")
    scanned(here / "sources" / "scan.pdf", "Lighthouse", "Height 45 metres")
    with PageIndex.open(here / "index", settings=settings()) as index:
        index.add(here / "sources")
    shutil.move(here, folder / "all")
    return [_prepared(folder, name) for name in names]


def _prepared(folder: Path, name: str) -> Prepared:
    here, state, work = folder / "here", folder / name, WORKS[name]
    shutil.copytree(folder / "all", here)
    work.begin(here)
    shutil.copytree(here, state)
    before: Pages = {}
    with contextlib.suppress(PagesightError), _quiet():
        before = seen(here).pages
    shutil.rmtree(here)
    shutil.copytree(state, here)
    started = time.monotonic()
    with _started(work.do, here) as process:
        process.join()
        assert process.exitcode == 0, f"{name} fails undisturbed"
    seconds = time.monotonic() - started
    after = seen(here)
    assert verify(str(here / "index"), settings()).damage == []
    shutil.rmtree(here)
    return Prepared(name, work, state, before, after, seconds)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _started(do: Callable[[Path], None], folder: Path) -> Iterator[Any]:
    process = context.Process(target=do, args=(folder,))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def killed(one: Prepared, here: Path, delay: float) -> tuple[str, float]:
    """Does the work and kills it after so many seconds, then completes it.

    Gives what the kill had left, and how many seconds all took, which is about what the work takes undisturbed.
    """
    shutil.copytree(one.state, here)
    with _started(one.work.do, here) as process:
        process.join(delay)
        was_done = process.exitcode is not None
        children = _below(process.pid)
        process.kill()
        process.join()
    _wait_for_end(children)
    with _quiet():
        left = _left(one, here)
    started = time.monotonic()
    one.work.do(here)
    took = time.monotonic() - started + (0 if left == "all as before" else delay)
    assert verify(str(here / "index"), settings()).damage == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert seen(here) == one.after, f"{one.name} was completed, and not all is as it should be"
    shutil.rmtree(here)
    return ("done before" if was_done else left), took


def _left(one: Prepared, here: Path) -> str:
    """What is there after a kill: documents as before or as after, each whole."""
    try:
        pages = seen(here).pages
    except PagesightError:
        assert one.name in ("import", "repair"), "an index that was whole cannot be opened"
        return "nothing yet"
    expected = {**one.before, **one.after.pages}
    for document in {name for name, _ in one.before.keys() & one.after.pages.keys()}:
        mine, old, new = (_of(every, document) for every in (pages, one.before, one.after.pages))
        assert one.name == "repair" or mine in (old, new), f"{document} is neither as it was nor as it should be"
    assert pages.keys() <= expected.keys()
    if pages == one.after.pages:
        return "all as after"
    return "all as before" if pages == one.before else "some as after"


def _of(pages: Pages, document: str) -> Pages:
    return {key: page for key, page in pages.items() if key[0] == document}


def _below(pid: int | None) -> list[int]:
    """The processes that a process has started, and these in turn."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children = [int(child) for child in file.read_text().split()]
            found += [*children, *(each for child in children for each in _below(child))]
    return found


def _wait_for_end(pids: list[int]) -> None:
    """What a killed process had started ends by itself."""
    until = time.monotonic() + _ENDED_SECONDS
    while alive := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < until, f"processes {alive} go on after the one that started them was killed"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def many_killed(folder: Path, kills: int, seed: int, names: list[str], told: Callable[[str], object]) -> dict[str, Any]:
    """So many kills, the works in turn; what each had left, by work."""
    chance = random.Random(seed)
    works = prepared(folder, names)
    left: dict[str, Counter[str]] = {one.name: Counter() for one in works}
    seconds = {one.name: one.seconds for one in works}  # as the machine is just now
    for number in range(kills):
        one = works[number % len(works)]
        delay = chance.uniform(0, seconds[one.name])
        told(f"{number + 1}: {one.name} is killed after {delay:.2f} of {seconds[one.name]:.2f} s")
        found, took = killed(one, folder / "here", delay)
        seconds[one.name] = (seconds[one.name] + took) / 2
        told(f"{number + 1}: {one.name}: {found}")
        left[one.name][found] += 1
    return left


LEFT = ("nothing yet", "all as before", "some as after", "all as after", "done before")


def as_markdown(left: dict[str, Counter[str]]) -> str:
    """The table, as it stands in docs/trust.md."""
    head = ["work", "kills", *LEFT[:-1], "ended before"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, counts in {**left, "all": sum(left.values(), Counter[str]())}.items():
        cells = [name, str(sum(counts.values())), *(str(counts[one] or "") for one in LEFT)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    wanted, first = (int(given) for given in [*sys.argv[1:], *("200", "1")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as scratch:
        counted = many_killed(Path(scratch), wanted, first, [*WORKS], lambda line: print(line, file=sys.stderr))
    made_table = as_markdown(counted)
    print(made_table)
    page = Path(os.environ.get("KILLS_TABLE", Path(__file__).parent.parent / "docs" / "trust.md"))
    before_it, start, rest = page.read_text().partition("<!-- kills -->\n")
    if start:
        page.write_text(f"{before_it}{start}{made_table}\n<!-- /kills -->{rest.partition('<!-- /kills -->')[2]}")
