"""The check of claims by words alone: no model is called, nothing is paid for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from pagesight.agent.answers.citations import CitationReader
from pagesight.agent.answers.claims.claim import Claim, Evidence, Outcome
from pagesight.agent.answers.claims.claim_text import CitedSentence, cited_sentences
from pagesight.agent.answers.claims.computed import computed_from
from pagesight.agent.answers.claims.number_check import (
    ClaimNumber,
    Found,
    claim_numbers,
    find_number,
    tells_of_change,
)
from pagesight.agent.answers.claims.page_values import PageContent, PageValue
from pagesight.agent.answers.claims.phrases import find_phrase, names, quoted_phrases
from pagesight.agent.answers.claims.quantities import Quantity, may_be_a_name, quantities, same_value
from pagesight.indexing import PageIndex, PageRef
from pagesight.indexing.errors import PagesightError
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Region

_EDGE = 0.006  # that a word may reach out of a cited region, as part of the page; a guess, not measured
_LEAST_SHARE = 0.3  # of a sentence's words in one place; a guess, not measured
_PAGES_KEPT = 100  # a few MB; a guess, not measured
_PAGES_NEAR = 10  # in which a number is looked for that is not on the cited page; a guess, not measured


def check_claims(index: PageIndex, text: str) -> list[Claim]:
    """Each claim of an answer in its order, with whether the pages and regions that it cites say it.

    ``text`` cites as answers do: ``Net revenue was EUR 885.4 million [annual-report.pdf p. 12]``. Numbers with their
    units, dates, names and quoted phrases are looked for among the words of the cited regions (pages, where no region
    is given), and a number must be of what the claim says it is of: of that row, that year, that sentence. No model is
    called, so no claim is "read". Sentences without a citation count if they hold numbers or quotations; they are
    unsupported. Raises PagesightError if the index cannot be read; a page that is not there is no error but a reason.
    """
    reader = CitationReader(document.document for document in index.documents())
    sentences = cited_sentences(text, reader.read(text))
    checks = [_SentenceCheck(index, sentence) for sentence in sentences]
    return [claim for check in checks if (claim := check.claim())]


async def acheck_claims(index: PageIndex, text: str) -> list[Claim]:
    """`check_claims`, in a thread: reading pages may wait for the disk and for OCR."""
    return await asyncio.to_thread(check_claims, index, text)


@dataclass
class _CitedPage:
    """A page that a claim cites, and the words that are within the cited region; None for all."""

    label: str
    ref: PageRef
    content: PageContent
    allowed: frozenset[int] | None

    def evidence(self, words: Sequence[int]) -> Evidence:
        lines: dict[int, list[int]] = {}
        for word in words:
            lines.setdefault(int(self.content.text.lines[word]), []).append(word)
        return Evidence(self.label, [self.content.box(line) for line in lines.values()])


@dataclass
class _SentenceCheck:
    """The check of one sentence."""

    index: PageIndex
    sentence: CitedSentence
    evidence: list[Evidence] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    computed: bool = False
    checked: bool = False

    def claim(self) -> Claim | None:
        """The claim with its outcome; None for a sentence that cites nothing and states nothing that can be checked."""
        text, citations = self.sentence
        found = quantities(text)
        if not citations:
            states = bool(found or quoted_phrases(text))
            return Claim(text, [], "unsupported", "it cites no page") if states else None
        pages = list(self._pages())
        if any(page.content.text.words for page in pages):
            self._check(found, pages)
        elif pages:
            self.faults.append("the cited page has no words to compare; only a look at its picture can tell")
        return Claim(text, citations, self._outcome(), self._reason(), self.evidence if not self.faults else [])

    def _outcome(self) -> Outcome:
        return "unsupported" if self.faults else "computed" if self.computed else "supported"

    def _reason(self) -> str:
        if self.faults:
            return "; ".join(dict.fromkeys(self.faults))
        if self.computed:
            return "its numbers follow from those of the cited page"
        return "the cited words say it" if self.checked else "it has no number, name or quotation that could be checked"

    def _pages(self) -> Iterator[_CitedPage]:
        for citation in self.sentence.citations:
            try:
                ref = self.index.page(citation.label)
                content = _content(self.index, ref)
            except PagesightError as error:
                self.faults.append(f"{citation.label}: {error}")
                continue
            yield _CitedPage(citation.label, ref, content, _within(content, citation.region))

    def _check(self, found: list[Quantity], pages: list[_CitedPage]) -> None:
        quoted = quoted_phrases(self.sentence.text)
        for phrase in quoted:
            self._phrase(phrase, pages)
        numbers = [
            number for number in claim_numbers(self.sentence.text, found)
            if not _in_quotes(number, quoted) and not _part_of_a_name(number, pages)
        ]  # fmt: skip
        self._numbers(numbers, pages)
        if not numbers and not quoted:
            self._names(pages)

    def _phrase(self, phrase: str, pages: list[_CitedPage]) -> None:
        self.checked = True
        for page in pages:
            if words := find_phrase(phrase, page.content.text, page.allowed):
                self.evidence.append(page.evidence(words))
                return
        self.faults.append(f"“{phrase}” does not stand there")

    # Numbers

    def _numbers(self, numbers: list[ClaimNumber], pages: list[_CitedPage]) -> None:
        missing: list[tuple[ClaimNumber, Found]] = []
        operands: list[tuple[_CitedPage, PageValue]] = []
        for number in numbers:
            self.checked = True
            if number.quantity.year:
                self._year(number, pages)
                continue
            at, found = _first_found(number, pages)
            if at and found.value:
                operands.append((at, found.value))
                self.evidence.append(at.evidence(found.value.words))
            elif found.fault:
                missing.append((number, found))
        for number, found in missing:
            self._compute(number, found, operands, pages)

    def _year(self, number: ClaimNumber, pages: list[_CitedPage]) -> None:
        digits = number.text[slice(*number.quantity.digits)]
        said = any(digits in token for page in pages for token in page.content.tokens)
        if not said and not any(digits in page.ref.document for page in pages):
            self.faults.append(f"{digits} is not on the cited page")

    def _compute(
        self, number: ClaimNumber, found: Found, operands: list[tuple[_CitedPage, PageValue]], pages: list[_CitedPage]
    ) -> None:
        """Accepts a number that follows from others; it must not stand on the page itself, as something else."""
        known = operands
        if len(operands) < 2 and tells_of_change(number.text):
            known = [*operands, *_row_of_the_claim(number, pages)]
        used = computed_from(number.quantity, [value for _, value in known])
        if not used:
            self.faults.append(found.fault + self._elsewhere(number, pages))
            return
        self.computed = True
        by_value = {id(value): page for page, value in known}
        self.evidence += [by_value[id(value)].evidence(value.words) for value in used]

    def _elsewhere(self, number: ClaimNumber, pages: list[_CitedPage]) -> str:
        """Where nearby the number does stand, to be told with the fault."""
        for page in pages:
            document = self.index.document(page.ref.document_id)
            near = sorted(document.page_refs, key=lambda ref: abs(ref.page - page.ref.page))[1 : _PAGES_NEAR + 1]
            for ref in near:
                if any(same_value(number.quantity, one) for one in quantities(self.index.text(ref))):
                    return f" (it stands on {ref.label})"
        return ""

    # Names, and sentences without numbers

    def _names(self, pages: list[_CitedPage]) -> None:
        named = names(self.sentence.text)
        for name in named:
            in_a_row = any(find_phrase(name, page.content.text, page.allowed) for page in pages)
            if not in_a_row and not _spread(name, pages):
                self.faults.append(f"{name} does not stand there")
        if self.faults:
            return
        self.checked = bool(named)
        terms = [stems(term) for term in read_query(self.sentence.text).terms]
        share, words, page = max((_best_place(terms, page) for page in pages), key=lambda place: place[0])
        if apart := _apart(terms, words, page):
            self.faults.append(f"its words stand there, but not together: “{apart}” is elsewhere")
        elif share < _LEAST_SHARE:
            self.faults.append("too few of its words stand there")
        else:
            self.evidence.append(page.evidence(words))


_kept: WeakKeyDictionary[PageIndex, dict[PageRef, PageContent]] = WeakKeyDictionary()
_keeping = threading.Lock()


def _content(index: PageIndex, ref: PageRef) -> PageContent:
    """What stands on a page, read once: OCR takes seconds. A changed document has another id, so nothing is stale."""
    with _keeping:
        known = _kept.setdefault(index, {})
        content = known.get(ref)
    if content is None:
        content = PageContent(index.words(ref))
        with _keeping:
            if len(known) >= _PAGES_KEPT:
                known.pop(next(iter(known)))
            known[ref] = content
    return content


def _within(content: PageContent, region: Region | None) -> frozenset[int] | None:
    if region is None:
        return None
    ymin, xmin, ymax, xmax = (edge / 1000 for edge in region)
    middle = (content.text.boxes[:, :2] + content.text.boxes[:, 2:]) / 2
    across = (middle[:, 0] >= xmin - _EDGE) & (middle[:, 0] <= xmax + _EDGE)
    down = (middle[:, 1] >= ymin - _EDGE) & (middle[:, 1] <= ymax + _EDGE)
    return frozenset(np.flatnonzero(across & down).tolist())


def _in_quotes(number: ClaimNumber, quoted: Sequence[str]) -> bool:
    at = number.quantity.digits[0]
    for phrase in quoted:
        start = number.text.find(phrase)
        if start <= at < start + len(phrase):
            return True
    return False


def _part_of_a_name(number: ClaimNumber, pages: Sequence[_CitedPage]) -> bool:
    """Whether a number belongs to a name that stands on the page, such as Tarn 16."""
    quantity, text = number.quantity, number.text
    if not may_be_a_name(text, quantity):
        return False
    before = text[: quantity.digits[0]].replace("-", " ").split()[-1]
    name = [*tokenize(before)[-1:], text[slice(*quantity.digits)].lower()]
    return any(name == page.content.tokens[at : at + 2] for page in pages for at in range(len(page.content.tokens) - 1))


def _first_found(number: ClaimNumber, pages: Sequence[_CitedPage]) -> tuple[_CitedPage | None, Found]:
    first = Found(None)
    for page in pages:
        found = find_number(number, page.content, page.allowed)
        if found.value:
            return page, found
        first = first if first.fault else found
    return None, first


def _row_of_the_claim(number: ClaimNumber, pages: Sequence[_CitedPage]) -> list[tuple[_CitedPage, PageValue]]:
    """The numbers that the claim's words fit best: those of one row, or one sentence."""
    terms = [term for term, _ in number.terms]

    def fit(value: PageValue) -> int:
        return sum(any(value.context.get(stem, 0) >= 0.8 for stem in term) for term in terms)

    values = [(page, value) for page in pages for value in page.content.values if not value.quantity.year]
    most = max((fit(value) for _, value in values), default=0)
    return [(page, value) for page, value in values if fit(value) == most] if most >= 1 else []


def _spread(name: str, pages: Sequence[_CitedPage]) -> bool:
    """Whether all words of a name stand on the pages, though not in a row: a heading's words, or those of a label."""
    held = frozenset().union(*(page.content.terms for page in pages))
    return all(stems(token) & held for token in tokenize(name))


def _best_place(terms: Sequence[frozenset[str]], page: _CitedPage) -> tuple[float, list[int], _CitedPage]:
    """The row or paragraph of a page that holds most of the terms: the part held, the words, the page."""
    scored = [(_share(terms, page.content.held(words)), words) for words in _places(page)]
    share, words = max(scored, key=lambda one: one[0], default=(0.0, []))
    return share, words, page


def _share(terms: Sequence[frozenset[str]], held: frozenset[str]) -> float:
    return sum(bool(term & held) for term in terms) / max(len(terms), 1)


def _apart(terms: Sequence[frozenset[str]], words: Sequence[int], page: _CitedPage) -> str:
    """A word of the claim that the best row of a table lacks and another row has: the claim mixes the two."""
    content = page.content
    if not content.is_row(words):
        return ""
    held = content.held(words)
    for row in content.rows():
        if content.is_row(row) and row != words and (other := content.held(row) - held):
            for term in terms:
                if term & other and not term & held:
                    return content.word_of(row, term)
    return ""


def _places(page: _CitedPage) -> list[list[int]]:
    found = page.content.rows()
    allowed = page.allowed
    return found if allowed is None else [kept for row in found if (kept := [word for word in row if word in allowed])]
