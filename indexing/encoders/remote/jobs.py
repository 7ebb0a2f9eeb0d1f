"""Pages that a service encodes in jobs of its own, for less: what a job makes is kept as what is paid for page by page,
and then an index finds it there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from pagesight.indexing.calls.jobs import JOB_PRICE
from pagesight.indexing.encoders.remote.forms import Encoded
from pagesight.indexing.encoders.remote.kept import PaidVectors
from pagesight.indexing.encoders.remote.spending import Spending
from pagesight.indexing.errors import EncoderError


class PagesInJobs:
    """A `Customer` of jobs: keys are those of the kept vectors. Methods raise EncoderError."""

    def __init__(self, paid: PaidVectors, spending: Spending) -> None:
        self._paid, self._spending = paid, spending

    def holds(self, key: str) -> bool:
        """See `Customer`."""
        return self._paid.named(key) is not None

    def set_aside(self, keys: Sequence[str]) -> AbstractContextManager[None]:
        """See `Customer`."""
        return self._spending.set_aside(len(keys), JOB_PRICE)

    def keep(self, made: Sequence[tuple[str, Encoded]]) -> None:
        """See `Customer`."""
        for key, (vectors, _) in made:
            self._paid.keep_named(key, vectors)
            if not self.holds(key):
                raise EncoderError(
                    "what a job made cannot be kept in your own folder: free some space there and run the same again; "
                    "the job is not paid for again."
                )
        told = [tokens for _, (_, tokens) in made]
        known = sum(one for one in told if one is not None) if None not in told else None
        self._spending.add("index", 1, len(made), known, JOB_PRICE)
        self._spending.settle()

    def failed(self, message: str) -> EncoderError:
        """See `Customer`."""
        return EncoderError(message)
