"""Models that colpali-engine loads, on tiny checkpoints: vectors as by its own documented calls, with boxes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
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

from pagesight.agent.cli import main
from pagesight.indexing.encoders import QueryVectors, make_encoder
from pagesight.indexing.encoders import checkpoint as files
from pagesight.indexing.errors import EncoderError, EncoderMismatch
from pagesight.indexing.highlight.best_places import best_boxes
from pagesight.indexing.highlight.similarity_map import similarity_map
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.maxsim import best_similarities, scores
from pagesight.indexing.vectors.quantization import StoredVectors

FAMILIES = [*tiny_checkpoints.COLPALI_ENGINE, "adapter"]
QUESTION = "net revenue of 4.2 billion"
TOKENS = {"ColPali": 64, "ColIdefics3": 52, "ColModernVBert": 52}  # image tokens of an upright A4 page; Qwen: 70

torch.set_num_threads(1)


def page(mark: tuple[float, float, float, float] | None = None, size: tuple[int, int] = (420, 594)) -> Image.Image:
    """A page with a pattern all over and, where one is given, a black mark in a box."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    if mark:
        edges = [edge * size[place % 2] for place, edge in enumerate(mark)]
        ImageDraw.Draw(picture).rectangle(edges, fill="red")
    return picture


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of a family's tiny checkpoint, made when first asked for."""
    root = tmp_path_factory.mktemp("checkpoints")
    made: dict[str, Path] = {}

    def get(family: str) -> Path:
        if family not in made:
            build = tiny_checkpoints.COLPALI_ENGINE.get(family, tiny_checkpoints.adapter)
            made[family] = build(root / family)
        return made[family]

    return get


@pytest.fixture(scope="session")
def loaded(checkpoint) -> Callable[[str], Any]:
    """A family's encoder as pagesight loads it, and model and processor as colpali-engine documents it."""
    made: dict[str, Any] = {}

    def get(family: str) -> Any:
        if family not in made:
            folder = str(checkpoint(family))
            name = "ColQwen2_5" if family == "adapter" else family
            processor = getattr(models, "ColQwen2_5_Processor" if name == "ColQwen2_5" else f"{name}Processor")
            made[family] = SimpleNamespace(
                ours=make_encoder(folder, small_settings(device="cpu", dtype="float32")),
                model=getattr(models, name).from_pretrained(folder, dtype=torch.float32).eval(),
                processor=processor.from_pretrained(folder),
            )
        return made[family]

    return get


def vectors_of(encoder: Any, pictures: list[Image.Image]) -> list[Any]:
    return encoder.encode_pages(pictures, [PageText.empty()] * len(pictures))


def theirs(one: Any, inputs: Any) -> list[torch.Tensor]:
    """Vectors by colpali-engine's own calls, without the rows that pad the batch."""
    with torch.no_grad():
        found = one.model(**inputs)
    return [row[mask.bool()] for row, mask in zip(found, inputs["attention_mask"], strict=True)]


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_and_scores_are_those_of_colpali_engine(loaded, family):
    one = loaded(family)
    pictures = [page(), page((0.1, 0.1, 0.4, 0.3)), page(size=(594, 420))]
    ours = vectors_of(one.ours, pictures)
    wanted = theirs(one, one.processor.process_images(pictures))
    for mine, other in zip(ours, wanted, strict=True):
        assert mine.vectors.dtype == np.float32
        assert np.abs(mine.vectors - other.numpy()).max() <= 1e-5
        np.testing.assert_allclose(np.linalg.norm(mine.vectors, axis=1), 1, atol=1e-5)

    query = one.ours.encode_query(read_query(QUESTION), TermStatistics().idf)
    asked = theirs(one, one.processor.process_queries([QUESTION]))
    assert np.abs(query.vectors - asked[0].numpy()).max() <= 1e-5
    assert len(query.tokens) == len(query.vectors)
    assert "".join(query.tokens).replace("Ġ", " ").removeprefix("<bos>").startswith(QUESTION)

    found = scores(query, best_similarities(query.vectors, [StoredVectors(mine.vectors, mine.boxes) for mine in ours]))
    for score, other in zip(found, wanted, strict=True):  # one by one: its padding with zeros would count as a match
        assert score == pytest.approx(float(one.processor.score_multi_vector(asked, [other], device="cpu")), abs=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_has_the_vectors_of_its_pages_alone(loaded, family):
    pictures = [page(), page(size=(594, 300)), page(size=(200, 594))]
    one = loaded(family)
    for together, alone in zip(
        vectors_of(one.ours, pictures), (vectors_of(one.ours, [picture])[0] for picture in pictures), strict=True
    ):
        assert together.vectors.shape == alone.vectors.shape
        assert np.abs(together.vectors - alone.vectors).max() <= 1e-4
        np.testing.assert_array_equal(together.boxes, alone.boxes)


@pytest.mark.parametrize("family", FAMILIES)
def test_boxes_cover_the_page_and_tokens_of_the_prompt_have_none(loaded, family):
    found = vectors_of(loaded(family).ours, [page()])[0]
    boxes = found.boxes[~np.isnan(found.boxes).any(axis=1)]
    assert len(boxes) == TOKENS.get(family, 70)
    assert 0 < len(found.boxes) - len(boxes) < 80
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert areas.sum() == pytest.approx(2 if family in ("ColIdefics3", "ColModernVBert") else 1, abs=1e-4)
    assert ((boxes >= 0) & (boxes <= 1)).all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mark", [(0.05, 0.06, 0.15, 0.12), (0.78, 0.3, 0.9, 0.38), (0.3, 0.86, 0.4, 0.94)])
def test_where_pages_differ_vectors_differ_most(loaded, family, mark):
    """The tokens whose vectors a mark changes most look at it: the grid is in the order of the tokens."""
    blank, marked = vectors_of(loaded(family).ours, [page(), page(mark)])
    looks = ~np.isnan(blank.boxes).any(axis=1)
    change = np.where(looks, np.linalg.norm(blank.vectors - marked.vectors, axis=1), 0)
    left, top, right, bottom = blank.boxes[change.argmax()]
    assert left <= mark[2]
    assert right >= mark[0]
    assert top <= mark[3]
    assert bottom >= mark[1]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mark", [(0.56, 0.31, 0.69, 0.39), (0.3, 0.86, 0.4, 0.94)])
def test_a_query_for_what_differs_lights_up_where_it_is(loaded, family, mark):
    """A query like the mark is hottest at the mark on the map, and the best box is there."""
    blank, marked = vectors_of(loaded(family).ours, [page(), page(mark)])
    looks = ~np.isnan(blank.boxes).any(axis=1)
    place = np.where(looks, np.linalg.norm(marked.vectors - blank.vectors, axis=1), 0).argmax()
    query = QueryVectors(marked.vectors[[place]], ["mark"], np.ones(1, np.float32))

    heat = similarity_map(query, marked.vectors, marked.boxes, (594, 420))
    height, width = heat.shape
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    left, top, right, bottom = best_boxes(query, marked.vectors, marked.boxes)[0]

    assert left - 0.01 <= x / width <= right
    assert top - 0.01 <= y / height <= bottom
    assert left < mark[2]
    assert right > mark[0]
    assert top < mark[3]
    assert bottom > mark[1]
    assert (right - left) * (bottom - top) < 0.6


def test_an_adapter_changes_its_base(loaded):
    plain, adapted = (vectors_of(loaded(family).ours, [page()])[0].vectors for family in ("ColQwen2_5", "adapter"))
    assert np.abs(plain - adapted).max() > 1e-2


def test_fewer_visual_tokens_and_another_precision(checkpoint):
    few = make_encoder(str(checkpoint("ColQwen2")), small_settings(visual_tokens=20, dtype="bfloat16", device="cpu"))
    found = vectors_of(few, [page()])[0]
    assert 8 <= (~np.isnan(found.boxes).any(axis=1)).sum() <= 20
    assert found.vectors.dtype == np.float32
    assert few.describe()["visual_tokens"] == 20


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_index_and_search_by_the_command_line(checkpoint, family, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    folder = checkpoint(family)
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", str(folder)]) == 0
    assert f"encoder {folder}: asked for by setting" in capsys.readouterr().out
    assert main(["search", "net revenue", "--json", "--heatmap", "maps"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert hits[0]["label"] == "a.pdf p. 1"
    assert Path("maps/a.pdf-p1.png").stat().st_size > 1000
    noted = json.loads(Path(".pagesight/index.json").read_text())["encoder"]
    assert noted["dim"] == (320 if family in ("ColQwen3", "ColQwen3_5") else 128)
    assert noted["name"] == str(folder)


def test_changed_weights_are_refused(checkpoint, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("ColPali"), folder)
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"]])
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", str(folder)]) == 0
    settings = small_settings(device="cpu")
    noted = json.loads(Path(".pagesight/index.json").read_text())["encoder"]
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    files._fingerprint.cache_clear()  # what a new process would do
    with pytest.raises(EncoderMismatch, match="Bring those back"):
        make_encoder(str(folder), settings, noted).encode_query(read_query("x"), TermStatistics().idf)


def test_a_checkpoint_without_an_image_processor_is_refused(checkpoint, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(checkpoint("ColIdefics3"), folder)
    for file in folder.glob("*processor*.json"):
        file.unlink()
    with pytest.raises(EncoderError, match=r"weights of .*bare cannot be loaded"):
        make_encoder(str(folder), small_settings(device="cpu")).describe()


def test_a_processor_that_drops_pictures_is_refused(checkpoint, monkeypatch):
    encoder = make_encoder(str(checkpoint("ColQwen2")), small_settings(device="cpu"))
    encoder.describe()
    processor = encoder._model._processor
    monkeypatch.setattr(type(processor), "process_images", lambda self, images: self.process_texts(["x"] * len(images)))
    with pytest.raises(EncoderError, match="no image tokens"):
        vectors_of(encoder, [page()])
