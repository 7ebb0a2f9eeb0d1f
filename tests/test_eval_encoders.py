"""A dataset in ViDoRe's format measured with a vision encoder, from pictures to a table, on a tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra colpali brings it")
pytest.importorskip("colpali_engine", reason="colpali-engine is not installed: the extra colpali brings it")
pytest.importorskip("datasets", reason="datasets is not installed: the extra eval brings it")

import tiny_checkpoints
from test_eval_vidore import three_tables

from pagesight.agent.cli import main


@pytest.mark.slow
def test_a_vidore_dataset_is_measured_with_a_vision_encoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The weights are random, so that only the path is proven: every page has its vectors, every question its rank."""
    checkpoint = tiny_checkpoints.colqwen2(tmp_path / "colqwen2")
    source = three_tables(tmp_path / "set")
    arguments = ["--language", "english", "--run", f"vectors@{checkpoint}", "--run", "text", "--json"]
    assert main(["eval", "retrieval", "--questions", str(source), *arguments, "--out", str(tmp_path / "out")]) == 0

    report = json.loads(capsys.readouterr().out)
    assert (report["questions"], report["pages"]) == (2, 3)
    vectors, text = (run["scopes"]["index"] for run in report["runs"])
    assert vectors["R@100"]["mean"] == 1  # three pages, all of them scored, whatever the order
    assert 0 < vectors["RR"]["mean"] <= 1
    assert text["RR"]["mean"] == 0  # the pictures have no text layer
