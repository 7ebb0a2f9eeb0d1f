"""The check of one sentence: its quotations, numbers, proportions and names, by the pages that it cites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber, claim_numbers, is_year, quantities_told
from pagesight.agent.answers.claims.answer_text.claim_text import CitedSentence
from pagesight.agent.answers.claims.claim import (
    FOLLOWS,
    IN_A_PICTURE,
    NO_WORDS,
    SAYS_IT,
    Claim,
    Evidence,
    Outcome,
)
from pagesight.agent.answers.claims.numbers.claim_fit import has
from pagesight.agent.answers.claims.numbers.number_check import Found, find_number
from pagesight.agent.answers.claims.numbers.operands import Operand, operands_of
from pagesight.agent.answers.claims.numbers.proportion_check import operands_of_proportion, says_it_too
from pagesight.agent.answers.claims.numbers.proportions import Proportion, proportions, share_beside, values_of_share
from pagesight.agent.answers.claims.numbers.said_by_name import is_said_by_name
from pagesight.agent.answers.claims.numbers.swapped import swapped
from pagesight.agent.answers.claims.numbers.trend import went_the_other_way
from pagesight.agent.answers.claims.polarity.change_told import goes_against_itself
from pagesight.agent.answers.claims.polarity.direction import denial, tells_of_change
from pagesight.agent.answers.claims.polarity.opposites import says_the_opposite
from pagesight.agent.answers.claims.readings import Readings, ReadPage
from pagesight.agent.answers.claims.words.cited_page import (
    WORDS_OF_A_REPEAT,
    CitedPage,
    cited_page,
    said_in_full,
)
from pagesight.agent.answers.claims.words.missing_months import missing_months
from pagesight.agent.answers.claims.words.names_check import (
    apart,
    best_place,
    best_sentence,
    missing_codes,
    missing_names,
)
from pagesight.agent.answers.claims.words.nearest_place import number_elsewhere, phrase_elsewhere
from pagesight.agent.answers.claims.words.phrases import codes, find_phrase, names, quoted_phrases
from pagesight.agent.answers.claims.words.single_names import missing_word, stranger
from pagesight.agent.answers.claims.words.subject import in_anothers_place
from pagesight.indexing.errors import PagesightError
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.clauses import SAME_CLAUSE
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity, quantities, same_value
from pagesight.tools.allowed_documents import AllowedDocuments


class _Sighting(NamedTuple):
    """What one of the cited pages says of a number of the claim."""

    number: ClaimNumber
    page: CitedPage
    found: Found

    def operand(self, right: Sequence[Quantity] = ()) -> Operand | None:
        """The printed number, if it is the claim's; ``right`` are those of the page that the claim has rightly.

        A claim that also has the numbers which would fit better in its place tells them apart, so both are right.
        """
        value, fault, rivals = self.found.value, self.found.fault, self.found.rivals
        if value is None or (fault and not _are_told_apart(value, rivals, right)):
            return None
        if fault and any(_is_told_of(self.number, rival) > _is_told_of(self.number, value) for rival in rivals):
            return None
        return Operand(self.page, value)


def _are_told_apart(value: PageValue, rivals: Sequence[PageValue], right: Sequence[Quantity]) -> bool:
    """Whether a claim has the rivals' numbers too: all of them, or the best one where it is of the same table."""
    named = [any(same_value(one, rival.quantity) for one in right) for rival in rivals]
    return any(named) and (all(named) or (named[0]))


def _is_told_of(number: ClaimNumber, value: PageValue) -> int:
    """How much of what the claim ties to its number a number of the page is of: the year of its part of the sentence,
    and what stands in brackets right behind it."""
    years = [term for term, near in number.terms if near >= SAME_CLAUSE and any(map(is_year, term))]
    return any(has(value, term) for term in years) + sum(has(value, term) for term in number.attached)


@dataclass
class SentenceCheck:
    """The check of one sentence by the pages of some documents."""

    documents: AllowedDocuments
    sentence: CitedSentence
    readings: Readings = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    decided: bool = False
    computed: bool = False
    checked: bool = False
    pictured: bool = False

    def claim(self) -> Claim | None:
        """The claim with its outcome; None for a sentence that cites nothing and states nothing that can be checked."""
        text, citations = self.sentence.text, self.sentence.citations
        if not citations:
            states = bool(quantities(self.sentence.checked) or quoted_phrases(text))
            return Claim(text, [], "unsupported", "it cites no page") if states else None
        pages = list(self._pages())
        if any(page.content.text.words for page in pages):
            self._check(pages)
        elif pages:
            self._doubt(NO_WORDS)
        if not self.faults:
            return Claim(
                text,
                citations,
                self._outcome(),
                self._reason(),
                said_in_full(self.sentence.checked, pages) or self.evidence,
            )
        return self._read(pages) or Claim(
            text, citations, "unsupported", self._reason(), undecided=bool(pages) and not self.decided
        )

    def _doubt(self, fault: str, *, decided: bool = False) -> None:
        """Notes why the claim is doubted; ``decided`` says that the words say something else."""
        self.faults.append(fault)
        self.decided = self.decided or decided

    def _read(self, pages: Sequence[CitedPage]) -> Claim | None:
        """The claim as one that was read off pictures, if what was read there says it; words that say something else
        are not read over."""
        places = [(page, self.readings.get((page.label, page.region))) for page in pages]
        read = [ReadPage.of(page, reading) for page, reading in places if reading]
        if self.decided or not read:
            return None
        anew = SentenceCheck(self.documents, self.sentence)
        anew._check([*(page for page in pages if page.content.text.words), *read])
        said = list(dict.fromkeys(line for page in read for line in page.said))
        if anew.faults or not said:
            return None
        reason = f"a model that was not told the claim read there: “{'; '.join(said)}”"
        return Claim(self.sentence.text, self.sentence.citations, "read", reason, anew.evidence)

    def _outcome(self) -> Outcome:
        if self.faults:
            return "unsupported"
        return "computed" if self.computed else "read" if self.pictured else "supported"

    def _reason(self) -> str:
        if self.faults:
            return "; ".join(dict.fromkeys(self.faults))
        if self.computed:
            return FOLLOWS
        if self.pictured:
            return IN_A_PICTURE
        return SAYS_IT if self.checked else "it has no number, name or quotation that could be checked"

    def _pages(self) -> Iterator[CitedPage]:
        for citation in self.sentence.citations:
            try:
                ref = self.documents.page(citation.label)
                yield cited_page(self.documents.index, citation.label, ref, citation.region)
            except PagesightError as error:
                self._doubt(f"{citation.label}: {error}", decided=True)

    def _check(self, pages: list[CitedPage]) -> None:
        text = self.sentence.checked
        if self._is_a_repeat(text, pages):
            return
        found = quantities_told(text)
        if fault := goes_against_itself(text, found):
            self._doubt(fault, decided=True)
        quoted = quoted_phrases(text)
        for phrase in quoted:
            self._phrase(phrase, pages)
        numbers = [one for one in claim_numbers(text, found) if not is_said_by_name(one, quoted, pages)]
        self.checked = self.checked or bool(numbers)
        self._years(numbers, pages)
        operands = self._numbers(numbers, pages)
        self._in_place(numbers, pages)
        told = proportions(text)
        for proportion in told:
            self._proportion(proportion, found, operands, pages)
        if not quoted:
            plain = any(not one.is_vague for one in told) or any(not number.quantity.year for number in numbers)
            self._named(pages, numbers_tell=plain)

    def _is_a_repeat(self, text: str, pages: list[CitedPage]) -> bool:
        return len(tokenize(text)) >= WORDS_OF_A_REPEAT and any(self._repeats(text, page) for page in pages)

    def _repeats(self, text: str, page: CitedPage) -> bool:
        """Whether the page says the claim in the very same words."""
        words = find_phrase(text.rstrip(" .!?"), page.content.text, page.allowed)
        if words and page.content.text.source != "ocr" and _signs(text) <= _signs(page.written(words)):
            self.checked = True
            self.evidence.append(page.evidence(words))
        return self.checked

    def _phrase(self, phrase: str, pages: list[CitedPage]) -> None:
        self.checked = True
        for page in pages:
            if words := find_phrase(phrase, page.content.text, page.allowed):
                self.evidence.append(page.evidence(words))
                return
        self._doubt(f"“{phrase}” does not stand there{phrase_elsewhere(phrase, pages, self.documents.index)}")

    # Numbers

    def _numbers(self, numbers: list[ClaimNumber], pages: list[CitedPage]) -> list[Operand]:
        """Looks for each number but years; returns those that the pages have."""
        sightings = [_sighting(number, pages) for number in numbers if not number.quantity.year]
        operands = [operand for one in sightings if (operand := one.operand())]
        right = [operand.value.quantity for operand in operands]
        wrong: list[_Sighting] = []
        for one in sightings:
            if one.found.fault and (operand := one.operand(right)):
                operands.append(operand)
            elif one.found.fault:
                wrong.append(one)
        self._note(operands)
        for one in wrong:
            self._compute(one, operands, pages)
        return operands

    def _note(self, operands: Sequence[Operand]) -> None:
        """Takes the claim's numbers that the pages have for evidence, also where only their pictures tell of what."""
        self.evidence += [operand.evidence() for operand in operands]
        self.pictured = any(one.page.content.is_of_a_picture(one.value) for one in operands)

    def _in_place(self, numbers: list[ClaimNumber], pages: list[CitedPage]) -> None:
        """Whether none of the numbers is told of what the page tells another one of."""
        plain = [number for number in numbers if not number.quantity.year]
        for page in pages:
            if both := swapped(plain, page.content):
                self._doubt(f"{both} are there, but each of what the other is told of", decided=True)

    def _years(self, numbers: list[ClaimNumber], pages: list[CitedPage]) -> None:
        for month in missing_months(self.sentence.checked, pages):
            self._doubt(f"{month} is not on the cited page")
        years = [number for number in numbers if number.quantity.year]
        turned = (went_the_other_way(years, page.content) for page in pages) if len(years) == len(numbers) else iter(())
        if told := next(filter(None, turned), ""):
            self._doubt(f"the page says the opposite, {told}", decided=True)
        for digits in (number.text[slice(*number.quantity.digits)] for number in years):
            if not any(_has_year(digits, page) for page in pages):
                self._doubt(f"{digits} is not on the cited page")

    def _compute(self, sighting: _Sighting, operands: list[Operand], pages: list[CitedPage]) -> None:
        """Accepts a number that follows from others; one that stands on the page of another thing only from those of
        the claim itself."""
        number, found = sighting.number, sighting.found
        used = [] if found.denied else operands_of(number, operands, pages, own_alone=found.elsewhere)
        fault = found.fault if used else found.fault + number_elsewhere(number.quantity, pages, self.documents.index)
        if not used and found.missing and self.pictured and tells_of_change(number.text, number.quantity):
            return  # of numbers of a picture: its words do not tell which
        self._accept(used, fault, decided=not found.missing)

    def _proportion(
        self, told: Proportion, found: Sequence[Quantity], operands: list[Operand], pages: list[CitedPage]
    ) -> None:
        """Checks a proportion by the claim's percentage, by the page's own words, or by the numbers it is of."""
        self.checked = True
        text = self.sentence.checked
        if (share := share_beside(told, text, found)) and not told.change:
            if not any(told.fits(value / 100) for value in values_of_share(share, found)):
                self._doubt(f"{told.written}: {text[slice(*share.span)].strip()} is not that", decided=True)
        elif not any(says_it_too(told, text, page) for page in pages):
            used = operands_of_proportion(told, text, operands, pages)
            self._accept(used, f"“{told.written}” does not follow from the numbers there")

    def _accept(self, used: list[Operand], fault: str, *, decided: bool = False) -> None:
        """Takes what follows from printed numbers for computed; if it follows from none, the ``fault`` counts."""
        if used:
            self.computed = True
            self.evidence += [operand.evidence() for operand in used]
        else:
            self._doubt(fault, decided=decided)

    # Names, and sentences without numbers

    def _named(self, pages: list[CitedPage], *, numbers_tell: bool) -> None:
        """Checks the names; beside numbers only those of one word, which may be of what the document is about."""
        text = self.sentence.checked
        index = self.documents.index
        for code in missing_codes(text, pages):
            self._doubt(f"{code} does not stand there{phrase_elsewhere(code, pages, index)}")
        for name in filter(None, (in_anothers_place(text, page.content) for page in pages)):
            self._doubt(f"its words stand there, but not together: “{name}” is elsewhere", decided=True)
        if not numbers_tell:
            self._names(pages)
        elif word := stranger(text, pages, index):
            self._doubt(f"{word} does not stand there{phrase_elsewhere(word, pages, index)}")

    def _names(self, pages: list[CitedPage]) -> None:
        text = self.sentence.checked
        named = [*names(text), *codes(text)]
        for name in missing_names(text, pages):
            self._doubt(f"{name} does not stand there{phrase_elsewhere(name, pages, self.documents.index)}")
        if self.faults:
            return
        page, words, enough = best_place(text, pages)
        best = best_sentence(text, page.written(words))
        if word := missing_word(text, pages, best):
            self._doubt(f"{word} does not stand there{phrase_elsewhere(word, pages, self.documents.index)}")
            return
        if other := apart(text, words, page):
            self._doubt(f"its words stand there, but not together: “{other}” is elsewhere", decided=True)
        elif enough and (denial(text, best) or says_the_opposite(text, best)):
            self._doubt("the page says the opposite", decided=True)
        elif enough:
            self.evidence.append(page.evidence(words))
        self.checked = self.checked or bool(named)


def _has_year(digits: str, page: CitedPage) -> bool:
    """Whether a page has a year, or its document's name."""
    return digits in page.ref.document or page.says_year(digits)


def _signs(text: str) -> Counter[str]:
    """The signs of units in a text, which are neither letters nor digits."""
    return Counter(sign for sign in text if sign in "%‰€$£¥₹₽°")


def _sighting(number: ClaimNumber, pages: Sequence[CitedPage]) -> _Sighting:
    """Where a number stands rightly; or else the first fault that was found, or that there is none."""
    every: list[_Sighting] = []
    for page in pages:
        every.append(_Sighting(number, page, find_number(number, page.content, page.allowed)))
        if every[-1].found.value and not every[-1].found.fault:
            return every[-1]
    return next((one for one in every if one.found.fault), every[-1])
