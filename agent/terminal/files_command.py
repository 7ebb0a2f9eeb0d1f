"""`pagesight files`: what is uploaded to Gemini's Files API, and the pictures of all pages for a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing, results
from pagesight.agent.terminal.options import named_index, open_index, settings_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagesight.indexing.settings import Settings
    from pagesight.tools.transport.file_cache import Upload


def files(
    context: typer.Context,
    index: options.Index = None,
    purge: Annotated[bool, typer.Option("--purge", help="Delete them from the service.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write all pages' pictures, for a bucket.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List page pictures uploaded to Gemini.

    Those that the transport files has uploaded for this index with this key, or without a key with any; they expire
    after two days by themselves.
    """
    settings = settings_of()
    place = named_index(context, index)
    if export:
        printing.write(f"wrote {_write_pictures(place, settings, export)} pages to {export}\n")
        return
    found = _delete_uploads(place, settings) if purge else _list_uploads(place, settings)
    if as_json:
        printing.write_json([upload.as_dict() for upload in found])
    else:
        results.uploads(found, deleted=purge)


def _list_uploads(place: str | None, settings: Settings) -> Sequence[Upload]:
    """The page pictures that are uploaded for the index with this key; without one, with any."""
    from pagesight.tools.transport.file_cache import noted_uploads
    from pagesight.tools.transport.files_api import uploads

    if not settings.gemini.google_api_key and not settings.gemini.vertex_project:
        return noted_uploads(_noted_in(place, settings))
    return uploads(_gemini(settings), _noted_in(place, settings))


def _delete_uploads(place: str | None, settings: Settings) -> Sequence[Upload]:
    """Deletes them from the service, and returns what was deleted. Raises KeyRefused, ReasonerError."""
    from pagesight.tools.transport.files_api import purge

    return purge(_gemini(settings), _noted_in(place, settings))


def _gemini(settings: Settings) -> BaseChatModel:
    from pagesight.agent.reasoners.choose import gemini

    return gemini(settings.gemini.gemini_model, settings)


def _noted_in(place: str | None, settings: Settings) -> Path:
    from pagesight.indexing.storage.address import folder_of

    return folder_of(place or str(settings.index), settings) / "uploads"


def _write_pictures(place: str | None, settings: Settings, folder: Path) -> int:
    """Writes the pictures of all pages as they would be sent, and returns how many. Raises as `write_pages` does."""
    from pagesight.agent.loop.speakers import picture_rule
    from pagesight.tools.transport.export import write_pages
    from pagesight.tools.transport.pictures import Pictures

    with open_index(place, settings, encodes=False) as opened:
        rule = picture_rule(settings, settings.gemini.gemini_model)
        pictures = Pictures(opened, rule, form=settings.pictures.pages_as, webp=True)
        return write_pages(opened, pictures, folder)
