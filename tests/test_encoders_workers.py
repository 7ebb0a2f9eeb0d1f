"""The workers of models that need other packages, run on tiny repositories that stand in the hub's cache."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_index import write_pdf

pytest.importorskip("transformers", reason="transformers is not installed: the extra colpali brings it")

import tiny_repositories
from tiny_repositories import COMMIT, JINA_CLIP, JINA_V4, VLM2VEC

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.encoders import PageEncoder, make_encoder
from pagesight.indexing.errors import EncoderError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

pytestmark = pytest.mark.slow

JINA, CLIP, NOMIC, PHI = (
    "jinaai/jina-embeddings-v4", "jinaai/jina-clip-v2", "nomic-ai/nomic-embed-vision-v1.5", "TIGER-Lab/VLM2Vec-Full",
)  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and settings with which workers run."""
    home = tmp_path / "hub"
    for name, value in {
        "HF_HUB_CACHE": home,
        "HF_MODULES_CACHE": tmp_path / "modules",
        "PAGESIGHT_ENCODER_PYTHON": sys.executable,
        "PAGESIGHT_TRUST_REMOTE_CODE": "true",
        "PAGESIGHT_DEVICE": "cpu",
        "PAGESIGHT_OCR": "false",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, str(value))
    return home


def make(cache: Path, name: str) -> None:
    if name == NOMIC:
        tiny_repositories.nomic(cache)
    elif name == CLIP:
        tiny_repositories.with_code(cache, CLIP, JINA_CLIP, 1024, elsewhere="jinaai/jina-clip-implementation")
    elif name == PHI:
        tiny_repositories.with_code(cache, PHI, VLM2VEC, 3072, elsewhere="microsoft/Phi-3.5-vision-instruct")
    else:
        tiny_repositories.with_code(cache, JINA, JINA_V4, 128)


@pytest.mark.parametrize(
    ("name", "dim"), [(JINA, 128), (f"{JINA}:single", 2048), (CLIP, 1024), (NOMIC, 768), (PHI, 3072)]
)
def test_index_search_and_map_by_the_command_line(cache, name, dim, tmp_path, capsys):
    make(cache, name)
    document = write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    # Held open, so that the commands share one process: starting it takes longer than the rest.
    with PageIndex.open(encoder=name, settings=load_settings(revision=COMMIT)) as index:
        assert main(["index", str(document), "--encoder", name]) == 0, capsys.readouterr().err
        noted = json.loads(Path(".pagesight/index.json").read_text())["encoder"]
        assert noted == {"name": name, "revision": COMMIT, "dim": dim}
        capsys.readouterr()
        assert main(["search", "net revenue", "--json", "--heatmap", "maps"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["label"] == "a.pdf p. 1"
        assert Path("maps/a.pdf-p1.png").stat().st_size > 1000
        if name == NOMIC:
            check_nomic(index.encoder, *cache.glob("*vision*/snapshots/*"), *cache.glob("*text*/snapshots/*"))
        if name == JINA:
            check_boxes_and_tokens(index.encoder)


def check_nomic(encoder: PageEncoder, looks: Path, reads: Path) -> None:
    """Its vectors are those that the models' cards compute."""
    import torch
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    pictures = [Image.linear_gradient("L").convert("RGB"), Image.new("RGB", (90, 60), "red")]
    found = [page.vectors[0] for page in encoder.encode_pages(pictures, [PageText.empty()] * 2)]
    asked = encoder.encode_query(read_query("net"), TermStatistics().idf).vectors
    with torch.no_grad():
        inputs = AutoImageProcessor.from_pretrained(looks)(pictures, return_tensors="pt")
        seen = AutoModel.from_pretrained(looks)(**inputs).last_hidden_state[:, 0]
        inputs = AutoTokenizer.from_pretrained(reads)(["search_query: net"], return_tensors="pt")
        hidden, mask = AutoModel.from_pretrained(reads)(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
        read = torch.nn.functional.layer_norm((hidden * mask).sum(1) / mask.sum(1), (768,))
    assert np.abs(found - torch.nn.functional.normalize(seen).numpy()).max() < 1e-5
    assert np.abs(asked - torch.nn.functional.normalize(read).numpy()).max() < 1e-5


def check_boxes_and_tokens(encoder: PageEncoder) -> None:
    (page,) = encoder.encode_pages([Image.new("RGB", (90, 60), "red")], [PageText.empty()])
    assert np.isnan(page.boxes[[0, -1]]).all()
    np.testing.assert_allclose(page.boxes[[1, 6]], [[0, 0, 1 / 3, 0.5], [2 / 3, 0.5, 1, 1]], atol=1e-6)
    assert encoder.encode_query(read_query("net revenue"), TermStatistics().idf).tokens == ["Query:", "net", "revenue"]


@pytest.mark.parametrize("name", [JINA, CLIP])
def test_what_is_not_in_the_cache_is_named_and_not_fetched(cache, name):
    with pytest.raises(EncoderError, match=f"LocalEntryNotFoundError.*`hf download {name} --revision {COMMIT}`"):
        make_encoder(name, load_settings(revision=COMMIT)).describe()
