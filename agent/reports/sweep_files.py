"""A sweep's table as a file: CSV, JSON or a web page, by the file's suffix.

Values come from documents and models: in HTML they are escaped, in CSV none of them is a formula.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.agent.reports.html_page import html_page
from pagesight.agent.reports.report_file import write_report
from pagesight.indexing.errors import SettingsError

if TYPE_CHECKING:
    from pagesight.agent.sweeps.swept import SweepTable, SweptRow

SUFFIXES = (".csv", ".json", ".html")
_COLUMNS = ("document", "page", "value", "state", "citation", "outcome", "reason", "document_id")
#: What a spreadsheet would compute: https://owasp.org/www-community/attacks/CSV_Injection.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+\-][\d.,\s]*%?")


def check_suffix(path: Path) -> None:
    """Raises SettingsError for a file whose suffix names no form that there is."""
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"the table cannot be written to {path}: its name must end in {', '.join(SUFFIXES)}")


def write_sweep(path: Path, table: SweepTable) -> None:
    """Writes the table. Raises SettingsError for another suffix, StorageFull and PageIndexError."""
    check_suffix(path)
    made = {".csv": _as_csv, ".json": _as_json, ".html": _as_html}[path.suffix.lower()]
    write_report(path, made(table))


def _as_json(table: SweepTable) -> str:
    return json.dumps(table.as_dict(), indent=2, ensure_ascii=False) + "\n"


def _as_csv(table: SweepTable) -> str:
    keys = list(dict.fromkeys(key for row in table.rows for key in row.metadata))
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([*_COLUMNS, *(_inert(f"metadata.{key}") for key in keys)])
    for row in table.rows:
        told = row.as_dict()
        writer.writerow([_inert(told[name]) for name in _COLUMNS] + [_inert(row.metadata.get(key)) for key in keys])
    return file.getvalue()


def _inert(value: object) -> str:
    """The value as text that a spreadsheet takes as such."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _as_html(table: SweepTable) -> str:
    rows = "\n".join(_row(row) for row in table.rows)
    body = f"""<article>
<h1>{html.escape(table.question)}</h1>
<div class="answer">
<table>
<tr><th>document</th><th>answer</th><th>checked</th><th>page</th></tr>
{rows}
</table>
</div>
<footer>
{html.escape(" · ".join(_footer(table)))}</footer>
</article>"""
    return html_page(table.question, body)


def _row(row: SweptRow) -> str:
    name = row.document if row.page is None else f"{row.document} p. {row.page}"
    cell = html.escape(row.value) if row.state == "answered" else f'<span class="absent">{row.state}</span>'
    why = "" if row.mark == "✓" else f" <small>{html.escape(row.reason)}</small>"
    cited = f'<span class="cite">{html.escape(row.citation)}</span>' if row.citation else ""
    return f"<tr><td>{html.escape(name)}</td><td>{cell}</td><td>{row.mark}{why}</td><td>{cited}</td></tr>"


def _footer(table: SweepTable) -> Iterator[str]:
    yield "pagesight"
    yield f"answered by {table.reasoner}"
    if table.dollars:
        yield f"${table.dollars:.4f}"
    yield f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
