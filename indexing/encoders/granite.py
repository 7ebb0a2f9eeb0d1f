"""Granite Vision Embedding: LLaVA-NeXT over SigLIP and Granite, and a projection of the view of the whole page.

ibm-granite/granite-vision-3.3-2b-embedding (Granite Vision, arXiv 2502.09927) without the code that its repository
brings. A page is cut into tiles, which the language model reads before the view of the whole page; the vectors are
those of the whole alone, 27 × 27 in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.encoders import patch_boxes
from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.devices import device_of, dtype_of
from pagesight.indexing.encoders.weights import loading
from pagesight.indexing.settings import Settings
from pagesight.indexing.vectors.multivector import MultiVector

#: The names of weights in the checkpoint, which was saved with transformers 4.49, and here: regular expressions.
RENAMED = {
    r"^model\.language_model\.model\.": "model.language_model.",
    r"^model\.vision_tower\.vision_model\.": "model.vision_tower.",
}
#: The head that makes words of hidden states: not needed.
UNUSED = r"^model\.language_model\.lm_head\."

_PAGE = "<|user|>\n<image>\nDescribe the image.\n"
_QUESTION = "<|user|>\nQuery: {question}{pads}\n"
_PADS = 10
_LONGEST = 2  # a page's long side at most, in short sides; what is longer is pressed


@cache
def network() -> Any:
    """The class of the network; made when it is asked for, as its parents take seconds to import.

    Its instances give (batch, tokens, dim) float32, not normalised.
    """
    import torch
    from transformers import LlavaNextModel, LlavaNextPreTrainedModel

    class TilesFirst(LlavaNextModel):
        """LLaVA-NeXT with the view of the whole page after the tiles instead of before them."""

        def pack_image_features(self, image_features: Any, *arguments: Any, **options: Any) -> Any:
            """The features of each picture, (tokens, hidden), and their number."""
            parent: Any = super()
            packed, lengths = parent.pack_image_features(image_features, *arguments, **options)
            whole = image_features[0].shape[1]
            return [torch.roll(picture, -whole, dims=0) for picture in packed], lengths

    class GraniteVisionEmbedding(LlavaNextPreTrainedModel):
        _keys_to_ignore_on_load_unexpected = [UNUSED]  # noqa: RUF012

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.model = TilesFirst(config)
            self.custom_text_proj = torch.nn.Linear(config.text_config.hidden_size, getattr(config, "emb_dim_doc", 128))
            initialised: Any = self
            initialised.post_init()

        def forward(self, **inputs: Any) -> Any:
            hidden = self.model(**inputs, use_cache=False).last_hidden_state
            return self.custom_text_proj(hidden).float()

    return GraniteVisionEmbedding


class GraniteModel:
    """A model and its processor; see `pagesight.indexing.encoders.interface.PageModel`."""

    def __init__(self, checkpoint: Checkpoint, family: str, settings: Settings) -> None:
        from transformers import LlavaNextConfig

        device = device_of(settings.encoding.device)
        with loading(checkpoint) as reports:
            config: Any = LlavaNextConfig.from_dict(checkpoint.read("config.json") or {})
            self._processor = _processor(checkpoint, config)
            model: Any = network().from_pretrained(
                checkpoint.name, config=config, dtype=dtype_of(settings.encoding.dtype, device),
                key_mapping=RENAMED, **checkpoint.pinned,
            )  # fmt: skip
        reports.check(checkpoint, model)
        self._model = model.to(device).eval()
        self._boxes = patch_boxes.pressed(config.vision_config.image_size, config.vision_config.patch_size)
        self._short_side = config.vision_config.image_size
        self.dim = int(model.custom_text_proj.out_features)
        self.revision = checkpoint.fingerprint()
        self.notes: dict[str, Any] = {"prompts": {"page": _PAGE, "query": _QUESTION}}

    def encode_pages(self, pictures: Sequence[Image.Image]) -> list[MultiVector]:
        """The vectors of the view of the whole page, and their boxes. Raises EncoderError if no image came in."""
        texts, resized = [_PAGE] * len(pictures), [self._resized(picture) for picture in pictures]
        inputs = self._processor(text=texts, images=resized, padding="longest", return_tensors="pt")
        looks = inputs["input_ids"] == self._processor.image_token_id
        patch_boxes.require_image_tokens(int(looks.sum(dim=1).min()))
        wholes = [row.nonzero()[-len(self._boxes) :, 0] for row in looks]
        return [
            MultiVector(vectors[whole], self._boxes) for vectors, whole in zip(self._run(inputs), wholes, strict=True)
        ]

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """A vector for each token of the prompt, of the question and for the ten that are put after it."""
        tokenizer = self._processor.tokenizer
        text = _QUESTION.format(question=question, pads=tokenizer.pad_token * _PADS)
        inputs = tokenizer([text], return_tensors="pt")
        tokens = [tokenizer.decode([token]) for token in inputs["input_ids"][0].tolist()]
        return self._run(inputs)[0], tokens

    def _resized(self, picture: Image.Image) -> Image.Image:
        """The short side as long as a tile's, the long side in proportion, but no more than two tiles."""
        scale = self._short_side / min(picture.size)
        width, height = (min(round(side * scale), _LONGEST * self._short_side) for side in picture.size)
        return picture.resize((width, height), Image.Resampling.LANCZOS)

    def _run(self, inputs: Any) -> NDArray[np.float32]:
        """(batch, tokens, dim) float32."""
        import torch

        with torch.inference_mode():
            return np.asarray(self._model(**inputs.to(self._model.device)).cpu().numpy())


def _processor(checkpoint: Checkpoint, config: Any) -> Any:
    """Put together here: the class that the repository names is in its own code."""
    from transformers import AutoTokenizer, LlavaNextImageProcessor, LlavaNextProcessor

    tokenizer = AutoTokenizer.from_pretrained(checkpoint.name, config=config, **checkpoint.pinned)
    tokenizer.padding_side = "right"
    return LlavaNextProcessor(
        LlavaNextImageProcessor.from_pretrained(checkpoint.name, **checkpoint.pinned),
        tokenizer,
        patch_size=config.vision_config.patch_size,
        vision_feature_select_strategy=config.vision_feature_select_strategy,
    )
