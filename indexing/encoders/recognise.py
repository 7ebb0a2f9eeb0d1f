"""Which route and which class load a checkpoint: as the registry says, else as its own configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.known_model import KnownModel, Route
from pagesight.indexing.encoders.load_errors import no_pictures, unknown
from pagesight.indexing.encoders.registry import KNOWN, SCRIPT_PREFIX

# The classes of colpali-engine, by the type of the model that an adapter was trained on.
_FAMILIES = {
    "paligemma": "ColPali",
    "qwen2_vl": "ColQwen2",
    "qwen2_5_vl": "ColQwen2_5",
    "qwen3_vl": "ColQwen3",
    "qwen3_5": "ColQwen3_5",
    "idefics3": "ColIdefics3",
    "modernvbert": "ColModernVBert",
    "gemma3": "ColGemma3",
}
# What configurations of models call themselves that only this package loads, and the class that does.
_NATIVE = {"granitevisionemb": "Granite", "colgranitevision": "Granite"}
_OF_TRANSFORMERS = ("ForRetrieval", "CLIPModel", "SiglipModel", "Siglip2Model")


def recognise(checkpoint: Checkpoint) -> tuple[Route, str]:
    """The route and the class that load a checkpoint.

    Raises SettingsError, with the nearest names that are known, for what no route loads, EncoderError for a model of
    texts alone.
    """
    if known := KNOWN.get(checkpoint.name):
        return known.route, known.family
    if checkpoint.name.startswith(SCRIPT_PREFIX):
        return "external", checkpoint.name.removeprefix(SCRIPT_PREFIX)
    if not checkpoint.folder and "/" not in checkpoint.name:
        raise unknown(checkpoint.name)
    return _by_configuration(checkpoint)


def row_of(name: str) -> KnownModel | None:
    """The row of a name, or of a folder that is called as a known repository is."""
    if name in KNOWN or not Path(name).is_dir():
        return KNOWN.get(name)
    short = _short_name(name)
    return next((known for full, known in KNOWN.items() if full.rpartition("/")[2].lower() == short), None)


def _by_configuration(checkpoint: Checkpoint) -> tuple[Route, str]:
    adapter = checkpoint.read("adapter_config.json")
    if adapter and _projects(checkpoint, adapter):
        return "colpali-engine", _family_below(checkpoint)
    config = checkpoint.read("config.json") or {}
    if native := _native(checkpoint, config):
        return "native", native
    if checkpoint.read("modules.json") or checkpoint.read("config_sentence_transformers.json"):
        return "sentence-transformers", "SentenceTransformer"
    if adapter:
        raise unknown(checkpoint.name, f"an adapter on {adapter.get('base_model_name_or_path')}")
    return _by_architecture(checkpoint.name, config)


def _by_architecture(name: str, config: dict[str, Any]) -> tuple[Route, str]:
    architectures = config.get("architectures") or []
    for architecture in architectures:
        if architecture in _FAMILIES.values():
            return "colpali-engine", architecture
        if architecture.endswith(_OF_TRANSFORMERS):
            return "sentence-transformers", architecture
    if architectures and "vision_config" not in config and "auto_map" not in config and _reads_texts(architectures):
        raise no_pictures(name, f"its configuration is that of a model of texts alone ({', '.join(architectures)})")
    raise unknown(name, architectures or None)


def _reads_texts(architectures: list[str]) -> bool:
    """Whether classes of transformers are named that read nothing but texts."""
    return any(one.endswith(("ForCausalLM", "ForMaskedLM", "ForSequenceClassification")) for one in architectures)


def _native(checkpoint: Checkpoint, config: dict[str, Any]) -> str | None:
    """The class of this package that loads a checkpoint: by its configuration, by the prompts that it brings for
    pictures (vdr), or, where no file says it, by the folder's name (an adapter on Qwen2-VL may be for anything).
    """
    kind = str(config.get("model_type"))
    told = checkpoint.read("config_sentence_transformers.json") or {}
    if kind == "qwen2_vl" and "<|image_pad|>" in ((told.get("prompts") or {}).get("image") or ""):
        return "vdr"
    row = row_of(checkpoint.name)
    return _NATIVE.get(kind) or (row.family if row and row.route == "native" else None)


def _short_name(name: str) -> str:
    """The folder's name, or its repository's where it lies in the hub's cache, without the owner, in lower case."""
    folder = Path(name)
    named = folder.parent.parent if folder.parent.name == "snapshots" else folder
    return named.name.rpartition("--")[2].lower()


def _projects(checkpoint: Checkpoint, adapter: dict[str, Any]) -> bool:
    """Whether an adapter is one of colpali-engine's: on one of its models, or with its projection in the adapter."""
    base = str(adapter.get("base_model_name_or_path"))
    if base in KNOWN or "custom_text_proj" in f"{adapter.get('target_modules')} {adapter.get('modules_to_save')}":
        return True
    row = row_of(checkpoint.name)
    if row:
        return row.route == "colpali-engine"
    architectures = _config_below(checkpoint).get("architectures") or []
    return any(architecture in _FAMILIES.values() for architecture in architectures)


def _family_below(checkpoint: Checkpoint) -> str:
    """The class for an adapter: by the model that it was trained on."""
    row = row_of(checkpoint.name)
    if row and row.route == "colpali-engine":
        return row.family
    base = checkpoint.base()
    if base and base.name in KNOWN:
        return KNOWN[base.name].family
    config = _config_below(checkpoint)
    family = _FAMILIES.get(str(config.get("model_type")))
    if family is None:
        raise unknown(base.name if base else checkpoint.name, config.get("architectures"))
    return family


def _config_below(checkpoint: Checkpoint) -> dict[str, Any]:
    """The configuration of an adapter's base; of a whole model its own."""
    return (checkpoint.base() or checkpoint).read("config.json") or {}
