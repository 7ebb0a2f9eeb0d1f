"""Who may do what: tokens with scopes, each with the documents that it may see, kept as hashes in a file.

    {"tokens": [{"name": "acme", "sha256": "…", "scopes": ["read", "ask", "write"],
                 "where": "tenant == 'acme'", "metadata": {"tenant": "acme"}}]}

``where`` is a condition on metadata and ``ids`` are documents' ids; a token without either sees all. ``questions`` at
a time and ``dollars_a_day`` are what it may ask for at most. What a token uploads gets its ``metadata``, whatever the
upload says, and ``uploaded_by``, its name. Names of documents are no boundary: another document may come to bear one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from pagesight.indexing.documents.conditions import Condition, read_condition
from pagesight.indexing.errors import PagesightError, SettingsError
from pagesight.indexing.storage.atomic_files import write_atomically
from pagesight.tools.allowed_documents import AllowedDocuments

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.pages import DocumentRecord

_log = logging.getLogger(__name__)

Scope = Literal["read", "ask", "write"]
SCOPES: tuple[Scope, ...] = ("read", "ask", "write")
#: The metadata by which a document says which token brought it.
UPLOADED_BY = "uploaded_by"
#: The name of the token that is made at start: its conversations are found again at the next one.
OWN = "owner"

#: Seconds between two looks at the file of tokens.
_LOOK_EVERY = 1.0
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_ID = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Token(BaseModel):
    """A token, as its file has it: the hash of what clients send, and what they may do with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME, description="letters, digits, dots, dashes; its conversations belong to it")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: tuple[Scope, ...] = SCOPES
    where: str | None = None
    ids: tuple[_ID, ...] | None = None
    metadata: dict[str, str | int | float | bool] = {}
    questions: int | None = Field(None, ge=1, description="at a time, in each process of the service")
    dollars_a_day: float | None = Field(None, gt=0, description="US dollars of a day (UTC), as the ledger has them")

    @field_validator("where")
    @classmethod
    def _is_condition(cls, where: str | None) -> str | None:
        if where is not None:
            try:
                read_condition(where)
            except PagesightError as error:
                raise ValueError(str(error)) from error
        return where

    @property
    def stamp(self) -> dict[str, Any]:
        """The metadata of what it uploads."""
        return {**self.metadata, UPLOADED_BY: self.name}

    @property
    def sees_all(self) -> bool:
        """Whether there is no boundary."""
        return self.where is None and self.ids is None

    def sees(self, record: DocumentRecord) -> bool:
        """Whether a document is within its boundary."""
        listed = self.ids is None or record.document_id in self.ids or record.metadata.get(UPLOADED_BY) == self.name
        return listed and (self.where is None or _condition(self.where)(record.metadata))

    def allowed(self, index: PageIndex) -> AllowedDocuments:
        """Its documents of an index."""
        return AllowedDocuments(index, () if self.sees_all else (self.sees,), by_path=False)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: list[Token]


@dataclass(frozen=True)
class Tokens:
    """The tokens of a service."""

    known: tuple[Token, ...] = field(default_factory=tuple)

    def find(self, sent: str) -> Token | None:
        """The token that was sent, if it is one. Takes as long whichever it is, and if it is none."""
        digest = _digest(sent)
        matching = [token for token in self.known if hmac.compare_digest(token.sha256, digest)]
        return matching[0] if matching else None

    def added(self, token: Token) -> Tokens:
        """With one more. Raises SettingsError if there is one of that name."""
        if any(token.name == one.name for one in self.known):
            raise SettingsError(f"there is a token named {token.name!r} already: take another name, or remove it first")
        return replace(self, known=(*self.known, token))

    def without(self, name: str) -> Tokens:
        """With one less. Raises SettingsError if there is none of that name."""
        if all(token.name != name for token in self.known):
            names = ", ".join(token.name for token in self.known) or "none"
            raise SettingsError(f"there is no token named {name!r}; those in the file are: {names}")
        return replace(self, known=tuple(token for token in self.known if token.name != name))


class KnownTokens(Protocol):
    """Where a service finds the token that was sent."""

    def find(self, sent: str) -> Token | None:
        """The token, if it is one."""


class TokenFile:
    """The tokens of a file, read again when it has changed: one that is taken away there is refused within a second.

    A file that cannot be used any more leaves those that were known, and a line in the log. Raises SettingsError at
    first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _state(path)
        self._tokens = read_tokens(path)
        self._looked = time.monotonic()

    def find(self, sent: str) -> Token | None:
        """The token that was sent, if it is one."""
        if time.monotonic() - self._looked >= _LOOK_EVERY:
            self._looked = time.monotonic()
            self._read_again()
        return self._tokens.find(sent)

    def _read_again(self) -> None:
        now = _state(self._path)
        if now == self._seen:
            return
        self._seen = now
        try:
            self._tokens = read_tokens(self._path)
        except SettingsError as error:
            _log.error("the tokens stay as they were: %s", error)


def new_token(name: str, scopes: Sequence[str] = SCOPES, **boundary: Any) -> tuple[str, Token]:
    """A new token: what clients send, which is kept nowhere, and what the file keeps. Raises SettingsError."""
    sent = secrets.token_urlsafe(32)
    given = {key: value for key, value in boundary.items() if value is not None}
    try:
        return sent, Token.model_validate({"name": name, "sha256": _digest(sent), "scopes": tuple(scopes), **given})
    except ValidationError as error:
        raise SettingsError(f"the token cannot be made: {_faults(error)}") from None


def read_tokens(path: Path) -> Tokens:
    """The tokens in a file that only its owner can read. Raises SettingsError."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"the tokens in {path} cannot be read ({reason}): make them with `pagesight token NAME --tokens {path}`"
        ) from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise SettingsError(f"others can read or write the tokens in {path}: run `chmod 600 {path}`")
    try:
        known = TypeAdapter(_File).validate_json(text).tokens
    except ValidationError as error:
        raise SettingsError(f"the tokens in {path} cannot be used: {_faults(error)}. Correct that file.") from None
    _refuse_twice(path, known)
    return Tokens(tuple(known))


def write_tokens(path: Path, tokens: Tokens) -> None:
    """Writes a file of tokens that only this user can read. Raises SettingsError."""
    rows = [token.model_dump(mode="json", exclude_none=True) for token in tokens.known]
    try:
        write_atomically(path, json.dumps({"tokens": rows}, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise SettingsError(f"the tokens cannot be written to {path}: {error.strerror or error}") from error


def _state(path: Path) -> tuple[int, int, int] | None:
    """What differs when a file was written anew; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _refuse_twice(path: Path, known: Iterable[Token]) -> None:
    names: set[str] = set()
    for token in known:
        if token.name in names:
            raise SettingsError(f"two tokens in {path} are named {token.name!r}: conversations belong to one of a name")
        names.add(token.name)


@lru_cache(maxsize=256)
def _condition(where: str) -> Condition:
    return read_condition(where)


def _digest(sent: str) -> str:
    return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest()


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors(include_input=False)
    )
