"""Which words of a sentence belong to which of its numbers: by its clauses, and by what stands right before one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from pagesight.indexing.lexical.stems import stems_held
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.ages import ages
from pagesight.indexing.values.dates import MONTHS
from pagesight.indexing.values.quantities import Quantity, Span, may_be_a_name
from pagesight.indexing.values.respectively import paired

#: What a number is of: stems of words, each with how closely it belongs to the number, 0 to 1.
Context = dict[str, float]

# How closely a word belongs to a number; tried on made claims (benchmarks/claims.py).
SAME_CLAUSE, _SAME_PART, _SHARED, _OTHER_CLAUSE = 1.0, 0.9, 0.85, 0.5
_OTHER_YEAR = 0.1  # of a year or an age in another clause, where the number's own clause has one
_CLAUSE = re.compile(
    r"[,;:](?=\s)(?!(?<=\d,)\s(?:19|20)\d\d\b)|[()]|\s[–—-]\s"
    r"|\s(?:and|or|but|while|whereas|versus|vs\.?|compared|against|after|instead of|up from|down from)\s"
    r"|\s(?:und|oder|bzw\.|beziehungsweise|aber|während|sowie|gegenüber|nach|statt)\s"
    r"|\s(?:to|from|auf|bis|von)\s(?=[\d€$£(]|EUR|USD|US\$|about|around|rund|etwa)|[，；：、]",
    re.IGNORECASE,
)
#: What divides a sentence into parts that each say something of their own.
_PART = re.compile(
    r"[;；](?=\s?)|,\s(?:and|but|while|whereas|whilst|und|aber|während|sowie)\s|\s(?:while|whereas|während)\s|[，]",
    re.IGNORECASE,
)
#: What an ordinal of German stands before, whose full stop ends no sentence: 12. Juni, 3. Quartal.
COUNTED = (
    r"(?:Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Quartal|Halbjahr|Vierteljahr|Jahrhundert|Stelle|Platz|"
    r"Stock|Auflage|Ausgabe|Kapitel|Abschnitt|Mal\b)"
)
#: What ends no sentence before a number or a name.
_TITLES = "approx ca No Nr vs Fig Abb Art Sec Dr Mr Mrs Ms St Prof"
_MONTHS = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
_MONTH_NAMES = "|".join(name for names in MONTHS for name in names.split())
_SHORTENED = "".join(rf"(?<!\b{word}\.)" for word in (*_TITLES.split(), *_MONTHS.split()))
SENTENCE_END = re.compile(
    rf"\s+(?=[•●▪]\s)|(?<=[a-zа-яäöüß%)\d“”\"][.!?]){_SHORTENED}(?!(?<=\d\.)\s+{COUNTED})\s+(?=[A-ZА-ЯÄÖÜ\d„“\"(])|(?<=[。！？])"
)
#: A number that stands alone in brackets, but no year.
_ALONE = re.compile(r"\W*(?!(?:19|20)\d\d\W*$)\d[\d.,]*\s?(?:%|pp|percent|per cent|Prozent)?\W*")
_OF_TIME = (
    "the|years?|end|of|end(?:ed|ing)|period|month|quarter|first|second|third|fourth|early|late|mid|fiscal|"
    rf"der|die|das|den|dem|jahre?s?|quartals?|ende|anfang|{_MONTH_NAMES}"
)
_SINCE = re.compile(rf"(?i)(?<!\w)(?:since|seit)\s(?:(?:{_OF_TIME})[\s,.]+|\d{{1,2}}[,.]?\s)*(?:19|20)\d\d(?!\d)")
_BY = re.compile(r"(?i)\b(?:by|um)\W{0,3}$")
#: When something was, at the beginning of a sentence, which is of what follows: "On May 9, 2019, we paid ...".
_WHEN = re.compile(
    r"(?i)[\s,]*(?:as of|at|on|in|for|during|by|until|since|from|im|am|zum|seit|bis|per|ab|für|während|ende|anfang)\s"
    rf"(?:(?:{_OF_TIME})\b|[\d\s.,])*\d[\d\s,.]*"
)
#: What stands before the number that another one is compared with: the one of before.
_BEFORE = re.compile(
    r"(?i)(?:\b(?:from|after|against|versus|vs\.?|compared (?:with|to)|instead of|than|previously|formerly|nach|von|"
    r"gegenüber|statt|zuvor|vorher|с|от|после|против)|\((?:previous year|prior year|vj\.?|vorjahr):?|"
    r"[\d%€$£¥](?:\s?[^\W\d_]+){0,2}\s?\()\s*"
    r"(?:about|around|rund|etwa|ca\.?|almost|nearly)?\s*$"
)


def sentence_at(text: str, at: int) -> str:
    """The sentence of a text that a place is in."""
    return next((text[a:b].strip() for a, b in _spans(SENTENCE_END, text) if a <= at < b), text)


def clause_at(text: str, at: int) -> str:
    """The clause of a text that a place is in."""
    start, end = _span_at(_spans(SENTENCE_END, text), at) or (0, len(text))
    clauses = ((start + a, start + b) for a, b in _spans(_CLAUSE, text[start:end]))
    return next((text[a:b].strip() for a, b in clauses if a <= at < b), text[start:end])


def clauses_of(text: str) -> list[str]:
    """The clauses of a text."""
    return [sentence[a:b] for sentence in _cut(SENTENCE_END, text) for a, b in _spans(_CLAUSE, sentence)]


def parts_of(sentence: str) -> list[str]:
    """The parts of a sentence that each say something of their own."""
    return _cut(_PART, sentence)


def _cut(divider: re.Pattern[str], text: str) -> list[str]:
    return [text[a:b] for a, b in _spans(divider, text)]


def part_with(sentence: str, written: str) -> str:
    """The part of a sentence that says something of its own, and in which something is written; else the sentence."""
    parts = (sentence[a:b] for a, b in _spans(_PART, sentence))
    return next((part for part in parts if written in part), sentence)


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
    tokens = cache(lambda sentence: list(_tokens_at(text, *sentence)))
    pairs = cache(lambda sentence: paired(text, sentence, found))
    # What belongs to a number is no word beside another; a year or date is unless it is one itself, and the number of a
    # name.
    of_numbers = _places(one for one in found if not (one.year or one.days or may_be_a_name(text, one)))
    of_dates = _places(one for one in found if one.days)

    def of_number(quantity: Quantity) -> list[tuple[str, float]]:
        place = _Place.of(text, quantity, found, sentences)
        left_out = of_numbers.union(range(*quantity.span), of_dates if quantity.days else ())
        pair = pairs(place.sentence).get(quantity.digits[0])
        return [(token, place.nearness(at, pair)) for at, token in tokens(place.sentence) if at not in left_out]

    return [of_number(quantity) for quantity in found]


def _places(found: Iterable[Quantity]) -> set[int]:
    return {at for one in found for at in range(*one.span)}


@dataclass(frozen=True)
class _Place:
    """Where in its sentence a number stands, by which the sentence's words are near to it or less so.

    ``alike`` are where the sentence's numbers of its kind begin, its own among them: years, or what is no year.
    ``others`` are where years outside its clause begin, if its clause has one, and ages likewise.
    """

    sentence: Span
    part: Span
    clause: Span
    alike: Sequence[int]
    others: frozenset[int]

    @classmethod
    def of(cls, text: str, quantity: Quantity, found: Sequence[Quantity], sentences: Sequence[Span]) -> _Place:
        """The place of one of the numbers that were ``found`` in a text."""
        at = quantity.digits[0]
        sentence = _span_at(sentences, at) or (0, len(text))
        part, clause = (_around(divider, text, sentence, at) for divider in (_PART, _CLAUSE))
        plain = (one.digits[0] for one in found if are_alike(one, quantity))
        alike = [start for start in plain if _is_in(sentence, start) and (start == at or start not in ages(text))]
        years = frozenset(one.digits[0] for one in found if one.year and one is not quantity)
        others = _outside(clause, years) | _outside(clause, ages(text)) | _before_it(text, quantity)
        return cls(sentence, part, clause, alike, others)

    def nearness(self, at: int, pair: tuple[Span, list[Span]] | None = None) -> float:
        """How closely a word that begins there belongs to the number, 0 to 1; ``pair`` is where stands what a sentence
        that pairs numbers with things has for this one, and what for the others."""
        if pair:
            _, others = pair
            return _OTHER_YEAR if any(_is_in(one, at) for one in others) else SAME_CLAUSE
        if at in self.others:
            return _OTHER_YEAR
        if len(self.alike) < 2 or _is_in(self.clause, at):
            return SAME_CLAUSE
        if self.part != self.sentence and _is_in(self.part, at):
            return _SAME_PART
        return _SHARED if at < self.alike[0] else _OTHER_CLAUSE


def are_alike(one: Quantity, other: Quantity) -> bool:
    """Whether the words of a sentence may be of either of two numbers: a date or percentage takes none from others."""
    return _measure(one) == _measure(other)


def _measure(quantity: Quantity) -> str:
    return "year" if quantity.year else "date" if quantity.days else "%" if quantity.unit == "%" else ""


def _before_it(text: str, quantity: Quantity) -> frozenset[int]:
    """The places of a time since when something was otherwise: it is of no number but of one that tells the change."""
    if quantity.unit == "pp" or _BY.search(text, 0, quantity.span[0]):
        return frozenset()
    return frozenset(at for found in _SINCE.finditer(text) for at in range(*found.span()))


def _outside(clause: Span, places: frozenset[int]) -> frozenset[int]:
    """The places that are not in a clause, if one is."""
    outside = frozenset(at for at in places if not _is_in(clause, at))
    return outside if outside < places else frozenset()


def _span_at(spans: Iterable[Span], at: int) -> Span | None:
    return next((span for span in spans if _is_in(span, at)), None)


def _is_in(span: Span, at: int) -> bool:
    return span[0] <= at < span[1]


def _around(divider: re.Pattern[str], text: str, sentence: Span, at: int) -> Span:
    return _span_at(_parts_of(divider, text, sentence), at) or sentence


@lru_cache(maxsize=16)  # all numbers of a text ask for the same
def _parts_of(divider: re.Pattern[str], text: str, sentence: Span) -> list[Span]:
    start, end = sentence
    return _with_parentheses(text, [(start + a, start + b) for a, b in _spans(divider, text[start:end])])


def _with_parentheses(text: str, spans: Sequence[Span]) -> list[Span]:
    """The parts of a sentence, where what stands in brackets without a number of its own belongs to the number right
    before it: "13.6 % (air-source), 10.8 % (ground-source)", "885.4 (2023)"; a year to what it leads to:
    "(2023: 885.4)"; and a number alone to the words before it: "of Republicans (75 %)".
    """
    joined: list[Span] = []
    for start, end in spans:
        before = text[slice(*joined[-1])] if joined else ""
        closed = text[end : end + 1] == ")"
        behind = closed and text[start] == "(" and _belongs(before, text[start + 1 : end])
        heads = text[start] == ":" and re.match(r"\W*(?:19|20)\d\d\W*$", before)
        if joined and (behind or heads or _WHEN.fullmatch(before)):
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _belongs(before: str, inside: str) -> bool:
    """Whether what stands in brackets belongs to what is right before it: words to a number, a number to words."""
    number = re.search(r"\d+\W{0,3}(?:[^\W\d_]+\W{0,2}){0,2}$", before)
    beside_a_number = number is not None and number.start() not in ages(before)
    if _ALONE.fullmatch(inside):
        return not beside_a_number and bool(re.search(r"[^\W\d_]", before))
    return beside_a_number and not re.search(r"\d", re.sub(r"(?<!\d)(?:19|20)\d\d(?!\d)", "", inside))


def _tokens_at(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for found in re.compile(r"[^\W_]+").finditer(text, start, end):
        for token in tokenize(found[0]):
            yield found.start(), token


@lru_cache(maxsize=16)  # all numbers of a text ask for the same
def _spans(divider: re.Pattern[str], text: str) -> tuple[Span, ...]:
    """The parts between what divides a text; a divider belongs to the part after it."""
    starts = [0, *(found.start() for found in divider.finditer(text))]
    return tuple(zip(starts, [*starts[1:], len(text)], strict=True))
