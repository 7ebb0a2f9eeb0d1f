"""Requests that a service does in jobs of its own, for less: sent, waited for, and gone on with after a kill.

(https://ai.google.dev/gemini-api/docs/batch-api) Whoever has something done keeps what a job makes, as what is paid for
one by one. A note of each job is written before it is sent, by a name of ours: a job that was taken, whatever happened
to the answer, is found by that name and not sent again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from pagesight.indexing.errors import PagesightError

_log = logging.getLogger(__name__)

#: What is asked in a job beside the same one by one, as published (https://ai.google.dev/gemini-api/docs/batch-api).
JOB_PRICE = 0.5
# A request may have 20 MB, and base64 makes four of three.
_JOB_BYTES = 14_000_000
_MOST_JOBS = 50  # at one time; the service takes 100
_LOOK_EVERY, _LOOK_AT_LEAST = 5.0, 60.0  # seconds: first, and at most, each wait being half as long again; guesses
_ROUNDS = 2  # how often that is sent of which a job made nothing; a guess, not measured

Asked = TypeVar("Asked")
Made = TypeVar("Made")
Kept = TypeVar("Kept", contravariant=True)


@dataclass(frozen=True)
class JobState(Generic[Made]):
    """How a job stands: "waits", "done" with what it made of each request (None where nothing), or "gone"; and why."""

    state: Literal["waits", "done", "gone"]
    made: tuple[Made | None, ...] = ()
    why: str = ""


class JobClient(Protocol[Asked, Made]):
    """A service that takes jobs. Methods raise what its calls do."""

    def send(self, called: str, requests: list[Asked]) -> str:
        """Begin a job under a name of ours; its own name. One that was taken already is not begun again."""
        ...

    def look(self, job: str) -> JobState[Made]:
        """How a job stands."""
        ...

    def called(self, name: str) -> str | None:
        """The job that was begun under a name of ours, if there is one."""
        ...


class Customer(Protocol[Kept]):
    """Whoever has something done in jobs: keeps what they make, and sees to what that costs."""

    def holds(self, key: str) -> bool:
        """Whether what a request makes is kept already."""
        ...

    def keep(self, made: Sequence[tuple[str, Kept]]) -> None:
        """Keep what a job made of its requests, by their keys; it is kept when this returns."""
        ...

    def set_aside(self, keys: Sequence[str]) -> AbstractContextManager[None]:
        """Keeps what these will cost from others until the block ends. May raise where that is too much."""
        ...

    def failed(self, message: str) -> PagesightError:
        """The error that ends a run whose jobs came to nothing, or cannot be noted."""
        ...


@dataclass(frozen=True)
class _Note:
    """A job as it is noted: our name, the service's once it is known, and the keys of its requests."""

    path: Path
    name: str
    job: str | None
    keys: list[str]

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = self.path.with_suffix(".new")
        written.write_text(json.dumps({"name": self.name, "job": self.job, "pages": self.keys}), encoding="utf-8")
        os.replace(written, self.path)  # noqa: PTH105 (whole or not there)


class Jobs(Generic[Asked, Made]):
    """The jobs of a ``customer`` with a ``client``; their notes lie in ``folder``. ``size`` tells a request's bytes."""

    def __init__(
        self, client: JobClient[Asked, Made], customer: Customer[Made], folder: Path, size: Callable[[Asked], int]
    ) -> None:
        self._client, self._customer, self._folder, self._size = client, customer, folder, size
        self._refused = ""

    def run(self, requests: Callable[[], Iterable[tuple[str, Callable[[], Asked]]]]) -> str | None:
        """Have all requests done of which nothing is kept; waits for that, for hours if need be.

        ``requests`` gives the key of each and how it is made, each time it is called. Returns None, or why some came
        back with nothing. Raises the customer's error where a job comes to nothing; what came until then is kept,
        and jobs that go on are taken up by the next call.
        """
        self._collect(list(self._notes()))
        for _ in range(_ROUNDS):
            if not self._send_and_collect(one for one in requests() if not self._customer.holds(one[0])):
                return None
        return self._refused or "no reason was given"

    def _notes(self) -> Iterator[_Note]:
        """The jobs that an earlier run began, those that the service never took left out."""
        for path in sorted(self._folder.glob("*.json")):
            note = _read(path)
            if note and note.job is None:
                note = _Note(path, note.name, self._client.called(note.name), note.keys)
            if note and note.job:
                self._write(note)
                yield note
            else:
                path.unlink(missing_ok=True)

    def _send_and_collect(self, requests: Iterable[tuple[str, Callable[[], Asked]]]) -> bool:
        """Whether there was anything to send."""
        sent: list[_Note] = []
        none = True
        with ExitStack() as reserved:
            for group in self._groups(requests):
                none = False
                sent.append(self._send(group, reserved))
                if len(sent) == _MOST_JOBS:
                    self._collect(sent)
                    sent = []
                    reserved.pop_all().close()
            self._collect(sent)
        return not none

    def _send(self, group: list[tuple[str, Asked]], reserved: ExitStack) -> _Note:
        keys = [key for key, _ in group]
        reserved.enter_context(self._customer.set_aside(keys))
        name = f"pagesight-{uuid.uuid4().hex}"
        note = _Note(self._folder / f"{name}.json", name, None, keys)
        self._write(note)
        job = self._client.send(name, [asked for _, asked in group])
        note = _Note(note.path, name, job, keys)
        self._write(note)
        _log.info("job %s has %d requests", job, len(group))
        return note

    def _write(self, note: _Note) -> None:
        try:
            note.write()
        except OSError as error:
            raise self._customer.failed(
                f"a job cannot be noted in {note.path.parent} ({error.strerror}), and would be paid for twice if this "
                "run were cut off: free some space, or leave out --batch."
            ) from error

    def _collect(self, notes: list[_Note]) -> None:
        """Waits until the jobs have ended, and keeps what they made. Raises where one made nothing."""
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
            raise self._customer.failed(
                f"{len(lost)} jobs ended without a result ({'; '.join(lost[:3])}). What others made is kept: run the "
                "same again to send anew what was in them, or without --batch."
            )

    def _keep(self, note: _Note, found: JobState[Made]) -> None:
        if len(found.made) != len(note.keys):
            self._refused = f"{len(found.made)} results for {len(note.keys)} requests"
            return
        pairs = zip(note.keys, found.made, strict=True)
        self._customer.keep([(key, made) for key, made in pairs if made is not None])
        self._refused = found.why or self._refused

    def _groups(self, requests: Iterable[tuple[str, Callable[[], Asked]]]) -> Iterator[list[tuple[str, Asked]]]:
        """Requests as they are made, as many as one job takes; each once."""
        group: list[tuple[str, Asked]] = []
        size, seen = 0, set[str]()
        for key, make in requests:
            if key in seen:
                continue
            seen.add(key)
            asked = make()
            bytes_of_it = self._size(asked)
            if group and size + bytes_of_it > _JOB_BYTES:
                yield group
                group, size = [], 0
            group.append((key, asked))
            size += bytes_of_it
        if group:
            yield group


def _read(path: Path) -> _Note | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(path.read_text(encoding="utf-8"))
        job = told["job"]
        return _Note(path, str(told["name"]), None if job is None else str(job), [str(one) for one in told["pages"]])
    return None
