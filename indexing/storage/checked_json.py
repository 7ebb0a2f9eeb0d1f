"""JSON files that say whether they are whole: an object with a checksum of itself (docs/format.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xxhash

from pagesight.indexing.storage.atomic_files import write_atomically


def write_checked(path: Path, content: Mapping[str, Any]) -> None:
    """Write the object, on the disk when this returns. Raises OSError, and leaves what was there before."""
    whole = {**content, "checksum": json_checksum(content)}
    write_atomically(path, json.dumps(whole, ensure_ascii=False, indent=1) + "\n", durable=True)


def read_checked(path: Path) -> dict[str, Any]:
    """The object without its checksum. Raises ValueError for a file that is not whole, OSError."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    if content.pop("checksum", None) != json_checksum(content):
        raise ValueError("its checksum is another one")
    return content


def read_json(path: Path) -> Any:
    """What the file says. Raises ValueError for one that is no JSON, however deep it is; OSError."""
    try:
        return json.loads(path.read_bytes().decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_checksum(content: Mapping[str, Any]) -> str:
    """16 hex digits, the XXH3-64 of the object in one way of writing it."""
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return str(xxhash.xxh3_64_hexdigest(plain.encode(errors="surrogatepass")))
