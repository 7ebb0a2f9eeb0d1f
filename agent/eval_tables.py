"""Prints what evaluations found: a table for each scope and split. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pagesight.agent import terminal

if TYPE_CHECKING:
    from pagesight.indexing.evaluate.compare import Report, RunReport
    from pagesight.indexing.evaluate.metrics import Difference, Estimate

_TITLES = {"index": "Over the whole index", "document": "Within the right document"}
_SHOWN = ("nDCG@5", "nDCG@10", "R@1", "R@5", "R@10", "R@100", "RR")
_SHORT = {"RR": "MRR"}
_WITH_INTERVAL = "nDCG@5"


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what, markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def retrieval(report: Report) -> None:
    """The runs side by side, what they cost, how they differ, and the splits."""
    left_out = ", ".join(f"{count} {reason}" for reason, count in report.left_out.items())
    terminal.write(
        f"{report.name}: {len(report.questions)} questions with evidence pages, {report.documents} documents, "
        f"{report.pages} pages{f'; left out: {left_out}' if left_out else ''}\n"
    )
    differences = {(run, scope): found for run, scope, name, found in report.differences() if name == _WITH_INTERVAL}
    for scope in report.runs[0].scores:
        terminal.write(f"\n{_TITLES[scope]}\n")
        names = [_SHORT.get(name, name) for name in _SHOWN]
        header = ["run", *names, f"against {report.against}", "s/search", "s/page", "KB/page"]
        _table(header, [_row(run, scope, differences.get((run.run.name, scope))) for run in report.runs])
    for split in report.splits:
        _split(report, split)


def _row(report: RunReport, scope: str, difference: Difference | None) -> list[str]:
    scores = report.scores[scope]
    estimates = [scores.of(name) for name in _SHOWN]
    shown = [
        _interval(one) if name == _WITH_INTERVAL else _short(one.mean)
        for name, one in zip(_SHOWN, estimates, strict=True)
    ]
    cost = [f"{scores.seconds:.3f}", f"{report.seconds_per_page:.2f}" if report.seconds_per_page else "–"]
    return [report.run.name, *shown, _difference(difference), *cost, f"{report.bytes_per_page / 1000:.0f}"]


def _split(report: Report, split: str) -> None:
    for scope in report.runs[0].scores:
        terminal.write(f"\n{_TITLES[scope]}, {_WITH_INTERVAL} by {split}\n")
        rows = [
            [value, str(len(places)), *(_interval(run.scores[scope].of(_WITH_INTERVAL, places)) for run in report.runs)]
            for value, places in report.splits[split].items()
        ]
        _table([split, "questions", *(run.run.name for run in report.runs)], rows)


def _interval(estimate: Estimate) -> str:
    return f"{_short(estimate.mean)} [{_short(estimate.low)}–{_short(estimate.high)}]"


def _difference(found: Difference | None) -> str:
    return "–" if found is None else f"{found.mean:+.3f} (p {'< .001' if found.p < 0.001 else f'{found.p:.3f}'})"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def number(value: float | None, form: str = ".3f") -> str:
    """A number for people; a dash where there is none."""
    return "–" if value is None else format(value, form)


def pairs(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Names and values under a title."""
    terminal.write(f"\n{title}\n")
    _table(["", ""], [list(row) for row in rows])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns of figures to the right, the first to the left; on a file or pipe as wide as they are."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(header))
    for place, name in enumerate(header):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(terminal.printable(cell)) for cell in row))
    console = Console(highlight=False, markup=False, emoji=False)
    Console(width=None if console.is_terminal else 240, highlight=False, markup=False, emoji=False).print(table)
