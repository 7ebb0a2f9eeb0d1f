"""In which order pages are written and removed, and how a file is written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.milvus.connection import Connection
from pagesight.indexing.pages import page_key
from pagesight.indexing.storage.atomic_files import (
    make_private,
    on_the_disk,
    private_folder,
    replacing,
    write_atomically,
)
from pagesight.indexing.storage.checked_json import read_checked
from pagesight.indexing.vectors.quantization import StoredVectors, page_checksum

PAGES = [["Fleet of ferries", "The ferry Aurora carries 1200 passengers."], ["Annex"], *([[str(n)] for n in range(7)])]
Steps = list[tuple[str, str]]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """What is synced, renamed and removed on the disk, and written to Milvus and deleted from it, in order."""
    done: Steps = []
    kept: dict[str, Any] = {name: getattr(os, name) for name in ("fsync", "replace", "rename", "unlink")}

    def fsync(file: int) -> None:
        done.append(("sync", str(Path(f"/proc/self/fd/{file}").resolve())))
        kept["fsync"](file)

    def moved(name: str) -> Any:
        def move(source: Any, target: Any, **options: Any) -> None:
            done.append(("rename", str(target)))
            kept[name](source, target, **options)

        return move

    def unlink(path: Any, **options: Any) -> None:
        done.append(("unlink", str(path)))
        kept["unlink"](path, **options)

    for name, step in {
        "fsync": fsync,
        "replace": moved("replace"),
        "rename": moved("rename"),
        "unlink": unlink,
    }.items():
        monkeypatch.setattr(os, name, step)
    for method, name in (("upsert", "write"), ("delete", "delete")):
        own = getattr(Connection, method)

        def noted(self: Connection, kind: str, what: Any, own: Any = own, name: str = name) -> None:
            done.append((name, kind))
            own(self, kind, what)

        monkeypatch.setattr(Connection, method, noted)
    return done


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PageIndex]:
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as opened:
        opened.add(write_pdf(tmp_path / "ferry.pdf", PAGES))
        yield opened


def test_a_document_is_removed_rows_first_and_its_pages_last(index: PageIndex, steps: Steps) -> None:
    known = index.document("ferry.pdf").document_id
    place = index.path / "removed" / known
    index.remove("ferry.pdf")
    assert not (index.path / "pages" / known).exists()
    assert not (index.path / "multivectors" / known).exists()
    assert not (index.path / "documents" / f"{known}.pdf").exists()
    order = [
        ("sync", str(place / "document.json.part")),
        ("rename", str(place / "document.json")),
        ("sync", str(place)),
        ("unlink", str(index.path / "pages" / known / "document.json")),
        ("delete", "pages"),
        ("delete", "candidates"),
        ("rename", str(place / "multivectors")),
        ("rename", str(place / f"{known}.pdf")),
        ("rename", str(place / "pages")),
    ]
    at = [steps.index(step) for step in order]
    assert at == sorted(at)
    assert ("sync", str(place)) in steps[at[-1] :]


def test_a_replaced_version_goes_once_the_new_one_is_in(index: PageIndex, steps: Steps, tmp_path: Path) -> None:
    old = index.document("ferry.pdf").document_id
    index.add(write_pdf(tmp_path / "ferry.pdf", [["Another ferry"]]))
    (record,) = index.documents()
    written = steps.index(("rename", str(index.path / "pages" / record.document_id / "document.json")))
    assert steps.index(("unlink", str(index.path / "pages" / old / "document.json"))) > written
    for folder in ("pages", "multivectors"):
        assert [path.name for path in (index.path / folder).iterdir()] == [record.document_id]
    assert [path.name for path in (index.path / "documents").iterdir()] == [f"{record.document_id}.pdf"]
    assert index.removed() == []  # nobody asked for it to go: there is nothing to restore


def test_a_record_comes_after_the_last_batch_and_says_what_there_is(tmp_path: Path, steps: Steps) -> None:
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        index.add(write_pdf(tmp_path / "ferry.pdf", PAGES))
        (record,) = index.documents()
        rows = [at for at, step in enumerate(steps) if step == ("write", "pages")]
        files = index.path / "pages" / record.document_id
        written = [
            steps.index(("rename", str(files / name))) for name in ("000001.json", "000009.json", "document.json")
        ]
        assert len(rows) == 2
        assert written[0] < rows[0] < written[1] < rows[1] < written[2]
        kept = read_checked(files / "document.json")
        pages = [page for name in ("000001.json", "000009.json") for page in read_checked(files / name)["pages"]]
        assert kept["page_count"] == len(pages) == len(PAGES)
        assert kept["candidates"] == sum(page["candidates"] for page in pages) > 0
        assert [page["page"] for page in pages] == [*range(1, 10)]
        assert [page["batch"] for page in pages] == [1] * 8 + [9]
        assert pages[0]["text"].splitlines() == PAGES[0]
        assert "aurora" in pages[0]["terms"].split()
        for page, ref in zip(pages, record.page_refs, strict=True):
            found = index.multivector(ref)
            assert page["vectors"] == len(found.vectors)
            stored = StoredVectors(found.vectors.astype(np.float16), found.boxes, None)
            assert page["checksum"] == page_checksum(page_key(record.document_id, ref.page), stored)


def test_what_was_cut_off_is_cleared_away_and_what_has_rows_stays(index: PageIndex, tmp_path: Path) -> None:
    known, other = index.document("ferry.pdf").document_id, "0123456789abcdef"
    (index.path / "pages" / known / "document.json").unlink()  # as before a document's record is written
    for folder, name in (("pages", "000001.json"), ("multivectors", "000001.npy")):
        (index.path / folder / other).mkdir()
        (index.path / folder / other / name).write_text("{}")
    (index.path / "documents" / f"{other}.pdf").write_text("x")
    index.add(write_pdf(tmp_path / "pump.pdf", [["Heat pumps"]]))
    assert list(index.path.rglob(f"{other}*")) == []
    assert (index.path / "pages" / known / "document.json").is_file()
    assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
    assert index.picture(index.page("ferry.pdf p. 9"), long_side=20)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "file"
    write_atomically(path, "ü")
    assert path.read_bytes() == "ü".encode()
    write_atomically(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)

    def spoil() -> None:
        with replacing(path) as unfinished:
            assert mode(unfinished) == 0o600
            unfinished.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spoil()
    assert path.read_bytes() == b"\xff"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "file.part").write_text("left")
    (tmp_path / "file.part").chmod(0o644)
    write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert mode(tmp_path / "file") == 0o600


def test_what_is_durable_is_synced_before_and_after_it_gets_its_name(tmp_path: Path, steps: Steps) -> None:
    write_atomically(tmp_path / "file", "1", durable=True)
    assert [step for step in steps if step[0] != "unlink"] == [
        ("sync", str(tmp_path / "file.part")),
        ("rename", str(tmp_path / "file")),
        ("sync", str(tmp_path)),
    ]
    steps.clear()
    write_atomically(tmp_path / "file", "2")
    assert [step for step in steps if step[0] != "unlink"] == [("rename", str(tmp_path / "file"))]


def test_folders_that_are_there_keep_their_modes(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path / "a" / "b")
    private_folder(tmp_path / "a" / "b")
    assert [mode(path) for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")] == [0o755, 0o700, 0o700]


def test_what_others_may_read_is_closed_to_them_and_never_through_a_link(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, inside / "deep", outside):
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "file").write_text("x")
        (folder / "file").chmod(0o644)
    for link, target in (("file-link", outside / "file"), ("folder-link", outside), ("broken", outside / "none")):
        (inside / link).symlink_to(target)
    (inside / "deep" / "closed").write_text("x")
    (inside / "deep" / "closed").chmod(0o400)
    make_private(inside)
    make_private(inside / "folder-link")
    make_private(inside / "none")
    assert [mode(path) for path in (inside, inside / "deep")] == [0o700] * 2
    assert [mode(path) for path in (inside / "file", inside / "deep" / "file")] == [0o600] * 2
    assert mode(inside / "deep" / "closed") == 0o600
    assert (mode(outside), mode(outside / "file")) == (0o755, 0o644)


def test_a_file_system_without_folders_that_can_be_synced_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    for number, raised in ((errno.EINVAL, False), (errno.EBADF, False), (errno.EIO, True), (errno.ENOSPC, True)):
        opened = []

        def fails(file: int, number: int = number, opened: list[int] = opened) -> None:
            opened.append(file)
            raise OSError(number, "so")

        monkeypatch.setattr(os, "fsync", fails)
        if raised:
            with pytest.raises(OSError, match="so"):
                on_the_disk(tmp_path)
        else:
            on_the_disk(tmp_path)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(opened[0])
