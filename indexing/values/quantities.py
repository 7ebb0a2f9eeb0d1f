"""Numbers in a text as people write them: their value, scale and unit, in English, German and what looks like them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from pagesight.indexing.values.ages import ages
from pagesight.indexing.values.dates import Day, dates, same_date
from pagesight.indexing.values.spelled_numbers import SPELLED, SPELLED_WORD
from pagesight.indexing.values.units import (
    MEASURE,
    MEASURE_OF,
    MONEY,
    PERCENT,
    PERIODS,
    SCALE,
    conversion,
    scale_of,
    unit_of,
)

#: A text's places: from before which to before which character.
Span = tuple[int, int]
#: How a number is said to be rounded: to the nearest, or from above or below.
Bound = Literal["", "about", "over", "under"]

_GAP = r"[ \u00a0\u2009\u202f]?"
_DIGITS = (
    r"\d{1,3}(?:[.,'’\u00a0\u2009\u202f]\d{3})+(?![\d])(?:[.,]\d+)?|\d{1,3}(?: \d{3})+(?!\d)(?:,\d+)?|\d+(?:[.,]\d+)?"
)
_BEFORE = rf"(?P<before>(?<![\w]){MONEY}){_GAP}(?P<before_scale>{SCALE}{_GAP})?"
# In "in 2026 EUR 52 million" the currency is that of the amount behind it, unless that has one of its own.
_OF_THE_NEXT = (
    rf"(?<=(?<![\d.,])(?:19|20)\d\d[ \u00a0\u2009\u202f]){MONEY}{_GAP}"
    rf"(?>{_DIGITS})(?!{_GAP}(?>{SCALE}{_GAP})?{MONEY})"
)
_AFTER = (
    rf"(?:{_GAP}-?(?P<scale>{SCALE}))?"
    rf"(?:{_GAP}-?(?P<after>(?!{_OF_THE_NEXT}){MONEY}(?![^\W\d_\u3040-\u9fff])|{PERCENT}|{MEASURE}))?"
)
_QUANTITY = re.compile(
    rf"(?:{_BEFORE})?(?P<open>\()?(?P<sign>(?<![\w\d])[-−–+])?(?<![^\W\u2e80-\uffff])(?<![.,])(?P<digits>{_DIGITS})"
    rf"(?![²³])(?P<close>\))?{_AFTER}"
)
_SPELLED = re.compile(rf"{SPELLED_WORD}{_AFTER}")
_ONE = re.compile(
    r"(?i)(?<!\bvor )(?<!\bnach )(?<!\bals )(?<!\bseit )(?<!\bpro )(?<![\w-])(?P<word>one|ein(?:en|em)?)"
    r"(?=[ -](?:hour|minute|day|week|month|year|stunde|minute|tag|woche|monat|jahr)(?:es|en|e)?(?!\w))" + _AFTER
)
_ABOUT = (
    r"about|around|approximately|approx\.?|roughly|some|circa|ca\.?|rund|etwa|ungefähr|~|≈|rounded|около|примерно|约"
)
_OVER = r"more than|over|above|at least|well over|mehr als|über|mindestens|gut|exceeding|более|свыше|超过"
_UNDER = r"nearly|almost|just under|less than|under|below|close to|knapp|fast|weniger als|unter|beinahe|почти|менее|近"


def _right_before(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?<!\w)(?:{words})\W{{0,3}}(?:\w{{1,4}}\W)?$")


_BOUNDS: list[tuple[Bound, re.Pattern[str]]] = [
    ("about", _right_before(_ABOUT)), ("over", _right_before(_OVER)), ("under", _right_before(_UNDER)),
]  # fmt: skip
_YEAR = re.compile(r"(?:19|20)\d\d")
_SECOND_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d[-–/]$")  # of 2021/22
_PERIOD = re.compile(r"(?<!\w)(?:[QH][1-4]|FY|GJ)[ -]$")  # of Q4 24
_MONTHS = re.compile(r"(?<![\w.,])(?:3|6|9|12)M[ ’'-]?(?:19|20)?\d\d(?!\w)")  # 9M 2024: nine months
# 014-00-01, 4.6.1 and 00 0048 4948: what something is called, no numbers; groups of three are thousands.
_CODE = re.compile(
    r"(?<![\w.,-])(?:\d+(?:-\d+){2,}|\d+(?:\.\d{1,2}){2,}|"
    r"\d+(?: \d{3})*(?: (?:\d{1,2}|\d{4,}))(?: \d+)+|0\d+(?: \d+)+)(?![\w-]|[.,]\d)"
)
_WITH_FOOTNOTES = re.compile(r"\d\d+(?:[.,]\d+)?[a-h]{1,3}")  # 33ab, in a cell of a table of many
_SIDE = re.compile(r"[A-Z](?!\w)")  # +19R, by which the R are ahead
_REST_OF_A_DATE = re.compile(r"^(?P<day>\d{1,2}), (?:19|20)\d\d$")  # a column's head, below "Year ended December"
_CENTS = re.compile(r" ?(?:cents?|Cents?|pence)(?!\w)")
_MINUS = ("-", "−", "–")
_RANGE = re.compile(r"\)?\s*(?:to|bis|and|und|or|oder|–|-|—|до|至|/)\s*\(?", re.IGNORECASE)
#: How far from the printed number one may be that is said to be about it, or over or under it, as part of it; guesses,
#: not measured.
_FARTHEST, _FARTHEST_BOUND = Decimal("0.08"), Decimal("0.2")


@dataclass(frozen=True)
class Quantity:
    """A number or a date in a text.

    ``digits`` is where its digits stand, ``span`` takes in sign, scale and unit. ``values`` are its readings, without
    the scale: one, or two where 1.234 may be a little more than one or more than a thousand. ``plus`` says that it has
    a plus sign. ``scale`` is None where nothing is said of it, ``unit`` a currency's code, "%", "pp" or a measure's
    short form. ``bound`` tells how it is said to be rounded, ``spelled`` that it is written as a word. A date has
    ``days``, and no values.
    """

    digits: Span
    span: Span
    values: frozenset[Decimal]
    negative: bool = False
    plus: bool = False
    scale: Decimal | None = None
    unit: str | None = None
    bound: Bound = ""
    year: bool = False
    spelled: bool = False
    days: frozenset[Day] = frozenset()

    def full(self) -> list[Decimal]:
        """Its readings with its scale."""
        return [value * (self.scale or 1) for value in self.values]


def quantities(text: str) -> list[Quantity]:
    """The numbers and dates of a text in their order; those in names, such as A320 or 3rd, are none."""
    if not any(letter.isdigit() for letter in text):
        return list(_spelled(text))
    days = [Quantity((one.start, one.end), (one.start, one.end), frozenset(), days=one.readings) for one in dates(text)]
    taken = [*(one.span for one in days), *(found.span() for found in _CODE.finditer(text))]
    taken += [found.span("day") for found in _REST_OF_A_DATE.finditer(text)]
    numbers = [
        _quantity(text, found) for found in _QUANTITY.finditer(text)
        if not _in_a_word(text, found) and not _within(found.start("digits"), taken)
    ]  # fmt: skip
    every = [*days, *numbers, *(one for one in _spelled(text) if not _within(one.span[0], taken))]
    return _with_units_of_ranges(text, sorted(every, key=lambda quantity: quantity.digits))


def _within(at: int, spans: Sequence[Span]) -> bool:
    return any(start <= at < end for start, end in spans)


def _spelled(text: str) -> Iterator[Quantity]:
    for found in (*_SPELLED.finditer(text), *_ONE.finditer(text)):
        scale, unit = scale_of(found["scale"]), unit_of(found["after"])
        value = SPELLED.get(found["word"].lower(), Decimal(1))
        yield Quantity(
            found.span("word"), found.span(), frozenset({value}), scale=scale, unit=unit,
            bound=_bound(text, found.start()), spelled=True,
        )  # fmt: skip


def _with_units_of_ranges(text: str, found: list[Quantity]) -> list[Quantity]:
    """The numbers, where those of a range have one unit and scale."""
    for at, (one, other) in enumerate(pairwise(found)):
        if _is_range(text, one, other) and (pair := _in_one_unit(text, one, other)):
            found[at : at + 2] = pair
    return found


def _is_range(text: str, one: Quantity, other: Quantity) -> bool:
    plain = not (one.year or other.year or one.days or other.days)
    return plain and _RANGE.fullmatch(text[one.span[1] : other.span[0]]) is not None


def _in_one_unit(text: str, one: Quantity, other: Quantity) -> tuple[Quantity, Quantity] | None:
    """The numbers of "34.8 to 35.7 per cent" and "EUR 10 to 12 million" with what the other has; None for nothing."""
    scale = one.scale or other.scale
    if one.unit is None and other.unit:
        return replace(one, unit=other.unit, scale=scale), other
    if one.unit and other.unit is None and text[one.span[0] : one.digits[0]].strip():
        return replace(one, scale=scale), replace(other, unit=one.unit, scale=scale)
    return None


def _in_a_word(text: str, found: re.Match[str]) -> bool:
    start, end = found.span("digits")
    if end - start == 2 and _SECOND_YEAR.search(text, max(0, start - 6), start):
        return True
    if _PERIOD.search(text, max(0, start - 5), start) or _MONTHS.match(text, start):
        return True
    return (_is_letter(text[max(0, start - 1) : start]) and not found["before"]) or _goes_on_in_letters(text, found)


def _goes_on_in_letters(text: str, found: re.Match[str]) -> bool:
    """Whether letters that are no unit, no footnotes and no side stand right behind a number."""
    end = found.end("digits")
    if _WITH_FOOTNOTES.fullmatch(text) or (found["sign"] and _SIDE.match(text, end)):
        return False
    return _is_letter(text[end : end + 1]) and found["scale"] is None and found["after"] is None


def _is_letter(character: str) -> bool:
    return character.isalpha() and character < "\u2e80"


def _quantity(text: str, found: re.Match[str]) -> Quantity:
    unit, scale, end = _measure(text, found)
    if unit in PERIODS and _YEAR.fullmatch(found["digits"]):
        unit, end = None, found.end("digits")
    bracketed = bool(found["open"] and found["close"])
    start = found.start("digits") if found["open"] and not bracketed else found.start()
    return Quantity(
        found.span("digits"), (start, end), _readings(found["digits"]),
        negative=bracketed or found["sign"] in _MINUS, plus=found["sign"] == "+", scale=scale, unit=unit,
        bound=_bound(text, found.start()),
        year=bool(_YEAR.fullmatch(found["digits"])) and not unit and not scale,
    )  # fmt: skip


def _measure(text: str, found: re.Match[str]) -> tuple[str | None, Decimal | None, int]:
    """The unit and the scale that are written beside a number, and where the number with them ends."""
    unit = unit_of(found["before"]) or unit_of(found["after"])
    scale = scale_of(found["scale"] or found["before_scale"], found["before"], found["after"])
    if unit is None and scale is not None and (found["scale"] or "").lower() in ("m", "k", "b"):
        return MEASURE_OF.get(found["scale"]), None, found.end()  # metres: money would be named
    if unit is None and scale is None and (cents := _CENTS.match(text, found.end("digits"))):
        return None, Decimal("0.01"), cents.end()
    return unit, scale, found.end()


def _bound(text: str, start: int) -> Bound:
    before = text[max(0, start - 25) : start]
    return next((bound for bound, said in _BOUNDS if said.search(before)), "")


def _readings(digits: str) -> frozenset[Decimal]:
    """The values that digits with commas and points may stand for."""
    plain = re.sub(r"[^\d.,]", "", digits)
    marks = re.findall("[.,]", plain)
    grouped = Decimal(re.sub("[.,]", "", plain))
    if not marks or (len(set(marks)) == 1 and len(marks) > 1):
        return frozenset({grouped})
    whole, _, part = re.split(r"([.,])(?=\d*$)", plain)
    decimal = Decimal(re.sub("[.,]", "", whole) + "." + part)
    return frozenset({grouped, decimal} if len(marks) == 1 and len(part) == 3 and whole != "0" else {decimal})


_CAPITALISED = re.compile(r"(?<!\w)[^\W\d_a-zäöüß][\w.-]*[ -]?$")
_LONGEST_WORD = 80  # letters that are looked through for its beginning


def may_be_a_name(text: str, quantity: Quantity) -> bool:
    """Whether a number stands right behind a capitalised word, as in Tarn 16 or Table 3, and has no unit, or is an age
    that says who is meant."""
    start, end = quantity.digits
    if start in ages(text):
        return True
    plain = end - start <= 4 and not (quantity.unit or quantity.scale or quantity.year or quantity.days)
    return plain and _CAPITALISED.search(text, max(0, start - _LONGEST_WORD), start) is not None


def last_digit(value: Decimal) -> Decimal:
    """What one more in the last digit that is told is worth: 0.1 for 885.4, 1 for 900."""
    return Decimal(1).scaleb(int(value.as_tuple().exponent))


def _rounded_to(value: Decimal) -> Decimal:
    """What a number that is said to be rounded is rounded to: 100 for about 900."""
    digits = str(value)
    zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits else 0
    return last_digit(value) * Decimal(10) ** min(zeros, len(digits) - 1)


def same_value(claimed: Quantity, printed: Quantity) -> bool:
    """Whether a number or date of a claim tells what a printed one does.

    A number said to be rounded, or told at another scale or in another unit, may differ by half of its last digit.
    """
    if claimed.days or printed.days:
        return same_date(claimed.days, printed.days)
    factor = conversion(printed.unit, claimed.unit) or Decimal(1)
    return any(
        _same_reading(claimed, mine, printed, theirs, factor) for mine in claimed.values for theirs in printed.values
    )


def _same_reading(claimed: Quantity, mine: Decimal, printed: Quantity, theirs: Decimal, factor: Decimal) -> bool:
    scale = claimed.scale or printed.scale or Decimal(1)
    assumed = max(scale, Decimal(1))
    told = theirs * factor * (printed.scale or assumed)
    steps = [scale] if claimed.scale or not printed.scale else [scale, Decimal(1)]
    if claimed.scale is None and mine == theirs * factor:
        return True
    rescaled = factor != 1 or bool(claimed.scale and printed.scale and claimed.scale != printed.scale)
    return any(_near(claimed.bound, mine, step, told, rescaled=rescaled) for step in steps)


def _near(bound: Bound, mine: Decimal, step: Decimal, told: Decimal, *, rescaled: bool) -> bool:
    """Whether ``mine``, in steps of ``step``, says what is told, as exactly as it claims to be."""
    apart = told - mine * step
    if bound in ("over", "under") and apart * (1 if bound == "over" else -1) >= 0:
        return abs(apart) <= min(_rounded_to(mine), mine * _FARTHEST_BOUND) * step
    if bound == "about":
        return abs(apart) <= min(_rounded_to(mine) / 2, mine * _FARTHEST) * step
    return abs(apart) <= (last_digit(mine) * step / 2 if rescaled else 0)


def with_unit(quantity: Quantity, unit: str | None, scale: Decimal | None) -> Quantity:
    """The quantity with the unit and scale that its surroundings say, where it says none itself."""
    if quantity.unit or quantity.days or quantity.year:
        return quantity
    return replace(quantity, unit=unit, scale=quantity.scale or scale)
