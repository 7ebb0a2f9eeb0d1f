"""`pagesight prepare --ray` on a real Ray cluster of several nodes: one is killed, and each document has one shard."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_index import open_index, small_settings, write_pdf
from typer.testing import CliRunner

from pagesight.agent import cli
from pagesight.indexing import prepare
from pagesight.indexing.integrity.verify import verify

NEEDS_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `ray` is not installed")
_DOCUMENTS, _PAGES = 16, 4


@contextmanager
def ray_cluster(nodes: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a cluster, and the process that takes the numbers of nodes to kill."""
    command = [sys.executable, str(Path(__file__).with_name("ray_cluster.py")), str(nodes)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout
        assert running.stdin
        yield running.stdout.readline().strip(), running
        running.stdin.close()


@pytest.mark.slow
@NEEDS_RAY
def test_a_node_is_killed_and_each_document_has_one_whole_shard(
    tmp_path: Path, object_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    sources, shards = tmp_path / "sources", tmp_path / "shards"
    sources.mkdir()
    for number in range(_DOCUMENTS):
        made = write_pdf(sources / f"{number}.pdf", [[f"Buoy {number}, {page}"] for page in range(_PAGES)])
        if number % 3 == 0:
            object_store.put_object(Bucket="archive", Key=f"in/{made.name}", Body=made.read_bytes())
            made.unlink()
    (sources / "no.pdf").write_bytes(b"%PDF-1.4 and nothing")
    with ray_cluster(2) as (address, cluster):
        command = [Path(sys.executable).with_name("pagesight"), "prepare", sources, "s3://archive/in/", "--json"]
        command += ["--out", shards, "--ray", address, "--encoder", "lexical"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 300
        while len(list(shards.glob("*.parquet"))) < 3 and running.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert running.poll() is None, running.communicate()[1]
        assert cluster.stdin
        cluster.stdin.write("0\n")
        cluster.stdin.flush()
        told, errors = running.communicate(timeout=300)
        assert running.returncode == 1, errors  # for the one that is no document
        report = json.loads(told)
        names = sorted(one["document"] for one in [*report["added"], *report["unchanged"]])
        assert names == sorted(f"{number}.pdf" for number in range(_DOCUMENTS))
        assert ["no.pdf" in one["path"] for one in report["failed"]] == [True]
        again = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert (json.loads(again.stdout)["added"], json.loads(again.stdout)["pages"]) == ([], 0)
    there = {path.name for path in shards.glob("*.parquet")}
    prepare([sources, "s3://archive/in/"], tmp_path / "alone", encoder="lexical", settings=small_settings())
    assert there == {path.name for path in (tmp_path / "alone").glob("*.parquet")}
    with open_index(tmp_path / "i") as index:
        committed = index.commit(shards)
        assert (len(committed.added), committed.failed, committed.pages) == (_DOCUMENTS, [], _DOCUMENTS * _PAGES)
    found = verify(str(tmp_path / "i"), small_settings())
    assert (found.damage, found.documents, found.pages) == ([], _DOCUMENTS, _DOCUMENTS * _PAGES)


@NEEDS_RAY
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--encoder", "gemini-embedding-2"], "without --ray, which says the price"),
        ([], "name the one that all"),
        (["--encoder", "lexical", "--part", "1/2"], "take one"),
    ],
)
def test_what_a_cluster_cannot_share_is_refused(
    tmp_path: Path, options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-test-key")
    source = write_pdf(tmp_path / "a.pdf", [["Ferry"]])
    assert cli.main(["prepare", str(source), "--out", "shards", "--ray", "auto", *options]) == 1
    assert said in capsys.readouterr().err


def test_without_ray_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    source = write_pdf(tmp_path / "a.pdf", [["Ferry"]])
    done = CliRunner().invoke(cli.app, ["prepare", str(source), "--out", "shards", "--ray", "auto"])
    assert done.exit_code != 0
    assert "ray]" in f"{done.output}{done.exception}"
