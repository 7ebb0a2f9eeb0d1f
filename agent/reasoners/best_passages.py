"""Which passages of the pages found answer a question best, by words alone; or none, where the pages don't speak of it.

A page that is quoted must hold the question's names and numbers and most of what is rare in it: a line of a stranger
page that shares two words is no answer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
_ASKS_NUMBER = re.compile(
    r"(?i)\b(?:how (?:much|many|high|large|big|long|old|far|fast|heavy|tall|loud|often)|what (?:percentage|percent|"
    r"share|number|amount|price|rate|value|proportion)|which (?:share|revenue|sound|level|percentage)|by how|cost|"
    r"wie (?:viel|viele|hoch|groß|lang|laut|schwer|teuer)|was kostet|anteil|leistungszahl|"
    r"in (?:millions|percent|euros|dollars))\b"
)
_ASKS_DATE = re.compile(
    r"(?i)\b(?:when|which (?:day|date|year|month|quarter)|what (?:date|year|day)|wann|welche[mrs]? (?:tag|jahr))\b"
)
#: In which unit the answer is wanted: "in millions of euros", "how many thousand tonnes".
_UNIT_ASKED = re.compile(
    r"(?i),? \(?\bin (?:thousands?|millions?|billions?|percent|per cent|euros|dollars|dB\(A\)|kW|kg)"
    r"(?: of (?:\w+ )?(?:euros|dollars|tonnes))?\)?|\b(?:thousand|million|billion)s?\b"
)
_ASKS_NAME = re.compile(r"(?i)\b(?:who|whose|whom|which (?:person|firm|company)|wer|wem|wen)\b")
_NAME = re.compile(r"(?<![.?!:] )(?<!^)(?<![\"“„])\b[A-Z][\w'’-]*[A-Za-z0-9]\b")
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


def best_passages(question: str, pages: Sequence[PageOnHand], said_before: Sequence[str] = ()) -> list[Passage]:
    """The passages, six at most, best first, of one page or of two that fit alike; none if no page speaks of it.

    What was ``said_before`` is not said again while there is something else.
    """
    terms = asked_terms(question)
    every = [passage for page in pages for passage in page.passages]
    weights = _weights(terms, _names_and_numbers(question), every)
    if not weights or not every:
        return []
    scores = {id(one): _score(question, one, weights) for one in every}
    speaking = {page.hit.label: speaks_of(question, page, weights) for page in pages}
    fitting = [one for one in every if speaking[one.hit.label] and scores[id(one)] > 0]
    fresh = [one for one in fitting if one.text not in said_before]
    ranked = sorted(fresh or fitting, key=lambda one: -scores[id(one)])
    chosen = _chosen(ranked, scores)
    return chosen if _covers(chosen, weights) else []


def asked_terms(question: str) -> list[str]:
    """The terms of a question that an answer's page should hold."""
    terms = read_query(_UNIT_ASKED.sub(" ", _without_places(question))).terms
    return [term for term in terms if term not in _FRAME] or list(read_query(question).terms)


def speaks_of(question: str, page: PageOnHand, weights: Mapping[str, float]) -> bool:
    """Whether a page holds the question's names and numbers, and most of what else is rare in it."""
    if any(not stems(term) & page.terms for term in _names_and_numbers(question)):
        return False
    total = sum(weights.values())
    held = sum(weight for term, weight in weights.items() if stems(term) & page.terms)
    return held >= _LEAST_OF_PAGE * total


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


def _weights(terms: Sequence[str], named: Sequence[str], every: Sequence[Passage]) -> dict[str, float]:
    """What each term weighs: the more, the fewer of the passages hold it; names and numbers more than others."""
    counts = Counter(term for one in every for term in terms if _held(one, term) >= 0.5)
    return {
        term: math.log(1 + len(every) / max(counts[term], 0.5)) * (_NAMED_COUNTS if term in named else 1.0)
        for term in terms
    }


def _held(passage: Passage, term: str) -> float:
    return max((passage.held.get(stem, 0.0) for stem in stems(term)), default=0.0)


def _score(question: str, passage: Passage, weights: Mapping[str, float]) -> float:
    """The weight of the question's terms that a passage holds, more where it has what is asked for."""
    score = sum(weight * _held(passage, term) for term, weight in weights.items())
    if score <= 0:
        return 0.0
    score *= 1 + passage.hit.score
    asked = set(re.findall(r"\d+", question))
    new = [number for number in re.findall(r"\d+", passage.text) if number not in asked]
    if _ASKS_NUMBER.search(question):
        score *= (_WITH_A_NUMBER if new else 1.0) * (_AS_A_CELL if passage.cell else 1.0)
    elif _ASKS_DATE.search(question):
        score *= _WITH_A_NUMBER if new else 1.0
    elif _ASKS_NAME.search(question):
        score *= _WITH_A_NAME if _NAMED.search(passage.text) else 1.0
    own = max(len(passage.text.split()), 1)
    return score * (1 + 0.02 * min(own, 10)) if not passage.cell else score * 1.15 * _of_its_row(question, passage)


def _of_its_row(question: str, cell: Passage) -> float:
    """How much of the name of a cell's row the question says, from `_OF_ANOTHER_ROW` to 1."""
    if not cell.row:
        return 1.0
    asked = frozenset(stem for token in tokenize(question) for stem in stems(token))
    share = sum(bool(stems(term) & asked) for term in cell.row) / len(cell.row)
    return _OF_ANOTHER_ROW + (1 - _OF_ANOTHER_ROW) * share


def _chosen(ranked: Sequence[Passage], scores: Mapping[int, float]) -> list[Passage]:
    """The best, others of its page that are near it, and the best of one other page that is as good."""
    chosen: list[Passage] = []
    for one in ranked:
        best = scores[id(ranked[0])]
        same_page = one.hit.label == ranked[0].hit.label
        as_good = not same_page or one.cell or ranked[0].cell  # beside the right cell nothing else is needed
        least = _NEAR_ON_ANOTHER_PAGE if as_good else _NEAR_THE_BEST
        near = scores[id(one)] >= least * best
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


def _covers(chosen: Sequence[Passage], weights: Mapping[str, float]) -> bool:
    held = sum(weight * max((_held(one, term) for one in chosen), default=0.0) for term, weight in weights.items())
    return held >= _LEAST_OF_PASSAGES * sum(weights.values())
