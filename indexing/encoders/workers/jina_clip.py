"""jinaai/jina-clip-v2: one vector of 1024 dimensions a page, which may be cut.

It calls `encode_image` and `encode_text` of the model's own code, questions with the task "retrieval.query".
"""

from __future__ import annotations

from typing import Any


def load(options: Any) -> Encoder:
    """The encoder; its repository and those that its code comes from must be in the hub's cache."""
    return Encoder(options)


class Encoder:
    """The model, which brings its own preprocessing."""

    dim = 1024

    def __init__(self, options: Any) -> None:
        from huggingface_hub import snapshot_download

        folder = snapshot_download(options.model, revision=options.revision, local_files_only=True)
        from transformers import AutoModel

        model = AutoModel.from_pretrained(folder, trust_remote_code=True, torch_dtype=options.torch_dtype())
        self._model = model.to(options.torch_device()).eval()

    def encode_pages(self, pages: list[Any]) -> list[Any]:
        """One vector a page."""
        from PIL import Image

        pictures = [Image.fromarray(page.picture) for page in pages]
        return [vector[None] for vector in self._model.encode_image(pictures, batch_size=len(pictures))]

    def encode_query(self, question: str) -> tuple[Any, list[str]]:
        """One vector."""
        return self._model.encode_text([question], task="retrieval.query"), [question]
