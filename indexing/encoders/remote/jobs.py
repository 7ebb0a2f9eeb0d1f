"""Pages that a service encodes in jobs of its own, for less: sent, waited for, and gone on with after a kill.

(https://ai.google.dev/gemini-api/docs/batch-api) What a job makes is kept as what is paid for page by page; then an
index finds it there. A note of each job is written before it is sent, by a name of ours: a job that was taken, whatever
happened to the answer, is found by that name and not sent again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pagesight.indexing.encoders.remote.forms import Encoded
from pagesight.indexing.encoders.remote.kept import PaidVectors
from pagesight.indexing.encoders.remote.spending import JOB_PRICE, Spending
from pagesight.indexing.errors import EncoderError

_log = logging.getLogger(__name__)

# A request may have 20 MB, and base64 makes four of three.
_JOB_BYTES = 14_000_000
_MOST_JOBS = 50  # at one time; the service takes 100
_LOOK_EVERY, _LOOK_AT_LEAST = 5.0, 60.0  # seconds: first, and at most, each wait being half as long again; guesses
_ROUNDS = 2  # how often pages are sent of which a job made nothing; a guess, not measured

#: A page to encode: by what its vectors are kept, and how its picture is made (a PNG).
JobPage = tuple[str, Callable[[], bytes]]


@dataclass(frozen=True)
class JobState:
    """How a job stands: "waits", "done" with what it made of each page (None and why where nothing), or "gone"."""

    state: Literal["waits", "done", "gone"]
    made: tuple[Encoded | None, ...] = ()
    why: str = ""


class JobClient(Protocol):
    """A service that takes jobs. Methods raise EncoderError."""

    def send(self, called: str, pictures: list[bytes]) -> str:
        """Begin a job under a name of ours; its own name. One that was taken already is not begun again."""
        ...

    def look(self, job: str) -> JobState:
        """How a job stands."""
        ...

    def called(self, name: str) -> str | None:
        """The job that was begun under a name of ours, if there is one."""
        ...


@dataclass(frozen=True)
class _Note:
    """A job as it is noted: our name, the service's once it is known, and by what the vectors of each page are kept."""

    path: Path
    name: str
    job: str | None
    pages: list[str]

    def write(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            written = self.path.with_suffix(".new")
            written.write_text(json.dumps({"name": self.name, "job": self.job, "pages": self.pages}), encoding="utf-8")
            os.replace(written, self.path)  # noqa: PTH105 (whole or not there)
        except OSError as error:
            raise EncoderError(
                f"a job cannot be noted in {self.path.parent} ({error.strerror}), and would be paid for twice if this "
                "run were cut off: free some space, or index without --batch."
            ) from error


class Jobs:
    """The jobs of one model with one set of settings; their notes lie in ``folder``."""

    def __init__(self, client: JobClient, paid: PaidVectors, spending: Spending, folder: Path) -> None:
        self._client, self._paid, self._spending, self._folder = client, paid, spending, folder
        self._refused = ""

    def encode(self, pages: Callable[[], Iterable[JobPage]]) -> None:
        """Have all pages encoded and kept of which nothing is; waits for that, for hours if need be.

        ``pages`` gives them, each time it is called. Raises EncoderError where a job comes to nothing, or pages are
        refused; what came until then is kept, and jobs that go on are taken up by the next call.
        """
        self._collect(list(self._notes()))
        for _ in range(_ROUNDS):
            if not self._send_and_collect(page for page in pages() if self._paid.named(page[0]) is None):
                return
        missing = sum(self._paid.named(name) is None for name, _ in pages())
        if missing:
            raise EncoderError(
                f"{missing} pages came back from their job without vectors ({self._refused or 'no reason was given'}). "
                "The others are kept: run the same again, or without --batch."
            )

    def _notes(self) -> Iterator[_Note]:
        """The jobs that an earlier run began, those that the service never took left out."""
        for path in sorted(self._folder.glob("*.json")):
            note = _read(path)
            if note and note.job is None:
                note = _Note(path, note.name, self._client.called(note.name), note.pages)
            if note and note.job:
                note.write()
                yield note
            else:
                path.unlink(missing_ok=True)

    def _send_and_collect(self, pages: Iterable[JobPage]) -> bool:
        """Whether there was anything to send."""
        sent: list[_Note] = []
        none = True
        with ExitStack() as reserved:
            for group in _groups(pages):
                none = False
                sent.append(self._send(group, reserved))
                if len(sent) == _MOST_JOBS:
                    self._collect(sent)
                    sent = []
                    reserved.pop_all().close()
            self._collect(sent)
        return not none

    def _send(self, group: list[tuple[str, bytes]], reserved: ExitStack) -> _Note:
        reserved.enter_context(self._spending.set_aside(len(group), JOB_PRICE))
        name = f"pagesight-{uuid.uuid4().hex}"
        note = _Note(self._folder / f"{name}.json", name, None, [key for key, _ in group])
        note.write()
        job = self._client.send(name, [picture for _, picture in group])
        note = _Note(note.path, name, job, note.pages)
        note.write()
        _log.info("job %s has %d pages", job, len(group))
        return note

    def _collect(self, notes: list[_Note]) -> None:
        """Waits until the jobs have ended, and keeps what they made. Raises EncoderError where one made nothing."""
        lost: list[str] = []
        wait = _LOOK_EVERY
        while notes:
            going = []
            for note in notes:
                found = self._client.look(str(note.job))
                if found.state == "waits":
                    going.append(note)
                    continue
                if found.state == "gone":
                    lost.append(f"{note.job}: {found.why}")
                else:
                    self._keep(note, found)
                note.path.unlink(missing_ok=True)
            notes = going
            if notes:
                _log.info("%d jobs go on; the next look is in %.0f s", len(notes), wait)
                time.sleep(wait)
                wait = min(wait * 1.5, _LOOK_AT_LEAST)
        if lost:
            raise EncoderError(
                f"{len(lost)} jobs ended without a result ({'; '.join(lost[:3])}). What others made is kept: run the "
                "same again to send these pages anew, or without --batch."
            )

    def _keep(self, note: _Note, found: JobState) -> None:
        if len(found.made) != len(note.pages):
            self._refused = f"{len(found.made)} results for {len(note.pages)} pages"
            return
        tokens: list[int | None] = []
        for key, encoded in zip(note.pages, found.made, strict=True):
            if encoded is None:
                self._refused = found.why or self._refused
                continue
            self._paid.keep_named(key, encoded[0])
            if self._paid.named(key) is None:
                raise EncoderError(
                    "what a job made cannot be kept in your own folder: free some space there and run the same again; "
                    "the job is not paid for again."
                )
            tokens.append(encoded[1])
        known = sum(one for one in tokens if one is not None) if None not in tokens else None
        self._spending.add("index", 1, len(tokens), known, JOB_PRICE)
        self._spending.settle()


def _read(path: Path) -> _Note | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(path.read_text(encoding="utf-8"))
        job = told["job"]
        return _Note(path, str(told["name"]), None if job is None else str(job), [str(one) for one in told["pages"]])
    return None


def _groups(pages: Iterable[JobPage]) -> Iterator[list[tuple[str, bytes]]]:
    """Pages with their pictures, as many as one job takes; the same page once."""
    group: list[tuple[str, bytes]] = []
    size, seen = 0, set[str]()
    for key, make in pages:
        if key in seen:
            continue
        seen.add(key)
        picture = make()
        if group and size + len(picture) > _JOB_BYTES:
            yield group
            group, size = [], 0
        group.append((key, picture))
        size += len(picture)
    if group:
        yield group
