"""The page encoders that are known by name: how each is loaded, what its vectors are, and what may be done with it.

A revision stands here only where it was seen; None takes the newest, which an index then records.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Route = Literal["built in", "colpali-engine", "sentence-transformers", "native", "external"]

#: What the name of an encoder begins with that a script of the user's makes; its path follows.
SCRIPT_PREFIX = "external:"

#: The best that a GPU runs, by the published measurements in docs/encoders.md.
BEST_ON_GPU = "vidore/colqwen2.5-v0.2"

_PACKAGES: dict[Route, tuple[str, ...]] = {
    "built in": (),
    "colpali-engine": ("torch", "transformers", "colpali_engine"),
    "sentence-transformers": ("torch", "transformers", "sentence_transformers"),
    "native": ("torch", "transformers", "peft"),
    "external": (),
}
_DESCRIBE = "Describe the image."


@dataclass(frozen=True)
class KnownModel:
    """A model that pagesight knows.

    ``family`` is the class that loads it, or the script in workers/ that does; ``dim`` the dimensions of its vectors
    and ``vectors`` how many a page of A4 has, both as published; the prompts are what stands around a question and
    beside a page. ``remote_code`` says that its repository brings code of its own.
    """

    name: str
    route: Route
    family: str
    dim: int
    vectors: str
    licence: str
    query_prompt: str = ""
    page_prompt: str = ""
    revision: str | None = None
    remote_code: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The model as it stands in ``encoders --json``; whether it is installed in an environment of its own, nobody
        looks.
        """
        installed = None if self.route == "external" else runnable(self.route)
        return asdict(self) | {"installed": installed, "weights": weights_here(self)}

    @property
    def repository(self) -> str:
        """The repository of its weights: its name without what may follow a colon, its variant."""
        return self.name.partition(":")[0]

    @property
    def variant(self) -> str | None:
        """Which of the repository's vectors it makes, where there are several kinds."""
        return self.name.partition(":")[2] or None

    @property
    def here(self) -> str:
        """What of it is on this machine, in words."""
        installed = "installed" if runnable(self.route) else "not installed"
        where = "in an environment of its own" if self.route == "external" else installed
        return where + (", weights here" if weights_here(self) else "")


def _colpali(name: str, family: str, dim: int, vectors: str, licence: str, suffix: str) -> KnownModel:
    return KnownModel(name, "colpali-engine", family, dim, vectors, licence, f"… + 10 × {suffix}", _DESCRIBE)


_QWEN_3B = "Apache-2.0; check its base's"
_GEMMA = "Gemma"

KNOWN: dict[str, KnownModel] = {
    model.name: model
    for model in (
        KnownModel("lexical", "built in", "LexicalEncoder", 128, "one a word", "MIT", revision="2"),
        _colpali("vidore/colpali-v1.2", "ColPali", 128, "1030", _GEMMA, "<pad>"),
        _colpali("vidore/colpali-v1.3", "ColPali", 128, "1030", _GEMMA, "<pad>"),
        _colpali("vidore/colqwen2-v1.0", "ColQwen2", 128, "to 768", "Apache-2.0", "<|endoftext|>"),
        _colpali("vidore/colqwen2.5-v0.2", "ColQwen2_5", 128, "to 768", _QWEN_3B, "<|endoftext|>"),
        _colpali("nomic-ai/colnomic-embed-multimodal-3b", "ColQwen2_5", 128, "to 768", _QWEN_3B, "<|endoftext|>"),
        _colpali("vidore/colSmol-256M", "ColIdefics3", 128, "876", "Apache-2.0", "<end_of_utterance>"),
        _colpali("vidore/colSmol-500M", "ColIdefics3", 128, "876", "Apache-2.0", "<end_of_utterance>"),
        _colpali("ModernVBERT/colmodernvbert", "ColModernVBert", 128, "876", "MIT", "<end_of_utterance>"),
        _colpali("athrael-soju/colqwen3.5-4.5B-v3", "ColQwen3_5", 320, "dynamic", "Apache-2.0", "<|endoftext|>"),
        _colpali("TomoroAI/tomoro-colqwen3-embed-4b", "ColQwen3", 320, "dynamic", "Apache-2.0", "<|endoftext|>"),
        KnownModel(
            "llamaindex/vdr-2b-multi-v1", "native", "vdr", 1536, "1", "Apache-2.0",
            "dummy picture + Query: …", "What is shown in this image?",
        ),
        KnownModel(
            "TIGER-Lab/VLM2Vec-Qwen2VL-2B", "native", "VLM2Vec", 1536, "1", "Apache-2.0",
            "Find the document image that can answer the given query: …", "Represent the given image.",
        ),
        KnownModel("sentence-transformers/clip-ViT-B-32", "sentence-transformers", "CLIP", 512, "1", "see card"),
        KnownModel("openai/clip-vit-base-patch32", "sentence-transformers", "CLIP", 512, "1", "see card"),
        KnownModel("google/siglip-base-patch16-384", "sentence-transformers", "SigLIP", 768, "1", "see card"),
        KnownModel("google/siglip2-base-patch16-384", "sentence-transformers", "SigLIP 2", 768, "1", "see card"),
        KnownModel(
            "ibm-granite/granite-vision-3.3-2b-embedding", "native", "Granite", 128, "729", "Apache-2.0",
            "<|user|>\\nQuery: … + 10 × pad", _DESCRIBE,
        ),
        KnownModel(
            "TIGER-Lab/VLM2Vec-Full", "external", "vlm2vec", 3072, "1", "Apache-2.0",
            "Find the document image that can answer the given query: …", "<|image_1|> Represent the given image",
            remote_code=True,
        ),
        KnownModel(
            "jinaai/jina-embeddings-v4", "external", "jina_embeddings_v4", 128, "dynamic", "CC-BY-NC", "Query: …",
            _DESCRIBE, remote_code=True,
        ),
        KnownModel(
            "jinaai/jina-embeddings-v4:single", "external", "jina_embeddings_v4", 2048, "1", "CC-BY-NC", "Query: …",
            _DESCRIBE, remote_code=True,
        ),
        KnownModel("jinaai/jina-clip-v2", "external", "jina_clip", 1024, "1", "CC-BY-NC", remote_code=True),
        KnownModel("nomic-ai/nomic-embed-vision-v1.5", "external", "nomic_embed_vision", 768, "1", "see card",
                   "search_query: …", remote_code=True),
    )
}  # fmt: skip


def nearest(name: str) -> list[str]:
    """The known names that come nearest to a name, best first; the repository's owner may be left out."""
    by_lower = {known.lower(): known for known in KNOWN}
    short = {known.rpartition("/")[2]: full for known, full in by_lower.items()}
    wanted = name.lower()
    near = [by_lower[found] for found in difflib.get_close_matches(wanted, by_lower, n=3, cutoff=0.55)]
    near += [short[found] for found in difflib.get_close_matches(wanted.rpartition("/")[2], short, n=3, cutoff=0.55)]
    return list(dict.fromkeys(near))[:3]


def has_own_environment(name: str) -> bool:
    """Whether an encoder is run by the Python of another environment."""
    return name.startswith(SCRIPT_PREFIX) or (name in KNOWN and KNOWN[name].route == "external")


def runnable(route: Route) -> bool:
    """Whether the packages of a route are installed; looks for them without importing them."""
    return all(importlib.util.find_spec(package) for package in _PACKAGES[route])


def weights_here(model: KnownModel) -> bool:
    """Whether the model's repository is in the hub's local cache; true where none is needed."""
    if model.route == "built in":
        return True
    if importlib.util.find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import constants

    snapshots = Path(constants.HF_HUB_CACHE) / f"models--{model.repository.replace('/', '--')}" / "snapshots"
    return snapshots.is_dir() and any(os.scandir(snapshots))
