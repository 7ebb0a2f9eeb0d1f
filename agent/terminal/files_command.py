"""`pagesight files`: what is uploaded to Gemini's Files API, and the pictures of all pages for a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.agent.graph import picture_rule
from pagesight.agent.reasoners.choose import gemini
from pagesight.agent.terminal.options import open_index
from pagesight.indexing.storage.address import folder_of
from pagesight.tools.transport import files_api
from pagesight.tools.transport.export import write_pages
from pagesight.tools.transport.pictures import Pictures

if TYPE_CHECKING:
    from pagesight.indexing.settings import Settings
    from pagesight.tools.transport.file_cache import Upload


def list_uploads(place: str | None, settings: Settings) -> Sequence[Upload]:
    """The page pictures that are uploaded for the index with this key. Raises KeyRefused, ReasonerError."""
    return files_api.uploads(gemini(settings.gemini.gemini_model, settings), _noted_in(place, settings))


def delete_uploads(place: str | None, settings: Settings) -> Sequence[Upload]:
    """Deletes them from the service, and returns what was deleted. Raises KeyRefused, ReasonerError."""
    return files_api.purge(gemini(settings.gemini.gemini_model, settings), _noted_in(place, settings))


def write_pictures(place: str | None, settings: Settings, folder: Path) -> int:
    """Writes the pictures of all pages as they would be sent, and returns how many. Raises as `write_pages` does."""
    with open_index(place, settings, encodes=False) as opened:
        rule = picture_rule(settings, settings.gemini.gemini_model)
        pictures = Pictures(opened, rule, form=settings.pictures.pages_as, webp=True)
        return write_pages(opened, pictures, folder)


def _noted_in(place: str | None, settings: Settings) -> Path:
    return folder_of(place or str(settings.index), settings) / "uploads"
