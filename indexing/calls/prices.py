"""What a model's tokens cost, and on which day. Prices change: set your own in the setting `prices`.

Read on `READ` from what is published of https://ai.google.dev/gemini-api/docs/pricing (paid tier, text and images).
Storage of cached content is not counted; of a model that is not in the table the cost is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pagesight.indexing.errors import SettingsError

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

#: The day on which the table was read, and how long it is trusted. A guess: prices changed three times in 2026.
READ = date(2026, 11, 25)
TRUSTED_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens of input, output (thinking counted in) and cached input."""

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


_ALWAYS = date.min
_NEXT_YEAR = date(2027, 1, 1)
_FLASH = {_ALWAYS: Price(0.75, 3.75, 0.075), _NEXT_YEAR: Price(1.50, 7.50, 0.15)}
_BEFORE_DECEMBER = {_ALWAYS: Price(2.00, 10.00, 0.10), date(2026, 12, 1): Price(4.00, 20.00, 0.20)}

#: Model → its prices, each by the first day on which it holds, in the order of the days.
PUBLISHED: dict[str, dict[date, Price]] = {
    "gemini-4-argon": _BEFORE_DECEMBER,
    "gemini-4-carbon": _BEFORE_DECEMBER,
    "gemini-4-neon": {_ALWAYS: Price(3.00, 15.00, 0.15)},
    "gemini-4-hydrogen": {_ALWAYS: Price(1.50, 7.50, 0.075)},
    "gemini-3.8-flash": _FLASH,
    "gemini-3.7-flash": _FLASH,
    "gemini-3.6-flash": _FLASH,
    "gemini-3.5-flash": {_ALWAYS: Price(1.50, 9.00, 0.15)},
    "gemini-3.5-flash-lite": {_ALWAYS: Price(0.30, 2.50, 0.03)},
    "gemini-3-flash-preview": {_ALWAYS: Price(0.50, 3.00, 0.05)},
    "gemini-2.5-pro": {_ALWAYS: Price(1.25, 10.00, 0.125)},  # to 200,000 tokens in, beyond it 2.50, 15.00, 0.25
    "gemini-2.5-flash": {_ALWAYS: Price(0.30, 2.50, 0.03)},
    "gemini-2.5-flash-lite": {_ALWAYS: Price(0.10, 0.40, 0.01)},
    "gemini-embedding-2": {_ALWAYS: Price(0.20, 0.0, 0.20)},
    "offline": {_ALWAYS: Price(0.0, 0.0, 0.0)},  # no model
}

#: Retired or deprecated models → since when another one answers under the name, and which.
ROUTED: dict[str, tuple[date, str]] = {
    "gemini-3.5-flash": (date(2026, 10, 8), "gemini-3.6-flash"),
    "gemini-2.5-pro": (date(2026, 12, 1), "gemini-3.8-flash"),
    "gemini-2.5-flash": (date(2026, 12, 1), "gemini-3.5-flash-lite"),
}


@dataclass(frozen=True)
class ModelCall:
    """One call of a model: its tokens, and the name of what answered, the response's ``modelVersion``; "" if unsaid."""

    usage: UsageMetadata
    answered_by: str = ""


@dataclass(frozen=True)
class Tariff:
    """What the calls of one reasoner cost: each is priced by the model that answered it, or else by the one asked.

    ``model`` is the reasoner's name, ``own`` the setting `prices`, ``share`` the part of the price that is asked.
    Raises SettingsError, when it is made, if one of the prices cannot be read.
    """

    model: str
    own: Mapping[str, Sequence[float]] = field(default_factory=dict)
    share: float = 1.0

    def __post_init__(self) -> None:
        for name in self.own:
            _own(self.own, name)

    def price(self, answered_by: str = "", *, on: date | None = None) -> Price | None:
        """The price of a call that this model answered; None if it is not known."""
        own = (_own(self.own, name) for name in (answered_by, self.model, _plain(self.model)))
        published = (price_of(name, on=on) for name in (answered_by, self.model))
        return next((price for price in (*own, *published) if price), None)

    def of(self, calls: Iterable[ModelCall], *, on: date | None = None) -> float | None:
        """What the calls cost in US dollars; None if a price is not known."""
        prices = [(self.price(call.answered_by, on=on), call.usage) for call in calls]
        if not prices:
            return 0.0 if self.price(on=on) else None
        costs = [price.of([usage]) for price, usage in prices if price]
        return self.share * sum(costs) if len(costs) == len(prices) else None

    def at_most(self, calls: Iterable[ModelCall], *, on: date | None = None) -> float:
        """The same, with the dearest known price where a model's own is not known: it costs no more, most likely."""
        each = ((self.price(call.answered_by, on=on) or dearest(on=on)).of([call.usage]) for call in calls)
        return self.share * sum(each)


def price_of(model: str, own: Mapping[str, Sequence[float]] | None = None, *, on: date | None = None) -> Price | None:
    """The price of a model on a day, by default today; None if it is not known.

    The name may have a provider before it and a version after it (``google_genai:models/gemini-3.8-flash-001``). A name
    under which another model answers by then costs what that one costs. ``own`` prices, the setting `prices`, come
    first. Raises SettingsError if one is not two or three numbers.
    """
    own_price = _own(own or {}, model) or _own(own or {}, _plain(model))
    if own_price:
        return own_price
    day = on or date.today()
    dated = PUBLISHED.get(answering(model, on=day), {})
    return next((price for since, price in reversed(dated.items()) if since <= day), None)


def answering(model: str, *, on: date | None = None) -> str:
    """The name of the model that answers to a name on a day, by default today: itself, or what it is routed to."""
    name = _plain(model)
    since, successor = ROUTED.get(name, (date.max, name))
    return answering(successor, on=on) if (on or date.today()) >= since else name


def writers(*, on: date | None = None) -> dict[str, Price]:
    """The models of the table that write answers on a day, by default today, with what they cost then."""
    prices = {model: price_of(model, on=on) for model in PUBLISHED if answering(model, on=on) == model}
    return {model: price for model, price in prices.items() if price and price.output}


def dearest(*, on: date | None = None) -> Price:
    """The highest price in the table on a day, by default today."""
    prices = [price_of(model, on=on) for model in PUBLISHED]
    return max((price for price in prices if price), key=lambda price: (price.output, price.input))


def stale(*, on: date | None = None) -> str:
    """Why the table is not to be trusted any more on a day, by default today; "" while it is."""
    age = (on or date.today()) - READ
    return f"the table of prices was read {age.days} days ago, on {READ}" if age > TRUSTED_FOR else ""


def _plain(model: str) -> str:
    """The name without its provider and its version."""
    return re.sub(r"-\d{3}$", "", model.rpartition(":")[2].rpartition("/")[2])


def _own(own: Mapping[str, Sequence[float]], name: str) -> Price | None:
    numbers = own.get(name)
    if numbers is None:
        return None
    if len(numbers) not in (2, 3):
        raise SettingsError(
            f"the price of {name} is {list(numbers)}: write [input, output] or [input, output, cached input] in "
            "US dollars per million tokens (PAGESIGHT_PRICES)"
        )
    return Price(numbers[0], numbers[1], numbers[-1] if len(numbers) == 3 else numbers[0])
