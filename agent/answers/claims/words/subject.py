"""Whether a page says of somebody or something else what a claim says of the name that it begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pagesight.agent.answers.claims.answer_text.claim_number import is_year
from pagesight.agent.answers.claims.words.phrases import names
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.clauses import SENTENCE_END
from pagesight.indexing.values.page_values import PageContent

#: The name that a claim begins with, before what is said of it: "Jerome Durden was ...", "The Joint Board meets ...".
_SUBJECT = re.compile(
    r"(?:(?:The|Der|Die|Das)\s)?(?P<name>[A-ZÄÖÜ][\w'’&./-]*(?:\s(?:[A-ZÄÖÜ(][\w'’&./)-]*|of|the|and|for|von|der|für|und))*)"
    r"(?=,?\s[a-zäöü])"
)
_NAME_AT_END = re.compile(r"\s[A-ZÄÖÜ]\w{3,}\W*$")
#: How a sentence goes on about what the one before it is about.
_GOES_ON = re.compile(r"(?:He|She|It|They|This|These|His|Her|Its|Their|Er|Sie|Es|Diese[rs]?|Ihr|Sein)\b")
# Of what a claim says of its name: how much another one's sentence has at least, and its own at most; tried on claims
# of strangers.
_MOST, _LITTLE = 0.75, 0.5
#: What a thing is called by capitals and digits: PSLV-C30, A320.
_DESIGNATION = re.compile(r"(?<![\w-])(?=[A-Z-]*\d)[A-Z]+[A-Z\d]*(?:-[A-Z\d]+)*(?![\w-])")
_FEWEST_BESIDE = 3  # words that a claim says beside a name that may stand anywhere; a guess, not measured
_FEWEST = 2  # words that a claim says of its name, unless one that is a name too; a guess, not measured
_SHORT = 8  # words of a signature's line at most, behind which stands an office; a guess, not measured


class _Said(NamedTuple):
    """A sentence or row of a page: its text, and the stems of its words."""

    text: str
    held: frozenset[str]

    def share(self, terms: Sequence[frozenset[str]]) -> float:
        """Which part of some terms it has."""
        return sum(bool(term & self.held) for term in terms) / len(terms)


def said_of_another(text: str, content: PageContent) -> str:
    """A word that the page has beside other names only, and a claim says of its own; "" for none."""
    name = _name(text, content)
    own = [stems(token) for token in tokenize(name)]
    terms = [term for term in map(stems, read_query(text).terms) if not _is_among(term, own)]
    if not own or not _tell(terms, text):
        return ""
    return _held_elsewhere(terms, own, list(_sentences(content)))


def in_anothers_place(text: str, content: PageContent) -> str:
    """A name of the claim, wherever it stands there, of which the page says little of what the claim says, and nearly
    all of it in one sentence with another name; "" for none."""
    every = list(_sentences(content))
    found = (*names(text), *(found[0] for found in _DESIGNATION.finditer(text)))
    return next((name for name in found if _is_in_anothers_place(name, text, every)), "")


def _is_in_anothers_place(name: str, text: str, every: Sequence[_Said]) -> bool:
    own = [stems(token) for token in tokenize(name)]
    terms = _said_beside(own, text)
    having = [one for one in every if one.share(own) == 1]
    others = [one for one in every if one not in having and _has_a_name_beside(one.text, text)]
    if len(terms) < _FEWEST_BESIDE or not having:
        return False
    return all(_says_little(one, terms) for one in having) and any(one.share(terms) >= _MOST for one in others)


def _says_little(one: _Said, terms: Sequence[frozenset[str]]) -> bool:
    """Whether a sentence has few of some terms, and is none of the short ones that others go on from, as headings."""
    return len(one.text.split()) > _SHORT and one.share(terms) <= _LITTLE


def _said_beside(own: Sequence[frozenset[str]], text: str) -> list[frozenset[str]]:
    """The terms of a claim that are none of a name's; parts of codes are none."""
    words = set(tokenize(text))
    terms = (stems(term) for term in read_query(text).terms if term in words)
    return [term for term in terms if not _is_among(term, own)]


def _has_a_name_beside(printed: str, claimed: str) -> bool:
    """Whether a sentence has a name of which the claim has no word."""
    said = frozenset(stem for token in tokenize(claimed) for stem in stems(token))
    others = (name for name in names(printed) if not any(stems(token) & said for token in tokenize(name)))
    return any(others) or any(name not in claimed for name in _DESIGNATION.findall(printed))


def _held_elsewhere(terms: Sequence[frozenset[str]], name: Sequence[frozenset[str]], every: Sequence[_Said]) -> str:
    """One of the terms that another name's sentence has, with most of the others, and this one's have not."""
    mine = _Said("", frozenset().union(*(one.held for one in _about(name, every))))
    if not mine.held or mine.share(terms) > _LITTLE:
        return ""
    others = (one.held for one in every if one.share(terms) >= _MOST and _has_another_name(one, name))
    return next((min(term) for held in others for term in terms if term & held - mine.held), "")


def _is_among(term: frozenset[str], own: Sequence[frozenset[str]]) -> bool:
    """Whether a term is one of a name's, or a year, which a heading may tell."""
    return any(map(is_year, term)) or any(term & word for word in own)


def _tell(terms: Sequence[frozenset[str]], text: str) -> bool:
    """Whether some terms tell of whom they are: several of them, or one that is a name at a claim's end."""
    return len(terms) >= _FEWEST or bool(terms and _NAME_AT_END.search(text))


def _name(text: str, content: PageContent) -> str:
    """The name that a claim begins with; "" for none, or a word that the page also has without a capital."""
    found = _SUBJECT.match(text)
    name = found["name"] if found else ""
    plain = " " not in name and (len(name) < 3 or name.lower() in content.text.words)
    return "" if plain else name


def _about(name: Sequence[frozenset[str]], every: Sequence[_Said]) -> Iterator[_Said]:
    """The sentences that have the first or the last word of a name, and what goes on after them."""
    goes_on = False
    for one in every:
        has = bool(name) and any(word & one.held for word in (name[0], name[-1]))
        short = len(one.text.split()) <= _SHORT
        if has or (goes_on and (short or _GOES_ON.match(one.text))):
            yield one
        goes_on = has or (goes_on and bool(_GOES_ON.match(one.text)))


def _has_another_name(one: _Said, name: Sequence[frozenset[str]]) -> bool:
    """Whether a sentence has a name that shares no word with one."""
    words = [[stems(token) for token in tokenize(other)] for other in names(one.text)]
    return any(not any(mine & theirs for mine in name for theirs in other) for other in words)


def _sentences(content: PageContent) -> Iterator[_Said]:
    """The sentences and rows of a page from its top."""
    for row in sorted(content.rows(), key=lambda row: content.box(row)[1]):
        printed = " ".join(content.text.words[word] for word in row)
        ends = [*(found.start() for found in SENTENCE_END.finditer(printed)), len(printed)]
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            said = printed[start:end].strip()
            yield _Said(said, frozenset(stem for token in tokenize(said) for stem in stems(token)))
