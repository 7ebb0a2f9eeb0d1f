"""How well the numbers of a page fit what a claim says of one of its numbers, by the words that they stand with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber, Term, is_year, language_of
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import function_words, tokenize
from pagesight.indexing.values.dates import MONTHS
from pagesight.indexing.values.page_values import PageContent, PageValue

# Tried on made claims (benchmarks/claims.py) and on some written by hand: by how much of what the claim's words weigh
# another value must fit them better, of the same row, column or sentence, and of another.
_BETTER, _MUCH_BETTER = 0.08, 0.3
_UNKNOWN = 0.5  # how much words count that a page of their language has not; tried on claims of strangers
_BEGIN = 5  # letters in which two words agree, and a sixth if both are longer, that are taken for forms of one; a guess
_SHORTEST = 3  # letters of a shortened word; a guess, not measured
_HELD = 0.8  # how closely a word belongs to a number that has it; tried on made claims
_NEAR = 0.5  # how closely a term stands with a number in whatever clause of its sentence
_WHOLE = "total overall altogether insgesamt gesamt gesamte"
#: Stems of words that mean the same: the names of each month, and of a whole.
_ALIKE = [frozenset(stem for name in names.split() for stem in stems(name)) for names in (*MONTHS, _WHOLE)]


@dataclass(frozen=True)
class ClaimFit:
    """A claim's number held against the numbers of a page."""

    number: ClaimNumber
    content: PageContent
    by_heads: bool = False

    @cached_property
    def weights(self) -> dict[Term, float]:
        """What each of the claim's terms on the page weighs: the more, the fewer of the page's numbers have it."""
        values = self.content.values
        weights = {}
        for term, near in self.terms_of_heads if self.by_heads else self.terms:
            if near >= _NEAR and term & self.content.terms:
                holders = sum(has(value, term) for value in values)
                weights[term, near] = near * math.log(1 + len(values) / max(holders, 0.5))
        return weights

    @cached_property
    def terms(self) -> list[Term]:
        """The claim's terms; one that the page lacks is taken for the page's that begin as it does: employed for
        employees."""
        held = self.content.terms
        every = ((term | _of_like_meaning(term), near) for term, near in self.number.terms)
        return [(term if term & held else term | _begun_alike(term, held), near) for term, near in every]

    @cached_property
    def terms_in_short(self) -> list[Term]:
        """The terms; one that the page lacks is also what rows and columns of tables have for it in short."""
        held = self.content.terms
        return [(term if term & held else term | _beginnings(term, self._shortened), near) for term, near in self.terms]

    @cached_property
    def terms_of_heads(self) -> list[Term]:
        """The terms, each with what rows and columns of tables have for it in short, whatever else the page has."""
        return [(term | _beginnings(term, self._shortened), near) for term, near in self.terms]

    @cached_property
    def _shortened(self) -> frozenset[str]:
        """The stems of the words that rows and columns of tables are called by, of few letters."""
        places = [value.place for value in self.content.values if value.place]
        labels = {label for place in places for label in (*place.labels, *place.heads)}
        words = (token for label in labels for token in tokenize(label))
        return frozenset(word for word in words if word.isalpha() and len(word) >= _SHORTEST)

    @cached_property
    def near_stems(self) -> frozenset[str]:
        """The stems of the claim's terms, but for those of another year and the like."""
        return frozenset(stem for term, near in self.terms if near >= _NEAR for stem in term)

    @cached_property
    def most(self) -> float:
        """How well a number would fit that stands with all terms of the claim that the page has."""
        return sum(self.weights.values())

    @cached_property
    def _held(self) -> float:
        values = self.content.values
        return sum(by for (term, _), by in self.weights.items() if any(has(value, term) for value in values))

    @cached_property
    def _lacking(self) -> float:
        """What the claim's terms would weigh that a page of its language might have, and this one has not."""
        most = math.log(1 + 2 * len(self.content.values))
        return sum(near * most for term, near in self.terms if near >= _NEAR and not term & self.content.terms)

    @cached_property
    def is_in_its_language(self) -> bool:
        """Whether the page has the claim's small words, or most of its own are of the claim's language: in another one
        the claim's other words cannot be expected."""
        terms = tokenize(self.number.text)
        if (language := language_of(terms)) and language == language_of(self.content.tokens):
            return True
        small = function_words(terms).intersection(terms)
        return len(small.intersection(self.content.tokens)) > len(small) / 2

    def of(self, value: PageValue) -> float:
        """How well a number of the page fits, from 0 to `most`."""
        return sum(weight * holds(value, term) for (term, _), weight in self.weights.items())

    def gain(self, rival: PageValue, value: PageValue, of: float | None = None, *, in_doubt: bool = True) -> float:
        """By how much, beyond what is needed, the rival fits the claim better than the value; 0 or less if it does not.

        What is needed is a part ``of`` how well a number may fit; if nothing is said, of what the terms weigh that some
        number has. Where other things
        speak for the value it is not ``in_doubt``: then years do not count, and much is needed.
        """
        more = less = 0.0
        for (term, _), weight in self.weights.items():
            if not in_doubt and any(map(is_year, term)):
                continue
            apart = weight * (holds(rival, term) - holds(value, term))
            more, less = more + max(apart, 0), less + max(-apart, 0)
        if less > more / 3 and not (rival.place and beside(rival, value)):
            return 0.0
        needed = _BETTER if in_doubt and (beside(rival, value) or less <= more / 4) else _MUCH_BETTER
        told = self._held if of is None else of
        return more - less - needed * (told + (_UNKNOWN if self.is_in_its_language else 1) * self._lacking)


def _of_like_meaning(term: frozenset[str]) -> frozenset[str]:
    """The stems of what else a month or a whole is called."""
    return next((alike for alike in _ALIKE if term & alike), frozenset())


def _beginnings(term: frozenset[str], shortened: frozenset[str]) -> frozenset[str]:
    """The shortened words that a term's begin with: Rep for Republican."""
    own = [stem for stem in term if stem.isalpha()]
    return frozenset(
        word for word in shortened if any(stem.startswith(word) and len(stem) > len(word) + 2 for stem in own)
    )


def _begun_alike(term: frozenset[str], held: frozenset[str]) -> frozenset[str]:
    own = [stem for stem in term if len(stem) > _BEGIN and stem.isalpha()]
    return frozenset(other for other in held if other.isalpha() and any(_begin_alike(stem, other) for stem in own))


def _begin_alike(one: str, other: str) -> bool:
    """Whether two stems have a beginning in common, where German and English write some letters differently:
    Demokraten and Democrats, submitted and submission."""
    start = [word[:_BEGIN].replace("k", "c") for word in (one, other)]
    return start[0] == start[1] and (one[_BEGIN:][:1] == other[_BEGIN:][:1] or min(len(one), len(other)) == _BEGIN + 1)


def holds(value: PageValue, term: frozenset[str]) -> float:
    """How closely a term of a claim belongs to a number of a page, 0 to 1."""
    return max((value.context.get(stem, 0.0) for stem in term), default=0.0)


def has(value: PageValue, term: frozenset[str]) -> bool:
    """Whether a term of a claim belongs to a number of a page rather than to others."""
    return holds(value, term) >= _HELD


def beside(one: PageValue, other: PageValue) -> bool:
    """Whether two numbers stand in one sentence, or in one row or column of a table."""
    if one.place and other.place:
        same_column = one.place.heads == other.place.heads and bool(one.place.heads)
        return same_column or (one.place.labels == other.place.labels and bool(one.place.labels))
    return one.block is other.block and one.said == other.said


def is_alone(value: PageValue) -> bool:
    """Whether words cannot tell what a number is of, as in a chart: none stand beside or over it, or two years do."""
    if value.place is None:
        return False
    heads = value.place.heads
    nameless = not any(map(str.isalpha, "".join([*value.place.labels, *heads])))
    return nameless or sum(is_year(head.strip()) for head in heads) > 1
