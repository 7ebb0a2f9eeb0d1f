"""Names of one word in a claim that the cited pages do not have. What is a name is told by its capital, so less is
known of it than of longer names: in German every noun has one, and at a sentence's beginning every word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from pagesight.agent.answers.claims.answer_text.claim_number import language_of
from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.agent.answers.claims.words.phrases import names
from pagesight.indexing import PageIndex
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize

_BARE = 3  # words of a claim that is nothing but an answer: "Berlin", "In Berlin"; a guess, not measured
_CAPITAL = re.compile(r"(?<![\w'’-])[^\W\d_a-zß][^\W\d_]*[a-zäöüßéèøåčšž][^\W\d_]*(?:[-–][^\W\d_]+)*")
_ENDS = re.compile(r"[.:;!?“”\"«»()–—•/]\s*$|^\s*$")
#: A German word that is a place's, for what is said to be there: the customer sits in Marburg.
_PLACED = re.compile(
    r"\b(?:sitz\w*|Sitz|lieg(?:t|en)|befinde\w*|wohn\w*|ansässig|Standort|niedergelassen)\b[^.,;]*?\b(?:in|aus) "
    r"(?P<place>[A-ZÄÖÜ][a-zäöüß]+)"
)
#: How much of a word's letters stand in one of the page to be the same one in another form: Norwegian, Norway.
_SHARED, _LEAST_SHARED = 0.6, 4
_ABOUT_IT = 0.2  # of a document's pages that have a name, which then is what it is about; a guess, not measured
_MISREAD = 0.8  # of a scan's word; a guess, not measured
#: Capitalised in the middle of English sentences, and no names; and what answers of one word say of a picture.
_NO_NAMES = frozenset(
    tokenize(
        "january february march april may june july august september october november december monday tuesday "
        "wednesday thursday friday saturday sunday spring summer autumn winter table figure chart graph page section "
        "chapter note appendix annex part item step article paragraph line row column slide exhibit schedule report "
        "company group board management committee director chair chairman president department division million "
        "billion euro euros dollars percent english internet earth "
        "yes no true false none both neither increase decrease increased decreased rising falling up down higher lower "
        "left right top bottom black white red green blue yellow orange purple grey gray brown pink "
        "ja nein wahr falsch keine beide steigend fallend oben unten links rechts schwarz weiß rot grün blau gelb grau "
        "braun rosa lila"
    )
)
_ENGLISH = frozenset(tokenize("the of and is are was were in for by to that with from it has have an its which"))
_GERMAN = frozenset(tokenize("der die das und ist sind war waren den dem des von zu mit für ein eine im am auf nicht"))


def missing_word(text: str, pages: Sequence[CitedPage], best: str) -> str:
    """A name of one word that none of the pages has in any form; "" for none, or where that cannot be told.

    ``best`` is the sentence of the pages that has most of the claim's words.
    """
    held = {token for page in pages for token in page.content.tokens}
    named = {token for page in pages for token in tokenize(page.ref.document)}
    misread = any(page.content.text.source == "ocr" for page in pages)
    several = " ".join(names(text))
    for word in _candidates(text, held, best):
        known = held | named
        if word not in several and not any(_is_form_of(part, known, misread) for part in tokenize(word)):
            return word
    return ""


def stranger(text: str, pages: Sequence[CitedPage], index: PageIndex) -> str:
    """A name of one word, in an English sentence about English pages, that the cited pages do not have, and
    that is not what their documents are about; a part of a longer name is none, which may be written otherwise."""
    tokens = [token for page in pages for token in page.content.tokens]
    if language_of(tokenize(text)) != "en" or language_of(tokens) != "en":
        return ""
    held = {*tokens}
    several = " ".join(names(text))
    words = (word for word, begins in _capitals(text) if not begins and word not in several)
    return next((word for word in words if not _stands_on(word, held, pages, index)), "")


def _stands_on(word: str, held: set[str], pages: Sequence[CitedPage], index: PageIndex) -> bool:
    """Whether the cited pages have a word in some form, or their documents have it anywhere."""
    misread = any(page.content.text.source == "ocr" for page in pages)
    if any(_is_form_of(part, held, misread) for part in tokenize(word)):
        return True
    return any(_is_of_the_document(word, page, index) for page in pages)


def _is_of_the_document(word: str, page: CitedPage, index: PageIndex) -> bool:
    """Whether a document's name, or enough of its pages, have a word or its beginning: what it is about goes without
    saying on its other pages."""
    start = word.lower()[: max(_LEAST_SHARED, round(_SHARED * len(word)))]
    if start in page.ref.document.lower():
        return True
    refs = index.document(page.ref.document_id).page_refs
    return sum(start in index.text(ref).lower() for ref in refs) >= max(2, _ABOUT_IT * len(refs))


def _candidates(text: str, held: set[str], best: str) -> Iterator[str]:
    """The words that are names, as far as their place and the claim's language tell."""
    tokens = tokenize(text)
    bare = len(tokens) <= _BARE
    english, german = len(_ENGLISH.intersection(tokens)), len(_GERMAN.intersection(tokens))
    in_its_language = bool((_ENGLISH | _GERMAN) & held.intersection(tokens)) or english + german == 0
    place = [found["place"] for found in _PLACED.finditer(text)]
    for word, begins in _capitals(text):
        told = english > german and not begins
        placed = word in place
        if bare or (in_its_language and (told or placed or _is_put_in_place(word, text, best))):
            yield word


def _capitals(text: str) -> Iterator[tuple[str, bool]]:
    """The words that may be names by their capital, each with whether it begins a sentence, where all have one."""
    for found in _CAPITAL.finditer(text):
        word = found[0].removesuffix("'s").removesuffix("’s")
        if len(word) >= _LEAST_SHARED and not _NO_NAMES.intersection(tokenize(word)):
            yield word, bool(_ENDS.search(text[: found.start()]))


def _is_put_in_place(word: str, text: str, best: str) -> bool:
    """Whether a sentence of the page has every other word of the claim: then this one stands in another's place."""
    own = frozenset().union(*(stems(token) for token in tokenize(word)))
    others = [term for term in read_query(text).terms if not stems(term) & own]
    held = {stem for token in tokenize(best) for stem in stems(token)}
    return len(others) > 1 and all(stems(term) & held for term in others)


def _is_form_of(word: str, held: set[str], misread: bool) -> bool:
    """Whether a page has a word in some form: its stem, its beginning, in a compound, or misread in a scan."""
    if word in held or any(stems(word) & stems(token) for token in held):
        return True
    if any(word in token or _begin_alike(word, token) for token in held):
        return True
    near = (token for token in held if abs(len(token) - len(word)) <= 1)
    return misread and any(SequenceMatcher(None, word, token).ratio() >= _MISREAD for token in near)


def _begin_alike(one: str, other: str) -> bool:
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return shared >= max(_LEAST_SHARED, _SHARED * min(len(one), len(other)))
