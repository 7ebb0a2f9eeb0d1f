"""Models that sentence-transformers loads: late interaction, or one vector a page (CLIP, SigLIP and others).

A single vector is a multi-vector of one, without a box: it looks at the whole page.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from pagesight.indexing.encoders import patch_boxes
from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.devices import device_of, dtype_of
from pagesight.indexing.encoders.load_errors import no_pictures
from pagesight.indexing.encoders.weights import loading
from pagesight.indexing.settings import Settings
from pagesight.indexing.vectors.multivector import MultiVector

# The same weights for other programs, in repositories of adapters and their bases.
_UNUSED = ["*.onnx", "*.onnx_data", "*.msgpack", "*.h5", "onnx/*", "openvino/*"]
_SIGLIP = ("SigLIP", "SigLIP 2", "SiglipModel", "Siglip2Model")


class SentenceTransformersModel:
    """A model with its processor; see `pagesight.indexing.encoders.interface.PageModel`."""

    def __init__(self, checkpoint: Checkpoint, family: str, settings: Settings) -> None:
        several = _has_several_vectors(checkpoint, family)
        base = checkpoint.base()
        base = base.at_commit() if base else None
        self._model = _load(checkpoint, base, several, settings)
        if "image" not in self._model.modalities:
            raise no_pictures(checkpoint.name, "it reads texts alone, or lacks an image processor")
        self._several = several
        # SigLIP was trained on texts of this length.
        padded = {"padding": "max_length", "max_length": 64, "truncation": True} if family in _SIGLIP else {}
        self._reading = {"processing_kwargs": {"text": padded}} if padded else {}
        self._lower = bool(padded) and _was_trained_on_lower_case(checkpoint)
        self.dim = self.encode_query("a")[0].shape[1]  # what it says of itself is wrong for SigLIP
        self.revision = checkpoint.fingerprint()
        self.notes: dict[str, Any] = {"base": base.name, "base_revision": base.fingerprint()} if base else {}

    def encode_pages(self, pictures: Sequence[Image]) -> list[MultiVector]:
        """Vectors and boxes; boxes are NaN for single vectors and for the tokens of a prompt."""
        if self._several:
            return [self._page(found) for found in self._raw(self._model.encode_document, list(pictures))]
        vectors = self._model.encode_document(list(pictures), batch_size=len(pictures), show_progress_bar=False)
        return [MultiVector(vector[None], np.full((1, 4), np.nan, np.float32)) for vector in vectors]

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """A vector for each token, or one for the question."""
        if not self._several:
            asked = question.lower() if self._lower else question
            vectors = self._model.encode_query([asked], show_progress_bar=False, **self._reading)
            return np.asarray(vectors, np.float32), [question]
        (found,) = self._raw(self._model.encode_query, [question])
        vectors, tokens = _scored(found)
        return vectors, [self._model.tokenizer.decode([token]) for token in tokens]

    def _raw(self, encode: Any, inputs: list[Any]) -> list[dict[str, Any]]:
        """What the model made of each input, with its tokens; only the masked rows count as vectors."""
        found = encode(inputs, output_value=None, batch_size=len(inputs), show_progress_bar=False)
        return [dict(one) for one in found]

    def _page(self, found: dict[str, Any]) -> MultiVector:
        vectors, tokens = _scored(found)
        boxes = np.full((len(vectors), 4), np.nan, np.float32)
        looks = np.array(tokens) == self._image_token()
        patches = found["image_grid_thw"].tolist()[1:] if "image_grid_thw" in found else None
        marks = self._model.tokenizer.convert_ids_to_tokens(tokens)
        boxes[looks] = patch_boxes.of_page(int(looks.sum()), marks, patches)
        return MultiVector(vectors, boxes)

    def _image_token(self) -> int:
        token = getattr(self._model.processor, "image_token_id", None)
        if token is None:
            token = self._model.tokenizer.convert_tokens_to_ids(self._model.processor.image_token)
        return int(token)


def _load(checkpoint: Checkpoint, base: Checkpoint | None, several: bool, settings: Settings) -> Any:
    import sentence_transformers

    device = device_of(settings.encoding.device)
    kind = sentence_transformers.MultiVectorEncoder if several else sentence_transformers.SentenceTransformer
    options: dict[str, Any] = {"model_kwargs": {"dtype": dtype_of(settings.encoding.dtype, device)}}
    options["trust_remote_code"] = settings.encoding.trust_remote_code
    with loading(checkpoint, base) as reports, _pinned(checkpoint, base) as place:
        model = kind(device=device, **place, **options)
    reports.check(checkpoint, model)
    return model


@contextmanager
def _pinned(checkpoint: Checkpoint, base: Checkpoint | None) -> Iterator[dict[str, Any]]:
    """The arguments that name a model at its commit.

    sentence-transformers takes an adapter's weights and its base at their newest, whatever revision is asked for: an
    adapter is given to it as a folder, with links to its files and the place of its base's.
    """
    if base is None:
        yield {"model_name_or_path": checkpoint.name} | checkpoint.pinned
        return
    with tempfile.TemporaryDirectory() as folder:
        for file in _files(checkpoint).iterdir():
            (Path(folder) / file.name).symlink_to(file.resolve())
        told = (checkpoint.read("adapter_config.json") or {}) | {"base_model_name_or_path": str(_files(base))}
        (Path(folder) / "adapter_config.json").unlink()
        (Path(folder) / "adapter_config.json").write_text(json.dumps(told | {"revision": None}), encoding="utf-8")
        yield {"model_name_or_path": folder}


def _files(checkpoint: Checkpoint) -> Path:
    """The folder of a checkpoint's files, fetched if need be."""
    if checkpoint.folder:
        return checkpoint.folder
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(checkpoint.name, revision=checkpoint.revision, ignore_patterns=_UNUSED))
    except (OSError, ValueError, errors.HfHubHTTPError) as error:
        raise checkpoint.not_loaded(error) from error


def _scored(found: dict[str, Any]) -> tuple[NDArray[np.float32], list[int]]:
    """The vectors that are scored, (n, dim) float32, and their tokens."""
    scored = found["attention_mask"].bool()
    return found["token_embeddings"][scored].float().cpu().numpy(), found["input_ids"][scored].tolist()


def _was_trained_on_lower_case(checkpoint: Checkpoint) -> bool:
    """Whether it is SigLIP 2: repositories of it name Gemma's tokenizer, which keeps capitals."""
    told = checkpoint.read("tokenizer_config.json") or {}
    return str(told.get("tokenizer_class")).startswith(("Gemma", "Siglip2"))


def _has_several_vectors(checkpoint: Checkpoint, family: str) -> bool:
    if family.endswith("ForRetrieval"):
        return True
    told = checkpoint.read("config_sentence_transformers.json") or {}
    return told.get("model_type") == "MultiVectorEncoder"
