"""The address of an index on a Milvus server: `http://HOST:PORT/NAME`, or `https://…` for TLS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pagesight.indexing.calls.destinations import shown
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import Settings

_USUAL_NAME = "pagesight"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(frozen=True)
class ServerAddress:
    """``uri`` leads to the server, ``name`` to one of its indexes; ``token`` is ``user:password`` from the address."""

    uri: str
    name: str
    token: SecretStr | None = None

    def __str__(self) -> str:
        return f"{self.uri}/{self.name}"

    @property
    def as_folder_name(self) -> str:
        """A folder's name that no other address has."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", str(self))


def server_address(place: str) -> ServerAddress | None:
    """The address, or None if the place is a folder. Raises SettingsError for an address that leads nowhere."""
    if not re.match(r"https?:/", place, re.IGNORECASE):
        return None
    try:
        parts = urlsplit(place)
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    name = parts.path.strip("/") or _USUAL_NAME
    if not parts.hostname or not _NAME.fullmatch(name):
        raise SettingsError(
            f"{shown(place)!r} is no address of an index. Write http://HOST:PORT/NAME or https://HOST:PORT/NAME; the "
            f"name has letters, digits and underscores only and is {_USUAL_NAME} if left out."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = 19530 if parts.scheme == "http" else 443
    token = SecretStr(f"{unquote(parts.username)}:{unquote(parts.password or '')}") if parts.username else None
    return ServerAddress(f"{parts.scheme}://{host}:{port or usual}", name, token)


def folder_of(place: str, settings: Settings) -> Path:
    """The index's folder; of one on a server, where this machine keeps documents and pictures: below the folder set."""
    address = server_address(place)
    if address is None:
        return Path(place).expanduser().resolve()
    below = ".pagesight" if server_address(str(settings.index)) else settings.index
    return Path(below).expanduser().resolve() / "servers" / address.as_folder_name
