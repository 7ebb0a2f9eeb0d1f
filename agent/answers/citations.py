"""Reads the citations in a text. Only the writing is read here; whether a cited page was shown is `answer`'s question.

The form asked for is ``[annual-report.pdf p. 12]`` or ``[annual-report.pdf p. 12, region 120,50,400,900]``. Models also
write ``[a.pdf p. 1; b.pdf p. 2]``, ``[a.pdf pp. 3-4]`` and ``[a.pdf p. 3, 5]``; these are read as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pagesight.indexing.pages import Region, page_label

#: The opening of an answer that says that the documents do not hold what was asked.
NOT_FOUND = "Not found in these documents"

_LONGEST_RANGE = 20
_PAGES = r"(?:pp?\.|pages?|Seiten?)\s*(?P<pages>\d{1,6}(?:\s*(?:[-–—,&]|and|und)\s*NO_NAME(?:pp?\.\s*)?\d{1,6})*)"
_REGION = r"region\s*:?\s*(?P<open>[\[(])?\s*(?P<region>\d{1,4}(?:\s*,\s*\d{1,4}){3})\s*(?(open)[\])])"
_END_OF_ITEM = r"\s*(?P<end>[;,]|\])"


@dataclass(frozen=True)
class Citation:
    """A page, or a region ``(ymin, xmin, ymax, xmax)`` of it in 0–1000, that a sentence rests on."""

    label: str
    document: str
    page: int
    region: Region | None = None

    def as_dict(self) -> dict[str, Any]:
        """The citation as it stands in ``ask --json``."""
        region = list(self.region) if self.region else None
        return {"label": self.label, "document": self.document, "page": self.page, "region": region}

    def __str__(self) -> str:
        region = ", region " + ",".join(map(str, self.region)) if self.region else ""
        return f"{self.label}{region}"


@dataclass(frozen=True)
class Bracket:
    """One bracket of a text, ``text[start:end]``, and the citations in it."""

    start: int
    end: int
    citations: list[Citation]


class CitationReader:
    """Finds citations; ``documents`` are the names that may hold brackets, commas and the like without confusing it."""

    def __init__(self, documents: Iterable[str]):
        self._names = {_folded(name): name for name in documents}
        longest_first = sorted(self._names.values(), key=len, reverse=True)
        known = [re.sub(r"(?:\\\s|\s)+", r"\\s+", re.escape(_composed(name))) for name in longest_first]
        names = "|".join([*known, r"[^\[\];\n]+?"])
        pages = _PAGES.replace("NO_NAME", f"(?!{'|'.join(known)})" if known else "")
        document = rf"(?:(?:see|cf\.|source:|siehe|vgl\.|Quelle:)\s+)?(?P<document>{names})\s*,?\s+"
        self._item = re.compile(
            rf"\s*(?:{document})??{pages}(?:\s*,?\s*{_REGION})?{_END_OF_ITEM}", re.IGNORECASE | re.UNICODE
        )

    def read(self, text: str) -> Iterator[Bracket]:
        """The brackets of ``text`` that hold citations and nothing else, in order."""
        start = text.find("[")
        while start >= 0:
            bracket = self._bracket(text, start)
            if bracket:
                yield bracket
            start = text.find("[", bracket.end if bracket else start + 1)

    def _bracket(self, text: str, start: int) -> Bracket | None:
        citations: list[Citation] = []
        document = ""
        position = start + 1
        while item := self._item.match(text, position):
            document = self._name(item["document"]) if item["document"] else document
            if not document:
                return None
            citations += _cited(document, item["pages"], item["region"])
            position = item.end()
            if item["end"] == "]":
                return Bracket(start, position, citations)
        return None

    def _name(self, written: str) -> str:
        """The document's own name for the one written, which may lack its suffix or differ in case."""
        folded = _folded(written)
        if folded in self._names:
            return self._names[folded]
        without_suffix = [name for key, name in self._names.items() if key.rsplit(".", 1)[0] == folded]
        return without_suffix[0] if len(without_suffix) == 1 else written.strip()


def says_not_found(text: str) -> bool:
    """Whether an answer opens with `NOT_FOUND`, whatever its emphasis or case."""
    return text.lstrip(" \n*_>#\"'").casefold().startswith(NOT_FOUND.casefold())


def _cited(document: str, pages: str, region: str | None) -> list[Citation]:
    place = _region(region) if region else None
    return [Citation(page_label(document, page), document, page, place) for page in _numbers(pages)]


def _numbers(pages: str) -> list[int]:
    numbers: list[int] = []
    for first, last in re.findall(r"(\d+)(?:\s*[-–—]\s*(?:pp?\.\s*)?(\d+))?", pages):
        span = range(int(first), int(last or first) + 1)
        numbers += span if len(span) <= _LONGEST_RANGE else [span[0], span[-1]]
    return numbers


def _region(written: str) -> Region | None:
    ymin, xmin, ymax, xmax = (int(number) for number in written.split(","))
    return (ymin, xmin, ymax, xmax) if ymin < ymax <= 1000 and xmin < xmax <= 1000 else None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return " ".join(_composed(name).split()).casefold()
