"""Prices: on which day, for which model, by what answered; what is done where none is known; when the table is old."""

from __future__ import annotations

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pagesight.indexing.calls import prices
from pagesight.indexing.calls.prices import ModelCall, Price, Tariff, answering, dearest, price_of, stale
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import load_settings

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 25)


def usage(tokens_in: int, tokens_out: int, *, cached: int = 0) -> Any:
    total = tokens_in + tokens_out
    return {
        "input_tokens": tokens_in, "output_tokens": tokens_out, "total_tokens": total,
        "input_token_details": {"cache_read": cached},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "day", "price"),
    [
        ("gemini-3.8-flash", date(2026, 12, 31), Price(0.75, 3.75, 0.075)),
        ("gemini-3.8-flash", date(2027, 1, 1), Price(1.50, 7.50, 0.15)),
        ("google_genai:models/gemini-3.6-flash", TODAY, Price(0.75, 3.75, 0.075)),
        ("gemini-3.8-flash-001", TODAY, Price(0.75, 3.75, 0.075)),
        ("publishers/google/models/gemini-4-neon", TODAY, Price(3, 15, 0.15)),
        ("gemini-4-argon", date(2026, 11, 30), Price(2, 10, 0.10)),
        ("gemini-4-carbon", date(2026, 12, 1), Price(4, 20, 0.20)),
        ("gemini-4-hydrogen", date(2027, 6, 1), Price(1.50, 7.50, 0.075)),
        # a name under which another model answers costs what that one costs
        ("gemini-3.5-flash", date(2026, 10, 7), Price(1.50, 9.00, 0.15)),
        ("gemini-3.5-flash", date(2026, 10, 8), Price(0.75, 3.75, 0.075)),
        ("gemini-2.5-pro", date(2026, 11, 30), Price(1.25, 10.00, 0.125)),
        ("gemini-2.5-pro", date(2027, 1, 1), Price(1.50, 7.50, 0.15)),
        ("gemini-2.5-flash", date(2026, 12, 1), Price(0.30, 2.50, 0.03)),
        ("offline", TODAY, Price(0, 0, 0)),
        ("openai:gpt-5", TODAY, None),
        ("gemini-from-tomorrow", TODAY, None),
    ],
)
def test_a_price_is_that_of_a_model_on_a_day(model: str, day: date, price: Price | None) -> None:
    assert price_of(model, on=day) == price


def test_own_prices_come_first() -> None:
    own = {"gpt-5": [1.0, 2.0], "google_genai:gemini-3.8-flash": [9.0, 9.0, 1.0]}
    assert price_of("openai:gpt-5", own, on=TODAY) == Price(1.0, 2.0, 1.0)
    assert price_of("google_genai:gemini-3.8-flash", own, on=TODAY) == Price(9.0, 9.0, 1.0)
    assert price_of("gemini-3.8-flash", own, on=TODAY) == Price(0.75, 3.75, 0.075)
    with pytest.raises(SettingsError, match="PAGESIGHT_PRICES"):
        price_of("gpt-5", {"gpt-5": [1.0]}, on=TODAY)
    with pytest.raises(SettingsError, match="PAGESIGHT_PRICES"):
        Tariff("gemini-3.8-flash", {"some-other": [1.0]})


def test_each_call_is_priced_by_what_answered_it() -> None:
    tariff = Tariff("google_genai:gemini-2.5-pro")
    calls = [
        ModelCall(usage(1_000_000, 0), "gemini-3.5-flash-lite"),
        ModelCall(usage(1_000_000, 100_000, cached=400_000), "gemini-3.8-flash-001"),
        ModelCall(usage(1_000_000, 0), "a-name-inside-the-service"),  # then by the name that was asked
        ModelCall(usage(1_000_000, 0)),
    ]
    costs = [tariff.of([call], on=TODAY) for call in calls]
    assert costs == pytest.approx([0.30, 0.6 * 0.75 + 0.4 * 0.075 + 0.375, 1.25, 1.25])
    assert tariff.of(calls, on=TODAY) == pytest.approx(sum(cost or 0 for cost in costs))


def test_an_own_price_of_the_asked_model_beats_the_table_for_what_answered() -> None:
    tariff = Tariff("google_genai:gemini-3.8-flash", {"gemini-3.8-flash": [10.0, 20.0]})
    assert tariff.of([ModelCall(usage(1_000_000, 0), "gemini-3.6-flash")], on=TODAY) == 10.0
    tariff = Tariff("google_genai:gemini-3.8-flash", {"gemini-3.8-flash": [10.0, 20.0], "gemini-3.6-flash": [1, 1]})
    assert tariff.of([ModelCall(usage(1_000_000, 0), "gemini-3.6-flash")], on=TODAY) == 1.0


def test_what_is_not_known_is_not_guessed_but_can_be_bounded() -> None:
    tariff = Tariff("openai:gpt-99")
    call = ModelCall(usage(1_000_000, 0))
    assert tariff.of([call], on=TODAY) is None
    assert tariff.of([], on=TODAY) is None
    assert Tariff("offline").of([], on=TODAY) == 0.0
    assert tariff.at_most([call], on=TODAY) == 3.0
    assert tariff.at_most([call], on=date(2026, 12, 1)) == 4.0
    assert dearest(on=date(2027, 1, 1)) == Price(4, 20, 0.20)


def test_the_table_says_when_it_is_old() -> None:
    last = prices.READ + timedelta(days=90)
    assert stale(on=last) == ""
    assert stale(on=last + timedelta(days=1)) == f"the table of prices was read 91 days ago, on {prices.READ}"


def test_the_default_model_is_priced_and_not_retired() -> None:
    default = load_settings().gemini.gemini_model
    assert default not in prices.ROUTED
    assert answering(default, on=date(2027, 6, 1)) == default
    assert price_of(default, on=TODAY)


def test_nothing_names_a_retired_model_as_what_to_use() -> None:
    """Only the table, this and other tests, and the CHANGELOG may name one."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    allowed = ("indexing/calls/prices.py", "CHANGELOG.md", "tests/", "requirements/")
    read = [path for path in tracked if not path.startswith(allowed) and (ROOT / path).is_file()]
    retired = re.compile(f"({'|'.join(map(re.escape, prices.ROUTED))})(?![\\w-])")
    texts = {path: (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in read}
    assert len(texts) > 200
    assert {path: found[0] for path, text in texts.items() if (found := retired.search(text))} == {}
