"""`pagesight encoders`: which page encoders are known, and whether one of them works here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import costs_of_encoding, options, printing, results
from pagesight.agent.terminal.options import settings_of

if TYPE_CHECKING:
    from pagesight.indexing.settings import Settings


def encoders(
    check: Annotated[
        str | None, typer.Option("--check", metavar="NAME", help="Load this one and show whether it works here.")
    ] = None,
    device: options.Device = None,
    revision: options.Revision = None,
    trust_remote_code: options.TrustRemoteCode = False,
    dollars: options.Dollars = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """List the page encoders that are known by name, and what is installed; or check one.

    A folder with a model in it, or another repository whose configuration names a class that is known, will do too.
    """
    if check is not None:
        settings = settings_of(
            device=device, revision=revision, trust_remote_code=trust_remote_code, encoder_dollars=dollars
        )
        _check(check, settings, yes, as_json)
        return
    from pagesight.indexing.encoders import KNOWN, choose

    if as_json:
        printing.write_json([model.as_dict() for model in KNOWN.values()])
    else:
        results.encoders(KNOWN.values())
        choice = choose("auto")
        printing.note(f"auto: {choice.name} ({choice.why})")


def _check(name: str, settings: Settings, yes: bool, as_json: bool) -> None:
    from pagesight.indexing.audit.encoder_check import PAGES_SENT, check_encoder
    from pagesight.indexing.encoders import make_encoder

    encoder = make_encoder(name, settings)
    costs_of_encoding.ask_for([encoder.name], PAGES_SENT, settings, yes=yes)
    try:
        found = check_encoder(encoder)
    finally:
        encoder.close()
    if as_json:
        printing.write_json(found.as_dict())
    else:
        results.encoder_check(found)
    if not found.works:
        raise typer.Exit(1)
