"""What an index was made with: its encoder, and how it keeps page vectors. Kept beside its pages, folder or server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from pagesight.indexing.errors import EncoderMismatch, PageIndexError
from pagesight.indexing.vectors.quantization import VectorLayout

FORMAT = 3  # 3: how vectors are kept is noted; other candidate vectors


@dataclass(frozen=True)
class About:
    """``encoder`` is the description that the encoder gave of itself."""

    encoder: dict[str, Any]
    layout: VectorLayout

    def as_dict(self) -> dict[str, Any]:
        """As it is kept, in JSON."""
        return {"format": FORMAT, "encoder": self.encoder, "vectors": asdict(self.layout)}


_ABOUT = TypeAdapter(About)


def read_about(recorded: Any, place: object) -> About:
    """What `About.as_dict` gave, for the index at a place. Raises PageIndexError if it is damaged or too old."""
    try:
        if recorded["format"] == FORMAT:
            about = _ABOUT.validate_python({"encoder": recorded["encoder"], "layout": recorded["vectors"]})
            if isinstance(about.encoder.get("name"), str) and about.layout.pool >= 1:
                return about
            raise ValueError("it names no encoder, or no pooling")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(place, error) from error
    raise PageIndexError(
        f"the index in {place} has format {recorded['format']}, this version of pagesight reads {FORMAT}. Make "
        "a new one: `pagesight index PATH… --index OTHER`."
    )


def damaged(place: object, error: Exception) -> PageIndexError:
    """The error for an index that does not say what it was made with."""
    return PageIndexError(
        f"what the index in {place} was made with is damaged ({error}). Make a new index: "
        "`pagesight index PATH… --index OTHER`."
    )


def refuse_other(about: About | None, encoder: dict[str, Any], place: object) -> None:
    """Raise EncoderMismatch if an index was made with another encoder; of one not yet loaded, the name will do."""
    if about is None or about.encoder == encoder or encoder == {"name": about.encoder["name"]}:
        return
    known = about.encoder
    raise EncoderMismatch(
        f"the index in {place} was made with the encoder {_title(known)}, not {_title(encoder)}; their "
        f"vectors cannot be compared. Leave out --encoder to go on with {known['name']}, or make a new index: "
        f"`pagesight index PATH… --encoder {encoder['name']} --index OTHER`."
    )


def _title(encoder: dict[str, Any]) -> str:
    more = {name: value for name, value in encoder.items() if name not in ("name", "dim")}
    said = [f"{name.replace('_', ' ')} {value}" for name, value in more.items()]
    said += [f"{encoder['dim']} dimensions"] if "dim" in encoder else []
    return f"{encoder.get('name')} ({', '.join(said)})" if said else str(encoder.get("name"))
