"""Writes a report to a folder: retrieval.json, questions.csv with all values of each question, and the plots."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from pagesight.indexing.evaluate.compare import RetrievalReport
from pagesight.indexing.evaluate.plot import plot, plot_split
from pagesight.indexing.storage.folder import disk_errors


def write_retrieval_report(report: RetrievalReport, folder: Path) -> list[Path]:
    """Write everything and return the paths. Raises StorageFull, PageIndexError, MissingExtra without matplotlib."""
    with disk_errors(f"the report in {folder} cannot be written"):
        folder.mkdir(parents=True, exist_ok=True)
        numbers = folder / "retrieval.json"
        numbers.write_text(json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        values = _write_values(report, folder / "questions.csv")
        plots = [plot(report, folder / "retrieval.png")]
        plots += [plot_split(report, split, folder / f"by-{_slug(split)}.png") for split in report.splits]
    return [numbers, values, *plots]


def _write_values(report: RetrievalReport, path: Path) -> Path:
    rows = report.by_question()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)
