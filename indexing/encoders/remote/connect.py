"""Makes the encoder of a model behind HTTP: which address, which key, in which form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pagesight.indexing.calls.destinations import refuse_unconfirmed
from pagesight.indexing.configuration.environment import state_folder
from pagesight.indexing.encoders.remote.encoder import RemoteEncoder
from pagesight.indexing.encoders.remote.forms import FormClient, form_of
from pagesight.indexing.encoders.remote.gemini import GeminiClient
from pagesight.indexing.encoders.remote.http_calls import ServerCalls
from pagesight.indexing.encoders.remote.kept import PaidVectors
from pagesight.indexing.encoders.remote.model import PageClient, RemoteModel
from pagesight.indexing.encoders.remote.served import Served
from pagesight.indexing.encoders.remote.spending import Spending
from pagesight.indexing.encoders.remote.vllm import VllmClient
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import Settings, variables_of

_REQUESTS_IN_TURN = 4  # for each that is under way; a guess: enough that a slow answer keeps no others waiting
_MOST_IN_MEMORY = 32  # pages, 5 MB each, unless more requests are asked for


def remote_encoder(
    served: Served,
    settings: Settings,
    recorded: dict[str, Any] | None,
    prompts: dict[str, str] | None,
    kept: dict[str, Any],
    named_by: str,
) -> RemoteEncoder:
    """The encoder of a model behind HTTP; nothing is asked yet.

    ``kept`` are settings that an index keeps, ``named_by`` what names the address if it is not the user. Raises
    SettingsError without an address, without a key that is needed, for dimensions that the service does not have, and
    later EncoderError, EncoderMismatch.
    """
    service = served.service
    dim = settings.encoding.dim or (int(recorded["dim"]) if recorded else None)
    if service and service.dims and dim and dim not in service.dims:
        offered = _offered(service.dims)
        raise SettingsError(f"{served.model} makes vectors of {offered} dimensions, {dim} were asked for (--dim).")
    spending = Spending(served.model, settings) if served.is_paid else None

    def load() -> RemoteModel:
        address, key, by = asked_with(served, settings, named_by)
        asked = dim if service and dim != service.dim else None
        client = _client(served, address, key, settings, asked, prompts, kept)
        own, known = _is_own(served, address), _servers().get(served.name)
        noted = known.get(address) if isinstance(known, dict) else None

        def paid(server: str) -> PaidVectors:
            return PaidVectors({"model": served.model, "dim": asked, "prompts": client.prompts, "server": server})

        model = RemoteModel(
            served.name,
            client,
            at_once=settings.encoding.encoder_requests,
            recorded=recorded,
            paid=paid if spending else None,
            spending=spending,
            own=own,
            noted=noted if isinstance(noted, str) else None,
        )
        if not by:
            _remember(served.name, address, model.server)
        return model

    return RemoteEncoder(
        served.name,
        load,
        spending,
        in_jobs=settings.encoding.encoder_batch,
        dim=settings.encoding.dim,
        settings=kept,
        batch=_batch(settings),
        recorded=recorded,
    )


def _batch(settings: Settings) -> int:
    """How many pages are begun before the first of them is waited for: some for each request."""
    requests = settings.encoding.encoder_requests
    return max(settings.encoding.pages_at_once, requests, min(_REQUESTS_IN_TURN * requests, _MOST_IN_MEMORY))


def client_of(served: Served, settings: Settings) -> PageClient:
    """What asks a served model at once, with nothing kept of what it answered before.

    Raises SettingsError without an address or a key that is needed.
    """
    address, key, _ = asked_with(served, settings, "")
    service, dim = served.service, settings.encoding.dim
    asked = dim if service and dim != service.dim else None
    return _client(served, address, key, settings, asked, None, {})


def asked_with(served: Served, settings: Settings, named_by: str) -> tuple[str, SecretStr | None, str]:
    """Where the model is asked, with which key, and what names the address if it is not the user.

    Raises SettingsError without one of them, and where only the current folder's `.env` names where pages would go.
    """
    address, by = _address(served, settings, named_by)
    key = _key(served, address, settings, by)
    if by:
        refuse_unconfirmed(settings, "encoder" if served.address else "google_base_url")
    if served.form == "gemini":
        refuse_unconfirmed(settings, "vertex_project")
    return address, key, by


def _client(
    served: Served, address: str, key: SecretStr | None, settings: Settings, dim: int | None,
    prompts: dict[str, str] | None, kept: dict[str, Any],
) -> PageClient:  # fmt: skip
    service = served.service
    model = service.asked_as if service else served.model
    if served.form == "gemini":
        own = service is not None and address == service.address
        return GeminiClient(model, None if own else address, settings, dim)
    calls = ServerCalls(
        address,
        key,
        timeout=settings.encoding.encoder_timeout,
        attempts=settings.reasoning.max_retries,
        longest_wait=settings.reasoning.longest_wait,
        at_once=settings.encoding.encoder_requests,
    )
    if served.form == "vllm":
        return VllmClient(calls, model, kept.get("visual_tokens"), prompts)
    return FormClient(calls, form_of(served.form, several=bool(service and service.several)), model, dim)


def _address(served: Served, settings: Settings, named_by: str) -> tuple[str, str]:
    """Where the model is asked, and what names that if it is not the user: where the user says; where only an index
    names the model, where the user had it asked last; else the service's own address.
    """
    if served.address:
        return served.address, named_by
    known = _servers().get(served.name)
    if isinstance(known, dict) and known and (named_by or not served.service):
        return str(list(known)[-1]), ""
    if served.form == "gemini" and settings.gemini.google_base_url:
        dotenv = settings.from_dotenv("google_base_url")
        return settings.gemini.google_base_url, "the file .env of this folder" if dotenv else ""
    if served.service:
        return served.service.address, ""
    start = f"`vllm serve {served.model}`" if served.form == "vllm" else "its server"
    raise SettingsError(
        f"{served.model} runs on a server, and none is named: start {start} and name it, with --encoder "
        f"{served.model}@http://HOST:PORT or PAGESIGHT_ENCODER."
    )


def _key(served: Served, address: str, settings: Settings, by: str) -> SecretStr | None:
    """The key for an address: a service's goes to the service alone, PAGESIGHT_ENCODER_KEY where the user says.

    ``by`` is what names the address, empty if it is the user.
    """
    name = served.service.key if served.service and _is_own(served, address) else "encoder_key"
    if served.form == "gemini":
        name = "google_api_key"
    if served.form == "gemini" and settings.gemini.vertex_project:
        return None
    key = _secret(settings, name)
    if key is None and (name != "encoder_key"):
        raise SettingsError(f"{served.model} needs a key: set {variables_of(name)[0]}, in the environment or in .env.")
    if key and by and not _is_own(served, address) and not settings.from_dotenv(name):
        raise SettingsError(
            f"{variables_of(name)[0]} is not sent to {address}: only {by} names that address. If it is right, name it "
            "yourself, with --encoder or in the environment."
        )
    return key


def _secret(settings: Settings, name: str) -> SecretStr | None:
    group = settings.gemini if name == "google_api_key" else settings.encoding
    found = getattr(group, name)
    return found if isinstance(found, SecretStr) and found.get_secret_value() else None


def _is_own(served: Served, address: str) -> bool:
    return served.service is not None and address == served.service.address


def _offered(dims: tuple[int, ...]) -> str:
    return f"{dims[0]} to {dims[-1]}" if len(dims) > 8 else ", ".join(map(str, dims))


# Which servers have been asked for which model, and what they made of the trial page: the last one is asked again
# where nobody says another. In the user's own folder, as an index may come from somebody else.


def _notes() -> Path:
    return state_folder() / "encoder-servers.json"


def _servers() -> dict[str, Any]:
    try:
        found = json.loads(_notes().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(name: str, address: str, probe: str) -> None:
    servers = _servers()
    known = servers.get(name)
    addresses = dict(known) if isinstance(known, dict) else {}
    addresses.pop(address, None)
    servers[name] = addresses | {address: probe}
    try:
        _notes().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _notes().write_text(json.dumps(servers, indent=1), encoding="utf-8")
    except OSError:
        return
