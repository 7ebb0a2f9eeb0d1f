"""The frame of a report as a web page: it holds all it shows, and a policy keeps browsers from running or fetching."""

from __future__ import annotations

import html

from pagesight.agent.reports.report_style import STYLE

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(title: str, body: str) -> str:
    """The page. The title is escaped here; of the body, who made it has escaped what others wrote."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="generator" content="pagesight">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{html.escape(title)}</title>
<style>{STYLE}</style>
<main>
{body}
</main>
</html>
"""
