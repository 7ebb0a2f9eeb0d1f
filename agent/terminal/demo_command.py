"""`pagesight demo`: indexes the sample documents that come with it and asks them three questions."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import typer

from pagesight.agent.terminal import printing

#: They lie beside the package `agent`: in the wheel as in a clone.
_SAMPLES = Path(__file__).parents[2] / "samples"
_QUESTIONS = (
    "What mean interest rate do the loans carry?",
    "Which heat pump was the loudest, and how many dB(A) did it reach?",
    "Welche Leistungszahl hat die Tarn 16 bei A2/W35?",
)


def demo() -> None:
    """Show it with sample documents.

    Indexes six documents that come with pagesight, in the user's cache folder, and asks three questions: about a
    report, about a scanned letter, and in German. Gemini answers if there is a key.
    """
    from pagesight.indexing.configuration.environment import cache_folder

    place = cache_folder() / "demo"
    _run("index", str(_SAMPLES), place=place)
    for question in _QUESTIONS:
        _run("ask", question, place=place)
    printing.note(
        f"\nNow yours: pagesight chat --index {shlex.quote(str(place))}\n       or: pagesight ask QUESTION FILES…"
    )


def _run(*words: str, place: Path) -> None:
    """Runs a command as one would type it, below what one would type. Raises Exit if it fails."""
    command = [*words, "--index", str(place)]
    printing.note(f"\n$ pagesight {shlex.join(command)}")
    done = subprocess.run([sys.executable, "-m", "pagesight.agent.cli", *command], check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
