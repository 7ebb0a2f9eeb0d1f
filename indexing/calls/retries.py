"""A call that failed is made again, after a wait: how often, after how long, and what is told meanwhile.

For any service, sync and async. What a service's client raises, and which of it passes, is the caller's matter.

    for attempt in Attempts("Gemini", failure_of, most=4, longest_wait=60):   # or `async for`
        with attempt:
            return client.ask(…)
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from tenacity import AsyncRetrying, AttemptManager, RetryCallState, Retrying

from pagesight.indexing.calls.progress import tell

#: Seconds before the second attempt where the service does not say; twice that before the third, and so on. The second
#: is what google-genai waits too (HttpRetryOptions.initial_delay).
_FIRST_WAIT = 1.0
#: By how much a wait differs from that, so that several callers do not come back at the same moment: a guess.
_JITTER = 0.2


@dataclass(frozen=True)
class FailedAttempt:
    """What an error of a call amounts to: its ``name`` in a line of text, and whether another attempt may succeed.

    ``passing`` without a change: after ``asked_wait`` seconds where the service says so. ``repaired``: the caller has
    removed the cause, and asks again at once; that attempt is not counted.
    """

    name: str
    passing: bool = False
    asked_wait: float | None = None
    repaired: bool = False


class Attempts:
    """The attempts at one call of ``service``: ``most`` in all, with waits of ``longest_wait`` seconds at most.

    ``failure_of`` reads an error; None is no failure of the service's, but a fault of the program, and raised at once.
    Each wait is told to whoever follows (progress.py). The last error is raised as it came.
    """

    def __init__(
        self, service: str, failure_of: Callable[[BaseException], FailedAttempt | None], most: int, longest_wait: float
    ):
        self._service = service
        self._failure_of = failure_of
        self._most = most
        self._longest_wait = longest_wait
        self._made = 1
        self._seconds = 0.0

    def __iter__(self) -> Iterator[AttemptManager]:
        return iter(Retrying(retry=self._goes_on, wait=self._wait, reraise=True))

    def __aiter__(self) -> AsyncIterator[AttemptManager]:
        return aiter(AsyncRetrying(retry=self._goes_on, wait=self._wait, reraise=True))

    def _goes_on(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        failure = self._failure_of(error) if error else None
        if failure is None:
            return False
        self._seconds = 0.0 if failure.repaired else self._wait_after(failure)
        if failure.repaired:
            return True
        if self._made >= self._most or not failure.passing or self._seconds > self._longest_wait:
            return False
        self._made += 1
        self._tell(failure)
        return True

    def _wait_after(self, failure: FailedAttempt) -> float:
        if failure.asked_wait is not None:
            return failure.asked_wait
        return _FIRST_WAIT * 2.0 ** (self._made - 1) * random.uniform(1 - _JITTER, 1 + _JITTER)

    def _wait(self, state: RetryCallState) -> float:
        return self._seconds

    def _tell(self, failure: FailedAttempt) -> None:
        why = "asks to wait" if failure.asked_wait is not None else "failed: waiting"
        attempt = f"attempt {self._made} of {self._most}"
        tell("waits", text=f"{self._service} {why} {self._seconds:.0f} s ({failure.name}), {attempt}")
