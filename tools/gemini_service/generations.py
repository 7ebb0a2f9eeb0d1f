"""Which generation of Gemini a model belongs to, by its name: the service's rules differ between them."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
#: A name without a number, such as ``gemini-flash-latest``, stands for the newest.
_NEWEST = (99, 0)


def generation(model: str) -> tuple[int, int]:
    """Such as (3, 5) for ``gemini-3.5-flash-lite`` and (4, 0) for ``gemini-4-neon``."""
    found = _NUMBERS.search(model.lower())
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def is_gemini(model: str) -> bool:
    """Whether a reasoner's name, such as ``google_genai:models/gemini-3.8-flash``, is that of a Gemini model."""
    return model.rpartition("/")[2].rpartition(":")[2].lower().startswith("gemini-")
