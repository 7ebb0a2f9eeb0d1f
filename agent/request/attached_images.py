"""Images that come with a question: kept once in the index's folder, so that a thread holds references and no bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage

from pagesight.indexing.errors import RequestError, SettingsError
from pagesight.indexing.ranking.picture_question import opened_picture
from pagesight.tools.messages.attached import IMAGES, is_name, names_in
from pagesight.tools.transport.pictures import Picture, encode

if TYPE_CHECKING:
    from PIL import Image

#: An image as it is given: a path, the bytes of its file, or one of Pillow's.
GivenImage = Any

#: Pixels of the longer side: what models that are given more make of it themselves, more or less. A guess.
_LONGEST = 2048


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
        raise SettingsError(
            f"{reasoner} sees no pictures: leave the images out, or take another reasoner; `pagesight search --image "
            "FILE` finds pages by one without a reasoner"
        )
    names = [_kept(image, home.folder) for image in images]
    return question.model_copy(update={"response_metadata": {**question.response_metadata, IMAGES: names}})


def attached(message: BaseMessage, folder: Path) -> list[Picture | str]:
    """The images of a question, or why there is none. Waits for the disk."""
    return [_read(name, folder) for name in names_in(message)]


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
    if not is_name(name):
        return "an image of the question cannot be shown: it has no name of ours"
    try:
        data = (folder / name).read_bytes()
    except OSError:
        return "an image of the question cannot be shown: it is not kept here any more"
    digest, _, kind = name.partition(".")
    if hashlib.sha256(data).hexdigest() != digest:
        return "an image of the question cannot be shown: it is not as it was kept"
    return Picture(data, f"image/{kind}")
