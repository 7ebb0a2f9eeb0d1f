"""Where a model's files are: a repository on the hub, or a folder with the same files. Reads configurations only."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.encoders.load_errors import no_base, no_reranker, not_loaded, unknown, unreachable
from pagesight.indexing.encoders.registry import KNOWN
from pagesight.indexing.encoders.roles import ENCODER, Role
from pagesight.indexing.errors import EncoderError, MissingExtra, SettingsError

_EDGE = 1 << 20  # bytes at either end of a file of weights that its fingerprint is made of
_ADAPTER = "adapter_config.json"
_CONFIGURATIONS = (_ADAPTER, "config.json", "modules.json", "config_sentence_transformers.json")
_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True)
class Checkpoint:
    """A model's files: ``name`` is a repository on the hub or a folder's whole path; ``revision`` None the newest.

    Many published models are adapters (LoRA), put on the weights of another repository, their base: ``base_revision``
    is the base's commit, None what the adapter says or else the newest; a base has the ``adapter`` that is put on it.
    ``role`` is what it is loaded as.
    """

    name: str
    revision: str | None = None
    base_revision: str | None = None
    adapter: Checkpoint | None = None
    role: Role = ENCODER

    @property
    def folder(self) -> Path | None:
        """The folder, where the name is one."""
        return Path(self.name) if Path(self.name).is_dir() else None

    @property
    def pinned(self) -> dict[str, Any]:
        """The argument that keeps a library's ``from_pretrained`` to the revision; folders have none."""
        return {"revision": self.revision} if self.revision and not self.folder else {}

    @property
    def fetch(self) -> list[str]:
        """The commands that bring all that is needed from the hub: an adapter's do not bring its base."""
        own = self.adapter or self
        found = [_fetch(own)] if not own.folder else []
        below = self if self.adapter else own._base_or_guess()
        return found + ([_fetch(below)] if below and not below.folder else [])

    def read(self, file: str) -> dict[str, Any] | None:
        """One of its JSON files; None if it has none of that name. Raises EncoderError where it cannot be reached."""
        path = self.path(file)
        if path is None:
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise EncoderError(
                f"{file} of {self.name} is no JSON ({error}). Fetch the model again, or take another encoder."
            ) from error
        return dict(content) if isinstance(content, dict) else {"": content}

    def path(self, file: str) -> Path | None:
        """One of its files, fetched if need be; None if it has none of that name. Raises EncoderError."""
        path = self.folder / file if self.folder else _download(self, file)
        return path if path and path.is_file() else None

    def base(self) -> Checkpoint | None:
        """What an adapter is put on; None for whole models, also where an adapter lies in the same folder.

        Raises EncoderError if the adapter does not say it.
        """
        told = self.read(_ADAPTER)
        if told is None or (self.folder and any(any(self.folder.glob(pattern)) for pattern in _WEIGHTS)):
            return None
        name = told.get("base_model_name_or_path")
        if not isinstance(name, str) or not name:
            raise no_base(self.name)
        return Checkpoint(name, self.base_revision or told.get("revision"), adapter=self)

    def at_commit(self) -> Checkpoint:
        """The same with the commit that name and revision lead to now, so that all its files come from one commit."""
        return replace(self, revision=self._commit() or self.revision)

    def fingerprint(self) -> str:
        """What tells these weights from others: the hub's commit, or a hash over a folder's files."""
        return _fingerprint(self.folder) if self.folder else self._commit() or self.revision or "unknown"

    def not_loaded(self, error: Exception) -> EncoderError | SettingsError:
        """The error for what its library refused to load."""
        adapter = self.adapter.name if self.adapter else ""
        return not_loaded(self.name, self.fetch or [_fetch(self)], error, adapter, self.role)

    def _commit(self) -> str | None:
        """The commit of what the hub's cache holds of it, by the folder that its configuration is in."""
        if self.folder:
            return None
        path = next((path for file in _CONFIGURATIONS if (path := self.path(file))), None)
        return path.parent.name if path and path.parent.parent.name == "snapshots" else None

    def _base_or_guess(self) -> Checkpoint | None:
        """What it is put on, as its file says, if it is here, or else as the registry does."""
        try:
            return self.base()
        except (EncoderError, SettingsError, MissingExtra):
            known = KNOWN.get(self.name)
            return Checkpoint(known.base, self.base_revision) if known and known.base else None


def _fetch(checkpoint: Checkpoint) -> str:
    at = f" --revision {checkpoint.revision}" if checkpoint.revision else ""
    return f"hf download {checkpoint.name}{at}"


def _download(checkpoint: Checkpoint, file: str) -> Path | None:
    name, revision = checkpoint.name, checkpoint.revision
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtra(
            f"the {checkpoint.role.noun} {name} needs packages that are not installed: run "
            f"`{install_command('colpali')}`."
        )
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except (errors.GatedRepoError, errors.RevisionNotFoundError) as error:
        raise _unreachable(checkpoint, error) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise (unknown(name) if checkpoint.role is ENCODER else no_reranker(name)) from error
    except errors.LocalEntryNotFoundError as error:
        if not _fetched(name, revision):
            raise _unreachable(checkpoint, error) from error
        return None
    except errors.EntryNotFoundError:
        return None


def _unreachable(checkpoint: Checkpoint, error: Exception) -> EncoderError:
    """The error for a repository of which nothing is here; it is not asked again what it is put on."""
    known, fetch = KNOWN.get(checkpoint.name), [_fetch(checkpoint)]
    if checkpoint.adapter:
        fetch.insert(0, _fetch(checkpoint.adapter))
    elif known and known.base:
        fetch.append(_fetch(Checkpoint(known.base, checkpoint.base_revision)))
    adapter = checkpoint.adapter.name if checkpoint.adapter else ""
    return unreachable(checkpoint.name, fetch, error, adapter, checkpoint.role)


def _fetched(name: str, revision: str | None) -> bool:
    """Whether the hub's cache holds the repository: without a network, what is not there then does not exist."""
    from huggingface_hub import errors, snapshot_download

    try:
        return bool(snapshot_download(name, revision=revision, local_files_only=True))
    except errors.LocalEntryNotFoundError:
        return False


@cache
def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
        for part in _edges(path):
            digest.update(part)
    return digest.hexdigest()[:16]


def _edges(path: Path) -> Iterator[bytes]:
    """A file's first and last part: reading gigabytes to tell two checkpoints apart takes longer than it is worth."""
    with path.open("rb") as file:
        yield file.read(_EDGE)
        if path.stat().st_size > 2 * _EDGE:
            file.seek(-_EDGE, 2)
        yield file.read(_EDGE)
