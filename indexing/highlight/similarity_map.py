"""A page as a map of where it is like a question: drawn from the boxes of its vectors, so for every encoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.errors import BadToken

_CELLS = 256  # of the map along the longer side: several to a patch, so that patches' borders stay where they are
_COLOURS = np.array([(255, 235, 90), (255, 150, 20), (205, 20, 60)], np.float32)  # from weak to strong
_STRONGEST = 0.75  # of the colour over the page where it is most like the question; the print stays legible


def draw(picture: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """A copy of the page's RGB picture under a map of (rows, columns) values from 0 to 1."""
    shown = Image.fromarray((np.clip(heat, 0, 1) * 255).astype(np.uint8))
    shown = shown.filter(ImageFilter.GaussianBlur(1.5)).resize(picture.size, Image.Resampling.BILINEAR)
    values = np.asarray(shown, np.float32) / 255
    steps = np.linspace(0, 1, len(_COLOURS))
    colours = np.stack([np.interp(values, steps, _COLOURS[:, channel]) for channel in range(3)], axis=-1)
    cover = (_STRONGEST * np.sqrt(values))[..., None]
    blended = np.asarray(picture.convert("RGB"), np.float32) * (1 - cover) + colours * cover
    return Image.fromarray(blended.astype(np.uint8))


def similarity_map(
    query: QueryVectors,
    vectors: NDArray[np.floating],
    boxes: NDArray[np.floating],
    shape: tuple[int, int],
    token: str | None = None,
) -> NDArray[np.float32]:
    """(rows, columns) float32 from 0 to 1: how like the query each place of a page is.

    ``vectors`` (n, dim) and ``boxes`` (n, 4) of the page; ``shape`` (height, width) gives the proportions. Each query
    vector counts by how much a place is more like it than the page's middling place, as a question's own words do in
    the score; where boxes lie over one another, their mean counts. ``token`` takes only the vectors of this word of
    the query. All zeros if the page's vectors have no boxes. Raises BadToken.
    """
    asked = slice(None) if token is None else _places(query.tokens, token)
    rows, columns = (max(1, round(_CELLS * side / max(shape))) for side in shape)
    known = ~np.isnan(boxes).any(axis=1)
    if not known.any():
        return np.zeros((rows, columns), np.float32)
    similarities = np.maximum(query.vectors[asked] @ vectors[known].astype(np.float32).T, 0) ** query.sharpness
    excess = np.maximum(similarities - np.median(similarities, axis=1, keepdims=True), 0)
    strength = np.asarray(_evened(query.weights[asked]) @ excess, np.float32)
    heat = _raster(strength, boxes[known].astype(np.float32), rows, columns)
    return np.asarray(heat / (heat.max() or 1), np.float32)


def _evened(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weights nearer to each other: the square roots of their parts of the greatest; equal ones are 1."""
    greatest = weights.max(initial=0)
    return np.sqrt(np.maximum(weights, 0) / greatest) if greatest > 0 else weights


def _raster(strength: NDArray[np.float32], boxes: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """(rows, columns): the mean strength of the boxes over each cell."""
    total, count = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    edges = np.clip(boxes, 0, 1) * [columns, rows, columns, rows]
    for (left, top, right, bottom), value in zip(edges.round().astype(int).tolist(), strength.tolist(), strict=True):
        cells = slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
        total[cells] += value
        count[cells] += 1
    return np.asarray(total / np.maximum(count, 1), np.float32)


def _places(tokens: list[str], word: str) -> list[int]:
    """Which tokens make up a word of the query, though it may be cut into several. Raises BadToken."""
    text, owners = "", []
    for place, token in enumerate(tokens):
        shown = token.replace("Ġ", " ").replace("▁", " ").lower()
        text += shown
        owners += [place] * len(shown)
    start = text.find(word.strip().lower()) if word.strip() else -1
    if start < 0:
        raise BadToken(f"the query has no token {word!r}. Its tokens are: {' '.join(dict.fromkeys(tokens))}.")
    return sorted(set(owners[start : start + len(word.strip())]))
