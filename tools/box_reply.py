"""The boxes that a model gives for things on a page: what it is asked for, and what of its reply can be used."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from pagesight.indexing.errors import EmptyAnswer

#: What one call of the model returns at most: a guess, not measured. The request names it too.
MOST_BOXES = 25


class Box2D(BaseModel):
    """One thing that was found."""

    label: str
    box_2d: list[int] = Field(description="[ymin, xmin, ymax, xmax], integers 0 to 1000", min_length=4, max_length=4)
    mask: str | None = Field(None, description="only where masks are asked for: a PNG of the box in base64")


class Boxes(BaseModel):
    """What the model finds on a page."""

    boxes: list[Box2D]


def read_boxes(found: Any) -> tuple[list[Box2D], list[str]]:
    """The boxes of the model's reply, and what among them is none. Raises EmptyAnswer for a reply without a list."""
    if found["parsed"] is not None:
        return list(found["parsed"].boxes), []
    given = _listed(found["raw"].text)
    if given is None:
        raise EmptyAnswer("the boxes that came back cannot be read: name the things in other words")
    boxes: list[Box2D] = []
    bad: list[str] = []
    for one in given[:MOST_BOXES]:
        try:
            boxes.append(Box2D.model_validate(one))
        except ValidationError:
            bad.append(_as_line(one))
    return boxes, bad


def _listed(text: str) -> list[Any] | None:
    """The list in a reply that is not as it was asked for: with a fence around it, or without the name before it."""
    start = min((place for sign in "[{" if (place := text.find(sign)) >= 0), default=-1)
    try:
        given = json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    inner = given.get("boxes") if isinstance(given, dict) else given
    return inner if isinstance(inner, list) else None


def _as_line(one: object) -> str:
    shown = {name: value for name, value in one.items() if name != "mask"} if isinstance(one, dict) else one
    return json.dumps(shown, ensure_ascii=False)[:80]
