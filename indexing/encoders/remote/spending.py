"""What encoding costs: an estimate before it, a limit during it, and the ledger after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pagesight.indexing.calls.jobs import JOB_PRICE
from pagesight.indexing.calls.ledger import Spent
from pagesight.indexing.calls.prices import price_of
from pagesight.indexing.encoders.remote.served import SERVICES
from pagesight.indexing.errors import EncoderError, SettingsError
from pagesight.indexing.settings import Settings

#: Requests that a service answers in a second while one waits for it: a guess, not measured.
_REQUESTS_A_SECOND = 1.0


@dataclass(frozen=True)
class Estimate:
    """What encoding ``pages`` will take, most likely; ``tokens`` and ``dollars`` None where nobody publishes them.

    ``seconds`` None is for jobs, which the service does when it likes.
    """

    model: str
    pages: int
    tokens: int | None
    dollars: float | None
    seconds: float | None

    def __str__(self) -> str:
        tokens = f"about {self.tokens:,} tokens" if self.tokens is not None else "tokens not known"
        dollars = f"about ${self.dollars:.4f}" if self.dollars is not None else "price not known (PAGESIGHT_PRICES)"
        takes = f"about {self.seconds:.0f} s" if self.seconds is not None else "as jobs, which may take a day"
        return f"{self.model}: {self.pages:,} pages, {tokens}, {dollars}, {takes}"

    def __add__(self, other: Estimate) -> Estimate:
        """What both take for the same pages, one after the other; what is not known of one is not known of both."""
        values = [(getattr(self, name), getattr(other, name)) for name in ("tokens", "dollars", "seconds")]
        sums = [None if mine is None or theirs is None else mine + theirs for mine, theirs in values]
        return Estimate(f"{self.model} and {other.model}", self.pages, *sums)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "model": self.model,
            "pages": self.pages,
            "tokens": self.tokens,
            "dollars": self.dollars,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
        }


def estimate(model: str, pages: int, settings: Settings) -> Estimate:
    """What a service will take for so many pages, none of which it has seen; SERVICES holds the model."""
    a_page = SERVICES[model].page_tokens
    tokens = a_page * pages if a_page is not None else None
    price = _dollars_a_token(model, settings)
    share = JOB_PRICE if settings.encoding.encoder_batch else 1.0
    dollars = tokens * price * share if tokens is not None and price is not None else None
    if settings.encoding.encoder_batch:
        return Estimate(model, pages, tokens, dollars, None)
    seconds = pages / (_REQUESTS_A_SECOND * settings.encoding.encoder_requests)
    return Estimate(model, pages, tokens, dollars, seconds)


class Spending:
    """What a service has cost since it was opened, told to a ledger by kind of work.

    Raises SettingsError, when it is made, for a limit in dollars on a model whose price is not known.
    """

    def __init__(self, model: str, settings: Settings) -> None:
        self._model, self._limit = model, settings.encoding.encoder_dollars
        self._price = _dollars_a_token(model, settings)
        self._page_tokens = SERVICES[model].page_tokens or 0
        self._lock = threading.Lock()
        self._noted: dict[tuple[str, float], list[float]] = {}
        self._dollars = 0.0
        self._started = time.monotonic()
        self.note: Callable[[Spent], None] | None = None
        if self._limit is not None and self._price is None:
            raise SettingsError(
                f"the price of {model} is not known, so that --dollars cannot be kept to: set it in PAGESIGHT_PRICES, "
                f'such as {{"{model}": [0.2, 0]}}, in US dollars per million tokens.'
            )

    @contextmanager
    def set_aside(self, pages: int, share: float = 1.0) -> Iterator[None]:
        """Keeps what so many pages will cost from other requests meanwhile; inside it, `add` says what they did cost.

        ``share`` is the part of the usual price that is asked for them.

        Raises EncoderError where that would be more than the limit.
        """
        more = pages * self._page_tokens * (self._price or 0.0) * share
        self._check(pages, more)
        try:
            yield
        finally:
            with self._lock:
                self._dollars -= more

    def _check(self, pages: int, more: float) -> None:
        with self._lock:
            if self._limit is None or self._dollars + more <= self._limit:
                self._dollars += more
            else:
                raise EncoderError(
                    f"{self._model} has cost ${self._dollars:.4f} and the next {pages} pages would cost about "
                    f"${more:.4f}, more than the limit of ${self._limit:g}. What was encoded is kept: run the same "
                    "again with more --dollars (PAGESIGHT_ENCODER_DOLLARS)."
                )

    def add(self, kind: str, calls: int, pictures: int, tokens: int | None, share: float = 1.0) -> None:
        """Note a call at this part of the price; pictures whose tokens nobody tells count as estimated."""
        counted = tokens if tokens is not None else pictures * self._page_tokens
        with self._lock:
            self._dollars += counted * (self._price or 0.0) * share
            sums = self._noted.setdefault((kind, share), [0, 0, 0])
            for place, more in enumerate((calls, pictures, counted)):
                sums[place] += more

    def settle(self) -> None:
        """Tell the ledger what has come together since it was told last."""
        with self._lock:
            noted, self._noted = self._noted, {}
            seconds, self._started = time.monotonic() - self._started, time.monotonic()
        for (kind, share), (calls, pictures, tokens) in noted.items():
            dollars = tokens * self._price * share if self._price is not None else None
            if self.note:
                self.note(
                    Spent(
                        kind=kind, model=self._model, calls=int(calls), input_tokens=int(tokens),
                        pictures=int(pictures), seconds=round(seconds, 3), dollars=dollars,
                    )
                )  # fmt: skip


def _dollars_a_token(model: str, settings: Settings) -> float | None:
    price = price_of(model, settings.budget.prices)
    return price.input / 1_000_000 if price else None
