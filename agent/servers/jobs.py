"""Uploads and removals, one at a time over all processes of the service: the index has one writer.

A job waits while another process works on one, and says so; who writes to the index from elsewhere, such as
`pagesight index`, is named. A document that the token may not see is never replaced, renamed or given new metadata: not
by uploading its very bytes either.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout

from pagesight.agent.servers.job_files import Job, JobFiles
from pagesight.agent.servers.problems import Problem, problem_of
from pagesight.indexing.documents.sources import hash_file
from pagesight.indexing.encoders import estimate_costs
from pagesight.indexing.errors import IndexInUse, UnknownDocument
from pagesight.indexing.pages import DocumentRecord
from pagesight.indexing.storage.atomic_files import private_folder

if TYPE_CHECKING:
    from pagesight.agent.servers.tokens import Token
    from pagesight.indexing import AddReport, PageIndex, Progress
    from pagesight.indexing.encoders.remote.spending import Estimate

_log = logging.getLogger(__name__)

Written = TypeVar("Written")

#: Seconds between two looks at who writes, and between two notes of how far a job is: guesses, not measured.
_LOOK_EVERY = 0.2
#: Jobs that wait in one process at most, and those of one token: guesses, not measured.
_MOST_WAITING, _MOST_OF_ONE = 50, 10

#: Folders in the name of an upload: a guess, not measured.
_MOST_FOLDERS = 12

_OTHERS = "it is in the index outside of what this token may see"


class Stopped(Exception):
    """A job was asked to stop."""


class _Asks(Exception):
    """What a job would cost has to be confirmed first."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__(str(estimate))
        self.estimate = estimate


@dataclass(frozen=True)
class Upload:
    """Files of one request in a folder of their own, and the metadata that they get.

    ``asks`` says that what costs money is confirmed first; ``encoder`` is the one that an empty index shall take.
    """

    folder: Path
    metadata: dict[str, Any]
    asks: bool = False
    encoder: str = ""


@dataclass(frozen=True)
class _Task:
    job: Job
    token: Token
    do: Callable[[_Task], None]
    upload: Upload | None = None
    documents: tuple[str, ...] = ()


class Jobs:
    """The jobs of one process, done in a thread of their own. ``written`` is told how many pages were."""

    def __init__(self, index: PageIndex, files: JobFiles, written: Callable[[int], None] = lambda pages: None) -> None:
        self.files = files
        self._index = index
        self._written = written
        self._tasks: queue.Queue[_Task | None] = queue.Queue()
        self._asking: list[_Task] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pagesight-jobs", daemon=True)
        self._thread.start()

    def add(self, token: Token, upload: Upload) -> Job:
        """A job that indexes what was uploaded. Raises Problem 429 if too many wait, 422 for metadata out of bounds."""
        metadata = {**upload.metadata, **token.stamp}
        names = [str(path.relative_to(upload.folder)) for path in _files_in(upload.folder)]
        self._refuse_too_many(token)
        job = self.files.new("add", token.name, names)
        self._tasks.put(_Task(job, token, self._add, replace(upload, metadata=metadata)))
        return job

    def remove(self, token: Token, records: Sequence[DocumentRecord]) -> Job:
        """A job that takes documents out of the index. Raises Problem 429 if too many wait."""
        self._refuse_too_many(token)
        job = self.files.new("remove", token.name, [record.document for record in records])
        self._tasks.put(_Task(job, token, self._remove, documents=tuple(record.document_id for record in records)))
        return job

    def close(self) -> None:
        """Stops the job that is under way, after its batch of pages; what waits is lost."""
        self._ending.set()
        self._tasks.put(None)
        self._thread.join(timeout=60)

    def _refuse_too_many(self, token: Token) -> None:
        waiting = [task.token.name for task in tuple(self._tasks.queue) if task]
        many = f"{_MOST_WAITING} jobs" if len(waiting) >= _MOST_WAITING else ""
        if waiting.count(token.name) >= _MOST_OF_ONE:
            many = f"{_MOST_OF_ONE} jobs of this token"
        if many:
            raise Problem(429, "Too many jobs", f"{many} wait: try again later", {"Retry-After": "30"})

    def _work(self) -> None:
        while (task := self._next()) is not None and not self._ending.is_set():
            try:
                self._done(task)
            except _Asks as asks:
                job = replace(task.job, state="asking", estimate=asks.estimate.as_dict())
                self.files.write(job)
                self._asking.append(replace(task, job=job))
                continue
            except OSError as error:
                _log.error("the job %s cannot be noted: %s", task.job.id, error)
            if task.upload:
                shutil.rmtree(task.upload.folder, ignore_errors=True)

    def _next(self) -> _Task | None:
        """The next job to do: one that was confirmed or stopped while it asked, or the one that waits longest."""
        while True:
            for task in self._asking:
                if self.files.is_confirmed(task.job.id) or self.files.shall_stop(task.job.id):
                    self._asking.remove(task)
                    return task
            with contextlib.suppress(queue.Empty):
                return self._tasks.get(timeout=_LOOK_EVERY if self._asking else None)

    def _done(self, task: _Task) -> None:
        try:
            with self._turn(task.job):
                task.do(task)
        except Stopped:
            self.files.write(replace(task.job, state="stopped", message="it was stopped: what was written stays"))
        except _Asks:
            raise
        except Exception as error:  # noqa: BLE001 (a job that fails says so, and the next one goes on)
            problem = problem_of(error, sees_all=task.token.sees_all)
            if problem.status == 500:
                _log.exception("the job %s failed", task.job.id)
            self.files.write(
                replace(task.job, state="failed", message=self._shown(problem.detail, task), code=problem.code)
            )

    @contextlib.contextmanager
    def _turn(self, job: Job) -> Iterator[None]:
        """Within it no other process of the service works on a job."""
        lock = FileLock(self.files.lock)
        told = False
        while True:
            self._check(job)
            try:
                lock.acquire(timeout=_LOOK_EVERY)
                break
            except Timeout:
                if not told:
                    self.files.write(replace(job, message="another upload is being written", code="another-upload"))
                    told = True
        try:
            yield
        finally:
            lock.release()

    def _check(self, job: Job) -> None:
        if self._ending.is_set() or self.files.shall_stop(job.id):
            raise Stopped

    def _add(self, task: _Task) -> None:
        assert task.upload
        known = {record.document_id: record for record in self._index.documents()}
        paths, failed = self._placed(task, task.upload, known)
        try:
            report = self._added(task, task.upload, paths)
        except _Asks:
            place = self.files.uploads(task.token.name)
            for path in paths:  # to be placed again, once it is confirmed
                path.replace(task.upload.folder / path.relative_to(place))
            raise
        finally:
            for path in paths:  # the index keeps a copy of its own
                path.unlink(missing_ok=True)
        self._written(report.pages)
        told = _told(report)
        told["failed"] = failed + [{**one, "reason": self._shown(one["reason"], task)} for one in told["failed"]]
        told["warnings"] = [{**one, "reason": self._shown(one["reason"], task)} for one in told["warnings"]]
        job = replace(task.job, state="done", done_pages=report.pages, total_pages=report.pages, report=told)
        self.files.write(job)

    def _placed(
        self, task: _Task, upload: Upload, known: dict[str, DocumentRecord]
    ) -> tuple[list[Path], list[dict[str, str]]]:
        """The uploaded files at the paths that they are indexed by; and those that may not be, with why."""
        place = self.files.uploads(task.token.name)
        paths: list[Path] = []
        failed: list[dict[str, str]] = []
        for file in _files_in(upload.folder):
            record = known.get(hash_file(file))
            if record and not task.token.sees(record):
                why = {"reason": f"{file.name} cannot be added: {_OTHERS}", "code": "out-of-bounds"}
                failed.append({"document": file.name, **why})
                continue
            target = place / file.relative_to(upload.folder)
            private_folder(target.parent)
            file.replace(target)
            paths.append(target)
        return paths, failed

    def _added(self, task: _Task, upload: Upload, paths: list[Path]) -> AddReport:
        started = time.monotonic()
        noted = 0.0

        def progress(made: Progress) -> None:
            nonlocal noted
            self._check(task.job)
            now = time.monotonic()
            if now - noted >= _LOOK_EVERY:
                noted = now
                self.files.write(_under_way(task.job, made, now - started))

        encoders = [one.name for one in self._index.encoders]
        other = upload.encoder if upload.encoder not in encoders else None
        encoders = [other] if other else encoders
        asks = upload.asks and not self.files.is_confirmed(task.job.id)

        def approve(pages: int) -> None:
            estimate = estimate_costs(encoders, pages, self._index.settings)
            if estimate and asks:
                raise _Asks(estimate)

        self.files.write(replace(task.job, state="running", estimate=None))
        if other and (not asks or estimate_costs(encoders, 1, self._index.settings) is None):
            self._with_others(task, lambda: self._index.use_encoder(other))
        return self._with_others(
            task, lambda: self._index.add(paths, progress=progress, metadata=upload.metadata, approve=approve)
        )

    def _remove(self, task: _Task) -> None:
        self.files.write(replace(task.job, state="running"))
        records = {record.document_id: record for record in self._index.documents()}
        gone = [one for one in task.documents if one not in records or not task.token.sees(records[one])]
        if gone:
            raise UnknownDocument(f"{', '.join(task.job.files)}: no longer among the documents of this token")
        removed = self._with_others(task, lambda: self._index.remove(task.documents))
        self.files.write(replace(task.job, state="done", report={"removed": [document_row(one) for one in removed]}))

    def _with_others(self, task: _Task, write: Callable[[], Written]) -> Written:
        """What writing gives, once nobody from elsewhere writes; until then the job says who does, to who sees all."""
        while True:
            try:
                return write()
            except IndexInUse as error:
                self._check(task.job)
                who = str(error) if task.token.sees_all else "another program writes to the index"
                self.files.write(replace(task.job, state="waiting", message=who, code="another-program"))

    def _shown(self, text: str, task: _Task) -> str:
        """A sentence without the folders of this machine."""
        for folder in (self.files.uploads(task.token.name), *([task.upload.folder] if task.upload else [])):
            text = text.replace(f"{folder}{os.sep}", "")
        return text


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def document_row(record: DocumentRecord) -> dict[str, Any]:
    """A document as the service tells of it: without where it lay on this machine."""
    row = record.as_dict()
    row.pop("path")
    return row


def _under_way(job: Job, made: Progress, seconds: float) -> Job:
    rate = made.done_pages / seconds if seconds > 0 and made.done_pages else None
    left = (made.total_pages - made.done_pages) / rate if rate else None
    return replace(
        job, state="running", done_pages=made.done_pages, total_pages=made.total_pages, document=made.document,
        pages_per_second=None if rate is None else round(rate, 2),
        seconds_left=None if left is None else round(left, 1),
    )  # fmt: skip


def _told(report: AddReport) -> dict[str, Any]:
    lists = {"added": report.added, "replaced": report.replaced, "unchanged": report.unchanged + report.repaired}
    return {
        **{name: [document_row(record) for record in records] for name, records in lists.items()},
        "failed": [
            {"document": one.path.name, "reason": str(one.error), "code": problem_of(one.error).code}
            for one in report.failed
        ],
        "warnings": [{"document": one.path.name, "reason": one.text} for one in report.warnings],
    }


def check_metadata(token: Token, metadata: dict[str, Any]) -> None:
    """Raises Problem 422 where the token could not see what it uploads with this metadata."""
    if not token.sees(DocumentRecord("0" * 16, "", "", 1, "", {**metadata, **token.stamp})):
        raise Problem(
            422, "Out of bounds",
            f"with this metadata the document would not be among those of this token, which have {token.where}",
        )  # fmt: skip


def refuse_name(name: str) -> PurePosixPath:
    """The name of an upload, which may be in folders. Raises Problem 422 for one that no document can have."""
    parts = name.split("/")
    fits = len(parts) <= _MOST_FOLDERS and all(map(_is_plain, parts)) and not name.endswith(".meta.json")
    if not fits:
        raise Problem(422, "Bad file name", f"{name[:100]!r} cannot be the name of a document: send it under another")
    return PurePosixPath(name)


def _is_plain(part: str) -> bool:
    plain = part.isprintable() and "\\" not in part and not part.startswith(".")
    return plain and 0 < len(part.encode("utf-8", "surrogatepass")) <= 200
