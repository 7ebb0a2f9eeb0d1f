"""What is known of a document beside its pages, such as its year or kind.

It comes from a sidecar, ``report.pdf.meta.json`` beside ``report.pdf`` with one JSON object, and from ``key=value``
pairs given at indexing, which win. Values are texts, numbers and truth values.
"""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pagesight.indexing.errors import SettingsError, UnreadableDocument

Value = str | int | float | bool
Metadata = dict[str, Value]

_INTEGERS = range(-(2**63), 2**63)  # that Milvus keeps
_LONGEST_INTEGER = 100  # digits that are read, to be refused by name
_LONGEST_SIDECAR = 60_000  # bytes: a Milvus server keeps 65,536 bytes of JSON in a row


def read_sidecar(path: Path) -> Metadata:
    """The metadata in the document's sidecar; empty without one. Raises UnreadableDocument naming the sidecar."""
    sidecar = path.with_name(path.name + ".meta.json")
    try:
        content = json.loads(_content_of(sidecar) or b"{}", parse_constant=_no_number, parse_int=_integer)
    except RecursionError:
        raise _unreadable(sidecar, "it is nested too deeply") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # so that nobody can have written one
            return {}
        raise _unreadable(sidecar, str(error)) from None
    if not isinstance(content, dict) or not all(isinstance(value, Value) for value in content.values()):
        raise UnreadableDocument(
            f"the metadata in {sidecar} is not one JSON object of texts, numbers and truth values, such as "
            '{"year": 2023}. Correct or remove that file.'
        )
    if fault := fault_of(content):
        raise _unreadable(sidecar, fault)
    return dict(content)


def read_pairs(pairs: Iterable[str]) -> Metadata:
    """``["year=2023", "kind=10-K"]`` → ``{"year": 2023, "kind": "10-K"}``. Raises SettingsError for what is no pair."""
    metadata: Metadata = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip().isidentifier():
            raise SettingsError(f"{pair!r} is no metadata. Write KEY=VALUE, such as --meta year=2023 --meta kind=10-K.")
        metadata[key.strip()] = _value(value.strip())
    return checked(metadata)


def checked(metadata: Metadata) -> Metadata:
    """The metadata, which an index can keep. Raises SettingsError, naming what it cannot."""
    if fault := fault_of(metadata):
        raise SettingsError(f"the metadata cannot be kept: {fault}. Give another value.")
    return metadata


def fault_of(metadata: Mapping[str, Any]) -> str | None:
    """Why an index cannot keep the metadata; None if it can."""
    for key, value in metadata.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f"{key!r} is {value}, which is no number"
        if isinstance(value, int) and value not in _INTEGERS:
            return f"{key!r} is an integer beyond 64 bits; write it as a text"
        if not _is_unicode(key) or (isinstance(value, str) and not _is_unicode(value)):
            return f"{key!r} has half a character (a lone surrogate)"
    return None


def _content_of(sidecar: Path) -> bytes | None:
    """The sidecar's bytes, in UTF-8 or UTF-16, which JSON tells apart; None where there is no such file."""
    if not sidecar.is_file():
        if sidecar.exists():
            raise ValueError("it is not a file")
        return None
    if sidecar.stat().st_size > _LONGEST_SIDECAR:
        raise ValueError(f"it has more than {_LONGEST_SIDECAR:,} bytes")
    return sidecar.read_bytes()


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:  # Python refuses to read one of thousands of digits
        raise ValueError("it has an integer beyond 64 bits; write it as a text")
    return int(text)


def _unreadable(sidecar: Path, fault: str) -> UnreadableDocument:
    return UnreadableDocument(f"the metadata in {sidecar} cannot be read: {fault}. Correct or remove that file.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return text if isinstance(value, float) and not math.isfinite(value) else value
    return text
