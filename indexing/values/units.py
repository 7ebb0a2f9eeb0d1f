"""Units and scales as people write them, in English, German, Russian and Chinese: money, per cent, measures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_SCALES = {
    Decimal(1000): "thousand thousands tsd tausend k тыс тысяч тысячи 千",
    Decimal(10**4): "万 萬",
    Decimal(10**6): "million millions mio mln mn m millionen millón millones млн миллион миллионов миллиона 百万",
    Decimal(10**8): "亿 億",
    Decimal(10**9): "billion billions bn b mrd mld md milliarde milliarden milliards млрд миллиард миллиардов",
    Decimal(10**12): "trillion trillions tn bio billionen трлн",
}
SCALE_OF = {word: scale for scale, words in _SCALES.items() for word in words.split()}
_CURRENCIES = {
    "EUR": "€ eur euro euros евро 欧元",
    "USD": "$ us$ usd us-dollar dollar dollars доллар доллара долларов 美元",
    "GBP": "£ gbp pound pounds pfund",
    "CHF": "chf franken sfr francs",
    "JPY": "¥ jpy yen 日元 円",
    "CNY": "cny rmb yuan renminbi юань юаней 元 人民币",
    "INR": "₹ inr rupee rupees",
    "RUB": "₽ rub руб рубль рублей рубля",
    "SEK": "sek", "NOK": "nok", "DKK": "dkk", "PLN": "pln zloty", "CAD": "cad c$", "AUD": "aud a$",
}  # fmt: skip
CURRENCY_OF = {word: code for code, words in _CURRENCIES.items() for word in words.split()}
PERCENT_OF = {
    **dict.fromkeys(
        ("%", "percent", "per cent", "pct", "prozent", "v.h.", "٪", "％", "процент", "процента", "процентов"), "%"
    ),
    **dict.fromkeys(
        ("percentage points", "percentage point", "pp", "%-points", "prozentpunkte", "prozentpunkten", "ppt",
         "процентных пункта", "процентных пунктов", "п.п.", "个百分点", "points", "point", "punkte", "punkten"), "pp",
    ),
    **dict.fromkeys(("basis points", "bps", "basispunkte"), "bp"),
    **dict.fromkeys(("‰", "per mille", "promille"), "‰"),
}  # fmt: skip
# Units that stand behind a number; case counts for most of them. Those joined by a bar are the same; _ is a space.
_MEASURES = """dB(A)|dBA dB W|Watt|watts|watt kW|kilowatt|kilowatts|Kilowatt MW|megawatt|megawatts|Megawatt
    GW|gigawatt|gigawatts|Gigawatt kWh|kilowatt-hours|Kilowattstunden MWh|megawatt-hours GWh|gigawatt-hours TWh Wh kVA
    l/h l/min l/s m³/h|m3/h kg/h kWh/a g/km
    V|volt|volts|Volt A|ampere Hz|hertz|Hertz kHz MHz GHz mm|millimetres|millimeters|Millimeter
    cm|centimetres|centimeters|Zentimeter m|metres|meters|metre|meter|Meter|Metre|Metres|Meters
    km|kilometres|kilometers|Kilometer|Kilometres|Kilometers
    kg|kilograms|kilogrammes|Kilogramm g|grams|Gramm t|tonnes|tons|tonne|ton|Tonnen|Tonnes|Tonne|Tons|Ton
    mg l|Liter|litres|liters|litre|liter
    ml
    m²|m2|qm|Quadratmeter|square_metres|square_meters|square_metre|sq_m ft²|square_feet|square_foot|sq_ft
    m³|m3|Kubikmeter ha|hectares|Hektar °C °F K bar Pa kPa hPa MPa N Nm kN J kJ MJ
    s|seconds|Sekunden ms min|min.|minute|minutes|Minute|Minuten h|Std.|hour|hours|hrs|Stunde|Stunden km/h m/s
    day|days|Tag|Tage|Tagen|Tages week|weeks|Woche|Wochen month|months|mos|Monat|Monate|Monaten|месяц|месяца|месяцев
    year|years|yr|yrs|Jahr|Jahre|Jahren|Jahres|год|года|лет KB MB GB TB PB EB mph mi|miles|mile dpi rpm px ft
    in² lb lbs oz"""
MEASURE_OF = {form.replace("_", " "): group.split("|")[0] for group in _MEASURES.split() for form in group.split("|")}
#: Units of time that also name when something was: alone, in a heading, they are no unit.
PERIODS = frozenset(("day", "week", "month", "year"))
#: Units of one letter are read only right behind a number, or in brackets: alone they are words and names.
SHORT = frozenset(form for form in MEASURE_OF if len(form) == 1)
# What a unit is worth in the smallest of its family, by which 1.4 MW are 1,400 kW.
_WORTH = {
    "W": ("W", 1), "kW": ("W", 10**3), "MW": ("W", 10**6), "GW": ("W", 10**9),
    "Wh": ("Wh", 1), "kWh": ("Wh", 10**3), "MWh": ("Wh", 10**6), "GWh": ("Wh", 10**9), "TWh": ("Wh", 10**12),
    "mm": ("mm", 1), "cm": ("mm", 10), "m": ("mm", 10**3), "km": ("mm", 10**6),
    "mg": ("mg", 1), "g": ("mg", 10**3), "kg": ("mg", 10**6), "t": ("mg", 10**9),
    "Hz": ("Hz", 1), "kHz": ("Hz", 10**3), "MHz": ("Hz", 10**6), "GHz": ("Hz", 10**9),
    "ml": ("ml", 1), "l": ("ml", 10**3), "ms": ("ms", 1), "s": ("ms", 10**3), "min": ("ms", 6 * 10**4),
    "h": ("ms", 36 * 10**5), "day": ("ms", 864 * 10**5), "week": ("ms", 7 * 864 * 10**5),
    "month": ("month", 1), "year": ("month", 12), "bp": ("bp", 1), "pp": ("bp", 100),
}  # fmt: skip
_THOUSANDS_OF_EUROS = ("t€", "teur", "keur", "k€")


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_SYMBOLS = [form for form in CURRENCY_OF if not form[-1].isalpha()]
_CODES = [form for form in CURRENCY_OF if form[-1].isalpha()]
# Chinese and Japanese have no spaces, and a footnote's mark stands right behind a word.
_END = r"(?![^\W\d_\u3040-\u9fff\u2070-\u2079¹²³])"
MONEY = rf"(?i:T€|k€|{_any(_SYMBOLS)}|(?:TEUR|kEUR|{_any(_CODES)}){_END})"
SCALE = rf"(?i:(?!m[²³])(?:{_any(SCALE_OF)})){_END}\.?"  # m² is an area, and no footnote to millions
PERCENT = rf"(?i:{_any(PERCENT_OF)}){_END}"
MEASURE = rf"(?:{_any(MEASURE_OF)})(?![\w²³]|/[^\W\d_])"


def unit_of(written: str | None) -> str | None:
    """The unit that is written; None for none."""
    if not written:
        return None
    plain = written.lower().strip(". ")
    if plain in _THOUSANDS_OF_EUROS:
        return "EUR"
    return CURRENCY_OF.get(plain) or PERCENT_OF.get(written.lower()) or PERCENT_OF.get(plain) or MEASURE_OF.get(written)


def scale_of(written: str | None, *money: str | None) -> Decimal | None:
    """The scale that is written, or that is part of how money is written, as in TEUR; None for none."""
    if any((one or "").lower() in _THOUSANDS_OF_EUROS for one in money):
        return Decimal(1000)
    return SCALE_OF.get(written.strip().lower().rstrip(".")) if written else None


def conversion(one: str | None, other: str | None) -> Decimal | None:
    """By what a number in one unit is multiplied to be one in the other; None where that cannot be."""
    if one == other:
        return Decimal(1)
    if one not in _WORTH or other not in _WORTH or _WORTH[one][0] != _WORTH[other][0]:
        return None
    return Decimal(_WORTH[one][1]) / Decimal(_WORTH[other][1])


def is_unit(text: str) -> bool:
    """Whether a label names a unit and nothing else, such as "EUR million"."""
    left = text
    for unit in re.findall(rf"{MONEY}|{SCALE}|{PERCENT}|{MEASURE}", text):
        left = left.replace(unit, " ", 1)
    return bool(text.strip()) and not re.search(r"[\w+#]", re.sub(r"(?i)\b(?:in|of|von)\b", " ", left))
