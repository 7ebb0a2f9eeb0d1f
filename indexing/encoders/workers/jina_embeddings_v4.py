"""jinaai/jina-embeddings-v4: 128 dimensions for each token of a page, or one vector of 2048 (variant "single").

It calls `encode_image` and `encode_text` of the model's own code with the task "retrieval", as its card does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_TASK = {"task": "retrieval"}
_PIXELS_PER_TOKEN = 28 * 28


def load(options: Any) -> Encoder:
    """The encoder; its repository must be in the hub's cache."""
    return Encoder(options)


class Encoder:
    """The model with its retrieval adapter."""

    def __init__(self, options: Any) -> None:
        from huggingface_hub import snapshot_download

        # From a folder, so that its adapters and its code are those of the same commit.
        folder = snapshot_download(options.model, revision=options.revision, local_files_only=True)
        from transformers import AutoModel

        model = AutoModel.from_pretrained(folder, trust_remote_code=True, torch_dtype=options.torch_dtype())
        self._model = model.to(options.torch_device()).eval()
        self._several = options.variant != "single"
        self._pixels = options.visual_tokens and options.visual_tokens * _PIXELS_PER_TOKEN
        self.dim = 128 if self._several else 2048

    def encode_pages(self, pages: list[Any]) -> list[tuple[Any, np.ndarray | None]]:
        """Each page's vectors, with boxes where there is one for each token."""
        from PIL import Image

        pictures = [Image.fromarray(page.picture) for page in pages]
        found = self._model.encode_image(
            pictures, return_multivector=self._several, batch_size=len(pictures), max_pixels=self._pixels, **_TASK
        )
        if not self._several:
            return [(vector[None], None) for vector in found]
        return [(vectors, self._boxes(picture, len(vectors))) for vectors, picture in zip(found, pictures, strict=True)]

    def encode_query(self, question: str) -> tuple[Any, list[str]]:
        """A vector for each token of the question and of its prefix, or one."""
        (found,) = self._model.encode_text([question], return_multivector=self._several, prompt_name="query", **_TASK)
        if not self._several:
            return found[None], [question]
        tokenizer = self._model.processor.tokenizer
        tokens = [tokenizer.decode([token]) for token in tokenizer(f"Query: {question}")["input_ids"]]
        return found, tokens if len(tokens) == len(found) else [question] * len(found)

    def _boxes(self, picture: Any, count: int) -> np.ndarray | None:
        """(count, 4): the boxes of the image tokens, NaN for others; none if the tokens are not those encoded."""
        images = self._model.processor.image_processor
        before = images.max_pixels
        images.max_pixels = self._pixels or before
        try:
            inputs = self._model.processor.process_images([picture])
        finally:
            images.max_pixels = before
        looks = (inputs["input_ids"][0] == self._model.config.image_token_id).numpy()
        _, rows, columns = (int(side) for side in inputs["image_grid_thw"][0])
        grid = _grid(rows // images.merge_size, columns // images.merge_size)
        if len(looks) != count or looks.sum() != len(grid):
            return None
        boxes = np.full((count, 4), np.nan, np.float32)
        boxes[looks] = grid
        return boxes


def _grid(rows: int, columns: int) -> np.ndarray:
    """(rows · columns, 4): the boxes of a grid over the whole page, row by row."""
    down, right = np.divmod(np.arange(rows * columns), columns)
    corners = [right / columns, down / rows, (right + 1) / columns, (down + 1) / rows]
    return np.stack(corners, axis=1).astype(np.float32)
