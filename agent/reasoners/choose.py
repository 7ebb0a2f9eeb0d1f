"""Which language model reasons, and why: Gemini, any other LangChain chat model, or the quoting reasoner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pagesight.agent.reasoners.capabilities import Capabilities, capabilities_of
from pagesight.indexing.calls.destinations import is_googles, refuse_address_from_dotenv, refuse_unconfirmed, shown
from pagesight.indexing.configuration.installation import package_command
from pagesight.indexing.errors import KeyRefused, MissingExtra, ReasonerError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.language_models import BaseChatModel

    from pagesight.indexing.settings import Settings
    from pagesight.tools.transport.transport import Transport

_GEMINI = "google_genai"


@dataclass(frozen=True)
class ReasonerChoice:
    """A reasoner's name, such as ``google_genai:gemini-3.8-flash`` or ``offline``, and why it is taken."""

    name: str
    why: str


@dataclass(frozen=True)
class Reasoner:
    """A chat model, its name, why it was taken, and what it can; ``given`` is the model as it was made."""

    model: BaseChatModel
    name: str
    why: str
    can: Capabilities
    given: BaseChatModel | None = None


def choose_reasoner(spec: str | None, settings: Settings) -> ReasonerChoice:
    """What would be taken for ``spec``, or for the setting `reasoner` without one. Loads no model.

    Where Gemini is asked at another address than Google's, ``why`` names it.
    """
    choice = _choice(spec or settings.reasoning.reasoner, bool(spec), settings)
    address = settings.gemini.google_base_url
    if choice.name.startswith(f"{_GEMINI}:") and address and not is_googles(address):
        return ReasonerChoice(choice.name, f"{choice.why}; asked at {shown(address)}")
    return choice


def _choice(wanted: str, asked: bool, settings: Settings) -> ReasonerChoice:
    if wanted != "auto":
        return ReasonerChoice(wanted, "asked for" if asked else "set by PAGESIGHT_REASONER")
    gemini_model = f"{_GEMINI}:{settings.gemini.gemini_model}"
    if settings.gemini.vertex_project:
        return ReasonerChoice(gemini_model, f"Vertex AI is set, project {settings.gemini.vertex_project}")
    if settings.gemini.google_api_key:
        where = " in the file .env of this folder" if settings.from_dotenv("google_api_key") else ""
        return ReasonerChoice(gemini_model, f"there is a GOOGLE_API_KEY{where}")
    return ReasonerChoice("offline", "there is no GOOGLE_API_KEY; with one, Gemini would answer")


def make_reasoner(model: str | BaseChatModel | None, settings: Settings) -> Reasoner:
    """The reasoner: a chat model as it is, or one by name: ``auto``, ``offline``, ``google_genai:MODEL``, or any
    other ``PROVIDER:MODEL`` of LangChain.

    Raises KeyRefused when Gemini is asked for without a key, MissingExtra when the provider's package is not installed,
    SettingsError when the name cannot be read.
    """
    if model is None or isinstance(model, str):
        choice = choose_reasoner(model, settings)
        made = _named(choice.name, settings)
    else:
        choice, made = ReasonerChoice(_name(model), "given"), _fitted(model)
    return Reasoner(made, choice.name, choice.why, capabilities_of(made), made)


def transport_for(reasoner: Reasoner, name: str, settings: Settings, folder: Path) -> Transport | None:
    """How pictures reach a reasoner: by ``bytes``, ``base64``, ``files``, or by what suits it best (``auto``).

    Auto is inline while a request stays under its limit and files beyond it with Gemini, inline with Vertex AI, which
    has no Files API, and base64 with others. Uploads are noted in ``folder``. None for the quoting reasoner, which
    takes no pictures. Raises SettingsError when the reasoner can't take that way.
    """
    from pagesight.tools.transport.transport import AutoTransport, Base64Transport, BucketTransport, BytesTransport

    if name not in ("auto", "bytes", "base64", "files"):
        raise SettingsError(f"the transport {name!r} is not known: take auto, bytes, base64 or files")
    can = reasoner.can
    if not can.pictures:
        return None
    _must(can.raw_parts or name != "bytes", name, f"Gemini by its name, such as {_GEMINI}:gemini-3.8-flash,", reasoner)
    _must(can.files or name != "files", name, "the Gemini API", reasoner)
    inline = BytesTransport() if can.raw_parts and name in ("bytes", "auto") else Base64Transport()
    if can.buckets and settings.pictures.bucket:
        refuse_unconfirmed(settings, "bucket")
        return BucketTransport(settings.pictures.bucket, inline)
    if name == "files":
        return _files(reasoner, settings, folder)
    if name == "auto" and can.files:
        return AutoTransport(inline, _files(reasoner, settings, folder), settings.pictures.inline_limit)
    return inline


def _files(reasoner: Reasoner, settings: Settings, folder: Path) -> Transport:
    from pagesight.tools.transport.files_api import FilesTransport

    return FilesTransport(
        reasoner.model, folder, attempts=settings.reasoning.max_retries, longest_wait=settings.reasoning.longest_wait
    )


@contextmanager
def plain_failures(name: str) -> Iterator[None]:
    """Within it, what other chat models of LangChain raise comes out as ReasonerError; Gemini's are plain already."""
    from langchain_core.exceptions import ModelAuthenticationError, ModelError, ModelPermissionDeniedError

    try:
        yield
    except (ModelAuthenticationError, ModelPermissionDeniedError) as error:
        raise KeyRefused(
            f"the provider of {name} refused the key: set the one that its package reads from the environment, or "
            "answer without a language model with PAGESIGHT_REASONER=offline"
        ) from error
    except ModelError as error:
        raise ReasonerError(f"{name} did not answer ({type(error).__name__}: {error}): ask again in a while") from error


def _fitted(model: BaseChatModel) -> BaseChatModel:
    """A chat model as it is, but for one of LangChain's for Gemini, whose requests the newer models don't take."""
    if model._llm_type != "chat-google-generative-ai" or hasattr(model, "takes_inline_parts"):
        return model
    from pagesight.agent.reasoners.gemini_requests import with_fitted_requests

    return with_fitted_requests(model)  # type: ignore[arg-type]


def _must(fits: bool, transport: str, wanted: str, reasoner: Reasoner) -> None:
    if not fits:
        raise SettingsError(
            f"the transport {transport!r} works with {wanted} only, not with {reasoner.name}: take auto or base64 "
            "(PAGESIGHT_TRANSPORT)"
        )


def _named(name: str, settings: Settings) -> BaseChatModel:
    provider, _, model = name.partition(":")
    if name == "offline":
        from pagesight.agent.reasoners.offline.quoting import QuotingReasoner

        return QuotingReasoner()
    if not model:
        raise SettingsError(
            f"the reasoner {name!r} is not known: take auto, offline, {_GEMINI}:MODEL or another PROVIDER:MODEL of "
            "LangChain (PAGESIGHT_REASONER)"
        )
    return gemini(model, settings) if provider == _GEMINI else _of_langchain(name, settings)


def gemini(model: str, settings: Settings) -> BaseChatModel:
    """The Gemini model of that name, by key or through Vertex AI.

    Raises KeyRefused without either, and SettingsError if it would go to an address that only a `.env` names.
    """
    if not settings.gemini.google_api_key and not settings.gemini.vertex_project:
        raise KeyRefused(
            f"{_GEMINI}:{model} needs a key: set GOOGLE_API_KEY, in the environment or in .env, to one from "
            "https://aistudio.google.com/apikey, or answer without a language model with PAGESIGHT_REASONER=offline"
        )
    address = settings.gemini.google_base_url
    if address and not is_googles(address):
        key = [] if settings.gemini.vertex_project else ["google_api_key"]
        refuse_address_from_dotenv(settings, "google_base_url", key)
    refuse_unconfirmed(settings, "vertex_project")
    from pagesight.agent.reasoners.gemini import GeminiReasoner
    from pagesight.tools.gemini_service.errors import plain_refusals

    place: dict[str, Any] = {"vertexai": False, "api_key": settings.gemini.google_api_key}
    if settings.gemini.vertex_project:
        place = {
            "vertexai": True,
            "project": settings.gemini.vertex_project,
            "location": settings.gemini.vertex_location,
        }
    with plain_refusals(settings.gemini.google_api_key, vertex=bool(settings.gemini.vertex_project)):
        return GeminiReasoner(
            model=model,
            client_options=address,
            request_timeout=settings.reasoning.timeout,
            attempts=settings.reasoning.max_retries,
            longest_wait=settings.reasoning.longest_wait,
            resolution=settings.pictures.media_resolution,
            store_requests=settings.gemini.store_requests,
            **_thinking(model, settings),
            **place,
        )


#: Tokens of thinking, for the generation that takes no level; as Google's own translation of levels has them
#: (https://ai.google.dev/gemini-api/docs/openai#thinking).
_TOKENS_OF_THINKING = {"low": 1024, "medium": 8192, "high": 24_576}


def _thinking(model: str, settings: Settings) -> dict[str, Any]:
    """How much the model shall think, as its generation is told; one that cannot be told thinks as it does."""
    from pagesight.tools.gemini_service.generations import generation

    level, made = settings.gemini.thinking_level, generation(model)
    if level == "default":
        return {}
    if made >= (3, 0):
        return {"thinking_level": level}
    if settings.origin("thinking_level") == "effort":
        return {"thinking_budget": _TOKENS_OF_THINKING[level]} if made >= (2, 5) else {}
    raise SettingsError(
        f"{model} takes no level of thinking: take a Gemini model from 3 on (PAGESIGHT_GEMINI_MODEL), or leave "
        "--thinking and PAGESIGHT_THINKING_LEVEL out"
    )


def _of_langchain(name: str, settings: Settings) -> BaseChatModel:
    provider = name.partition(":")[0]
    try:
        from langchain.chat_models import init_chat_model

        return init_chat_model(name, timeout=settings.reasoning.timeout, max_retries=settings.reasoning.max_retries)
    except ImportError as error:
        package = f"langchain-{provider.replace('_', '-')}"
        raise MissingExtra(
            f"the reasoner {name} needs packages that are not installed ({error.name or error}): "
            f"run `{package_command('langchain', package)}`"
        ) from error
    except ValueError as error:
        raise SettingsError(f"the reasoner {name} cannot be made: {error}") from error


def _name(model: Any) -> str:
    inner = getattr(model, "model", None) or getattr(model, "model_name", None)
    return f"{type(model).__name__}:{inner}" if isinstance(inner, str) else type(model).__name__
