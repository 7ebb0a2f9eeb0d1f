"""Which of several things each of several numbers is of where a sentence pairs them: "10 and 20 in 2019 and 2018,
respectively", "A und B lagen bei 10 bzw. 20"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.ages import ages
from pagesight.indexing.values.quantities import Quantity, Span

_PAIRS = re.compile(r"(?i)\brespectively\b")
_AND = r"(?:and|or|&|und|oder|bzw\.|beziehungsweise)"
#: A change is one from a first to a last: "from 64 % to 51 % between 2014 and 2015".
_FROM, _TO = re.compile(r"(?i)\b(?:from|von)\s\D{0,12}$"), re.compile(r"(?i)\s*(?:to|auf|bis|zu)\s\D{0,12}")
#: What stands between the members of a list: commas and the last "and".
_AND_OR_COMMA = re.compile(rf"(?i)\W*(?:,|,?\s*{_AND})\s*\(?")
_TO_OR_AND = re.compile(rf"(?i)\W*(?:,|,?\s*{_AND}|to|bis|[-–])\s*\(?")
_GERMAN = re.compile(r"(?i)\W*(?:bzw\.|beziehungsweise)\s*")
_LAST = re.compile(rf"(?i)[\s,]{_AND}\s")
_WORD = re.compile(r"[^\W_]+(?:[-'’/][^\W_]+)*")
_ARTICLES = frozenset(tokenize("a an the der die das den dem des ein eine einen"))
#: Words that no name of a thing in a list goes beyond.
_BOUNDS = frozenset(
    tokenize(
        "of in for to from by at with on as than was were is are had has have be been who that which between among "
        "both either own rose fell grew represent represents account accounts accounted make makes made reach reached "
        "stood von im für zu aus bei mit auf als war waren ist sind hat hatte haben betrug betrugen lag lagen sowohl"
    )
)
_COMMA = re.compile(r",\s*$")
_ENDS = re.compile(r"[,;:()]")
_MOST_WORDS = 4  # of a thing in a list; a guess, not measured


def paired(text: str, sentence: Span, found: Sequence[Quantity]) -> dict[int, tuple[Span, list[Span]]]:
    """For where each number of a pairing begins: the place of what it is of, and those of what the others are of."""
    plain = [one for one in _within(sentence, found) if not _is_when(one) and one.digits[0] not in ages(text)]
    numbers, items = _of_a_change(text, plain), []
    if not numbers:
        numbers = _listed(text, sentence, plain)
        items = _things(text, sentence, numbers) if len(numbers) > 1 else []
    items = _times(text, _within(sentence, found), len(numbers)) or items
    if len(items) != len(numbers):
        return {}
    return {one.digits[0]: (items[at], [*items[:at], *items[at + 1 :]]) for at, one in enumerate(numbers)}


def _within(sentence: Span, found: Sequence[Quantity]) -> list[Quantity]:
    return [one for one in found if sentence[0] <= one.digits[0] < sentence[1]]


def _times(text: str, found: Sequence[Quantity], count: int) -> list[Span]:
    """The places of a list of so many years or dates."""
    runs = _runs(text, [one for one in found if _is_when(one)], _TO_OR_AND)
    return next(([one.span for one in run] for run in runs if count > 1 and len(run) == count), [])


def _is_when(quantity: Quantity) -> bool:
    return quantity.year or bool(quantity.days)


def _of_a_change(text: str, plain: Sequence[Quantity]) -> Sequence[Quantity]:
    """The two numbers of a sentence that something changed from and to; none where it has others."""
    if len(plain) != 2 or not _FROM.search(text[: plain[0].span[0]]):
        return []
    return plain if _TO.fullmatch(text[plain[0].span[1] : plain[1].span[0]]) else []


def _listed(text: str, sentence: Span, plain: Sequence[Quantity]) -> Sequence[Quantity]:
    """The numbers of a list right before the word that pairs them, or else all of the sentence."""
    runs = [run for run in _runs(text, plain, _AND_OR_COMMA) if len(run) > 1]
    for run in runs:
        if any(_GERMAN.fullmatch(text[one.span[1] : other.span[0]]) for one, other in pairwise(run)):
            return run
    said = _PAIRS.search(text, *sentence)
    if not said:
        return []
    before = [run for run in runs if run[-1].span[1] <= said.start()]
    return before[-1] if before else plain


def _runs(text: str, found: Sequence[Quantity], between: re.Pattern[str]) -> Iterator[list[Quantity]]:
    """The numbers in lists, by what stands between those of one."""
    run: list[Quantity] = []
    for one in found:
        if run and not between.fullmatch(text[run[-1].span[1] : one.span[0]]):
            yield run
            run = []
        run = [*run, one]
    yield run


def _things(text: str, sentence: Span, numbers: Sequence[Quantity]) -> list[Span]:
    """The things of a list with as many members as there are numbers: behind them, or else before them."""
    start, end = sentence
    count = len(numbers)
    for first, last in ((numbers[-1].span[1], end), (start, numbers[0].span[0])):
        for found in reversed(list(_LAST.finditer(text, first, last))):
            items = _before(text, found.start(), first, count - 1)
            most = len(_WORD.findall(text[slice(*items[-1])])) if items and last < end else _MOST_WORDS
            behind = _member_after(text, found.end(), last, most)
            if behind and len(items) == count - 1:
                return [*items, behind]
    return []


def _before(text: str, at: int, start: int, count: int) -> list[Span]:
    """The last members of a list up to its "and"; fewer if it has fewer."""
    items: list[Span] = []
    end: int | None = at
    while end is not None and len(items) < count and (item := _member_before(text, end, start)):
        items.insert(0, item)
        comma = _COMMA.search(text, start, item[0])
        end = comma.start() if comma else None
    return items


def _member_before(text: str, end: int, start: int) -> Span | None:
    """The words of one member up to a place."""
    words: list[Span] = []
    for found in reversed(list(_WORD.finditer(text, start, end))):
        between = text[found.end() : words[0][0] if words else end]
        bound = found[0].lower() in _BOUNDS | _ARTICLES
        if bound or len(words) == _MOST_WORDS or _ENDS.search(between):
            break
        words.insert(0, found.span())
    return (words[0][0], words[-1][1]) if words else None


def _member_after(text: str, start: int, end: int, most: int) -> Span | None:
    """The words of one member from a place on, ``most`` of them at most: behind them may stand what is said of it."""
    words: list[Span] = []
    for found in _WORD.finditer(text, start, end):
        between = text[words[-1][1] if words else start : found.start()]
        if _ENDS.search(between) or (words and found[0].lower() in _BOUNDS) or len(words) == most:
            break
        if found[0].lower() not in _ARTICLES | _BOUNDS:
            words.append(found.span())
    return (words[0][0], words[-1][1]) if words else None
