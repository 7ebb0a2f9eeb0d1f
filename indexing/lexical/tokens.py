"""How texts are split into terms, by their scripts, and which terms of a question count.

Pages and questions are split alike, by the rules that an index was made with: `TERM_RULES` are the newest, and an index
that was made with older ones is searched by these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

#: The rules that new indexes are made with. 1 knew letters and digits only: it cut words at combining marks, and took
#: what is written without spaces for one word.
TERM_RULES = 2

_TERM_1 = re.compile(r"[^\W_]+")
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d]+|\d+")

# Written without spaces between words, or, as Korean, with particles at them: Han, kana, Hangul, Thai, Lao, Burmese,
# Khmer. Their terms are pairs of neighbouring characters, as in Lucene's CJK analyser.
_UNSPACED = (
    "\u0e00-\u0e4f\u0e80-\u0ecf\u1000-\u109f\u1780-\u17d3\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_UNSPACED_LETTER = re.compile(r"\w[^\w\s]*")  # with its marks
# The vowel points and signs of Arabic and Hebrew, which most texts leave out, the stretched line, and joiners.
_LEFT_OUT = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200c\u200d]+"
)
# One letter for those that are written for each other, as in Lucene's Arabic normaliser and Greek analyser; Turkish
# dotted and dotless i are one, since other languages' capitals don't tell them apart.
_ONE_LETTER = str.maketrans("\u0622\u0623\u0625\u0671\u0649\u0629ςıİ", "\u0627\u0627\u0627\u0627\u064a\u0647σii")
# What is raised, lowered or a fraction behind a digit is not part of the number before it: 10⁶, 3½, 45¹.
_BEHIND_A_DIGIT = re.compile("(?<=[0-9])(?=[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u215f\u2189])")

# Words that shape a question and say nothing about its subject. Left out of questions only: pages keep every word.
# Measured on real questions with evidence pages: nDCG@5 of BM25 .512 with them, .549 without.
_FUNCTION_WORDS = frozenset(
    """
    a about according an and any are as at be been being but by can could did do does each for from had has have he
    her his how i if in into is it its many may me more most much my not of on or our please she should than that the
    their there these they this those to was we were what when where which who whom whose why will with would you your
    aber alle als am an auf aus bei bis bin bitte da das dem den der des die dies diese dieser dieses durch ein eine
    einem einen einer eines er es für gibt hat hatte ich ihr im in ist kann können man mit nach nicht noch oder sein
    sich sie sind so über um und uns unter vom von vor war waren was welche welchem welchen welcher welches wenn wer
    wie wieviel wird wo wurde wurden zu zum zur
    """.split()  # noqa: SIM905 - a text is the readable form of this list
)
#: Other languages whose function words are known, by the package stop-words; with English and German the commonest ones
#: on the web and by speakers. A question's own language decides, since "era" and "son" mean something in English.
_OTHER_LANGUAGES = ("ar", "es", "fr", "hi", "id", "it", "ja", "nl", "pt", "ru", "zh")


def tokenize(text: str, rules: int = TERM_RULES) -> list[str]:
    """The terms of a text in their order, compatibility forms resolved, in lower case.

    Runs of letters and digits with their combining marks; of scripts without spaces between words (Chinese, Japanese,
    Thai), and of Korean, the pairs of neighbouring characters.
    """
    if rules == 1:
        return _TERM_1.findall(unicodedata.normalize("NFKC", text).lower())
    if text.isascii():
        return _TERM_1.findall(text.lower())
    return [term for run in _term_pattern().findall(folded(text)) for term in _terms_of(run)]


def is_unspaced(letter: str) -> bool:
    """Whether a letter is of a script that is written without spaces between words."""
    return bool(_IS_UNSPACED.match(letter))


def folded(text: str) -> str:
    """The text with what is written in several ways in one, for matching only: never to be shown or quoted."""
    text = unicodedata.normalize("NFKC", _BEHIND_A_DIGIT.sub(" ", text)).translate(_one_digit())
    return _LEFT_OUT.sub("", text.translate(_ONE_LETTER).lower()).translate(_ONE_LETTER)


@cache
def _term_pattern() -> re.Pattern[str]:
    """Runs of unspaced letters, or of others with the marks that belong to them: Python's ``\\w`` knows no marks."""
    marks = "".join(chr(code) for code in range(0x300, 0x11A00) if unicodedata.category(chr(code)).startswith("M"))
    return re.compile(rf"[{_UNSPACED}][{_UNSPACED}{marks}]*|(?:(?![{_UNSPACED}])[^\W_][{marks}]*)+")


@cache
def _one_digit() -> dict[int, str]:
    """The digits of all scripts as those of ASCII."""
    digits = (chr(code) for code in range(0x660, 0x11A00) if chr(code).isdecimal())
    return {ord(digit): str(unicodedata.decimal(digit)) for digit in digits}


def places_of_terms(word: str, rules: int = TERM_RULES) -> list[tuple[str, float, float]]:
    """The terms of a word, each with where in the word it begins and ends, 0–1; in whole words that is 0 and 1."""
    terms = tokenize(word, rules)
    if rules == 1 or word.isascii() or not _IS_UNSPACED.search(word):
        return [(term, 0.0, 1.0) for term in terms]
    shown, places, start = folded(word), list[tuple[str, float, float]](), 0
    for term in terms:
        found = shown.find(term, start)
        start = max(found, start)
        places.append((term, start / len(shown), min(start + len(term), len(shown)) / len(shown)))
    return places


def is_one_character(term: str) -> bool:
    """Whether a term is one character of a script without spaces: on pages it is a part of pairs, so that what holds
    it stands for it."""
    return bool(_IS_UNSPACED.match(term)) and len(_UNSPACED_LETTER.findall(term)) == 1


def informative(terms: Iterable[str]) -> list[str]:
    """Each of a question's terms once, without function words unless it has no others, with their parts."""
    distinct = list(dict.fromkeys(terms))
    left_out = function_words(distinct)
    return with_parts([term for term in distinct if term not in left_out] or distinct)


def function_words(terms: Iterable[str]) -> frozenset[str]:
    """The function words of the language that a question's terms are in, by which they hold most."""
    asked = set(terms)
    if asked <= _FUNCTION_WORDS:
        return _FUNCTION_WORDS
    best, most = _FUNCTION_WORDS, len(asked & _FUNCTION_WORDS)
    for language in _OTHER_LANGUAGES:
        known = _listed(language)
        if (held := len(asked & known)) > most:
            best, most = known, held
    return best


@cache
def _listed(language: str) -> frozenset[str]:
    from stop_words import get_stop_words

    return frozenset(term for word in get_stop_words(language) if len(terms := tokenize(word)) == 1 for term in terms)


def with_parts(terms: Iterable[str]) -> list[str]:
    """Each term once, those of letters and digits with their parts of two characters or more.

    FY2018 stands for 2018, too.
    """
    return list(dict.fromkeys(part for term in terms for part in (term, *_letter_and_digit_runs(term))))


def _terms_of(run: str) -> Iterator[str]:
    """The run itself, or its pairs of characters, each with its marks, where its script has no spaces."""
    if not _IS_UNSPACED.match(run):
        yield run
        return
    letters = _UNSPACED_LETTER.findall(run)
    yield from ("".join(pair) for pair in pairwise(letters)) if len(letters) > 1 else letters


def _letter_and_digit_runs(term: str) -> list[str]:
    """The runs of letters and of digits, two characters or longer, in a term that has both."""
    parts = _LETTERS_OR_DIGITS.findall(term)
    return [part for part in parts if len(part) > 1] if len(parts) > 1 else []
