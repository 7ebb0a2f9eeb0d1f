"""The encoders of an index: those that it was made with, or those that a new index is made with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pagesight.indexing.encoders import PageEncoder, choose, is_called, make_encoder
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.pages import FIRST_ENCODER
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.manifest import Manifest, RecordedEncoder, new_id, refuse_other
from pagesight.indexing.vectors.quantization import VectorLayout

#: The encoders that an index is opened with: one, several, or None for those that it has.
Asked = str | Sequence[str] | None


def asked_names(encoder: Asked) -> list[str]:
    """The encoders that are asked for by name, none where it is left to the index.

    Raises SettingsError for one that is named twice.
    """
    names = [encoder] if isinstance(encoder, str) else list(encoder or ())
    names = [name for name in names if name != "auto"] if len(names) < 2 else names
    if len({choose(name).name for name in names}) < len(names):
        raise SettingsError(f"{', '.join(names)}: an index has an encoder once. Name each of them once.")
    return names


def named_encoders(
    manifest: Manifest | None, encoder: Asked, settings: Settings, place: object
) -> tuple[list[PageEncoder], Manifest]:
    """The index's encoders, or those of a new one, and what it is made with. Raises EncoderMismatch, SettingsError."""
    asked = asked_names(encoder)
    known = [one.description for one in manifest.encoders] if manifest else []
    for name in asked:
        refuse_other(known, {"name": choose(name).name}, place)
    made: list[PageEncoder] = []
    try:
        if manifest:
            for one in manifest.encoders:
                made.append(recorded_encoder(one, asked, settings, place))
            return made, manifest
        recorded = []
        for name in asked or [choose(settings.encoding.encoder).name]:
            chosen, one = new_encoder(name, asked, settings, place, first=not made)
            made.append(chosen)
            recorded.append(one)
        return made, Manifest(tuple(recorded), TERM_RULES)
    except BaseException:
        for one_made in made:
            one_made.close()
        raise


def same_encoders(manifest: Manifest, made_with: Manifest, place: object) -> Manifest:
    """The manifest of an index that another process has made meanwhile, if it has the same encoders.

    Raises EncoderMismatch.
    """
    known = [one.description for one in manifest.encoders]
    for one in made_with.encoders:
        refuse_other(known, one.description, place)
    if len(known) > len(made_with.encoders):
        refuse_other([one.description for one in made_with.encoders], known[-1], place)
    return manifest


def recorded_encoder(recorded: RecordedEncoder, asked: Sequence[str], settings: Settings, place: object) -> PageEncoder:
    """An encoder that an index records. Raises EncoderMismatch where it is another one here."""
    name, known = recorded.name, recorded.description
    spelt = _as_asked(name, asked, settings)
    chosen = make_encoder(spelt, settings, known, named_by=named_by(name, asked, settings, place))
    try:
        refuse_other([known], chosen.describe(), place)
    except BaseException:
        chosen.close()
        raise
    return chosen


def new_encoder(
    name: str, asked: Sequence[str], settings: Settings, place: object, *, first: bool, taken: Sequence[str] = ()
) -> tuple[PageEncoder, RecordedEncoder]:
    """An encoder that an index is to have, and what it will record of it; finished where there are no pages yet."""
    called = choose(name).name
    by = named_by(called, asked, settings, place)
    chosen = make_encoder(_as_asked(called, asked, settings), settings, None, named_by=by)
    layout = VectorLayout(settings.vectors.precision or "float16", settings.vectors.pool or 1)
    known = FIRST_ENCODER if first else new_id(called, taken)
    return chosen, RecordedEncoder(known, chosen.describe(), layout)


def _as_asked(name: str, asked: Sequence[str], settings: Settings) -> str:
    """The encoder of this name as an argument or the setting names it, where one does: with its server's address."""
    for spelt in (*asked, settings.encoding.encoder):
        if spelt == name or is_called(name, spelt):
            return spelt if spelt != "auto" else name
    return name


def named_by(name: str, asked: Sequence[str], settings: Settings, place: object) -> str:
    """What names the encoder, in words; empty if it is the user, by an argument or in the environment."""
    if any(spelt == name or is_called(name, spelt) for spelt in asked):
        return ""
    by_setting = settings.encoding.encoder
    if by_setting == "auto" or not is_called(name, by_setting):
        return f"the index in {place}"
    return f"the file {Path('.env').resolve()}" if settings.from_dotenv("encoder") else ""
