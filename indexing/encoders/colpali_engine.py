"""Models that colpali-engine loads: ColPali, ColQwen2 to 3.5, ColSmol, ColModernVBERT, and adapters trained on them.

Pages and questions go through the family's own processor and model, as its documentation does it; what is ours is the
box of each vector, and that rows which only pad a batch are dropped.
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

# The processors' names do not all follow from the models'.
_PROCESSORS = {"ColQwen2_5": "ColQwen2_5_Processor"}


class ColpaliEngineModel:
    """A model and its processor; see `pagesight.indexing.encoders.interface.PageModel`."""

    def __init__(self, checkpoint: Checkpoint, family: str, settings: Settings) -> None:
        from colpali_engine import models

        device = device_of(settings.encoding.device)
        place = {"pretrained_model_name_or_path": checkpoint.name} | checkpoint.pinned
        processor = getattr(models, _PROCESSORS.get(family, f"{family}Processor"))
        try:
            model = getattr(models, family).from_pretrained(**place, dtype=dtype_of(settings.encoding.dtype, device))
            self._processor = processor.from_pretrained(**place, **_resolution(family, settings))
        except (OSError, ValueError) as error:
            raise not_loaded(checkpoint, error) from error
        _without_words(model)
        self._model = model.to(device).eval()
        self.dim = int(self._model.dim)
        self.revision = checkpoint.fingerprint(getattr(self._model.config, "_commit_hash", None))

    def encode_pages(self, pictures: Sequence[Image]) -> list[MultiVector]:
        """Vectors and boxes; boxes are NaN for the tokens of the prompt. Raises EncoderError if no image came in."""
        inputs = self._processor.process_images(list(pictures))
        inputs.pop("labels", None)  # PaliGemma's processor adds them, for training
        vectors = self._run(inputs)
        looks = self._processor.get_image_mask(inputs).numpy()  # (pages, tokens)
        real = inputs["attention_mask"].numpy().astype(bool)
        pages = []
        for number, row in enumerate(vectors):
            boxes = np.full((len(row), 4), np.nan, np.float32)
            boxes[looks[number]] = self._boxes(inputs, number, int(looks[number].sum()))
            pages.append(MultiVector(row[real[number]], boxes[real[number]]))
        return pages

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """A vector for each token of the question and for the ten that are put after it, which are scored too."""
        inputs = self._processor.process_queries([question])
        real = inputs["attention_mask"][0].numpy().astype(bool)
        tokens = [self._processor.tokenizer.decode([token]) for token in inputs["input_ids"][0][real].tolist()]
        return self._run(inputs)[0][real], tokens

    def _run(self, inputs: Any) -> NDArray[np.float32]:
        """(batch, tokens, dim) float32; rows of padding are 0."""
        import torch

        with torch.inference_mode():
            found = self._model(**inputs.to(self._model.device))
        inputs.to("cpu")
        return np.asarray(found.float().cpu().numpy())

    def _boxes(self, inputs: Any, number: int, tokens: int) -> NDArray[np.float32]:
        """(tokens, 4): the boxes of a page's image tokens."""
        patches = None
        if "image_grid_thw" in inputs:  # (pages, 3)
            _, rows, columns = inputs["image_grid_thw"][number].tolist()
            patches = rows, columns
        marks = self._processor.tokenizer.convert_ids_to_tokens(inputs["input_ids"][number].tolist())
        return patch_boxes.of_page(tokens, marks, patches)


def _without_words(model: Any) -> None:
    """Take out the head that turns ColPali's hidden states into words: it is loaded without weights, never looked at,
    and would need half a gigabyte a page.
    """
    import torch

    if hasattr(model, "model") and hasattr(model.model, "lm_head"):
        model.model.lm_head = torch.nn.Identity()


def _resolution(family: str, settings: Settings) -> dict[str, Any]:
    if settings.encoding.visual_tokens is None or "Qwen" not in family:
        return {}
    return {"max_num_visual_tokens": settings.encoding.visual_tokens}
