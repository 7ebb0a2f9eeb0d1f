"""Where a model's files are: a repository on the hub, or a folder with the same files. Reads configurations only."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pagesight.indexing.encoders.registry import KNOWN, SCRIPT_PREFIX, Route, nearest
from pagesight.indexing.errors import EncoderError, MissingExtra, SettingsError

#: Installs what the vision encoders need; uv takes a torchvision that fits torch.
INSTALL = "uv pip install 'pagesight[colpali]'"

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

    def read(self, file: str) -> dict[str, Any] | None:
        """One of its JSON files; None if it has none of that name. Raises EncoderError where it cannot be reached."""
        path = self.folder / file if self.folder else _download(self.name, file, self.revision)
        if path is None or not path.is_file():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content) if isinstance(content, dict) else {"": content}

    def fingerprint(self, commit: str | None) -> str:
        """What tells these weights from others: the hub's commit, or a hash over a folder's files."""
        return commit or (_fingerprint(self.folder) if self.folder else self.revision or "unknown")


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
    if adapter := checkpoint.read("adapter_config.json"):
        return "colpali-engine", _family_below(adapter)
    config = checkpoint.read("config.json")
    if checkpoint.read("modules.json") or checkpoint.read("config_sentence_transformers.json"):
        return "sentence-transformers", "SentenceTransformer"
    for architecture in (config or {}).get("architectures") or []:
        if architecture in _FAMILIES.values():
            return "colpali-engine", architecture
        if architecture.endswith(_OF_TRANSFORMERS):
            return "sentence-transformers", architecture
    raise unknown(checkpoint.name, (config or {}).get("architectures"))


def unknown(name: str, architectures: object = None) -> SettingsError:
    """The error for a name that nothing is known by."""
    near = nearest(name)
    instead = f"Nearest: {', '.join(near)}" if near else "Known are those that `pagesight encoders` lists"
    of = f" (its configuration names {architectures}, which no route loads)" if architectures else ""
    return SettingsError(
        f"there is no encoder {name!r}{of}. {instead}; auto and lexical need no weights. Set --encoder or "
        "PAGESIGHT_ENCODER to one of them, to a folder with a model in it, or to external:SCRIPT."
    )


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
        raise MissingExtra(f"the encoder {name} needs packages that are not installed: run `{INSTALL}`.")
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise unknown(name) from error
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise unreachable(name, error) from error
        return None


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
