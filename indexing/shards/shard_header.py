"""What a shard says of its document, and of how its pages were made ready; checked where it comes in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Annotated, Any

import xxhash
from pydantic import Field, TypeAdapter, ValidationError

from pagesight.indexing.documents.metadata import fault_of
from pagesight.indexing.pages import is_document_id
from pagesight.indexing.preparing.encoded_page import Recipe
from pagesight.indexing.storage.checked_json import json_checksum

VERSION = 1
PROBE = "probe"  # what an encoder behind HTTP notes of its server
SUFFIX = ".parquet"
_LARGEST = 50_000_000  # bytes of a header; a guess, not measured: room for the bookmarks and warnings of 20,000 pages

_Id = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{16}$")]
_Path = Annotated[str, Field(strict=True, pattern=r"^[^\x00]+$", max_length=4096)]
_Page = Annotated[int, Field(strict=True, ge=1, lt=2**24)]
_Number = Annotated[int, Field(strict=True, ge=0)]


@dataclass(frozen=True)
class ShardHeader:
    """Of a document, as `DocumentJob` has it: ``holds`` are the ids of documents within it, which go in before it.

    ``size`` bytes and ``modified`` nanoseconds are the file's; ``has_bytes`` says whether the shard holds them, or else
    they are looked for at ``path``; ``encoders`` are the descriptions that encoders gave of themselves, by their names.
    """

    document_id: _Id
    path: _Path
    size: _Number
    modified: _Number
    page_count: _Page
    encoders: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    recipe: Recipe
    metadata: dict[str, str | int | float | bool] = field(default_factory=dict)
    has_bytes: bool = True
    holds: tuple[_Id, ...] = ()
    bookmarks: list[tuple[int, str, int]] = field(default_factory=list)
    faults: dict[_Page, str] = field(default_factory=dict)
    warnings: dict[str, list[_Page]] = field(default_factory=dict)
    of_document: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The shard's name, by the document's content and by what made its pages ready."""
        return shard_name(self.document_id, self.encoders, self.recipe)

    def as_text(self) -> str:
        """As it stands in the file."""
        said = {"version": VERSION, **asdict(self)}
        plain = json.loads(json.dumps(said))  # keys as JSON has them, so that the checksum is that of what is read
        return json.dumps({**plain, "checksum": json_checksum(plain)})


@cache
def _adapter() -> TypeAdapter[ShardHeader]:
    return TypeAdapter(ShardHeader)


def read_header(text: bytes) -> ShardHeader:
    """The header of that text. Raises ValueError for what pagesight did not write so."""
    if len(text) > _LARGEST:
        raise ValueError("its header is too long")
    try:
        said = json.loads(text)
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None
    if not isinstance(said, dict) or said.pop("checksum", None) != json_checksum(said):
        raise ValueError("its header is not as it was written")
    if said.pop("version", None) != VERSION:
        raise ValueError(
            f"another version of pagesight made it than one that makes version {VERSION}; prepare it again"
        )
    try:
        header = _adapter().validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if fault := fault_of(header.metadata):
        raise ValueError(fault)
    if header.encoders.keys() != header.recipe.layouts.keys():
        raise ValueError("it does not say how the vectors of each encoder are kept")
    if max([*header.faults, 1]) > header.page_count:
        raise ValueError("it has faults of pages that it has not")
    return header


def shard_name(document_id: str, encoders: dict[str, dict[str, Any]], recipe: Recipe) -> str:
    """``<document id>-<fingerprint>.parquet``: the same for the same content, encoders and way to keep vectors.

    What an encoder's server made of the trial page is left out: another card changes its last digits.
    """
    known = {name: {key: said for key, said in one.items() if key != PROBE} for name, one in encoders.items()}
    made = {"version": VERSION, "encoders": known, **asdict(recipe)}
    fingerprint = xxhash.xxh3_64_hexdigest(json.dumps(made, sort_keys=True, ensure_ascii=True).encode())
    return f"{document_id}-{fingerprint}{SUFFIX}"


def id_in_name(name: str) -> str | None:
    """The document's id in a shard's name; None for other files."""
    document_id, dash, rest = name.partition("-")
    return document_id if dash and rest.endswith(SUFFIX) and is_document_id(document_id) else None
