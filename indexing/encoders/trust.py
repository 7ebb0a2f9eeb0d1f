"""Program code that comes with an encoder: it runs only if the user has named it, or has confirmed it once.

An index names its encoder, and an index may come from somebody else; so may the `.env` of a folder. What was confirmed
stands outside of them, in the user's own folder (`state_folder`), by the code's place and its hash. A changed script
has to be confirmed again, and so has the same script in another folder: other modules may lie beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagesight.indexing.configuration.environment import state_folder
from pagesight.indexing.encoders.registry import KNOWN, SCRIPT_PREFIX, has_own_environment
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import Settings

_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")


@dataclass(frozen=True)
class EncoderCode:
    """Code that an encoder runs: ``what`` it is in words, ``where`` it lies, the ``digest`` of its bytes or its commit.

    ``named_by`` says in words what names it; empty if it is the user, by an argument or in the environment.
    """

    what: str
    where: str
    digest: str
    named_by: str = field(default="", compare=False)

    @property
    def confirmed(self) -> bool:
        """Whether it was confirmed on this machine."""
        return self._note.is_file()

    def confirm(self) -> None:
        """Note that it may run from now on. Raises OSError."""
        self._note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._note.write_text(json.dumps({"what": self.what, "where": self.where, "digest": self.digest}) + "\n")

    @property
    def _note(self) -> Path:
        key = hashlib.sha256(json.dumps([self.what, self.where, self.digest]).encode()).hexdigest()[:32]
        return state_folder() / "confirmed-code" / f"{key}.json"


def code_of(name: str, settings: Settings, recorded: dict[str, Any] | None, named_by: str) -> list[EncoderCode]:
    """The code that the encoder of this name runs beside pagesight's own, as far as it is there.

    ``recorded`` is what an index notes of it; ``named_by`` is what names it, empty if it is the user.
    """
    return [*_script(name, named_by), *_folder(name, named_by), *_repository(name, settings, recorded, named_by),
            *_python(name, settings)]  # fmt: skip


def unconfirmed(code: Iterable[EncoderCode], settings: Settings) -> list[EncoderCode]:
    """What of it may not run yet."""
    if settings.encoding.trust_scripts and not settings.from_dotenv("trust_scripts"):
        return []
    return [one for one in code if one.named_by and not one.confirmed]


def remember(code: Sequence[EncoderCode]) -> None:
    """Note that the user has named this code, so that it may run where only an index names it."""
    for one in code:
        if not one.named_by and not one.confirmed:
            with contextlib.suppress(OSError):  # it may run now all the same, and has to be named again
                one.confirm()


def check_confirmed(code: Iterable[EncoderCode], settings: Settings) -> None:
    """Raises SettingsError for code that may not run yet, saying what to do."""
    for one in unconfirmed(code, settings):
        raise refused(one)


def refused(code: EncoderCode) -> SettingsError:
    """The error for code that nobody has confirmed."""
    return SettingsError(
        f"{code.named_by} names {code.what} {code.where} ({code.digest[:16]}…) as part of its encoder, and nobody has "
        "confirmed on this machine that it may run. Read it. If you trust it, answer yes when pagesight asks on a "
        "terminal, or run the command with --trust-scripts, or set PAGESIGHT_TRUST_SCRIPTS=true in the environment "
        "(.env does not count), or name it yourself, with --encoder or PageIndex.open(…, encoder=…)."
    )


def _script(name: str, named_by: str) -> Iterator[EncoderCode]:
    path = Path(name.removeprefix(SCRIPT_PREFIX))
    if name.startswith(SCRIPT_PREFIX) and path.is_file():
        yield EncoderCode("the script", str(path), _hash([path]), named_by)


def _folder(name: str, named_by: str) -> Iterator[EncoderCode]:
    """A model's folder, if it holds what can carry code: modules, configurations that name some, and pickles."""
    folder = Path(name)
    if name.startswith(SCRIPT_PREFIX) or name in KNOWN or not folder.is_dir():
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if any(path.suffix in (".py", *_PICKLES) or _names_code(path) for path in files):
        carriers = [path for path in files if path.suffix in (".py", ".json", *_PICKLES)]
        yield EncoderCode("the model with program code in the folder", name, _hash(carriers), named_by)


def _names_code(path: Path) -> bool:
    """Whether it is a configuration that names classes of its own; `auto_map` is how transformers has them named."""
    if path.name == "modules.json":
        kinds = re.findall(rb'"type"\s*:\s*"([^"]*)"', path.read_bytes())
        return any(not kind.startswith(b"sentence_transformers.") for kind in kinds)
    return path.suffix == ".json" and path.name != "tokenizer.json" and b'"auto_map"' in path.read_bytes()


def _repository(name: str, settings: Settings, recorded: dict[str, Any] | None, named_by: str) -> Iterator[EncoderCode]:
    """A repository whose code is trusted: by its commit, which is a hash of what it holds."""
    if not settings.encoding.trust_remote_code or name.startswith(SCRIPT_PREFIX) or Path(name).is_dir():
        return
    asked = settings.encoding.revision
    commit = str((recorded or {}).get("revision") or asked)
    if settings.from_dotenv("trust_remote_code") or (commit == asked and settings.from_dotenv("revision")):
        by = named_by or "the file .env of this folder"
    else:
        by = "" if commit == asked else named_by or "the index"
    yield EncoderCode("the program code of", f"{name} at {commit}", commit, by)


def _python(name: str, settings: Settings) -> Iterator[EncoderCode]:
    """The Python of an encoder's environment, if the `.env` of a folder names it."""
    python = settings.encoding.encoder_python
    if not python or not has_own_environment(name):
        return
    found = shutil.which(python.expanduser())
    if found:
        by = "the file .env of this folder" if settings.from_dotenv("encoder_python") else ""
        yield EncoderCode("the program", str(Path(found).absolute()), _hash([Path(found)]), by)


def _hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
