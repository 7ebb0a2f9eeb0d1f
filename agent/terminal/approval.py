"""A word before something is paid for: the estimate is said, and on a terminal it is asked whether to go on."""

from __future__ import annotations

import sys

import typer

from pagesight.agent.terminal import printing
from pagesight.indexing.errors import SettingsError


def approve(estimate: object, *, yes: bool, question: str, done: str) -> None:
    """Says what it will cost, and asks the ``question`` unless ``yes``; ``done``, such as "asked", is what then is not.

    Raises SettingsError where nobody says yes, and where nobody can be asked.
    """
    printing.note(str(estimate))
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            f"{estimate}. It is paid for by your key, and nobody is asked here: run the same with --yes, and with "
            "--dollars for a limit."
        )
    if not typer.confirm(question, default=False, err=True):
        raise SettingsError(f"nothing was {done}, and nothing was paid: the estimate was not confirmed.")
