"""What a model's tokens cost. Prices change: check these against the provider's page, and set your own in `prices`.

Read in November 2026 from what is published of https://ai.google.dev/gemini-api/docs/pricing (paid tier, text and
images). Storage of cached content is not counted; of a model that is not in the table the cost is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pagesight.indexing.errors import SettingsError

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

#: Model → US dollars per million tokens of input, output (thinking counted in) and cached input.
PUBLISHED: dict[str, tuple[float, float, float]] = {
    "gemini-3.8-flash": (0.75, 3.75, 0.075),  # until 2026-12-31, then 1.50, 7.50, 0.15; so the next two
    "gemini-3.7-flash": (0.75, 3.75, 0.075),
    "gemini-3.6-flash": (0.75, 3.75, 0.075),
    "gemini-3.5-flash": (1.50, 9.00, 0.15),
    "gemini-3.5-flash-lite": (0.30, 2.50, 0.03),
    "gemini-3-flash-preview": (0.50, 3.00, 0.05),
    "gemini-2.5-pro": (1.25, 10.00, 0.125),  # up to 200,000 tokens of input, beyond it 2.50, 15.00, 0.25
    "gemini-2.5-flash": (0.30, 2.50, 0.03),
    "gemini-2.5-flash-lite": (0.10, 0.40, 0.01),
    "offline": (0.0, 0.0, 0.0),  # no model
}


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cached: float

    def of(self, usages: Iterable[UsageMetadata]) -> float:
        """What these calls cost in US dollars. Input tokens hold the cached ones, output tokens those of thinking."""
        return sum(self._of_one(usage) for usage in usages)

    def _of_one(self, usage: UsageMetadata) -> float:
        cached = usage.get("input_token_details", {}).get("cache_read", 0)
        fresh = usage["input_tokens"] - cached
        return (fresh * self.input + cached * self.cached + usage["output_tokens"] * self.output) / 1_000_000


def price_of(model: str, own: Mapping[str, Sequence[float]] | None = None) -> Price | None:
    """The price of a model by its name, with or without a provider before it; None if it is not known.

    ``own`` prices, the setting `prices`, come first. Raises SettingsError if one is not two or three numbers.
    """
    name = model.rpartition(":")[2].removeprefix("models/")
    numbers = (own or {}).get(model) or (own or {}).get(name) or PUBLISHED.get(name)
    if numbers is None:
        return None
    if len(numbers) not in (2, 3):
        raise SettingsError(
            f"the price of {name} is {list(numbers)}: write [input, output] or [input, output, cached input] in "
            "US dollars per million tokens (PAGESIGHT_PRICES)"
        )
    return Price(numbers[0], numbers[1], numbers[-1] if len(numbers) == 3 else numbers[0])
