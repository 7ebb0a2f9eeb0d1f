"""TIGER-Lab/VLM2Vec-Full, on Phi-3.5-V: one vector of 3072 dimensions a page, the last token's last hidden state.

The instructions are those that its training set MMEB gives for screenshots of documents (Wiki-SS-NQ).
"""

from __future__ import annotations

from typing import Any

_PAGE = "<|image_1|>\nRepresent the given image\n"
_QUERY = "Find the document image that can answer the given query: {}\n"
_TOKENS_PER_CROP = 144  # image tokens of a crop of 336 × 336 pixels


def load(options: Any) -> Encoder:
    """The encoder; its repository and the one that its code comes from must be in the hub's cache."""
    return Encoder(options)


class Encoder:
    """The model and its processor, which takes one page at a time."""

    dim = 3072

    def __init__(self, options: Any) -> None:
        from huggingface_hub import snapshot_download

        folder = snapshot_download(options.model, revision=options.revision, local_files_only=True)
        from transformers import AutoModelForCausalLM, AutoProcessor

        crops = max(1, options.visual_tokens // _TOKENS_PER_CROP) if options.visual_tokens else 16
        self._processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True, num_crops=crops)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            trust_remote_code=True,
            torch_dtype=options.torch_dtype(),
            attn_implementation="eager",
            use_cache=False,
        )
        self._device = options.torch_device()
        self._model = model.to(self._device).eval()

    def encode_pages(self, pages: list[Any]) -> list[Any]:
        """One vector a page."""
        from PIL import Image

        return [self._last(self._processor(_PAGE, [Image.fromarray(page.picture)])) for page in pages]

    def encode_query(self, question: str) -> tuple[Any, list[str]]:
        """One vector."""
        # Without a picture the processor is its tokenizer: some versions of its code fail where images are None.
        return self._last(self._processor.tokenizer(_QUERY.format(question), return_tensors="pt")), [question]

    def _last(self, inputs: Any) -> Any:
        """(1, dim): of one sequence, so that nothing is padded."""
        import torch

        inputs = {name: value.to(self._device) for name, value in inputs.items()}
        with torch.inference_mode():
            found = self._model(**inputs, output_hidden_states=True, return_dict=True)
        return found.hidden_states[-1][:, -1]
