"""`pagesight correct` and `corrections`: words of pages that were read wrongly, as they should be."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing, results
from pagesight.agent.terminal.options import existing_index, open_index, settings_of

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.pages import Correction, PageRef


def correct(
    context: typer.Context,
    label: Annotated[str, typer.Argument(metavar="PAGE", help="Such as 'report.pdf p. 3'.", show_default=False)],
    was: Annotated[str, typer.Argument(metavar="WAS", help="The words as they were read.", show_default=False)],
    now: Annotated[str, typer.Argument(metavar="NOW", help="What stands on the page.", show_default=False)],
    index: options.Index = None,
    nth: Annotated[
        int | None, typer.Option("--nth", min=1, help="Which one, from the top, if they stand there more than once.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who corrects; your login name by default.")] = None,
    wait: options.Wait = None,
    password: options.Passwords = None,
    password_file: options.PasswordFile = None,
    trust_scripts: options.TrustScripts = False,
) -> None:
    """Correct words of a page that were read wrongly.

    They are searched, quoted and marked so from then on. `pagesight view PAGE --text` prints what was read,
    `pagesight corrections` what was corrected.
    """
    settings = settings_of(wait=wait, trust_scripts=trust_scripts, passwords=password, password_file=password_file)
    place = existing_index(context, index)
    with open_index(place, settings) as opened:
        page = opened.page(label.strip("[] "))
        made = opened.correct(page, was, now, at=nth, by=_login_name() if by is None else by)
    printing.write(f"{page.label}: “{made.was}” is “{made.now}” now (undo: {made.id})\n")


def corrections(
    context: typer.Context,
    index: options.Index = None,
    document: options.Documents = None,
    undo: Annotated[
        str | None, typer.Option("--undo", metavar="ID", help="Take back this correction, and later ones of its words.")
    ] = None,
    wait: options.Wait = None,
    trust_scripts: options.TrustScripts = False,
    as_json: options.Json = False,
) -> None:
    """List the words that were corrected, or take one correction back."""
    settings = settings_of(wait=wait, trust_scripts=trust_scripts)
    place = existing_index(context, index)
    with open_index(place, settings, encodes=undo is not None) as opened:
        found = opened.corrections(document or None)
        if undo is not None:
            found = _undone(opened, found, undo)
    if as_json:
        printing.write_json([{"page": ref.label} | correction.as_dict() for ref, correction in found])
    else:
        results.corrections(found, undone=undo is not None)


def _undone(index: PageIndex, found: list[tuple[PageRef, Correction]], known: str) -> list[tuple[PageRef, Correction]]:
    from pagesight.indexing.errors import BadCorrection

    page = next((ref for ref, correction in found if correction.id == known), None)
    if page is None:
        raise BadCorrection(f"there is no correction {known!r}: `pagesight corrections` lists them.")
    return [(page, correction) for correction in index.undo_correction(page, known)]


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return ""
