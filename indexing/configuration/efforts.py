"""What each effort means, in one place: the settings that it stands for, wherever nobody has set them themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Effort = Literal["low", "medium", "high"]
Thinking = Literal["default", "low", "medium", "high"]


@dataclass(frozen=True)
class EffortMeans:
    """What one effort sets; each field is a setting by its flat name."""

    searches_per_question: int
    pages_per_question: int
    calls_per_question: int
    samples_per_question: int
    pages_per_cell: int
    thinking_level: Thinking


#: "medium" is what is taken without an effort, but for thinking, which is then left to the model. The others are a
#: guess: nothing was measured with a model yet, `eval answers --effort` does.
EFFORTS: Mapping[Effort, EffortMeans] = {
    "low": EffortMeans(3, 5, 8, 1, 2, "low"),
    "medium": EffortMeans(8, 16, 24, 1, 3, "medium"),
    "high": EffortMeans(16, 32, 48, 3, 6, "high"),
}
