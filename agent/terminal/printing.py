"""Printing: results on stdout, everything else (steps, progress, errors) on stderr. Decides nothing.

Text from documents and models is untrusted: control characters, which could steer the terminal, are taken out.
"""

from __future__ import annotations

import itertools
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

    from pagesight.agent.answers.answer import Answer
    from pagesight.agent.asking import Step
    from pagesight.agent.reasoners.choose import ReasonerChoice
    from pagesight.agent.reports.turns import Turn
    from pagesight.agent.terminal.doctor import Checkup
    from pagesight.agent.terminal.streaming import Flow, Whole
    from pagesight.agent.terminal.threads import Thread
    from pagesight.indexing.audit.audit import Audit, Measured
    from pagesight.indexing.encoders import KnownModel
    from pagesight.indexing.index import AddReport, Progress
    from pagesight.indexing.pages import DocumentRecord, Hit
    from pagesight.tools.transport.file_cache import Upload

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


def gap() -> None:
    """An empty line between the turns of a chat, on a terminal."""
    if sys.stderr.isatty():
        console(stderr=True).print()


def note(text: str) -> None:
    """A quiet line on the way."""
    screen = console(stderr=True)
    screen.print(printable(text), style="dim", soft_wrap=not screen.is_terminal)


def reasoner(choice: ReasonerChoice) -> None:
    """Who answers, and why."""
    note(f"reasoner: {choice.name} ({choice.why})")


def error(text: str) -> None:
    """What failed, in one line."""
    message = " ".join(printable(text).split())
    console(stderr=True).print(f"error: {message}", style="red", soft_wrap=True)


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


def uploads(files: Sequence[Upload], *, deleted: bool) -> None:
    """The files of the Files API, or those that were deleted there."""
    if not files:
        note("no page pictures are uploaded" if not deleted else "there was nothing to delete")
        return
    rows = ((file.name, str(file.size), file.mime_type, f"{file.expires:%Y-%m-%d %H:%M} UTC") for file in files)
    _table({"deleted" if deleted else "file": "label", "bytes": "right", "type": "label", "until": "label"}, rows)


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
    screen = console(stderr=True)
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
        shown = printable(state.document)[-40:]
        rate_now = f"{speed:.1f} pages/s" if speed else ""
        bar.update(task, completed=state.done_pages, total=state.total_pages, description=shown, rate=rate_now)

    with bar:
        yield show


def flow(documents: Iterable[str], link: Callable[[str], str | None]) -> Flow | Whole:
    """Where the pieces of an answer go: on a terminal with links to the pages of these documents, else whole."""
    from pagesight.agent.terminal.streaming import Flow, Whole

    return Flow(console(), documents, link) if sys.stdout.isatty() else Whole(write)


def followed(
    events: Iterable[Step | str | Answer],
    into: Flow | Whole | None = None,
    shown: Callable[[Step], object] = lambda step: None,
) -> Answer:
    """Prints the steps, and the answer's pieces as they come into a flow, if there is one; returns the answer.

    ``shown`` is called after each step.
    """
    from pagesight.agent.asking import Step

    last: Any = None
    after: list[str] = []
    for last in _awaited(events):
        if isinstance(last, Step) and last.kind == "cut":
            after.append(last.text)
        elif isinstance(last, Step):
            if into:
                into.start_again()
            note(f"· {last.text}")
            shown(last)
        elif into and isinstance(last, str):
            into.feed(printable(last))
    if into:
        into.end()
    for text in after:
        note(f"· {text}")
    return last


def _awaited(events: Iterable[Any]) -> Iterator[Any]:
    """The events; on a terminal something turns while one is waited for, unless text is being written."""
    from pagesight.agent.asking import Step

    spinner = console(stderr=True).status("") if sys.stdout.isatty() and sys.stderr.isatty() else None
    coming, in_text = iter(events), False
    while True:
        if spinner and not in_text:
            spinner.start()
        try:
            item = next(coming, None)
        finally:
            if spinner:
                spinner.stop()
        if item is None:
            return
        in_text = isinstance(item, str) or (in_text and not isinstance(item, Step))
        yield item


def sources(answer: Answer, evidence: dict[str, Path]) -> None:
    """What an answer rests on, on stderr: the ranked pages behind it, and the pictures of the cited ones."""
    note("\npages searched:")
    for rank, hit in enumerate(answer.hits, 1):
        seen = "  (looked at)" if hit.label in answer.pages_viewed else ""
        note(f"{rank:3}. {hit.label}  {hit.score:.3f}{seen}")
    if evidence:
        note("evidence:")
    for label, path in evidence.items():
        note(f"  [{label}]  {short(path)}")


def cited(answer: Answer, link: Callable[[str], str | None]) -> None:
    """The cited pages by number, as links, in one quiet line."""
    labels = list(dict.fromkeys(citation.label for citation in answer.citations))
    if labels and sys.stderr.isatty():
        _linked([(f"/open {number} {label}", link(label)) for number, label in enumerate(labels, 1)])


def pages(answer: Answer, labels: Sequence[str], link: Callable[[str], str | None]) -> None:
    """The pages behind an answer, by number."""
    cited_labels = {citation.label for citation in answer.citations}
    scores = {hit.label: f"{hit.score:.3f}" for hit in answer.hits}
    rows = []
    for number, label in enumerate(labels, 1):
        seen = "cited" if label in cited_labels else "looked at" if label in answer.pages_viewed else "found"
        rows.append((str(number), label, scores.get(label, ""), seen))
    links = [link(label) for label in labels]
    _table({"": "right", "page": "label", "score": "right", "how": "label"}, rows, links)
    if not labels:
        note("no page was found")


def encoders(known: Iterable[KnownModel]) -> None:
    """The page encoders that are known by name."""
    rows = ((model.name, model.route, f"{model.vectors} × {model.dim}", model.licence, model.here) for model in known)
    _table({"encoder": "label", "route": "label", "vectors a page": "label", "licence": "label", "": "label"}, rows)


def usage(what: str, counted: Sequence[dict[str, Any]]) -> None:
    """The tokens of some answers, and what they cost."""
    tokens = {kind: sum(one.get(f"{kind}_tokens", 0) for one in counted) for kind in ("input", "cached", "output")}
    calls = sum(one.get("model_calls", 0) for one in counted)
    costs = [one.get("cost") for one in counted]
    known = [cost for cost in costs if cost is not None]
    dollars = f", ${sum(known):.4f}" if len(known) == len(costs) else ", price not known"
    cached = f" ({tokens['cached']:,} cached)" if tokens["cached"] else ""
    told = f"{tokens['input']:,} tokens in{cached}, {tokens['output']:,} out, {_counted(calls, 'model call')}"
    write(f"{what}: {told}{dollars if any(tokens.values()) else ''}\n")


def costs(columns: dict[str, str], rows: Iterable[Sequence[str]]) -> None:
    """What an index's ledger adds up to, in rows below the names of ``columns``."""
    _table(columns, rows)


def threads(kept: Sequence[Thread], current: str) -> None:
    """The kept conversations by number, newest first."""
    if not kept:
        note("no conversation is kept yet")
        return
    rows = (
        (str(number), f"{one.last:%Y-%m-%d %H:%M}", str(one.questions), one.title + " (this one)" * (one.id == current))
        for number, one in enumerate(kept, 1)
    )
    _table({"": "right", "last": "label", "questions": "right", "began with": "cut"}, rows)


def turn(past: Turn, into: Flow | Whole) -> None:
    """A question of a kept conversation, with its steps and its answer."""
    note(f"\n> {past.question}")
    for step in past.steps:
        note(f"· {step}")
    if past.answer is None:
        note("stopped")
        return
    into.feed(printable(past.answer.text))
    into.end()


def commands(known: Sequence[tuple[str, str]]) -> None:
    """The commands of a chat, each with what it does."""
    width = max(len(name) for name, _ in known) + 2
    for name, does in known:
        note(f"{name:{width}}{does}")


def checkup(found: Checkup) -> None:
    """What `doctor` found, how to fix what is missing, and what sets the settings that are not defaults."""
    for check in found.checks:
        write(f"{_STATES[check.state]} {check.name}: {check.says}\n")
        if check.fix:
            write(f"    → {check.fix}\n")
    if found.settings:
        write("settings that are not the defaults:\n")
    for one in found.settings:
        write(f"    {one.name} = {one.value} ({one.set_by})\n")


def audited(audit: Audit) -> None:
    """What candidates keep of the exactly best pages, what they cost, and what to set."""
    write(f"{_counted(audit.pages, 'page')}, {_counted(audit.questions, 'question')}: {audit.source}\n")
    exhaustive = ["exhaustive search", *("1" for _ in audit.now.recall), f"{1000 * audit.exhaustive_seconds:.1f}"]
    rows = [_candidates(audit.now, "as they are set"), exhaustive]
    if audit.cheapest and audit.settings:
        rows.append(_candidates(audit.cheapest, f"cheapest that keep {audit.wanted:g}"))
    columns = {"": "label", **{f"top {depth}": "right" for depth in audit.now.recall}, "ms a search": "right"}
    _table(columns, rows)
    write(f"Exhaustive search is faster than the candidates below some {_counted(audit.break_even, 'page')}.\n")
    write(f"{_advice(audit)}\n")


def _candidates(measured: Measured, which: str) -> list[str]:
    recall = [f"{kept:.3f}" for kept in measured.recall.values()]
    return [f"candidates, {which}", *recall, f"{1000 * measured.seconds:.1f}"]


def _advice(audit: Audit) -> str:
    if audit.is_exhaustive:
        return f"Nothing to set: an index of up to {audit.exhaustive_below} pages is searched exhaustively."
    if not audit.settings:
        return f"Nothing to set: the candidates keep {audit.wanted:g} of the five best pages."
    setting = " ".join(f"PAGESIGHT_{name.upper()}={value}" for name, value in audit.settings.items())
    return f"To keep {audit.wanted:g} of the five best pages, set {setting}"


def _linked(parts: Sequence[tuple[str, str | None]]) -> None:
    from rich.columns import Columns
    from rich.style import Style
    from rich.text import Text

    texts = [Text(printable(text), Style(dim=True, link=address), no_wrap=True) for text, address in parts]
    console(stderr=True).print(Columns(texts, padding=(0, 3)))


def _table(
    columns: dict[str, str], rows: Iterable[Sequence[str]], links: Iterable[str | None] = itertools.repeat(None)
) -> None:
    """Prints rows below the names of columns; in columns of the kind "label" each row links to its address."""
    from rich.style import Style
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, kind in columns.items():
        cut = kind == "cut"
        table.add_column(
            name, justify="right" if kind == "right" else "left", no_wrap=cut, overflow="ellipsis" if cut else "fold"
        )
    for row, link in zip(rows, links, strict=False):
        styles = [Style(link=link if kind == "label" else None) for kind in columns.values()]
        cells = [" ".join(printable(cell).split()) for cell in row]
        table.add_row(*(Text(cell, style) for cell, style in zip(cells, styles, strict=True)))
    console().print(table)


def console(stderr: bool = False) -> Console:
    """The console for stdout or stderr; wide when it is a file."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr, width=None if terminal else _WIDTH_OF_A_FILE, highlight=False, markup=False, emoji=False
    )


def short(path: Path) -> Path:
    """The path as it is seen from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
