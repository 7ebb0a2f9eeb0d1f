"""Cross-encoders from the hub or a folder, by sentence-transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.devices import device_of, dtype_of
from pagesight.indexing.encoders.load_errors import no_reranker
from pagesight.indexing.encoders.roles import RERANKER
from pagesight.indexing.encoders.weights import loading
from pagesight.indexing.errors import EncoderError
from pagesight.indexing.settings import Settings

# Words of a passage, and those that it shares with the next: models of 512 tokens read little more beside a question.
# Tokens a word are a guess at what languages with spaces need; a page's score is its best passage's (MaxP: Dai and
# Callan, 2019).
_PASSAGE, _SHARED = 250, 50
_SHORT_READER = 512  # tokens; who reads more is given a page whole
_LONGEST = 4000  # words of a page that are read; a guess, not measured
_PAIRS_AT_ONCE = 8


class CrossEncoderReranker:
    """A model with one score for a question and a text; see `pagesight.indexing.rerankers.interface.Reranker`."""

    def __init__(self, name: str, settings: Settings) -> None:
        if "/" not in name.strip("/.") and not Path(name).expanduser().is_dir():
            raise no_reranker(name)
        self.name = name
        self._model = _load(name, settings)
        self._lock = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers the question, (texts,) from 0 to 1."""
        passages = [(place, passage) for place, text in enumerate(texts) for passage in self._passages(text)]
        best = np.zeros(len(texts), np.float32)
        for (place, _), score in zip(passages, self._judged(question, [one for _, one in passages]), strict=True):
            best[place] = max(best[place], score)
        return best

    def _judged(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        import torch

        with self._lock:
            found = self._model.predict(
                [(question, passage) for passage in passages],
                batch_size=_PAIRS_AT_ONCE,
                activation_fn=torch.nn.Sigmoid(),
                show_progress_bar=False,
            )
        judged = np.asarray(found, np.float32).reshape(len(passages), -1)
        if judged.shape[1:] != (1,) or not np.isfinite(judged).all():
            raise EncoderError(
                f"the reranker {self.name} gives no single number for a question and a text. Name another, or "
                f"{RERANKER.way_out}."
            )
        return judged[:, 0]

    def _passages(self, text: str) -> list[str]:
        """What is read of a page at once: all of it if the model can, with its lines."""
        words = text.split()
        reads_much = (self._model.max_seq_length or _SHORT_READER) > _SHORT_READER
        if len(words) <= (_LONGEST if reads_much else _PASSAGE):
            return [text]
        if reads_much:
            return [" ".join(words[:_LONGEST])]
        starts = range(0, min(len(words), _LONGEST) - _SHARED, _PASSAGE - _SHARED)
        return [" ".join(words[start : start + _PASSAGE]) for start in starts]


def _load(name: str, settings: Settings) -> Any:
    folder = Path(name).expanduser()
    checkpoint = Checkpoint(
        str(folder.resolve()) if folder.is_dir() else name, settings.reranking.rerank_revision, role=RERANKER
    ).at_commit()
    checkpoint.read("config.json")  # names what is missing before gigabytes are imported
    device = device_of(settings.encoding.device)
    with loading(checkpoint) as reports:
        import sentence_transformers

        model = sentence_transformers.CrossEncoder(
            checkpoint.name,
            device=device,
            model_kwargs={"dtype": dtype_of(settings.encoding.dtype, device)},
            **checkpoint.pinned,
        )
    reports.check(checkpoint, model)
    return model
