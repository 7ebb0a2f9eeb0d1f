"""The encoder of an index: the one that it was made with, or the one that a new index is made with."""

from __future__ import annotations

from pathlib import Path

from pagesight.indexing.encoders import PageEncoder, choose, is_called, make_encoder
from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.manifest import Manifest, refuse_other
from pagesight.indexing.vectors.quantization import VectorLayout


def named_encoder(
    manifest: Manifest | None, encoder: str | None, settings: Settings, place: object
) -> tuple[PageEncoder, Manifest]:
    """The index's encoder, or that of a new one, and what it is made with. Raises EncoderMismatch."""
    known = manifest.encoder if manifest else None
    name = known["name"] if known and encoder in (None, "auto") else choose(encoder or settings.encoding.encoder).name
    refuse_other(manifest, {"name": name}, place)
    chosen = make_encoder(
        _as_asked(name, encoder, settings), settings, known, named_by=named_by(name, encoder, settings, place)
    )
    refuse_other(manifest, chosen.describe(), place)
    usual = VectorLayout(settings.vectors.precision or "float16", settings.vectors.pool or 1)
    layout, rules = (manifest.layout, manifest.term_rules) if manifest else (usual, TERM_RULES)
    return chosen, Manifest(chosen.describe(), layout, rules)


def _as_asked(name: str, encoder: str | None, settings: Settings) -> str:
    """The encoder of this name as the argument or the setting names it, where one does: with its server's address."""
    if encoder not in (None, "auto"):
        return encoder or name
    return settings.encoding.encoder if is_called(name, settings.encoding.encoder) else name


def named_by(name: str, encoder: str | None, settings: Settings, place: object) -> str:
    """What names the encoder, in words; empty if it is the user, by an argument or in the environment."""
    if encoder not in (None, "auto"):
        return ""
    asked = settings.encoding.encoder
    if asked == "auto" or not is_called(name, asked):
        return f"the index in {place}"
    return f"the file {Path('.env').resolve()}" if settings.from_dotenv("encoder") else ""
