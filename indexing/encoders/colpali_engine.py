"""Models that colpali-engine loads: ColPali, ColQwen2 to 3.5, ColSmol, ColModernVBERT, ColGemma3, and their adapters.

Pages and questions go through the family's own processor and model, as its documentation does it; what is ours is the
box of each vector, and that rows which only pad a batch are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from pagesight.indexing.encoders import patch_boxes
from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.devices import device_of, dtype_of
from pagesight.indexing.encoders.load_errors import no_pictures
from pagesight.indexing.encoders.recognise import row_of
from pagesight.indexing.encoders.weights import POOLED_VIEW, loading
from pagesight.indexing.settings import Settings
from pagesight.indexing.vectors.multivector import MultiVector

# The processors' names do not all follow from the models'.
_PROCESSORS = {"ColQwen2_5": "ColQwen2_5_Processor", "ColGemma3": "ColGemmaProcessor3"}
# The names that weights have in checkpoints which were published for code of their own (tomoro-colqwen3).
_PUBLISHED_NAMES = {"ColQwen3": {r"^vlm\.model\.": "", r"^vlm\.lm_head": "lm_head", r"^embedding_proj_layer": "custom_text_proj"}}  # fmt: skip  # noqa: E501
_PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
_AUGMENTED = 10  # tokens that colpali-engine puts after a question


class ColpaliEngineModel:
    """A model and its processor; see `pagesight.indexing.encoders.interface.PageModel`.

    ``prompts`` are those that an index notes; without them they are the known model's, or else the class's own.
    """

    def __init__(
        self, checkpoint: Checkpoint, family: str, settings: Settings, prompts: Mapping[str, str] | None = None
    ) -> None:
        device = device_of(settings.encoding.device)
        base = checkpoint.base()
        base = base.at_commit() if base else None
        model = _load(checkpoint, base, family, dtype_of(settings.encoding.dtype, device))
        self._processor = _processor(checkpoint, base, family, settings)
        self._prompts = dict(prompts) if prompts is not None else _default_prompts(checkpoint, self._processor)
        if page := self._prompts.get("page"):
            self._processor.visual_prompt_prefix = page
        _without_words(model)
        self._model = model.to(device).eval()
        self.dim = int(self._model.dim)
        self.revision = checkpoint.fingerprint()
        below = {"base": base.name, "base_revision": base.fingerprint()} if base else {}
        self.notes: dict[str, Any] = below | {"prompts": self._prompts}

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
        """A vector for each token of the prompt, of the question and of what is put after it, which are scored too."""
        asked = self._prompts.get("query_prefix", "") + question
        inputs = self._processor.process_queries([asked], suffix=self._prompts.get("query_suffix"))
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


def _load(checkpoint: Checkpoint, base: Checkpoint | None, family: str, dtype: Any) -> Any:
    """The model with its adapter, each from its own commit; `from_pretrained` of an adapter would ask the base for the
    adapter's (https://github.com/huggingface/transformers/issues/29849).
    """
    from colpali_engine import models

    kind, whole = getattr(models, family), base or checkpoint
    names = _PUBLISHED_NAMES.get(family)
    mapping = {"key_mapping": names | kind._checkpoint_conversion_mapping} if names else {}
    with loading(checkpoint, base) as reports:
        model = kind.from_pretrained(whole.name, dtype=dtype, **mapping, **whole.pinned)
        if base:
            _put_on(model, checkpoint, getattr(kind, "_checkpoint_conversion_mapping", None), dtype)
    reports.check(checkpoint, model, POOLED_VIEW)
    return model


def _put_on(model: Any, adapter: Checkpoint, names: Mapping[str, str] | None, dtype: Any) -> None:
    """Puts an adapter on its base; its weights are called as those of the base are."""
    from transformers.conversion_mapping import get_model_conversion_mapping

    renamed = get_model_conversion_mapping(model, dict(names) if names else None)
    model.load_adapter(adapter.name, adapter_kwargs=adapter.pinned, weight_mapping=renamed, dtype=dtype)


def _processor(checkpoint: Checkpoint, base: Checkpoint | None, family: str, settings: Settings) -> Any:
    """The family's processor; adapters without one have that of their base. Raises EncoderError without one."""
    from colpali_engine import models

    owners = [one for one in (checkpoint, base) if one and any(one.path(file) for file in _PROCESSOR_FILES)]
    if not owners:
        raise checkpoint.not_loaded(OSError(f"it has no image processor: neither {' nor '.join(_PROCESSOR_FILES)}"))
    kind = getattr(models, _PROCESSORS.get(family, f"{family}Processor"))
    with loading(owners[0]):
        made = kind.from_pretrained(owners[0].name, **owners[0].pinned, **_resolution(family, settings))
    if getattr(made, "image_processor", None) is None:
        raise no_pictures(checkpoint.name, "its processor reads texts alone")
    return made


def _default_prompts(checkpoint: Checkpoint, processor: Any) -> dict[str, str]:
    row = row_of(checkpoint.name)
    prefix = (row.query_prefix if row else "") or processor.query_prefix
    suffix = processor.query_augmentation_token * _AUGMENTED
    page = getattr(processor, "visual_prompt_prefix", "")
    return {"query_prefix": prefix, "query_suffix": suffix} | ({"page": page} if page else {})


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
