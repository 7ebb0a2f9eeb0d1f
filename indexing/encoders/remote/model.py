"""A page encoder whose model is behind HTTP: pages go there side by side, and what was paid for is kept.

Which server it is does not matter to an index, as long as it has the same model: the vectors of one page are recorded,
and another server's are held against them at first contact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.calls.jobs import Jobs
from pagesight.indexing.documents.png import png
from pagesight.indexing.encoders.remote.forms import Encoded
from pagesight.indexing.encoders.remote.jobs import PagesInJobs
from pagesight.indexing.encoders.remote.kept import PaidVectors
from pagesight.indexing.encoders.remote.probe import other_model, probe_of
from pagesight.indexing.encoders.remote.spending import Spending
from pagesight.indexing.encoders.vision import trial_page
from pagesight.indexing.errors import EncoderError, EncoderMismatch, SettingsError
from pagesight.indexing.vectors.multivector import MultiVector


class PageClient(Protocol):
    """How a server is asked, in its form. Methods raise EncoderError."""

    pages_at_once: int
    prompts: dict[str, str]

    def pages(self, pictures: Sequence[bytes], sizes: Sequence[tuple[int, int]]) -> list[Encoded]:
        """The vectors of PNGs, at most ``pages_at_once``."""
        ...

    def question(self, question: str) -> tuple[Encoded, list[str]]:
        """The vectors of a question, and the token of each."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class RemoteModel:
    """A model behind a server; see `pagesight.indexing.encoders.interface.PageModel`.

    ``recorded`` is what an index notes of it; then the server's vectors are checked against it at first contact.
    ``paid`` and ``spending`` are given for services that cost money: ``paid`` the kept vectors of one server, which is
    known by what it makes of the trial page, or by "" if it is the service's ``own``; ``noted`` is what this server
    made of it before.
    """

    def __init__(
        self,
        name: str,
        client: PageClient,
        *,
        at_once: int,
        recorded: dict[str, Any] | None,
        paid: Callable[[str], PaidVectors] | None = None,
        spending: Spending | None = None,
        own: bool = False,
        noted: str | None = None,
    ) -> None:
        self._name, self._client, self._spending = name, client, spending
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="pages")
        self.revision = "served"
        known = "" if own else noted
        self._paid = paid(known) if paid and known is not None else None
        self.server = known or ""
        wanted = (recorded or {}).get("probe")
        if recorded and wanted and self._paid and (own or noted == wanted):
            self.dim, self.notes = int(recorded["dim"]), {"prompts": recorded.get("prompts", {}), "probe": wanted}
        else:
            self._meet(wanted, paid)

    def _meet(self, wanted: Any, paid: Callable[[str], PaidVectors] | None) -> None:
        """First contact: what the server makes of the trial page, held against what an index records of it."""
        trial = trial_page(0)
        kept = self._paid.get("page", _content(trial)) if self._paid and not wanted else None
        vectors = kept if kept is not None else self._ask([trial])[0]
        if wanted:
            self._check(vectors, wanted)
        self.dim = int(vectors.shape[1])
        self.notes = {"prompts": self._client.prompts, "probe": wanted or probe_of(vectors)}
        if self._paid is None:
            self.server = str(self.notes["probe"])
        if paid:
            self._paid = self._paid or paid(self.server)
            self._paid.keep("page", _content(trial), vectors)

    def encode_pages(self, pictures: Sequence[Image.Image]) -> list[MultiVector]:
        """Vectors and boxes, in the order of the pictures. Raises EncoderError; what came until then is kept."""
        return self.begin_pages(pictures)()

    def begin_pages(self, pictures: Sequence[Image.Image]) -> Callable[[], list[MultiVector]]:
        """Send the pictures, side by side with those that were begun before; what is given back waits for them."""
        names = [self._paid.name("page", _content(picture)) if self._paid else "" for picture in pictures]
        found = [self._paid.named(name) if self._paid else None for name in names]
        missing = [place for place, vectors in enumerate(found) if vectors is None]
        size = self._client.pages_at_once
        groups = [missing[start : start + size] for start in range(0, len(missing), size)]
        asked = [
            self._pool.submit(
                self._ask_and_keep, [pictures[place] for place in group], [names[place] for place in group]
            )
            for group in groups
        ]

        def ended() -> list[MultiVector]:
            for group, vectors in zip(groups, _results(asked), strict=True):
                for place, one in zip(group, vectors, strict=True):
                    found[place] = one
            whole = [vectors for vectors in found if vectors is not None]
            return [
                MultiVector(vectors, self._boxes(vectors, one)) for vectors, one in zip(whole, pictures, strict=True)
            ]

        return ended

    def encode_in_jobs(self, pictures: Callable[[], Iterator[Image.Image]]) -> None:
        """Have the service encode these in jobs, and keep what it makes; then `encode_pages` finds them.

        Waits until they are done. Raises EncoderError, and SettingsError for a service without jobs.
        """
        client: Any = self._client
        if not (self._paid and self._spending and hasattr(client, "jobs")):
            raise SettingsError(
                f"{self._name} encodes in no jobs: leave out --batch (PAGESIGHT_ENCODER_BATCH). gemini-embedding-2 "
                "does, with a key of the Gemini API."
            )
        paid = self._paid

        def pages() -> Iterator[tuple[str, Callable[[], bytes]]]:
            for picture in pictures():
                yield paid.name("page", _content(picture)), partial(png, picture)

        why = Jobs(client.jobs(), PagesInJobs(paid, self._spending), paid.jobs, len).run(pages)
        missing = sum(paid.named(name) is None for name, _ in pages()) if why else 0
        if missing:
            raise EncoderError(
                f"{missing} pages came back from their job without vectors ({why}). The others are kept: run the same "
                "again, or without --batch."
            )

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """The vectors of a question, and the token of each where the server tells them."""
        content = question.encode()
        kept = self._paid.get("question", content) if self._paid else None
        if kept is not None:
            return kept, [question] if len(kept) == 1 else [""] * len(kept)
        (vectors, tokens), names = self._client.question(question)
        self._note_question("question", content, vectors, 0, tokens)
        return vectors, names

    @property
    def encode_picture_and_words(self) -> Callable[[Image.Image, str], NDArray[np.float32]] | None:
        """What makes the vectors of a picture and words together, where the service takes both in one content."""
        return self._together if hasattr(self._client, "picture_and_words") else None

    def _together(self, picture: Image.Image, words: str) -> NDArray[np.float32]:
        content = _content(picture) + words.encode()
        kept = self._paid.get("picture and words", content) if self._paid else None
        if kept is not None:
            return kept
        client: Any = self._client
        vectors, tokens = client.picture_and_words(png(picture), words)
        self._note_question("picture and words", content, vectors, 1, tokens)
        return np.asarray(vectors, np.float32)

    def close(self) -> None:
        """End what is under way, and close the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _note_question(
        self, kind: str, content: bytes, vectors: NDArray[np.float32], pictures: int, tokens: int | None
    ) -> None:
        if self._paid:
            self._paid.keep(kind, content, vectors)
        if self._spending:
            self._spending.add("search", 1, pictures, tokens)
            self._spending.settle()

    def _ask(self, pictures: list[Image.Image]) -> list[NDArray[np.float32]]:
        packed, sizes = [png(one) for one in pictures], [one.size for one in pictures]
        if self._spending is None:
            return [vectors for vectors, _ in self._client.pages(packed, sizes)]
        with self._spending.set_aside(len(pictures)):
            encoded = self._client.pages(packed, sizes)
            told = [tokens for _, tokens in encoded]
            known = sum(tokens for tokens in told if tokens is not None) if None not in told else None
            self._spending.add("index", 1, len(pictures), known)
        return [vectors for vectors, _ in encoded]

    def _ask_and_keep(self, pictures: list[Image.Image], names: list[str]) -> list[NDArray[np.float32]]:
        """The vectors of pages, kept as soon as they are there: nobody may be left to wait for them."""
        made = self._ask(pictures)
        if self._paid:
            for name, vectors in zip(names, made, strict=True):
                self._paid.keep_named(name, vectors)
        return made

    def _boxes(self, vectors: NDArray[np.float32], picture: Image.Image) -> NDArray[np.float32]:
        boxes = getattr(self._client, "boxes", None)
        none = np.full((len(vectors), 4), np.nan, np.float32)
        return np.asarray(boxes(len(vectors), picture.size), np.float32) if boxes and len(vectors) > 1 else none

    def _check(self, vectors: NDArray[np.float32], noted: Any) -> None:
        """Raises EncoderMismatch where a page's vectors are not those that the index records."""
        if how := other_model(noted, probe_of(vectors)):
            raise EncoderMismatch(
                f"the server's {self._name} is not the one that the index was made with: {how}. Name the server that "
                "has it, with --encoder or PAGESIGHT_ENCODER, or make a new index: `pagesight index PATH… --index "
                "OTHER`."
            )


def _results(asked: Sequence[Future[list[NDArray[np.float32]]]]) -> list[list[NDArray[np.float32]]]:
    """What each request gave; the first error is raised once all have ended."""
    wait(asked)
    return [one.result() for one in asked]


def _content(picture: Image.Image) -> bytes:
    """What a picture is known by: its pixels, whichever way they are packed."""
    seen = picture if picture.mode == "RGB" else picture.convert("RGB")
    return f"{seen.width}x{seen.height}\0".encode() + seen.tobytes()
