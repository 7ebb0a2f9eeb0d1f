"""Waiting for what another thread or process does, on machines that may be slow."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds in which what is stopped, refused or given up has ended; without that it would take a minute or for ever. No
#: figure of speed, which a busy machine would miss: benchmarks/ measures these.
SOON = 30.0


def waited_for(condition: Callable[[], object], seconds: float = 90) -> bool:
    """Whether it came to hold within the seconds."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(condition())
