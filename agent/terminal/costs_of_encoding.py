"""What an encoder that is paid by the page will cost: said before a run, asked about on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pagesight.agent.terminal import printing
from pagesight.agent.terminal.approval import approve

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings

_OFFERED = "gemini-embedding-2"


def ask(index: PageIndex, pages: int, *, yes: bool) -> None:
    """Says what encoding so many pages will cost, if it costs, and asks. Raises SettingsError where nobody says yes."""
    ask_for([encoder.name for encoder in index.encoders], pages, index.settings, yes=yes)


def ask_for(encoders: Sequence[str], pages: int, settings: Settings, *, yes: bool) -> None:
    """The same for encoders by their names."""
    from pagesight.indexing.encoders import estimate_costs

    estimate = estimate_costs(encoders, pages, settings)
    if estimate is None:
        return
    approve(estimate, yes=yes, question="Encode them?", done="encoded")


def offer(index: PageIndex, pages: int) -> None:
    """Where words alone were compared and there is a key: what vectors of the pages' pictures would cost, and add."""
    from pagesight.indexing.encoders import estimate_costs

    settings = index.settings
    if not pages or [encoder.name for encoder in index.encoders] != ["lexical"] or settings.encoding.encoder != "auto":
        return
    if not settings.gemini.google_api_key or not sys.stderr.isatty():
        return
    estimate = estimate_costs([_OFFERED], pages, settings)
    dollars = f"about ${estimate.dollars:.4f}" if estimate and estimate.dollars is not None else "a price not known"
    printing.note(
        f"`pagesight index --encoder {_OFFERED}` would also compare what pages look like, charts and scans among them: "
        f"{dollars} for these {pages} pages, with your GOOGLE_API_KEY"
    )
