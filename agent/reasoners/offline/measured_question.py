"""A question as the passages of pages are measured by it: what its words weigh, and what kind of thing it asks for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from pagesight.agent.reasoners.offline.asked import (
    Wanted,
    abbreviated,
    asked_terms,
    looks_like,
    names_and_numbers,
    says_what_is_meant,
    wanted_kind,
    wanted_units,
)
from pagesight.agent.reasoners.offline.passages import Passage, number_parts
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.dates import other_names_of_month
from pagesight.indexing.values.quantities import quantities

# Chosen on one half of mmlb-dev's documents and measured on the other (docs/quality.md).
_NAMED_COUNTS = 1.5
_LEAST_OF_PAGE = 0.1  # of what the question's words weigh, on the quoted page
_ABOUT_IT = 0.3  # of a document's pages, at least, that have a name need not be the one that is quoted; a guess
_SHORT = 2  # words, of which none may stand nowhere in the page's document
_MOST_ELSEWHERE = 0.5  # of the names and numbers, on other pages of the document: "errors 88 and 188"
_WITH_A_NUMBER, _AS_A_CELL, _WITH_A_NAME, _WITH_A_DATE, _AS_A_MEANING = 1.25, 1.1, 1.3, 1.5, 2.0
_WITHOUT = 0.6  # what is left of a passage's score that has no number, date or name, where one is asked for
#: What is left of a cell's score when the question has no word of its row's name: net revenue is no net financial debt.
_OF_ANOTHER_ROW = 0.4
#: What is left where the question's words stand in the row's name, but do not begin it; a guess, not measured.
_ONLY_MENTIONED = 0.85
#: What a cell told with its row and column counts, and each word of a quotation, up to so many; guesses.
_TOLD, _A_WORD, _WORDS_THAT_COUNT = 1.15, 0.02, 10
_DIGITS = re.compile(r"\d+")
_CAPITAL = re.compile(r"(?<![.!?:|/•“„\"(] )(?<!^)\b[A-ZÄÖÜ][\w&’'-]+")
_INITIALS = re.compile(r"\b[A-Z]{3,5}\b")
_OF_A_ROW = " | "  # between the cells of a row
#: What an abbreviation holds of the words that it stands for; what a number in the unit asked for counts, and a number
#: that was worked out as asked. Guesses, not measured.
_SHORT_FOR, _IN_THE_UNIT, _WORKED_OUT = 0.9, 1.15, 2.0
_LOOKS_LIKE_IT = 2.0  # of the weightiest word: what looks like a telephone number, where one is asked for; a guess
_OF_THE_NEXT_PAGE = 0.7
_ON_SEVERAL_PAGES = 0.4  # what is left of a running head; a guess, not measured


@dataclass(frozen=True)
class PageOnHand:
    """A page that was found: its passages, and the stems of all its words and of its document's name.

    ``pervading`` says of the question's terms how far their document is about them as a whole, 0 to 1;
    ``number_parts`` are digits that are no numbers of their own on it.
    """

    hit: Hit
    passages: Sequence[Passage]
    terms: frozenset[str]
    pervading: Mapping[str, float] = field(default_factory=dict)
    number_parts: frozenset[str] = frozenset()


class Scored(NamedTuple):
    """A passage with how well it answers; more is better, and 0 is nothing in common."""

    passage: Passage
    score: float


@dataclass(frozen=True)
class Question:
    """A question as the ``passages`` of the pages found are measured by it: what it asks for is read once."""

    text: str
    passages: Sequence[Passage]
    pervading: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, text: str, pages: Sequence[PageOnHand]) -> Question:
        """The question with what the pages found have; ``pervading`` is by documents' ids."""
        passages = [passage for page in pages for passage in page.passages]
        return cls(text, passages, {page.hit.ref.document_id: page.pervading for page in pages})

    def information(self, hit: Hit) -> dict[str, float]:
        """What each term tells of a page: the less, the more of its document's pages have it."""
        pervading = self.pervading[hit.ref.document_id]
        return {term: weight * (1 - pervading.get(term, 0.0)) for term, weight in self.rarity.items()}

    @cached_property
    def weights_in(self) -> dict[str, dict[str, float]]:
        """By documents' ids: what each term weighs; a name that a document is about tells little of its passages, and a
        number, as in Tarn 16, which column it is."""
        return {
            known: {
                term: weight * (1 - pervading.get(term, 0.0) * (term in self.named and not term.isdecimal()))
                for term, weight in self.rarity.items()
            }
            for known, pervading in self.pervading.items()
        }

    @cached_property
    def rarity(self) -> dict[str, float]:
        """By term: the more, the fewer of the passages hold it; names and numbers more than others."""
        terms, every = asked_terms(self.text), self.passages
        counts = Counter(term for one in every for term in terms if _held(one, term) >= 0.5)
        return {
            term: math.log(1 + len(every) / max(counts[term], 0.5)) * (_NAMED_COUNTS if term in self.named else 1.0)
            for term in terms
        }

    @cached_property
    def named(self) -> list[str]:
        """The terms of its names and numbers."""
        return names_and_numbers(self.text)

    @cached_property
    def wanted(self) -> Wanted | None:
        """What kind of thing it asks for; None where it does not say."""
        return wanted_kind(self.text)

    @cached_property
    def said(self) -> frozenset[str]:
        """The stems of all its words."""
        return frozenset(stem for token in tokenize(self.text) for stem in stems(token))

    @cached_property
    def digits(self) -> frozenset[str]:
        """The digits that it says itself, which are no answer to it."""
        return frozenset(_DIGITS.findall(self.text))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The digits that it says as numbers of their own."""
        return self.digits - number_parts(self.text)

    @cached_property
    def units(self) -> frozenset[str]:
        """The units that the answer may have."""
        return wanted_units(self.text) if self.wanted == "number" else frozenset()

    @cached_property
    def short_for(self) -> dict[str, list[str]]:
        """What may stand for several of its words, in capitals, with these words."""
        return {initials.upper(): words for initials, words in abbreviated(tokenize(self.text)).items()}

    def held(self, passage: Passage, term: str) -> float:
        """How closely a passage holds a term, 0-1, also where its abbreviation stands there or what it shortens."""
        held = 0.0 if term in self.numbers & passage.number_parts else _held(passage, term)
        if held < _SHORT_FOR and self._is_said_otherwise(term, passage.held.keys(), _INITIALS.findall(passage.text)):
            return _SHORT_FOR
        return held

    def is_on(self, page: PageOnHand, term: str) -> bool:
        """Whether a term stands on a page, or what stands for it."""
        there = bool(stems(term) & page.terms) and term not in self.numbers & page.number_parts
        return there or self._is_said_otherwise(term, page.terms, map(str.upper, page.terms))

    def _is_said_otherwise(self, term: str, there: Set[str], capitals: Iterable[str]) -> bool:
        """Whether what stands for a term is among words: SPF for a seasonal performance factor, or all of these words
        for it, or Feb for February."""
        if any(term in self.short_for.get(initials, ()) for initials in capitals):
            return True
        words = self.short_for.get(term.upper(), ()) if term.upper() in self.text else ()
        in_full = bool(words) and all(stems(word) & there for word in words)
        return in_full or not there.isdisjoint(other_names_of_month(term))

    def is_spoken_of(self, page: PageOnHand, pages: Sequence[PageOnHand]) -> bool:
        """Whether a page holds its names and numbers, in part, and enough of what else is rare in it; not its numbers
        alone: a year is on many pages. Both words of two stand in its document."""
        if not self._holds_names(page, pages):
            return False
        weights = self.information(page.hit)
        held = [term for term in weights if self.is_on(page, term)]
        if len(weights) <= _SHORT and any(page.pervading.get(term) == 0 for term in weights if term not in held):
            return False
        if held and all(map(str.isdecimal, held)) and not all(map(str.isdecimal, weights)):
            return False
        return sum(weights[term] for term in held) >= _LEAST_OF_PAGE * sum(weights.values())

    def _holds_names(self, page: PageOnHand, pages: Sequence[PageOnHand]) -> bool:
        """Whether a page holds most of its names and numbers, and others found of its document the rest; not those that
        its document is about."""
        named = [term for term in self.named if page.pervading.get(term, 0.0) < _ABOUT_IT]
        lacking = [term for term in named if not self.is_on(page, term)]
        document = [other for other in pages if other.hit.ref.document_id == page.hit.ref.document_id]
        few = len(lacking) <= _MOST_ELSEWHERE * len(named)
        return few and all(any(self.is_on(other, term) for other in document) for term in lacking)

    def is_covered_by(self, chosen: Sequence[Passage], least: float) -> bool:
        """Whether passages hold that share of it together."""
        if not chosen:
            return False
        weights = self.information(chosen[0].hit)
        held = sum(weight * max(self.held(one, term) for one in chosen) for term, weight in weights.items())
        return held >= least * sum(weights.values())

    def score(self, passage: Passage) -> float:
        """The weight of its terms that a passage holds, more where it has what is asked for."""
        weights = self.weights_in[passage.hit.ref.document_id]
        score = sum(weight * self.held(passage, term) for term, weight in weights.items())
        if looks_like(passage.text, self.wanted):
            score += _LOOKS_LIKE_IT * max(self.rarity.values(), default=0.0)
        if score <= 0:
            return 0.0
        if not self.says_the_meaning(passage):  # which may be told on any of the pages that have a word
            score *= _OF_THE_NEXT_PAGE ** (passage.hit.rank - 1)
        score *= 1 + passage.hit.score
        score *= self._answers(passage)
        if passage.cell:
            return score * _TOLD * self._says_row(passage)
        if _OF_A_ROW in passage.text:
            return score
        return score * (1 + _A_WORD * min(max(len(passage.text.split()), 1), _WORDS_THAT_COUNT))

    def without_running_heads(self, scored: Sequence[Scored]) -> list[Scored]:
        """The passages with those behind the others of their page that stand on several pages; each page's best has the
        score that it had: a head says what its page is about."""
        best: dict[str, float] = {}
        for one, score in scored:
            best[one.hit.label] = max(best.get(one.hit.label, 0.0), score)
        told = [
            Scored(one, score * (_ON_SEVERAL_PAGES if self._is_repeated(one) else 1.0)) for one, score in scored
        ]  # fmt: skip
        now: dict[str, float] = {}
        for one, score in told:
            now[one.hit.label] = max(now.get(one.hit.label, 0.0), score)
        return [Scored(one, score * best[one.hit.label] / now[one.hit.label]) for one, score in told]

    def _is_repeated(self, passage: Passage) -> bool:
        """Whether it stands on several of the pages, its numbers aside: a running head, or each chart's source."""
        return len(self.pages_of[_without_numbers(passage.text)]) > 1

    @cached_property
    def pages_of(self) -> dict[str, set[int]]:
        """The pages of one document on which each text stands, its numbers aside; of the document that has most."""
        pages: dict[tuple[str, str], set[int]] = {}
        for one in self.passages:
            pages.setdefault((_without_numbers(one.text), one.hit.ref.document_id), set()).add(one.hit.ref.page)
        most: dict[str, set[int]] = {}
        for (text, _), numbers in pages.items():
            most[text] = max(most.get(text, set()), numbers, key=len)
        return most

    def _answers(self, passage: Passage) -> float:
        """By how much a passage counts more because it has the kind of thing that is asked for."""
        if passage.worked_out:
            return _WORKED_OUT
        if self.wanted == "name":
            return _WITH_A_NAME if self._tells_a_name(passage.text) else _WITHOUT
        if self.wanted == "date":
            return _WITH_A_DATE if self._tells_a_date(passage.text) else _WITHOUT
        if self.wanted == "meaning":
            return _AS_A_MEANING if self.says_the_meaning(passage) else 1.0
        if self.wanted == "number":
            return self._tells_a_number(passage) * (_AS_A_CELL if passage.cell else 1.0)
        return 1.0

    def says_the_meaning(self, passage: Passage) -> bool:
        """Whether it says what the thing is whose meaning is asked for."""
        return self.wanted == "meaning" and says_what_is_meant(passage.text, self.text)

    def _tells_a_name(self, text: str) -> bool:
        """Whether it has a name that the question does not say: a word with a capital that the pages never have without
        one."""
        return any(
            word.lower() not in self.small_words and not stems(word.lower()) & self.said
            for word in _CAPITAL.findall(text)
        )

    @cached_property
    def small_words(self) -> frozenset[str]:
        """The words that begin with a small letter somewhere on the pages."""
        return frozenset(word for one in self.passages for word in re.findall(r"\b[a-zäöüß][\w’'-]+", one.text))

    def _tells_a_date(self, text: str) -> bool:
        """Whether it tells a time that the question does not."""
        told = (one for one in quantities(text) if one.year or one.days)
        return any(self.digits.isdisjoint(_DIGITS.findall(text[slice(*one.digits)])) for one in told)

    def _tells_a_number(self, passage: Passage) -> float:
        """By how much it counts more for a number of its own, no date, and for one in the unit that is asked for."""
        numbers = [one for one in quantities(passage.text) if not (one.year or one.days)]
        if all(self.digits.issuperset(_DIGITS.findall(passage.text[slice(*one.digits)])) for one in numbers):
            return _WITHOUT
        in_unit = self.units and any(one.unit in self.units for one in numbers)
        return _WITH_A_NUMBER * (_IN_THE_UNIT if in_unit else 1.0)

    def _says_row(self, cell: Passage) -> float:
        """How much of the name of a cell's row it says, from `_OF_ANOTHER_ROW` to 1."""
        if not cell.row:
            return 1.0
        said = [bool(stems(term) & self.said) for term in cell.row]
        share = sum(said) / len(said)
        mentioned = 1.0 if said[0] else _ONLY_MENTIONED  # a bracket for the Tarn 16 is no Tarn 16
        return mentioned * (_OF_ANOTHER_ROW + (1 - _OF_ANOTHER_ROW) * share)


def _without_numbers(text: str) -> str:
    return _DIGITS.sub("", text).strip()


def _held(passage: Passage, term: str) -> float:
    return max((passage.held.get(stem, 0.0) for stem in stems(term)), default=0.0)
