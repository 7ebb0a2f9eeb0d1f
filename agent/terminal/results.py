"""Prints what commands have found or done. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pagesight.agent.terminal import printing
from pagesight.agent.terminal.tables import print_listing
from pagesight.indexing.documents.kinds import way_out

if TYPE_CHECKING:
    from pathlib import Path

    from pagesight.agent.terminal.doctor import Checkup
    from pagesight.indexing.audit.encoder_check import EncoderCheck
    from pagesight.indexing.encoders import KnownModel
    from pagesight.indexing.outlines.outline import Outline
    from pagesight.indexing.pages import Correction, DocumentRecord, Hit, PageRef
    from pagesight.indexing.preparing.add_report import AddReport, Progress
    from pagesight.tools.transport.file_cache import Upload

_STATES = {"ok": "✓", "absent": "–", "broken": "✗"}


def shown(found: Sequence[Any], as_json: bool, for_people: Callable[[Any], None]) -> None:
    """What was found, as JSON or as ``for_people`` prints it."""
    if as_json:
        printing.write_json([one.as_dict() for one in found])
    else:
        for_people(found)


def hits(found: Sequence[Hit]) -> None:
    """The pages found, best first, each with the line that matches best."""
    if not found:
        printing.note("no page matches: no page holds a word of it, or one spelt nearly like it")
        return
    if not any(hit.lines for hit in found):
        printing.note("no line of a page holds a word of it; these pages come nearest")
    rows = ((str(hit.rank), hit.shown_label, f"{hit.score:.3f}", hit.lines[0] if hit.lines else "") for hit in found)
    print_listing({"rank": "number", "page": "label", "score": "number", "best line": "text"}, rows)


def documents(records: Sequence[DocumentRecord]) -> None:
    """The documents of an index."""
    if not records:
        printing.note("the index holds no documents: add some with `pagesight index PATHS…`")
        return
    rows = ((record.document, str(record.pages), record.added[:10], record.path) for record in records)
    print_listing({"document": "label", "pages": "number", "added": "label", "from": "text"}, rows)


def uploads(files: Sequence[Upload], *, deleted: bool) -> None:
    """The files of the Files API, or those that were deleted there."""
    if not files:
        printing.note("no page pictures are uploaded" if not deleted else "there was nothing to delete")
        return
    rows = ((file.name, str(file.size), file.mime_type, f"{file.expires:%Y-%m-%d %H:%M} UTC") for file in files)
    print_listing(
        {"deleted" if deleted else "file": "label", "bytes": "number", "type": "label", "until": "label"}, rows
    )


def removed(records: Sequence[DocumentRecord], *, would: bool = False) -> None:
    """What was taken out of the index, or would be."""
    done = "would remove" if would else "removed"
    for record in records:
        printing.write(f"{done} {record.document} ({printing.counted(record.pages, 'page')})\n")


def corrections(found: Sequence[tuple[PageRef, Correction]], *, undone: bool) -> None:
    """Words that were corrected, or whose corrections were taken back."""
    if not found:
        printing.note("nothing was corrected")
        return
    rows = (
        (one.id, ref.label, one.was, one.now, " ".join([one.at[:16].replace("T", " "), one.by]).strip())
        for ref, one in found
    )
    first = "undone" if undone else "id"
    print_listing({first: "label", "page": "label", "was read": "text", "is": "text", "when, who": "text"}, rows)


def gone(records: Sequence[DocumentRecord], *, removed: bool) -> None:
    """Documents whose files are gone, which were removed from the index or stay."""
    what = "removed with its file" if removed else "its file is gone; it stays in the index (--prune would remove it)"
    for record in records:
        printing.note(f"{record.document}: {what}")


def stopped(progress: Progress | None) -> None:
    """That an indexing run was stopped, what of it stays, and how to go on."""
    done = f"{progress.done_pages} of {progress.total_pages} pages are" if progress else "no page is"
    printing.note(f"stopped: {done} written, and kept. The same command goes on from there.")


def added(report: AddReport, encoder: str, *, quiet: bool = False) -> None:
    """What an indexing run did, unless ``quiet``; each failure is an error line of its own."""
    if not quiet:
        printing.write(_summary(report, encoder))
    _told(report)


def prepared(report: AddReport, out: Path, *, quiet: bool = False) -> None:
    """Which shards were made, unless ``quiet``; each failure is an error line of its own."""
    if not quiet:
        failed = f", {len(report.failed)} failed" if report.failed else ""
        printing.write(f"shards: {len(report.added)} made, {len(report.unchanged)} there before{failed}\n")
        printing.write(f"{_passed_over(report)}{_pages(report)}, in {out}\n")
    _told(report)


def _told(report: AddReport) -> None:
    for warning in report.warnings:
        printing.note(f"warning: {warning.text}")
    for failure in report.failed:
        printing.error(str(failure.error))


def added_encoder(name: str, report: AddReport, *, quiet: bool) -> None:
    """What adding an encoder did, unless ``quiet``; each failure is an error line of its own."""
    if not quiet:
        printing.write(f"encoder {name}: has seen {printing.counted(report.pages, 'page')}\n")
    for failure in report.failed:
        printing.error(str(failure.error))
    if report.failed:
        printing.note(f"no search uses {name} before it has seen all pages: the same command goes on")


def _summary(report: AddReport, encoder: str) -> str:
    done = {"added": report.added, "replaced": report.replaced, "unchanged": report.unchanged}
    done["repaired"] = report.repaired
    documents_done = ", ".join(f"{len(records)} {what}" for what, records in done.items() if records)
    failed = f", {len(report.failed)} failed" if report.failed else ""
    listed = f"documents: {documents_done or 'none'}{failed}\n{_passed_over(report)}"
    return f"{listed}{_pages(report)}, encoder {encoder}\n"


def _pages(report: AddReport) -> str:
    rate = f" ({report.pages / report.seconds:.1f} pages/s)" if report.pages and report.seconds else ""
    return f"{printing.counted(report.pages, 'page')} in {report.seconds:.1f} s{rate}"


def _passed_over(report: AddReport) -> str:
    """A line with what in folders was passed over, by kind, and one for each kind that something else would read."""
    kinds = report.kinds_passed_over()
    if not kinds:
        return ""
    ways = [f"    {kind}: {way}\n" for kind in kinds if (way := way_out(kind))]
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return printing.printable(f"passed over: {listed}") + "\n" + "".join(ways)


def outline(found: Outline) -> None:
    """The parts of a document, each with its page, deeper ones to the right."""
    rows = [(str(one.page), "  " * (one.level - 1) + one.title, one.kind) for one in found.entries]
    print_listing({"page": "number", "part": "text", "found as": "label"}, rows)
    if not found.entries:
        printing.note("no headings, bookmarks or captions were found in it")


def encoders(known: Iterable[KnownModel]) -> None:
    """The page encoders that are known by name."""
    rows = ((model.name, model.route, f"{model.vectors} × {model.dim}", model.licence, model.here) for model in known)
    print_listing({"encoder": "label", "route": "text", "vectors a page": "text", "licence": "text", "": "text"}, rows)


def encoder_check(found: EncoderCheck) -> None:
    """What checking an encoder has shown."""
    states = {True: "ok", False: "broken", None: "absent"}
    rows = [(_STATES[states[one.passed]], one.what, one.told) for one in found.findings]
    if found.pages_per_second:
        rows.append(("", "speed", f"{found.pages_per_second:.2f} pages/s"))
    if found.memory:
        gpu = f", {found.gpu_memory / 1e9:.1f} GB of the GPU" if found.gpu_memory else ""
        rows.append(("", "memory", f"{found.memory / 1e9:.1f} GB{gpu}"))
    print_listing({"": "label", found.name: "text", "found": "text"}, rows)


def checkup(found: Checkup) -> None:
    """What `doctor` found, how to fix what is missing, and what sets the settings that are not defaults."""
    for check in found.checks:
        printing.write(f"{_STATES[check.state]} {check.name}: {check.says}\n")
        if check.fix:
            printing.write(f"    → {check.fix}\n")
    if found.settings:
        printing.write("settings that are not the defaults:\n")
    for one in found.settings:
        printing.write(f"    {one.name} = {one.value} ({one.set_by})\n")
