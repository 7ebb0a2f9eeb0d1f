"""How far something long has come: a bar on a terminal; elsewhere a line a minute, so that a log shows life."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pagesight.agent.terminal import printing

if TYPE_CHECKING:
    from pagesight.indexing.preparing.add_report import Progress

#: Between two lines where there is no terminal, and before the first: what takes less time tells nothing.
SECONDS_BETWEEN_LINES = 60.0


@contextmanager
def pages_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar with pages, pages/s and the time left on a terminal; lines on stderr elsewhere."""
    screen = printing.console(stderr=True)
    if not screen.is_terminal:
        lines = _Lines("pages")
        yield lambda state: lines.tell(state.done_pages, state.total_pages, state.document)
        return
    from rich import progress as bars

    rate = bars.TextColumn("{task.fields[rate]}")
    name = bars.TextColumn("{task.description}", markup=False)
    columns = (name, bars.BarColumn(), bars.MofNCompleteColumn(), rate, bars.TimeRemainingColumn())
    bar = bars.Progress(*columns, console=screen, transient=True)
    task = bar.add_task("", total=None, rate="")

    def show(state: Progress) -> None:
        speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
        shown = printing.printable(state.document)[-40:]
        rate_now = f"{speed:.1f} pages/s" if speed else ""
        bar.update(task, completed=state.done_pages, total=state.total_pages, description=shown, rate=rate_now)

    with bar:
        yield show


@contextmanager
def count_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of what is done of how many on a terminal; lines on stderr elsewhere."""
    screen = printing.console(stderr=True)
    if not screen.is_terminal:
        yield _Lines(what).tell
        return
    from rich import progress as bars

    columns = (bars.TextColumn(what, markup=False), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, bars.TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """What is done of how many, at which rate, and about how long the rest takes: a line from time to time."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._started = self._last = time.monotonic()

    def tell(self, done: int, total: int, at: str = "") -> None:
        now = time.monotonic()
        if not done:
            self._started = now
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last, behind = now, f": {at}" if at else ""
        if not done:
            printing.note(f"{total:,} {self._what} found so far{behind}")
            return
        rate = done / (now - self._started)
        speed = f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.0f} a minute"
        minutes = round((total - done) / rate / 60)
        left = f", some {printing.counted(minutes, 'minute')} left" if minutes else ""
        printing.note(f"{done:,} of {total:,} {self._what}, {speed}{left}{behind}")
