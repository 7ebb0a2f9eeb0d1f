"""What a sweep will cost, said before it is begun, and what it may still take within its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_core.messages.ai import UsageMetadata

from pagesight.indexing.calls.prices import ModelCall, Tariff
from pagesight.indexing.errors import SettingsError

if TYPE_CHECKING:
    from pagesight.tools.gemini_service.picture_tokens import PictureRule

#: Tokens of a cell beside its pictures: the question with its form, by counting; a cell with some thinking, a guess.
_TEXT_TOKENS, _OUTPUT_TOKENS = 500, 600
_A4 = 595.0, 842.0  # points


@dataclass(frozen=True)
class SweepEstimate:
    """How many are to be asked, how many answers are ``kept`` from before, and what asking will take.

    ``dollars`` is None where the price is not known. ``limit`` is the one that was set. ``in_jobs`` says that they are
    asked in jobs, which take half the price and up to a day, ``takes_jobs`` that they could be.
    """

    reasoner: str
    noun: str
    asked: int
    kept: int
    pictures: int
    input_tokens: int
    output_tokens: int
    dollars: float | None
    limit: float | None = None
    in_jobs: bool = False
    takes_jobs: bool = False

    def __str__(self) -> str:
        known = f" ({self.kept} more are known from before)" if self.kept else ""
        price = "a price that is not known" if self.dollars is None else f"about ${self.dollars:.4f}"
        jobs = ", as jobs, which may take a day" if self.in_jobs else ""
        limit = "" if self.limit is None else f", {self.limit:g} at most"
        return (
            f"{self.asked} {self.noun}{'' if self.asked == 1 else 's'} to ask{known}, {self.pictures} pictures, "
            f"some {self.input_tokens:,} tokens in and {self.output_tokens:,} out: {price}{limit}, with "
            f"{self.reasoner}{jobs}"
        )


class Prices:
    """What cells cost by estimate and by count, at the reasoner's price, or the dearest one that is known."""

    def __init__(self, reasoner: str, tariff: Tariff, rule: PictureRule | None, *, takes_jobs: bool = False):
        self.tariff = tariff
        self._reasoner, self._takes_jobs = reasoner, takes_jobs
        dpi = rule.dpi(_A4) / 72 if rule else 0.0
        self._of_a_picture = rule.tokens((round(_A4[0] * dpi), round(_A4[1] * dpi))) if rule else 0

    def estimate(self, noun: str, pages: list[int], kept: int, limit: float | None) -> SweepEstimate:
        """That of cells, each of so many pages."""
        calls = [self._call(count) for count in pages]
        return SweepEstimate(
            self._reasoner, noun, len(pages), kept, sum(pages) if self._of_a_picture else 0,
            sum(call.usage["input_tokens"] for call in calls), sum(call.usage["output_tokens"] for call in calls),
            self.tariff.of(calls) if calls else 0.0, limit, self.tariff.share < 1, self._takes_jobs,
        )  # fmt: skip

    def at_most(self, pages: int) -> float:
        """What a cell of so many pages takes by estimate."""
        return self.tariff.at_most([self._call(pages)])

    def _call(self, pages: int) -> ModelCall:
        given, made = _TEXT_TOKENS + pages * self._of_a_picture, _OUTPUT_TOKENS
        return ModelCall(UsageMetadata(input_tokens=given, output_tokens=made, total_tokens=given + made))


class Purse:
    """What a sweep may still spend. What is under way counts as much as the dearest cell so far."""

    def __init__(self, limit: float | None):
        if limit is not None and limit < 0:
            raise SettingsError(f"the limit is {limit:g} dollars: it must be 0 or more (--dollars)")
        self._limit = limit
        self._spent = 0.0
        self._dearest = 0.0
        self._under_way: dict[int, float] = {}

    def take(self, number: int, dollars: float) -> bool:
        """Puts aside what the cell with that number may take; False where it is no longer there."""
        self._under_way[number] = max(dollars, self._dearest)
        if self._limit is None or self._spent + sum(self._under_way.values()) <= self._limit:
            return True
        del self._under_way[number]
        return False

    def pay(self, number: int, dollars: float) -> None:
        """What the cell has taken."""
        self._under_way.pop(number, None)
        self._spent += dollars
        self._dearest = max(self._dearest, dollars)
