"""Which encoder a setting leads to, and the encoder itself."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.interface import PageEncoder, PageModel
from pagesight.indexing.encoders.known_model import KnownModel, Route, runnable
from pagesight.indexing.encoders.lexical import LexicalEncoder
from pagesight.indexing.encoders.load_errors import only_served, unknown, untrusted
from pagesight.indexing.encoders.recognise import recognise, row_of
from pagesight.indexing.encoders.registry import KNOWN, SCRIPT_PREFIX
from pagesight.indexing.encoders.remote.served import SERVICES, read_served
from pagesight.indexing.encoders.trust import EncoderCode, check_confirmed, code_of
from pagesight.indexing.encoders.vision import VisionEncoder
from pagesight.indexing.errors import MissingExtra, SettingsError
from pagesight.indexing.settings import Settings, load_settings

if TYPE_CHECKING:
    from pagesight.indexing.encoders.remote.spending import Estimate

_LONGEST_PROMPT = 2000  # characters; those that are known have less than 300


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder's name, and why it is this one, in a line for people."""

    name: str
    why: str


def choose(setting: str) -> EncoderChoice:
    """The encoder that a setting leads to; "auto" is the best that runs here. Loads nothing and asks no hub.

    Raises SettingsError for a name that cannot be one.
    """
    if setting == "auto":
        return _best()
    if served := read_served(setting):
        return EncoderChoice(served.name, "asked for by setting")
    if setting in KNOWN:
        return EncoderChoice(setting, "asked for by setting")
    if setting.startswith(SCRIPT_PREFIX):
        script = Path(setting.removeprefix(SCRIPT_PREFIX)).expanduser().resolve()
        return EncoderChoice(f"{SCRIPT_PREFIX}{script}", "asked for by setting")
    if Path(setting).expanduser().is_dir():
        return EncoderChoice(str(Path(setting).expanduser().resolve()), "asked for by setting")
    if "/" not in setting.strip("/."):
        raise unknown(setting)
    return EncoderChoice(setting, "asked for by setting")


def is_called(name: str, setting: str) -> bool:
    """Whether a setting, which may be one that no encoder has, leads to the encoder of this name."""
    with contextlib.suppress(SettingsError):
        return choose(setting).name == name
    return False


def make_encoder(
    name: str, settings: Settings | None = None, recorded: dict[str, Any] | None = None, *, named_by: str = ""
) -> PageEncoder:
    """The encoder of that name, "auto" being the best that runs here.

    ``recorded`` is what an index notes of the encoder that it was made with. ``named_by`` says in words what names it,
    if that is not the caller: code that comes with it then runs only once it is confirmed (trust.py). Raises
    SettingsError for a name that it does not know, and later for code that is not confirmed; MissingExtra if the
    packages for it are not installed, EncoderError if it cannot be loaded.
    """
    settings = settings or load_settings()
    chosen = choose(name).name
    if chosen == LexicalEncoder.name:
        return LexicalEncoder.of(recorded)
    revision = recorded["revision"] if recorded else settings.encoding.revision
    checkpoint = Checkpoint(chosen, revision if not Path(chosen).is_dir() else None, _base_revision(recorded))
    served = read_served(name)
    kept = _that_change_vectors(served.model if served else chosen, settings, recorded)
    if served:
        if recorded and name == recorded["name"]:
            served = replace(served, address=None)  # an index may come from somebody else, and records none itself
        from pagesight.indexing.encoders.remote.connect import remote_encoder

        return remote_encoder(served, settings, recorded, _prompts(recorded), kept, named_by)
    as_kept = settings.changed(**kept)

    def code() -> list[EncoderCode]:
        return code_of(chosen, settings, recorded, named_by)

    def load() -> PageModel:
        check_confirmed(code(), settings)
        return _load(checkpoint, as_kept, _prompts(recorded))

    return _encoder_class(chosen)(
        chosen,
        load,
        code=code,
        dim=settings.encoding.dim,
        settings=kept,
        batch=settings.encoding.pages_at_once,
        recorded=recorded,
    )


def estimate_costs(names: Iterable[str], pages: int, settings: Settings) -> Estimate | None:
    """What encoders will take together for so many pages that they have not seen; None if that costs nothing."""
    paid = [served.model for served in map(read_served, names) if served and served.is_paid]
    if not paid:
        return None
    from pagesight.indexing.encoders.remote.spending import estimate

    first, *others = (estimate(model, pages, settings) for model in paid)
    return sum(others, first)


def paid_encoders() -> list[str]:
    """The names of encoders that are paid by the page."""
    return list(SERVICES)


def lacking(name: str, settings: Settings) -> str:
    """What an encoder behind HTTP lacks here before it can be asked, in a sentence; "" if nothing, or for any other."""
    served = read_served(name)
    if served is None:
        return ""
    from pagesight.indexing.encoders.remote.connect import asked_with

    try:
        asked_with(served, settings, "")
    except SettingsError as error:
        return str(error)
    return ""


def _encoder_class(name: str) -> type[VisionEncoder]:
    """The class of an encoder with weights: scripts may want a page's words beside its picture."""
    if not name.startswith(SCRIPT_PREFIX):
        return VisionEncoder
    from pagesight.indexing.encoders.external import ScriptEncoder

    return ScriptEncoder


def _best() -> EncoderChoice:
    """A vision encoder takes 20 to 50 seconds a page on two cores, so that without a GPU words are compared."""
    if not runnable("colpali-engine"):
        return EncoderChoice(LexicalEncoder.name, "needs no weights, no download and no GPU")
    if not _may_have_gpu():
        why = "there is no GPU, without which vision encoders take up to a minute a page"
        return EncoderChoice(LexicalEncoder.name, why)
    from pagesight.indexing.encoders.devices import device_of, memory_of

    if (device := device_of("auto")) == "cpu":
        return EncoderChoice(LexicalEncoder.name, "torch finds no GPU; vision encoders then take up to a minute a page")
    memory = memory_of(device)
    best = best_within(memory)
    if best is None:
        return EncoderChoice(LexicalEncoder.name, f"the GPU's {memory:.0f} GB hold no vision encoder that is known")
    return EncoderChoice(
        best.name,
        f"the best by published quality (nDCG@10 {best.quality} on ViDoRe V3) that the GPU's {memory:.0f} GB hold, of "
        f"those for commercial use ({best.licence})",
    )


def best_within(memory: float) -> KnownModel | None:
    """The known model of the best published quality, for commercial use, that needs no more gigabytes of a GPU."""
    fitting = [model for model in KNOWN.values() if model.commercial and model.quality and needs(model) <= memory]
    fitting = [model for model in fitting if model.route == "colpali-engine"]
    return max(fitting, key=lambda model: model.quality or 0.0, default=None)


def needs(model: KnownModel) -> float:
    """Gigabytes of a GPU that a model takes: two bytes a parameter, and room for four pages and the driver. An H200
    used 80 to 86 per cent of it at the most (docs/encoders.md).
    """
    return 2.0 * 1.5 * (model.parameters or 0.0) + 2.0


def _may_have_gpu() -> bool:
    """Whether importing torch to look for a GPU is worth its seconds."""
    return shutil.which("nvidia-smi") is not None or shutil.which("rocm-smi") is not None or sys.platform == "darwin"


def _that_change_vectors(name: str, settings: Settings, recorded: dict[str, Any] | None) -> dict[str, Any]:
    """Settings beside the dimensions that an index must keep; those of the index, or as published, where none are
    given.
    """
    row = row_of(name)
    usual = row.visual_tokens if row and recorded is None else None
    given = settings.encoding.visual_tokens or usual
    noted = (recorded or {}).get("visual_tokens")
    # Nothing else that an index notes becomes a setting: it could name a program, or trust code.
    kept = {"visual_tokens": noted} if isinstance(noted, int) else {}
    return kept | ({"visual_tokens": given} if given else {})


def _base_revision(recorded: dict[str, Any] | None) -> str | None:
    """The commit of the base of an adapter that an index notes, if it is one."""
    noted = str((recorded or {}).get("base_revision"))
    return noted if re.fullmatch(r"[0-9a-f]{40}", noted) else None


def _prompts(recorded: dict[str, Any] | None) -> dict[str, str] | None:
    """The prompts that an index notes; None for a new one, none for one that was made before they were noted."""
    if recorded is None:
        return None
    noted = recorded.get("prompts")
    told = noted.items() if isinstance(noted, dict) else ()
    return {str(name): text for name, text in told if isinstance(text, str) and len(text) <= _LONGEST_PROMPT}


def _load(checkpoint: Checkpoint, settings: Settings, prompts: dict[str, str] | None) -> PageModel:
    _check_trust(checkpoint, settings)
    route, family = recognise(checkpoint)
    if not runnable(route):
        raise MissingExtra(
            f"the encoder {checkpoint.name} needs packages that are not installed: run `{install_command('colpali')}`."
        )
    if route == "colpali-engine":
        from pagesight.indexing.encoders.colpali_engine import ColpaliEngineModel

        return ColpaliEngineModel(checkpoint.at_commit(), family, settings, prompts)
    return _LOADERS[route](checkpoint, family, settings)


def _check_trust(checkpoint: Checkpoint, settings: Settings) -> None:
    """Code from a repository runs only as somebody has read it: raises SettingsError without the commit."""
    revision = checkpoint.revision or settings.encoding.revision or ""
    if settings.encoding.trust_remote_code and not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SettingsError(
            f"the code of {checkpoint.name} is trusted by PAGESIGHT_TRUST_REMOTE_CODE or --trust-remote-code, but not "
            "which: set PAGESIGHT_REVISION or --revision to the commit that you read, 40 hex digits and no branch."
        )


def _sentence_transformers(checkpoint: Checkpoint, family: str, settings: Settings) -> PageModel:
    from pagesight.indexing.encoders.sentence_transformers import SentenceTransformersModel

    return SentenceTransformersModel(checkpoint.at_commit(), family, settings)


def _external(checkpoint: Checkpoint, _: str, settings: Settings) -> PageModel:
    from pagesight.indexing.encoders.external import ExternalModel

    if checkpoint.name in KNOWN and not settings.encoding.trust_remote_code:
        raise untrusted(checkpoint.name)
    return ExternalModel(checkpoint, settings)


def _native(checkpoint: Checkpoint, family: str, settings: Settings) -> PageModel:
    if family == "Granite":
        from pagesight.indexing.encoders.granite import GraniteModel

        return GraniteModel(checkpoint.at_commit(), family, settings)
    from pagesight.indexing.encoders.qwen2vl import LastTokenModel

    return LastTokenModel(checkpoint.at_commit(), family, settings)


def _on_a_server(checkpoint: Checkpoint, _: str, __: Settings) -> PageModel:
    raise only_served(checkpoint.name)


_LOADERS: dict[Route, Callable[[Checkpoint, str, Settings], PageModel]] = {
    "sentence-transformers": _sentence_transformers,
    "native": _native,
    "external": _external,
    "served": _on_a_server,
}
