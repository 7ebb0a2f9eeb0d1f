"""Page numbers as they are written: "2 f.", "123-4" and 十二 → the pages that are meant."""

from __future__ import annotations

import re

_LONGEST_RANGE = 20  # pages; of a longer range only its ends are read
_HAN, _OTHER_HAN = "零一二三四五六七八九", str.maketrans("〇两兩", "零二二")


def whole_number(text: str) -> int | None:
    """The number that ASCII digits write, at most 18 of them; None for any other text, "²" and "٣" too."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


def pages_of(found: re.Match[str]) -> list[int]:
    """The pages of a match of `label_patterns.MARKED` and the like: one, or two where more follow ("2 ff.")."""
    groups = found.groupdict()
    if groups.get("han"):
        return [_of_han(groups["han"])]
    page = int(groups.get("number") or groups.get("ordinal") or groups.get("first") or 0)
    return [page, page + 1] if groups.get("more") else [page]


def _of_han(written: str) -> int:
    """The number that Chinese numerals write: 十二 and 一二 are 12, 一百零三 is 103."""
    if not set(written) & set("十百"):
        return int("".join(str(_HAN.index(digit)) for digit in written.translate(_OTHER_HAN)))
    total, digit = 0, 0
    for letter in written.translate(_OTHER_HAN):
        if letter in _HAN:
            digit = _HAN.index(letter)
        else:
            total, digit = total + (digit or 1) * (10 if letter == "十" else 100), 0
    return total + digit


def pages_between(first: int, last: int) -> list[int]:
    """The pages of a range; of "123-4" those to 124, of "4-3" its two."""
    if last < first and len(str(last)) < len(str(first)):
        last = int(str(first)[: -len(str(last))] + str(last))
    if not first <= last < first + _LONGEST_RANGE:
        return [first, last]
    return list(range(first, last + 1))
