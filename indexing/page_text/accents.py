"""Letters whose accents a page draws apart, as TeX does with its older fonts: Gr¨oße becomes Größe."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from typing import Any

import pypdfium2.raw as pdfium

_COMBINING = dict(
    zip("`´ˆ˜¯˘˙¨˚˝ˇ¸˛", "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328", strict=True)
)
_WITHOUT_DOT = str.maketrans("ıȷ", "ij")  # as they stand below an accent
#: An accent that stands for itself.
ACCENT = re.compile(f"[{''.join(_COMBINING)}]")


def with_accents(textpage: Any, word: str, start: int) -> str:
    """A word of the text layer that begins at ``start``, each accent put on the letter that it stands over or under."""
    written = list(word)
    for accent in ACCENT.finditer(word):
        place = accent.start()
        for letter in (place + 1, place - 1):
            if 0 <= letter < len(word) and (whole := _composed(written[letter], accent[0])):
                left, right = _sides(textpage, start + letter)
                if left < sum(_sides(textpage, start + place)) / 2 < right:
                    written[place], written[letter] = "", whole
                    break
    return "".join(written)


def _composed(letter: str, accent: str) -> str | None:
    """The one character that is the letter with the accent, if there is one."""
    if not letter.isalpha():
        return None
    whole = unicodedata.normalize("NFC", letter.translate(_WITHOUT_DOT) + _COMBINING[accent])
    return whole if len(whole) == 1 else None


def _sides(textpage: Any, place: int) -> tuple[float, float]:
    """Where in points a character begins and ends on its line."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(textpage, place, left, right, bottom, top)
    return left.value, right.value
