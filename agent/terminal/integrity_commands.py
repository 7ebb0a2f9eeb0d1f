"""`pagesight remove`, `restore`, `verify`, `repair`, `export` and `import`: an index kept whole, or moved."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing, progress_bars, results
from pagesight.agent.terminal.options import existing_index, named_index, open_index, set_index, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pagesight.indexing import PageIndex
    from pagesight.indexing.integrity.archive import Archived
    from pagesight.indexing.integrity.verify import Damage
    from pagesight.indexing.pages import DocumentRecord

ArchiveFile = Annotated[Path, typer.Argument(metavar="FILE", help="The archive.", show_default=False)]


def _removed(index: PageIndex, names: Sequence[str], *, dry_run: bool, yes: bool) -> list[DocumentRecord]:
    """Removes documents; on a terminal it asks first where it is more than one. With ``dry_run`` it removes nothing."""
    found = {record.document_id: record for record in map(index.document, names)}
    if dry_run:
        return list(found.values())
    if len(found) > 1 and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        for record in found.values():
            printing.note(f"{record.document} ({printing.counted(record.pages, 'page')})")
        if not typer.confirm(f"Remove these {len(found)} documents?", default=False, err=True):
            raise typer.Exit(1)
    return index.remove(list(found))


def remove(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAMES...]", help="Documents, by name or path.", show_default=False)
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME", help="Remove this encoder, with all that it made.")
    ] = None,
    index: options.Index = None,
    wait: options.Wait = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, also for more than one document.")] = False,
    as_json: options.Json = False,
) -> None:
    """Take documents out of the index, or one of its encoders; the files stay.

    `pagesight restore` takes documents back until the next `remove`, for 30 days. An encoder can be added again.
    """
    settings = settings_of(wait=wait)
    if bool(names) == bool(encoder):
        raise typer.BadParameter("name documents, or an --encoder.")
    place = existing_index(context, index)
    with open_index(place, settings, encodes=False) as opened:
        if encoder:
            _remove_encoder(opened, encoder, dry_run=dry_run, as_json=as_json)
            return
        records = _removed(opened, names or [], dry_run=dry_run, yes=yes)
    results.shown(records, as_json, partial(results.removed, would=dry_run))


def _remove_encoder(index: PageIndex, name: str, *, dry_run: bool, as_json: bool) -> None:
    """Removes an encoder; with ``dry_run`` it removes nothing."""
    gone = index.encoder_called(name) if dry_run else index.remove_encoder(name)
    if as_json:
        printing.write_json(gone.as_dict())
    else:
        printing.write(f"{'would remove' if dry_run else 'removed'} the encoder {gone.name}\n")


def restore(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAMES...]", help="Documents that were removed.", show_default=False)
    ] = None,
    index: options.Index = None,
    as_json: options.Json = False,
) -> None:
    """Take back what the last `remove` took out, until the next one or for 30 days.

    Without names it lists what there is.
    """
    settings = settings_of()
    place = existing_index(context, index)
    with open_index(place, settings, encodes=False) as opened:
        records = opened.restore(names) if names else opened.removed()
    if as_json:
        printing.write_json([record.as_dict() for record in records])
        return
    for record in records:
        done = "restored" if names else "can be restored:"
        printing.write(f"{done} {record.document} ({printing.counted(record.pages, 'page')})\n")
    if not records:
        printing.note("there is nothing to restore")


def verify(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """Read all of the index and say what is whole and what is damaged.

    Exit status 1 if something is. Nothing is changed.
    """
    from pagesight.agent.threads.whole_threads import damaged_threads
    from pagesight.indexing.integrity import verify as room

    settings = settings_of()
    place = existing_index(context, index) or set_index(settings)
    printing.quieten_milvus()
    found = room.verify(place, settings, beside=damaged_threads)
    if as_json:
        printing.write_json(found.as_dict())
    else:
        counts = (
            printing.counted(found.documents, "document"),
            printing.counted(found.pages, "page"),
            printing.counted(found.candidates, "candidate vector"),
        )
        printing.write(f"{', '.join(counts)}: {'all whole' if found.whole else 'not all whole'}\n")
        _list(found.damage)
    if not found.whole:
        if not as_json:
            printing.note(f"`pagesight repair --index {place}` makes anew what can be made")
        raise typer.Exit(1)


def repair(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """Make anew what is damaged in the index, and list what nothing is left of.

    From the index's other files, its kept documents, or the documents where they were indexed. Exit status 1 if
    something stays damaged.
    """
    from pagesight.agent.threads.whole_threads import damaged_threads
    from pagesight.indexing.integrity import repair as room

    settings = settings_of()
    place = existing_index(context, index) or set_index(settings)
    printing.quieten_milvus()
    with progress_bars.pages_bar() as progress:
        done = room.repair(place, settings, progress, damaged_threads)
    if as_json:
        printing.write_json(done.as_dict())
    else:
        for name in done.repaired:
            printing.write(f"made anew: {name}\n")
        _list(done.left)
        if not done.repaired and not done.left:
            printing.note("nothing was damaged")
    if done.left:
        raise typer.Exit(1)


def export(
    context: typer.Context, file: ArchiveFile, index: options.Index = None, as_json: options.Json = False
) -> None:
    """Write the index into one file: documents, vectors, rows and metadata."""
    from pagesight.indexing.integrity.archive import export_index

    settings = settings_of()
    place = existing_index(context, index) or set_index(settings)
    printing.quieten_milvus()
    with progress_bars.count_bar("bytes") as told:
        done = export_index(place, file, settings, told)
    _moved(done, f", {done.size:,} bytes → {file}", as_json=as_json)


def import_(
    context: typer.Context, file: ArchiveFile, index: options.Index = None, as_json: options.Json = False
) -> None:
    """Make an index of a file that `export` wrote."""
    from pagesight.indexing.integrity.archive import import_index

    settings = settings_of()
    place = named_index(context, index) or set_index(settings)
    printing.quieten_milvus()
    with progress_bars.count_bar("bytes") as told:
        done = import_index(file, place, settings, told)
    _moved(done, f" in {place}", as_json=as_json)


def _moved(done: Archived, where: str, *, as_json: bool) -> None:
    if as_json:
        printing.write_json(done.as_dict())
    else:
        counts = f"{printing.counted(done.documents, 'document')}, {printing.counted(done.pages, 'page')}"
        printing.write(f"{counts}{where}\n")


def _list(damage: Sequence[Damage]) -> None:
    for one in damage:
        printing.write(f"✗ {one.kind}: {one.what}: {one.why}\n")
