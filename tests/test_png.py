"""Pictures as PNG files: the same pixels, read by others, with the mark of what pagesight wrote."""

from __future__ import annotations

import io
import random

import cv2
import numpy as np
import pytest
from PIL import Image

from pagesight.indexing.documents.own_files import MAKER, is_own_file
from pagesight.indexing.documents.png import png


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (640, 480)])
def test_others_read_the_same_pixels(size: tuple[int, int]) -> None:
    picture = Image.frombytes("RGB", size, random.Random(1).randbytes(3 * size[0] * size[1]))
    packed = png(picture)
    Image.open(io.BytesIO(packed)).verify()  # its check sums, too
    with Image.open(io.BytesIO(packed)) as read:
        assert (read.format, read.mode, read.size) == ("PNG", "RGB", size)
        assert read.tobytes() == picture.tobytes()
    assert (cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1] == np.asarray(picture)).all()


def test_a_grey_picture_becomes_rgb_and_the_maker_is_named() -> None:
    packed = png(Image.linear_gradient("L"), MAKER)
    assert is_own_file(packed[:200])
    assert not is_own_file(png(Image.linear_gradient("L"))[:200])
    with Image.open(io.BytesIO(packed)) as read:
        assert read.info == {"Software": MAKER}
        assert read.convert("L").tobytes() == Image.linear_gradient("L").tobytes()
