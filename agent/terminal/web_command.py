"""`pagesight web`: the page to work in, on loopback, until it is stopped."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from pagesight.agent.terminal import options, printing
from pagesight.agent.terminal.options import named_index, open_index, settings_of
from pagesight.agent.terminal.serve_http_command import serving


def web(
    context: typer.Context,
    index: options.Index = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address only; open no browser.")] = False,
    model: options.Model = None,
    transport: options.Transport = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
) -> None:
    """Work in a page of your browser.

    Ask, and see the cited page with the words marked; add documents by dropping them there. Only this machine can reach
    it, and only with the address that is printed. Makes the index if there is none. Needs the extra web.
    """
    run, _ = serving("web", "web")
    settings = settings_of(trust_scripts=trust_scripts)
    with open_index(named_index(context, index), settings, create=True) as opened:
        found = opened.place
    from pagesight.agent.servers.service import Plan
    from pagesight.agent.servers.tokens import OWN, Tokens, new_token

    sent, made = new_token(OWN)
    plan = Plan(found, settings, Tokens((made,)), model, transport, page=True)

    def started(address: str) -> None:
        whole = f"{address}/?token={sent}"
        printing.note(f"open {whole}\nCtrl-C ends it")
        if not no_open:
            webbrowser.open(whole)

    run(plan, host="127.0.0.1", port=port, workers=1, started=started)
