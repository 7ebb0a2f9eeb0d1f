"""The pages and questions of scale.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from vectors import DIM, VECTORS, questions, synthetic_pages

from pagesight.indexing.encoders import MultiVector
from pagesight.indexing.encoders.lexical import LexicalEncoder
from pagesight.indexing.pages import PageText

PAGES_A_DOCUMENT = 200
QUESTIONS = 60
WORDS, POOL = 250, 3


def _lexical_pages(folder: Path, count: int) -> Iterator[tuple[PageText, MultiVector]]:
    """Pages of 250 words with the vectors of the lexical encoder; each document has words of its own subject."""
    rng, encoder = np.random.default_rng(1), LexicalEncoder()
    words = _vocabulary(rng)
    often = np.cumsum(1 / np.arange(1, len(words) + 1))  # the more frequent, the nearer to the beginning
    places = np.arange(WORDS)
    lines = (places // 10).astype(np.int32)
    boxes = np.stack([places % 10 / 10, places // 10 / 25, np.full(WORDS, 0.08), np.full(WORDS, 0.03)], axis=1)
    boxes[:, 2:] += boxes[:, :2]
    asked: list[str] = []
    asked_of = set(range(0, count, max(1, count // QUESTIONS)))
    for number in range(count):
        if number % PAGES_A_DOCUMENT == 0:
            subject = rng.integers(len(words), size=300)
        chosen = np.searchsorted(often, rng.random(WORDS) * often[-1])
        own = rng.random(WORDS) < 0.3
        chosen[own] = rng.choice(subject, int(own.sum()))
        text = PageText([words[word] for word in chosen], boxes.astype(np.float32), lines, "text layer")
        if number in asked_of:
            asked.append(" ".join(words[word] for word in rng.choice(chosen, 6, replace=False)))
        if number == count - 1:
            (folder / "questions.json").write_text(json.dumps(asked))
        yield text, encoder.encode_pages([None], [text])[0]


def _vocabulary(rng: np.random.Generator) -> list[str]:
    """60,000 words of two to four syllables."""
    syllables = [first + second for first in "bcdfghjklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er")]
    words = ("".join(rng.choice(syllables, int(rng.integers(2, 5)))) for _ in range(90_000))
    return list(dict.fromkeys(words))[:60_000]


def _vector_pages(folder: Path, count: int) -> Iterator[tuple[PageText, MultiVector]]:
    """Pages of vectors.py, in which like patches stand side by side: three become their mean."""
    step = max(1, count // 500)
    asked_of = np.lib.format.open_memmap(  # on the disk: the writer's memory is measured
        folder / "sample.npy", "w+", np.float16, (len(range(0, count, step)), VECTORS, DIM)
    )
    for number, page in enumerate(synthetic_pages(count)):
        if number % step == 0:
            asked_of[number // step] = page
        vectors = page[: len(page) // POOL * POOL].reshape(-1, POOL, DIM).mean(axis=1)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        if number == count - 1:
            np.save(folder / "questions.npy", questions(list(asked_of), QUESTIONS))
        yield PageText.empty(), MultiVector(vectors, np.zeros((len(vectors), 4), np.float32))


PAGES = {"lexical": _lexical_pages, "vectors": _vector_pages}
