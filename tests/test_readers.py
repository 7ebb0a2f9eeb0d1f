"""Readers beside a writer, in threads and in asyncio; several openings, and closing while an index is used."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_index import REPORT, open_index, small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import PageIndexError, PagesightError

PAGES = 12


def document(folder: Path, number: int) -> Path:
    """Pages that all have one word in common, so that a search for it should find all of them."""
    pages = [[f"ferry{number}", f"page{page} of line{number}"] for page in range(1, PAGES + 1)]
    return write_pdf(folder / f"{number}.pdf", pages)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "files").mkdir()
    return [document(tmp_path / "files", number) for number in range(4)]


def half_there(index: PageIndex, number: int) -> list[str]:
    """The pages found of a document, unless they are all or none."""
    found = [hit.label for hit in index.search(f"ferry{number}", top_k=50) if hit.document == f"{number}.pdf"]
    return found if len(found) not in (0, PAGES) else []


@contextmanager
def reading(*readers: Callable[[], object]) -> Iterator[list[object]]:
    """Lets readers run again and again in threads of their own; gives what they return, unless false, and raise."""
    faults: list[object] = []
    done = threading.Event()

    def read(reader: Callable[[], object]) -> None:
        while not done.is_set():
            try:
                if fault := reader():
                    faults.append(fault)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in a thread is the finding
                faults.append(error)

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield faults
    finally:
        done.set()
        for thread in threads:
            thread.join(30)


def change(index: PageIndex, files: list[Path]) -> None:
    """Documents come, go, and take the place of older ones."""
    for path in files[1:]:
        index.add(path)
    index.remove(["1.pdf", "2.pdf"])
    document(files[3].parent, 3).write_bytes(files[3].read_bytes() + b"\n% changed\n")
    index.add(files[1:])


@pytest.mark.slow
@pytest.mark.parametrize("exhaustive_below", [0, 1000])
def test_readers_in_threads_see_whole_documents_only(tmp_path: Path, files: list[Path], exhaustive_below: int) -> None:
    settings = small_settings(exhaustive_below=exhaustive_below)
    with PageIndex.open(tmp_path / "i", settings=settings) as index:
        index.add(files[0])
        always = lambda: len(index.search("ferry0", top_k=50, documents=["0.pdf"])) != PAGES  # noqa: E731
        some = [lambda number=number: half_there(index, number) for number in (1, 2, 3)]
        with reading(always, *some) as faults:
            change(index, files)
        assert faults == []
        assert [record.pages for record in index.documents()] == [PAGES] * 4


@pytest.mark.slow
async def test_readers_in_asyncio_see_whole_documents_only(tmp_path: Path, files: list[Path]) -> None:
    async with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        await index.aadd(files[0])
        writing = asyncio.create_task(asyncio.to_thread(change, index, files))
        faults: list[object] = []
        while not writing.done():
            found = await asyncio.gather(*(index.asearch(f"ferry{number}", top_k=50) for number in range(4)))
            for number, hits in enumerate(found):
                pages = [hit.page for hit in hits if hit.document == f"{number}.pdf"]
                if len(pages) not in (0, PAGES):
                    faults.append((number, pages))
        await writing
        assert faults == []
        assert len(await index.adocuments()) == 4


def test_two_openings_share_what_one_writes(tmp_path: Path, files: list[Path]) -> None:
    with (
        PageIndex.open(tmp_path / "i", settings=small_settings()) as one,
        PageIndex.open(tmp_path / "i", settings=small_settings()) as two,
    ):
        with reading(lambda: half_there(two, 0), lambda: half_there(two, 1)) as faults:
            writers = [threading.Thread(target=one.add, args=([files[0], files[2]],))]
            writers += [threading.Thread(target=two.add, args=([files[1], files[2]],))]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
        assert faults == []
        assert [record.document for record in one.documents()] == ["0.pdf", "1.pdf", "2.pdf"]
        assert one.search("ferry2", top_k=50) == two.search("ferry2", top_k=50)


def test_what_is_closed_says_so(tmp_path: Path, files: list[Path]) -> None:
    index = PageIndex.open(tmp_path / "i", settings=small_settings())
    index.add(files[0])
    ref = index.search("ferry0")[0].ref
    index.close()
    uses: list[Callable[[], object]] = [
        lambda: index.search("ferry0"),
        lambda: index.add(files[1]),
        lambda: index.remove("0.pdf"),
        lambda: index.text(ref),
        lambda: index.picture(ref),
        lambda: index.multivector(ref),
        index.documents,
        index.pages,
        index.audit,
    ]
    for use in uses:
        with pytest.raises(PageIndexError, match=r"was closed.*PageIndex\.open"):
            use()


def test_closing_while_others_search_waits_for_them(tmp_path: Path, files: list[Path]) -> None:
    index = PageIndex.open(tmp_path / "i", settings=small_settings())
    index.add(files[0])
    found, errors = [], []

    def search() -> None:
        try:
            while True:
                found.append(len(index.search("ferry0", top_k=50)))
        except PagesightError as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(found) < 8:
        time.sleep(0.01)
    index.close()
    for thread in threads:
        thread.join(30)
    assert set(found) == {PAGES}
    assert len(errors) == 4
    assert all("was closed" in str(error) for error in errors)
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as again:
        assert len(again.search("ferry0", top_k=50)) == PAGES


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_draws_pages_can_be_started_beforehand(folder: Path) -> None:
    def children() -> set[str]:
        return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}

    before = children()
    with open_index(folder) as index:
        assert children() == before
        index.expect_pictures()
        index.expect_pictures()
        (started,) = children() - before
        assert index.picture(index.page(f"{REPORT} p. 1")).width > 100
        assert children() - before == {started}
    assert started not in children()
