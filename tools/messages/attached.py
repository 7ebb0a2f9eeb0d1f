"""Images that came with a question, as its message refers to them: names of files in the index's folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

from pagesight.indexing.errors import RequestError

#: The folder in the index's own where they are kept.
FOLDER = "attached"
#: Where a question names its images, in its ``response_metadata``, which no provider is sent.
IMAGES = "pagesight_images"

_NAME = re.compile(r"[0-9a-f]{64}\.(png|jpeg)")
_NUMBERED = re.compile(r"\s*(?:image|picture)\s*([0-9]{1,3})?\s*", re.IGNORECASE)


def is_name(name: Any) -> bool:
    """Whether a name is one that we gave an image."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def names_in(message: BaseMessage) -> list[Any]:
    """The names of a question's images, as they stand in its message."""
    names = message.response_metadata.get(IMAGES) if isinstance(message, HumanMessage) else None
    return names if isinstance(names, list) else []


def numbered_image(asked: str, messages: Sequence[BaseMessage], index: Path) -> Path | None:
    """The image that ``asked`` names, "image 1" for the first of the last question that has some; None for other texts.

    Raises RequestError where there is no such image.
    """
    named = _NUMBERED.fullmatch(asked)
    if named is None:
        return None
    names = next((found for message in reversed(messages) if (found := names_in(message))), [])
    number = int(named[1] or 1)
    if not 1 <= number <= len(names):
        raise RequestError(f"there is no {asked.strip()}: {len(names) or 'no'} images came with the question")
    name = names[number - 1]
    if not is_name(name) or not (index / FOLDER / name).is_file():
        raise RequestError(f"{asked.strip()} is not kept here any more: search in words")
    return index / FOLDER / str(name)
