"""A tiny real model behind vLLM's protocol: the vectors and boxes are those of the same model in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from small_index import small_settings, write_pdf

pytest.importorskip("torch", reason="torch is not installed: the extra colpali brings it")
pytest.importorskip("colpali_engine", reason="colpali-engine is not installed: the extra colpali brings it")

import tiny_checkpoints
import torch
from colpali_engine import models
from encoder_servers import VllmServer

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import make_encoder
from pagesight.indexing.errors import EncoderMismatch, SettingsError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

torch.set_num_threads(1)

#: Known names that vLLM serves, and names that nobody knows, by family.
NAMES = {
    "ColQwen2": "someone/colqwen2-merged",
    "ColQwen2_5": "someone/colqwen2.5-merged",
    "ColQwen3": "someone/colqwen3",
    "ColQwen3_5": "someone/colqwen3.5",
}


@pytest.fixture(scope="session")
def loaded(tmp_path_factory) -> Callable[[str], Any]:
    """A family's folder, model and processor."""
    root, made = tmp_path_factory.mktemp("vllm"), {}

    def get(family: str) -> Any:
        if family not in made:
            folder = tiny_checkpoints.COLPALI_ENGINE[family](root / family)
            processor = "ColQwen2_5_Processor" if family == "ColQwen2_5" else f"{family}Processor"
            network = getattr(models, family).from_pretrained(folder, dtype=torch.float32).eval()
            made[family] = folder, network, getattr(models, processor).from_pretrained(folder)
        return made[family]

    return get


@pytest.fixture
def serve(loaded) -> Iterator[Callable[..., VllmServer]]:
    running: list[VllmServer] = []

    def start(family: str, name: str | None = None, **options: Any) -> VllmServer:
        _, network, processor = loaded(family)
        server = VllmServer(network, processor, name or NAMES[family], **options)
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__()


def settings(**more: Any) -> Any:
    return small_settings(device="cpu", dtype="float32", **more)


def pages() -> list[Image.Image]:
    made = []
    for size in ((420, 594), (594, 420), (300, 700)):
        picture = Image.linear_gradient("L").resize(size).convert("RGB")
        ImageDraw.Draw(picture).rectangle((40, 60, 180, 200), fill="red")
        made.append(picture)
    return made


@pytest.mark.parametrize("family", NAMES)
def test_vectors_and_boxes_are_those_of_the_model_in_process(loaded, serve, family):
    folder, _, _ = loaded(family)
    server = serve(family)
    here = make_encoder(str(folder), settings())
    there = make_encoder(f"{server.model}@{server.url}", settings())
    blank = [PageText.empty()] * 3
    for mine, other in zip(there.encode_pages(pages(), blank), here.encode_pages(pages(), blank), strict=True):
        assert mine.vectors.shape == other.vectors.shape
        assert np.abs(mine.vectors - other.vectors).max() <= 1e-3
        np.testing.assert_allclose(mine.boxes, other.boxes, atol=1e-6)
    asked, wanted = (one.encode_query(read_query("net revenue"), TermStatistics().idf) for one in (there, here))
    assert np.abs(asked.vectors - wanted.vectors).max() <= 1e-3
    assert len(asked.tokens) == len(wanted.tokens)
    assert "".join(asked.tokens).replace("Ġ", " ").startswith("net revenue")
    assert {body.get("encoding_format") for path, body, _ in server.requests if path == "/pooling"} == {None, "base64"}
    assert there.describe()["prompts"] == here.describe()["prompts"]


def test_known_models_get_their_prompt_and_their_resolution(serve):
    server = serve("ColQwen3_5", "vultr/VultronRetrieverFlash-Qwen3.5-0.8B")
    encoder = make_encoder(f"{server.model}@{server.url}", settings())
    assert encoder.describe()["visual_tokens"] == 1792
    page = next(body for path, body, _ in server.requests if path == "/pooling")
    assert page["mm_processor_kwargs"] == {"max_pixels": 1792 * 32 * 32}


def test_a_page_is_indexed_and_searched_over_the_command_line(serve, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    server = serve("ColQwen2")
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", f"{server.model}@{server.url}"]) == 0
    capsys.readouterr()
    assert main(["search", "net revenue", "--json", "--heatmap", "maps"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["boxes"]
    assert Path("maps/a.pdf-p1.png").stat().st_size > 1000
    assert server.url not in Path(".pagesight/index.json").read_text()
    assert not Path(".pagesight/costs.jsonl").exists()  # nobody is paid for it


def test_another_model_under_the_same_name_is_refused(loaded, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"]])
    server = serve("ColQwen2")
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", f"{server.model}@{server.url}"]) == 0
    same = serve("ColQwen2")
    with PageIndex.open(".pagesight", settings=settings(encoder=f"{same.model}@{same.url}")) as index:
        assert index.search("net revenue")
    other = serve("ColQwen2_5", NAMES["ColQwen2"])
    index = PageIndex.open(".pagesight", settings=settings(encoder=f"{other.model}@{other.url}"))
    with index, pytest.raises(EncoderMismatch, match="not the one that the index was made with"):
        index.search("net revenue")


def test_without_an_address_what_to_start_is_said():
    with pytest.raises(SettingsError, match=r"vllm serve someone/colqwen3`.*someone/colqwen3@http://HOST:PORT"):
        make_encoder("someone/colqwen3@vllm").describe()
    with pytest.raises(SettingsError, match=r"vllm serve nvidia/nemotron-colembed-vl-8b-v2`"):
        make_encoder("nvidia/nemotron-colembed-vl-8b-v2").describe()
