"""An index in trouble: processes killed in the middle, full disks. Nothing is half there, and nothing told is lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf
from victims import adding, killed, removing

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import PageIndexError, StorageFull

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")

DOCUMENTS, PAGES = 4, 24


def word(document: int, page: int) -> str:
    """A word that only this page has; unlike those of other pages also for the lexical encoder."""
    return "".join(random.Random(1000 * document + page).choices("abcdefghijklmnopqrstuvwxyz", k=12))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for document in range(DOCUMENTS):
        pages = [[word(document, page), str(1000 * document + page)] for page in range(1, PAGES + 1)]
        write_pdf(folder / f"{document}.pdf", pages)
    return folder


@pytest.fixture(scope="module")
def filled(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of all documents, to be copied."""
    folder = tmp_path_factory.mktemp("filled") / "index"
    with PageIndex.open(folder, settings=small_settings()) as index:
        index.add(files)
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[PageIndex]:
    """The index, searched with few candidates from HNSW, so that a page without candidate vectors is not found."""
    with PageIndex.open(folder, settings=small_settings(exhaustive_below=0, candidates=5), create=False) as index:
        yield index


def assert_whole(index: PageIndex, rng: random.Random) -> None:
    """Each document has all its pages, each page all its parts, and nothing else is found."""
    documents = index.documents()
    labels = {f"{document.document} p. {page}" for document in documents for page in range(1, PAGES + 1)}
    assert all(document.pages == PAGES for document in documents)
    pages = index.pages()
    assert {f"{row.document} p. {row.page}" for row in pages} == labels
    for row in pages:
        ref = index.page(f"{row.document} p. {row.page}")
        assert len(index.multivector(ref).vectors) == 2
        assert word(int(Path(row.document).stem), row.page) in index.text(ref)
    for row in rng.sample(pages, min(4, len(pages))):
        ref = index.page(f"{row.document} p. {row.page}")
        # With another ending it is no term of BM25's, and found by its candidate vectors alone.
        assert index.search(word(int(Path(row.document).stem), row.page) + "s", top_k=1)[0].ref == ref
        assert index.picture(ref, long_side=100).height == 100
    everything = " ".join(word(document, 1) for document in range(DOCUMENTS))
    assert {hit.label for hit in index.search(everything, top_k=100)} <= labels


def kept(index: PageIndex) -> tuple[set[str], set[str]]:
    """The ids of the documents of which there are files."""
    return tuple(  # type: ignore[return-value]
        {path.name.partition(".")[0] for path in (index.path / name).iterdir()}
        for name in ("documents", "multivectors")
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_while_indexing(tmp_path: Path, files: Path, seed: int) -> None:
    rng = random.Random(seed)
    after = rng.randrange(DOCUMENTS * PAGES)
    told = killed(adding, tmp_path / "i", files, after=after, delay=rng.random() * 0.05)
    with opened(tmp_path / "i") as index:
        assert_whole(index, rng)
        report = index.add(files)
        assert report.pages <= DOCUMENTS * PAGES - told
        assert report.failed == []
        assert len(index.documents()) == DOCUMENTS
        assert_whole(index, rng)
        assert kept(index) == ({document.document_id for document in index.documents()},) * 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_while_removing(tmp_path: Path, files: Path, filled: Path, seed: int) -> None:
    rng = random.Random(seed)
    shutil.copytree(filled, tmp_path / "i")
    names = [f"{document}.pdf" for document in rng.sample(range(DOCUMENTS), DOCUMENTS - 1)]
    told = killed(removing, tmp_path / "i", names, after=rng.randrange(len(names)), delay=rng.random() * 0.02)
    with opened(tmp_path / "i") as index:
        assert_whole(index, rng)
        left = {document.document for document in index.documents()}
        assert left.isdisjoint(names[:told])
        assert left >= set(names[told + 1 :])
        if remaining := left & set(names):
            index.remove(sorted(remaining))
        index.add(files / names[0])
        assert_whole(index, rng)
        assert len(index.documents()) == 2
        assert kept(index) == ({document.document_id for document in index.documents()},) * 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 12 MB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def fill(folder: Path, *, but: int) -> Path:
    """A file that takes what is left of the disk, but for some bytes."""
    file = folder / "filler"
    file.write_bytes(bytes(shutil.disk_usage(folder).free - but))
    return file


@pytest.mark.parametrize("free", [0, 4096, 20_000])
def test_removing_on_a_full_disk(small_disk: Path, filled: Path, free: int) -> None:
    shutil.copytree(filled, small_disk / "i")
    rng = random.Random(free)
    with opened(small_disk / "i") as index:
        filler = fill(small_disk, but=free)
        for name in ("1.pdf", "2.pdf"):
            try:
                index.remove(name)
            except StorageFull as error:
                assert "Free some space" in str(error)  # noqa: PT017 - it may also have had space enough
        assert_whole(index, rng)
    with opened(small_disk / "i") as index:
        assert_whole(index, rng)
        filler.unlink()
        if left := {document.document for document in index.documents()} & {"1.pdf", "2.pdf"}:
            index.remove(sorted(left))
        assert [document.document for document in index.documents()] == ["0.pdf", "3.pdf"]
        assert_whole(index, rng)


def test_indexing_is_taken_up_when_a_full_disk_has_space_again(small_disk: Path, files: Path) -> None:
    rng = random.Random(1)
    with opened_new(small_disk / "i") as index:
        index.add(files / "0.pdf")
        filler = fill(small_disk, but=60_000)
        with pytest.raises(PageIndexError, match="disk is full"):
            index.add(files)
        assert_whole(index, rng)
    with opened(small_disk / "i") as index:
        assert_whole(index, rng)
        filler.unlink()
        index.add(files)
        assert len(index.documents()) == DOCUMENTS
        assert_whole(index, rng)


def opened_new(folder: Path) -> PageIndex:
    return PageIndex.open(folder, settings=small_settings(exhaustive_below=0, candidates=5))
