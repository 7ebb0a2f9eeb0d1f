"""`pagesight classify`: what kind of page each is, of the labels that somebody gives."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing, progress_bars
from pagesight.agent.terminal.options import existing_index, open_index, settings_of

if TYPE_CHECKING:
    from pagesight.indexing import Classified


def classify(
    context: typer.Context,
    labels: Annotated[
        str, typer.Option("--labels", metavar="LABELS", help="Two or more, as in 'letter,invoice,bank statement'.")
    ],
    index: options.Index = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME", help="Which one of the index's encoders says it.")
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt", metavar="TEXT", help="What it is asked, such as 'a scan of a {label}'; by the encoder's kind."
        ),
    ] = None,
    document: options.Documents = None,
    wait: options.Wait = None,
    trust_scripts: options.TrustScripts = False,
    as_json: options.Json = False,
) -> None:
    """Label pages, without examples, by an encoder that looks at them.

    Each page keeps how much it is of each label, 0 to 1 and together 1, in place of labels that it had. Then
    `--where page_letter` searches letters only, and `--where 'page_invoice >= 0.8'` what surely is an invoice.
    """
    settings = settings_of(wait=wait, trust_scripts=trust_scripts)
    place = existing_index(context, index)
    wanted = [label.strip() for label in labels.split(",") if label.strip()]
    with open_index(place, settings) as opened, progress_bars.count_bar("documents") as progress:
        done = opened.classify(wanted, encoder=encoder, prompt=prompt, documents=document or None, progress=progress)
    if as_json:
        printing.write_json(asdict(done))
    else:
        _print(done)


def _print(done: Classified) -> None:
    for label, pages in sorted(done.pages.items(), key=lambda item: -item[1]):
        printing.write(f"{pages:6d}  page_{label}\n")
    printing.write(f"by {done.encoder}, asked “{done.prompt}”\n")
    if done.lost:
        printing.write(
            f"{len(done.lost)} pages have lost their vectors and got no labels: `pagesight repair` makes them anew.\n"
        )
