"""A call that failed is made again: how often, after which waits, and what is told meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pagesight.indexing.calls import retries
from pagesight.indexing.calls.asked_waits import asked_wait, retry_after
from pagesight.indexing.calls.retries import Attempts, FailedAttempt


class Refused(Exception):
    """What a service's client raises."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are waited, in order, instead of waiting."""
    waited: list[float] = []

    async def asleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(asyncio, "sleep", asleep)
    return waited


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told to who follows the run."""
    lines: list[str] = []
    monkeypatch.setattr(retries, "tell", lambda kind, text: lines.append(f"{kind}: {text}"))
    return lines


PASSING = FailedAttempt("503", passing=True)


def calls(failures: list[FailedAttempt | None], *, most: int = 4, longest: float = 60, anew: bool = False) -> int:
    """Makes calls that fail so, one after the other, and then succeed; how many were made."""
    made = 0

    def failure_of(error: BaseException) -> FailedAttempt | None:
        assert isinstance(error, Refused)
        return failures[made - 1]

    def call() -> None:
        nonlocal made
        made += 1
        if made <= len(failures):
            raise Refused(f"call {made}")

    async def in_loop() -> None:
        async for attempt in Attempts("Gemini", failure_of, most, longest):
            with attempt:
                call()

    if anew:
        asyncio.run(in_loop())
        return made
    for attempt in Attempts("Gemini", failure_of, most, longest):
        with attempt:
            call()
    return made


@pytest.mark.parametrize("in_loop", [False, True])
def test_waits_double_and_differ_by_a_fifth_at_most(waits: list[float], told: list[str], in_loop: bool) -> None:
    every = []
    for _ in range(20):
        assert calls([PASSING] * 3, anew=in_loop) == 4
        every.append(list(waits))
        waits.clear()
    for place, usual in enumerate((1, 2, 4)):
        found = [one[place] for one in every]
        assert usual * 0.8 <= min(found) < usual < max(found) <= usual * 1.2
    assert told[0] == "waits: Gemini failed: waiting 1 s (503), attempt 2 of 4"
    assert told[2].endswith("attempt 4 of 4")


def test_a_call_that_succeeds_is_made_once(waits: list[float], told: list[str]) -> None:
    assert calls([]) == 1
    assert (waits, told) == ([], [])


def test_the_last_error_comes_as_it_was(waits: list[float], told: list[str]) -> None:
    with pytest.raises(Refused, match="call 4"):
        calls([PASSING] * 9)
    assert len(waits) == len(told) == 3


@pytest.mark.parametrize("failure", [FailedAttempt("400"), None])
def test_what_does_not_pass_is_raised_at_once(waits: list[float], failure: FailedAttempt | None) -> None:
    with pytest.raises(Refused, match="call 1"):
        calls([failure])
    assert waits == []


def test_one_attempt_is_one(waits: list[float]) -> None:
    with pytest.raises(Refused, match="call 1"):
        calls([PASSING], most=1)
    assert waits == []


def test_a_wait_that_is_asked_for_is_waited_exactly(waits: list[float], told: list[str]) -> None:
    assert calls([FailedAttempt("429", passing=True, asked_wait=30.0), PASSING], longest=30) == 3
    assert waits[0] == 30.0
    assert 1.6 <= waits[1] <= 2.4  # the second attempt was made: this is the wait before the third
    assert told[0] == "waits: Gemini asks to wait 30 s (429), attempt 2 of 4"


def test_no_wait_is_waited_too(waits: list[float], told: list[str]) -> None:
    assert calls([FailedAttempt("429", passing=True, asked_wait=0.0)]) == 2
    assert waits == [0.0]
    assert "asks to wait 0 s" in told[0]


def test_a_longer_wait_than_is_wanted_ends_it(waits: list[float]) -> None:
    with pytest.raises(Refused, match="call 1"):
        calls([FailedAttempt("429", passing=True, asked_wait=31.0)], longest=30)
    with pytest.raises(Refused, match="call 1"):
        calls([PASSING], longest=0.5)
    assert waits == []


def test_a_cause_that_was_removed_is_tried_at_once_and_not_counted(waits: list[float], told: list[str]) -> None:
    repaired = FailedAttempt("404", repaired=True)
    assert calls([repaired, repaired, PASSING], most=2) == 4
    assert waits[:2] == [0.0, 0.0]
    assert 0.8 <= waits[2] <= 1.2
    assert len(told) == 1


@pytest.mark.parametrize("name", ["retry-after", "Retry-After"])
@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), (" 7 ", 7.0), ("0", 0.0)])
def test_seconds_to_wait_are_read(name: str, value: str, seconds: float) -> None:
    assert retry_after({name: value}) == seconds


@pytest.mark.parametrize(
    "headers",
    [{}, *({"retry-after": value} for value in ("", "-1", "²", "9" * 5000, "1.5.2")), {"Retry-After": "soon"}],
)
def test_what_says_no_wait_is_none(headers: Mapping[str, str]) -> None:
    assert retry_after(headers) is None


def test_a_date_to_wait_for_is_read() -> None:
    now = datetime.now(UTC)
    ahead = retry_after({"Retry-After": format_datetime(now + timedelta(seconds=90), usegmt=True)})
    assert ahead is not None
    assert 80 < ahead <= 90
    assert retry_after({"Retry-After": format_datetime(now - timedelta(seconds=90), usegmt=True)}) == 0.0


@pytest.mark.parametrize(
    ("delay", "message", "seconds"),
    [
        ("1.5s", "", 1.5), ("7s", "", 7), ("²s", "", None), ("1.2.3s", "", None), ("", "Please retry in 1m2.5s.", 62.5),
        ("", "Please retry in 1.2.3s.", None), ("", "Please retry in ²s.", None), ("", "Please retry in 250ms.", 0.25),
        ("", f"Please retry in {'9' * 5000}h.", None), ("²s", "Please retry in 2h.", 7200),
    ],
)  # fmt: skip
def test_the_wait_that_googles_errors_ask_for(delay: str, message: str, seconds: float | None) -> None:
    assert asked_wait([{"retryDelay": delay}], {}, message) == seconds
