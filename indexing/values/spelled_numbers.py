"""Numbers that are written as words, from two to ninety-nine, in English and German."""

from __future__ import annotations

from decimal import Decimal

_ONES = {
    "en": "one two three four five six seven eight nine",
    "de": "ein zwei drei vier fünf sechs sieben acht neun",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
}
_TEENS = {
    "en": "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "de": "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
}


def _spelled(language: str) -> dict[str, int]:
    """Each word with its number; not one and its like, which are mostly articles."""
    ones = list(enumerate(_ONES[language].split(), 1))
    words = {word: value for value, word in ones if value > 1} | {
        word: value for value, word in enumerate(_TEENS[language].split(), 10)
    }
    for ten, word in zip(range(20, 100, 10), _TENS[language].split(), strict=True):
        words[word] = ten
        words |= {f"{word}-{one}" if language == "en" else f"{one}und{word}": ten + value for value, one in ones}
    return words


SPELLED = {word: Decimal(value) for language in ("en", "de") for word, value in _spelled(language).items()}
SPELLED_WORD = rf"(?i:(?<![\w-])(?P<word>{'|'.join(sorted(SPELLED, key=len, reverse=True))})(?![\w-]))"
