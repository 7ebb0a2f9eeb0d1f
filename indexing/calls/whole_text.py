"""Text from outside: of files, terminals, messages and services."""

from __future__ import annotations


def whole_text(text: object) -> str:
    """The text with half characters (lone surrogates), which no file and no service takes, replaced by "?"."""
    return str(text).encode("utf-8", "replace").decode()
