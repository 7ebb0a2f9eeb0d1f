"""Jobs as files beside the index: each process of the service can tell of each, and one that ended is noticed."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pagesight.indexing.storage.atomic_files import private_folder, write_atomically
from pagesight.indexing.storage.sharing import is_running, this_process

State = Literal["waiting", "asking", "running", "done", "failed", "stopped", "lost"]
_OVER: frozenset[State] = frozenset(("done", "failed", "stopped", "lost"))
_ID = re.compile(r"[0-9a-f]{16}")
#: Seconds for which it can be read what a job did: a guess, not measured.
_KEPT = 24 * 3600.0

_LOST = "the process that did it ended in the middle: what was written stays; send it again"


@dataclass(frozen=True)
class Job:
    """An upload (``add``) or a removal (``remove``) by the token named ``owner``; ``process`` does it.

    ``estimate`` says what encoding will cost, where the job is ``asking`` whether it shall; ``code`` names the kind of
    its message, for those who say it in another language.
    """

    id: str
    kind: Literal["add", "remove"]
    owner: str
    files: list[str]
    state: State = "waiting"
    done_pages: int = 0
    total_pages: int = 0
    document: str = ""
    pages_per_second: float | None = None
    seconds_left: float | None = None
    message: str = ""
    code: str = ""
    report: dict[str, Any] | None = None
    estimate: dict[str, Any] | None = None
    process: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in _OVER

    def as_dict(self) -> dict[str, Any]:
        """What is told of it."""
        told = asdict(self)
        return {name: value for name, value in told.items() if name not in ("owner", "process")}


class JobFiles:
    """The folder of jobs, and below it what was uploaded for them. Everything here waits for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def lock(self) -> Path:
        """The file that is locked by the process that works on a job."""
        return self._folder / "lock"

    def new(self, kind: Literal["add", "remove"], owner: str, files: list[str]) -> Job:
        """A job that waits."""
        job = Job(secrets.token_hex(8), kind, owner, files, process=this_process())
        self.write(job)
        return job

    def uploads(self, owner: str) -> Path:
        """Where the files of a token's uploads are put, always at the same paths: a new version has its old path."""
        return self._folder / "uploads" / owner

    def incoming(self) -> Path:
        """A new folder for the files of one request."""
        folder = self._folder / "incoming" / secrets.token_hex(8)
        private_folder(folder)
        return folder

    def write(self, job: Job) -> None:
        """Keeps what is known of a job."""
        write_atomically(self._folder / f"{job.id}.json", json.dumps(asdict(job), ensure_ascii=False))

    def read(self, job_id: str, owner: str) -> Job | None:
        """The job, if it is that token's; ``lost`` where its process has ended."""
        if not _ID.fullmatch(job_id):
            return None
        try:
            job = Job(**json.loads((self._folder / f"{job_id}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        if job.owner != owner:
            return None
        lost = not job.is_over and not is_running(job.process)
        return replace(job, state="lost", message=_LOST, code="lost") if lost else job

    def of(self, owner: str) -> list[Job]:
        """The token's jobs, the newest first."""
        files = sorted(self._folder.glob("*.json"), key=_changed, reverse=True)
        return [job for file in files if (job := self.read(file.stem, owner))]

    def ask_to_stop(self, job_id: str) -> None:
        """Notes that a job shall stop; its process looks there."""
        (self._folder / f"{job_id}.stop").touch()

    def shall_stop(self, job_id: str) -> bool:
        """Whether it was asked to."""
        return (self._folder / f"{job_id}.stop").exists()

    def confirm(self, job_id: str) -> None:
        """Notes that a job which asked shall go on."""
        (self._folder / f"{job_id}.go").touch()

    def is_confirmed(self, job_id: str) -> bool:
        """Whether it shall."""
        return (self._folder / f"{job_id}.go").exists()

    def tidy(self) -> None:
        """Takes away what is old, and what came for jobs whose process has ended."""
        private_folder(self._folder)
        for path in self._older():
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _older(self) -> Iterator[Path]:
        places = [*self._folder.glob("*.json"), *self._folder.glob("*.stop"), *self._folder.glob("*.go")]
        places += [*(self._folder / "incoming").glob("*")]
        places += [path for path in (self._folder / "uploads").rglob("*") if path.is_file()]
        for path in places:
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _KEPT:
                    yield path


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # tidied away meanwhile
        return 0.0
