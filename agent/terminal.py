"""Printing: results on stdout, everything else (steps, progress, errors) on stderr. Decides nothing.

Text from documents and models is untrusted: control characters, which could steer the terminal, are taken out.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from pagesight.agent.answer import Answer
    from pagesight.agent.asking import Step
    from pagesight.agent.doctor import Report
    from pagesight.indexing.index import AddReport, Progress
    from pagesight.indexing.pages import DocumentRecord, Hit

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WIDTH_OF_A_FILE = 160
_STATES = {"ok": "✓", "absent": "–", "broken": "✗"}


def use_any_encoding() -> None:
    """Lets stdout and stderr write a ? for what their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


def quieten_milvus() -> None:
    """Keeps its client from logging to stderr what it also raises. To be called once the client is imported."""
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL + 1)


def printable(text: str) -> str:
    """The text without control characters but line breaks and tabs."""
    return _CONTROL.sub("", text)


def write(text: str) -> None:
    """A piece of a result, at once and without a line break."""
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def write_json(result: Any) -> None:
    """A result for programs."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=not unicode) + "\n")


def note(text: str) -> None:
    """A quiet line on the way."""
    _console(stderr=True).print(printable(text), style="dim", soft_wrap=True)


def error(text: str) -> None:
    """What failed, in one line."""
    message = " ".join(printable(text).split())
    _console(stderr=True).print(f"error: {message}", style="red", soft_wrap=True)


def hits(found: Sequence[Hit]) -> None:
    """The pages found, best first, each with the line that matches best."""
    if not found:
        note("no page matches")
        return
    rows = ((str(hit.rank), hit.label, f"{hit.score:.3f}", hit.lines[0] if hit.lines else "") for hit in found)
    _table({"rank": "right", "page": "label", "score": "right", "best line": "cut"}, rows)


def documents(records: Sequence[DocumentRecord]) -> None:
    """The documents of an index."""
    if not records:
        note("the index holds no documents: add some with `pagesight index PATHS…`")
        return
    rows = ((record.document, str(record.pages), record.added[:10], record.path) for record in records)
    _table({"document": "label", "pages": "right", "added": "label", "from": "label"}, rows)


def removed(records: Sequence[DocumentRecord]) -> None:
    """What was taken out of the index."""
    for record in records:
        write(f"removed {record.document} ({_counted(record.pages, 'page')})\n")


def added(report: AddReport, encoder: str, *, quiet: bool = False) -> None:
    """What an indexing run did, unless ``quiet``; each failure is an error line of its own."""
    if not quiet:
        write(_summary(report, encoder))
    for failure in report.failed:
        error(str(failure.error))


def _summary(report: AddReport, encoder: str) -> str:
    done = {"added": report.added, "replaced": report.replaced, "unchanged": report.unchanged}
    documents_done = ", ".join(f"{len(records)} {what}" for what, records in done.items() if records)
    rate = f" ({report.pages / report.seconds:.1f} pages/s)" if report.pages and report.seconds else ""
    failed = f", {len(report.failed)} failed" if report.failed else ""
    pages = f"{_counted(report.pages, 'page')} in {report.seconds:.1f} s{rate}"
    return f"documents: {documents_done or 'none'}{failed}\n{pages}, encoder {encoder}\n"


@contextmanager
def progress() -> Iterator[Callable[[Progress], None] | None]:
    """A bar with pages, pages/s and the time left, on a terminal; None elsewhere."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich import progress as bars

    rate = bars.TextColumn("{task.fields[rate]}")
    name = bars.TextColumn("{task.description}", markup=False)
    columns = (name, bars.BarColumn(), bars.MofNCompleteColumn(), rate, bars.TimeRemainingColumn())
    bar = bars.Progress(*columns, console=console, transient=True)
    task = bar.add_task("", total=None, rate="")

    def show(state: Progress) -> None:
        speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
        shown = printable(state.document)[-40:]
        rate_now = f"{speed:.1f} pages/s" if speed else ""
        bar.update(task, completed=state.done_pages, total=state.total_pages, description=shown, rate=rate_now)

    with bar:
        yield show


def streamed(events: Iterable[Step | str | Answer]) -> Answer:
    """Prints steps and the answer as they come; returns the answer."""
    answer = followed(events, write)
    write("\n")
    return answer


def followed(events: Iterable[Step | str | Answer], piece: Callable[[str], object] = lambda text: None) -> Answer:
    """Prints the steps, hands on the pieces of the answer, and returns the answer."""
    from pagesight.agent.asking import Step

    last: Any = None
    for last in events:
        if isinstance(last, Step):
            note(f"· {last.text}")
        elif isinstance(last, str):
            piece(last)
    return last


def sources(answer: Answer, evidence: dict[str, Path]) -> None:
    """What an answer rests on: the ranked pages behind it, and the pictures of the cited ones."""
    write("\nPages searched:\n")
    for rank, hit in enumerate(answer.hits, 1):
        seen = "  (looked at)" if hit.label in answer.pages_viewed else ""
        write(f"{rank:3}. {hit.label}  {hit.score:.3f}{seen}\n")
    if evidence:
        write("\nEvidence:\n")
    for label, path in evidence.items():
        write(f"  [{label}]  {_short(path)}\n")


def checkup(report: Report) -> None:
    """What `doctor` found, and how to mend what is missing."""
    for check in report.checks:
        write(f"{_STATES[check.state]} {check.name}: {check.says}\n")
        if check.mend:
            write(f"    → {check.mend}\n")


def _table(columns: dict[str, str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, kind in columns.items():
        cut = kind == "cut"
        table.add_column(
            name, justify="right" if kind == "right" else "left", no_wrap=cut, overflow="ellipsis" if cut else "fold"
        )
    for row in rows:
        table.add_row(*(Text(" ".join(printable(cell).split())) for cell in row))
    _console().print(table)


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr, width=None if terminal else _WIDTH_OF_A_FILE, highlight=False, markup=False, emoji=False
    )


def _short(path: Path) -> Path:
    """The path as it is seen from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
