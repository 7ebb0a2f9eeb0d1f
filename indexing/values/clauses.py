"""Which words of a sentence belong to which of its numbers: by its clauses, and by what stands right before one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pagesight.indexing.lexical.stems import stems_held
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.quantities import Quantity, Span, may_be_a_name

#: What a number is of: stems of words, each with how closely it belongs to the number, 0 to 1.
Context = dict[str, float]

# How closely a word belongs to a number; tried on made claims (benchmarks/claims.py).
SAME_CLAUSE, _SAME_PART, _SHARED, _OTHER_CLAUSE = 1.0, 0.9, 0.85, 0.5
_OTHER_YEAR = 0.1  # of a year in another clause, where the number's own clause has one
_CLAUSE = re.compile(
    r"[,;:](?=\s)|[()]|\s[–—-]\s"
    r"|\s(?:and|but|while|whereas|versus|vs\.?|compared|against|after|instead of|up from|down from)\s"
    r"|\s(?:und|aber|während|sowie|gegenüber|nach|statt)\s"
    r"|\s(?:to|from|auf|bis|von)\s(?=[\d€$£(]|EUR|USD|US\$|about|around|rund|etwa)|[，；：、]",
    re.IGNORECASE,
)
#: What divides a sentence into parts that each say something of their own.
_PART = re.compile(
    r"[;；](?=\s?)|,\s(?:and|but|while|whereas|whilst|und|aber|während|sowie)\s|\s(?:while|whereas|während)\s|[，]",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[a-zа-яäöüß%)\d“”\"][.!?])\s+(?=[A-ZА-ЯÄÖÜ\d„“\"(])|(?<=[。！？])")
#: What stands before the number that another one is compared with: the one of before.
_BEFORE = re.compile(
    r"(?i)(?:\b(?:from|after|against|versus|vs\.?|compared (?:with|to)|instead of|than|previously|formerly|nach|von|"
    r"gegenüber|statt|zuvor|vorher|с|от|после|против)|\((?:previous year|prior year|vj\.?|vorjahr)?:?)\s*"
    r"(?:about|around|rund|etwa|ca\.?|almost|nearly)?\s*$"
)


def sentence_at(text: str, at: int) -> str:
    """The sentence of a text that a place is in."""
    return next((text[a:b].strip() for a, b in _spans(SENTENCE_END, text) if a <= at < b), text)


def clause_at(text: str, at: int) -> str:
    """The clause of a text that a place is in."""
    start, end = next((span for span in _spans(SENTENCE_END, text) if span[0] <= at < span[1]), (0, len(text)))
    clauses = ((start + a, start + b) for a, b in _spans(_CLAUSE, text[start:end]))
    return next((text[a:b].strip() for a, b in clauses if a <= at < b), text[start:end])


def is_compared_with(text: str, quantity: Quantity) -> bool:
    """Whether a number is the one that another is compared with: 0.65 in "0.80, after 0.65 last year"."""
    start = quantity.span[0]
    return bool(_BEFORE.search(text, max(0, start - 40), start))


def clause_contexts(text: str, found: Sequence[Quantity]) -> list[Context]:
    """For each number of a text the stems of its sentence's words: closest those of its own part of the sentence."""
    contexts: list[Context] = []
    for terms in clause_terms(text, found):
        context: Context = {}
        for token, near in terms:
            for stem in stems_held(token):
                context[stem] = max(near, context.get(stem, 0))
        contexts.append(context)
    return contexts


def clause_terms(text: str, found: Sequence[Quantity]) -> list[list[tuple[str, float]]]:
    """For each number of a text the terms of its sentence, each with how closely it belongs to the number."""
    sentences = _spans(SENTENCE_END, text)
    return [_terms_near(text, quantity, found, sentences) for quantity in found]


def _terms_near(
    text: str, quantity: Quantity, found: Sequence[Quantity], sentences: list[Span]
) -> list[tuple[str, float]]:
    at = quantity.digits[0]
    start, end = next((span for span in sentences if span[0] <= at < span[1]), (0, len(text)))
    mine = [other for other in found if start <= other.digits[0] < end and other.year == quantity.year]
    first = mine[0].digits[0] if mine else at
    own, part = (_around(divider, text, (start, end), at) for divider in (_CLAUSE, _PART))

    years = [other.digits[0] for other in found if other.year and other is not quantity]
    dated = any(own[0] <= year < own[1] for year in years)

    def nearness(begin: int) -> float:
        if dated and begin in years and not own[0] <= begin < own[1]:
            return _OTHER_YEAR
        if len(mine) < 2 or own[0] <= begin < own[1]:
            return SAME_CLAUSE
        if part[0] <= begin < part[1] and part != (start, end):
            return _SAME_PART
        return _SHARED if begin < first else _OTHER_CLAUSE

    # What belongs to a number is no word beside another; a year or date is, and the number of a name.
    words = [
        other for other in found
        if other is not quantity and (other.year or other.days or may_be_a_name(text, other))
    ]  # fmt: skip
    numbers = {place for other in found if other not in words for place in range(*other.span)}
    return [(token, nearness(begin)) for begin, token in _tokens_at(text, start, end) if begin not in numbers]


def _around(divider: re.Pattern[str], text: str, sentence: Span, at: int) -> Span:
    start, end = sentence
    parts = ((start + a, start + b) for a, b in _spans(divider, text[start:end]))
    return next((span for span in parts if span[0] <= at < span[1]), sentence)


def _tokens_at(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for found in re.compile(r"[^\W_]+").finditer(text, start, end):
        for token in tokenize(found[0]):
            yield found.start(), token


def _spans(divider: re.Pattern[str], text: str) -> list[Span]:
    """The parts between what divides a text; a divider belongs to the part after it."""
    starts = [0, *(found.start() for found in divider.finditer(text))]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))
