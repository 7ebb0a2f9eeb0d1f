"""Says what is installed, what would be chosen and why, and what is missing with the command that fixes it.

Looks without importing anything heavy: installed versions come from package metadata, the GPU from its driver's tool.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from pagesight.agent.terminal.check import Check
from pagesight.agent.terminal.doctor_files import checks_of_files
from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import IndexMissing, PagesightError
from pagesight.indexing.pages import DocumentRecord
from pagesight.indexing.settings import Settings, variables_of

if TYPE_CHECKING:
    from pagesight.indexing import EncoderRecord


@dataclass(frozen=True)
class SetValue:
    """A setting that is not left to its default: its flat name, its value with keys masked, and what sets it."""

    name: str
    value: Any
    set_by: str


@dataclass(frozen=True)
class Checkup:
    """All that was looked at."""

    checks: list[Check]
    settings: list[SetValue]

    @property
    def works(self) -> bool:
        """Whether pagesight can do its work as it is set up."""
        return all(check.state != "broken" for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``doctor --json``."""
        return {
            "works": self.works,
            "checks": [asdict(check) for check in self.checks],
            "settings": {one.name: {"value": one.value, "set_by": one.set_by} for one in self.settings},
        }


def examine(settings: Settings, index: str | None) -> Checkup:
    """Looks at the installation, at the choices that the settings lead to, and at the index named, or set."""
    checks = [_core(), _renderer(settings), *checks_of_files(), _colpali(), _gpu()]
    checks += [_encoder(settings), _reasoner(settings), price_table(), _index(settings, index)]
    return Checkup(checks, _set_values(settings))


def _set_values(settings: Settings) -> list[SetValue]:
    values = settings.flat()
    set_by = {name: _set_by(name, settings) for name in values}
    return [SetValue(name, _without_password(values[name]), by) for name, by in set_by.items() if by]


def _set_by(name: str, settings: Settings) -> str:
    """What sets it, in words; empty for a default."""
    origin = settings.origin(name)
    variables = " or ".join(variables_of(name))
    return {
        "default": "",
        "argument": "the command line",
        "environment": f"{variables} in the environment",
        ".env": f"{variables} in {Path('.env').resolve()}",
        "effort": f"the effort {settings.reasoning.effort}",
    }[origin]


def _without_password(value: Any) -> Any:
    """A value without the password of an address in it."""
    from pagesight.indexing.calls.destinations import shown

    return shown(value) if isinstance(value, str) else value


def _core() -> Check:
    faults = list(_faults(extra=""))
    version = f"pagesight {importlib.metadata.version('pagesight')}, Python {platform.python_version()}"
    if faults:
        return Check("core", "broken", f"{version}; {'; '.join(faults)}", install_command())
    return Check("core", "ok", f"{version}, all packages installed")


def _colpali() -> Check:
    faults = list(_faults(extra="colpali"))
    if faults:
        says = f"not installed ({'; '.join(faults)}); vision encoders need it"
        return Check("colpali extra", "absent", says, install_command("colpali"))
    return Check("colpali extra", "ok", f"torch {importlib.metadata.version('torch')}, all packages installed")


def _renderer(settings: Settings) -> Check:
    poppler = shutil.which("pdftoppm")
    if settings.documents.renderer == "pdfium":
        return Check("renderer", "ok", f"pdfium, built in (poppler: {poppler or 'not installed, not needed'})")
    if poppler:
        return Check("renderer", "ok", f"poppler, {poppler}")
    fix = "brew install poppler" if sys.platform == "darwin" else "apt-get install poppler-utils"
    return Check(
        "renderer",
        "broken",
        "poppler is set, but pdftoppm is not on the PATH",
        f"{fix}, or set PAGESIGHT_RENDERER=pdfium",
    )


def _gpu() -> Check:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("GPU", "absent", "no NVIDIA driver; the lexical encoder needs none")
    asked = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Check("GPU", "absent", f"the NVIDIA driver does not answer ({error})")
    return Check("GPU", "ok", "; ".join(found.strip().splitlines()))


def _encoder(settings: Settings) -> Check:
    from pagesight.indexing.encoders import choose
    from pagesight.indexing.encoders.external import command
    from pagesight.indexing.encoders.registry import has_own_environment

    try:
        choice = choose(settings.encoding.encoder)
        if has_own_environment(choice.name):
            command(choice.name, settings)
    except PagesightError as error:
        return Check("encoder", "broken", str(error), "set PAGESIGHT_ENCODER=auto")
    return Check("encoder", "ok", f"{choice.name} for new indexes; {choice.why}{_paid_instead(choice.name, settings)}")


def _paid_instead(name: str, settings: Settings) -> str:
    """What vectors of pictures would cost where words alone are compared, and there is a key that pays for more."""
    from pagesight.indexing.encoders import estimate_costs

    if name != "lexical" or not settings.gemini.google_api_key:
        return ""
    estimate = estimate_costs(["gemini-embedding-2"], 1000, settings)
    dollars = f"about ${estimate.dollars:.2f}" if estimate and estimate.dollars is not None else "a price not known"
    return f"; with your key, --encoder gemini-embedding-2 also compares what pages look like, 1,000 for {dollars}"


def _reasoner(settings: Settings) -> Check:
    from pagesight.agent.reasoners.choose import make_reasoner

    try:
        reasoner = make_reasoner(None, settings)
    except PagesightError as error:
        return Check("reasoner", "broken", str(error), "set PAGESIGHT_REASONER=auto")
    fix = (
        "set GOOGLE_API_KEY, in the environment or in .env, for answers by Gemini" if reasoner.name == "offline" else ""
    )
    return Check("reasoner", "ok", f"{reasoner.name}; {reasoner.why}", fix)


def price_table(on: date | None = None) -> Check:
    """Whether the table of prices is young enough to be trusted, on a day, by default today."""
    from pagesight.indexing.calls.prices import READ, stale

    if old := stale(on=on):
        fix = "update pagesight, or set what your model costs in PAGESIGHT_PRICES"
        return Check("prices", "absent", f"{old}; dollars may be wrong", fix)
    return Check("prices", "ok", f"read on {READ}")


def _index(settings: Settings, place: str | None) -> Check:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.calls.destinations import shown
    from pagesight.indexing.encoders import encoder_code, unconfirmed

    named = shown(place or str(settings.index))
    try:
        with PageIndex.open(place, settings=settings, create=False) as index:
            says = f"{named}: {_holds(index.documents())}, {_encoders(index.encoders)}"
            every = [code for one in index.encoders for code in encoder_code(one.encoder)]
            for code in unconfirmed(every, settings):
                says += f"; {code.what} {code.where} was not confirmed on this machine, and does not run"
                return Check("index", "broken", says, "read it, then search on a terminal, or with --trust-scripts")
        return _damage(place or str(settings.index), settings) or Check("index", "ok", says)
    except IndexMissing:
        return Check("index", "absent", f"{named}: none yet", f"pagesight index PATHS… --index {shlex.quote(named)}")
    except PagesightError as error:
        return Check("index", "broken", str(error))


def _encoders(records: Sequence[EncoderRecord]) -> str:
    """The encoders of an index, and which of them is not finished."""
    named = [one.name if one.finished else f"{one.name} (not finished: add it again)" for one in records]
    return f"encoder{'s' * (len(named) > 1)} {', '.join(named)}"


def _damage(place: str, settings: Settings) -> Check | None:
    """What is damaged in an index in a folder, all of it read; None where nothing is, or on a server."""
    from pagesight.agent.threads.whole_threads import damaged_threads
    from pagesight.indexing.integrity.verify import verify
    from pagesight.indexing.storage.address import server_address

    if server_address(place):
        return None
    found = verify(place, settings, beside=damaged_threads)
    if found.whole:
        return None
    first = found.damage[0]
    more = f" and {len(found.damage) - 1} more" if found.damage[1:] else ""
    says = f"{place}: damaged: {first.kind} {first.what}: {first.why}{more}"
    return Check("index", "broken", says, f"pagesight repair --index {shlex.quote(place)}")


def _holds(records: Sequence[DocumentRecord]) -> str:
    pages = sum(record.pages for record in records)
    return f"{len(records)} document{'s' * (len(records) != 1)}, {pages} page{'s' * (pages != 1)}"


def _faults(extra: str) -> Iterator[str]:
    """What is missing or too old of pagesight's requirements: of the core (extra ""), or of the extra alone."""
    for requirement in map(Requirement, importlib.metadata.requires("pagesight") or []):
        marker = requirement.marker
        of_core = marker is None or marker.evaluate({"extra": ""})
        if of_core != (extra == "") or (marker and not marker.evaluate({"extra": extra})):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{requirement.name} is missing"
        else:
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{requirement.name} is {version}, not {requirement.specifier}"
