"""Bars on a terminal while something long is done; nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pagesight.agent.terminal import printing

if TYPE_CHECKING:
    from pagesight.indexing.preparing.add_report import Progress


@contextmanager
def pages_bar() -> Iterator[Callable[[Progress], None] | None]:
    """A bar with pages, pages/s and the time left, on a terminal; None elsewhere."""
    screen = printing.console(stderr=True)
    if not screen.is_terminal:
        yield None
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
    """A bar of what is done of how many."""
    from rich import progress as bars

    screen = printing.console(stderr=True)
    columns = (bars.TextColumn(what, markup=False), bars.BarColumn(), bars.MofNCompleteColumn())
    remaining = bars.TimeRemainingColumn()
    with bars.Progress(*columns, remaining, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
