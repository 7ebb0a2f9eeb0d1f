"""A page's text with its corrections, and finding the words that somebody means to correct."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.tokens import is_unspaced
from pagesight.indexing.pages import Box, Correction, PageText


@dataclass(frozen=True)
class Place:
    """Where a text stands among a page's words: ``words`` side by side in a line, which hold it after ``before``."""

    words: range
    was: str
    before: str
    after: str


def corrected(text: PageText, corrections: Sequence[Correction]) -> PageText:
    """The text with what the corrections say, one after the other.

    One whose words are not there is passed over: they are read otherwise by now, or the page cannot be read.
    """
    for correction in corrections:
        alike = [place for place in _runs(text, correction.was.split()) if _shared(text, place, correction.box) > 0]
        if alike:
            nearest = max(alike, key=lambda place: _shared(text, place, correction.box))
            text = _with(text, nearest, correction.now.split())
    return text


def places_of(text: PageText, written: str) -> list[Place]:
    """Where a text stands on the page, in reading order: whole words, or parts of words between punctuation."""
    wanted = " ".join(written.split())
    return [place for words in _lines(text) for place in _in_line(text.words, words, wanted)] if wanted else []


def place_of_words(text: PageText, was: str, box: Box) -> Place | None:
    """The words that are just that and lie at the box; None where there are none."""
    alike = [words for words in _runs(text, was.split()) if _shared(text, words, box) > 0]
    return Place(max(alike, key=lambda words: _shared(text, words, box)), was, "", "") if alike else None


def box_around(text: PageText, words: range) -> Box:
    """The box around words."""
    boxes = text.boxes[words.start : words.stop]
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


def overlap(one: Box, other: Box) -> float:
    """What two boxes share, as a part of what both cover."""
    shared = _area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))
    return shared / max(_area(one) + _area(other) - shared, 1e-12)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _shared(text: PageText, words: range, box: Box) -> float:
    return overlap(box_around(text, words), box)


def _lines(text: PageText) -> Iterator[range]:
    """The runs of words that stand one after the other in a line."""
    start = 0
    for _, several in groupby(text.lines.tolist()):
        length = len(list(several))
        yield range(start, start + length)
        start += length


def _runs(text: PageText, wanted: Sequence[str]) -> list[range]:
    """Where these very words stand side by side in a line."""
    starts = [
        range(start, start + len(wanted))
        for line in _lines(text)
        for start in range(line.start, line.stop - len(wanted) + 1)
    ]
    return [words for words in starts if text.words[words.start : words.stop] == list(wanted)] if wanted else []


def _in_line(every: Sequence[str], line: range, wanted: str) -> Iterator[Place]:
    words = every[line.start : line.stop]
    written, begins = " ".join(words), [0, *accumulate(len(word) + 1 for word in words)]
    found = written.find(wanted)
    while found >= 0:
        end = found + len(wanted)
        if not (_joined(written, found) or _joined(written, end)):
            first = max(place for place, begin in enumerate(begins[:-1]) if begin <= found)
            last = max(place for place, begin in enumerate(begins[:-1]) if begin < end)
            whole = written[begins[first] : begins[last + 1] - 1]
            before, after = found - begins[first], begins[last + 1] - 1 - end
            yield Place(
                range(line.start + first, line.start + last + 1), whole, whole[:before], whole[len(whole) - after :]
            )
        found = written.find(wanted, end)


def _joined(written: str, at: int) -> bool:
    """Whether a word goes on over a place: 5 is no part of 105. Scripts without spaces can be cut anywhere."""
    if not 0 < at < len(written):
        return False
    before, behind = written[at - 1], written[at]
    return before.isalnum() and behind.isalnum() and not (is_unspaced(before) or is_unspaced(behind))


def _with(text: PageText, words: range, now: Sequence[str]) -> PageText:
    """The text with other words in the place of some; as many keep their boxes, others share what these covered."""
    boxes = text.boxes[words.start : words.stop]
    if len(now) != len(words):
        boxes = _parts(box_around(text, words), [len(word) for word in now])
    lines = np.full(len(now), text.lines[words.start], np.int32)
    return replace(
        text,
        words=[*text.words[: words.start], *now, *text.words[words.stop :]],
        boxes=np.concatenate([text.boxes[: words.start], boxes, text.boxes[words.stop :]]),
        lines=np.concatenate([text.lines[: words.start], lines, text.lines[words.stop :]]),
    )


def _parts(box: Box, letters: Sequence[int]) -> NDArray[np.float32]:
    """(words, 4): a box cut along its longer side by the words' letters, with the spaces between them."""
    ends = np.cumsum([length + 1 for length in letters])
    total = ends[-1] - 1
    along = 0 if box[2] - box[0] >= box[3] - box[1] else 1
    cut = np.tile(np.array(box, np.float32), (len(letters), 1))
    start, length = box[along], box[along + 2] - box[along]
    cut[:, along] = start + length * (ends - 1 - np.array(letters)) / total
    cut[:, along + 2] = start + length * (ends - 1) / total
    return cut
