"""What was last read from a server, by keys, kept in memory up to a number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LastUsed(Generic[Value]):
    """Values by their keys, at most so many; those used longest ago go first. Threads can share it."""

    def __init__(self, most: int, fetch: Callable[[Sequence[str]], Mapping[str, Value]]) -> None:
        """``fetch`` gives the values of keys that are there, in one call."""
        self._most, self._fetch = most, fetch
        self._kept: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, keys: Sequence[str]) -> dict[str, Value]:
        """The values of these keys that there are, in the order of the keys."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = [key for key in keys if key not in found]
        if missing:
            found |= self._fetch(missing)
        found = {key: found[key] for key in keys if key in found}
        with self._lock:
            for key, value in found.items():
                self._kept[key] = value
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found
