"""Stems of words, English and German: the language of a line is not known."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from pagesight.indexing.lexical.tokens import is_one_character

_stemming = threading.Lock()


@lru_cache(maxsize=20_000)
def stems(word: str) -> frozenset[str]:
    """A term's stems as English and as German."""
    with _stemming:  # a stemmer keeps the word that it is at work on
        return frozenset(stemmer.stemWord(word) for stemmer in _stemmers())


@lru_cache(maxsize=20_000)
def stems_held(token: str) -> frozenset[str]:
    """What a term of a page stands for: its stems, and of a pair of characters, as of Chinese, each of them alone, for
    who asks for one character."""
    return stems(token) | (frozenset(token) if len(token) > 1 and all(map(is_one_character, token)) else frozenset())


@lru_cache(maxsize=1)
def _stemmers() -> list[Any]:
    import snowballstemmer

    return [snowballstemmer.stemmer("english"), snowballstemmer.stemmer("german")]
