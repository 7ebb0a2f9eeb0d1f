"""What an amount is told for, an hour or a year, each or all together, and whether a page tells it for another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pagesight.indexing.values.clauses import SENTENCE_END, clause_at, sentence_at
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity, quantities

_PERIODS = {
    "second": r"seconds?|sekunden?|sec|с(?:екунду)?|秒",
    "minute": r"minutes?|minuten?|min|минуту",
    "hour": r"hours?|hr|h|stunden?|std|час",
    "day": r"(?:week)?days?|tag(?:es|en|e)?|день|сутки",
    "week": r"weeks?|wochen?|неделю",
    "month": r"months?|monat(?:s|en|e)?|месяц",
    "quarter": r"quarters?|quartal|vierteljahr|квартал",
    "year": r"years?|jahr(?:es|en|e)?|annum|год",
}  # fmt: skip
_ADVERBS = {
    "hour": r"hourly|stündlich\w*|ежечасно",
    "day": r"daily|weekday|täglich\w*|ежедневн\w+|每天|每日",
    "week": r"weekly|wöchentlich\w*|еженедельн\w+|每周",
    "month": r"monthly|monatlich\w*|ежемесячн\w+|每月",
    "quarter": r"quarterly|vierteljährlich\w*|ежеквартальн\w+|每季度",
    "year": r"annual(?:ly|ised|ized)?(?! (?:report|accounts|statements?|general|meeting|board|financial))|yearly|"
    r"jährlich\w*|p\. ?a\.|ежегодн\w+|годов\w+|每年",
}  # fmt: skip
_GERMAN_PARTS = {"Stunden": "hour", "Tages": "day", "Wochen": "week", "Monats": "month", "Jahres": "year"}
_COMPOUND = re.compile(
    r"\b(Stunden|Tages|Wochen|Monats|Jahres)(?:miete|lohn|gehalt|satz|preis|rate|beitrag|gebühr|verbrauch|produktion)\b"
)
#: What makes of "a year" a point in time: a year earlier.
_NO_RATE = r"(?!\s+(?:earlier|ago|later|before|after|older|younger|on|end|zuvor|früher|später|vorher))"
_PER = re.compile(
    r"(?i)(?:\b(?:per|each|every|pro|je|jede[rnms]?|в|за)\s+(?:[a-zäöü]+ )?|/\s?(?:[a-z]+ )?|每|"
    r"(?<!\bin )(?<!\bfor )(?<!\bof )(?<!\bthan )(?<!\bover )(?<!\bhalf )(?<!\bafter )(?<!\bwithin )\ban?\s+)"
    rf"(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _PERIODS.items())})(?!\w){_NO_RATE}"
)
_ADVERB = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _ADVERBS.items())})(?!\w)")
_POSSESSIVE = re.compile(r"(?i)\b(?:a|one|each)\s(?P<period>hour|day|week|month|year)['’]s\b")
_EACH = re.compile(
    r"(?i)\bapiece\b|\beach\b(?=\W*$|\s?[,.;)])|\bje(?:weils)? Stück\b|\b(?:pro|das|per) (?:Stück|piece|unit|item)\b|"
    r"\beinzelpreis|\bstückpreis|\bunit price"
)
_TOGETHER = re.compile(
    r"(?i)\b(?:together|altogether|in total|combined|zusammen|insgesamt|gesamtpreis|total price)\b|^gesamt$"
)


def told_for_another(text: str, quantity: Quantity, value: PageValue) -> str:
    """What a page tells a number for, where a claim tells it for something else, as "per year"; or ""."""
    mine, theirs = _told_for(text, quantity), _printed_for(value)
    if mine and theirs and not mine & theirs:
        return f"per {min(theirs)}"
    parts = _parts(clause_at(text, quantity.digits[0])), _parts(_around(value))
    return f"told {min(parts[1])}" if parts[0] and parts[1] and not parts[0] & parts[1] else ""


def _told_for(text: str, quantity: Quantity) -> set[str]:
    """The periods that follow a number, or of its clause; those of its sentence where that has no other number."""
    at = quantity.digits[0]
    sentence = sentence_at(text, at)
    near = _rates(_up_to_the_next(text, quantity)) or _rates(clause_at(text, at))
    return near or (_rates(sentence) if _is_alone(sentence) else set())


def _up_to_the_next(text: str, quantity: Quantity) -> str:
    """What stands between a number and the next one or the end of its sentence."""
    start = quantity.span[1]
    ends = [one.span[0] for one in quantities(text) if one.span[0] >= start and not one.year]
    sentence = SENTENCE_END.search(text, start)
    return text[start : min([*ends, sentence.start() if sentence else len(text)])]


def _is_alone(sentence: str) -> bool:
    return sum(not (one.year or one.days) for one in quantities(sentence)) < 2


def _printed_for(value: PageValue) -> set[str]:
    if value.place is None:
        return _told_for(value.block.text, value.quantity)
    return _rates(_around(value)) or _rates(" | ".join(value.place.captions))


def _around(value: PageValue) -> str:
    return value.clause if value.place is None else f"{value.block.text} | {value.said}"


def _rates(text: str) -> set[str]:
    """The periods that something is told for in a text."""
    return set(_found(text))


def _found(text: str) -> Iterator[str]:
    for pattern in (_PER, _ADVERB):
        for match in pattern.finditer(text):
            yield match.lastgroup or ""
    for match in _POSSESSIVE.finditer(text):
        yield match["period"].lower()
    for match in _COMPOUND.finditer(text):
        yield _GERMAN_PARTS[match[1]]


def _parts(text: str) -> set[str]:
    """Whether something is told for each or for all together."""
    return {name for name, words in (("each", _EACH), ("together", _TOGETHER)) if words.search(text)}
