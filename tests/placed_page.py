"""A page whose texts stand at given places."""

from __future__ import annotations

import numpy as np

from pagesight.indexing.pages import PageText
from pagesight.indexing.values.page_values import PageContent


def page(*placed: tuple[str, float, float]) -> PageContent:
    """A page with texts at these places (left, top); letters are .008 wide and .01 high, a dot .001."""
    words, boxes, lines = [], [], []
    for number, (text, left, top) in enumerate(placed):
        for word in text.split():
            words.append(word)
            boxes.append((left, top + (0.009 if word == "." else 0.0), left + 0.008 * len(word), top + 0.01))
            lines.append(number)
            left += 0.008 * (len(word) + 1)
    return PageContent(PageText(words, np.array(boxes, np.float32), np.array(lines, np.int32), "text layer"))
