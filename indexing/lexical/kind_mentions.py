"""Which kinds of page a question names: "the chart on exports", "a map of", "wer hat unterschrieben?"."""

from __future__ import annotations

import re

_ASKED = {
    "contents": r"tables? of contents|inhaltsverzeichnis(?:se)?",
    "appendix": r"appendix|appendices|annex(?:es)?|anhang|anhänge",
    "table": r"tables?(?! of contents)|tabular|tabellen?",
    "chart": r"charts?|graphs?|(?:bar|line|pie) plots?|histograms?|\w*diagramme?n?|schaubild(?:er|s)?",
    "map": r"maps?|landkarten?|stadtpl[aä]ne?n?|lagepl[aä]ne?n?|karte (?:von|der|des)|auf der karte",
    "photo": r"photos?|photographs?|fotos?|fotografien?",
    "form": r"(?:application|registration|order|tax) forms?|form fields?|check ?boxes|formulare?n?",
    "signature": r"signatures?|signed|signs|unterschrift(?:en)?|unterschrieben|unterzeichnet",
}
_NAMED = re.compile("|".join(rf"(?P<{kind}>\b(?:{words})\b)" for kind, words in _ASKED.items()), re.IGNORECASE)


def named_kinds(question: str) -> set[str]:
    """The kinds of page that a question names, of those of `page_kinds.KINDS`."""
    return {found.lastgroup for found in _NAMED.finditer(question) if found.lastgroup}
