"""Which passages of the pages found answer a question best, by words alone; or none, where the pages don't speak of it.

A page that is quoted must hold the question's names and numbers and most of what is rare in it: a line of a stranger
page that shares two words is no answer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from pagesight.agent.reasoners.passages import Passage
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Hit

# Chosen on one half of mmlb-dev's documents and measured on the other (docs/quality.md).
_MOST = 6
_NEAR_THE_BEST, _NEAR_ON_ANOTHER_PAGE = 0.3, 0.8
_NAMED_COUNTS = 1.5
_LEAST_OF_PAGE = 0.2  # of what the question's words weigh, on the quoted page
_LEAST_OF_PASSAGES = 0.1  # and in the passages that are quoted
_WITH_A_NUMBER, _AS_A_CELL, _WITH_A_NAME = 1.25, 1.1, 1.15
#: What is left of a cell's score when the question has no word of its row's name: net revenue is no net financial debt.
_OF_ANOTHER_ROW = 0.4
#: What is left where the question's words stand in the row's name, but do not begin it; a guess, not measured.
_ONLY_MENTIONED = 0.85
#: What a cell told with its row and column counts, and each word of a quotation, up to so many; guesses.
_TOLD, _A_WORD, _WORDS_THAT_COUNT = 1.15, 0.02, 10
#: Words about the answer or the place of it, which no page needs to hold.
_FRAME = frozenset(
    tokenize(
        "according document documents report page pages figure table chart graph diagram slide slides section paper "
        "text author authors shown show shows given listed mentioned name names many much number total percentage "
        "percent following answer please list write use used based presentation question format laut "
        "high large big long old far heavy tall loud hoch groß lang schwer teuer dokument bericht seite tabelle "
        "abbildung viele"
    )
)
#: The kind of thing that a question asks for, by its words; the first that fits counts.
Wanted = Literal["number", "date", "name"]
_ASKS: list[tuple[Wanted, re.Pattern[str]]] = [
    ("number", re.compile(
        r"(?i)\b(?:how (?:much|many|high|large|big|long|old|far|fast|heavy|tall|loud|often)|what (?:percentage|percent|"
        r"share|number|amount|price|rate|value|proportion)|which (?:share|revenue|sound|level|percentage)|by how|cost|"
        r"wie (?:viel|viele|hoch|groß|lang|laut|schwer|teuer)|was kostet|anteil|leistungszahl|"
        r"in (?:millions|percent|euros|dollars))\b"
    )),
    ("date", re.compile(
        r"(?i)\b(?:when|which (?:day|date|year|month|quarter)|what (?:date|year|day)|wann|welche[mrs]? (?:tag|jahr))\b"
    )),
    ("name", re.compile(r"(?i)\b(?:who|whose|whom|which (?:person|firm|company)|wer|wem|wen)\b")),
]  # fmt: skip
#: In which unit the answer is wanted: "in millions of euros", "how many thousand tonnes".
_UNIT_ASKED = re.compile(
    r"(?i),? \(?\bin (?:thousands?|millions?|billions?|percent|per cent|euros|dollars|dB\(A\)|kW|kg)"
    r"(?: of (?:\w+ )?(?:euros|dollars|tonnes))?\)?|\b(?:thousand|million|billion)s?\b"
)
_NAME = re.compile(r"(?<![.?!:] )(?<!^)(?<![\"“„])\b[A-Z][\w'’-]*[A-Za-z0-9]\b")
_DIGITS = re.compile(r"\d+")
_NAMED = re.compile(r"[A-ZÄÖÜ]\w+ [A-ZÄÖÜ]\w+")
_PLACE = re.compile(
    r"(?i)\b(?:pages?|slides?|figures?|fig\.|tables?|seiten?|abbildung|tabelle|section)\s*\d+(?:\s*[-–]\s*\d+)?"
)


@dataclass(frozen=True)
class PageOnHand:
    """A page that was found: its passages, and the stems of all its words and of its document's name."""

    hit: Hit
    passages: Sequence[Passage]
    terms: frozenset[str]


def best_passages(
    question: str,
    pages: Sequence[PageOnHand],
    said_before: Sequence[str] = (),
    *,
    most: int = _MOST,
    least: float = _LEAST_OF_PASSAGES,
) -> list[Passage]:
    """The passages, six at ``most``, best first, of one page or of two that fit alike; none if no page speaks of it.

    What was ``said_before`` is not said again while there is something else. ``least`` is the share, 0-1, of what the
    question's words weigh that they must hold together.
    """
    asked = _Question(question, [passage for page in pages for passage in page.passages])
    speaking = {page.hit.label: asked.is_spoken_of(page) for page in pages}
    scored = (_Scored(one, asked.score(one)) for one in asked.passages if speaking[one.hit.label])
    fitting = [one for one in scored if one.score > 0]
    fresh = [one for one in fitting if one.passage.text not in said_before]
    chosen = _chosen(sorted(fresh or fitting, key=lambda one: -one.score))[:most]
    return chosen if asked.is_covered_by(chosen, least) else []


class _Scored(NamedTuple):
    passage: Passage
    score: float


@dataclass(frozen=True)
class _Question:
    """A question as the ``passages`` of the pages found are measured by it: what it asks for is read once."""

    text: str
    passages: Sequence[Passage]

    @cached_property
    def weights(self) -> dict[str, float]:
        """What each term weighs: the more, the fewer of the passages hold it; names and numbers more than others."""
        terms, every = _asked_terms(self.text), self.passages
        counts = Counter(term for one in every for term in terms if _held(one, term) >= 0.5)
        return {
            term: math.log(1 + len(every) / max(counts[term], 0.5)) * (_NAMED_COUNTS if term in self.named else 1.0)
            for term in terms
        }

    @cached_property
    def named(self) -> list[str]:
        """The terms of its names and numbers."""
        return _names_and_numbers(self.text)

    @cached_property
    def wanted(self) -> Wanted | None:
        """What kind of thing it asks for; None where it does not say."""
        return next((kind for kind, asks in _ASKS if asks.search(self.text)), None)

    @cached_property
    def said(self) -> frozenset[str]:
        """The stems of all its words."""
        return frozenset(stem for token in tokenize(self.text) for stem in stems(token))

    @cached_property
    def digits(self) -> frozenset[str]:
        """The digits that it says itself, which are no answer to it."""
        return frozenset(_DIGITS.findall(self.text))

    def is_spoken_of(self, page: PageOnHand) -> bool:
        """Whether a page holds its names and numbers, and most of what else is rare in it."""
        if any(not stems(term) & page.terms for term in self.named):
            return False
        held = sum(weight for term, weight in self.weights.items() if stems(term) & page.terms)
        return held >= _LEAST_OF_PAGE * sum(self.weights.values())

    def is_covered_by(self, chosen: Sequence[Passage], least: float) -> bool:
        """Whether passages hold that share of it together."""
        weights = self.weights.items()
        held = sum(weight * max((_held(one, term) for one in chosen), default=0.0) for term, weight in weights)
        return held >= least * sum(self.weights.values())

    def score(self, passage: Passage) -> float:
        """The weight of its terms that a passage holds, more where it has what is asked for."""
        score = sum(weight * _held(passage, term) for term, weight in self.weights.items())
        if score <= 0:
            return 0.0
        score *= 1 + passage.hit.score
        score *= self._answers(passage)
        if passage.cell:
            return score * _TOLD * self._says_row(passage)
        return score * (1 + _A_WORD * min(max(len(passage.text.split()), 1), _WORDS_THAT_COUNT))

    def _answers(self, passage: Passage) -> float:
        """By how much a passage counts more because it has the kind of thing that is asked for."""
        if self.wanted == "name":
            return _WITH_A_NAME if _NAMED.search(passage.text) else 1.0
        tells = any(number not in self.digits for number in _DIGITS.findall(passage.text))
        number = _WITH_A_NUMBER if self.wanted and tells else 1.0
        return number * _AS_A_CELL if self.wanted == "number" and passage.cell else number

    def _says_row(self, cell: Passage) -> float:
        """How much of the name of a cell's row it says, from `_OF_ANOTHER_ROW` to 1."""
        if not cell.row:
            return 1.0
        said = [bool(stems(term) & self.said) for term in cell.row]
        share = sum(said) / len(said)
        mentioned = 1.0 if said[0] else _ONLY_MENTIONED  # a bracket for the Tarn 16 is no Tarn 16
        return mentioned * (_OF_ANOTHER_ROW + (1 - _OF_ANOTHER_ROW) * share)


def _asked_terms(question: str) -> list[str]:
    """The terms of a question that an answer's page should hold."""
    terms = read_query(_UNIT_ASKED.sub(" ", _without_places(question))).terms
    return [term for term in terms if term not in _FRAME] or list(read_query(question).terms)


def _names_and_numbers(question: str) -> list[str]:
    """The terms of names in an English question, whose other nouns are small, and its years and numbers."""
    numbers = re.findall(r"(?<![\w.,])\d(?:[\d.,]*\d)?(?!\w)", _without_places(question))  # P7 is a name
    english = not re.search(r"(?i)[äöüß]|\b(?:der|die|das|welche\w*|wie|wer|was)\b", question)
    capitals = sum(word[:1].isupper() for word in question.split())
    named = _NAME.findall(question) if english and capitals < len(question.split()) / 2 else []
    return [token for text in [*numbers, *named] for token in tokenize(text) if token not in _FRAME]


def _without_places(question: str) -> str:
    """The question without the pages and figures that it names: they need not stand on the page."""
    return _PLACE.sub(" ", question)


def _held(passage: Passage, term: str) -> float:
    return max((passage.held.get(stem, 0.0) for stem in stems(term)), default=0.0)


def _chosen(ranked: Sequence[_Scored]) -> list[Passage]:
    """The best, others of its page that are near it, and the best of one other page that is as good."""
    chosen: list[Passage] = []
    for one, score in ranked:
        best = ranked[0]
        same_page = one.hit.label == best.passage.hit.label
        as_good = not same_page or one.cell or best.passage.cell  # beside the right cell nothing else is needed
        near = score >= (_NEAR_ON_ANOTHER_PAGE if as_good else _NEAR_THE_BEST) * best.score
        if near and not any(_repeats(one, other) for other in chosen):
            chosen.append(one)
        if len(chosen) == _MOST:
            break
    return chosen


def _repeats(one: Passage, other: Passage) -> bool:
    """Whether two passages say the same: in the same words, or of the same place."""
    if one.text.casefold() == other.text.casefold():
        return True
    if one.hit.label != other.hit.label or not one.words or not other.words:
        return False
    return len(one.words & other.words) >= min(len(one.words), len(other.words)) / 2
