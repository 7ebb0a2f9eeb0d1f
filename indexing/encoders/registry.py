"""The page encoders that are known by name: how each is loaded, what its vectors are, and what may be done with it.

A revision stands here only where it was seen; None takes the newest, which an index then records. Where each figure
and prompt comes from stands in docs/encoders.md.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

from pagesight.indexing.encoders.known_model import KnownModel
from pagesight.indexing.encoders.remote.served import SERVICES

#: What the name of an encoder begins with that a script of the user's makes; its path follows.
SCRIPT_PREFIX = "external:"

_DESCRIBE = "Describe the image."
_APACHE = "Apache-2.0"
# Qwen2.5-VL-3B's own licence, which its descendants' card does not change.
_QWEN_3B = "Apache-2.0 on Qwen Research (not commercial)"
_GEMMA = "Gemma"
_END, _UTTERANCE, _PAD = "<|endoftext|>", "<end_of_utterance>", "<pad>"
# vidore's models were trained with this before a question; colpali-engine put it there to 0.3.12, and not since (#339).
_OLDER = "Query: "


def _colpali(name: str, family: str, dim: int, vectors: str, licence: str, suffix: str) -> KnownModel:
    commercial = licence != _QWEN_3B
    known = KnownModel(name, "colpali-engine", family, dim, vectors, licence, f"… + 10 × {suffix}", _DESCRIBE)
    return replace(known, commercial=commercial)


def _older(model: KnownModel, base: str | None = None) -> KnownModel:
    return replace(model, query_prefix=_OLDER, query_prompt=f"{_OLDER}{model.query_prompt}", base=base)


def _of(model: KnownModel, parameters: float, nano: float | None, quality: float | None = None, tokens: int | None = None) -> KnownModel:  # fmt: skip  # noqa: E501
    return replace(model, parameters=parameters, nano=nano, quality=quality, visual_tokens=tokens)


_VISDOC = "Find a document image that matches the given query: …"

_COLPALI_ENGINE = (
    _of(_older(_colpali("vidore/colpali-v1.2", "ColPali", 128, "1030", _GEMMA, _PAD),
               "vidore/colpaligemma-3b-pt-448-base"), 2.9, 0.469),
    _of(_older(_colpali("vidore/colpali-v1.3", "ColPali", 128, "1030", _GEMMA, _PAD),
               "vidore/colpaligemma-3b-pt-448-base"), 2.9, 0.480),
    _of(_older(_colpali("vidore/colqwen2-v1.0", "ColQwen2", 128, "to 768", _APACHE, _END), "vidore/colqwen2-base"),
        2.2, 0.469),
    _of(_older(_colpali("vidore/colqwen2.5-v0.2", "ColQwen2_5", 128, "to 768", _QWEN_3B, _END),
               "vidore/colqwen2.5-base"), 3.8, 0.540),
    _of(_older(_colpali("nomic-ai/colnomic-embed-multimodal-3b", "ColQwen2_5", 128, "to 768", _QWEN_3B, _END)),
        3.8, 0.593),
    _of(_older(_colpali("nomic-ai/colnomic-embed-multimodal-7b", "ColQwen2_5", 128, "to 768", _APACHE, _END)),
        8.3, 0.594),
    _of(_older(_colpali("vidore/colSmol-256M", "ColIdefics3", 128, "876", _APACHE, _UTTERANCE),
               "vidore/ColSmolVLM-Instruct-256M-base"), 0.26, 0.267),
    _of(_older(_colpali("vidore/colSmol-500M", "ColIdefics3", 128, "876", _APACHE, _UTTERANCE),
               "vidore/ColSmolVLM-Instruct-500M-base"), 0.51, 0.346),
    _of(_colpali("ModernVBERT/colmodernvbert", "ColModernVBert", 128, "876", "MIT", _UTTERANCE), 0.25, 0.263),
    _of(_colpali("vultr/VultronRetrieverPrime-Qwen3.5-8B", "ColQwen3_5", 320, "to 1792", _APACHE, _END),
        8.4, 0.642, 0.647, 1792),
    _of(_colpali("vultr/VultronRetrieverCore-Qwen3.5-4.5B", "ColQwen3_5", 320, "to 1792", _APACHE, _END),
        4.5, 0.641, 0.637, 1792),
    _of(_colpali("vultr/VultronRetrieverFlash-Qwen3.5-0.8B", "ColQwen3_5", 320, "to 1792", _APACHE, _END),
        0.85, 0.569, 0.565, 1792),
    _of(_colpali("athrael-soju/colqwen3.5-4.5B-v3", "ColQwen3_5", 320, "to 1792", _APACHE, _END),
        4.5, 0.636, None, 1792),
    _of(_colpali("TomoroAI/tomoro-colqwen3-embed-4b", "ColQwen3", 320, "to 1280", _APACHE, _END),
        4.4, 0.602, None, 1280),
    _of(_colpali("TomoroAI/tomoro-colqwen3-embed-8b", "ColQwen3", 320, "to 1280", _APACHE, _END),
        8.8, 0.621, None, 1280),
    _of(_colpali("Verm1ion/ColTurk-VDR-Qwen3VL-4B-v1.0", "ColQwen3", 320, "dynamic", _APACHE, _END),
        4.4, 0.543, 0.558),
    _of(_colpali("ApsaraStackMaaS/EvoQwen2.5-VL-Retriever-3B-v1", "ColQwen2_5", 128, "to 768", _QWEN_3B, _END),
        3.8, None),
    _of(_colpali("ApsaraStackMaaS/EvoQwen2.5-VL-Retriever-7B-v1", "ColQwen2_5", 128, "to 768", _APACHE, _END),
        8.3, None),
    _of(_colpali("Cognitive-Lab/ColNetraEmbed", "ColGemma3", 128, "256", _GEMMA, "<eos>"), 4.3, None),
)  # fmt: skip

_NATIVE = (
    KnownModel(
        "llamaindex/vdr-2b-multi-v1", "native", "vdr", 1536, "1", _APACHE,
        "dummy picture + Query: …", "What is shown in this image?", parameters=2.2, commercial=True,
    ),
    KnownModel(
        "TIGER-Lab/VLM2Vec-Qwen2VL-2B", "native", "VLM2Vec", 1536, "1", _APACHE,
        "Find the document image that can answer the given query: …", "Represent the given image.",
        base="Qwen/Qwen2-VL-2B-Instruct", parameters=2.2, commercial=True,
    ),
    KnownModel(
        "VLM2Vec/VLM2Vec-V2.0", "native", "VLM2Vec-V2", 1536, "1", _APACHE, _VISDOC,
        "Understand the content of the provided document image.", parameters=2.2, commercial=True,
    ),
    KnownModel(
        "ibm-granite/granite-vision-3.3-2b-embedding", "native", "Granite", 128, "729", _APACHE,
        "<|user|>\\nQuery: … + 10 × pad", _DESCRIBE, parameters=3.0, commercial=True,
    ),
)  # fmt: skip

_SENTENCE_TRANSFORMERS = (
    KnownModel("sentence-transformers/clip-ViT-B-32", "sentence-transformers", "CLIP", 512, "1", "see card"),
    KnownModel("openai/clip-vit-base-patch32", "sentence-transformers", "CLIP", 512, "1", "see card"),
    KnownModel("google/siglip-base-patch16-384", "sentence-transformers", "SigLIP", 768, "1", "see card"),
    KnownModel("google/siglip2-base-patch16-384", "sentence-transformers", "SigLIP 2", 768, "1", "see card"),
    KnownModel(
        "Qwen/Qwen3-VL-Embedding-2B", "sentence-transformers", "Qwen3-VL-Embedding", 2048, "1", _APACHE,
        "Retrieve images or text relevant to the user's query. …", "Represent the user's input.",
        parameters=2.1, commercial=True,
    ),
    KnownModel(
        "Qwen/Qwen3-VL-Embedding-8B", "sentence-transformers", "Qwen3-VL-Embedding", 4096, "1", _APACHE,
        "Retrieve images or text relevant to the user's query. …", "Represent the user's input.",
        parameters=8.1, commercial=True,
    ),
    KnownModel(
        "jinaai/jina-embeddings-v5-omni-small", "sentence-transformers", "SentenceTransformer", 1024, "1", "see card",
        "the repository's", remote_code=True, parameters=1.6,
    ),
)  # fmt: skip

# Models whose repositories bring code of their own, which vLLM has built in.
_SERVED = (
    KnownModel(
        "nvidia/nemotron-colembed-vl-8b-v2", "served", "Qwen3VLNemotronEmbedModel", 4096, "dynamic", "see card",
        remote_code=True, parameters=8.8, quality=0.634, nano=0.637,
    ),
    KnownModel(
        "nvidia/nemotron-colembed-vl-4b-v2", "served", "Qwen3VLNemotronEmbedModel", 2560, "dynamic", "not commercial",
        remote_code=True, parameters=4.8, quality=0.615, nano=0.620, commercial=False,
    ),
    KnownModel(
        "OpenSearch-AI/Ops-Colqwen3-4B", "served", "OpsColQwen3Model", 2560, "dynamic", _APACHE, remote_code=True,
        parameters=4.4, nano=0.615, commercial=True,
    ),
)  # fmt: skip

_SERVICES = tuple(
    KnownModel(
        service.model, "served", service.form, service.dim, "one a token" if service.several else "1", "paid service"
    )
    for service in SERVICES.values()
)

_JINA_V4 = "Qwen Research (not commercial)"
_EXTERNAL = (
    KnownModel(
        "TIGER-Lab/VLM2Vec-Full", "external", "vlm2vec", 3072, "1", _APACHE,
        "Find the document image that can answer the given query: …", "<|image_1|> Represent the given image",
        remote_code=True,
    ),
    KnownModel(
        "jinaai/jina-embeddings-v4", "external", "jina_embeddings_v4", 128, "dynamic", _JINA_V4, "Query: …",
        _DESCRIBE, remote_code=True, commercial=False,
    ),
    KnownModel(
        "jinaai/jina-embeddings-v4:single", "external", "jina_embeddings_v4", 2048, "1", _JINA_V4, "Query: …",
        _DESCRIBE, remote_code=True, commercial=False,
    ),
    KnownModel("jinaai/jina-clip-v2", "external", "jina_clip", 1024, "1", "CC-BY-NC", remote_code=True,
               commercial=False),
    KnownModel("nomic-ai/nomic-embed-vision-v1.5", "external", "nomic_embed_vision", 768, "1", "see card",
               "search_query: …", remote_code=True),
)  # fmt: skip

_LEXICAL = KnownModel("lexical", "built in", "LexicalEncoder", 128, "one a word", "MIT", revision="2", commercial=True)

_ALL = (_LEXICAL, *_COLPALI_ENGINE, *_NATIVE, *_SENTENCE_TRANSFORMERS, *_SERVED, *_SERVICES, *_EXTERNAL)
KNOWN: dict[str, KnownModel] = {model.name: model for model in _ALL}


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
