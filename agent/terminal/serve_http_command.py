"""`pagesight serve-http`: questions, search, documents and pages over HTTP, until it is stopped; `pagesight token`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing
from pagesight.agent.terminal.options import existing_index, named_index, open_index, settings_of
from pagesight.indexing.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from pagesight.agent.servers.tokens import KnownTokens

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--tokens", metavar="FILE", help="Who may use it (`pagesight token`); a new token at each start if none."
    ),
]


def serve_http(
    context: typer.Context,
    index: options.Index = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; others than loopback need --tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8366,
    tokens: TokenFile = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that share the index.")] = 1,
    host_name: Annotated[
        list[str] | None,
        typer.Option("--host-name", metavar="NAME", help="A name that it is reached by; can be given again."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="A page's origin that may use it; can be given again."),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the index if there is none.")] = False,
    model: options.Model = None,
    transport: options.Transport = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
) -> None:
    """Serve the index over HTTP.

    Questions, search, documents and pages, in JSON and as events, for those with a token; docs/service.md has the
    addresses. Needs the extra http.
    """
    settings = settings_of(trust_scripts=trust_scripts)
    place = named_index(context, index) if create else existing_index(context, index)
    with open_index(place, settings, create=create) as opened:  # what cannot be opened, or may not run, is said now
        found = opened.place
    run, loopback = serving("serve-http", "http")
    if not loopback(host) and tokens is None:
        raise SettingsError(
            f"{host} can be reached by others: say who may use the service with --tokens FILE, which "
            "`pagesight token` makes"
        )
    from pagesight.agent.servers.service import Plan

    known, sent = _tokens(tokens)
    names = (*(host_name or []), *([] if host in ("0.0.0.0", "::") else [host]))
    plan = Plan(found, settings, known, model, transport, names, tuple(origin or []))

    def started(address: str) -> None:
        printing.note(f"service at {address}")
        printing.note(f"token: {sent}" if sent else f"tokens: those of {tokens}")

    run(plan, host=host, port=port, workers=workers, started=started)


def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.", show_default=False)],
    tokens: Annotated[Path, typer.Option("--tokens", metavar="FILE", help="The file that keeps its hash.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="read, ask or write; can be given again; all if none is."),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="CONDITION", help="Which documents it sees, by metadata.")
    ] = None,
    document_id: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="A document that it sees, by id; can be given again.")
    ] = None,
    metadata: options.Metadata = None,
    questions: Annotated[
        int | None, typer.Option("--questions", metavar="N", min=1, help="Questions at a time, in each process.")
    ] = None,
    dollars: Annotated[
        float | None,
        typer.Option("--dollars-a-day", metavar="D", help="What its questions may cost in a day (UTC), by the ledger."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the token of that name away.")] = False,
) -> None:
    """Make a token for `serve-http`.

    Prints it once; the file keeps its hash. What it uploads gets the metadata of --meta.
    """
    from pagesight.agent.servers.tokens import SCOPES, Tokens, new_token, read_tokens, write_tokens
    from pagesight.indexing.documents.metadata import read_pairs

    known = read_tokens(tokens) if tokens.exists() else Tokens()
    if remove:
        write_tokens(tokens, known.without(name))
        printing.note(f"removed {name}; a service that runs refuses it from now on")
        return
    sent, made = new_token(
        name, scope or SCOPES, where=where, ids=document_id or None, metadata=read_pairs(metadata or []),
        questions=questions, dollars_a_day=dollars,
    )  # fmt: skip
    write_tokens(tokens, known.added(made))
    printing.write(f"{sent}\n")


def _tokens(file: Path | None) -> tuple[KnownTokens, str]:
    """The tokens, and what is sent for the one that was made now; "" where they come from a file."""
    from pagesight.agent.servers.tokens import OWN, TokenFile, Tokens, new_token, read_tokens

    if file is None:
        sent, made = new_token(OWN)
        return Tokens((made,)), sent
    if not read_tokens(file).known:
        raise SettingsError(f"there is no token in {file}: make one with `pagesight token NAME --tokens {file}`")
    return TokenFile(file), ""


def serving(command: str, extra: str) -> tuple[Callable[..., None], Callable[[str], bool]]:
    """What serves, and what tells an address of loopback. Raises MissingExtra."""
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import sse_starlette  # noqa: F401

        from pagesight.agent.servers.run import is_loopback, serve
    except ImportError as error:
        from pagesight.indexing.configuration.installation import install_command

        raise MissingExtra(
            f"`pagesight {command}` needs the extra {extra} ({error.name or error} is missing): "
            f"run `{install_command(extra)}`"
        ) from error
    return serve, is_loopback
