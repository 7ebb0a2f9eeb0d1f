"""A page that a claim cites: its words, read once, and those of them within the cited region."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from pagesight.agent.answers.claims.claim import Evidence
from pagesight.agent.answers.claims.words.phrases import find_phrase
from pagesight.indexing import PageIndex, PageRef
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Box, Region
from pagesight.indexing.values.page_values import PageContent

_EDGE = 0.006  # that a word may reach out of a cited region, as part of the page; a guess, not measured
_ROOM = 2  # around words, in thousandths of the page: with 5 the region of a small cell was twice as large as the cell
WORDS_OF_A_REPEAT = 5  # a sentence of so many words does not stand on a page by chance; a guess, not measured
_PAGES_KEPT = 100  # a few MB; a guess, not measured

_kept: WeakKeyDictionary[PageIndex, dict[tuple[PageRef, tuple[str, ...]], PageContent]] = WeakKeyDictionary()
_keeping = threading.Lock()


@dataclass
class CitedPage:
    """A page that a claim cites, and the words that are within the cited region; None for all."""

    label: str
    ref: PageRef
    content: PageContent
    allowed: frozenset[int] | None
    region: Region | None = None

    def evidence(self, words: Sequence[int]) -> Evidence:
        """The boxes of words, one for each line."""
        return Evidence(self.label, boxes_of(self.content, words))

    def written(self, words: Sequence[int]) -> str:
        """Words as a text."""
        return " ".join(self.content.text.words[word] for word in words)

    def says_year(self, digits: str) -> bool:
        """Whether the page has a year, also as Q4 24 or FY24."""
        tokens = self.content.tokens
        short = [f"{period}{digits[2:]}" for period in ("fy", "fye")]
        return any(digits in token or token in short for token in tokens) or any(
            one in ("q1", "q2", "q3", "q4", "h1", "h2", "fy") and other == digits[2:] for one, other in pairwise(tokens)
        )

    def region_of(self, words: Sequence[int]) -> Region:
        """The region around words."""
        return region_around([self.content.box(words)])

    def places(self) -> list[list[int]]:
        """The words of each paragraph and row, as far as they are within the region."""
        found, allowed = self.content.rows(), self.allowed
        if allowed is None:
            return found
        return [kept for row in found if (kept := [word for word in row if word in allowed])]


def cited_page(index: PageIndex, label: str, ref: PageRef, region: Region | None) -> CitedPage:
    """The page with what stands in the region. Raises what reading a page's words does."""
    content = page_content(index, ref)
    return CitedPage(label, ref, content, _within(content, region), region)


def page_content(index: PageIndex, ref: PageRef) -> PageContent:
    """What stands on a page, read once: OCR takes seconds.

    Nothing is stale: a changed document has another id, and a page whose corrections changed is read anew.
    """
    key = ref, tuple(one.id for one in index.corrections_of(ref))
    with _keeping:
        known = _kept.setdefault(index, {})
        content = known.get(key)
    if content is None:
        content = PageContent(index.words(ref))
        with _keeping:
            if len(known) >= _PAGES_KEPT:
                known.pop(next(iter(known)))
            known[key] = content
    return content


def said_in_full(text: str, pages: Sequence[CitedPage]) -> list[Evidence]:
    """Where pages have a whole sentence, a scan's with some letters misread; none for a text of few words."""
    if len(tokenize(text)) < WORDS_OF_A_REPEAT:
        return []
    said = ((page, find_phrase(text.rstrip(" .!?"), page.content.text, page.allowed)) for page in pages)
    return [page.evidence(words) for page, words in said if words]


def boxes_of(content: PageContent, words: Sequence[int]) -> list[Box]:
    """The boxes of words, one for each line."""
    lines: dict[int, list[int]] = {}
    for word in words:
        lines.setdefault(int(content.text.lines[word]), []).append(word)
    return [content.box(line) for line in lines.values()]


def _within(content: PageContent, region: Region | None) -> frozenset[int] | None:
    if region is None:
        return None
    ymin, xmin, ymax, xmax = (edge / 1000 for edge in region)
    middle = (content.text.boxes[:, :2] + content.text.boxes[:, 2:]) / 2
    across = (middle[:, 0] >= xmin - _EDGE) & (middle[:, 0] <= xmax + _EDGE)
    down = (middle[:, 1] >= ymin - _EDGE) & (middle[:, 1] <= ymax + _EDGE)
    return frozenset(np.flatnonzero(across & down).tolist())


def region_around(boxes: Sequence[Box]) -> Region:
    """The region around boxes, with a little room so that it cuts no word."""
    left, top = (round(1000 * min(box[edge] for box in boxes)) - _ROOM for edge in (0, 1))
    right, bottom = (round(1000 * max(box[edge] for box in boxes)) + _ROOM for edge in (2, 3))
    return max(top, 0), max(left, 0), min(bottom, 1000), min(right, 1000)
