"""What reports of all kinds have in common: a line on how the answer came about, and the file that they go to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.indexing.storage.folder import disk_errors

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer


def write_report(path: Path, text: str) -> None:
    """Writes the file, with its folder. Raises StorageFull and PageIndexError."""
    with disk_errors(f"the report {path} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def footer(answer: Answer) -> str:
    """Who answered, with how many tokens, for how much, and when."""
    tokens = answer.usage.get("total_tokens", 0)
    parts = [f"answered by {answer.reasoner}", f"{tokens:,} tokens" if tokens else ""]
    if answer.usage.get("cost") is not None:
        parts.append(f"${answer.usage['cost']:.4f}")
    parts.append(f"{datetime.now().astimezone():%Y-%m-%d %H:%M}")
    return "pagesight · " + " · ".join(part for part in parts if part)
