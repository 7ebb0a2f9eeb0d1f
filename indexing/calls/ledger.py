"""What models have cost an index, in one file of its folder: a line for each question, indexing run or evaluation.

Lines are only ever appended, each in one write, so that several processes can note at the same time. A line that was
cut off by a crash, or that something else has written, is left out when the file is read, and counted.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from pagesight.indexing.calls.prices import dearest

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FILE = "costs.jsonl"

_Count = Annotated[int, Field(ge=0)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _now() -> datetime:
    return datetime.now(UTC)


@checked_dataclass(frozen=True)
class Spent:
    """What one piece of work took. Thinking tokens are part of the output's, cached tokens of the input's.

    ``kind`` is the work, such as "ask", "chat", "eval", "index"; ``model`` what did it; ``pictures`` counts each as
    often as it was sent; ``dollars`` is None where the price is not known; ``by`` is the token that a service was asked
    with. Raises pydantic's ValidationError for negative numbers.
    """

    kind: str
    model: str
    at: AwareDatetime = field(default_factory=_now)
    calls: _Count = 0
    input_tokens: _Count = 0
    output_tokens: _Count = 0
    thinking_tokens: _Count = 0
    cached_tokens: _Count = 0
    pictures: _Count = 0
    seconds: _Amount = 0.0
    dollars: _Amount | None = None
    by: str = ""


@dataclass(frozen=True)
class Total:
    """The sum of some records; ``dollars`` are those of the records with a price, ``unpriced`` counts the others."""

    records: int
    calls: int
    input_tokens: int
    output_tokens: int
    thinking_tokens: int
    cached_tokens: int
    pictures: int
    seconds: float
    dollars: float
    unpriced: int

    @classmethod
    def of(cls, records: Sequence[Spent]) -> Total:
        """Adds the records up."""
        known = [record.dollars for record in records if record.dollars is not None]
        return cls(
            records=len(records),
            calls=sum(record.calls for record in records),
            input_tokens=sum(record.input_tokens for record in records),
            output_tokens=sum(record.output_tokens for record in records),
            thinking_tokens=sum(record.thinking_tokens for record in records),
            cached_tokens=sum(record.cached_tokens for record in records),
            pictures=sum(record.pictures for record in records),
            seconds=round(sum(record.seconds for record in records), 3),
            dollars=round(sum(known), 6),
            unpriced=len(records) - len(known),
        )


class Ledger:
    """The ledger in an index's folder; nothing is read or written until it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def add(self, spent: Spent) -> None:
        """Append a record. Raises OSError when the file cannot be written."""
        line = _records().dump_json(spent) + b"\n"
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line if _ends_whole(file) else b"\n" + line)
        finally:
            os.close(file)

    def read(self) -> tuple[list[Spent], int]:
        """The records in the order of their writing, and how many lines are none. Raises OSError."""
        try:
            lines = [line for line in self.path.read_bytes().split(b"\n") if line.strip()]
        except FileNotFoundError:
            return [], 0
        records = [record for line in lines if (record := _record(line))]
        return records, len(lines) - len(records)


class Today:
    """What each token of a service has spent today (UTC), by all that note it; only new lines are read each time.

    A record without a price counts at the dearest price that is known.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._day = date.min
        self._read = 0
        self._dollars: defaultdict[str, float] = defaultdict(float)

    def dollars(self, by: str) -> float:
        """The dollars. Waits for the disk. Raises OSError."""
        with self._lock:
            self._go_on()
            return self._dollars[by]

    def _go_on(self) -> None:
        today = _now().date()
        size = self._ledger.path.stat().st_size if self._ledger.path.exists() else 0
        if today != self._day or size < self._read:
            self._day, self._read = today, 0
            self._dollars.clear()
        if size == self._read:
            return
        with self._ledger.path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.split(b"\n"):
            record = _record(line) if line.strip() else None
            if record and record.by and record.at.astimezone(UTC).date() == today:
                self._dollars[record.by] += _dollars(record)


def _dollars(record: Spent) -> float:
    if record.dollars is not None:
        return record.dollars
    price = dearest()
    return (record.input_tokens * price.input + record.output_tokens * price.output) / 1_000_000


def by_day(records: Iterable[Spent]) -> dict[tuple[date, str, str], Total]:
    """The totals of each day (UTC), model and kind of work, in the order of the days."""

    def key(record: Spent) -> tuple[date, str, str]:
        return record.at.astimezone(UTC).date(), record.model, record.kind

    return {each: Total.of(list(group)) for each, group in itertools.groupby(sorted(records, key=key), key)}


def _ends_whole(file: int) -> bool:
    """Whether the last line is whole; what a crash has cut off must not swallow the next record."""
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"


def _record(line: bytes) -> Spent | None:
    try:
        return _records().validate_json(line)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _records() -> TypeAdapter[Spent]:
    from pydantic import TypeAdapter

    return TypeAdapter(Spent)
