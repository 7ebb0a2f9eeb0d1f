"""A page encoder behind HTTP, as the rest of the program knows one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PIL import Image

from pagesight.indexing.calls.ledger import Spent
from pagesight.indexing.encoders.remote.model import RemoteModel
from pagesight.indexing.encoders.remote.spending import Spending
from pagesight.indexing.encoders.vision import VisionEncoder
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.multivector import MultiVector


class RemoteEncoder(VisionEncoder):
    """An encoder behind HTTP. What it spends is told to ``spending.note``, once one is set.

    ``in_jobs`` says that pages are encoded in the service's jobs, where it is told of them before.
    """

    def __init__(
        self, name: str, load: Callable[[], RemoteModel], spending: Spending | None, *, in_jobs: bool, **options: Any
    ) -> None:
        super().__init__(name, load, **options)
        self._in_jobs = in_jobs
        self.pages_ahead = self._batch
        self.spending = spending
        self._asking = threading.Lock()

    def notes_costs(self, note: Callable[[Spent], None]) -> None:
        """What to tell each piece of work's cost to."""
        if self.spending:
            self.spending.note = note

    def settle(self) -> None:
        """Tell what has been spent until now."""
        if self.spending:
            self.spending.settle()

    def close(self) -> None:
        """Close the connections, and tell what has been spent."""
        with self._lock:
            if isinstance(self._model, RemoteModel):
                self._model.close()
        self.settle()
        super().close()

    def foresee(self, pictures: Callable[[], Iterator[Image.Image]]) -> None:
        """Have them encoded in the service's jobs, where that is asked for."""
        if self._in_jobs:
            model = self._loaded()
            assert isinstance(model, RemoteModel)
            model.encode_in_jobs(pictures)

    def begin_pages(
        self, pictures: Sequence[Image.Image | None], texts: Sequence[PageText]
    ) -> Callable[[], list[MultiVector]]:
        """Send the pages; what is given back waits for their vectors."""
        seen = self._in_colour(pictures)
        with self._lock:
            self._check_that_it_looks()
            model = self._loaded()
        assert isinstance(model, RemoteModel)
        made = model.begin_pages(seen)
        return lambda: [self._finished(page) for page in made()]
