"""Gemini's batch API through google-genai: a job begun once, looked at, and found by the name that we gave it.

(https://ai.google.dev/gemini-api/docs/batch-api) What is in a job, and how the service's errors are told, is the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from pagesight.indexing.calls.jobs import JobState

_MOST_LISTED = 2000  # jobs that are looked through for one of ours, the newest first; a guess, not measured

Asked = TypeVar("Asked")
Made = TypeVar("Made")


@dataclass(frozen=True)
class GeminiJobs(Generic[Asked, Made]):
    """A `JobClient`; ``batches`` are those of a google-genai client.

    ``asked`` makes a call, again where that helps, and raises the caller's errors, ``not_there`` for a 404. ``create``
    begins a job by the name of ours and the requests, ``read`` tells what a job that has ended made.
    """

    batches: Any
    asked: Callable[[Callable[[], Any]], Any]
    not_there: type[Exception]
    create: Callable[[str, list[Asked]], Any]
    read: Callable[[Any], JobState[Made]]

    def send(self, called: str, requests: list[Asked]) -> str:
        """See `JobClient`."""
        tried = False

        def begin() -> Any:
            nonlocal tried
            # The answer to a job that was taken may have been lost: it would be paid for twice.
            if tried and (taken := self._named(called)):
                return taken
            tried = True
            return self.create(called, requests)

        return str(self.asked(begin).name)

    def look(self, job: str) -> JobState[Made]:
        """See `JobClient`."""
        try:
            found = self.asked(lambda: self.batches.get(name=job))
        except self.not_there as error:
            return JobState("gone", why=str(error))
        state = str(getattr(found.state, "name", found.state)).removeprefix("JOB_STATE_")
        if state in ("SUCCEEDED", "PARTIALLY_SUCCEEDED"):
            return self.read(found)
        if state in ("FAILED", "CANCELLED", "EXPIRED"):
            return JobState("gone", why=f"{state.lower()} {getattr(found.error, 'message', None) or ''}".strip())
        return JobState("waits")

    def called(self, name: str) -> str | None:
        """See `JobClient`."""
        found = self.asked(lambda: self._named(name))
        return str(found.name) if found else None

    def _named(self, name: str) -> Any:
        listed = islice(self.batches.list(config={"page_size": 100}), _MOST_LISTED)
        return next((job for job in listed if job.display_name == name), None)
