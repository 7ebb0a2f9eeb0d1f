"""What an index was made with: encoders, and how it keeps their vectors. Kept beside its pages, folder or server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from pagesight.indexing.errors import EncoderMismatch, PageIndexError
from pagesight.indexing.pages import ENCODER_ID, FIRST_ENCODER
from pagesight.indexing.vectors.quantization import VectorLayout

FORMAT = 4  # docs/format.md
_OLDEST = 3  # which a writer brings up to date (upgrade.py)
_WITHOUT_FIRST = 5  # of an index whose first encoder was removed, which versions that read format 4 cannot open

_LONGEST_NAME = 24  # letters of an encoder's name in its id


@dataclass(frozen=True)
class RecordedEncoder:
    """An encoder of an index: ``description`` is what it said of itself, ``layout`` how its vectors are kept.

    ``id`` is what its vectors carry in the index; that of the encoder which a new index was made with is empty. One
    that is not ``finished`` is being added: not all pages have its vectors yet, and no search uses them.
    """

    id: Annotated[str, Field(pattern=f"^(?:{ENCODER_ID})?$")]
    description: dict[str, Any]
    layout: VectorLayout
    finished: bool = True

    @property
    def name(self) -> str:
        """What it is called, such as "lexical"."""
        return str(self.description["name"])


@dataclass(frozen=True)
class Manifest:
    """The encoders of an index, and ``term_rules``: those by which texts were split.

    See `pagesight.indexing.lexical.tokens.TERM_RULES`; an index that does not say was made by the first ones.
    ``format`` is that of the index as it is; ``gone`` are ids of encoders whose vectors may still lie about. Of two
    that a writer who was cut off has left, the one with more ``changes`` counts.
    """

    encoders: tuple[RecordedEncoder, ...]
    term_rules: int = 1
    format: int = FORMAT
    gone: tuple[str, ...] = ()
    changes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As it is kept, in JSON."""
        told: dict[str, Any] = {"format": self.format, "term_rules": self.term_rules}
        more = {}
        for encoder in self.encoders:
            one: dict[str, Any] = {"encoder": encoder.description, "vectors": asdict(encoder.layout)}
            one |= {} if encoder.finished else {"finished": False}
            if encoder.id == FIRST_ENCODER:
                told |= one
            else:
                more[encoder.id] = one
        if FIRST_ENCODER not in [encoder.id for encoder in self.encoders]:
            told["format"] = max(self.format, _WITHOUT_FIRST)
        kept = {"more_encoders": more, "gone": list(self.gone), "changes": self.changes}
        return told | {name: value for name, value in kept.items() if value}

    def with_encoders(self, encoders: Iterable[RecordedEncoder]) -> Manifest:
        """The same index with other encoders; those that it has no more are ``gone``."""
        kept = tuple(encoders)
        ids = {encoder.id for encoder in kept}
        gone = [*self.gone, *(encoder.id for encoder in self.encoders if encoder.id not in ids)]
        return replace(self, encoders=kept, gone=tuple(dict.fromkeys(gone)), changes=self.changes + 1)

    def without_gone(self) -> Manifest:
        """The same index, of which nothing lies about that is not its own."""
        return replace(self, gone=(), changes=self.changes + 1)

    def is_before(self, other: Manifest | None) -> bool:
        """Whether the other one says what this index was changed to later."""
        return other is not None and other.changes > self.changes


_MANIFEST = TypeAdapter(Manifest)


def new_id(name: str, taken: Iterable[str] = ()) -> str:
    """An id for a further encoder, made of its name; never one that was given before."""
    letters = re.sub(r"[^a-z0-9]+", "-", name.rpartition("/")[2].lower()).strip("-")[:_LONGEST_NAME].strip("-")
    while True:
        made = f"{letters or 'encoder'}-{secrets.token_hex(3)}"
        if made not in set(taken):
            return made


def read_manifest(recorded: Any, place: object) -> Manifest:
    """What `Manifest.as_dict` gave, for the index at a place. Raises PageIndexError if it is damaged or too old."""
    try:
        if recorded["format"] in range(_OLDEST, _WITHOUT_FIRST + 1):
            manifest = _MANIFEST.validate_python(
                {
                    "encoders": _recorded_encoders(recorded),
                    "term_rules": recorded.get("term_rules", 1),
                    "format": min(recorded["format"], FORMAT),
                    "gone": recorded.get("gone", ()),
                    "changes": recorded.get("changes", 0),
                }
            )
            for encoder in manifest.encoders:
                if not isinstance(encoder.description.get("name"), str) or encoder.layout.pool < 1:
                    raise ValueError("it names no encoder, or no pooling")
            return manifest
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(place, error) from error
    raise PageIndexError(
        f"the index in {place} has format {recorded['format']!r}, this version of pagesight reads {_OLDEST} to "
        f"{_WITHOUT_FIRST}. Make a new one: `pagesight index PATH… --index OTHER`."
    )


def _recorded_encoders(recorded: Any) -> list[dict[str, Any]]:
    """The encoders as `RecordedEncoder` has them, the first one first, if it is there still."""
    more = recorded.get("more_encoders", {})
    every = more if recorded["format"] == _WITHOUT_FIRST else {FIRST_ENCODER: recorded, **more}
    if not every:
        raise ValueError("it names no encoder")
    return [
        {"id": known, "description": one["encoder"], "layout": one["vectors"], "finished": one.get("finished", True)}
        for known, one in every.items()
    ]


def of_encoder(kind: str, encoder: str) -> str:
    """The kind of the collection that has what one encoder made; hyphens of its id are underscores there."""
    return f"{kind}_{encoder.replace('-', '_')}" if encoder else kind


def collections_of(encoders: Iterable[str]) -> frozenset[str]:
    """The kinds of collections that an index in a folder has, with encoders of these ids."""
    return frozenset(("pages", *(of_encoder("candidates", encoder) for encoder in encoders)))


def damaged(place: object, error: Exception) -> PageIndexError:
    """The error for an index that does not say what it was made with."""
    return PageIndexError(
        f"what the index in {place} was made with is damaged ({error}). Make a new index: "
        "`pagesight index PATH… --index OTHER`."
    )


def refuse_other(known: Sequence[dict[str, Any]], encoder: dict[str, Any], place: object) -> None:
    """Raise EncoderMismatch if an index has none of that description; of one not yet loaded, the name will do."""
    if not known or encoder in known or encoder in [{"name": one["name"]} for one in known]:
        return
    alike = [one for one in known if one["name"] == encoder["name"]]
    has = " and ".join(map(_title, alike or known))
    names = " and ".join(str(one["name"]) for one in known)
    add = "" if alike else f", add it (`pagesight index --encoder {encoder['name']}`)"
    raise EncoderMismatch(
        f"the index in {place} was made with the encoder {has}, not {_title(encoder)}; their "
        f"vectors cannot be compared. Leave out --encoder to go on with {names}{add}, or make a new index: "
        f"`pagesight index PATH… --encoder {encoder['name']} --index OTHER`."
    )


def _title(encoder: dict[str, Any]) -> str:
    more = {name: value for name, value in encoder.items() if name not in ("name", "dim", "prompts", "probe")}
    said = [f"{name.replace('_', ' ')} {value}" for name, value in more.items()]
    said += [f"{encoder['dim']} dimensions"] if "dim" in encoder else []
    return f"{encoder.get('name')} ({', '.join(said)})" if said else str(encoder.get("name"))
