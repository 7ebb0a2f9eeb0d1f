"""What a server makes of one page, as an index records it, and whether another server has the same model."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Vectors of the trial page that an index records; of more, some that lie evenly among them.
_PROBED = 8
# The least mean cosine of two servers' vectors of one page that count as the same model's: half precision on another
# card changes them by less than .01, another model's are near 0. Where between is a guess, not measured.
_SAME = 0.97


def probe_of(vectors: NDArray[np.float32]) -> str:
    """Some of a page's vectors as an index records them: how many, and float16 in base64."""
    places = np.linspace(0, len(vectors) - 1, min(_PROBED, len(vectors))).round().astype(int)
    chosen = _unit(vectors[places]).astype("<f2")
    return f"{len(chosen)}:{base64.b64encode(chosen.tobytes()).decode()}"


def other_model(probe: Any, other: Any) -> str:
    """Why two probes of one page are not the same model's, in words; "" where they are, or neither was recorded."""
    if probe == other:
        return ""
    recorded, now = _vectors_of(probe), _vectors_of(other)
    if recorded is None or now is None or now.shape[0] != recorded.shape[0]:
        return "it makes another number of vectors of one page"
    dim = min(now.shape[1], recorded.shape[1])
    alike = float((_unit(now[:, :dim]) * _unit(recorded[:, :dim])).sum(axis=1).mean())
    if alike >= _SAME:
        return ""
    return f"the vectors of one page are alike by {alike:.2f} where the same model's are by more than {_SAME}"


def _vectors_of(probe: Any) -> NDArray[np.float32] | None:
    """What `probe_of` was given, of length 1; None for anything else."""
    try:
        count, _, packed = str(probe).partition(":")
        return np.frombuffer(base64.b64decode(packed, validate=True), "<f2").reshape(int(count), -1).astype(np.float32)
    except ValueError:
        return None


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)
