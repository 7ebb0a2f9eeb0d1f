"""Which models are served, by whom and in which form; and what ``MODEL@URL`` means.

A model behind a server has a name without its address: another server with the same model is the same encoder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pagesight.indexing.errors import SettingsError

Form = Literal["vllm", "gemini", "cohere", "voyage", "nim", "jina"]

_FORMS: tuple[Form, ...] = ("vllm", "gemini", "cohere", "voyage", "nim", "jina")
# MODEL@URL, MODEL@FORM+URL
_ADDRESSED = re.compile(r"(.+?)@(?:([a-z]+)\+)?([a-z]+://.*)")


@dataclass(frozen=True)
class Service:
    """A model that a service has under a name of its own.

    ``key`` is the flat name of the setting that holds its key, which goes to ``address`` alone; ``dim`` and ``dims``
    the dimensions that its vectors have if nothing is said, and may have; ``page_tokens`` the tokens that a page of
    1.7 megapixels is counted as, None where nothing is published; ``several`` says that it makes many vectors of a
    page.
    """

    model: str
    form: Form
    address: str
    key: str
    dim: int
    dims: tuple[int, ...] = ()
    page_tokens: int | None = None
    several: bool = False

    @property
    def asked_as(self) -> str:
        """The name that the service has for it."""
        return self.model.partition(":")[0]


_JINA = "https://api.jina.ai"
#: Addresses, dimensions and forms as published by each service; docs/encoders.md says where.
SERVICES = {
    service.model: service
    for service in (
        # 258 tokens is what Gemini 2.x counts a picture as; for this model nothing is published: a guess.
        Service("gemini-embedding-2", "gemini", "https://generativelanguage.googleapis.com", "google_api_key", 3072,
                tuple(range(128, 3073)), 258),
        Service("embed-v4.0", "cohere", "https://api.cohere.com", "cohere_api_key", 1536, (256, 512, 1024, 1536)),
        # 560 pixels are a token.
        Service("voyage-multimodal-3.5", "voyage", "https://api.voyageai.com", "voyage_api_key", 1024,
                (256, 512, 1024, 2048), 3000),
        Service("nvidia/llama-nemotron-embed-vl-1b-v2", "nim", "https://integrate.api.nvidia.com", "nvidia_api_key",
                2048, tuple(range(1, 2049))),
        Service("jina-embeddings-v4", "jina", _JINA, "jina_api_key", 2048, tuple(range(128, 2049))),
        Service("jina-embeddings-v4:multi", "jina", _JINA, "jina_api_key", 128, several=True),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Served:
    """A model behind HTTP: its form, and the address that was named, None where the service's own is meant."""

    model: str
    form: Form
    address: str | None = None

    @property
    def name(self) -> str:
        """What an index records: the model without the address, and with the form where that says something."""
        service = SERVICES.get(self.model)
        return self.model if service and service.form == self.form else f"{self.model}@{self.form}"

    @property
    def service(self) -> Service | None:
        """The service that has the model under this name, if one does."""
        found = SERVICES.get(self.model)
        return found if found and found.form == self.form else None

    @property
    def is_paid(self) -> bool:
        """Whether each page costs money: so it is with services, also where they are asked at another address."""
        return self.service is not None


def read_served(setting: str) -> Served | None:
    """What a setting says of a model behind HTTP; None if it names none. Raises SettingsError for a bad address.

    Known are the names of services, ``MODEL@URL``, ``MODEL@FORM+URL`` and what an index records, ``MODEL@FORM``.
    """
    if setting in SERVICES:
        return Served(setting, SERVICES[setting].form)
    model, at, form = setting.rpartition("@")
    if at and model and form in _FORMS:
        return Served(model, next(one for one in _FORMS if one == form))
    named = _ADDRESSED.fullmatch(setting)
    return _at_address(setting, *named.groups()) if named else None


def _at_address(setting: str, model: str, given: str | None, address: str) -> Served:
    usual = SERVICES[model].form if model in SERVICES else "vllm"
    chosen = next((one for one in _FORMS if one == (given or usual)), None)
    if chosen is None:
        raise SettingsError(f"{given!r} in {setting!r} is no form of a server: take one of {', '.join(_FORMS)}.")
    _check(address, setting)
    return Served(model, chosen, address.rstrip("/"))


def _check(address: str, setting: str) -> None:
    try:
        parts = urlsplit(address)
        found = parts.hostname and (parts.port or True)
    except ValueError:
        found = None
    if not found or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise _bad_address(setting)
    if parts.username or parts.password:
        raise SettingsError(
            "the address of a model's server holds a password: set PAGESIGHT_ENCODER_KEY (or, for a reranker, "
            "PAGESIGHT_RERANK_KEY) instead, which is sent as a bearer token and stands in no index."
        )


def _bad_address(setting: str) -> SettingsError:
    return SettingsError(
        f"{setting!r} names no server of a model: write MODEL@http://HOST:PORT or MODEL@https://HOST, with "
        f"{', '.join(_FORMS)} and + before the address where it is not vLLM's form."
    )
