"""Where a model's files are: a repository on the hub, or a folder with the same files. Reads configurations only."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pagesight.indexing.encoders.registry import KNOWN, SCRIPT_PREFIX, Route, nearest
from pagesight.indexing.errors import EncoderError, MissingExtra, SettingsError
from pagesight.indexing.installation import install_command

# The classes of colpali-engine, by the type of the model that an adapter was trained on.
_FAMILIES = {
    "paligemma": "ColPali",
    "qwen2_vl": "ColQwen2",
    "qwen2_5_vl": "ColQwen2_5",
    "qwen3_vl": "ColQwen3",
    "qwen3_5": "ColQwen3_5",
    "idefics3": "ColIdefics3",
    "modernvbert": "ColModernVBert",
}
# What configurations of models call themselves that only this package loads, and the class that does.
_NATIVE = {"granitevisionemb": "Granite", "colgranitevision": "Granite"}
_OF_TRANSFORMERS = ("ForRetrieval", "CLIPModel", "SiglipModel", "Siglip2Model")
_EDGE = 1 << 20  # bytes at either end of a file of weights that its fingerprint is made of


@dataclass(frozen=True)
class Checkpoint:
    """A model's files: ``name`` is a repository on the hub or a folder's whole path; ``revision`` None the newest."""

    name: str
    revision: str | None = None

    @property
    def folder(self) -> Path | None:
        """The folder, where the name is one."""
        return Path(self.name) if Path(self.name).is_dir() else None

    @property
    def pinned(self) -> dict[str, Any]:
        """The argument that keeps a library's ``from_pretrained`` to the revision; folders have none."""
        return {"revision": self.revision} if self.revision and not self.folder else {}

    def read(self, file: str) -> dict[str, Any] | None:
        """One of its JSON files; None if it has none of that name. Raises EncoderError where it cannot be reached."""
        path = self._path(file)
        if path is None:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content) if isinstance(content, dict) else {"": content}

    def fingerprint(self, commit: str | None = None) -> str:
        """What tells these weights from others: the hub's commit, or a hash over a folder's files."""
        return commit or (_fingerprint(self.folder) if self.folder else self._commit() or self.revision or "unknown")

    def _path(self, file: str) -> Path | None:
        path = self.folder / file if self.folder else _download(self.name, file, self.revision)
        return path if path and path.is_file() else None

    def _commit(self) -> str | None:
        """The commit of what the hub's cache holds of it, by the folder that its configuration is in."""
        path = self._path("adapter_config.json") or self._path("config.json")
        return path.parent.name if path and path.parent.parent.name == "snapshots" else None


def recognise(checkpoint: Checkpoint) -> tuple[Route, str]:
    """The route and the class that load a checkpoint: as the registry says, else as its own configuration says.

    Raises SettingsError, with the nearest names that are known, for what no route loads.
    """
    if known := KNOWN.get(checkpoint.name):
        return known.route, known.family
    if checkpoint.name.startswith(SCRIPT_PREFIX):
        return "external", checkpoint.name.removeprefix(SCRIPT_PREFIX)
    if not checkpoint.folder and "/" not in checkpoint.name:
        raise unknown(checkpoint.name)
    return _by_configuration(checkpoint)


def _by_configuration(checkpoint: Checkpoint) -> tuple[Route, str]:
    adapter = checkpoint.read("adapter_config.json")
    if adapter and _projects(adapter):
        return "colpali-engine", _family_below(adapter)
    config = checkpoint.read("config.json") or {}
    if native := _native(checkpoint, config):
        return "native", native
    if adapter:
        raise unknown(checkpoint.name, f"an adapter on {adapter.get('base_model_name_or_path')}")
    if checkpoint.read("modules.json") or checkpoint.read("config_sentence_transformers.json"):
        return "sentence-transformers", "SentenceTransformer"
    return _by_architecture(checkpoint.name, config.get("architectures"))


def _by_architecture(name: str, architectures: list[str] | None) -> tuple[Route, str]:
    for architecture in architectures or []:
        if architecture in _FAMILIES.values():
            return "colpali-engine", architecture
        if architecture.endswith(_OF_TRANSFORMERS):
            return "sentence-transformers", architecture
    raise unknown(name, architectures)


def unknown(name: str, architectures: object = None) -> SettingsError:
    """The error for a name that nothing is known by."""
    near = nearest(name)
    instead = f"Nearest: {', '.join(near)}" if near else "Known are those that `pagesight encoders` lists"
    of = f" (its configuration names {architectures}, which no route loads)" if architectures else ""
    return SettingsError(
        f"there is no encoder {name!r}{of}. {instead}; auto and lexical need no weights. Set --encoder or "
        "PAGESIGHT_ENCODER to one of them, to a folder with a model in it, or to external:SCRIPT."
    )


def _native(checkpoint: Checkpoint, config: dict[str, Any]) -> str | None:
    """The class of this package that loads a checkpoint: by its configuration, by the prompts that it brings for
    pictures (vdr), or, where no file says it, by the folder's name (an adapter on Qwen2-VL may be for anything).
    """
    kind = str(config.get("model_type"))
    told = checkpoint.read("config_sentence_transformers.json") or {}
    if kind == "qwen2_vl" and "<|image_pad|>" in ((told.get("prompts") or {}).get("image") or ""):
        return "vdr"
    alike = [known for name, known in KNOWN.items() if name.rpartition("/")[2].lower() == _short_name(checkpoint)]
    return _NATIVE.get(kind) or next((known.family for known in alike if known.route == "native"), None)


def _short_name(checkpoint: Checkpoint) -> str:
    """The folder's name, or its repository's where it lies in the hub's cache, without the owner, in lower case."""
    folder = Path(checkpoint.name)
    named = folder.parent.parent if folder.parent.name == "snapshots" else folder
    return named.name.rpartition("--")[2].lower()


def _projects(adapter: dict[str, Any]) -> bool:
    """Whether an adapter is one of colpali-engine's: on one of its models, or with its projection among its targets."""
    base = str(adapter.get("base_model_name_or_path"))
    if base in KNOWN or "custom_text_proj" in str(adapter.get("target_modules")):
        return True
    architectures = (Checkpoint(base).read("config.json") or {}).get("architectures") or []
    return any(architecture in _FAMILIES.values() for architecture in architectures)


def _family_below(adapter: dict[str, Any]) -> str:
    """The class for an adapter: by the model that it was trained on."""
    base = str(adapter.get("base_model_name_or_path"))
    if base in KNOWN:
        return KNOWN[base].family
    config = Checkpoint(base).read("config.json") or {}
    family = _FAMILIES.get(str(config.get("model_type")))
    if family is None:
        raise unknown(base, config.get("architectures"))
    return family


def _download(name: str, file: str, revision: str | None) -> Path | None:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtra(
            f"the encoder {name} needs packages that are not installed: run `{install_command('colpali')}`."
        )
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise unknown(name) from error
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError) and not _fetched(name, revision):
            raise unreachable(name, error) from error
        return None


def _fetched(name: str, revision: str | None) -> bool:
    """Whether the hub's cache holds the repository: without a network, what is not there then does not exist."""
    from huggingface_hub import errors, snapshot_download

    try:
        return bool(snapshot_download(name, revision=revision, local_files_only=True))
    except errors.LocalEntryNotFoundError:
        return False


def not_loaded(checkpoint: Checkpoint, error: Exception) -> EncoderError | SettingsError:
    """The error for a checkpoint that its library refused."""
    if "trust_remote_code" not in str(error):
        return unreachable(checkpoint.name, error)
    return untrusted(checkpoint.name)


def untrusted(name: str) -> SettingsError:
    """The error for a repository whose own code nobody has allowed to run."""
    return SettingsError(
        f"{name} brings program code of its own. Read it, then run it with --trust-remote-code and "
        "--revision COMMIT, the commit that you read in 40 hex digits; or take an encoder that needs none."
    )


def unreachable(name: str, error: Exception) -> EncoderError:
    """The error for weights that can neither be found nor fetched."""
    near = [] if name in KNOWN else nearest(name)
    mistyped = f"If the name is mistyped: nearest are {', '.join(near)}. " if near else ""
    return EncoderError(
        f"the weights of {name} cannot be loaded ({_first_line(error)}). {mistyped}Fetch them where there is a "
        f"network with `hf download {name}`, name a folder that holds them, or set PAGESIGHT_ENCODER=lexical, which "
        "needs none."
    )


def check_weights(checkpoint: Checkpoint, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Raises EncoderError where a checkpoint's weights are not those of its model: the rest would be random."""
    if not missing and not unexpected:
        return
    said = [f"{what}: {_some(names)}" for what, names in (("missing", missing), ("unknown", unexpected)) if names]
    raise EncoderError(
        f"the weights of {checkpoint.name} are not named as expected ({'; '.join(said)}), so that some would stay "
        "random. Take another revision (PAGESIGHT_REVISION) or another encoder."
    )


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:4]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]


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
