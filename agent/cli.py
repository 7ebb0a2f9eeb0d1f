"""The command line: parses arguments, calls the library, hands what comes back to `terminal`.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl-C. Heavy parts are imported in the command that
needs them, and help is plain text, so that `pagesight --help` comes at once.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import audit_cli, eval_cli, options, printing
from pagesight.agent.terminal.options import named_index, open_index, settings_of
from pagesight.indexing.errors import PagesightError

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

app = typer.Typer(
    help="Answers questions about documents by looking at their pages.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip
app.add_typer(eval_cli.app, name="eval")
app.command("audit")(audit_cli.audit)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    printing.use_any_encoding()
    try:
        app(arguments, prog_name="pagesight")
    except SystemExit as done:
        return _flushed(int(done.code or 0))
    except PagesightError as failure:
        printing.error(str(failure))
    except OSError as failure:
        printing.error(_of_the_system(failure))
    return _flushed(1)


def _flushed(status: int) -> int:
    """The status; whoever read our output may have gone, which is no failure worth words."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _of_the_system(failure: OSError) -> str:
    where = f"{failure.filename}: " if failure.filename else ""
    full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
    way_out = ". Free some space and run the same command again." if full else "."
    return f"{where}{failure.strerror or failure}{way_out}"


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        printing.write(f"pagesight {version('pagesight')}\n")
        raise typer.Exit


@app.callback()
def _before(
    context: typer.Context,
    index: options.Index = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    context.obj = index


@app.command("index")
def _index(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATHS...", help="Files and folders.", show_default=False)],
    index: options.Index = None,
    encoder: options.Encoder = None,
    dim: options.Dimensions = None,
    device: options.Device = None,
    revision: options.Revision = None,
    trust_remote_code: options.TrustRemoteCode = False,
    trust_scripts: options.TrustScripts = False,
    pool: options.Pool = None,
    precision: options.Precision = None,
    meta: options.Metadata = None,
    as_json: options.Json = False,
) -> None:
    """Index documents, skip unchanged ones.

    New ones are added, changed ones take the place of their older version.
    """
    from pagesight.indexing.documents.metadata import read_pairs

    settings = settings_of(
        encoder=encoder, dim=dim, device=device, revision=revision, trust_remote_code=trust_remote_code,
        trust_scripts=trust_scripts, pool=pool, precision=precision,
    )  # fmt: skip
    noted = read_pairs(meta or [])
    with open_index(named_index(context, index), settings, encoder=encoder, create=True) as opened:
        with printing.progress() as progress:
            report = opened.add(paths, progress=progress, metadata=noted)
        if as_json:
            printing.write_json(report.as_dict())
        printing.added(report, _encoder(opened), quiet=as_json)
    if report.failed:
        raise typer.Exit(1)


@app.command("search")
def _search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", show_default=False)],
    index: options.Index = None,
    top_k: options.TopK = None,
    document: options.Documents = None,
    where: options.Where = None,
    heatmap: Annotated[
        Path | None,
        typer.Option("--heatmap", metavar="DIR", help="Write each page with a map of where it is like the query."),
    ] = None,
    token: options.Token = None,
    trust_scripts: options.TrustScripts = False,
    as_json: options.Json = False,
) -> None:
    """Find the pages that fit a query best."""
    from pagesight.agent.reports.cited_pages import picture_path

    settings = settings_of(top_k=top_k, trust_scripts=trust_scripts)
    with open_index(named_index(context, index), settings) as opened:
        hits = opened.search(query, top_k=settings.search.top_k, documents=document or None, where=where)
        if heatmap:
            for hit in hits:
                path = opened.heatmap(hit.ref, picture_path(heatmap, hit.label), query, token=token)
                printing.note(f"{hit.label}: {printing.short(path)}")
    if as_json:
        printing.write_json([hit.as_dict() for hit in hits])
    else:
        printing.hits(hits)


@app.command("view")
def _view(
    context: typer.Context,
    label: Annotated[str, typer.Argument(metavar="PAGE", help="Such as 'report.pdf p. 3'.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.png", help="Where to write it.", show_default=False)],
    index: options.Index = None,
    query: Annotated[str | None, typer.Option("--query", help="Lay a map over it of where it is like this.")] = None,
    token: options.Token = None,
    trust_scripts: options.TrustScripts = False,
) -> None:
    """Write the picture of a page, with a map of where it is like a query."""
    settings = settings_of(trust_scripts=trust_scripts)
    with open_index(named_index(context, index), settings, encodes=query is not None) as opened:
        page = opened.page(label)
        path = opened.heatmap(page, out, query, token=token) if query else opened.evidence(page, out)
    printing.write(f"{path}\n")


@app.command("ask")
def _ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)],
    index: options.Index = None,
    top_k: options.TopK = None,
    document: options.Documents = None,
    model: options.Model = None,
    transport: options.Transport = None,
    pages_as: options.PagesAs = None,
    thinking: options.Thinking = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="DIR", help="Folder for pictures of cited pages; in the index by default."),
    ] = None,
    no_evidence: Annotated[bool, typer.Option("--no-evidence", help="Make no pictures of cited pages.")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write a web page with answer, cited pages and steps, too."),
    ] = None,
    trust_scripts: options.TrustScripts = False,
    as_json: options.Json = False,
) -> None:
    """Answer a question, citing pages.

    The answer goes to standard output; steps, sources and errors to standard error.
    """
    settings = settings_of(
        top_k=top_k, reasoner=model, pages_as=pages_as, thinking_level=thinking, trust_scripts=trust_scripts
    )
    with open_index(named_index(context, index), settings) as opened:
        from pagesight.agent.answers.spent import note_answer
        from pagesight.agent.terminal.ask_command import answer_once
        from pagesight.agent.terminal.costs_command import answer_line

        folder = None if no_evidence or (as_json and evidence is None) else evidence or opened.path / "evidence"
        started = time.perf_counter()
        answer, pictures = answer_once(
            opened, question, settings, model=model, pictures=folder, report=report, quiet=as_json,
            transport=transport, documents=document,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        note_answer(opened.path, "ask", answer, seconds)
    if as_json:
        printing.write_json(answer.as_dict())
    else:
        printing.sources(answer, pictures)
    printing.note(answer_line(answer, seconds))


@app.command("chat")
def _chat(
    context: typer.Context,
    index: options.Index = None,
    top_k: options.TopK = None,
    document: options.Documents = None,
    model: options.Model = None,
    transport: options.Transport = None,
    pages_as: options.PagesAs = None,
    thinking: options.Thinking = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last conversation.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Show no pages in the terminal.")] = False,
    trust_scripts: options.TrustScripts = False,
) -> None:
    """Ask question after question in one conversation; /help in it lists its commands."""
    settings = settings_of(
        top_k=top_k, reasoner=model, pages_as=pages_as, thinking_level=thinking, trust_scripts=trust_scripts
    )
    with open_index(named_index(context, index), settings) as opened:
        from pagesight.agent.terminal.chat import converse

        converse(
            opened, settings, resume=resume, pictures=not no_pictures, transport=transport, documents=document or []
        )


@app.command("documents")
def _documents(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """List the documents in the index."""
    settings = settings_of()
    with open_index(named_index(context, index), settings, encodes=False) as opened:
        records = opened.documents()
    if as_json:
        printing.write_json([record.as_dict() for record in records])
    else:
        printing.documents(records)


@app.command("remove")
def _remove(
    context: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="NAMES...", help="Documents, by name or path.", show_default=False)
    ],
    index: options.Index = None,
    as_json: options.Json = False,
) -> None:
    """Take documents out of the index; the files stay."""
    settings = settings_of()
    with open_index(named_index(context, index), settings, encodes=False) as opened:
        records = opened.remove(names)
    if as_json:
        printing.write_json([record.as_dict() for record in records])
    else:
        printing.removed(records)


@app.command("encoders")
def _encoders(as_json: options.Json = False) -> None:
    """List the page encoders that are known by name, and what is installed.

    A folder with a model in it, or another repository whose configuration names a class that is known, will do too.
    """
    from pagesight.indexing.encoders import KNOWN, choose

    if as_json:
        printing.write_json([model.as_dict() for model in KNOWN.values()])
    else:
        printing.encoders(KNOWN.values())
        choice = choose("auto")
        printing.note(f"auto: {choice.name} ({choice.why})")


@app.command("doctor")
def _doctor(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """Say what works, what is missing.

    Tells which encoder and which reasoner would be chosen and why, and the command that fixes what is missing.
    """
    from pagesight.agent.terminal.doctor import examine

    settings = settings_of()
    found = examine(settings, named_index(context, index))
    if as_json:
        printing.write_json(found.as_dict())
    else:
        printing.checkup(found)
    if not found.works:
        raise typer.Exit(1)


@app.command("costs")
def _costs(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """Say what questions have cost.

    By day, model and kind of work: tokens, pictures, seconds and, where the price is known, US dollars.
    """
    from pagesight.agent.terminal.costs_command import costs
    from pagesight.indexing.storage.address import folder_of

    settings = settings_of()
    costs(folder_of(named_index(context, index) or str(settings.index), settings), as_json=as_json)


@app.command("serve")
def _serve(
    context: typer.Context,
    index: options.Index = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 0,
) -> None:
    """Let several processes open the index in a folder, until Ctrl-C.

    They name the same folder as ever. Many may search, one at a time may add or remove.
    """
    from pagesight.agent.terminal.serve_command import serve

    settings = settings_of()
    printing.quieten_milvus()
    serve(named_index(context, index) or str(settings.index), port)


@app.command("mcp")
def _mcp(
    context: typer.Context,
    index: options.Index = None,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP on loopback instead of stdin and stdout.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of --http; 0 takes a free one.")] = 8365,
    trust_scripts: options.TrustScripts = False,
) -> None:
    """Serve the index to MCP clients.

    They can search its pages, look at them and list its documents. Needs the extra mcp.
    """
    from pagesight.agent.mcp import serve_http, serve_stdio

    settings = settings_of(trust_scripts=trust_scripts)
    with open_index(named_index(context, index), settings) as opened:
        if http:
            serve_http(opened, port, lambda address: printing.note(f"MCP server at {address}"))
        else:
            serve_stdio(opened)


@app.command("files")
def _files(
    context: typer.Context,
    index: options.Index = None,
    purge: Annotated[bool, typer.Option("--purge", help="Delete them from the service.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write all pages' pictures, for a bucket.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List page pictures uploaded to Gemini.

    Those that the transport files has uploaded for this index with this key; they expire after two days by themselves.
    """
    from pagesight.agent.terminal.files_command import delete_uploads, list_uploads, write_pictures

    settings = settings_of()
    place = named_index(context, index)
    if export:
        printing.write(f"wrote {write_pictures(place, settings, export)} pages to {export}\n")
        return
    found = (delete_uploads if purge else list_uploads)(place, settings)
    if as_json:
        printing.write_json([upload.as_dict() for upload in found])
    else:
        printing.uploads(found, deleted=purge)


def _encoder(index: PageIndex) -> str:
    """The encoder of an index and why it is this one."""
    from pagesight.indexing.encoders import choose

    choice = choose(index.settings.encoding.encoder)
    why = choice.why if choice.name == index.encoder.name else "the index was made with it"
    return f"{index.encoder.name}: {why}"


if __name__ == "__main__":
    sys.exit(main())
