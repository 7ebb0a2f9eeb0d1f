"""Measured tables inside pages of documentation, between marks such as <!-- table: runs --> and <!-- end -->."""

from __future__ import annotations

import re
from pathlib import Path


def write_between(page: Path, name: str, table: str) -> None:
    """Put a table between its marks. Raises ValueError where the page has no such marks."""
    text, found = re.subn(
        rf"(<!-- table: {name} -->\n).*?(<!-- end -->)",
        lambda marks: f"{marks[1]}{table.strip()}\n{marks[2]}",
        page.read_text(encoding="utf-8"),
        flags=re.S,
    )
    if found != 1:
        raise ValueError(f"{page} has no marks for the table {name}")
    page.write_text(text, encoding="utf-8")
