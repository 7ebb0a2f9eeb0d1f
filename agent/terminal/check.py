"""What `doctor` says of one thing that it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing looked at: ``absent`` is missing but not needed as things are set, ``broken`` keeps it from working."""

    name: str
    state: Literal["ok", "absent", "broken"]
    says: str
    fix: str = ""
