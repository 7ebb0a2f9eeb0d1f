"""Which pages a question names by their numbers: "on page 14", "slides 3-5", "the second page", "Seite 7"."""

from __future__ import annotations

import re

_LONGEST_RANGE = 20  # pages; of a longer range only its ends count. A guess, not measured.

_NUMBERS = r"\d{1,4}(?:\s*(?:,|&|-|–|to|and|bis|und)\s*\d{1,4})*"
_NAMED = re.compile(
    rf"\b(?:pages?|slides?|pp?\.|seiten?|folien?)\s*(?:no\.?|number|nr\.?|nummer|\#)?\s*(?P<numbers>{_NUMBERS})\b"
    r"|\b(?P<ordinal>\d{1,4})(?:st|nd|rd|th|\.)\s+(?:page|slide|seite|folie)\b"
    r"|\b(?P<word>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
    r"|erste|zweite|dritte|vierte|fünfte|sechste|siebte|achte|neunte|zehnte)n?\s+(?:page|slide|seite|folie)\b",
    re.IGNORECASE,
)
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte",
)
_ORDINAL = {word: number for row in _ORDINALS for number, word in enumerate(row.split(), 1)}


def named_pages(question: str) -> set[int]:
    """The numbers of pages that a question names: "on page 14", "slides 3-5", "the second page", "Seite 7"."""
    numbers: set[int] = set()
    for match in _NAMED.finditer(question):
        if match["word"]:
            numbers.add(_ORDINAL[match["word"].lower()])
        else:
            numbers |= _numbers(match["numbers"] or match["ordinal"])
    return numbers


# Numbers as a document prints them where it counts its pages in another way: iv, A-3, 12a.
_PRINTED = re.compile(
    r"\b(?:pages?|slides?|pp?\.|seiten?|folien?)\s*(?:no\.?|number|nr\.?|nummer|\#)?\s*"
    r"(?P<label>[ivxlcdm]{1,8}|[a-z]{1,3}[-.]?\d{1,4}|\d{1,4}[-.]?[a-z]|\d{1,3}[-.]\d{1,3})\b(?!\s*\d)",
    re.IGNORECASE,
)


def named_labels(question: str) -> set[str]:
    """The printed numbers of pages that a question names, in lower case: "page iv", "p. A-3"; and plain ones, "p. 14".

    A document may print 14 on its sixteenth page.
    """
    return {match["label"].lower() for match in _PRINTED.finditer(question)} | set(map(str, named_pages(question)))


def _numbers(written: str) -> set[int]:
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*(?:-|–|to|bis)\s*(\d+))?", written, re.IGNORECASE):
        ends = sorted((int(first), int(last or first)))
        span = range(ends[0], ends[1] + 1)
        numbers |= set(span if len(span) <= _LONGEST_RANGE else ends)
    return numbers
