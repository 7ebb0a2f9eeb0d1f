"""Whether a claim's names stand on the cited pages, and together with what the claim says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pagesight.agent.answers.claims.answer_text.claim_number import is_year, language_of
from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.agent.answers.claims.words.phrases import codes, find_phrase, names
from pagesight.agent.answers.claims.words.subject import said_of_another
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.blocks import Block, over
from pagesight.indexing.values.clauses import SENTENCE_END
from pagesight.indexing.values.page_values import PageContent

#: How well a place has a claim's terms: how many of them, and how rare they are on the page.
_Rank = tuple[float, float]
#: A cell with the stems of its words.
_HeldCell = tuple[Block, frozenset[str]]
_TRANSLATED = re.compile(r" (?:für|und|for|and) ")  # Werk für Ammoniumperchlorat, on an English page
_JOINED = re.compile(r" (?:für|und|von(?! de[rmn] )) ")  # every noun has a capital: Freigabe von Bookworm
_LEAST_SHARE = 0.5  # of a sentence's words in one place, which then is what it rests on; a guess, not measured


def missing_names(text: str, pages: Sequence[CitedPage]) -> list[str]:
    """The names of a claim that the pages do not have."""
    foreign = any(language_of(page.content.tokens) != language_of(tokenize(text)) for page in pages)
    german = language_of(tokenize(text)) == "de"
    named = [name for name in names(text) if not (foreign and _TRANSLATED.search(name))]
    named = [part for name in named for part in (_JOINED.split(name) if german else [name]) if " " in part]
    return [name for name in named if not _stands_on(name, pages) and not _spread(name, pages)]


def missing_codes(text: str, pages: Sequence[CitedPage]) -> list[str]:
    """The codes of a claim that the pages do not have; none for scans, whose letters may be read as digits."""
    if any(page.content.text.source == "ocr" for page in pages):
        return []
    return [code for code in codes(text) if not _stands_on(code, pages)]


def _stands_on(name: str, pages: Sequence[CitedPage]) -> bool:
    return any(find_phrase(name, page.content.text, page.allowed) for page in pages)


def best_place(text: str, pages: Sequence[CitedPage]) -> tuple[CitedPage, list[int], bool]:
    """The row or paragraph that holds most of a claim's words, and whether that is enough to rest on."""
    terms = _terms(text)
    (share, _), words, page = max((_best_of_page(terms, page) for page in pages), key=lambda place: place[0])
    return page, words, share >= _LEAST_SHARE


def _terms(text: str) -> list[frozenset[str]]:
    """The stems of a claim's terms; a code is one of them, and its parts are none."""
    parts = {token for code in codes(text) for token in read_query(code).terms if token != code.lower()}
    return [stems(term) for term in read_query(text).terms if term not in parts]


def best_sentence(text: str, printed: str) -> str:
    """The sentence of a paragraph that has most of a claim's words."""
    terms = [stems(term) for term in read_query(text).terms]
    ends = [*(found.start() for found in SENTENCE_END.finditer(printed)), len(printed)]
    starts = [0, *ends[:-1]]
    every = [printed[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    return max(every, key=lambda one: _share(terms, frozenset(s for token in tokenize(one) for s in stems(token))))


def apart(text: str, words: Sequence[int], page: CitedPage) -> str:
    """A word of the claim that stands with another name than the claim's: the claim mixes two things; or ""."""
    terms, content = _terms(text), page.content
    return _in_another_row(terms, words, content) or said_of_another(text, content)


def _as_dated_as(around: frozenset[str], terms: Sequence[frozenset[str]]) -> Sequence[frozenset[str]]:
    """The terms without years where none stands around: that of a heading is of all below it."""
    return terms if any(map(is_year, around)) else [term for term in terms if not any(map(is_year, term))]


def _spread(name: str, pages: Sequence[CitedPage]) -> bool:
    """Whether all words of a name stand on the pages, though not in a row: a heading's words, or those of a label."""
    held = frozenset().union(*(page.content.terms for page in pages))
    return all(stems(token) & held for token in tokenize(name))


def _best_of_page(terms: Sequence[frozenset[str]], page: CitedPage) -> tuple[_Rank, list[int], CitedPage]:
    """The place with most of the terms, and of several the one whose terms are rarest on the page."""
    places = [(words, page.content.held(words)) for words in page.places()]
    often = [max(sum(bool(term & held) for _, held in places), 1) for term in terms]
    scored = [
        ((_share(terms, held), sum(bool(term & held) / times for term, times in zip(terms, often, strict=True))), words)
        for words, held in places
    ]
    score, words = max(scored, key=lambda one: one[0], default=((0.0, 0.0), []))
    return score, words, page


def _share(terms: Sequence[frozenset[str]], held: frozenset[str]) -> float:
    return sum(bool(term & held) for term in terms) / max(len(terms), 1)


def _in_another_row(terms: Sequence[frozenset[str]], words: Sequence[int], content: PageContent) -> str:
    """A word of the claim that the best row of a table lacks, and that stands in another row where this one has
    something which the claim does not tell: over or under what it does tell, it is a head, or told of that too."""
    if not content.is_row(words):
        return ""
    cells = [(cell, content.held(cell.words)) for cell in content.tables.cells]
    own = [(cell, held_by) for cell, held_by in cells if cell.words[0] in words]
    held, said = content.held(words), frozenset().union(*terms)
    for term in (term for term in _as_dated_as(held, terms) if not term & held):
        having = _best_having(term, said, cells)
        told = [told for place in having for told in _told_at(place, said, own)]
        if told and not any(told):
            return content.word_of(having[0][0].words, term)
    return ""


def _best_having(term: frozenset[str], said: frozenset[str], cells: Sequence[_HeldCell]) -> list[_HeldCell]:
    """The cells with a term, of which none has more of what is said."""
    having = [place for place in cells if place[1] & term]
    most = max((len(held & said) for _, held in having), default=0)
    return [place for place in having if len(place[1] & said) == most]


def _told_at(place: _HeldCell, said: frozenset[str], own: Sequence[_HeldCell]) -> Iterator[bool]:
    """For each of the row's own cells over or under a place, whether it has of what is said more than the place."""
    there, held_there = place
    return (bool((held - held_there) & said) for cell, held in own if over(there.box, cell.box))
