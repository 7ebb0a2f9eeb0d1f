"""`pagesight doctor --live`: tries with the real service, for at most two cents, what pagesight relies on.

Each step (live_steps.py) sends a page that is drawn here and looks at what comes back. One that fails says why and what
helps, and the others go on. Nothing of the user's documents is sent.
"""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pagesight.agent.reasoners.choose import make_reasoner
from pagesight.agent.terminal.live_service import LiveService, StepFailed, StepSkipped
from pagesight.agent.terminal.live_steps import STEPS, Step
from pagesight.indexing.calls.destinations import shown
from pagesight.indexing.calls.network_errors import network_error
from pagesight.indexing.errors import KeyRefused, PagesightError, ReasonerError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagesight.indexing.settings import Settings

State = Literal["ok", "failed", "skipped"]

_PACKAGES = ("pagesight", "google-genai", "langchain-google-genai", "langchain-core", "langgraph", "httpx", "httpx2")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveStep:
    """One step: "skipped" where it does not apply or costs too much; ``says`` what was seen, ``fix`` what helps."""

    name: str
    state: State
    says: str
    fix: str = ""
    seconds: float = 0.0


@dataclass
class LiveReport:
    """The steps against one model and what they cost, fit to be shown to others: it holds no key.

    ``dollars`` is None where the price is not known; ``ended`` says why there are no further steps, if it ended early.
    """

    model: str
    address: str
    versions: dict[str, str]
    steps: list[LiveStep] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float | None = 0.0
    ended: str = ""

    @property
    def works(self) -> bool:
        """Whether no step failed, and none is missing."""
        return not self.ended and all(step.state != "failed" for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """The report as it stands below "live" in ``doctor --live --json``."""
        return {"works": self.works, **asdict(self)}


class LiveChecks:
    """The steps against the model that the settings, or ``model``, lead to; ``report`` grows with each.

    Raises what `make_reasoner` raises, such as KeyRefused without a key, and SettingsError for what is no Gemini.
    """

    def __init__(self, settings: Settings, model: str | BaseChatModel | None = None):
        self._settings = settings
        self._reasoner = make_reasoner(model, settings)
        self._folder = tempfile.TemporaryDirectory()
        self._service = LiveService(self._reasoner, settings, Path(self._folder.name))
        self.report = LiveReport(self._reasoner.name, self._address(), _versions())

    def run(self, told: Callable[[LiveStep], object] = lambda step: None) -> LiveReport:
        """Makes all steps; ``told`` is called after each. A refused key and a service that cannot be reached end them:
        no other step would fare better.

        Raises KeyboardInterrupt; the report then holds the steps before it, and nothing uploaded is left behind.
        """
        with self._folder:
            for name, step in STEPS.items():
                done = self._made(name, step)
                if done is None:
                    break
                self.report.steps.append(done)
                told(done)
        return self.report

    def _made(self, name: str, step: Step) -> LiveStep | None:
        """One step; None for what ends them all: a key that is refused or a service that is not reached, before any
        step has shown that it answers.
        """
        started = time.monotonic()
        state, says, fix = "ok", "", ""
        try:
            says = step(self._service)
        except StepSkipped as reason:
            state, says = "skipped", str(reason)
        except Exception as error:  # noqa: BLE001 - whatever it is: it stands in the report, and the other steps go on
            _log.debug("the step %r failed", name, exc_info=True)
            if _ends_all(error) and not any(one.state == "ok" for one in self.report.steps):
                self.report.ended = self._without_secrets(str(error))
                return None
            state, (says, fix) = "failed", _why(error)
        finally:
            self._count()
        seconds = round(time.monotonic() - started, 2)
        return LiveStep(name, state, self._without_secrets(says), self._without_secrets(fix), seconds)  # type: ignore[arg-type]

    def _count(self) -> None:
        calls = [call.usage for call in self._service.calls]
        self.report.input_tokens = sum(usage["input_tokens"] for usage in calls)
        self.report.output_tokens = sum(usage["output_tokens"] for usage in calls)
        dollars = self._service.dollars
        self.report.dollars = None if dollars is None else round(dollars, 6)

    def _address(self) -> str:
        if self._service.vertex:
            return "Vertex AI"
        return shown(self._settings.gemini.google_base_url or "https://generativelanguage.googleapis.com")

    def _without_secrets(self, text: str) -> str:
        key = self._settings.gemini.google_api_key
        secret = key.get_secret_value() if key else ""
        return " ".join((text.replace(secret, "…") if secret else text).split())


def _ends_all(error: Exception) -> bool:
    """Whether it is the key that is refused, or the network that fails: then the other steps would fail alike."""
    cause = error.__cause__
    return isinstance(error, KeyRefused) or (cause is not None and network_error(cause) is not None)


def _why(error: Exception) -> tuple[str, str]:
    """Why a step failed, and what helps."""
    if isinstance(error, StepFailed):
        return str(error), error.fix
    if isinstance(error, ReasonerError) and error.fix:
        return error.said, error.fix
    if isinstance(error, PagesightError):
        said, _, fix = str(error).rpartition(": ")
        return said or fix, fix if said else ""
    return f"{type(error).__name__}: {error}", "report it with what `pagesight doctor --live --json` says"


def _versions() -> dict[str, str]:
    """What is installed, for a report."""
    found = {"Python": platform.python_version(), "system": platform.system()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
