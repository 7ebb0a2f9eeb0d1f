"""What an index was made with: its encoder, and how it keeps page vectors. Kept beside its pages, folder or server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from pagesight.indexing.errors import EncoderMismatch, PageIndexError
from pagesight.indexing.vectors.quantization import VectorLayout

FORMAT = 4  # docs/format.md
_OLDEST = 3  # which a writer brings up to date (upgrade.py)


@dataclass(frozen=True)
class Manifest:
    """``encoder`` is the description that the encoder gave of itself, ``term_rules`` those by which texts were split.

    See `pagesight.indexing.lexical.tokens.TERM_RULES`; an index that does not say was made by the first ones.
    ``format`` is that of the index as it is.
    """

    encoder: dict[str, Any]
    layout: VectorLayout
    term_rules: int = 1
    format: int = FORMAT

    def as_dict(self) -> dict[str, Any]:
        """As it is kept, in JSON."""
        return {
            "format": self.format,
            "encoder": self.encoder,
            "vectors": asdict(self.layout),
            "term_rules": self.term_rules,
        }


_MANIFEST = TypeAdapter(Manifest)


def read_manifest(recorded: Any, place: object) -> Manifest:
    """What `Manifest.as_dict` gave, for the index at a place. Raises PageIndexError if it is damaged or too old."""
    try:
        if recorded["format"] in range(_OLDEST, FORMAT + 1):
            manifest = _MANIFEST.validate_python(
                {
                    "encoder": recorded["encoder"],
                    "layout": recorded["vectors"],
                    "term_rules": recorded.get("term_rules", 1),
                    "format": recorded["format"],
                }
            )
            if isinstance(manifest.encoder.get("name"), str) and manifest.layout.pool >= 1:
                return manifest
            raise ValueError("it names no encoder, or no pooling")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(place, error) from error
    raise PageIndexError(
        f"the index in {place} has format {recorded['format']!r}, this version of pagesight reads {_OLDEST} to "
        f"{FORMAT}. Make "
        "a new one: `pagesight index PATH… --index OTHER`."
    )


def damaged(place: object, error: Exception) -> PageIndexError:
    """The error for an index that does not say what it was made with."""
    return PageIndexError(
        f"what the index in {place} was made with is damaged ({error}). Make a new index: "
        "`pagesight index PATH… --index OTHER`."
    )


def refuse_other(manifest: Manifest | None, encoder: dict[str, Any], place: object) -> None:
    """Raise EncoderMismatch if an index was made with another encoder; of one not yet loaded, the name will do."""
    if manifest is None or manifest.encoder == encoder or encoder == {"name": manifest.encoder["name"]}:
        return
    known = manifest.encoder
    raise EncoderMismatch(
        f"the index in {place} was made with the encoder {_title(known)}, not {_title(encoder)}; their "
        f"vectors cannot be compared. Leave out --encoder to go on with {known['name']}, or make a new index: "
        f"`pagesight index PATH… --encoder {encoder['name']} --index OTHER`."
    )


def _title(encoder: dict[str, Any]) -> str:
    more = {name: value for name, value in encoder.items() if name not in ("name", "dim", "prompts", "probe")}
    said = [f"{name.replace('_', ' ')} {value}" for name, value in more.items()]
    said += [f"{encoder['dim']} dimensions"] if "dim" in encoder else []
    return f"{encoder.get('name')} ({', '.join(said)})" if said else str(encoder.get("name"))
