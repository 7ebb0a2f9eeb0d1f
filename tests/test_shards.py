"""Shards: documents read and encoded without an index, and taken into one, as `add` would have taken them in."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoder_servers import EncoderServer
from small_index import FERRY, PUMP, open_index, small_settings, write_pdf
from typer.testing import CliRunner
from victims import context as victims

from pagesight.agent import cli
from pagesight.indexing import EncoderMismatch, PageIndex, Settings, prepare
from pagesight.indexing.integrity.verify import verify

BUOYS = [[f"Buoy {number}", f"The buoy {number} lies in the bay."] for number in range(1, 20)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three documents, one of them of text, and their shards."""
    folder = tmp_path_factory.mktemp("made")
    sources = folder / "sources"
    sources.mkdir()
    write_pdf(sources / "ferry.pdf", [FERRY])
    write_pdf(sources / "buoys.pdf", BUOYS)
    (sources / "note.txt").write_text("The lighthouse is 45 metres high.")
    (sources / "ferry.pdf.meta.json").write_text(json.dumps({"year": 2023}))
    report = prepare(sources, folder / "shards", settings=small_settings())
    assert not report.failed
    assert len(report.added) == 3
    return folder


@pytest.fixture
def shards(made: Path, tmp_path: Path) -> Path:
    """A copy of the shards, to be spoiled."""
    return Path(shutil.copytree(made / "shards", tmp_path / "shards"))


def shard_of(folder: Path, name: str) -> Path:
    return next(path for path in folder.iterdir() if header(path)["path"].endswith(name))


def header(path: Path) -> dict:
    return dict(json.loads(pq.ParquetFile(path).metadata.metadata[b"pagesight"]))


def looked_at(index: PageIndex) -> dict[str, object]:
    """What an index has of its documents: names, metadata, texts, vectors and the answers."""
    refs = [ref for record in index.documents() for ref in record.page_refs]
    answers = [
        (hit.label, round(hit.score, 6))
        for asked in ("ferry Aurora", "buoy 17", "lighthouse")
        for hit in index.search(asked)
    ]
    return {
        "documents": [(one.document, one.path, one.metadata) for one in index.documents()],
        "texts": [index.text(ref) for ref in refs],
        "words": [index.words(ref).words for ref in refs],
        "vectors": [index.multivector(ref).vectors.tobytes() for ref in refs],
        "candidates": sorted((row.key, row.candidates, row.vectors, row.checksum) for row in index.pages()),
        "outlines": [index.outline(record.document) for record in index.documents()],
        "pictures": [index.picture(ref, long_side=30).tobytes() for ref in refs],
        "answers": answers,
    }


@pytest.mark.slow
def test_taken_in_they_are_what_add_makes_of_the_documents(made: Path, tmp_path: Path) -> None:
    with open_index(tmp_path / "a") as index:
        report = index.commit(made / "shards")
        assert (len(report.added), report.failed, report.pages) == (3, [], 21)
        again = index.commit(made / "shards")
        assert (len(again.unchanged), again.added, again.pages) == (3, [], 0)
        by_shards = looked_at(index)
    with open_index(tmp_path / "b") as index:
        index.add([Path(one[1]) for one in by_shards["documents"]])  # type: ignore[attr-defined]
        assert looked_at(index) == by_shards
    assert verify(str(tmp_path / "a"), small_settings()).damage == []


def test_a_shard_that_is_there_is_not_made_again_but_for_other_metadata(made: Path, shards: Path) -> None:
    before = {path: path.read_bytes() for path in shards.iterdir()}
    report = prepare(made / "sources", shards, settings=small_settings())
    assert (report.added, len(report.unchanged)) == ([], 3)
    assert {path: path.read_bytes() for path in shards.iterdir()} == before
    report = prepare(made / "sources", shards, settings=small_settings(), metadata={"kind": "memo"})
    assert (report.added, len(report.unchanged)) == ([], 3)
    assert header(shard_of(shards, "ferry.pdf"))["metadata"] == {"year": 2023, "kind": "memo"}


def test_parts_together_have_each_document_once(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    reports = [prepare(made / "sources", out, part=f"{n}/3", settings=small_settings()) for n in (1, 2, 3)]
    assert sorted(one.document for report in reports for one in report.added) == ["buoys.pdf", "ferry.pdf", "note.txt"]
    assert {path.name for path in out.iterdir()} == {path.name for path in (made / "shards").iterdir()}


def test_of_two_versions_of_a_file_the_one_seen_last_counts(made: Path, tmp_path: Path) -> None:
    source, shards = write_pdf(tmp_path / "pump.pdf", [PUMP]), tmp_path / "shards"
    prepare(source, shards, settings=small_settings())
    first = source.read_bytes()
    write_pdf(source, [["Heat pumps", "The pump Boreas was sold."]])
    prepare(source, shards, settings=small_settings())
    with open_index(tmp_path / "i") as index:
        for words in ("was sold", "12 kilowatts"):
            index.commit(shards)
            assert len(index.documents()) == 1
            assert words in index.text(index.documents()[0].page_refs[0])
            source.write_bytes(first)
            prepare(source, shards, settings=small_settings())


def test_documents_left_out_are_found_at_their_paths(made: Path, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "pump.pdf", [PUMP])
    prepare(source, tmp_path / "shards", settings=small_settings(), with_bytes=False)
    kept = source.rename(tmp_path / "elsewhere.pdf")
    with open_index(tmp_path / "i") as index:
        (failure,) = index.commit(tmp_path / "shards").failed
        assert "pump.pdf cannot be read" in str(failure.error)
        assert index.documents() == []
        kept.rename(source)
        assert [one.document for one in index.commit(tmp_path / "shards").added] == ["pump.pdf"]


def test_documents_left_out_are_fetched_from_their_object_store(tmp_path: Path, object_store: Any) -> None:
    content = write_pdf(tmp_path / "pump.pdf", [PUMP]).read_bytes()
    object_store.put_object(Bucket="archive", Key="in/pump.pdf", Body=content)
    prepare("s3://archive/in/", tmp_path / "shards", settings=small_settings(), with_bytes=False)
    object_store.put_object(Bucket="archive", Key="in/pump.pdf", Body=b"%PDF-another")
    with open_index(tmp_path / "i") as index:
        (failure,) = index.commit(tmp_path / "shards").failed
        assert "is not the document that" in str(failure.error)
        object_store.put_object(Bucket="archive", Key="in/pump.pdf", Body=content)
        assert [one.path for one in index.commit(tmp_path / "shards").added] == ["s3://archive/in/pump.pdf"]
        assert index.picture(index.page("pump.pdf p. 1"), long_side=50)


def test_shards_of_another_encoder_or_layout_are_refused(made: Path, tmp_path: Path) -> None:
    settings = small_settings(precision="int8")
    with PageIndex.open(tmp_path / "i", settings=settings) as index:
        with pytest.raises(EncoderMismatch, match="precision"):
            index.commit(made / "shards")
        assert index.documents() == []


def rewritten(path: Path, change: Callable[[dict], object], /, **said: object) -> None:
    """Writes a shard anew with other rows or another header, as somebody may who knows how."""
    from pagesight.indexing.storage.checked_json import json_checksum

    file = pq.ParquetFile(path)
    rows, about = file.read().to_pylist(), header(path)
    for row in rows:
        change(row)
    about = {key: value for key, value in about.items() if key != "checksum"} | said
    table = pa.Table.from_pylist(rows, schema=file.schema_arrow.remove_metadata())
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"pagesight": json.dumps(about | {"checksum": json_checksum(about)})})


def of_pages(name: str, value: Callable[[Any], object]) -> Callable[[dict], object]:
    return lambda row: row.update({name: value(row[name])}) if row["part"] == "page" else None


def of_vectors(name: str, value: Callable[[Any], object]) -> Callable[[dict], object]:
    return of_pages("encoded", lambda several: [one | {name: value(one[name])} for one in several])


NOT_A_NUMBER = np.full(128, np.nan, np.float32).tobytes()
SPOILED: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "a byte changed": lambda path: path.write_bytes(path.read_bytes()[:3000] + b"?" + path.read_bytes()[3001:]),
    "empty": lambda path: path.write_bytes(b""),
    "no Parquet": lambda path: path.write_bytes(b"PAR1 and so on"),
    "another name": lambda path: path.rename(path.with_name(f"0123456789abcdef{path.name[16:]}")),
    "no number": lambda path: rewritten(path, of_vectors("centroids", lambda _: NOT_A_NUMBER)),
    "vectors of another size": lambda path: rewritten(path, of_vectors("vectors", lambda one: one[:-2])),
    "fewer vectors": lambda path: rewritten(path, of_vectors("vectors", lambda one: one[:-256])),
    "more words": lambda path: rewritten(path, of_pages("words", lambda one: [*one, "more"])),
    "no words": lambda path: rewritten(path, of_pages("words", lambda one: None)),
    "pages twice": lambda path: rewritten(path, of_pages("number", lambda one: 1)),
    "fewer pages": lambda path: rewritten(path, lambda row: None, page_count=20),
    "another document": lambda path: rewritten(path, lambda row: row.update(bytes=b"%PDF") if row["bytes"] else None),
    "an id that leads out": lambda path: rewritten(path, lambda row: None, document_id="../../../../victim"),
    "a path of null": lambda path: rewritten(path, lambda row: None, path="a\0b.pdf"),
    "vectors of another encoder": lambda path: rewritten(path, of_vectors("encoder", lambda one: "clip")),
    "vectors of an encoder twice": lambda path: rewritten(path, of_pages("encoded", lambda one: one * 2)),
    "no vectors": lambda path: rewritten(path, of_pages("encoded", lambda one: [])),
    "no encoder": lambda path: rewritten(path, lambda row: None, encoders={}),
    "more dimensions": lambda path: rewritten(
        path, lambda row: None, encoders={"lexical": {"name": "lexical", "dim": 64}}
    ),
    "deep header": lambda path: rewritten(path, lambda row: None, metadata=json.loads("[" * 400 + "]" * 400)),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_one_that_pagesight_did_not_write_so_is_refused_and_the_others_go_in(
    shards: Path, tmp_path: Path, spoiled: str
) -> None:
    SPOILED[spoiled](shard_of(shards, "buoys.pdf"))
    with open_index(tmp_path / "i") as index:
        report = index.commit(shards)
        assert sorted(one.document for one in report.added) == ["ferry.pdf", "note.txt"]
        assert len(report.failed) + len(report.passed_over) == 1
        assert all("rror" not in str(one.error) for one in report.failed)
        assert len(index.documents()) == 2
    assert not list(tmp_path.rglob("victim*"))
    assert verify(str(tmp_path / "i"), small_settings()).damage == []


def _prepared(out: Path, sources: Path, part: str) -> None:
    prepare(sources, out, part=part, settings=small_settings())


@pytest.mark.slow
def test_processes_at_once_make_each_shard_whole(made: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    arguments = (tmp_path / "shards", made / "sources", "1/1")
    both = [context.Process(target=_prepared, args=arguments) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    assert {path.name for path in (tmp_path / "shards").iterdir()} == {one.name for one in (made / "shards").iterdir()}
    with open_index(tmp_path / "i") as index:
        assert len(index.commit(tmp_path / "shards").added) == 3


@pytest.mark.slow
def test_on_the_command_line(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    done = run(cli.app, ["prepare", str(made / "sources" / "ferry.pdf"), "--out", "shards", "--json"])
    assert done.exit_code == 0, done.output
    assert [one["document"] for one in json.loads(done.stdout)["added"]] == ["ferry.pdf"]
    done = run(cli.app, ["prepare", str(made / "sources"), "--out", "shards"])
    assert "shards: 2 made, 1 there before" in done.output
    done = run(cli.app, ["commit", "shards", "--index", "i"])
    assert done.exit_code == 0, done.output
    assert "documents: 3 added" in done.output
    assert run(cli.app, ["prepare", ".", "--out", "shards", "--part", "4/3"]).exit_code != 0
    assert run(cli.app, ["commit", "nothing", "--index", "i"]).exit_code == 1


# ---- an encoder that is paid by the page


@pytest.mark.slow
def test_preparing_with_a_paid_encoder_asks_first_and_pays_once(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "sk-of-this-server")
    monkeypatch.setenv("PAGESIGHT_PRICES", '{"gemini-embedding-2": [1000, 0]}')  # 25.8 cents a page
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.chdir(tmp_path)
    with EncoderServer("gemini", key="sk-of-this-server") as server:

        def ran(*arguments: str) -> str:
            named = ["--encoder", f"gemini-embedding-2@{server.url}"]
            status = cli.main([*arguments, *named])
            told = capsys.readouterr()
            return f"{status} {told.out} {told.err}"

        preparing = ["prepare", str(made / "sources"), "--out", "shards"]
        said = ran(*preparing)
        assert said.startswith("1 ")
        assert "21 pages" in said
        assert "about $5.418" in said
        assert "--yes" in said
        assert server.pages <= 2  # those by which the model is told again
        assert list(Path("shards").glob("*.parquet")) == []
        assert "more than the limit of $3" in ran(*preparing, "--yes", "--dollars", "3")
        assert 2 < server.pages < 14
        assert ran(*preparing, "--yes", "--dollars", "6").startswith("0 ")
        paid = server.pages
        assert paid <= 21 + 2
        assert ran(*preparing).startswith("0 ")  # nothing is left to pay for
        assert ran("commit", "shards", "--index", "i").startswith("0 ")
        assert server.pages == paid
    spent = json.loads(Path("shards", "costs.jsonl").read_text().splitlines()[-1])
    assert (spent["kind"], spent["model"]) == ("index", "gemini-embedding-2")


@pytest.mark.slow
def test_another_server_of_the_same_model_makes_the_same_shards_and_one_of_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_pdf(tmp_path / "pump.pdf", [PUMP])

    def settings(server: EncoderServer) -> Settings:
        return small_settings(encoder=f"gemini-embedding-2@{server.url}", google_api_key="key")

    def on_a_machine(server: EncoderServer, name: str) -> Path:
        """What a machine prepares that has seen no server yet."""
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / name))
        assert not prepare(source, tmp_path / name / "shards", settings=settings(server)).failed
        return tmp_path / name / "shards"

    with EncoderServer("gemini", key="key") as one, EncoderServer("gemini", key="key", noise=0.01) as same:
        first, second = on_a_machine(one, "first"), on_a_machine(same, "second")
        assert [path.name for path in first.glob("*.parquet")] == [path.name for path in second.glob("*.parquet")]
        with PageIndex.open(tmp_path / "i", settings=settings(one)) as index:
            assert [record.document for record in index.commit(second).added] == ["pump.pdf"]
    with EncoderServer("gemini", key="key", seed=1) as other:
        third = on_a_machine(other, "third")
        with PageIndex.open(tmp_path / "j", settings=settings(other)) as index:
            (failure,) = index.commit(first).failed
            assert "was made by another server's gemini-embedding-2" in str(failure.error)
            assert index.commit(third).pages == 1


# ---- committers at once


def _committed(index: Path, shards: list[Path]) -> None:
    with open_index(index) as opened:
        assert not opened.commit(shards).failed


@pytest.mark.slow
def test_of_two_committers_one_waits(made: Path, tmp_path: Path) -> None:
    shards = sorted((made / "shards").iterdir())
    parts = (shards[:2], shards[1:])  # the second is in both
    every = [victims.Process(target=_committed, args=(tmp_path / "i", part)) for part in parts]
    for one in every:
        one.start()
    for one in every:
        one.join()
    assert [one.exitcode for one in every] == [0, 0]
    with open_index(tmp_path / "i") as index:
        assert sorted(record.pages for record in index.documents()) == [1, 1, 19]
    found = verify(str(tmp_path / "i"), small_settings())
    assert (found.damage, found.documents, found.pages) == ([], 3, 21)
