"""Images that come with a question: kept once in the index's folder, so that a thread holds references and no bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage

from pagesight.indexing.errors import RequestError, SettingsError
from pagesight.indexing.picture_question import opened_picture
from pagesight.tools.transport.pictures import Picture, encode

if TYPE_CHECKING:
    from PIL import Image

#: An image as it is given: a path, the bytes of its file, or one of Pillow's.
GivenImage = Any

FOLDER = "attached"
#: Where a question names its images, in its ``response_metadata``, which no provider is sent.
_IMAGES = "pagesight_images"
#: Pixels of the longer side: what models that are given more make of it themselves, more or less. A guess.
_LONGEST = 2048
_NAME = re.compile(r"[0-9a-f]{64}\.(png|jpeg)")


@dataclass(frozen=True)
class _Home:
    folder: Path
    seen: bool


_homes: dict[str, _Home] = {}


def note_home(index: str, folder: Path, *, seen: bool) -> None:
    """Images for agents over the index of this identity are kept in ``folder``; ``seen`` says that they see any."""
    _homes[index] = _Home(folder, seen)


def with_images(question: HumanMessage, images: Sequence[GivenImage], index: str, reasoner: str) -> HumanMessage:
    """The question with references to its images, which are kept. Waits for the disk.

    Raises RequestError for what is no image, and SettingsError where the reasoner sees none.
    """
    home = _homes[index]
    if not home.seen:
        raise SettingsError(f"{reasoner} sees no pictures: leave the images out, or take another reasoner")
    names = [_kept(image, home.folder) for image in images]
    return question.model_copy(update={"response_metadata": {**question.response_metadata, _IMAGES: names}})


def attached(message: BaseMessage, folder: Path) -> list[Picture | str]:
    """The images of a question, or why there is none. Waits for the disk."""
    names = message.response_metadata.get(_IMAGES) if isinstance(message, HumanMessage) else None
    return [_read(name, folder) for name in names] if isinstance(names, list) else []


def _kept(given: Any, folder: Path) -> str:
    """The name below which the image is kept."""
    data, mime_type = encode(_opened(given))
    name = f"{hashlib.sha256(data).hexdigest()}.{mime_type.rpartition('/')[2]}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)
    except OSError as error:
        raise RequestError(f"the image cannot be kept in {folder} ({error.strerror}): ask without it") from error
    return name


def _opened(given: Any) -> Image.Image:
    upright = opened_picture(given)
    upright.thumbnail((_LONGEST, _LONGEST))
    return upright


def _read(name: Any, folder: Path) -> Picture | str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "an image of the question cannot be shown: it has no name of ours"
    try:
        return Picture((folder / name).read_bytes(), f"image/{name.rpartition('.')[2]}")
    except OSError:
        return "an image of the question cannot be shown: it is not kept here any more"
