"""`pagesight serve`: several processes of a machine have one index open; nothing else changes for them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import IndexInUse, LoginRefused, PageIndexError, ServerUnreachable

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        index.add(write_pdf(tmp_path / "a.pdf", [["Cover"], FERRY]))
    return tmp_path / "i"


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "pagesight.agent.cli", "serve", "--index", str(folder), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert re.search(r"serving .* at http://127\.0\.0\.1:\d+; open it with --index", said), said
            yield process
        finally:
            process.kill()


def pagesight(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pagesight.agent.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


WRITE = """
import sys
from pagesight.indexing import PageIndex, load_settings
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False)) as index:
    def pause(progress):
        print(progress.done_pages, flush=True)
        sys.stdin.readline()
    index.add(sys.argv[2], progress=pause)
print("done", flush=True)
"""


@pytest.mark.slow
def test_several_processes_search_and_one_writes(folder: Path, tmp_path: Path) -> None:
    pages = [[f"pump {number}"] for number in range(12)]
    with serving(folder) as server, PageIndex.open(folder, settings=small_settings()) as index:
        assert index.search("ferry Aurora passengers")[0].label == "a.pdf p. 2"
        assert index.multivector(index.page("a.pdf p. 2")).vectors.shape == (9, index.encoder.dim)
        command = [sys.executable, "-c", WRITE, str(folder), str(write_pdf(tmp_path / "b.pdf", pages))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "8\n"
            assert [d.document for d in index.documents()] == ["a.pdf"]  # whole documents only
            with pytest.raises(IndexInUse, match=f"process {writer.pid} .*is writing"):
                index.remove("a.pdf")
            out, _ = writer.communicate("\n\n")
            assert out == "12\ndone\n"
        assert [d.document for d in index.documents()] == ["a.pdf", "b.pdf"]
        assert index.search("pump 7")[0].document == "b.pdf"
        assert [d.document for d in index.remove("a.pdf")] == ["a.pdf"]
        listed = pagesight("documents", "--json", "--index", str(folder))
        assert [d["document"] for d in json.loads(listed.stdout)] == ["b.pdf"]
        held = json.loads((folder / "holder.json").read_text())
        assert (folder / "holder.json").stat().st_mode & 0o777 == 0o600
        for wrong in ("", "none", held["token"][:-1]):
            with pytest.raises(LoginRefused):
                PageIndex.open(held["address"], settings=small_settings(milvus_token=wrong))
            assert rows_without_login(held["address"], wrong) is None
        with pytest.raises(PageIndexError, match="by its folder"):
            PageIndex.open(held["address"], settings=small_settings(milvus_token=held["token"]))
        again = pagesight("serve", "--index", str(folder))
        assert (again.returncode, again.stderr.count(f"in use by process {server.pid} ")) == (1, 1)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert not (folder / "holder.json").exists()
    with PageIndex.open(folder, settings=small_settings()) as index:
        assert [d.document for d in index.documents()] == ["b.pdf"]


def rows_without_login(address: str, token: str) -> int | None:
    """What any client of Milvus gets there; None where it is refused."""
    from pymilvus import MilvusClient, MilvusException

    try:
        client = MilvusClient(address, token=token, timeout=5)
        client.load_collection("pages")
        return len(client.query("pages", filter="page > 0"))
    except MilvusException:
        return None


def test_a_token_of_ones_own_lets_others_in(folder: Path) -> None:
    with serving(folder, "--token", "sesame"):
        held = json.loads((folder / "holder.json").read_text())
        assert rows_without_login(held["address"], "sesame") == 2
        assert rows_without_login(held["address"], "other") is None
        assert "sesame" not in held["command"]


@pytest.mark.slow
def test_what_served_was_killed(folder: Path) -> None:
    with serving(folder) as server, PageIndex.open(folder, settings=small_settings()) as index:
        index.search("ferry")
        server.kill()
        server.wait()
        started = time.monotonic()
        with pytest.raises(ServerUnreachable, match=r"not served any more.*pagesight serve"):
            index.search("ferry Aurora")
        assert time.monotonic() - started < 40
    with PageIndex.open(folder, settings=small_settings()) as index:  # nobody holds it
        assert index.search("ferry Aurora")[0].label == "a.pdf p. 2"


def test_serving_what_is_open_or_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with PageIndex.open(folder, settings=small_settings()):
        assert main(["serve", "--index", str(folder)]) == 1
        said = capsys.readouterr().err
        assert f"in use by process {os.getpid()}" in said
        assert f"pagesight serve --index {folder}" in said
    assert main(["serve", "--index", "none"]) == 1
    assert "no index" in capsys.readouterr().err
    assert main(["serve", "--index", "http://127.0.0.1:1/x"]) == 1
    assert "as it is" in capsys.readouterr().err
