"""PDFs that pdfium refuses, drawn anew by poppler where it is installed: what comes out, pdfium reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SECONDS = 60.0  # that it may take for one document or page; a guess, not measured

#: What is told of a document, or a page, that came about so.
DRAWN_BY_POPPLER = "pdfium cannot read it; it was drawn by poppler"


def drawn_anew(path: Path, number: int | None = None) -> bytes | None:
    """A PDF of the document, or of this page of it; None where poppler is not installed or cannot read it either."""
    program = shutil.which("pdftocairo")
    if program is None:
        return None
    pages = ["-f", str(number), "-l", str(number)] if number is not None else []
    try:
        done = subprocess.run(
            [program, "-pdf", *pages, str(path.absolute()), "-"], capture_output=True, timeout=_SECONDS, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout if done.returncode == 0 and done.stdout.startswith(b"%PDF-") else None
