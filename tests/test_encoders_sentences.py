"""Models that sentence-transformers loads, on tiny checkpoints: the vectors are those of its own calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from small_index import small_settings, write_pdf

pytest.importorskip("torch", reason="torch is not installed: the extra colpali brings it")
pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed: the extra colpali does it")

import tiny_checkpoints
import torch
from sentence_transformers import MultiVectorEncoder, SentenceTransformer

from pagesight.agent.cli import main
from pagesight.indexing.encoders import make_encoder
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.maxsim import best_similarities, scores
from pagesight.indexing.vectors.quantization import StoredVectors

SEVERAL = ["ColPali-hf", "ColQwen2-hf", "multi-vector"]
SIGLIP = ["SigLIP", "SigLIP 2", "SigLIP 2 of any size"]
SINGLE = ["single-vector", "CLIP", *SIGLIP]
QUESTION = "net revenue"

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], str]:
    root = tmp_path_factory.mktemp("checkpoints")
    made: dict[str, str] = {}

    def get(kind: str) -> str:
        if kind not in made:
            made[kind] = str(tiny_checkpoints.SENTENCE_TRANSFORMERS[kind](root / kind))
        return made[kind]

    return get


def page(size: tuple[int, int] = (420, 594), left: int = 0) -> Image.Image:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(picture).rectangle((left, 20, left + 60, 90), fill="red")
    return picture


def opened(folder: str, **settings: Any) -> Any:
    return make_encoder(folder, small_settings(device="cpu", dtype="float32", **settings))


def vectors_of(encoder: Any, pictures: list[Image.Image]) -> list[Any]:
    return encoder.encode_pages(pictures, [PageText.empty()] * len(pictures))


@pytest.mark.parametrize("kind", SEVERAL)
def test_late_interaction_is_that_of_sentence_transformers(checkpoint, kind):
    folder = checkpoint(kind)
    theirs = MultiVectorEncoder(folder, device="cpu")
    pictures = [page(), page((594, 420), 300)]
    ours = opened(folder)
    found = vectors_of(ours, pictures)
    wanted = theirs.encode_document(pictures, convert_to_numpy=True)
    for mine, other in zip(found, wanted, strict=True):
        assert np.abs(mine.vectors - other).max() <= 1e-5
        boxes = mine.boxes[~np.isnan(mine.boxes).any(axis=1)]
        assert len(boxes) == (64 if kind == "ColPali-hf" else 70)
    query = ours.encode_query(read_query(QUESTION), TermStatistics().idf)
    asked = theirs.encode_query([QUESTION], convert_to_numpy=True)
    assert np.abs(query.vectors - asked[0]).max() <= 1e-5
    mine = scores(query, best_similarities(query.vectors, [StoredVectors(one.vectors, one.boxes) for one in found]))
    np.testing.assert_allclose(mine, theirs.similarity(asked, wanted)[0], atol=1e-3)


@pytest.mark.parametrize("kind", SINGLE)
def test_one_vector_is_that_of_sentence_transformers_normalised(checkpoint, kind):
    folder = checkpoint(kind)
    ours = opened(folder)
    theirs = SentenceTransformer(folder, device="cpu")
    pictures = [page(), page((594, 420), 300)]
    found = np.concatenate([one.vectors for one in vectors_of(ours, pictures)])
    wanted = theirs.encode_document(pictures, normalize_embeddings=True)
    assert np.abs(found - wanted).max() <= 1e-5
    assert np.isnan(vectors_of(ours, pictures[:1])[0].boxes).all()
    if kind not in SIGLIP:  # see below
        asked = theirs.encode_query([QUESTION], normalize_embeddings=True)
        assert np.abs(ours.encode_query(read_query(QUESTION), TermStatistics().idf).vectors - asked).max() <= 1e-5


@pytest.mark.parametrize("kind", SIGLIP)
def test_questions_for_siglip_are_padded_as_it_was_trained(checkpoint, kind):
    from transformers import AutoModel, AutoProcessor

    folder = checkpoint(kind)
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)
    inputs = processor(text=[QUESTION], padding="max_length", max_length=64, return_tensors="pt")
    assert inputs["input_ids"].shape == (1, 64)
    with torch.no_grad():
        wanted = model.text_model(input_ids=inputs["input_ids"]).pooler_output
    wanted = torch.nn.functional.normalize(wanted).numpy()
    ours = opened(folder)
    assert np.abs(ours.encode_query(read_query(QUESTION), TermStatistics().idf).vectors - wanted).max() <= 1e-5
    capitals = ours.encode_query(read_query(QUESTION.upper()), TermStatistics().idf).vectors
    assert (np.abs(capitals - wanted).max() <= 1e-5) == (kind != "SigLIP")  # its published tokenizer does it itself


@pytest.mark.parametrize("kind", SIGLIP)
def test_pages_for_siglip_are_those_of_its_vision_model(checkpoint, kind):
    from transformers import AutoModel, AutoProcessor

    folder, pictures = checkpoint(kind), [page(), page((594, 420), 300)]
    inputs = AutoProcessor.from_pretrained(folder)(images=pictures, return_tensors="pt")
    with torch.no_grad():
        wanted = AutoModel.from_pretrained(folder).eval().get_image_features(**inputs).pooler_output
    found = np.concatenate([one.vectors for one in vectors_of(opened(folder), pictures)])
    assert np.abs(found - torch.nn.functional.normalize(wanted).numpy()).max() <= 1e-5


def test_fewer_dimensions_are_normalised_again(checkpoint):
    whole, cut = (vectors_of(opened(checkpoint("CLIP"), dim=dim), [page()])[0].vectors for dim in (None, 8))
    assert cut.shape == (1, 8)
    np.testing.assert_allclose(cut, whole[:, :8] / np.linalg.norm(whole[:, :8]), atol=1e-6)
    with pytest.raises(SettingsError, match="24 dimensions, 25 were asked for"):
        opened(checkpoint("CLIP"), dim=25).describe()


@pytest.mark.parametrize("kind", [*SEVERAL, *SINGLE])
def test_index_and_search_by_the_command_line(checkpoint, kind, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.setenv("PAGESIGHT_DEVICE", "cpu")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    more = ["--dim", "16"] if kind in SINGLE else []
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", checkpoint(kind), *more]) == 0
    noted = json.loads(Path(".pagesight/index.json").read_text())["encoder"]
    assert noted["dim"] == (16 if more else 128)
    capsys.readouterr()
    assert main(["search", QUESTION, "--json", "--heatmap", "maps"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["label"] == "a.pdf p. 1"
    assert Path("maps/a.pdf-p1.png").stat().st_size > 1000
    if more:
        assert main(["index", str(tmp_path / "a.pdf"), "--dim", "8"]) == 1
        assert "16 dimensions" in capsys.readouterr().err


def test_code_from_a_repository_runs_only_at_a_commit_that_is_named(checkpoint, tmp_path):
    folder = tmp_path / "with-code"
    folder.mkdir()
    (folder / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "their_code.Transformer"}])
    )
    (folder / "config_sentence_transformers.json").write_text("{}")
    (folder / "their_code.py").write_text("raise SystemExit('their code ran')")
    with pytest.raises(SettingsError, match="--trust-remote-code"):
        opened(str(folder)).describe()
    for revision in (None, "main", "a1b2c3"):
        with pytest.raises(SettingsError, match="40 hex digits"):
            opened(str(folder), trust_remote_code=True, revision=revision).describe()
    with pytest.raises(SystemExit, match="their code ran"):
        opened(str(folder), trust_remote_code=True, revision="a" * 40).describe()
