"""An index on a server: any machine that reaches it can search, one at a time writes, and nobody gets in by chance."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_index import small_settings, write_pdf
from waiting import SOON

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import (
    EncoderMismatch,
    IndexInUse,
    IndexMissing,
    LoginRefused,
    PageIndexError,
    ServerUnreachable,
    SettingsError,
    UnreadableDocument,
)
from pagesight.indexing.milvus import centroid_search
from pagesight.indexing.milvus.connection import Connection, connect_server
from pagesight.indexing.storage.address import server_address

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]
LONG = [" ".join(f"w{row:02d}{number:02d}" for number in range(13)) for row in range(28)]


@contextmanager
def machine(address: str, folder: Path, **settings: object) -> Iterator[PageIndex]:
    """The index as a machine sees it that keeps its own files in a folder."""
    with PageIndex.open(address, settings=small_settings(index=folder, **settings)) as index:
        yield index


def test_another_machine_searches_what_one_has_indexed(address: str, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "ferries.pdf", [["Cover"], FERRY])
    with machine(address, tmp_path / "one") as index:
        index.add(source, metadata={"year": 2023})
        before = [hit.as_dict() for hit in index.search("ferry Aurora passengers")]
        vectors = index.multivector(index.page("ferries.pdf p. 2"))
    with machine(address, tmp_path / "two") as index:
        assert [hit.as_dict() for hit in index.search("ferry Aurora passengers")] == before
        assert index.documents()[0].metadata == {"year": 2023}
        np.testing.assert_array_equal(index.multivector(index.page("ferries.pdf p. 2")).vectors, vectors.vectors)
        assert not (tmp_path / "two").exists()  # nothing is needed here


def test_a_page_can_be_shown_where_its_document_is(address: str, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "ferries.pdf", [FERRY])
    with machine(address, tmp_path / "one") as index:
        index.add(source)
    with machine(address, tmp_path / "two") as index:
        page = index.page("ferries.pdf p. 1")
        assert max(index.picture(page, long_side=300).size) == 300  # the original is at the same path
        moved = source.rename(tmp_path / "moved.pdf")
        with pytest.raises(UnreadableDocument, match=r"no copy of ferries\.pdf.*pagesight index PATH"):
            index.picture(page)
        assert index.add(moved).pages == 0
        moved.unlink()
        assert max(index.picture(page, long_side=300).size) == 300


def test_two_indexes_on_one_server_do_not_mix(address: str, tmp_path: Path) -> None:
    with machine(address, tmp_path / "k") as one, machine(f"{address}_more", tmp_path / "k") as two:
        one.add(write_pdf(tmp_path / "a.pdf", [FERRY]))
        two.add(write_pdf(tmp_path / "b.pdf", [[*FERRY, "again"]]))
        assert [hit.document for hit in one.search("ferry Aurora")] == ["a.pdf"]
        assert [hit.document for hit in two.search("ferry Aurora")] == ["b.pdf"]
        two.remove("b.pdf")
        assert [d.document for d in one.documents()] == ["a.pdf"]
        assert one.path != two.path


def test_another_encoder_or_layout_is_refused(address: str, tmp_path: Path) -> None:
    with machine(address, tmp_path / "one", precision="int8"):
        pass
    with pytest.raises(EncoderMismatch, match=r"made with the encoder lexical.*--index OTHER"):
        PageIndex.open(address, encoder="vidore/colqwen2-v1.0", settings=small_settings())
    with (
        machine(address, tmp_path / "two", precision="float16") as index,
        pytest.raises(PageIndexError, match="--precision int8, not float16"),
    ):
        index.add(write_pdf(tmp_path / "a.pdf", [FERRY]))


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_vectors_come_back_as_from_files(address: str, tmp_path: Path, precision: str) -> None:
    source = write_pdf(tmp_path / "long.pdf", [LONG, [], FERRY, LONG])  # 364 words take several rows
    settings = small_settings(precision=precision)
    with (
        PageIndex.open(address, settings=settings) as rows,
        PageIndex.open(tmp_path / "files", settings=settings) as files,
    ):
        rows.add(source)
        files.add(source)
        for page in rows.pages():
            one, other = (index.multivector(index.page(f"long.pdf p. {page.page}")) for index in (rows, files))
            np.testing.assert_array_equal(one.vectors, other.vectors)
            np.testing.assert_array_equal(one.boxes, other.boxes)
        assert len(rows.multivector(rows.page("long.pdf p. 1")).vectors) == 364
        question = "w0503"
        assert rows.search(question)[0].label == files.search(question)[0].label


def test_candidates_over_a_server_find_the_page(address: str, tmp_path: Path) -> None:
    pages = [[f"keyword{number:04d} stands here"] for number in range(40)]
    with PageIndex.open(address, settings=small_settings(candidates=8)) as index:
        index.add(write_pdf(tmp_path / "long.pdf", pages))
        assert [index.search(f"keyword{n:04d}", top_k=1)[0].page for n in (0, 17, 39)] == [1, 18, 40]


def test_opening_what_is_not_there(address: str, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="pagesight index"):
        PageIndex.open(address, settings=small_settings(), create=False)


WRITE = """
import sys
from pagesight.indexing import PageIndex, load_settings
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False, index=sys.argv[2])) as index:
    def pause(progress):
        print(progress.done_pages, flush=True)
        sys.stdin.readline()
    index.add(sys.argv[3:], progress=pause)
print("done", flush=True)
"""


@contextmanager
def writer(address: str, *paths: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of another machine that adds documents, and waits for a line after each batch."""
    command = [sys.executable, "-c", WRITE, address, str(paths[0].parent / "other machine"), *map(str, paths)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def seen(index: PageIndex, *names: str) -> bool:
    """Whether the index has these documents, soon."""
    end = time.monotonic() + 15
    while [d.document for d in index.documents()] != list(names) and time.monotonic() < end:
        time.sleep(0.05)
    return [d.document for d in index.documents()] == list(names)


@pytest.mark.slow
def test_one_machine_writes_while_others_search_and_see_what_it_wrote(address: str, tmp_path: Path) -> None:
    first = write_pdf(tmp_path / "first.pdf", [FERRY])
    with machine(address, tmp_path / "here") as index:
        with writer(address, first, write_pdf(tmp_path / "second.pdf", [[f"pump {n}"] for n in range(12)])) as other:
            assert line(other) == "1"
            assert seen(index, "first.pdf")
            assert index.search("ferry Aurora")[0].document == "first.pdf"
            with pytest.raises(IndexInUse, match=f"process {other.pid} .*is writing.*{address}"):
                index.add(write_pdf(tmp_path / "mine.pdf", [PUMP]))
            with pytest.raises(IndexInUse, match="is writing"):
                index.remove("first.pdf")
            print(file=other.stdin, flush=True)
            assert line(other) == "9"
            assert [d.document for d in index.documents()] == ["first.pdf"]  # whole documents only
            print("\n", file=other.stdin, flush=True)
            assert line(other) == "13"
            assert line(other) == "done"
        assert seen(index, "first.pdf", "second.pdf")
        report = index.add(write_pdf(tmp_path / "mine.pdf", [PUMP]))
        assert [d.document for d in report.added] == ["mine.pdf"]
        ordinals = {page.document: page.ordinal for page in index.pages()}
        assert len(set(ordinals.values())) == 3


@pytest.mark.slow
def test_a_writer_that_was_killed_is_taken_over(address: str, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "long.pdf", [[f"keyword{n:04d}"] for n in range(40)])
    with writer(address, source) as other:
        assert line(other) == "8"
        other.kill()
    with machine(address, tmp_path / "here") as index:
        assert index.documents() == []
        report = index.add(source)
        assert 0 < report.pages <= 32
        assert [index.search(f"keyword{n:04d}", top_k=1)[0].page for n in (3, 39)] == [4, 40]


def test_reading_more_rows_than_one_message_has(milvus: str) -> None:
    address = server_address(milvus)
    assert address
    with PageIndex.open(milvus, settings=small_settings()):
        connection = connect_server(address, small_settings())
        keys = {f"row:{number:05d}" for number in range(5000)}
        connection.upsert("state", [{"key": key, "value": "1", "no_vector": [0.0, 0.0]} for key in keys])
        rows = list(connection.rows("state", 'key like "row:%"', ["key"], at_once=1000, strong=True))
        assert len(rows) == len(keys)
        assert {row["key"] for row in rows} == keys
        connection.close()


def test_all_commands_take_an_address(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pdf(tmp_path / "ferries.pdf", [["Cover"], FERRY])
    assert main(["index", str(tmp_path / "ferries.pdf"), "--index", address]) == 0
    capsys.readouterr()
    assert main(["search", "ferry Aurora", "--top-k=1", "--json", "--index", address]) == 0
    assert json.loads(capsys.readouterr().out)[0]["label"] == "ferries.pdf p. 2"
    assert main(["ask", "How many passengers does the Aurora carry?", "--model=offline", "--index", address]) == 0
    assert "1200 passengers" in capsys.readouterr().out
    assert main(["view", "ferries.pdf p. 2", "--out", "page.png", "--index", address]) == 0
    assert main(["documents", "--index", address]) == 0
    assert "ferries.pdf" in capsys.readouterr().out
    assert main(["doctor", "--index", address]) == 0
    assert f"{address}: 1 document, 2 pages" in capsys.readouterr().out
    assert main(["remove", "ferries.pdf", "--index", address]) == 0
    assert main(["search", "ferry", "--json", "--index", address]) == 0
    assert capsys.readouterr().out.endswith("[]\n")


@pytest.mark.slow
def test_a_chat_on_a_machine_that_keeps_nothing_yet(address: str, tmp_path: Path) -> None:
    with machine(address, tmp_path / "elsewhere") as index:
        index.add(write_pdf(tmp_path / "ferries.pdf", [["Cover"], FERRY]))
    command = [sys.executable, "-m", "pagesight.agent.cli", "chat", "--index", address]
    asked = "How many passengers does the ferry Aurora carry?\n/quit\n"
    said = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120)
    assert (said.returncode, "ferries.pdf p. 2" in said.stdout + said.stderr) == (0, True), said


def test_the_address_can_be_a_setting(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGESIGHT_INDEX", address)
    assert main(["index", str(write_pdf(tmp_path / "a.pdf", [FERRY]))]) == 0
    assert main(["doctor"]) == 0
    assert f"{address}: 1 document, 1 page" in capsys.readouterr().out


def test_a_refused_login(milvus: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PAGESIGHT_MILVUS_TOKEN", "root:wrong-secret")
    started = time.monotonic()
    with pytest.raises(LoginRefused, match="PAGESIGHT_MILVUS_TOKEN") as refused:
        PageIndex.open(milvus, settings=small_settings())
    assert main(["doctor", "--index", milvus]) == 1
    assert time.monotonic() - started < SOON
    assert "wrong-secret" not in f"{refused.value} {capsys.readouterr()}"


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed, socket.socket() as silent:
        closed.bind(("127.0.0.1", 0))
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (closed.getsockname()[1], silent.getsockname()[1]):
            started = time.monotonic()
            with pytest.raises(ServerUnreachable, match=f"127.0.0.1:{port}/pagesight cannot be reached.*server runs"):
                PageIndex.open(f"http://127.0.0.1:{port}", settings=small_settings())
            assert time.monotonic() - started < SOON
        assert main(["documents", "--index", f"http://root:my-secret@127.0.0.1:{closed.getsockname()[1]}/x"]) == 1
        assert "cannot be reached" in (said := capsys.readouterr().err)
        assert "my-secret" not in said


@pytest.mark.parametrize(
    "address", ["http://", "http:/host", "https://host/a-b", "http://host:port/x", "http://host/a/b"]
)
def test_an_address_that_leads_nowhere(address: str) -> None:
    with pytest.raises(SettingsError, match=r"no address of an index.*http://HOST:PORT/NAME"):
        PageIndex.open(address, settings=small_settings())


def test_a_certificate_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="PAGESIGHT_MILVUS_CERTIFICATE"):
        PageIndex.open("https://127.0.0.1:1", settings=small_settings(milvus_certificate="none.pem"))


# ---- many users


def test_documents_added_together_are_asked_for_as_a_range(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A condition that a tenant's documents meet takes a line, however many they are; what is found is the same."""
    asked: list[str] = []
    search = Connection.search

    def recorded(self: Connection, kind: str, **options: Any) -> list[Any]:
        asked.append(options["filter"])
        return search(self, kind, **options)

    monkeypatch.setattr(Connection, "search", recorded)
    settings = {"candidates": 3, "exhaustive_below": 1, "hits_per_vector": 10}
    with machine(address, tmp_path / "one", **settings) as index:
        for tenant in ("north", "south", "north"):
            names = [f"{tenant}-{len(index.documents())}-{number}.pdf" for number in range(6)]
            files = [write_pdf(tmp_path / name, [[f"The ferry {name} is blue."]]) for name in names]
            assert not index.add(files, metadata={"tenant": tenant}).failed
        conditions = ['tenant == "north"', 'tenant == "south"', "not tenant", 'tenant in ("north", "south")']
        by_ranges = [[hit.as_dict() for hit in index.search("blue ferry", where=one)] for one in conditions]
        monkeypatch.setattr(centroid_search, "_IDS_A_RANGE", 1_000)
        by_ids = [[hit.as_dict() for hit in index.search("blue ferry", where=one)] for one in conditions]
        assert by_ranges == by_ids
        assert [len(hits) > 0 for hits in by_ids] == [True, True, False, True]
        assert all(hit["document"].startswith("south") for hit in by_ids[1])
        ranges, ids = asked[: len(asked) // 2], asked[len(asked) // 2 :]
        assert [one.count("id >=") for one in ranges] == [2, 1, 1]
        assert all("document_id in" in one for one in ids)
        scattered = [record.document for record in index.documents()][::5]
        index.search("blue ferry", documents=scattered)
        assert "document_id in" in asked[-1]
