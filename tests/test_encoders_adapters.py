"""Models that are adapters on the hub: each of adapter and base is kept to its own commit, on every route."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_index import small_settings, write_pdf

pytest.importorskip("torch", reason="torch is not installed: the extra colpali brings it")
pytest.importorskip("colpali_engine", reason="colpali-engine is not installed: the extra colpali brings it")

import tiny_checkpoints
import torch
from safetensors.torch import load_file, save_file
from simulated_hub import SimulatedHub

from pagesight.agent.cli import main
from pagesight.indexing.encoders import KNOWN, make_encoder
from pagesight.indexing.errors import EncoderError, EncoderMismatch
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

torch.set_num_threads(1)

ADAPTER, BASE = "a" * 40, "b" * 40
NEWER_ADAPTER, NEWER_BASE = "c" * 40, "d" * 40
#: Each row of the registry that is an adapter, with the base that its `adapter_config.json` names.
ROWS = {
    name: KNOWN[name].base or f"{name}-base"
    for name in (
        "vidore/colpali-v1.2", "vidore/colpali-v1.3", "vidore/colqwen2-v1.0", "vidore/colqwen2.5-v0.2",
        "nomic-ai/colnomic-embed-multimodal-3b", "nomic-ai/colnomic-embed-multimodal-7b", "vidore/colSmol-256M",
        "vidore/colSmol-500M",
    )
}  # fmt: skip


@pytest.fixture(scope="session")
def adapter(tmp_path_factory) -> Callable[..., Path]:
    """The folder of a family's tiny adapter, made when first asked for; its base is beside it."""
    root = tmp_path_factory.mktemp("adapters")
    made: dict[Any, Path] = {}

    def get(family: str, whole_head: bool = False) -> Path:
        if (family, whole_head) not in made:
            folder = root / f"{family}-{whole_head}"
            made[family, whole_head] = tiny_checkpoints.adapter(folder, family, whole_head=whole_head)
        return made[family, whole_head]

    return get


@pytest.fixture
def hub(tmp_path, monkeypatch) -> SimulatedHub:
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.setenv("PAGESIGHT_DEVICE", "cpu")
    return SimulatedHub(tmp_path / "hub", monkeypatch)


def base_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-base")


def publish(hub: SimulatedHub, name: str, folder: Path) -> str:
    """Adapter and base, each at a commit of its own; the base's name."""
    base = ROWS.get(name, f"{name}-base")
    hub.publish(name, folder, ADAPTER, base=base)
    hub.publish(base, base_of(folder), BASE)
    return base


def question(name: str, noted: dict[str, Any] | None = None) -> np.ndarray:
    encoder = make_encoder(name, small_settings(device="cpu", dtype="float32"), noted)
    return encoder.encode_query(read_query("net revenue"), TermStatistics().idf).vectors


def noted_encoder() -> dict[str, Any]:
    return dict(json.loads(Path(".pagesight/index.json").read_text())["encoder"])


def spoiled(folder: Path, into: Path) -> Path:
    """The same checkpoint with other weights."""
    shutil.copytree(folder, into)
    for file in into.glob("*.safetensors"):
        weights = {name: torch.randn_like(weight) for name, weight in load_file(file).items()}
        save_file(weights, file, metadata={"format": "pt"})
    return into


@pytest.mark.parametrize("name", ROWS)
def test_what_is_indexed_is_searched_with_the_same_commits(hub, adapter, name, tmp_path, capsys):
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    base = publish(hub, name, adapter(KNOWN[name].family))
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", name]) == 0
    noted = noted_encoder()
    assert (noted["revision"], noted["base"], noted["base_revision"]) == (ADAPTER, base, BASE)
    before = question(name, noted)

    # What is newest now is another thing; the index goes on with what it was made with.
    hub.publish(name, spoiled(adapter(KNOWN[name].family), tmp_path / "x"), NEWER_ADAPTER, base=base)
    hub.publish(base, spoiled(base_of(adapter(KNOWN[name].family)), tmp_path / "y"), NEWER_BASE)
    capsys.readouterr()
    assert main(["search", "net revenue", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    np.testing.assert_array_equal(question(name, noted), before)
    assert np.abs(question(name)[:3] - before[:3]).max() > 1e-2


def test_commits_alone_will_do_for_a_search(hub, adapter, tmp_path, capsys):
    name = "vidore/colqwen2.5-v0.2"
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"]])
    base = publish(hub, name, adapter("ColQwen2_5"))
    assert main(["index", str(tmp_path / "a.pdf"), "--encoder", name]) == 0
    hub.forget_newest(name)
    hub.forget_newest(base)
    capsys.readouterr()
    assert main(["search", "net revenue", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_an_adapter_that_is_not_known_is_recognised_by_its_base(hub, adapter):
    publish(hub, "someone/their-adapter", adapter("ColIdefics3"))
    encoder = make_encoder("someone/their-adapter", small_settings(device="cpu", dtype="float32"))
    told = encoder.describe()
    assert (told["revision"], told["base_revision"]) == (ADAPTER, BASE)
    pages = encoder.encode_pages([Image.new("RGB", (300, 400), "white")], [PageText.empty()])
    assert pages[0].vectors.shape[1] == 128


def test_an_adapter_that_brings_its_projection_needs_none_below(hub, adapter, tmp_path):
    folder = adapter("ColQwen2_5", whole_head=True)
    weights = load_file(base_of(folder) / "model.safetensors")
    headless = tmp_path / "headless"
    spoiled(base_of(folder), headless)
    kept = {key: one for key, one in weights.items() if not key.startswith("custom_text_proj")}
    save_file(kept, headless / "model.safetensors", metadata={"format": "pt"})
    hub.publish("someone/with-head", folder, ADAPTER, base="someone/headless")
    hub.publish("someone/headless", headless, BASE)
    np.testing.assert_array_equal(question("someone/with-head"), question(str(folder)))


@pytest.mark.parametrize("part", ["adapter", "base"])
@pytest.mark.parametrize("fault", ["missing", "unknown"])
def test_a_weight_that_is_missing_or_left_over_is_named(hub, adapter, tmp_path, part, fault):
    name, folder = "vidore/colqwen2-v1.0", adapter("ColQwen2")
    own = folder if part == "adapter" else base_of(folder)
    other = tmp_path / "other"
    spoiled(own, other)
    file = next(other.glob("*.safetensors"))
    weights = load_file(file)
    key = next(key for key in weights if "q_proj" in key)
    if fault == "unknown":
        weights[key.replace("q_proj", "r_proj")] = weights[key].clone()
    else:
        del weights[key]
    save_file(weights, file, metadata={"format": "pt"})
    hub.publish(name, other if part == "adapter" else folder, ADAPTER, base="vidore/colqwen2-base")
    hub.publish("vidore/colqwen2-base", other if part == "base" else base_of(folder), BASE)
    whose = name if part == "adapter" else "vidore/colqwen2-base"
    letter = "q" if fault == "missing" else "r"
    with pytest.raises(EncoderError, match=rf"weights of {whose} .*{fault}: .*{letter}_proj"):
        question(name)


def test_advice_fetches_adapter_and_base(hub, adapter):
    name = "vidore/colpali-v1.3"
    both = r"`hf download vidore/colpali-v1.3.*` and `hf download vidore/colpaligemma-3b-pt-448-base"
    with pytest.raises(EncoderError, match=both):
        question(name)
    hub.publish(name, adapter("ColPali"), ADAPTER, base=ROWS[name])
    with pytest.raises(EncoderError, match=rf"weights of {ROWS[name]} .*{name} is an adapter on them.*{both}"):
        question(name)


def test_a_base_of_another_commit_is_refused(hub, adapter):
    name = "vidore/colqwen2-v1.0"
    base = publish(hub, name, adapter("ColQwen2"))
    noted = make_encoder(name, small_settings(device="cpu")).describe() | {"base_revision": "e" * 40}
    with pytest.raises(EncoderError, match=rf"`hf download {base} --revision {'e' * 40}`"):
        question(name, noted)
    with pytest.raises(EncoderMismatch, match=r"the base of .*of revision 0123456789abcdef; .* now are b{40}"):
        question(name, noted | {"base_revision": "0123456789abcdef"})


def test_an_adapter_for_sentence_transformers_is_kept_to_its_commits_too(hub, tmp_path):
    from peft import LoraConfig
    from sentence_transformers import MultiVectorEncoder

    base = tiny_checkpoints.colqwen2_port(tmp_path / "base")
    model = MultiVectorEncoder(str(base), device="cpu")
    targets = r".*language_model.*(q_proj|k_proj|v_proj|o_proj)$"
    model.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=targets, init_lora_weights=False))
    model.save_pretrained(str(tmp_path / "adapter"))
    wanted = model.encode_query(["net revenue"], convert_to_numpy=True)[0]
    name = "someone/st-adapter"
    hub.publish(name, tmp_path / "adapter", ADAPTER, base="someone/st-base")
    hub.publish("someone/st-base", base, BASE)
    noted = make_encoder(name, small_settings(device="cpu", dtype="float32")).describe()
    assert (noted["revision"], noted["base"], noted["base_revision"]) == (ADAPTER, "someone/st-base", BASE)
    hub.publish(name, spoiled(tmp_path / "adapter", tmp_path / "x"), NEWER_ADAPTER, base="someone/st-base")
    hub.publish("someone/st-base", spoiled(base, tmp_path / "y"), NEWER_BASE)
    np.testing.assert_allclose(question(name, noted), wanted, atol=1e-5)
