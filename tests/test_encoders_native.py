"""Models that pagesight loads itself, on tiny checkpoints: vectors as their publishers compute them, written out."""

from __future__ import annotations

import json
import math
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from small_index import small_settings, write_pdf

pytest.importorskip("torch", reason="torch is not installed: the extra colpali brings it")
pytest.importorskip("transformers", reason="transformers is not installed: the extra colpali brings it")
pytest.importorskip("peft", reason="peft is not installed: the extra colpali brings it")

import tiny_checkpoints
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoTokenizer,
    GraniteConfig,
    GraniteModel,
    LlavaNextConfig,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    Qwen2VLForConditionalGeneration,
    Qwen2VLProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
)
from transformers.models.llava_next.modeling_llava_next import get_anyres_image_grid_shape, unpad_image

from pagesight.agent.cli import main
from pagesight.indexing.encoders import granite, make_encoder, patch_boxes
from pagesight.indexing.errors import EncoderError, SettingsError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

KINDS = list(tiny_checkpoints.NATIVE)
VLM2VEC = "VLM2Vec-Qwen2VL-2B"
QUESTION = "net revenue of 100%s"

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of a tiny checkpoint, made when first asked for."""
    root = tmp_path_factory.mktemp("native")
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny_checkpoints.NATIVE[kind](root / kind)
        return made[kind]

    return get


def page(mark: tuple[float, float, float, float] | None = None, size: tuple[int, int] = (420, 594)) -> Image.Image:
    """A page with a pattern all over and, where one is given, a red mark in a box."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    if mark:
        ImageDraw.Draw(picture).rectangle([edge * size[place % 2] for place, edge in enumerate(mark)], fill="red")
    return picture


def opened(folder: Path | str, **settings: Any) -> Any:
    return make_encoder(str(folder), small_settings(device="cpu", dtype="float32", **settings))


def vectors_of(encoder: Any, pictures: list[Image.Image]) -> list[Any]:
    return encoder.encode_pages(pictures, [PageText.empty()] * len(pictures))


def asked(encoder: Any, question: str = QUESTION) -> Any:
    return encoder.encode_query(read_query(question), TermStatistics().idf)


def unit(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors, dim=-1).detach().numpy()


# ---- one vector a page: vdr and VLM2Vec

_TURN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "<|vision_start|><|image_pad|><|vision_end|>"
)


def card_size(picture: Image.Image, most: int = 768 * 28 * 28) -> Image.Image:
    """The size that vdr's card gives a page: multiples of 28, no more pixels than 768 tokens have."""
    height, width = (max(28, round(side / 28) * 28) for side in (picture.height, picture.width))
    if height * width > most:
        by = math.sqrt(picture.height * picture.width / most)
        height, width = (math.floor(side / by / 28) * 28 for side in (picture.height, picture.width))
    return picture.resize((width, height))


def by_vdr_card(folder: Path, texts: list[str], pictures: list[Image.Image]) -> np.ndarray:
    """As vdr's card does it: the batch padded on the left, the last hidden state of the last place."""
    processor = Qwen2VLProcessor.from_pretrained(folder)
    processor.tokenizer.padding_side = "left"
    model = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = processor(text=texts, images=pictures, padding="longest", return_tensors="pt")
    with torch.no_grad():
        return unit(model(**inputs, output_hidden_states=True).hidden_states[-1][:, -1])


def test_vdr_makes_the_vectors_of_its_card(checkpoint):
    folder, ours = checkpoint("vdr"), opened(checkpoint("vdr"))
    pictures = [page(), page((0.1, 0.1, 0.4, 0.3), (594, 420)), page(size=(300, 900))]
    found = vectors_of(ours, pictures)
    text = f"{_TURN}What is shown in this image?<|im_end|>\n<|endoftext|>"
    wanted = by_vdr_card(folder, [text] * 3, [card_size(picture) for picture in pictures])
    assert np.abs(np.concatenate([one.vectors for one in found]) - wanted).max() <= 1e-5
    assert all(np.isnan(one.boxes).all() and one.boxes.shape == (1, 4) for one in found)

    query = asked(ours)
    text = f"{_TURN}Query: {QUESTION}<|im_end|>\n<|endoftext|>"
    blank = Image.new("RGB", (56, 56))
    assert np.abs(query.vectors - by_vdr_card(folder, [text], [blank])).max() <= 1e-5


def test_vdr_takes_fewer_dimensions_and_fewer_visual_tokens(checkpoint):
    whole, cut, small = (
        vectors_of(opened(checkpoint("vdr"), **settings), [page()])[0].vectors
        for settings in ({}, {"dim": 16}, {"visual_tokens": 20})
    )
    np.testing.assert_allclose(cut, whole[:, :16] / np.linalg.norm(whole[:, :16]), atol=1e-6)
    text = f"{_TURN}What is shown in this image?<|im_end|>\n<|endoftext|>"
    wanted = by_vdr_card(checkpoint("vdr"), [text], [card_size(page(), 20 * 28 * 28)])
    assert np.abs(small - wanted).max() <= 1e-5
    assert np.abs(small - whole).max() > 1e-3


def test_vdr_without_its_prompts_is_told_by_its_name(checkpoint, tmp_path):
    folder = tmp_path / "VDR-2b-multi-v1"
    shutil.copytree(checkpoint("vdr"), folder)
    for file in ("config_sentence_transformers.json", "modules.json", "custom_st.py"):
        (folder / file).unlink()
    np.testing.assert_array_equal(asked(opened(folder)).vectors, asked(opened(checkpoint("vdr"))).vectors)


def with_dora(folder: Path) -> Any:
    """VLM2Vec's model: a weight W becomes m · (W + s·B·A) / ‖W + s·B·A‖, by rows (DoRA, Liu et al., 2024)."""
    told = json.loads((folder / "adapter_config.json").read_text())
    adapter = torch.load(folder / "adapter_model.bin", weights_only=True)
    weights = load_file(Path(told["base_model_name_or_path"]) / "model.safetensors")
    scale = told["lora_alpha"] / told["r"]
    for name in [name for name in adapter if name.endswith(".lora_A.weight")]:
        part = name.removesuffix(".lora_A.weight")
        key = part.removeprefix("base_model.model.") + ".weight"  # the names are as old as the base's
        whole = weights[key] + scale * adapter[f"{part}.lora_B.weight"] @ adapter[name]
        magnitude = adapter[f"{part}.lora_magnitude_vector"]
        weights[key] = (magnitude / whole.norm(dim=1))[:, None] * whole
    merged = folder.with_name("merged")
    if not merged.exists():
        shutil.copytree(told["base_model_name_or_path"], merged)
        save_file(weights, merged / "model.safetensors", metadata={"format": "pt"})
    return Qwen2VLForConditionalGeneration.from_pretrained(merged, dtype=torch.float32).eval()


def by_vlm2vec(folder: Path, text: str, picture: Image.Image | None) -> np.ndarray:
    """As VLM2Vec's card does it: one by one, the last hidden state; positions count up, pictures not apart."""
    inputs = Qwen2VLProcessor.from_pretrained(folder)(text=[text], images=picture, return_tensors="pt")
    places = torch.arange(inputs["input_ids"].shape[1]).expand(3, 1, -1)
    with torch.no_grad():
        found = with_dora(folder)(**inputs, position_ids=places, output_hidden_states=True)
    return unit(found.hidden_states[-1][:, -1])


def test_vlm2vec_makes_the_vectors_of_its_card_with_its_adapter(checkpoint):
    folder, ours = checkpoint(VLM2VEC), opened(checkpoint(VLM2VEC))
    pictures = [page(), page((0.1, 0.1, 0.4, 0.3), (594, 420)), page(size=(200, 300))]
    for found, picture in zip(vectors_of(ours, pictures), pictures, strict=True):
        wanted = by_vlm2vec(folder, "<|image_pad|> Represent the given image.", picture)
        assert np.abs(found.vectors - wanted).max() <= 1e-5
        assert np.isnan(found.boxes).all()
    instruction = "Find the document image that can answer the given query: "
    assert np.abs(asked(ours).vectors - by_vlm2vec(folder, instruction + QUESTION, None)).max() <= 1e-5


def test_vlm2vec_is_found_by_its_name_in_the_hubs_cache(checkpoint, tmp_path, monkeypatch):
    from huggingface_hub import constants

    commit = "c" * 40
    snapshot = tmp_path / "models--TIGER-Lab--VLM2Vec-Qwen2VL-2B" / "snapshots" / commit
    shutil.copytree(checkpoint(VLM2VEC), snapshot)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for name in ("TIGER-Lab/VLM2Vec-Qwen2VL-2B", str(snapshot)):
        encoder = opened(name)
        np.testing.assert_array_equal(asked(encoder).vectors, asked(opened(checkpoint(VLM2VEC))).vectors)
    assert opened("TIGER-Lab/VLM2Vec-Qwen2VL-2B").revision == commit


class Command:
    """What a pickle may hold: loading it runs a command."""

    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


def test_a_pickle_that_would_run_a_program_is_not_loaded(checkpoint, tmp_path):
    folder = tmp_path / VLM2VEC
    shutil.copytree(checkpoint(VLM2VEC), folder)
    torch.save({"base_model.model.x": Command()}, folder / "adapter_model.bin", pickle_module=pickle)
    with pytest.raises(EncoderError, match="pickle with more than tensors"):
        opened(folder).describe()
    assert not Path("ran").exists()


def test_an_adapter_whose_names_fit_no_part_is_refused(checkpoint, tmp_path):
    folder = tmp_path / VLM2VEC
    shutil.copytree(checkpoint(VLM2VEC), folder)
    weights = torch.load(folder / "adapter_model.bin", weights_only=True)
    renamed = {name.replace(".q_proj.", ".query."): weight for name, weight in weights.items()}
    torch.save(renamed, folder / "adapter_model.bin")
    with pytest.raises(EncoderError, match=r"missing: .*q_proj.*; unknown: .*\.query\."):
        opened(folder).describe()


def test_an_adapter_that_may_be_for_anything_is_refused(checkpoint, tmp_path):
    folder = tmp_path / "chat-adapter"
    shutil.copytree(checkpoint(VLM2VEC), folder)
    with pytest.raises(SettingsError, match=r"chat-adapter.*an adapter on .*-base"):
        opened(folder).describe()


def test_a_base_that_is_not_there_is_named(checkpoint, tmp_path):
    folder = tmp_path / VLM2VEC
    shutil.copytree(checkpoint(VLM2VEC), folder)
    told = json.loads((folder / "adapter_config.json").read_text())
    told["base_model_name_or_path"] = "Qwen/Qwen2-VL-2B-Instruct"
    (folder / "adapter_config.json").write_text(json.dumps(told))
    with pytest.raises(EncoderError, match="weights of Qwen/Qwen2-VL-2B-Instruct cannot be loaded"):
        opened(folder).describe()


# ---- Granite Vision Embedding


class GraniteAsPublished:
    """The network put together from its parts, by the names that its checkpoint has for them."""

    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = load_file(folder / "model.safetensors")
        self.vision = SiglipVisionModel(SiglipVisionConfig(**self.config["vision_config"])).eval()
        self.vision.load_state_dict(self._part("model.vision_tower.vision_model."))
        self.language = GraniteModel(GraniteConfig(**self.config["text_config"])).eval()
        self.language.load_state_dict(self._part("model.language_model.model."))
        tokenizer = AutoTokenizer.from_pretrained(folder, config=GraniteConfig(**self.config["text_config"]))
        self.processor = LlavaNextProcessor(
            LlavaNextImageProcessor.from_pretrained(folder), tokenizer, patch_size=14,
            vision_feature_select_strategy="full",
        )  # fmt: skip

    def _part(self, prefix: str) -> dict[str, torch.Tensor]:
        return {name.removeprefix(prefix): one for name, one in self.weights.items() if name.startswith(prefix)}

    def _linear(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        return inputs @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    @torch.no_grad()
    def page(self, picture: Image.Image) -> np.ndarray:
        """(9, 128): the last image tokens, which are those of the view of the whole page."""
        scale = 44 / min(picture.size)
        width, height = (min(round(side * scale), 88) for side in picture.size)
        inputs = self.processor(
            text="<|user|>\n<image>\nDescribe the image.\n", return_tensors="pt",
            images=picture.resize((width, height), Image.Resampling.LANCZOS),
        )  # fmt: skip
        layers = self.vision(inputs["pixel_values"][0], output_hidden_states=True).hidden_states
        features = torch.cat([layers[layer] for layer in self.config["vision_feature_layer"]], dim=-1)
        features = torch.nn.functional.gelu(self._linear("model.multi_modal_projector.linear_1", features))
        whole, *tiles = self._linear("model.multi_modal_projector.linear_2", features)
        rows, columns = get_anyres_image_grid_shape((height, width), self.config["image_grid_pinpoints"], 44)
        joined = (
            torch.stack(tiles).view(rows, columns, 3, 3, -1).permute(4, 0, 2, 1, 3).reshape(-1, rows * 3, columns * 3)
        )
        joined = unpad_image(joined, (height, width))
        newline = self.weights["model.image_newline"][:, None, None].expand(-1, joined.shape[1], 1)
        joined = torch.cat([joined, newline], dim=-1).flatten(1).T
        embedded = self.language.embed_tokens(inputs["input_ids"])
        looks = inputs["input_ids"] == self.processor.image_token_id
        embedded[looks] = torch.cat([joined, whole])
        hidden = self.language(inputs_embeds=embedded).last_hidden_state
        return unit(self._linear("custom_text_proj", hidden[looks][-9:]))

    @torch.no_grad()
    def query(self, question: str) -> np.ndarray:
        """(tokens, 128)."""
        text = f"<|user|>\nQuery: {question}" + "<|end_of_text|>" * 10 + "\n"
        hidden = self.language(**self.processor.tokenizer(text, return_tensors="pt")).last_hidden_state
        return unit(self._linear("custom_text_proj", hidden[0]))


def test_granite_makes_the_vectors_of_its_parts(checkpoint):
    theirs, ours = GraniteAsPublished(checkpoint("granite")), opened(checkpoint("granite"))
    pictures = [page(), page((0.1, 0.1, 0.4, 0.3), (594, 420)), page(size=(200, 900)), page(size=(500, 500))]
    for found, picture in zip(vectors_of(ours, pictures), pictures, strict=True):
        assert found.vectors.shape == (9, 128)
        assert np.abs(found.vectors - theirs.page(picture)).max() <= 1e-5
    query = asked(ours)
    assert np.abs(query.vectors - theirs.query(QUESTION)).max() <= 1e-5
    assert "".join(query.tokens).replace("Ġ", " ").startswith("<|user|>ĊQuery: net revenue")
    assert query.tokens[-11:-1] == ["<|end_of_text|>"] * 10


def test_granite_looks_at_a_page_pressed_into_a_square(checkpoint):
    """27 patches of 14 pixels are 378 of a tile's 384: nothing looks at the last six at the right and the bottom."""
    published = patch_boxes.pressed(384, 14)
    assert published.shape == (729, 4)
    np.testing.assert_allclose(published[0], [0, 0, 14 / 384, 14 / 384], atol=1e-6)
    np.testing.assert_allclose(published[-1], [364 / 384, 364 / 384, 378 / 384, 378 / 384], atol=1e-6)
    found = vectors_of(opened(checkpoint("granite")), [page()])[0]
    np.testing.assert_array_equal(found.boxes, patch_boxes.pressed(44, 14))


@pytest.mark.parametrize("size", [(420, 594), (594, 420), (300, 900)])
@pytest.mark.parametrize("mark", [(0.05, 0.06, 0.2, 0.15), (0.75, 0.4, 0.9, 0.55), (0.4, 0.75, 0.6, 0.9)])
def test_where_pages_differ_granites_vectors_differ_most(checkpoint, mark, size):
    blank, marked = vectors_of(opened(checkpoint("granite")), [page(size=size), page(mark, size)])
    left, top, right, bottom = blank.boxes[np.linalg.norm(blank.vectors - marked.vectors, axis=1).argmax()]
    assert left <= mark[2]
    assert right >= mark[0]
    assert top <= mark[3]
    assert bottom >= mark[1]


def test_granites_table_leads_from_the_checkpoints_names_to_the_models(checkpoint):
    folder = checkpoint("granite")
    names = [name for name in load_file(folder / "model.safetensors") if not re.match(granite.UNUSED, name)]
    for theirs, ours in granite.RENAMED.items():
        assert any(re.match(theirs, name) for name in names)
        names = [re.sub(theirs, ours, name) for name in names]
    config = LlavaNextConfig.from_dict(json.loads((folder / "config.json").read_text()))
    assert set(names) == set(granite.network()(config).state_dict())


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("model.vision_tower.vision_model.post_layernorm.weight", "model.vision_tower.trunk.post_layernorm.weight"),
        ("model.language_model.model.norm.weight", "model.language_model.last_norm.weight"),
        ("custom_text_proj.weight", "embedding_proj.weight"),
    ],
)
def test_granite_with_other_names_of_weights_is_refused(checkpoint, tmp_path, name, other):
    folder = tmp_path / "granite"
    shutil.copytree(checkpoint("granite"), folder)
    weights = load_file(folder / "model.safetensors")
    weights[other] = weights.pop(name)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"missing: .*; unknown: .*some would stay random") as caught:
        opened(folder).describe()
    assert other in str(caught.value)


# ---- all of them


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_has_the_vectors_of_its_pages_alone(checkpoint, kind):
    ours, pictures = opened(checkpoint(kind)), [page(), page(size=(594, 300)), page(size=(200, 594))]
    for together, picture in zip(vectors_of(ours, pictures), pictures, strict=True):
        alone = vectors_of(ours, [picture])[0]
        assert np.abs(together.vectors - alone.vectors).max() <= 1e-5
        np.testing.assert_array_equal(together.boxes, alone.boxes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_index_search_and_maps_by_the_command_line(checkpoint, kind, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.setenv("PAGESIGHT_DEVICE", "cpu")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    more = ["--dim", "16"] if kind == "vdr" else []
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", str(checkpoint(kind)), *more]) == 0
    assert "2 pages" in capsys.readouterr().out
    noted = json.loads(Path(".pagesight/index.json").read_text())["encoder"]
    assert noted["dim"] == {"vdr": 16, VLM2VEC: 32, "granite": 128}[kind]
    assert main(["search", "net revenue", "--json", "--heatmap", "maps"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["label"] == "a.pdf p. 1"
    drawn, plain = Path("maps/a.pdf-p1.png"), Path("plain.png")
    assert main(["view", "a.pdf p. 1", "--out", str(plain)]) == 0
    with Image.open(drawn) as one, Image.open(plain) as other:
        looks_alike = np.abs(np.asarray(one.resize(other.size), int) - np.asarray(other, int)).mean() < 1
    assert looks_alike == (kind != "granite")  # only Granite's vectors have boxes


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_changes_little(checkpoint, kind):
    whole = vectors_of(opened(checkpoint(kind)), [page()])[0].vectors
    half = make_encoder(str(checkpoint(kind)), small_settings(device="cpu", dtype="bfloat16"))
    found = vectors_of(half, [page()])[0].vectors
    assert found.dtype == np.float32
    assert ((found * whole).sum(axis=1) > 0.99).all()
    assert (asked(half).vectors * asked(opened(checkpoint(kind))).vectors).sum(axis=1).min() > 0.98
