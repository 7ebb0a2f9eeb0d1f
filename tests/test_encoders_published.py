"""Checkpoints as they are published: their names of weights, their faults, and the prompts that they were trained with.

What a library saves it also loads; published files were saved by older versions and by others' code, with other names.
"""

from __future__ import annotations

import json
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
pytest.importorskip("colpali_engine", reason="colpali-engine is not installed: the extra colpali brings it")

import tiny_checkpoints
import torch
from safetensors.torch import load_file, save_file
from simulated_hub import SimulatedHub

from pagesight.agent.cli import main
from pagesight.indexing.encoders import KNOWN, make_encoder
from pagesight.indexing.errors import EncoderError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

torch.set_num_threads(1)

#: How the names of weights begin in what we save, and in what is published.
PUBLISHED: dict[tuple[str, str], dict[str, str]] = {
    ("ColPali", "vidore"): {r"^model\.vision_tower\.": "model.vision_tower.vision_model."},
    ("ColQwen2", "vidore"): {r"^language_model\.": "model."},
    ("ColQwen2", "newer"): {r"^language_model\.": "model.language_model."},
    ("ColQwen2_5", "vidore"): {r"^language_model\.": "model."},
    ("ColQwen2_5", "newer"): {r"^language_model\.": "model.language_model."},
    ("ColQwen3", "plain"): {r"^model\.": ""},
    ("ColQwen3", "tomoro"): {r"^model\.custom_text_proj": "embedding_proj_layer", r"^model\.": "vlm.model."},
    ("ColQwen3_5", "prefixed"): {r"^(?!custom)": "model."},
    ("ColModernVBert", "plain"): {r"^base_model\.model\.": ""},
}
ADAPTERS: dict[str, dict[str, str]] = {
    "ColPali": {r"\.model\.language_model\.(?!model\.)": ".model.language_model.model."},
    "ColQwen2": {r"^base_model\.model\.language_model\.": "base_model.model.model."},
    "ColQwen2_5": {r"^base_model\.model\.language_model\.": "base_model.model.model."},
    "ColIdefics3": {},
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[..., Path]:
    """The folder of a family's tiny checkpoint, or of an adapter on it, made when first asked for."""
    root = tmp_path_factory.mktemp("published")
    made: dict[tuple[str, bool], Path] = {}

    def get(family: str, adapter: bool = False) -> Path:
        if (family, adapter) not in made:
            folder = root / f"{family}-{adapter}"
            build = tiny_checkpoints.COLPALI_ENGINE[family]
            made[family, adapter] = tiny_checkpoints.adapter(folder, family) if adapter else build(folder)
        return made[family, adapter]

    return get


def renamed(folder: Path, into: Path, names: dict[str, str]) -> Path:
    """The same checkpoint, its weights called otherwise."""
    shutil.copytree(folder, into)
    file = next(into.glob("*.safetensors"))
    weights = load_file(file)
    for old, new in names.items():
        weights = {re.sub(old, new, name): weight for name, weight in weights.items()}
    save_file(weights, file, metadata={"format": "pt"})
    return into


def opened(name: Path | str, noted: dict[str, Any] | None = None, **settings: Any) -> Any:
    return make_encoder(str(name), small_settings(device="cpu", dtype="float32", **settings), noted)


def vectors(encoder: Any) -> np.ndarray:
    """Those of a page and of a question, one below the other."""
    picture = Image.linear_gradient("L").resize((420, 594)).convert("RGB")
    ImageDraw.Draw(picture).rectangle((40, 60, 180, 200), fill="red")
    page = encoder.encode_pages([picture], [PageText.empty()])[0].vectors
    return np.concatenate([page, question(encoder)])


def question(encoder: Any) -> np.ndarray:
    return np.asarray(encoder.encode_query(read_query("net revenue"), TermStatistics().idf).vectors)


@pytest.mark.parametrize(("family", "publisher"), PUBLISHED)
def test_published_names_of_weights_give_the_same_vectors(checkpoint, family, publisher, tmp_path):
    folder = renamed(checkpoint(family), tmp_path / "published", PUBLISHED[family, publisher])
    before, after = (next(one.glob("*.safetensors")) for one in (checkpoint(family), folder))
    assert set(load_file(before)) != set(load_file(after))
    np.testing.assert_array_equal(vectors(opened(folder)), vectors(opened(checkpoint(family))))


@pytest.mark.parametrize("family", ADAPTERS)
def test_published_names_of_adapters_give_the_same_vectors(checkpoint, family, tmp_path):
    folder = renamed(checkpoint(family, adapter=True), tmp_path / "published", ADAPTERS[family])
    np.testing.assert_array_equal(vectors(opened(folder)), vectors(opened(checkpoint(family, adapter=True))))
    plain = opened(checkpoint(family, adapter=True).with_name(f"{family}-True-base"))
    assert np.abs(vectors(opened(folder)) - vectors(plain)).max() > 1e-3


def test_a_head_for_words_that_nobody_looks_at_does_no_harm(checkpoint, tmp_path):
    folder = renamed(checkpoint("ColQwen3"), tmp_path / "tomoro", PUBLISHED["ColQwen3", "tomoro"])
    file = folder / "model.safetensors"
    save_file(load_file(file) | {"vlm.lm_head.weight": torch.zeros(126, 32)}, file, metadata={"format": "pt"})
    np.testing.assert_array_equal(question(opened(folder)), question(opened(checkpoint("ColQwen3"))))


@pytest.mark.parametrize("family", tiny_checkpoints.COLPALI_ENGINE)
def test_names_that_fit_nothing_are_refused(checkpoint, family, tmp_path):
    folder = renamed(checkpoint(family), tmp_path / "other", {r"(custom_text_proj|^linear)": "projection"})
    with pytest.raises(EncoderError, match=r"weights of .*other are not named.*missing: .*; unknown: .*projection"):
        opened(folder).describe()


@pytest.mark.parametrize("family", ["ColPali", "ColQwen2_5", "ColQwen3", "ColIdefics3"])
def test_a_projection_of_another_size_is_named(checkpoint, family, tmp_path):
    folder = tmp_path / "wide"
    shutil.copytree(checkpoint(family), folder)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith(("custom_text_proj.weight", "linear.weight")))
    weights[name] = torch.randn(256, 32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    head = "linear" if family == "ColIdefics3" else "custom_text_proj"
    has = rf"of another size: .*{head}\.weight is 256×32 instead of (128|320)×32"
    with pytest.raises(EncoderError, match=has):
        opened(folder).describe()


def test_a_single_vector_model_with_missing_weights_is_refused(tmp_path):
    tiny_checkpoints.clip(tmp_path / "clip")
    for old, said in (("visual_projection", "missing: visual_projection.weight; unknown: projection.weight"),):
        folder = renamed(tmp_path / "clip", tmp_path / "other", {old: "projection"})
        with pytest.raises(EncoderError, match=said):
            opened(folder).describe()


def test_a_model_of_texts_alone_is_refused_in_words(tmp_path, capsys):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    words = tiny_checkpoints.tokenizer(["<pad>"], "<pad>")
    config = Qwen2Config(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
                         num_key_value_heads=1, vocab_size=len(words))  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "chat")
    words.save_pretrained(tmp_path / "chat")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"]])
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", str(tmp_path / "chat")]) == 1
    error = capsys.readouterr().err
    assert "chat cannot look at pages" in error
    assert "Qwen2ForCausalLM" in error
    assert "Traceback" not in error


def test_a_sentence_transformer_of_texts_alone_is_refused_in_words(tmp_path):
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel

    words = tiny_checkpoints.tokenizer(["<pad>"], "<pad>")
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(**size, vocab_size=len(words))).save_pretrained(tmp_path / "bert")
    words.save_pretrained(tmp_path / "bert")
    SentenceTransformer(str(tmp_path / "bert"), device="cpu").save_pretrained(str(tmp_path / "texts"))
    with pytest.raises(EncoderError, match="texts cannot look at pages"):
        opened(tmp_path / "texts").describe()


@pytest.mark.parametrize("family", ["ColPali", "ColQwen2", "ColQwen3_5", "ColIdefics3", "ColModernVBert"])
def test_a_tokenizer_without_an_image_processor_is_refused_in_words(checkpoint, family, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(checkpoint(family), folder)
    for file in folder.glob("*processor*.json"):
        file.unlink()
    with pytest.raises(EncoderError, match="no image processor"):
        opened(folder).describe()


@pytest.mark.parametrize("file", ["config.json", "processor_config.json", "tokenizer.json", "model.safetensors"])
def test_a_broken_file_is_one_error_without_a_traceback(checkpoint, file, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(checkpoint("ColQwen2"), folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(EncoderError, match="broken"):
        opened(folder).describe()


# ---- prompts


@pytest.fixture
def hub(tmp_path, monkeypatch) -> SimulatedHub:
    return SimulatedHub(tmp_path / "hub", monkeypatch)


def test_the_older_models_get_query_before_a_question(checkpoint, hub):
    from colpali_engine.models import ColPali, ColPaliProcessor

    folder = checkpoint("ColPali")
    hub.publish("vidore/colpali-v1.3", folder, "a" * 40)
    encoder = opened("vidore/colpali-v1.3")
    inputs = ColPaliProcessor.from_pretrained(folder).process_queries(["Query: net revenue"])
    with torch.no_grad():
        wanted = ColPali.from_pretrained(folder, dtype=torch.float32).eval()(**inputs)[0]
    np.testing.assert_allclose(question(encoder), wanted.numpy(), atol=1e-5)
    told = encoder.describe()["prompts"]
    assert told == {"query_prefix": "Query: ", "query_suffix": "<pad>" * 10, "page": "<image><bos>Describe the image."}


def test_a_downloaded_folder_is_known_by_its_repositorys_name(checkpoint, hub, tmp_path):
    hub.publish("vidore/colqwen2-v1.0", checkpoint("ColQwen2"), "a" * 40)
    shutil.copytree(checkpoint("ColQwen2"), tmp_path / "colqwen2-v1.0")
    by_name = question(opened("vidore/colqwen2-v1.0"))
    np.testing.assert_array_equal(question(opened(tmp_path / "colqwen2-v1.0")), by_name)
    plain = question(opened(checkpoint("ColQwen2")))
    assert len(by_name) > len(plain)


def test_an_index_keeps_the_prompts_that_it_was_made_with(checkpoint, hub):
    hub.publish("vidore/colqwen2-v1.0", checkpoint("ColQwen2"), "a" * 40)
    noted = {"name": "vidore/colqwen2-v1.0", "revision": "a" * 40, "dim": 128}
    old = opened("vidore/colqwen2-v1.0", noted)  # made before prompts were noted: none was put before a question
    np.testing.assert_array_equal(question(old), question(opened(checkpoint("ColQwen2"))))
    assert old.describe() == noted
    own = noted | {"prompts": {"query_prefix": "Question: ", "query_suffix": "<|endoftext|>", "page": "ignored"}}
    assert len(question(opened("vidore/colqwen2-v1.0", own))) == len(question(opened(checkpoint("ColQwen2")))) + 1
    assert opened("vidore/colqwen2-v1.0", own).describe() == own


@pytest.mark.parametrize(
    ("name", "family", "tokens"),
    [
        ("TomoroAI/tomoro-colqwen3-embed-4b", "ColQwen3", 1280),
        ("vultr/VultronRetrieverFlash-Qwen3.5-0.8B", "ColQwen3_5", 1792),
    ],
)
def test_pages_have_the_visual_tokens_of_the_published_figures(checkpoint, hub, name, family, tokens):
    assert KNOWN[name].visual_tokens == tokens
    hub.publish(name, checkpoint(family), "a" * 40)
    encoder = opened(name)
    told = encoder.describe()
    assert told["visual_tokens"] == tokens
    assert encoder._model._processor.image_processor.size["longest_edge"] == tokens * 32 * 32
    assert opened(name, visual_tokens=64).describe()["visual_tokens"] == 64
    older = {name: told[name] for name in ("name", "revision", "dim")}
    assert "visual_tokens" not in opened(name, older).describe()
    assert json.loads(json.dumps(told)) == told
