"""The units and scales that headings and labels name, without a number beside them."""

from __future__ import annotations

import re
from decimal import Decimal

from pagesight.indexing.values.units import (
    MEASURE,
    MEASURE_OF,
    MONEY,
    PERCENT,
    PERIODS,
    SCALE,
    SHORT,
    scale_of,
    unit_of,
)

_GAP = r"[ \u00a0\u2009\u202f]?"
_MENTION = re.compile(
    rf"(?<![\w])(?=\S)(?P<before>{MONEY})?{_GAP}(?P<scale>{SCALE})?{_GAP}"
    rf"(?P<after>{MONEY}(?![^\W\d_\u3040-\u9fff])|{PERCENT}|{MEASURE})?"
)
_ZEROS = re.compile(r"\(000s?\)|['’]000s?\b|\bin 000s?\b")  # a heading's thousands

_AMOUNT = re.compile(r"\d[\d.,]*\s?$")
_THOUSANDS = re.compile(r"1?(?:[.,]?000)+")


def mentioned_units(text: str) -> list[tuple[str | None, Decimal | None]]:
    """The units and scales that a heading or a label names, such as "in EUR million" or "(kW)"."""
    found: list[tuple[str | None, Decimal | None]] = [(None, Decimal(1000)) for _ in _ZEROS.finditer(text)]
    for match in _MENTION.finditer(text):
        unit, scale = (
            unit_of(match["before"] or match["after"]),
            scale_of(match["scale"], match["before"], match["after"]),
        )
        if unit is None and (match["scale"] or "") in SHORT:
            unit, scale = MEASURE_OF[match["scale"]], None
        if (unit or scale) and _stands_for_a_unit(text, match):
            found.append((unit, scale))
    return found


def _stands_for_a_unit(text: str, found: re.Match[str]) -> bool:
    """Whether it is no amount's own, as in "plug, 40 cm", and one of one letter stands in brackets or after "in"."""
    written = found[0].strip()
    amount = _AMOUNT.search(text[: found.start()])
    if amount and not _THOUSANDS.fullmatch(amount[0].strip()):
        return False
    if unit_of(written) in PERIODS:
        return text[: found.start()].rstrip().endswith(("(", "[", " in"))
    if len(written) > 1 and written.lower() not in ("points", "point", "punkte", "punkten"):
        return True
    before = text[: found.start()].rstrip()
    return written in "%€$£¥₽元" or (written in SHORT and (before.endswith(("(", "[", " in", " je", "/"))))
