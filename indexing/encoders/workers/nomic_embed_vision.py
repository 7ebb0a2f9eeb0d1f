"""nomic-ai/nomic-embed-vision-v1.5: one vector of 768 dimensions a page; questions go through nomic-embed-text-v1.5.

As on the models' cards: a page is its first token; a question is the mean of its tokens, layer-normalised.
"""

from __future__ import annotations

from typing import Any

_TEXT = "nomic-ai/nomic-embed-text-v1.5"


def load(options: Any) -> Encoder:
    """The encoder; both repositories and the one that their code comes from must be in the hub's cache."""
    return Encoder(options)


class Encoder:
    """The two models, whose vectors lie in one space."""

    dim = 768

    def __init__(self, options: Any) -> None:
        from huggingface_hub import snapshot_download

        looks = snapshot_download(options.model, revision=options.revision, local_files_only=True)
        reads = snapshot_download(_TEXT, local_files_only=True)
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        self._processor = AutoImageProcessor.from_pretrained(looks)
        self._tokenizer = AutoTokenizer.from_pretrained(reads)
        kind = {"trust_remote_code": True, "torch_dtype": options.torch_dtype()}
        self._device = options.torch_device()
        self._looks = AutoModel.from_pretrained(looks, **kind).to(self._device).eval()
        self._reads = AutoModel.from_pretrained(reads, **kind).to(self._device).eval()

    def encode_pages(self, pages: list[Any]) -> list[Any]:
        """One vector a page."""
        import torch
        from PIL import Image

        inputs = self._processor([Image.fromarray(page.picture) for page in pages], return_tensors="pt")
        inputs = inputs.to(self._device, self._looks.dtype)
        with torch.inference_mode():
            found = self._looks(**inputs).last_hidden_state[:, 0]
        return [vector[None] for vector in found]

    def encode_query(self, question: str) -> tuple[Any, list[str]]:
        """One vector."""
        import torch

        inputs = self._tokenizer([f"search_query: {question}"], return_tensors="pt").to(self._device)
        with torch.inference_mode():
            mean = self._reads(**inputs).last_hidden_state.float().mean(dim=1)  # one question: nothing is padded
        return torch.nn.functional.layer_norm(mean, mean.shape[1:]), [question]
