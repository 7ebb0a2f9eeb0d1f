"""An index is its owner's alone, and shares nothing with the documents that it was made of."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]

has_modes = pytest.mark.skipif(os.name != "posix", reason="this system has no modes of files")


@pytest.fixture(autouse=True)
def open_umask() -> object:
    """What is private here is so by itself, not by the caller's umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_index(folder: Path) -> PageIndex:
    return PageIndex.open(folder, settings=small_settings())


def state(path: Path) -> tuple[bytes, int, int, int]:
    status = path.stat()
    return path.read_bytes(), status.st_mode, status.st_mtime_ns, status.st_nlink


def public(folder: Path) -> list[str]:
    """What others can read or enter in a folder, itself included."""
    places = [folder, *folder.rglob("*")]
    modes = {place: stat.S_IMODE(place.lstat().st_mode) for place in places if not place.is_symlink()}
    return [f"{place.name} {mode:o}" for place, mode in modes.items() if mode != (0o700 if place.is_dir() else 0o600)]


@has_modes
def test_nothing_in_an_index_can_be_read_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    folder = tmp_path / "deep" / "index"
    assert main(["index", str(write_pdf(tmp_path / "a.pdf", [FERRY])), "--index", str(folder)]) == 0
    assert main(["ask", "How many passengers?", "--index", str(folder)]) == 0
    monkeypatch.setattr("sys.stdin", StringIO("How many passengers?\n"))
    assert main(["chat", "--index", str(folder)]) == 0
    assert {"threads.db", "evidence", "milvus.db"} <= {place.name for place in folder.iterdir()}
    assert public(folder) == []
    assert public(folder.parent) == []


@has_modes
def test_while_it_is_written_the_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with open_index(folder) as index:
        index.add(write_pdf(tmp_path / "a.pdf", [FERRY]))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@has_modes
def test_a_folder_with_other_things_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", [FERRY])
    tmp_path.chmod(0o755)
    before = state(tmp_path / "a.pdf")
    with open_index(tmp_path) as index:
        index.add(tmp_path / "a.pdf")
    assert state(tmp_path / "a.pdf") == before
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@has_modes
@pytest.mark.parametrize("mode", [0o400, 0o777])
def test_a_source_keeps_its_bytes_and_its_mode(tmp_path: Path, mode: int) -> None:
    source = write_pdf(tmp_path / "a.pdf", [FERRY])
    source.chmod(mode)
    before = state(source)
    with open_index(tmp_path / "index") as index:
        index.add(source)
        assert state(source) == before
        index.picture(index.page("a.pdf p. 1"), long_side=100)
        index.remove("a.pdf")
        index.add(source)
    assert state(source) == before


def write_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"%PDF-1.4 garbage")
        file.truncate()


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize("through_link", [False, True])
def test_no_writing_in_place_reaches_what_was_indexed(tmp_path: Path, through_link: bool) -> None:
    source = write_pdf(tmp_path / "a.pdf", [FERRY])
    given = source
    if through_link:
        given = tmp_path / "link"
        given.symlink_to(source)
    with open_index(tmp_path / "index") as index:
        index.add(given)
        (kept,) = (index.path / "documents").iterdir()
        assert not kept.is_symlink()
        assert not kept.samefile(source)
        ref = index.page(f"{given.name} p. 1")
        before = index.picture(ref, long_side=200).tobytes()
        for change in (append, write_in_place, lambda path: os.truncate(path, 0), Path.unlink):
            change(source)
            assert index.picture(ref, long_side=200).tobytes() == before


def test_a_damaged_copy_is_made_again_from_the_source(tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "a.pdf", [FERRY])
    with open_index(tmp_path / "index") as index:
        index.add(source)
        (kept,) = (index.path / "documents").iterdir()
        whole = kept.read_bytes()
        status = kept.stat()
        kept.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))  # a flipped bit leaves no trace in the times
        assert index.picture(index.page("a.pdf p. 1"), long_side=100)  # from the source, which is as it was
        index.add(source)
        assert kept.read_bytes() == whole
