"""`pagesight encoders --check`: a good encoder passes, and each way of being bad is told."""

from __future__ import annotations

import json
import shutil

import pytest

from pagesight.agent.cli import main


def checked(capsys, name: str, *more: str) -> tuple[int, dict]:
    status = main(["encoders", "--check", name, "--json", *more])
    return status, json.loads(capsys.readouterr().out)


def test_a_good_encoder_passes_and_the_table_says_so(capsys):
    status, told = checked(capsys, "lexical")
    assert (status, told["works"]) == (0, True)
    assert [finding["passed"] for finding in told["findings"]] == [True] * 4
    assert told["pages_per_second"] > 0
    assert told["memory"] > 1e6
    assert main(["encoders", "--check", "lexical"]) == 0
    out = capsys.readouterr().out
    assert "4 of 4 pages come first" in out
    assert "pages/s" in out


#: Sees how dark the top, the left and the bottom of a page are, and takes every question for the top.
BLIND = """
def load(options): return Encoder()
class Encoder:
    dim = 3
    def encode_pages(self, pages):
        return [([self.dark(255.0 - page.picture)], [[0, 0, 0.1, 0.01]]) for page in pages]
    def dark(self, ink):
        return [ink[: len(ink) // 5].mean() + 0.1, ink[:, : ink.shape[1] // 2].mean(), ink[-len(ink) // 4 :].mean()]
    def encode_query(self, question): return [[1, 0, 0]], [question]
"""


def test_an_encoder_that_finds_nothing_is_told(capsys, tmp_path):
    script = tmp_path / "guess.py"
    script.write_text(BLIND)
    status, told = checked(capsys, f"external:{script}")
    passed = {finding["what"]: finding["passed"] for finding in told["findings"]}
    assert (status, told["works"]) == (1, False)
    assert passed["different pages have different vectors"] is True
    assert passed["each page is found by its own question"] is False
    assert passed["it looks at the place of the answer"] is False


def test_a_model_with_weights_missing_is_named_and_a_random_one_is_told(capsys, tmp_path):
    pytest.importorskip("colpali_engine", reason="colpali-engine is not installed: the extra colpali brings it")
    import tiny_checkpoints
    from safetensors.torch import load_file, save_file

    good = tiny_checkpoints.colqwen2(tmp_path / "random")
    status, told = checked(capsys, str(good), "--device", "cpu")
    assert status in (0, 1)  # random weights may find by chance
    assert told["findings"][0]["passed"] is True
    assert told["findings"][1]["passed"] is True
    bad = tmp_path / "bad"
    shutil.copytree(good, bad)
    weights = load_file(bad / "model.safetensors")
    del weights["custom_text_proj.weight"]
    save_file(weights, bad / "model.safetensors", metadata={"format": "pt"})
    status, told = checked(capsys, str(bad), "--device", "cpu")
    assert status == 1
    assert "missing: custom_text_proj.weight" in told["findings"][-1]["told"]


def test_a_paid_one_is_asked_about_first(capsys, monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    assert main(["encoders", "--check", "gemini-embedding-2"]) == 1
    assert "--yes" in capsys.readouterr().err
