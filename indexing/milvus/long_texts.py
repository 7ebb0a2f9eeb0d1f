"""Texts and terms that are longer than a field of Milvus' may be: what is beyond goes on in rows of their own.

Such rows have the page 0 and the key ``<page's key>:more:<n>``, n from 1, and their document's id, with which they are
removed. They lie in `pages` beside their page's row, and are no pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

VARCHAR_BYTES = 65_535  # a server's limit; Milvus Lite does not check it

#: A condition for rows that are pages, and the fields that go on in others.
IS_PAGE = "page > 0"
_LONG = ("terms", "text")

_AT_ONCE = 8  # rows that are asked for at once, not knowing how many there are: half a megabyte. A guess, not measured


def split_rows(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, with what is too long for a field in further rows."""
    for row in rows:
        terms, text = (_pieces(row[name]) for name in _LONG)
        for number, (more_terms, more_text) in enumerate(zip_longest(terms, text, fillvalue="")):
            held = {"terms": more_terms, "text": more_text}
            yield row | held | ({"key": f"{row['key']}:more:{number}", "page": 0} if number else {})


def whole_rows(
    rows: Iterable[dict[str, Any]], get: Callable[[Sequence[str]], Sequence[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """The rows of pages with their whole texts and terms, as far as they have these fields; others are left out.

    ``get`` gives the rows of keys that are there, with the same fields.
    """
    for row in rows:
        if row.get("page") == 0 or ":more:" in row["key"]:
            continue
        if any(is_cut(row.get(name, "")) for name in _LONG):
            more = list(_more(row["key"], get))
            row = row | {name: row[name] + "".join(part[name] for part in more) for name in _LONG if name in row}
        yield row


def _more(key: str, get: Callable[[Sequence[str]], Sequence[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    number = 1
    while True:
        keys = [f"{key}:more:{place}" for place in range(number, number + _AT_ONCE)]
        found = {row["key"]: row for row in get(keys)}
        here = [found[key] for key in keys if key in found]
        yield from here
        if len(here) < _AT_ONCE:
            return
        number += _AT_ONCE


def is_cut(text: str) -> bool:
    """Whether a text may be the first part of a longer one: it fills a field, but for less than a character's bytes."""
    return len(text) > VARCHAR_BYTES // 4 and VARCHAR_BYTES - 4 < len(text.encode()) <= VARCHAR_BYTES


def _pieces(text: str) -> list[str]:
    """The text in parts of as many bytes as a field takes, none within a character; one if it is empty."""
    if len(text) <= VARCHAR_BYTES // 4:
        return [text]
    encoded, pieces, start = text.encode(), list[str](), 0
    while start < len(encoded) or not pieces:
        piece = encoded[start : start + VARCHAR_BYTES].decode(errors="ignore")
        pieces.append(piece)
        start += len(piece.encode())
    return pieces
