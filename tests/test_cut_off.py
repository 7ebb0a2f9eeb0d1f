"""Work on an index that ends between any two of its steps on the disk: nothing is lost, the next run completes it."""

from __future__ import annotations

import os
import shutil
import tarfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from small_index import FERRY, PUMP, open_index, small_settings, write_pdf
from victims import steps_done

from pagesight.indexing import prepare
from pagesight.indexing.errors import IndexWarning, PageIndexError
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.milvus.connection import Connection


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of ferry.pdf, and pump.pdf, which is not in it yet."""
    folder = tmp_path_factory.mktemp("made")
    with open_index(folder / "index") as index:
        index.add(write_pdf(folder / "ferry.pdf", [FERRY]))
    write_pdf(folder / "pump.pdf", [PUMP, ["Second page"]])
    return folder


def every_cut(
    made: Path,
    tmp_path: Path,
    work: str,
    argument: str,
    check: Callable[[Path], None],
    stride: int,
    *,
    power: bool = False,
    first: int = 0,
) -> int:
    """Cuts the work off before its steps, on a copy of the index each; returns how many steps there are.

    Of so many steps in a row one is taken, since each costs two seconds. With ``power`` what was not synced is lost.
    """
    at = first
    while True:
        folder = tmp_path / str(at)
        shutil.copytree(made / "index", folder)
        done = steps_done(folder, work, argument, at, power=power)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(folder)
        shutil.rmtree(folder)
        if done is not None:
            return done
        at += stride


@pytest.mark.slow
def test_adding_is_cut_off_before_any_step(made: Path, tmp_path: Path) -> None:
    def check(folder: Path) -> None:
        with open_index(folder) as index:
            names = [record.document for record in index.documents()]
            assert names in (["ferry.pdf"], ["ferry.pdf", "pump.pdf"])
            assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"
            index.add(made / "pump.pdf")
            assert index.search("pump Boreas kilowatts")[0].label == "pump.pdf p. 1"
        assert verify(str(folder), small_settings()).damage == []

    assert every_cut(made, tmp_path, "add", str(made / "pump.pdf"), check, 3) > 15


@pytest.mark.slow
@pytest.mark.parametrize("power", [False, True], ids=["killed", "no power"])
def test_taking_in_shards_is_cut_off_before_any_step(made: Path, tmp_path: Path, power: bool) -> None:
    assert not prepare(made / "pump.pdf", tmp_path / "shards", settings=small_settings()).failed

    def committed(folder: Path) -> None:
        with open_index(folder) as index:
            assert not index.commit(tmp_path / "shards").failed
            assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
            assert [page.key for page in index.pages()] == list(dict.fromkeys(page.key for page in index.pages()))
            assert index.search("pump Boreas kilowatts")[0].label == "pump.pdf p. 1"
            assert index.commit(tmp_path / "shards").pages == 0

    def check(folder: Path) -> None:
        repaired(folder, partial(committed, folder))
        found = verify(str(folder), small_settings())
        assert (found.damage, found.documents, found.pages) == ([], 2, 3)

    assert every_cut(made, tmp_path, "commit", str(tmp_path / "shards"), check, 5, power=power, first=int(power)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("power", [False, True], ids=["killed", "no power"])
def test_making_shards_is_cut_off_before_any_step(made: Path, tmp_path: Path, power: bool) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    write_pdf(sources / "pump.pdf", [PUMP, ["Second page"]])
    write_pdf(sources / "ferry.pdf", [FERRY])
    (tmp_path / "empty" / "index").mkdir(parents=True)

    def check(folder: Path) -> None:
        there = sorted(folder.glob("*.parquet"))
        report = prepare(sources, folder, settings=small_settings())
        assert (len(report.unchanged), report.failed) == (len(there), [])
        with open_index(folder.with_name("taken in")) as index:
            assert len(index.commit(folder).added) == 2
            assert sorted(record.document for record in index.documents()) == ["ferry.pdf", "pump.pdf"]
            assert len(index.pages()) == 3
        shutil.rmtree(folder.with_name("taken in"))

    steps = every_cut(tmp_path / "empty", tmp_path, "prepare", str(sources), check, 3, power=power, first=int(power))
    assert steps > 5


@pytest.mark.slow
def test_removing_is_cut_off_before_any_step(made: Path, tmp_path: Path) -> None:
    def check(folder: Path) -> None:
        with open_index(folder) as index:
            if index.documents():
                assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"
                index.remove("ferry.pdf")
            index.add(made / "pump.pdf")
            assert [record.document for record in index.documents()] == ["pump.pdf"]
        assert verify(str(folder), small_settings()).damage == []

    assert every_cut(made, tmp_path, "remove", "ferry.pdf", check, 3) > 5


@pytest.mark.slow
def test_restoring_is_cut_off_before_any_step(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "removed")
    with open_index(tmp_path / "removed" / "index") as index:
        index.remove("ferry.pdf")

    def check(folder: Path) -> None:
        with open_index(folder) as index:
            index.add(made / "pump.pdf")  # which takes in what lacks rows only
            if "ferry.pdf" not in [record.document for record in index.documents()]:
                assert [record.document for record in index.restore("ferry.pdf")] == ["ferry.pdf"]
            assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"
            assert index.picture(index.page("ferry.pdf p. 1"), long_side=50)
        assert verify(str(folder), small_settings()).damage == []

    assert every_cut(tmp_path / "removed", tmp_path, "restore", "ferry.pdf", check, 4) > 5


@pytest.mark.slow
def test_the_upgrade_from_format_3_is_cut_off_before_any_step(made: Path, tmp_path: Path) -> None:
    archive = Path(__file__).parent / "fixtures" / "format-3" / "words.tar.gz"
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "old", filter="data")

    def check(folder: Path) -> None:
        with open_index(folder) as index:
            assert len(index.documents()) >= 2
            assert index.search("auxiliary figures 10", top_k=1)[0].label == "report.pdf p. 10"
            index.add(made / "pump.pdf")
            assert index.search("auxiliary figures 10", top_k=1)[0].label == "report.pdf p. 10"
        found = verify(str(folder), small_settings())
        assert (found.damage, found.documents, found.pages) == ([], 3, 13)
        assert '"format": 4' in (folder / "index.json").read_text()

    assert every_cut(tmp_path / "old", tmp_path, "add", str(made / "pump.pdf"), check, 7) > 20


def repaired(folder: Path, work: Callable[[], object]) -> None:
    """Does the work; where a file is named that is damaged, once more after `repair`."""
    told = ""
    try:
        work()
    except PageIndexError as error:
        told = str(error)
    if told:
        assert "pagesight repair" in told
        assert repair(str(folder), small_settings()).left == []
        work()


def after_power_loss(folder: Path, pump: Path) -> None:
    """What was committed is whole or named, and all is right once the work is done again."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with open_index(folder) as index:
                found = [hit.label for hit in index.search("ferry Aurora passengers", top_k=1)]
                names = [record.document for record in index.documents()]
        except PageIndexError as error:
            texts, found, names = [str(error)], [], []
        texts += [str(warning.message) for warning in caught if issubclass(warning.category, IndexWarning)]
    whole = found == ["ferry.pdf p. 1"] and "ferry.pdf" in names
    assert whole or any("repair" in text or "damaged" in text for text in texts), (found, names, texts)

    def completed() -> None:
        with open_index(folder) as index:
            index.add(pump)
            assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
            for question, label in (("ferry Aurora", "ferry.pdf p. 1"), ("pump Boreas", "pump.pdf p. 1")):
                assert index.search(question)[0].label == label
                assert index.picture(index.page(label), long_side=50)

    repaired(folder, completed)
    assert verify(str(folder), small_settings()).damage == []


@pytest.mark.slow
@pytest.mark.parametrize("first", [1, 4])
def test_power_is_lost_while_adding_before_any_step(made: Path, tmp_path: Path, first: int) -> None:
    def check(folder: Path) -> None:
        after_power_loss(folder, made / "pump.pdf")

    assert every_cut(made, tmp_path, "add", str(made / "pump.pdf"), check, 6, power=True, first=first) > 15


@pytest.mark.slow
def test_power_is_lost_while_removing_before_any_step(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "both")
    with open_index(tmp_path / "both" / "index") as index:
        index.add(made / "pump.pdf")

    def check(folder: Path) -> None:
        after_power_loss(folder, made / "pump.pdf")

    assert every_cut(tmp_path / "both", tmp_path, "remove", "pump.pdf", check, 5, power=True) > 5


def test_what_must_be_on_the_disk_before_what(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is synced, and its name, before a row of Milvus says that it is there; the record comes last."""
    shutil.copytree(made / "index", tmp_path / "index")
    steps: list[tuple[str, str]] = []
    fsync, replace, upsert = os.fsync, os.replace, Connection.upsert

    def synced(file: int) -> None:
        steps.append(("sync", str(Path(f"/proc/self/fd/{file}").resolve())))
        fsync(file)

    def renamed(source: str, target: str, **options: object) -> None:
        steps.append(("rename", str(target)))
        replace(source, target)

    def written(self: Connection, kind: str, rows: list[dict[str, object]]) -> None:
        steps.append(("rows", kind))
        upsert(self, kind, rows)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    monkeypatch.setattr(Connection, "upsert", written)
    with open_index(tmp_path / "index") as index:
        index.add(made / "pump.pdf")
        known = index.document("pump.pdf").document_id
        place = index.path
    row = steps.index(("rows", "pages"))
    before = [place / "documents" / f"{known}.pdf", place / "multivectors" / known / "000001.npy"]
    before.append(place / "pages" / known / "000001.json")
    for file in before:
        order = [("sync", f"{file}.part"), ("rename", str(file)), ("sync", str(file.parent))]
        at = [steps.index(step) for step in order]
        assert at == sorted(at)
        assert at[-1] < row, f"a row is written before {file} is on the disk"
    assert steps.index(("rows", "candidates")) < row
    assert steps.index(("rename", str(place / "pages" / known / "document.json"))) > row
