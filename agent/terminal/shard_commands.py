"""`pagesight prepare` and `commit`: documents read and encoded ahead, in any number of processes, and taken in."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pagesight.agent.terminal import costs_of_encoding, options, printing, progress_bars, results
from pagesight.agent.terminal.options import named_index, open_index, settings_of


def prepare(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATHS...", help="Files and folders.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="SHARDS", help="Folder that the shards go to.", show_default=False)
    ],
    part: Annotated[
        str, typer.Option("--part", metavar="N/OF", help="Take this part of the documents, such as 3/40.")
    ] = "1/1",
    ray: Annotated[
        str | None, typer.Option("--ray", metavar="ADDRESS", help="Do it on this Ray cluster, such as auto.")
    ] = None,
    by_path: Annotated[
        bool, typer.Option("--by-path", help="Leave the documents out: commit finds them at their paths.")
    ] = False,
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
    password: options.Passwords = None,
    password_file: options.PasswordFile = None,
    dollars: options.Dollars = None,
    batch: options.Batch = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Read and encode documents into shards, a file each, for `commit`.

    Needs no index; any number of processes on any machines can do it at once. A shard that is there is not made again.
    """
    from pagesight.indexing import prepare as make_shards
    from pagesight.indexing import prepare_on_ray
    from pagesight.indexing.documents.metadata import read_pairs
    from pagesight.indexing.errors import SettingsError

    settings = settings_of(
        encoder=encoder[0] if encoder else None, dim=dim, device=device, revision=revision, pool=pool,
        trust_remote_code=trust_remote_code, trust_scripts=trust_scripts, precision=precision, encoder_dollars=dollars,
        encoder_batch=batch,
        passwords=password, password_file=password_file,
    )  # fmt: skip
    if ray and part != "1/1":
        raise SettingsError("--part shares the work among jobs of an array, --ray among a cluster's: take one.")
    noted, named = read_pairs(meta or []), encoder or [settings.encoding.encoder]
    approve = partial(costs_of_encoding.ask_for, named, settings=settings, yes=yes)
    with progress_bars.pages_bar() as show:
        if ray:
            with redirect_stdout(sys.stderr):  # Ray tells there of nodes that end
                report = prepare_on_ray(
                    paths, out, ray, encoder=encoder, metadata=noted, with_bytes=not by_path, settings=settings,
                    progress=show,
                )  # fmt: skip
        else:
            report = make_shards(
                paths, out, encoder=encoder, part=part, metadata=noted, with_bytes=not by_path, settings=settings,
                progress=show, approve=approve,
            )  # fmt: skip
    if as_json:
        printing.write_json(report.as_dict())
    results.prepared(report, out, quiet=as_json)
    if report.failed:
        raise typer.Exit(1)


def commit(
    context: typer.Context,
    shards: Annotated[
        list[Path], typer.Argument(metavar="SHARDS...", help="Shards and folders of them.", show_default=False)
    ],
    place: options.Index = None,
    encoder: options.Encoders = None,
    verbose: options.Verbose = False,
    pool: options.Pool = None,
    precision: options.Precision = None,
    wait: options.Wait = None,
    as_json: options.Json = False,
) -> None:
    """Take shards into the index, as `index` would take in their documents.

    A new index is made with the --encoder, --precision and --pool that the shards were.
    """
    settings = settings_of(encoder=encoder[0] if encoder else None, pool=pool, precision=precision, wait=wait)
    with open_index(named_index(context, place), settings, encoder=encoder, create=True) as opened:
        with progress_bars.pages_bar() as show:
            report = opened.commit(shards, progress=show)
        if as_json:
            printing.write_json(report.as_dict())
        results.added(report, f"{opened.encoder_names}, from shards", quiet=as_json)
    if report.failed:
        raise typer.Exit(1)
