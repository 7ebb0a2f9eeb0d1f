"""`pagesight search`, `view` and `documents`: what is in an index, without a question to the agent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing, results
from pagesight.agent.terminal.options import existing_index, open_index, settings_of

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.ranking.picture_question import Question


def search(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(metavar="[QUERY]", show_default=False)] = None,
    image: Annotated[
        Path | None,
        typer.Option("--image", metavar="FILE", help="Find pages like this picture, with QUERY or without."),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="PAGE", help="As --image: a page's label, or 'a.pdf p. 5, region 0,0,500,999'."),
    ] = None,
    index: options.Index = None,
    top_k: options.TopK = None,
    document: options.Documents = None,
    where: options.Where = None,
    rerank: options.Rerank = None,
    heatmap: options.Heatmap = None,
    token: options.Token = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Find the pages that fit a query, a picture, or both together best."""
    from pagesight.agent.reports.cited_pages import picture_path

    if image and like:
        raise typer.BadParameter("name a picture or a page, not both", param_hint="--like")
    if query is None and not (image or like):
        raise typer.BadParameter("ask with words, --image or --like", param_hint="QUERY")
    settings = settings_of(top_k=top_k, rerank=rerank, trust_scripts=trust_scripts)
    place = existing_index(context, index)
    with open_index(place, settings) as opened:
        question = _question(opened, query or "", image, like)
        hits = opened.search(question, top_k=settings.search.top_k, documents=document or None, where=where)
        if heatmap:
            for hit in hits:
                path = opened.heatmap(hit.ref, picture_path(heatmap, hit.label), question, token=token)
                printing.note(f"{hit.label}: {printing.short(path)}")
    results.shown(hits, as_json, results.hits)


def _question(opened: PageIndex, words: str, image: Path | None, like: str | None) -> Question:
    if image:
        return opened.picture_question(image, words)
    return opened.like(like, words=words) if like else words


def view(
    context: typer.Context,
    label: Annotated[str, typer.Argument(metavar="PAGE", help="Such as 'report.pdf p. 3'.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.png", help="Where to write it; in the index by default.")
    ] = None,
    index: options.Index = None,
    query: Annotated[str | None, typer.Option("--query", help="Lay a map over it of where it is like this.")] = None,
    token: options.Token = None,
    text: Annotated[bool, typer.Option("--text", help="Print its words instead, as they were read.")] = False,
    password: options.Passwords = None,
    password_file: options.PasswordFile = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
) -> None:
    """Show a page.

    Writes its picture, with a map of where it is like a query, prints the path and, on a terminal, opens it in the
    desktop's viewer unless --out says where to write it.
    """
    from pagesight.agent.reports.cited_pages import picture_path
    from pagesight.agent.terminal.desktop import open_outside

    settings = settings_of(trust_scripts=trust_scripts, passwords=password, password_file=password_file)
    place = existing_index(context, index)
    with open_index(place, settings, encodes=query is not None) as opened:
        page = opened.page(label.strip("[] "))
        if text:
            printing.write(opened.text(page) + "\n")
            return
        to = out or picture_path(opened.path / "evidence", page.label)
        path = opened.heatmap(page, to, query, token=token) if query else opened.evidence(page, to)
    printing.write(f"{path if out else printing.short(path)}\n")
    if out is None and sys.stdout.isatty():
        open_outside(path)


def outline(
    context: typer.Context,
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its name or id.", show_default=False)],
    index: options.Index = None,
    as_json: options.Json = False,
) -> None:
    """Show what the parts of a document are called, and their pages."""
    settings = settings_of()
    place = existing_index(context, index)
    with open_index(place, settings, encodes=False) as opened:
        found = opened.outline(document)
    if as_json:
        printing.write_json(found.as_dict())
    else:
        results.outline(found)


def documents(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """List the documents in the index."""
    settings = settings_of()
    place = existing_index(context, index)
    with open_index(place, settings, encodes=False) as opened:
        records = opened.documents()
    results.shown(records, as_json, results.documents)
