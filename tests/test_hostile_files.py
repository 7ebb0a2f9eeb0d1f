"""Some 130 hostile files in one folder: the run goes on to its end, and says what came of each (hostile_files.py)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hostile_files import MEANWHILE, write_all
from small_index import small_settings, write_pdf
from test_other_kinds import listening

from pagesight.indexing import AddReport, PageIndex, Progress

FERRY = ["The ferry Aurora carries 1200 passengers."]


def named(report: AddReport, index: PageIndex) -> set[str]:
    """The names of the files of which the report or the index says something."""
    told = [*(one.path for one in report.failed), *(one.path for one in report.passed_over)]
    told += [Path(record.path) for record in index.documents()]
    return {path.name for path in told}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names, and have no such files")
def test_a_folder_of_hostile_files_is_gone_through_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    write_pdf(folder / "zzz-good.pdf", [FERRY])
    settings = small_settings(page_seconds=5, conversion_seconds=60, reader_memory=700, file_megabytes=100)
    with listening() as (address, asked):
        names = write_all(folder, address)
        with PageIndex.open(tmp_path / "index", settings=settings) as index:
            report = index.add(folder)
            assert index.search("ferry Aurora passengers")[0].label == "zzz-good.pdf p. 1"
            said = named(report, index)
            texts = {
                record.document: "\n".join(index.text(page) for page in record.page_refs)
                for record in index.documents()
            }
    assert asked == []
    assert len(names) > 120
    # two files of the same bytes are one document, and a folder is none by itself
    silent = {name for name in names if name not in said} - {"folder.pdf"}
    same = {name for name in silent if _has_a_twin(folder / name, names)}
    assert silent - same == set()
    assert "pelicans" in texts["owner.pdf"]
    assert {"two\nlines.pdf", "n" * 250 + ".pdf"} <= texts.keys()
    assert all("write_photo" not in text for text in texts.values())  # what stands in a file that some of them name
    assert json.dumps(report.as_dict()).encode()
    failed = {failure.path.name: str(failure.error) for failure in report.failed}
    assert {"waits.pdf", "socket.pdf", "endless.png", "nowhere.docx", "vast-holes.pdf", "vast.png"} <= failed.keys()
    assert all(len(reason) < 1_000 for reason in failed.values())


def _has_a_twin(path: Path, names: list[str]) -> bool:
    others = [path.with_name(name) for name in names if name != path.name]
    return path.is_file() and any(
        one.is_file() and one.stat().st_size == path.stat().st_size and one.read_bytes() == path.read_bytes()
        for one in others
    )


def test_files_that_change_while_others_are_read_are_named_or_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    write_pdf(folder / "a.pdf", [FERRY] * 9)  # two batches: the first is written while the others wait
    for name in MEANWHILE:
        write_pdf(folder / name, [[f"The words of {name} at first"]])
    done: list[str] = []

    def change(progress: Progress) -> None:
        if not done:
            done.append(progress.document)
            for name, harm in MEANWHILE.items():
                harm(folder / name)

    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        report = index.add(folder, progress=change)
        failed = {failure.path.name for failure in report.failed}
        there = {record.document: index.text(record.page_refs[0]) for record in index.documents()}
    assert failed | there.keys() == {"a.pdf", *MEANWHILE}
    assert {name: text for name, text in there.items() if name in MEANWHILE} == {
        name: f"The words of {name} at first" for name in there.keys() & MEANWHILE.keys()
    }
