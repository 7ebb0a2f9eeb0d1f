"""Numbers in a text as people write them: their value, scale and unit, in English, German and what looks like them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

#: A text's places: from before which to before which character.
Span = tuple[int, int]

_SCALES = {
    Decimal(1000): "thousand thousands tsd tausend k",
    Decimal(10**6): "million millions mio mln mn m millionen millionenen millón millones milliers",
    Decimal(10**9): "billion billions bn b mrd mld md milliarde milliarden milliards",
    Decimal(10**12): "trillion trillions tn bio billionen",
}
_SCALE_OF = {word: scale for scale, words in _SCALES.items() for word in words.split()}
_CURRENCIES = {
    "EUR": "€ eur euro euros",
    "USD": "$ us$ usd dollar dollars",
    "GBP": "£ gbp pound pounds pfund",
    "CHF": "chf franken sfr francs",
    "JPY": "¥ jpy yen",
    "CNY": "cny rmb yuan renminbi",
    "INR": "₹ inr rupee rupees",
    "SEK": "sek", "NOK": "nok", "DKK": "dkk", "PLN": "pln zloty", "CAD": "cad c$", "AUD": "aud a$",
}  # fmt: skip
_CURRENCY_OF = {word: code for code, words in _CURRENCIES.items() for word in words.split()}
_PERCENT_OF = {
    **dict.fromkeys(("%", "percent", "per cent", "pct", "prozent", "v.h.", "٪", "％"), "%"),
    **dict.fromkeys(("percentage points", "percentage point", "pp", "prozentpunkte", "prozentpunkten", "ppt"), "pp"),
    **dict.fromkeys(("basis points", "bps", "basispunkte"), "bp"),
    **dict.fromkeys(("‰", "per mille", "promille"), "‰"),
}
# Units that stand behind a number; case counts for most of them. Those in one group are the same.
_MEASURES = """dB(A)|dBA dB W|Watt kW MW GW kWh MWh GWh TWh Wh kVA V A Hz kHz MHz GHz mm cm m|metres|meters|Meter
    km|kilometres|kilometers|Kilometer kg|kilograms|Kilogramm g t|tonnes|tons|Tonnen mg l|Liter|litres|liters ml
    m²|m2|qm m³|m3 ha °C °F K bar Pa kPa hPa MPa N Nm kN J kJ MJ s ms min h|Std. km/h m/s KB MB GB TB dpi rpm px ft
    in² lb lbs oz"""
_MEASURE_OF = {form: group.split("|")[0] for group in _MEASURES.split() for form in group.split("|")}
#: Units of one letter are read only right behind a number, or in brackets: alone they are words and names.
_SHORT = frozenset(form for form in _MEASURE_OF if len(form) == 1)


def _any(words: Iterator[str] | list[str] | dict[str, str] | dict[str, Decimal]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_GAP = r"[ \u00a0\u2009\u202f]?"
_DIGITS = (
    r"\d{1,3}(?:[.,'’\u00a0\u2009\u202f]\d{3})+(?![\d])(?:[.,]\d+)?|\d{1,3}(?: \d{3})+(?!\d)(?:,\d+)?|\d+(?:[.,]\d+)?"
)
_SYMBOLS = [form for form in _CURRENCY_OF if not form[-1].isalpha()]
_CODES = [form for form in _CURRENCY_OF if form[-1].isalpha()]
_MONEY = rf"(?i:T€|k€|{_any(_SYMBOLS)}|(?:TEUR|kEUR|{_any(_CODES)})(?![^\W\d_]))"
_SCALE = rf"(?i:{_any(list(_SCALE_OF))})(?![^\W\d_])\.?"
_PERCENT = rf"(?i:{_any(_PERCENT_OF)})(?![^\W\d_])"
_MEASURE = rf"(?:{_any(_MEASURE_OF)})(?![\w²³])"
_BEFORE = rf"(?P<before>(?<![\w]){_MONEY}){_GAP}(?P<before_scale>{_SCALE}{_GAP})?"
_AFTER = rf"(?:{_GAP}-?(?P<scale>{_SCALE}))?(?:{_GAP}(?P<after>{_MONEY}(?![^\W\d_])|{_PERCENT}|{_MEASURE}))?"
_QUANTITY = re.compile(
    rf"(?:{_BEFORE})?(?P<open>\()?(?P<sign>(?<![\w\d])[-−–+])?(?<![\w.,])(?P<digits>{_DIGITS})(?![\w²³])?(?P<close>\))?{_AFTER}"
)
_MENTION = re.compile(
    rf"(?<![\w])(?P<before>{_MONEY})?{_GAP}(?P<scale>{_SCALE})?{_GAP}(?P<after>{_MONEY}(?![^\W\d_])|{_PERCENT}|{_MEASURE})?"
)
_ABOUT = re.compile(
    r"(?i)(?<!\w)(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|circa|ca\.?|rund|etwa|ungefähr|knapp|"
    r"fast|gut|more than|over|above|at least|mehr als|über|mindestens|less than|under|below|weniger als|unter|~|≈|"
    r"rounded)"
    r"\W{0,3}(?:\w{1,4}\W)?$"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SECOND_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d[-–/]$")  # of 2021/22


# Not one and its like, which are mostly articles.
_SPELLED = {
    word: Decimal(value)
    for words in (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        " eighteen nineteen twenty",
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn"
        " achtzehn neunzehn zwanzig",
    )
    for value, word in enumerate(words.split(), 2)
}
_SPELLED_WORD = re.compile(rf"(?i)(?<!\w)(?:{_any(_SPELLED)})(?!\w)")


@dataclass(frozen=True)
class Quantity:
    """A number in a text.

    ``digits`` is where its digits stand, ``span`` takes in sign, scale and unit. ``values`` are its readings, without
    the scale: one, or two where 1.234 may be a little more than one or more than a thousand. ``scale`` is None where
    nothing is said of it, ``unit`` a currency's code, "%", "pp" or a measure's short form. ``about`` says that it is
    told as a rounded number, ``spelled`` that it is written as a word.
    """

    digits: Span
    span: Span
    values: frozenset[Decimal]
    negative: bool = False
    scale: Decimal | None = None
    unit: str | None = None
    about: bool = False
    year: bool = False
    spelled: bool = False

    def full(self) -> list[Decimal]:
        """Its readings with its scale."""
        return [value * (self.scale or 1) for value in self.values]


def quantities(text: str) -> list[Quantity]:
    """The numbers of a text in their order; those in names, such as A320 or 3rd, are none."""
    numbers = [_quantity(text, found) for found in _QUANTITY.finditer(text) if not _in_a_word(text, found)]
    words = [
        Quantity(found.span(), found.span(), frozenset({_SPELLED[found[0].lower()]}), spelled=True)
        for found in _SPELLED_WORD.finditer(text)
    ]
    return sorted([*numbers, *words], key=lambda quantity: quantity.digits) if words else numbers


def mentioned_units(text: str) -> list[tuple[str | None, Decimal | None]]:
    """The units and scales that a heading or a label names, such as "in EUR million" or "(kW)"."""
    found = []
    for match in _MENTION.finditer(text):
        unit, scale = (
            _unit(match["before"] or match["after"]),
            _scale_of(match["scale"], match["before"], match["after"]),
        )
        if unit is None and (match["scale"] or "") in _SHORT:
            unit, scale = _MEASURE_OF[match["scale"]], None
        if (unit or scale) and _stands_for_a_unit(text, match):
            found.append((unit, scale))
    return found


def _in_a_word(text: str, found: re.Match[str]) -> bool:
    start, end = found.span("digits")
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if end - start == 2 and _SECOND_YEAR.search(text, max(0, start - 6), start):
        return True
    if before.isalpha() and not found["before"]:
        return True
    return after.isalpha() and found["scale"] is None and found["after"] is None


def _quantity(text: str, found: re.Match[str]) -> Quantity:
    values = _readings(found["digits"])
    unit = _unit(found["before"]) or _unit(found["after"])
    scale = _scale_of(found["scale"] or found["before_scale"], found["before"], found["after"])
    if unit is None and scale is not None and (found["scale"] or "").lower() in ("m", "k", "b"):
        unit, scale = _MEASURE_OF.get(found["scale"] or ""), None  # metres: money would be named
    plain = re.fullmatch(_YEAR, found["digits"]) is not None
    negative = ((found["sign"] or "") in tuple("-−–") and bool(found["sign"])) or bool(found["open"] and found["close"])
    return Quantity(
        found.span("digits"), (found.start(), found.end()), values, negative, scale,
        unit, bool(_ABOUT.search(text, max(0, found.start() - 25), found.start())), plain and not unit and not scale,
    )  # fmt: skip


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


def may_be_a_name(text: str, quantity: Quantity) -> bool:
    """Whether a number stands right behind a capitalised word, as in Tarn 16 or Table 3, and has no unit."""
    start, end = quantity.digits
    plain = end - start <= 4 and not (quantity.unit or quantity.scale or quantity.year)
    return plain and re.search(r"(?<!\w)[^\W\d_a-zäöüß][\w.-]*[ -]?$", text[:start]) is not None


def last_digit(value: Decimal) -> Decimal:
    """What one more in the last digit that is told is worth: 0.1 for 885.4, 1 for 900."""
    return Decimal(1).scaleb(int(value.as_tuple().exponent))


def _rounded_to(value: Decimal) -> Decimal:
    """What a number that is said to be rounded is rounded to: 100 for about 900."""
    digits = str(value)
    zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits else 0
    return last_digit(value) * Decimal(10) ** min(zeros, len(digits) - 1)


def _unit(written: str | None) -> str | None:
    if not written:
        return None
    plain = written.lower().strip(". ")
    if plain in ("t€", "teur", "keur", "k€"):
        return "EUR"
    return (
        _CURRENCY_OF.get(plain)
        or _PERCENT_OF.get(written.lower())
        or _PERCENT_OF.get(plain)
        or _MEASURE_OF.get(written)
    )


def _scale_of(written: str | None, *money: str | None) -> Decimal | None:
    if any((one or "").lower() in ("t€", "teur", "keur", "k€") for one in money):
        return Decimal(1000)
    return _SCALE_OF.get(written.strip().lower().rstrip(".")) if written else None


def _stands_for_a_unit(text: str, found: re.Match[str]) -> bool:
    """Whether a unit of one letter stands where units stand: in brackets, or after "in"."""
    written = found[0].strip()
    if len(written) > 1:
        return True
    before = text[: found.start()].rstrip()
    return written in "%€$£¥" or (written in _SHORT and (before.endswith(("(", "[", " in", " je", "/"))))


def same_value(claimed: Quantity, printed: Quantity) -> bool:
    """Whether a number of a claim tells what a printed one does.

    A number said to be rounded, or told at another scale, may differ by half of its last digit.
    """
    return any(_same_reading(claimed, mine, printed, theirs) for mine in claimed.values for theirs in printed.values)


def _same_reading(claimed: Quantity, mine: Decimal, printed: Quantity, theirs: Decimal) -> bool:
    scale = claimed.scale or printed.scale or Decimal(1)
    if claimed.scale is None and mine in (theirs, theirs * scale):
        return True
    apart = abs(mine * scale - theirs * (printed.scale or scale))
    if claimed.about or (claimed.scale and printed.scale and claimed.scale != printed.scale):
        return apart <= (_rounded_to if claimed.about else last_digit)(mine) * scale / 2
    return apart == 0


def with_unit(quantity: Quantity, unit: str | None, scale: Decimal | None) -> Quantity:
    """The quantity with the unit and scale that its surroundings say, where it says none itself."""
    if quantity.unit:
        return quantity
    return replace(quantity, unit=unit, scale=quantity.scale or scale)
