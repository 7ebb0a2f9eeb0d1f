"""`pagesight index`: adds documents to an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pagesight.agent.terminal import costs_of_encoding, options, printing, progress_bars, results
from pagesight.agent.terminal.options import named_index, open_index, settings_of
from pagesight.indexing.errors import EncoderMismatch, MissingPath

if TYPE_CHECKING:
    from pagesight.indexing import AddReport, PageIndex, Progress
    from pagesight.indexing.settings import Settings


def index(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATHS...]", help="Files and folders.", show_default=False)
    ] = None,
    place: options.Index = None,
    encoder: options.Encoders = None,
    dim: options.Dimensions = None,
    device: options.Device = None,
    revision: options.Revision = None,
    trust_remote_code: options.TrustRemoteCode = False,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    pool: options.Pool = None,
    precision: options.Precision = None,
    meta: options.Metadata = None,
    pages: options.Pages = None,
    password: options.Passwords = None,
    password_file: options.PasswordFile = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on: index what changes there, until Ctrl-C.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="With --watch: remove documents whose files are removed.")
    ] = False,
    wait: options.Wait = None,
    dollars: options.Dollars = None,
    batch: options.Batch = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Index documents, skip unchanged ones.

    New ones are added, changed ones take the place of their older version. An encoder that the index has not yet sees
    all pages that are there, first; then no paths are needed.
    """
    from pagesight.indexing.documents.metadata import read_pairs

    settings = settings_of(
        encoder=encoder[0] if encoder else None, dim=dim, device=device, revision=revision, pool=pool,
        trust_remote_code=trust_remote_code, trust_scripts=trust_scripts, precision=precision, encoder_dollars=dollars,
        encoder_batch=batch, wait=wait, passwords=password, password_file=password_file,
    )  # fmt: skip
    noted = read_pairs(meta or [])
    if not paths and not encoder:
        raise typer.BadParameter("name files or folders, or an --encoder that the index has not yet.")
    opened, new = _opened(named_index(context, place), settings, encoder or [])
    with opened:
        _add_encoders(opened, new, yes=yes, as_json=as_json and not paths)
        if not paths:
            return
        add = partial(_added, opened, metadata=noted, pages=pages, yes=yes, as_json=as_json)
        if watch:
            _watch(opened, paths, add, prune=prune)
            return
        report = add(paths)
    if report.failed:
        raise typer.Exit(1)


def _opened(place: str | None, settings: Settings, encoders: list[str]) -> tuple[PageIndex, list[str]]:
    """The index, made if there is none, and those of the encoders that it has not, or not finished."""
    from pagesight.indexing.encoders import choose

    try:
        opened = open_index(place, settings, encoder=encoders, create=True)
    except EncoderMismatch:
        with open_index(place, settings, encodes=False) as index:
            has = {one.name for one in index.encoders}
        known = [name for name in encoders if choose(name).name in has]
        if known == encoders:
            raise
        opened = open_index(place, settings, encoder=known)
    finished = {one.name for one in opened.encoders if one.finished}
    return opened, [name for name in encoders if name != "auto" and choose(name).name not in finished]


def _add_encoders(index: PageIndex, names: list[str], *, yes: bool, as_json: bool) -> None:
    """Has all pages seen by further encoders."""
    for name in names:
        approve = partial(costs_of_encoding.ask_for, [name], settings=index.settings, yes=yes)
        with _followed() as follow:
            report = index.add_encoder(name, progress=follow, approve=approve)
        if as_json:
            printing.write_json(report.as_dict())
        results.added_encoder(name, report, quiet=as_json)
        if report.failed:
            raise typer.Exit(1)


def _added(
    index: PageIndex, paths: list[str], *, metadata: dict[str, Any], pages: str | None, yes: bool, as_json: bool
) -> AddReport:
    """Adds the documents, and prints what was done."""
    report = _add(index, paths, metadata, pages, yes)
    if as_json:
        printing.write_json(report.as_dict())
    results.added(report, _encoder(index), quiet=as_json)
    costs_of_encoding.offer(index, report.pages)
    return report


def _watch(index: PageIndex, paths: list[str], add: Callable[[list[str]], AddReport], *, prune: bool) -> None:
    """Adds what is at the paths, and what changes there, until Ctrl-C."""
    from pagesight.agent.terminal import watching

    missing = [path for path in paths if not Path(path).expanduser().exists()]
    if missing:
        raise MissingPath(f"there is nothing at {missing[0]}, which was to be watched. Check the spelling.")
    for change in watching.changes([str(Path(path).expanduser()) for path in paths], index.path):
        if change.there:
            add([str(path) for path in change.there])
        gone = watching.gone_documents(index, change)
        if prune and gone:
            index.remove([record.document_id for record in gone])
        results.gone(gone, removed=prune)
    printing.note("stopped watching")


def _add(index: PageIndex, paths: list[str], metadata: dict[str, Any], pages: str | None, yes: bool) -> AddReport:
    """Adds the documents; see `_followed`."""
    approve = partial(costs_of_encoding.ask, index, yes=yes)
    with _followed() as follow:
        return index.add(paths, metadata=metadata, pages=pages, approve=approve, progress=follow, opened=follow)


@contextmanager
def _followed() -> Iterator[Callable[[Progress], None]]:
    """What shows how far pages are taken, by a bar or lines; on Ctrl-C says what is written, and raises
    KeyboardInterrupt."""
    last: Progress | None = None

    def follow(progress: Progress) -> None:
        nonlocal last
        last = progress if progress.done_pages else last
        show(progress)

    try:
        with progress_bars.pages_bar() as show:
            yield follow
    except KeyboardInterrupt:
        results.stopped(last)
        raise


def _encoder(index: PageIndex) -> str:
    """The encoder of an index and why it is this one."""
    from pagesight.indexing.encoders import choose

    if len(index.encoders) > 1:
        return index.encoder_names
    choice = choose(index.settings.encoding.encoder)
    why = choice.why if choice.name == index.encoder.name else "the index was made with it"
    return f"{index.encoder.name}: {why}"
