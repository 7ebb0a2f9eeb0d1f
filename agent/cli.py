"""The command line: parses arguments, calls the library, hands what comes back to `terminal`.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl-C. Heavy parts are imported in the command that
needs them, and help is plain text, so that `pagesight --help` comes at once.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pagesight.agent.terminal import audit_cli, eval_cli, printing
from pagesight.indexing.errors import PagesightError

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings

app = typer.Typer(
    help="Answers questions about documents by looking at their pages.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip
app.add_typer(eval_cli.app, name="eval")
app.command("audit")(audit_cli.audit)

Index = Annotated[
    str | None,
    typer.Option(
        "--index", metavar="DIR", help="Folder of the index, or http://HOST:PORT/NAME; .pagesight by default."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
TopK = Annotated[int | None, typer.Option("--top-k", min=1, max=100, help="Pages that a search returns; 5 by default.")]
Documents = Annotated[
    list[str] | None, typer.Option("--document", metavar="NAME", help="Only this document; can be given again.")
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help="Only documents whose metadata meets it: 'year >= 2020'."),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "--reasoner", help="auto, offline, google_genai:MODEL or another LangChain PROVIDER:MODEL."
    ),
]
Token = Annotated[str | None, typer.Option("--token", metavar="WORD", help="Map only this word of the query.")]
Transport = Annotated[
    Literal["auto", "bytes", "base64", "files"] | None,
    typer.Option("--transport", help="How page pictures reach the model."),
]
Thinking = Annotated[
    Literal["default", "low", "medium", "high"] | None,
    typer.Option("--thinking", help="How much Gemini thinks before it answers."),
]
PagesAs = Annotated[Literal["picture", "pdf"] | None, typer.Option("--as", help="What Gemini gets of a whole page.")]


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
    index: Index = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    context.obj = index


@app.command("index")
def _index(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATHS...", help="Files and folders.", show_default=False)],
    index: Index = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder", help="What makes vectors of pages: auto, a name, a model's folder or external:SCRIPT."
        ),
    ] = None,
    dim: Annotated[
        int | None, typer.Option("--dim", min=1, help="Dimensions to cut vectors to, where the encoder allows it.")
    ] = None,
    device: Annotated[
        Literal["auto", "cuda", "mps", "cpu"] | None, typer.Option("--device", help="What the encoder runs on.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="COMMIT", help="Commit of the encoder's repository.")
    ] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run the repository's own code; needs --revision.")
    ] = False,
    pool: Annotated[
        int | None, typer.Option("--pool", min=1, help="Pool so many vectors of a page into one: less disk.")
    ] = None,
    precision: Annotated[
        Literal["float16", "int8"] | None, typer.Option("--precision", help="How page vectors are kept.")
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option("--meta", metavar="KEY=VALUE", help="What to note of them; can be given again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Index documents, skip unchanged ones.

    New ones are added, changed ones take the place of their older version.
    """
    from pagesight.indexing.documents.metadata import read_pairs

    settings = _settings(
        encoder=encoder, dim=dim, device=device, revision=revision, trust_remote_code=trust_remote_code or None,
        pool=pool, precision=precision,
    )  # fmt: skip
    noted = read_pairs(meta or [])
    with _opened(_place(context, index, settings), settings, encoder=encoder, create=True) as opened:
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
    index: Index = None,
    top_k: TopK = None,
    document: Documents = None,
    where: Where = None,
    heatmap: Annotated[
        Path | None,
        typer.Option("--heatmap", metavar="DIR", help="Write each page with a map of where it is like the query."),
    ] = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Find the pages that fit a query best."""
    from pagesight.agent.reports.cited_pages import picture_path

    settings = _settings(top_k=top_k)
    with _opened(_place(context, index, settings), settings) as opened:
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
    index: Index = None,
    query: Annotated[str | None, typer.Option("--query", help="Lay a map over it of where it is like this.")] = None,
    token: Token = None,
) -> None:
    """Write the picture of a page, with a map of where it is like a query."""
    settings = _settings()
    with _opened(_place(context, index, settings), settings) as opened:
        page = opened.page(label)
        path = opened.heatmap(page, out, query, token=token) if query else opened.evidence(page, out)
    printing.write(f"{path}\n")


@app.command("ask")
def _ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)],
    index: Index = None,
    top_k: TopK = None,
    document: Documents = None,
    model: Model = None,
    transport: Transport = None,
    pages_as: PagesAs = None,
    thinking: Thinking = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="DIR", help="Folder for pictures of cited pages; in the index by default."),
    ] = None,
    no_evidence: Annotated[bool, typer.Option("--no-evidence", help="Make no pictures of cited pages.")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write a web page with answer, cited pages and steps, too."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Answer a question, citing pages.

    The answer goes to standard output; steps, sources and errors to standard error.
    """
    settings = _settings(top_k=top_k, reasoner=model, pages_as=pages_as, thinking_level=thinking)
    with _opened(_place(context, index, settings), settings) as opened:
        from pagesight.agent.terminal.ask_command import answer_once

        folder = None if no_evidence or (as_json and evidence is None) else evidence or opened.path / "evidence"
        answer, pictures = answer_once(
            opened, question, settings, model=model, pictures=folder, report=report, quiet=as_json,
            transport=transport, documents=document,
        )  # fmt: skip
    if as_json:
        printing.write_json(answer.as_dict())
    else:
        printing.sources(answer, pictures)


@app.command("chat")
def _chat(
    context: typer.Context,
    index: Index = None,
    top_k: TopK = None,
    document: Documents = None,
    model: Model = None,
    transport: Transport = None,
    pages_as: PagesAs = None,
    thinking: Thinking = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last conversation.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Show no pages in the terminal.")] = False,
) -> None:
    """Ask question after question in one conversation; /help in it lists its commands."""
    settings = _settings(top_k=top_k, reasoner=model, pages_as=pages_as, thinking_level=thinking)
    with _opened(_place(context, index, settings), settings) as opened:
        from pagesight.agent.terminal.chat import converse

        converse(
            opened, settings, resume=resume, pictures=not no_pictures, transport=transport, documents=document or []
        )


@app.command("documents")
def _documents(context: typer.Context, index: Index = None, as_json: Json = False) -> None:
    """List the documents in the index."""
    settings = _settings()
    with _opened(_place(context, index, settings), settings) as opened:
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
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Take documents out of the index; the files stay."""
    settings = _settings()
    with _opened(_place(context, index, settings), settings) as opened:
        records = opened.remove(names)
    if as_json:
        printing.write_json([record.as_dict() for record in records])
    else:
        printing.removed(records)


@app.command("encoders")
def _encoders(as_json: Json = False) -> None:
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
def _doctor(context: typer.Context, index: Index = None, as_json: Json = False) -> None:
    """Say what works, what is missing.

    Tells which encoder and which reasoner would be chosen and why, and the command that mends what is missing.
    """
    from pagesight.agent.terminal.doctor import examine

    settings = _settings()
    report = examine(settings, _place(context, index, settings))
    if as_json:
        printing.write_json(report.as_dict())
    else:
        printing.checkup(report)
    if not report.works:
        raise typer.Exit(1)


@app.command("serve")
def _serve(
    context: typer.Context,
    index: Index = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 0,
) -> None:
    """Let several processes open the index in a folder, until Ctrl-C.

    They name the same folder as ever. Many may search, one at a time may add or remove.
    """
    from pagesight.agent.terminal.serve_command import serve

    settings = _settings()
    printing.quieten_milvus()
    serve(_place(context, index, settings), port)


@app.command("mcp")
def _mcp(
    context: typer.Context,
    index: Index = None,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP on loopback instead of stdin and stdout.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of --http; 0 takes a free one.")] = 8365,
) -> None:
    """Serve the index to MCP clients.

    They can search its pages, look at them and list its documents. Needs the extra mcp.
    """
    from pagesight.agent.mcp import serve_http, serve_stdio

    settings = _settings()
    with _opened(_place(context, index, settings), settings) as opened:
        if http:
            serve_http(opened, port, lambda address: printing.note(f"MCP server at {address}"))
        else:
            serve_stdio(opened)


@app.command("files")
def _files(
    context: typer.Context,
    index: Index = None,
    purge: Annotated[bool, typer.Option("--purge", help="Delete them from the service.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write all pages' pictures, for a bucket.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List page pictures uploaded to Gemini.

    Those that the transport files has uploaded for this index with this key; they expire after two days by themselves.
    """
    from pagesight.agent.reasoners.choose import gemini
    from pagesight.indexing.storage.address import folder_of
    from pagesight.tools.transport.files_api import purge as purged
    from pagesight.tools.transport.files_api import uploads

    settings = _settings()
    place = _place(context, index, settings)
    if export:
        printing.write(f"wrote {_exported(place, settings, export)} pages to {export}\n")
        return
    folder = folder_of(place, settings) / "uploads"
    found = (purged if purge else uploads)(gemini(settings.gemini.gemini_model, settings), folder)
    if as_json:
        printing.write_json([upload.as_dict() for upload in found])
    else:
        printing.uploads(found, deleted=purge)


def _exported(place: str, settings: Settings, folder: Path) -> int:
    from pagesight.tools.transport.export import write_pages
    from pagesight.tools.transport.pictures import Pictures

    with _opened(place, settings) as opened:
        pictures = Pictures(
            opened, tiles=settings.pictures.tiles_per_picture, form=settings.pictures.pages_as, webp=True
        )
        return write_pages(opened, pictures, folder)


def _settings(**explicit: object) -> Settings:
    from pagesight.indexing.settings import load_settings

    return load_settings(**explicit)


def _place(context: typer.Context, index: str | None, settings: Settings) -> str:
    """The index's address: given after the command, before it, or set."""
    return index or context.obj or str(settings.index)


def _opened(place: str, settings: Settings, *, encoder: str | None = None, create: bool = False) -> PageIndex:
    from pagesight.indexing import PageIndex

    printing.quieten_milvus()
    return PageIndex.open(place, encoder=encoder, settings=settings, create=create)


def _encoder(index: PageIndex) -> str:
    """The encoder of an index and why it is this one."""
    from pagesight.indexing.encoders import choose

    choice = choose(index.settings.encoding.encoder)
    why = choice.why if choice.name == index.encoder.name else "the index was made with it"
    return f"{index.encoder.name}: {why}"


if __name__ == "__main__":
    sys.exit(main())
