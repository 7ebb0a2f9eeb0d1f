"""vLLM's ``/pooling`` with the task ``token_embed``: a vector for each token of a page or a question.

(https://docs.vllm.ai/en/latest/models/pooling_models/token_embed.html) The server puts nothing around a page or a
question: what the family was trained with is sent by us, a page's as a chat template without anything to fill in. All
tokens come back; which of them look at the page is told by the prompt's own tokens, which ``/tokenize`` gives. A
request holds one page, so that pages are sent side by side.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybase64
from numpy.typing import NDArray

from pagesight.indexing.encoders import patch_boxes
from pagesight.indexing.encoders.known_model import KnownModel
from pagesight.indexing.encoders.registry import KNOWN
from pagesight.indexing.encoders.remote.forms import Encoded, checked, data_url, tokens_of
from pagesight.indexing.encoders.remote.http_calls import ServerCalls
from pagesight.indexing.errors import EncoderError

_DESCRIBE = "Describe the image."


@dataclass(frozen=True)
class Family:
    """What stands around a page and a question: the ``placeholder`` of a picture in the page's prompt, None where the
    server's own template is taken; ``side`` the pixels of an image token's side; ``before`` the tokens that the server
    puts between the placeholder's place and the image tokens; ``square``: the page is pressed into one. ``usual`` are
    the tokens before and after the picture by the published tokenizer, for servers without ``/tokenize``.
    """

    page: str | None
    placeholder: str | None
    prefix: str
    suffix: str
    side: int | None = None
    before: int = 0
    square: bool = False
    usual: tuple[int, int] | None = None


_QWEN_PAGE = f"<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>{_DESCRIBE}<|im_end|><|endoftext|>"
_QWEN_TOKENS = (4, 7)
_END = "<|endoftext|>" * 10
_UTTERANCES = "<end_of_utterance>" * 10
# As colpali-engine's processors have them; ColPali is served by its port to transformers, whose prompt is another.
_FAMILIES = {
    "ColQwen2": Family(_QWEN_PAGE, "<|image_pad|>", "", _END, 28, usual=_QWEN_TOKENS),
    "ColQwen2_5": Family(_QWEN_PAGE, "<|image_pad|>", "", _END, 28, usual=_QWEN_TOKENS),
    "ColQwen3": Family(_QWEN_PAGE, "<|image_pad|>", "", _END, 32, usual=_QWEN_TOKENS),
    "ColQwen3_5": Family(_QWEN_PAGE, "<|image_pad|>", "", _END, 32, usual=_QWEN_TOKENS),
    "OpsColQwen3Model": Family(_QWEN_PAGE, "<|image_pad|>", "", _END, 32, usual=_QWEN_TOKENS),
    "ColPali": Family(None, None, "<bos>Question: ", "<pad>" * 10 + "\n", square=True),
    "ColModernVBert": Family(
        f"<|begin_of_text|>User:<image>{_DESCRIBE}<end_of_utterance>\nAssistant:", "<image>", "", _UTTERANCES,
        before=2, square=True,
    ),
}  # fmt: skip
_UNKNOWN = Family(None, None, "", "")


class VllmClient:
    """A model behind vLLM. ``prompts`` are those that an index notes; without them they are the family's."""

    pages_at_once = 1

    def __init__(
        self, calls: ServerCalls, model: str, visual_tokens: int | None, prompts: Mapping[str, str] | None
    ) -> None:
        self._calls, self._model = calls, model
        row = _row(model)
        self._family = _FAMILIES.get(row.family, _UNKNOWN) if row else self._guess()
        self._visual_tokens = visual_tokens
        prefix = self._family.prefix or (row.query_prefix if row else "")
        usual = {"query_prefix": prefix, "query_suffix": self._family.suffix, "page": self._family.page or ""}
        self.prompts = usual if prompts is None else dict(prompts)
        self._dim: int | None = None
        self._around: tuple[int, int] | None = None

    def pages(self, pictures: Sequence[bytes], sizes: Sequence[tuple[int, int]]) -> list[Encoded]:
        """The vectors of a page's tokens, those of the prompt among them."""
        (picture,) = pictures
        content = [{"type": "image_url", "image_url": {"url": data_url(picture)}}, {"type": "text", "text": _DESCRIBE}]
        body: dict[str, Any] = {"messages": [{"role": "user", "content": content}]}
        if page := self.prompts.get("page"):
            body |= {"chat_template": page, "add_generation_prompt": False, "add_special_tokens": False}
        if self._visual_tokens and self._family.side:
            body["mm_processor_kwargs"] = {"max_pixels": self._visual_tokens * self._family.side**2}
        return [self._pooled(body)]

    def question(self, question: str) -> tuple[Encoded, list[str]]:
        """The vectors of a question's tokens with those around it, and the tokens."""
        text = f"{self.prompts.get('query_prefix', '')}{question}{self.prompts.get('query_suffix', '')}"
        encoded = self._pooled({"input": [text], "add_special_tokens": False})
        names: list[str] = []
        with contextlib.suppress(EncoderError):  # only the words of a map are lost with them
            names = [str(name) for name in self._tokenized(text, names=True).get("token_strs") or []]
        count = len(encoded[0])
        return encoded, names if len(names) == count else [""] * count

    def boxes(self, count: int, size: tuple[int, int]) -> NDArray[np.float32]:
        """(count, 4): where each of a page's vectors looks; NaN for the prompt's, and for all where it is not known."""
        boxes = np.full((count, 4), np.nan, np.float32)
        looks = self._image_tokens(count)
        if looks:
            grid = patch_boxes.square(len(looks)) if self._family.square else _grid(len(looks), size)
            boxes[looks.start : looks.stop] = grid
        return boxes

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def _guess(self) -> Family:
        """The family of a model that is not known: the Qwens have a token for pictures that others do not have."""
        try:
            qwen = len(self._tokenized("<|image_pad|>").get("tokens") or []) == 1
        except EncoderError:
            return _UNKNOWN
        return Family(_QWEN_PAGE, "<|image_pad|>", "", _END) if qwen else _UNKNOWN

    def _image_tokens(self, count: int) -> range:
        """The places of a page's image tokens among its tokens: what the prompt's own leave."""
        if self._family.placeholder is None:
            side = math.isqrt(count)  # PaliGemma has its image tokens first
            return range(side * side) if self._family.square else range(0)
        before, after = self._prompt_tokens()
        found = range(before + self._family.before, count - after)
        side = math.isqrt(max(0, len(found)))
        return found[: side * side] if self._family.square else found

    def _prompt_tokens(self) -> tuple[int, int]:
        """How many tokens of a page's prompt come before the picture, and after it."""
        if self._around is None:
            try:
                self._around = self._counted()
            except EncoderError:
                if self._family.usual is None:
                    raise
                self._around = self._family.usual
        return self._around

    def _counted(self) -> tuple[int, int]:
        placeholder = self._family.placeholder or ""
        marks = self._tokenized(placeholder).get("tokens") or []
        tokens = self._tokenized(self.prompts.get("page", "")).get("tokens") or []
        if len(marks) != 1 or tokens.count(marks[0]) != 1:
            raise self._calls.bad_answer(f"a prompt for pages without its {placeholder}")
        place = tokens.index(marks[0])
        return place, len(tokens) - place - 1

    def _tokenized(self, text: str, *, names: bool = False) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._model, "prompt": text, "add_special_tokens": False}
        return self._calls.post("/tokenize", body | ({"return_token_strs": True} if names else {}))

    def _pooled(self, body: dict[str, Any]) -> Encoded:
        """As numbers the first time, which tells the dimensions; then as bytes in base64, which are quicker to read."""
        asked = {"model": self._model, "task": "token_embed"} | body
        if self._dim:
            asked |= {"encoding_format": "base64", "embed_dtype": "float32", "endianness": "little"}
        answer = self._calls.post("/pooling", asked)
        try:
            (one,) = answer["data"]
            vectors = self._read(one["data"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._calls.bad_answer("no vectors of the tokens that it was sent") from error
        self._dim = vectors.shape[1]
        return checked(vectors, self._calls), tokens_of(answer)

    def _read(self, data: Any) -> NDArray[np.float32]:
        if isinstance(data, str):
            return np.frombuffer(pybase64.b64decode(data, validate=True), "<f4").reshape(-1, self._dim or 1)
        vectors = np.asarray(data, np.float32)
        if vectors.ndim != 2:
            raise ValueError("one vector instead of one for each token")
        return vectors


def _row(model: str) -> KnownModel | None:
    """The row of a model, whose ports and merged copies are called alike."""
    plain = model.removesuffix("-hf").removesuffix("-merged")
    return KNOWN.get(model) or KNOWN.get(plain)


def _grid(tokens: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """(tokens, 4): the grid of so many image tokens whose shape comes nearest to the page's, row by row.

    The Qwen families scale a page to whole tokens in its own proportions; how, the server's settings decide.
    """
    wanted = math.log(size[0] / size[1])
    pairs = [(columns, tokens // columns) for columns in range(1, tokens + 1) if tokens % columns == 0]
    columns, rows = min(pairs, key=lambda pair: abs(math.log(pair[0] / pair[1]) - wanted))
    return patch_boxes.grid(columns, rows)
