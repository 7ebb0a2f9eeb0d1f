"""Pictures of the pages that an answer cites, with what matches the question and what is cited marked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.indexing import PageIndex


_LONGEST = 60  # characters of a name, each of up to 4 bytes: file systems allow 255 bytes


def write_pictures(
    index: PageIndex, answer: Answer, question: str, folder: Path, *, labels: Iterable[str] | None = None
) -> dict[str, Path]:
    """Writes a PNG of each cited page, or of the pages with these ``labels``, into a folder: label → path.

    Highlighted are the words that support the answer's claims, or else what matches the question.
    Raises what `PageIndex.evidence` raises.
    """
    wanted = dict.fromkeys(citation.label for citation in answer.citations) if labels is None else labels
    return {label: write_picture(index, answer, question, label, picture_path(folder, label)) for label in wanted}


def write_picture(index: PageIndex, answer: Answer, question: str, label: str, path: Path) -> Path:
    """Writes the PNG of one page, marked as `write_pictures` says; returns its path."""
    regions = [citation.region for citation in answer.citations if citation.label == label and citation.region]
    boxes = [box for claim in answer.claims for one in claim.evidence if one.label == label for box in one.boxes]
    query = None if boxes else question
    return index.evidence(index.page(label), path, query=query, regions=regions, boxes=boxes)


def picture_path(folder: Path, label: str) -> Path:
    """Where the picture of a page lies: ``annual.pdf p. 12`` → ``<folder>/annual.pdf-p12.png``.

    A label with other characters than files' names should have, or with capitals, which some disks do not tell apart,
    ends in a few digits of its hash, so that no two labels share a file.
    """
    plain = re.sub(r" p\. (\d+)$", r"-p\1", label)
    name = re.sub(r"[^\w.()+-]+", "-", plain).lstrip(".-")[:_LONGEST]
    if name != plain or name != plain.casefold():
        name += f"-{hashlib.sha256(label.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return folder / f"{name}.png"
