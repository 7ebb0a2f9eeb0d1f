"""Models that sentence-transformers loads: late interaction, or one vector a page (CLIP, SigLIP and others).

A single vector is a multi-vector of one, without a box: it looks at the whole page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from pagesight.indexing.encoders import patch_boxes
from pagesight.indexing.encoders.checkpoint import Checkpoint, not_loaded
from pagesight.indexing.encoders.devices import device_of, dtype_of
from pagesight.indexing.settings import Settings
from pagesight.indexing.vectors.multivector import MultiVector

_SIGLIP = ("SigLIP", "SigLIP 2", "SiglipModel", "Siglip2Model")


class SentenceTransformersModel:
    """A model with its processor; see `pagesight.indexing.encoders.interface.PageModel`."""

    def __init__(self, checkpoint: Checkpoint, family: str, settings: Settings) -> None:
        import sentence_transformers

        device = device_of(settings.encoding.device)
        several = _has_several_vectors(checkpoint, family)
        kind = sentence_transformers.MultiVectorEncoder if several else sentence_transformers.SentenceTransformer
        options: dict[str, Any] = {"model_kwargs": {"dtype": dtype_of(settings.encoding.dtype, device)}}
        options |= {"trust_remote_code": settings.encoding.trust_remote_code} | checkpoint.pinned
        try:
            self._model: Any = kind(checkpoint.name, device=device, **options)
        except (OSError, ValueError) as error:
            raise not_loaded(checkpoint, error) from error
        self._several = several
        # SigLIP was trained on texts of this length.
        padded = {"padding": "max_length", "max_length": 64, "truncation": True} if family in _SIGLIP else {}
        self._reading = {"processing_kwargs": {"text": padded}} if padded else {}
        self._lower = bool(padded) and _was_trained_on_lower_case(checkpoint)
        self.dim = self.encode_query("a")[0].shape[1]  # what it says of itself is wrong for SigLIP
        self.revision = checkpoint.fingerprint(getattr(self._model.config, "_commit_hash", None))

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
