"""What all encoders with weights have in common: loaded late, checked against silent image loss, batches that fit.

A model is loaded when its first vectors are asked for, or when a new index must know their dimensions: listing what is
in an index loads nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.calls.ledger import Spent
from pagesight.indexing.encoders.interface import Idf, PageModel
from pagesight.indexing.encoders.trust import EncoderCode
from pagesight.indexing.encoders.workers.serve import free_memory, out_of_memory
from pagesight.indexing.errors import EncoderError, EncoderMismatch, SettingsError
from pagesight.indexing.lexical.query import Query
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors
from pagesight.indexing.vectors.picture_query import picture_query

_log = logging.getLogger(__name__)

# Long and low: models that cut pictures into tiles make few of it.
_TRIAL_SIZE = (448, 112)
_LEAST_DIFFERENCE = 1e-5  # between vectors of two pictures: what float32 leaves of a rounding; a guess, not measured
# What an index notes of a model beside its name, revision and dimensions, if there is anything to say.
_NOTES = ("base", "base_revision", "prompts", "probe")
# The median page had .58 to .74 of the best page's score, measured with ColQwen2's vectors of 23 pages. Counted from 0,
# the best page by words would always come before the best page by vectors.
_BASELINE = 0.6


class VisionEncoder:
    """An encoder whose vectors a model makes; see `pagesight.indexing.encoders.interface.PageEncoder`.

    ``load`` gives the model; ``recorded`` is what an index notes of the encoder that it was made with: then the model
    is loaded when it is needed, and refused with EncoderMismatch if it is another. ``settings`` are those that change
    the vectors, beside ``dim``, to which they are cut and normalised again (Matryoshka; Kusupati et al., 2022).
    ``code`` gives what the model runs beside pagesight's own code.
    """

    needs_pictures = True
    # Not measured yet: published results have these models well ahead of BM25 on pages made to be looked at.
    fusion_weight = 0.7
    #: Pages that are best begun before the first of them is waited for.
    pages_ahead = 0

    def __init__(
        self,
        name: str,
        load: Callable[[], PageModel],
        *,
        dim: int | None = None,
        settings: dict[str, Any] | None = None,
        batch: int = 4,
        recorded: dict[str, Any] | None = None,
        code: Callable[[], list[EncoderCode]] = list,
    ) -> None:
        self.name = name
        self.code = code
        self._load = load
        self._asked_dim = dim
        self._settings = settings or {}
        self._batch = batch
        self._recorded = recorded
        self._model: PageModel | None = None
        self._looks = False
        self._lock = threading.RLock()

    @property
    def revision(self) -> str:
        """The commit or the fingerprint of the weights."""
        return str(self._recorded["revision"]) if self._recorded else self._loaded().revision

    @property
    def dim(self) -> int:
        """Dimensions of its vectors. Raises SettingsError if more are asked for than the model has."""
        if self._asked_dim is not None and not self._recorded:
            self._check_dim(self._loaded())
        return self._asked_dim or (int(self._recorded["dim"]) if self._recorded else self._loaded().dim)

    def describe(self) -> dict[str, Any]:
        """Name, revision, dimensions, the settings that change the vectors, and what the model notes of itself."""
        told = {"name": self.name, "revision": self.revision, "dim": self.dim} | self._settings
        return told | (_noted(self._recorded) if self._recorded else _noted_by(self._loaded()))

    def encode_pages(self, pictures: Sequence[Image.Image | None], texts: Sequence[PageText]) -> list[MultiVector]:
        """The vectors of the pictures; the texts are not looked at. Raises EncoderError if one page is too much."""
        seen = self._in_colour(pictures)
        with self._lock:
            self._check_that_it_looks()
            return [self._finished(page) for page in self._in_batches(seen, texts)]

    def begin_pages(
        self, pictures: Sequence[Image.Image | None], texts: Sequence[PageText]
    ) -> Callable[[], list[MultiVector]]:
        """What gives `encode_pages` of these, where something can be begun before it is waited for."""
        return partial(self.encode_pages, pictures, texts)

    def encode_query(self, query: Query, idf: Idf) -> QueryVectors:
        """The vectors of the question, all of the same weight: what is rare is the model's to know."""
        with self._lock:
            vectors, tokens = self._loaded().encode_query(query.text)
        weights = np.ones(len(tokens), np.float32)
        return QueryVectors(self._cut(vectors), tokens, weights, baseline=_BASELINE)

    def encode_picture(
        self, seen: Image.Image | MultiVector, text: PageText, words: Query | None, idf: Idf
    ) -> QueryVectors:
        """The vectors of a picture as a question: as the model was trained for it, or else those of a page."""
        if words and isinstance(seen, Image.Image):
            with self._lock:
                together = getattr(self._loaded(), "encode_picture_and_words", None)
                if together:
                    vectors = self._cut(together(seen.convert("RGB"), words.text))
                    boxes = np.full((len(vectors), 4), np.nan, np.float32)
                    return picture_query(MultiVector(vectors, boxes), None, _BASELINE)
        page = self.encode_pages([seen], [text])[0] if isinstance(seen, Image.Image) else seen
        return picture_query(page, self.encode_query(words, idf) if words else None, _BASELINE)

    def notes_costs(self, note: Callable[[Spent], None]) -> None:
        """What to tell the costs of each piece of work to, where there are any."""

    def settle(self) -> None:
        """Tell what has been spent until now."""

    def foresee(self, pictures: Callable[[], Iterator[Image.Image]]) -> None:
        """Be told of all pages before they are encoded, as often as wanted; most encoders have no use for that."""

    def close(self) -> None:
        """Let the model go, with its memory or its process; it is loaded again when it is needed."""
        with self._lock:
            self._model = None

    def _in_colour(self, pictures: Sequence[Image.Image | None]) -> list[Image.Image]:
        seen = [one if one.mode == "RGB" else one.convert("RGB") for one in pictures if one is not None]
        if len(seen) < len(pictures):
            raise EncoderError(f"{self.name} looks at pages and was given none: a page's picture is missing.")
        return seen

    def _encode(self, pictures: Sequence[Image.Image], texts: Sequence[PageText]) -> list[MultiVector]:
        return self._loaded().encode_pages(pictures)

    def _loaded(self) -> PageModel:
        with self._lock:
            if self._model is None:
                model = self._load()
                self._check_dim(model)
                self._check_that_it_is_the_same(model)
                self._model = model
            return self._model

    def _check_dim(self, model: PageModel) -> None:
        if self._asked_dim is not None and self._asked_dim > model.dim:
            raise SettingsError(
                f"{self.name} makes vectors of {model.dim} dimensions, {self._asked_dim} were asked for. Set --dim or "
                f"PAGESIGHT_DIM to {model.dim} or less."
            )

    def _check_that_it_is_the_same(self, model: PageModel) -> None:
        recorded, notes = self._recorded or {}, _noted_by(model)
        revisions: list[tuple[str, Any, Any]] = [(self.name, recorded.get("revision"), model.revision)]
        revisions.append((f"the base of {self.name}", recorded.get("base_revision"), notes.get("base_revision")))
        for what, noted, now in revisions:
            if noted is not None and now != noted:
                raise EncoderMismatch(
                    f"the index was made with {what} of revision {noted}; the weights that are "
                    f"there now are {now}. Bring those back, or make a new index: `pagesight index PATH… "
                    f"--encoder {self.name} --index OTHER`."
                )

    def _check_that_it_looks(self) -> None:
        """Raises EncoderError if two pages that differ have the same vectors.

        A tokenizer in the place of a processor drops pictures without a word, and every page is then the same.
        """
        if self._looks:
            return
        trial = self._in_batches([trial_page(0), trial_page(1)], [PageText.empty()] * 2)
        first, second = (page.vectors for page in trial)
        if first.shape == second.shape and np.abs(first - second).max(initial=0) < _LEAST_DIFFERENCE:
            raise EncoderError(
                f"{self.name} does not look at pages: two different pictures have the same vectors. Its checkpoint "
                "lacks a working image processor; take another revision (PAGESIGHT_REVISION) or another encoder."
            )
        self._looks = True

    def _in_batches(self, pictures: list[Image.Image], texts: Sequence[PageText]) -> Iterator[MultiVector]:
        done = 0
        while done < len(pictures):
            batch = slice(done, done + self._batch)
            try:
                found = self._encode(pictures[batch], texts[batch])
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                self._take_fewer(error)
                continue
            yield from found
            done += len(found)

    def _take_fewer(self, error: Exception) -> None:
        """Halve the batch for good, and say so; a single page that does not fit is an error."""
        free_memory()
        if self._batch == 1:
            raise EncoderError(
                f"the memory of the device does not hold {self.name} and one page. Set PAGESIGHT_DTYPE=bfloat16, fewer "
                "PAGESIGHT_VISUAL_TOKENS, PAGESIGHT_DEVICE=cpu, or take a smaller encoder."
            ) from error
        self._batch //= 2
        pages = "1 page" if self._batch == 1 else f"{self._batch} pages"
        _log.warning("out of memory: %s goes on with %s at once (PAGESIGHT_PAGES_AT_ONCE)", self.name, pages)

    def _finished(self, page: MultiVector) -> MultiVector:
        return MultiVector(self._cut(page.vectors), page.boxes.astype(np.float32))

    def _cut(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """The first ``dim`` dimensions, L2-normalised, float32."""
        cut = np.asarray(vectors, np.float32)[:, : self._asked_dim or (self._recorded or {}).get("dim")]
        norms = np.linalg.norm(cut, axis=1, keepdims=True)
        if not np.isfinite(norms).all():
            raise EncoderError(f"{self.name} made vectors that are no numbers. Try PAGESIGHT_DTYPE=float32.")
        return np.asarray(cut / np.maximum(norms, 1e-12))


def _noted(recorded: dict[str, Any]) -> dict[str, Any]:
    """What an index notes of a model beside name, revision, dimensions and settings."""
    return {name: recorded[name] for name in _NOTES if name in recorded}


def _noted_by(model: PageModel) -> dict[str, Any]:
    """The same, as a model says it; one that is not its own says nothing."""
    return _noted(getattr(model, "notes", {}))


def trial_page(place: int) -> Image.Image:
    """A white page with a black bar, left or right: what a model is tried on before it sees pages."""
    page = Image.new("RGB", _TRIAL_SIZE, "white")
    page.paste("black", (32 + 224 * place, 32, 192 + 224 * place, 80))
    return page
