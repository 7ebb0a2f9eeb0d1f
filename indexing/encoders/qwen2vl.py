"""Models over Qwen2-VL that make one vector of a page or a question: the last token's hidden state, without a box.

vdr-2b-multi-v1 (https://huggingface.co/blog/vdr-2b-multilingual) and VLM2Vec (Jiang et al., 2024, arXiv 2410.05160).
The code that vdr's repository brings is not needed: what it does is here. VLM2Vec's weights are a LoRA adapter, which
is merged into its base as it is loaded.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.encoders import patch_boxes
from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.devices import device_of, dtype_of
from pagesight.indexing.encoders.weights import check_weights, loading
from pagesight.indexing.errors import EncoderError
from pagesight.indexing.settings import Settings
from pagesight.indexing.vectors.multivector import MultiVector

_PICTURE = "<|image_pad|>"
_FRAMED = f"<|vision_start|>{_PICTURE}<|vision_end|>"
_TURN = f"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{_FRAMED}"

# VLM2Vec's instruction for a picture with a question, as its card has it.
_TOGETHER = "Represent the given image with the following question: %s"

# What stands in a prompt that has a picture by form only.
_BLANK = Image.new("RGB", (56, 56))

# The adapter was trained when transformers named the model's parts so; peft would pass over them with a warning.
_RENAMED_PARTS = {r"^visual": "model.visual", r"^model\.(?!language_model|visual)": "model.language_model."}


@dataclass(frozen=True)
class _Prompts:
    """What a family puts a page and a question into (for ``%s``), and the image tokens of a page at most, if any.

    ``together`` is what a question with a picture in it stands in, where the family was trained on some.
    """

    page: str
    question: str
    visual_tokens: int | None = None
    together: str | None = None


_PROMPTS = {
    "vdr": _Prompts(
        f"{_TURN}What is shown in this image?<|im_end|>\n<|endoftext|>",
        f"{_TURN}Query: %s<|im_end|>\n<|endoftext|>",
        visual_tokens=768,
    ),
    # The question's instruction is that of the task with pictures of documents in its training (MMEB, Wiki-SS-NQ).
    "VLM2Vec": _Prompts(
        f"{_PICTURE} Represent the given image.",
        "Find the document image that can answer the given query: %s",
        together=f"{_PICTURE} {_TOGETHER}",
    ),
    # As the data of its evaluation on documents has them (MMEB-V2's visdoc tasks).
    "VLM2Vec-V2": _Prompts(
        f"{_PICTURE}\nUnderstand the content of the provided document image.\n",
        "Find a document image that matches the given query: %s\n",
        together=f"{_PICTURE}\n{_TOGETHER}\n",
    ),
}


class LastTokenModel:
    """A model and its processor; see `pagesight.indexing.encoders.interface.PageModel`."""

    def __init__(self, checkpoint: Checkpoint, family: str, settings: Settings) -> None:
        from transformers import Qwen2VLProcessor

        device = device_of(settings.encoding.device)
        self._prompts = _prompts(checkpoint, family)
        self._most = settings.encoding.visual_tokens or self._prompts.visual_tokens
        try:
            self._processor: Any = Qwen2VLProcessor.from_pretrained(checkpoint.name, **checkpoint.pinned)
        except (OSError, ValueError) as error:
            raise checkpoint.not_loaded(error) from error
        self._processor.tokenizer.padding_side = "right"
        base = checkpoint.base()
        base = base.at_commit() if base else None
        self._model = _load(checkpoint, base, dtype_of(settings.encoding.dtype, device)).model.to(device).eval()
        self.dim = int(self._model.config.text_config.hidden_size)
        self.revision = checkpoint.fingerprint()
        below = {"base": base.name, "base_revision": base.fingerprint()} if base else {}
        self.notes: dict[str, Any] = below | {
            "prompts": {"page": self._prompts.page, "query": self._prompts.question},
        }

    def encode_pages(self, pictures: Sequence[Image.Image]) -> list[MultiVector]:
        """One vector each. Raises EncoderError if no image came in."""
        vectors = self._run([self._prompts.page] * len(pictures), [self._resized(picture) for picture in pictures])
        return [MultiVector(vector[None], np.full((1, 4), np.nan, np.float32)) for vector in vectors]

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """One vector for the question."""
        prompt = self._prompts.question
        blanks = [_BLANK] if _PICTURE in prompt else []
        return self._run([prompt.replace("%s", question)], blanks), [question]

    @property
    def encode_picture_and_words(self) -> Callable[[Image.Image, str], NDArray[np.float32]] | None:
        """What makes one vector, (1, dim), of a picture and words, where the model was trained on such questions."""
        prompt = self._prompts.together
        if prompt is None:
            return None
        return lambda picture, words: self._run([prompt.replace("%s", words)], [self._resized(picture)])

    def _resized(self, picture: Image.Image) -> Image.Image:
        """The picture in as many pixels as its tokens may be."""
        from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

        if self._most is None:
            return picture
        reader = self._processor.image_processor
        side = reader.patch_size * reader.merge_size
        height, width = smart_resize(
            picture.height, picture.width, side, min_pixels=side**2, max_pixels=self._most * side**2
        )
        return picture.resize((width, height))

    def _run(self, texts: list[str], pictures: list[Image.Image]) -> NDArray[np.float32]:
        """(len(texts), dim) float32: the hidden state of each text's last token."""
        import torch

        inputs = self._processor(text=texts, images=pictures or None, padding="longest", return_tensors="pt")
        if pictures:
            looks = inputs["input_ids"] == self._processor.image_token_id
            patch_boxes.require_image_tokens(int(looks.any(dim=1).all()))
        real = inputs["attention_mask"]
        if _FRAMED not in texts[0]:
            # Before transformers 5, as in training, an unframed picture's tokens had one position after the other.
            inputs["position_ids"] = (real.cumsum(dim=1) - 1).clamp(min=0).expand(3, -1, -1)
        with torch.inference_mode():
            hidden = self._model(**inputs.to(self._model.device), use_cache=False).last_hidden_state
        last = hidden[torch.arange(len(texts)), real.sum(dim=1) - 1]
        return np.asarray(last.float().cpu().numpy())


def _prompts(checkpoint: Checkpoint, family: str) -> _Prompts:
    """The family's prompts; those that the repository itself gives come first."""
    own = (checkpoint.read("config_sentence_transformers.json") or {}).get("prompts") or {}
    default = _PROMPTS[family]
    return replace(default, page=own.get("image") or default.page, question=own.get("query") or default.question)


def _load(checkpoint: Checkpoint, base: Checkpoint | None, dtype: Any) -> Any:
    """The whole model, an adapter merged into its base."""
    if base is None:
        return _full_model(checkpoint, dtype)
    return _with_adapter(_full_model(base, dtype), checkpoint)


def _full_model(checkpoint: Checkpoint, dtype: Any) -> Any:
    from transformers import Qwen2VLForConditionalGeneration

    with loading(checkpoint) as reports:
        model = Qwen2VLForConditionalGeneration.from_pretrained(checkpoint.name, dtype=dtype, **checkpoint.pinned)
    reports.check(checkpoint, model)
    return model


def _with_adapter(base: Any, checkpoint: Checkpoint) -> Any:
    """The base with the adapter in it. A pickle is read only as far as it holds tensors (torch's ``weights_only``)."""
    from peft import PeftConfig, PeftModel

    try:
        model: Any = PeftModel(base, PeftConfig.from_pretrained(checkpoint.name, **checkpoint.pinned))
        told = model.load_adapter(
            checkpoint.name, "default", torch_device="cpu", key_mapping=_RENAMED_PARTS, **checkpoint.pinned
        )
    except pickle.UnpicklingError as error:
        raise EncoderError(
            f"the adapter of {checkpoint.name} is a pickle with more than tensors in it, which could run any program: "
            "it was not loaded. Save it as safetensors where you trust it, or take another encoder."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise checkpoint.not_loaded(error) from error
    check_weights(checkpoint.name, told.missing_keys, told.unexpected_keys)
    return model.merge_and_unload()
