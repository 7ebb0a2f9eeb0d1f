"""Whether a text layer says what is printed: which of its fonts are in doubt, and what OCR of a few words says then.

Fonts without a map to Unicode, or with a wrong one, give letters that stand for others: such words look like those of
no language. What looks so is compared with what OCR reads of some of the words on the picture, which decides.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.lexical.tokens import folded
from pagesight.indexing.page_text.ocr import read_words

# Mean log probability of a letter after the one before it, by the function words of 33 languages. Measured on 630 fonts
# of real pages (English; 40 letters and more): sound ones have -3.36 and more, with one letter for another at random
# -3.21 and less, 99 of 100 -3.57 and less. Fewer letters vary more.
_STRANGE = -3.35
_VARIES = 2.5
_LEAST_LETTERS = 16

# Of Chinese, Japanese and Korean characters those in everyday use, by the national character sets: of natural text
# nearly all, of characters at random a third. A guess between.
_EVERYDAY = 0.85
_CHARACTER_SETS = ("gb2312", "big5", "shift_jis", "euc_kr")

# A sample of words, the most telling first, and how alike they must be to what OCR reads, as a mean. Misread letters
# leave words alike by .8 and more, other letters by .3 and less; a guess between.
_SAMPLE = 8
_ALIKE = 0.5
_SURE_READING = 0.75

# Words without letters: longer ones than this are no numbers, more different signs than these no leaders and bullets.
# Guesses, not measured.
_LONGEST_NUMBER, _MANY_SIGNS = 20, 6
_NO_SIGN = frozenset("\ufffd\u25a1\u25af\u2610")

_WORD = re.compile(r"[^\W\d_]+")
_HAN_OR_KANA = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
# Scripts in use for which no function words are known, so that nothing can be said of their words.
_UNKNOWN = frozenset(
    """
    TAMIL BENGALI TELUGU KANNADA MALAYALAM GURMUKHI ORIYA SINHALA THAI LAO MYANMAR KHMER GEORGIAN ARMENIAN ETHIOPIC
    TIBETAN MONGOLIAN HANGUL CJK HIRAGANA KATAKANA SYRIAC THAANA NKO CHEROKEE KATAKANA-HIRAGANA MODIFIER
    """.split()  # noqa: SIM905 - a text is the readable form of this list
)


def strange(words: Sequence[str]) -> bool:
    """Whether words of one font look like those of no language, so that their letters may stand for others."""
    joined = "".join(words)
    letters = set(filter(str.isalpha, set(joined)))
    if len(letters) <= 2 and (sum(map(joined.count, letters)) >= _LEAST_LETTERS or _are_no_numbers(words, joined)):
        return True
    everyday = "" if joined.isascii() else "".join(_HAN_OR_KANA.findall(joined))
    if len(everyday) >= _LEAST_LETTERS / 2 and _share_in_use(everyday) < _EVERYDAY:
        return True
    scores, counts = zip(*map(_likeness, words), strict=True) if words else ((), ())
    pairs: int = sum(counts)
    if pairs < _LEAST_LETTERS:
        return False
    return float(sum(scores)) / pairs < _STRANGE - _VARIES / pairs


def _are_no_numbers(words: Sequence[str], joined: str) -> bool:
    """Whether words without letters are neither numbers nor leaders: of many different signs, of signs that stand for
    none, or far longer than numbers are."""
    if len(joined) < _LEAST_LETTERS:
        return False
    signs = [char for char in joined if not char.isalnum()]
    unknown = sum(map(_NO_SIGN.__contains__, signs))
    is_long = len(joined) > _LONGEST_NUMBER * len(words) and any(map(str.isdigit, joined))
    return is_long or 2 * unknown > len(joined) or (2 * len(signs) > len(joined) and len(set(signs)) >= _MANY_SIGNS)


def is_like_a_word(letters: str) -> bool:
    """Whether letters in a row may be a word: not in the alphabet's order, nor unlike the words of all languages.

    Of words of four letters and more in capitals on real pages, 93 of 100 are; of letters at random 1 to 13, the fewer
    the more there are. Of other scripts than Latin only the order is looked at.
    """
    if all(ord(after) - ord(before) == 1 for before, after in pairwise(letters)):
        return False
    plain = "".join(char for char in unicodedata.normalize("NFD", letters) if not unicodedata.combining(char))
    likeness, pairs = _likeness(plain)
    return not plain.isascii() or likeness >= _STRANGE * pairs


def differs_from_picture(
    words: Sequence[str], boxes: NDArray[np.float32], picture: Image.Image, invisible: bool
) -> bool:
    """Whether OCR of some of the words, with boxes (n, 4), reads something else on the page's picture, and is sure.

    Where it is not, drawn words are right; ``invisible`` ones, an OCR layer over a scan, must be alike to what is read
    in any case, unless they are of a script that OCR does not read.
    """
    sample = _sample(words)
    if not sample:
        return invisible
    said = [words[place] for place in sample]
    readings = read_words(picture, boxes[sample])
    alike = np.array([_alike(word, text) for word, (text, _) in zip(said, readings, strict=True)])
    sure = np.array([bool(text) and score >= _SURE_READING for text, score in readings])
    if invisible and _is_readable(said):
        return float(alike.mean()) < _ALIKE
    return 2 * int(sure.sum()) >= len(sample) and float(alike[sure].mean()) < _ALIKE


def _is_readable(words: Sequence[str]) -> bool:
    """Whether words are of letters that RapidOCR's models know: Latin ones, Chinese, Japanese."""
    letters = [char for word in words for char in word if char.isalpha()]
    known = sum(_script(char) == "LATIN" or bool(_HAN_OR_KANA.match(char)) for char in letters)
    return 2 * known >= len(letters)


def _sample(words: Sequence[str]) -> list[int]:
    """The places of words that tell most: of many different letters, but no longer than OCR reads well."""
    worth = [min(len(set(word)), 12) for word in words]
    if max(worth, default=0) <= 1:  # one letter for all
        worth = [min(len(word), 12) for word in words]
    ordered = sorted(range(len(words)), key=lambda place: -worth[place])
    return [place for place in ordered[: 2 * _SAMPLE : 2] + ordered[1 : 2 * _SAMPLE : 2] if worth[place] > 1][:_SAMPLE]


def _alike(said: str, seen: str) -> float:
    one, other = ("".join(re.findall(r"\w", folded(text))) for text in (said, seen))
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _share_in_use(characters: str) -> float:
    return max(sum(_is_in(char, name) for char in characters) for name in _CHARACTER_SETS) / len(characters)


def _is_in(char: str, character_set: str) -> bool:
    try:
        char.encode(character_set)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=100_000)
def _likeness(word: str) -> tuple[float, int]:
    """The sum of the log probabilities of a word's letters, each after the one before it, and how many count.

    Parts of one or two letters say nothing: they are units, initials, and symbols that are set as letters.
    """
    after = _followers()
    scores = [
        after[pair]
        for part in _WORD.findall(word.lower())
        if len(part) > 2
        for pair in zip("<" + part, part + ">", strict=True)
    ]
    known = [score for score in scores if score is not None]
    return sum(known), len(known)


class _Followers(dict[tuple[str, str], float | None]):
    """The log probability of a letter after the one before it; None where nothing is known of their script."""

    def __missing__(self, pair: tuple[str, str]) -> float | None:
        pairs, firsts = _letter_pairs()
        known = _script(pair[0]) not in _UNKNOWN and _script(pair[1]) not in _UNKNOWN
        score = math.log((pairs.get(pair, 0) + 0.5) / (firsts.get(pair[0], 0) + 30)) if known else None
        if len(self) < _MOST_PAIRS:
            self[pair] = score
        return score


_MOST_PAIRS = 50_000  # that are remembered; a language has some hundred


@cache
def _followers() -> _Followers:
    return _Followers()


@lru_cache(maxsize=10_000)
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


@cache
def _letter_pairs() -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """How often letters follow each other in the function words of all languages that are listed."""
    from stop_words import AVAILABLE_LANGUAGES, get_stop_words

    pairs, firsts = defaultdict[tuple[str, str], int](int), defaultdict[str, int](int)
    for language in AVAILABLE_LANGUAGES:
        for word in {part for entry in get_stop_words(language) for part in _WORD.findall(entry.lower())}:
            for before, after in zip("<" + word, word + ">", strict=True):
                pairs[before, after] += 1
                firsts[before] += 1
    return dict(pairs), dict(firsts)
