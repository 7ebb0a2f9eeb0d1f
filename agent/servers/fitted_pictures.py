"""Pictures within what a reply may hold: a scan that is larger becomes a JPEG, then one of fewer pixels."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pagesight.tools.transport.pictures import Picture

#: Of 100; the first two are guesses, not measured. What is smaller than this side is not made smaller still.
_QUALITY, _STEP, _LEAST_SIDE = 85, 0.8, 200


def fitted(picture: Picture, most: int) -> Picture:
    """The picture, or one of the same page that takes ``most`` bytes in base64 at most."""
    if picture.inline_size <= most:
        return picture
    return replace(picture, data=as_jpeg(picture, most), mime_type="image/jpeg", name="")


def as_jpeg(picture: Picture, most: int) -> bytes:
    """The picture as a JPEG that takes ``most`` bytes in base64 at most."""
    image = Image.open(io.BytesIO(picture.data)).convert("RGB")
    data = _jpeg(image)
    while 4 * len(data) / 3 + 4 > most and min(image.size) * _STEP >= _LEAST_SIDE:
        image = image.resize((round(image.width * _STEP), round(image.height * _STEP)))
        data = _jpeg(image)
    return data


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
