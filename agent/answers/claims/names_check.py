"""Whether a claim's names stand on the cited pages, and together with what the claim says of them."""

from __future__ import annotations

from collections.abc import Sequence

from pagesight.agent.answers.claims.cited_page import CitedPage
from pagesight.agent.answers.claims.phrases import find_phrase, names
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.page_values import PageContent

_LEAST_SHARE = 0.5  # of a sentence's words in one place, which then is what it rests on; a guess, not measured


def missing_names(text: str, pages: Sequence[CitedPage]) -> list[str]:
    """The names of a claim that the pages do not have."""
    return [
        name for name in names(text)
        if not any(find_phrase(name, page.content.text, page.allowed) for page in pages) and not _spread(name, pages)
    ]  # fmt: skip


def best_place(text: str, pages: Sequence[CitedPage]) -> tuple[CitedPage, list[int], bool]:
    """The row or paragraph that holds most of a claim's words, and whether that is enough to rest on."""
    terms = [stems(term) for term in read_query(text).terms]
    share, words, page = max((_best_of_page(terms, page) for page in pages), key=lambda place: place[0])
    return page, words, share >= _LEAST_SHARE


def apart(text: str, words: Sequence[int], page: CitedPage) -> str:
    """A word of the claim that stands with another name than the claim's: the claim mixes two things; or ""."""
    terms = [stems(term) for term in read_query(text).terms]
    return _in_another_row(terms, words, page.content) or _of_another_name(text, terms, page)


def _of_another_name(text: str, terms: Sequence[frozenset[str]], page: CitedPage) -> str:
    """A word that the page has beside other names only, and never beside the claim's one."""
    named = names(text)
    if len(named) != 1 or len(tokenize(named[0])) < 2:
        return ""
    own = frozenset(stem for token in tokenize(named[0]) for stem in stems(token))
    rest = [term for term in terms if not term & own and term & page.content.terms]
    around = _surroundings(named[0], page.content)
    if not around or not rest or any(term & around for term in rest):
        return ""
    others = [name for block in page.content.blocks for name in names(block.text) if _is_another(name, named[0])]
    for name in others:
        beside = _surroundings(name, page.content)
        for term in rest:
            if term & beside and not term & frozenset(stem for word in tokenize(name) for stem in stems(word)):
                return next(iter(sorted(term)))
    return ""


def _is_another(name: str, mine: str) -> bool:
    return not set(tokenize(name)) & set(tokenize(mine))


def _surroundings(name: str, content: PageContent) -> frozenset[str]:
    """The stems of the paragraphs and rows that a name stands in, with the line after each: a signature's office."""
    rows = content.rows()
    lines = sorted(rows, key=lambda row: content.box(row)[1])
    held = [content.held(row) for row in lines]
    wanted = [stems(token) for token in tokenize(name)]
    found: frozenset[str] = frozenset()
    for at, stems_of_row in enumerate(held):
        if all(term & stems_of_row for term in wanted):
            found |= stems_of_row | (held[at + 1] if at + 1 < len(held) and len(lines[at]) <= 8 else frozenset())
    return found


def _spread(name: str, pages: Sequence[CitedPage]) -> bool:
    """Whether all words of a name stand on the pages, though not in a row: a heading's words, or those of a label."""
    held = frozenset().union(*(page.content.terms for page in pages))
    return all(stems(token) & held for token in tokenize(name))


def _best_of_page(terms: Sequence[frozenset[str]], page: CitedPage) -> tuple[float, list[int], CitedPage]:
    scored = [(_share(terms, page.content.held(words)), words) for words in page.places()]
    share, words = max(scored, key=lambda one: one[0], default=(0.0, []))
    return share, words, page


def _share(terms: Sequence[frozenset[str]], held: frozenset[str]) -> float:
    return sum(bool(term & held) for term in terms) / max(len(terms), 1)


def _in_another_row(terms: Sequence[frozenset[str]], words: Sequence[int], content: PageContent) -> str:
    """A word of the claim that the best row of a table lacks and another row has."""
    if not content.is_row(words):
        return ""
    held = content.held(words)
    for row in content.rows():
        if content.is_row(row) and row != words and (other := content.held(row) - held):
            for term in terms:
                if term & other and not term & held:
                    return content.word_of(row, term)
    return ""
