"""Which pages a question names by their numbers or places: "on page 14", "slides 3-5", "the second last page".

Those that are counted from a document's end are negative: -1 is the last page.
"""

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


_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve",
    "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
)
_NUMBER = {word: number for row in _WORDS for number, word in enumerate(row.split(), 1)} | {"both": 2, "beiden": 2}
_A_NUMBER = rf"\d{{1,2}}|{'|'.join(_NUMBER)}"
_PAGES = r"(?:pages?|slides?|seiten?|folien?)"
_ORDINALS_ANY = "|".join(_ORDINAL)
_PLACED = re.compile(
    rf"\b(?:pages?|slides?|seite|folie)\s+(?P<spelled>{'|'.join(_NUMBER)})\b"
    rf"|\b(?P<end>first|last|final|erste[nr]?|letzte[nr]?)\s+(?P<count>{_A_NUMBER})\s+{_PAGES}\b"
    rf"|\b(?P<count_before>{_A_NUMBER})\s+(?P<end_behind>first|last|ersten|letzten)\s+{_PAGES}\b"
    rf"|\b(?P<from_end>{_ORDINALS_ANY})(?:[\s-]+(?:to|from))?(?:[\s-]+the)?[\s-]+last\s+{_PAGES}\b"
    rf"|\b(?P<before_last>penultimate|next[\s-]to[\s-](?:the[\s-])?last|vorletzte[nrs]?)\s+{_PAGES}\b"
    rf"|\b(?P<third_last>drittletzte[nrs]?)\s+{_PAGES}\b"
    rf"|(?<!second )(?<!third )(?<!-)\b(?P<last>(?:very )?(?:last|final)|letzte[nrs]?)\s+{_PAGES}\b"
    r"|\b(?P<back>back cover|rückseite)\b"
    r"|\b(?P<cover>(?:front )?cover (?:page|slide|image|picture|photo)"
    r"|(?:on|at|from|of|in) the (?:front )?cover(?! letter)"
    r"|front page|title (?:page|slide)|titelseite|titelblatt|titelfolie|deckblatt)\b",
    re.IGNORECASE,
)


def named_pages(question: str) -> set[int]:
    """The numbers of pages that a question names: "on page 14", "slides 3-5", "the cover", "die vorletzte Seite".

    Those that it counts from a document's end are negative: -1 is the last page.
    """
    numbers: set[int] = set()
    for match in _NAMED.finditer(question):
        if match["word"]:
            numbers.add(_ORDINAL[match["word"].lower()])
        else:
            numbers |= _numbers(match["numbers"] or match["ordinal"])
    return numbers.union(*map(_placed, _PLACED.finditer(question)))


_FIXED = {"before_last": -2, "third_last": -3, "last": -1, "back": -1, "cover": 1}


def _placed(found: re.Match[str]) -> set[int]:
    """The pages at a place: from the front, or, negative, from the end."""
    if found["spelled"]:
        return {_NUMBER[found["spelled"].lower()]}
    if found["from_end"]:
        return {-_ORDINAL[found["from_end"].lower()]}
    if many := found["count"] or found["count_before"]:
        count = int(many) if many.isdigit() else _NUMBER[many.lower()]
        at_front = (found["end"] or found["end_behind"]).lower().startswith(("first", "erste"))
        return set(range(1, count + 1) if at_front else range(-count, 0))
    return {next(number for name, number in _FIXED.items() if found[name])}


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
    return {match["label"].lower() for match in _PRINTED.finditer(question)} | {
        str(number)
        for match in _NAMED.finditer(question)
        if (written := match["numbers"] or match["ordinal"])
        for number in _numbers(written)
    }


def _numbers(written: str) -> set[int]:
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*(?:-|–|to|bis)\s*(\d+))?", written, re.IGNORECASE):
        ends = sorted((int(first), int(last or first)))
        span = range(ends[0], ends[1] + 1)
        numbers |= set(span if len(span) <= _LONGEST_RANGE else ends)
    return numbers
