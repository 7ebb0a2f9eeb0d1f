"""Where pages, words and keys go: places that only the current folder's `.env` names are taken once they are confirmed.

A folder may come from somebody else, and its `.env` with it. What was confirmed stands outside of it, in the user's own
folder (`state_folder`), by the file's path and what it says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pagesight.indexing.configuration.environment import state_folder
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import Settings, variables_of


def shown(text: str) -> str:
    """A text that addresses may stand in, without the passwords in them."""
    return re.sub(r"(?<=//)[^/@\s]*@", "", text)


@dataclass(frozen=True)
class Destination:
    """A place that only the file `.env` at ``file`` names, by ``variable``: ``what`` goes there or comes from there."""

    file: Path
    variable: str
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} {shown(self.place)}, which only the file {self.file} names, by {self.variable}"

    @property
    def confirmed(self) -> bool:
        """Whether it was confirmed on this machine."""
        return self._note.is_file()

    def confirm(self) -> None:
        """Note that it may be taken from now on. Raises OSError."""
        self._note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._note.write_text(f"{self}\n", encoding="utf-8")

    def refusal(self) -> SettingsError:
        """The error where nobody has confirmed it."""
        return SettingsError(
            f"not done: {self}. If it is right, answer yes when pagesight asks on a terminal, or set "
            f"{self.variable}={shown(self.place)} in the environment too; if not, take that line out of the file."
        )

    @property
    def _note(self) -> Path:
        said = json.dumps([str(self.file), self.variable, self.place])
        return state_folder() / "confirmed-places" / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.txt"


def unconfirmed(settings: Settings) -> Iterator[Destination]:
    """The places that only `.env` names and that nobody has confirmed; this machine and Google's API are none."""
    values = settings.flat()
    for name, (what, place_in) in _NAMING.items():
        place = place_in(str(values[name] or ""))
        if place and settings.from_dotenv(name) and not _is_here(place):
            found = Destination(Path(".env").resolve(), variables_of(name)[0], place, what)
            if not found.confirmed:
                yield found


def refuse_unconfirmed(settings: Settings, name: str) -> None:
    """Raises SettingsError where the setting with this flat name leads to a place that `unconfirmed` has."""
    for found in unconfirmed(settings):
        if found.variable == variables_of(name)[0]:
            raise found.refusal()


def refuse_address_from_dotenv(settings: Settings, address: str, keys: Sequence[str]) -> None:
    """Raises SettingsError where a key would go to an address that only the current folder's `.env` names.

    ``address`` and ``keys`` are flat names of settings. A key from the same file may go there, once the address is
    confirmed; where there are no ``keys``, it is what this machine is logged in with that would go there.
    """
    if not settings.from_dotenv(address):
        return
    if keys and all(map(settings.from_dotenv, keys)):
        refuse_unconfirmed(settings, address)
        return
    place, variable = shown(str(settings.flat()[address])), variables_of(address)[0]
    key = " or ".join(variables_of(name)[0] for name in keys) or "what this machine is logged in with"
    raise SettingsError(
        f"{key} is not sent to {place}: only the file {Path('.env').resolve()} names that address, by {variable}. If "
        f"it is right, set {variable}={place} in the environment too; if not, take that line out of the file."
    )


def index_set(settings: Settings) -> str:
    """The place of the index that the settings name. Raises SettingsError where it may not be taken."""
    if _address(str(settings.index)) and settings.from_dotenv("index"):
        if settings.milvus.token:
            refuse_address_from_dotenv(settings, "index", ["milvus_token"])
        refuse_unconfirmed(settings, "index")
    return str(settings.index)


def is_googles(address: str) -> bool:
    """Whether an address of the Gemini API is one of Google's own."""
    parts = urlsplit(address)
    return parts.scheme == "https" and (parts.hostname or "").endswith(".googleapis.com")


def _address(text: str) -> str:
    """The address of a server in a setting such as ``MODEL@FORM+http://HOST``; empty if it has none."""
    found = re.search(r"https?:/\S*", text, re.IGNORECASE)
    return found.group() if found else ""


def _base_address(text: str) -> str:
    return "" if is_googles(text) else text


#: Settings by their flat names, with what they decide and what of their text is a place.
_NAMING: dict[str, tuple[str, Callable[[str], str]]] = {
    "index": ("texts and vectors of pages would go to", _address),
    "encoder": ("pages would go to", _address),
    "rerank": ("words of pages would go to", _address),
    "google_base_url": ("questions and pages would go to", _base_address),
    "vertex_project": ("questions and pages would go to the Google Cloud project", str),
    "bucket": ("pictures of pages would be taken from", str),
    "documents_at": ("documents would go to and be taken from", str),
}


def _is_here(place: str) -> bool:
    """Whether an address is of this machine itself."""
    try:
        host = urlsplit(place).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))
