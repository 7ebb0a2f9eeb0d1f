"""What is known of a document beside its pages, such as its year or kind.

It comes from a sidecar, ``report.pdf.meta.json`` beside ``report.pdf`` with one JSON object, and from ``key=value``
pairs given at indexing, which win. Values are texts, numbers and truth values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pagesight.indexing.errors import SettingsError, UnreadableDocument

Value = str | int | float | bool
Metadata = dict[str, Value]


def read_sidecar(path: Path) -> Metadata:
    """The metadata in the document's sidecar; empty without one. Raises UnreadableDocument naming the sidecar."""
    sidecar = path.with_name(path.name + ".meta.json")
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UnreadableDocument(
            f"the metadata in {sidecar} cannot be read: {error}. Correct or remove that file."
        ) from None
    if not isinstance(content, dict) or not all(isinstance(value, Value) for value in content.values()):
        raise UnreadableDocument(
            f"the metadata in {sidecar} is not one JSON object of texts, numbers and truth values, such as "
            '{"year": 2023}. Correct or remove that file.'
        )
    return dict(content)


def read_pairs(pairs: Iterable[str]) -> Metadata:
    """``["year=2023", "kind=10-K"]`` → ``{"year": 2023, "kind": "10-K"}``. Raises SettingsError for what is no pair."""
    metadata: Metadata = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip().isidentifier():
            raise SettingsError(f"{pair!r} is no metadata. Write KEY=VALUE, such as --meta year=2023 --meta kind=10-K.")
        metadata[key.strip()] = _value(value.strip())
    return metadata


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
