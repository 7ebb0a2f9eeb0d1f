"""A line of words that OCR read on a picture, by whichever engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Recognised:
    """Words in a row with their boxes (n, 4) in 0–1 of the picture; ``box`` (4,) is around the whole line.

    ``confidence`` is 0–1; ``is_sideways`` says that the line runs up or down the picture; ``letters`` is how many of
    the line's letters there would be, from its shape, and less were read where letters are unknown to the engine.
    """

    words: list[str]
    boxes: NDArray[np.float32]
    box: NDArray[np.float32]
    confidence: float
    is_sideways: bool
    letters: float

    @property
    def length(self) -> int:
        """How many characters were read."""
        return sum(map(len, self.words))


def mean_confidence(lines: Sequence[Recognised]) -> float:
    """The mean of the lines' confidences by their length; 0 if nothing was read."""
    lengths = [line.length for line in lines]
    if not sum(lengths):
        return 0.0
    return float(np.average([line.confidence for line in lines], weights=lengths))
