"""What a model has read off pictures of cited places, as pages whose words can be compared with claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pagesight.agent.answers.claims.claim import Evidence
from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.indexing.pages import PageText, Region
from pagesight.indexing.values.page_values import PageContent

#: A cited place: a page's label, and the region of it, None for all.
Place = tuple[str, Region | None]
#: The lines that were read off cited places.
Readings = Mapping[Place, Sequence[str]]

# Where lines without a place of their own are put: away from the edges, where running heads stand, and so far apart
# that none goes on in the next.
_TOP, _BOTTOM, _LEFT = 0.1, 0.9, 0.05
_LINE_OF_STEP = 0.4
_WIDTH_OF_HEIGHT = 0.25  # of a letter


@dataclass
class ReadPage(CitedPage):
    """A cited place as a model read it; ``said`` are the lines that supported something."""

    said: list[str] = field(default_factory=list)
    lines: Sequence[str] = ()

    @classmethod
    def of(cls, page: CitedPage, lines: Sequence[str]) -> ReadPage:
        """The page with the lines in the place of its words."""
        return cls(page.label, page.ref, PageContent(_as_text(lines)), None, page.region, lines=lines)

    def evidence(self, words: Sequence[int]) -> Evidence:
        """The cited region: where in it the lines stand is not known."""
        self.said += [self.lines[line] for line in dict.fromkeys(self.content.text.lines[list(words)].tolist())]
        if self.region is None:
            return Evidence(self.label, [])
        ymin, xmin, ymax, xmax = (edge / 1000 for edge in self.region)
        return Evidence(self.label, [(xmin, ymin, xmax, ymax)])


def _as_text(lines: Sequence[str]) -> PageText:
    """A page with these lines below each other."""
    step = (_BOTTOM - _TOP) / max(len(lines), 1)
    height = step * _LINE_OF_STEP
    words, boxes, numbers = [], [], []
    for number, line in enumerate(lines):
        left, top = _LEFT, _TOP + number * step
        for word in line.split():
            right = left + _WIDTH_OF_HEIGHT * height * len(word)
            words.append(word)
            boxes.append((left, top, right, top + height))
            numbers.append(number)
            left = right + _WIDTH_OF_HEIGHT * height
    return PageText(words, np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray(numbers, np.int32), "text layer")
