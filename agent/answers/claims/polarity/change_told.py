"""Whether a change that a claim tells goes the other way than its own numbers, or than the page's, go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from pagesight.agent.answers.claims.polarity.direction import told_as_change
from pagesight.indexing.values.clauses import clause_at, sentence_at
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity

UP = re.compile(
    r"(?i)\b(?:rose|ris(?:es?|en|ing)|increas(?:es?|ed|ing)|grew|grow(?:s|n|ing)?|climb\w*|jump\w*|stieg(?:en)?|"
    r"steig\w*|gestiegen|wuchs(?:en)?|wächst|gewachsen|zugenommen|up from|вырос\w*|увелич\w+)\b|增长|上升|增加"
)
DOWN = re.compile(
    r"(?i)\b(?:fell|fall(?:s|en|ing)?|declin(?:es?|ed|ing)|decreas(?:es?|ed|ing)|drop(?:s|ped|ping)?|shr[aiu]nk\w*|"
    r"reduc(?:es?|ed|ing)|sank(?:en)?|sink\w*|gesunken|gefallen|fiel(?:en)?|down from|verringer\w+|zurückgegangen|"
    r"abgenommen|снизил\w*|упал\w*|уменьш\w+)\b|下降|减少"
)
_FROM = re.compile(r"(?i)\b(?:from|von|с)\s(?:(?!\b(?:by|um)\b)[^\d,;:]){0,12}$")
_TO = re.compile(r"(?i)\b(?:to|auf|до)\s(?:(?!\b(?:by|um)\b)[^\d,;:]){0,12}$")
_UP_FROM = re.compile(r"(?i)\b(?:up|down) from\s[^\d,;:]{0,12}$")
_CHANGE = re.compile(
    r"(?i)\b(?:change|increase|growth|cagr|yoy|veränder\w+|zunahme|zuwachs|wachstum|anstieg)\b|[+]/[-–−]|изменени|变化"
)
_LESS = re.compile(r"(?i)\b(?:decrease|decline|reduction|abnahme|rückgang)\b")
_BOTH = re.compile(r"(?i)\b(?:increase|zunahme)\W+(?:decrease|abnahme)\b")
_SIGNED = re.compile(r"(?i)\b(?:loss\w*|used|outflow\w*|deficit|verlust\w*|fehlbetrag|mittelabfluss)\b")
#: A denial right before what tells of a change: "did not rise".
_DENIED = re.compile(
    r"(?i)(?:(?:\b(?:not|never|hardly|nicht|nie|не)|n['’]t)\s(?:\w+\s){0,2}|\b(?:no|without|kein\w*|ohne)\s)$"
)
_WORDS_OF_A_SENTENCE = 6  # in a table's cell; a guess, not measured


def goes_against_itself(text: str, found: Sequence[Quantity]) -> str:
    """What a claim says of a change from one number to another that goes the other way; "" for nothing of the kind."""
    numbers = [one for one in found if not (one.year or one.days)]
    for one, other in pairwise(numbers):
        before, after = _from_and_to(text, one, other)
        if before is None or after is None or _is_denied(text):
            continue
        told = way(sentence_at(text, one.digits[0]))
        if told and told * _change(before, after) < 0:
            return f"{_written(text, before)} to {_written(text, after)} is no {'rise' if told > 0 else 'fall'}"
    return ""


def _from_and_to(text: str, one: Quantity, other: Quantity) -> tuple[Quantity | None, Quantity | None]:
    if sentence_at(text, one.digits[0]) != sentence_at(text, other.digits[0]):
        return None, None
    head, between = text[: one.span[0]], text[one.span[1] : other.span[0]]
    if _FROM.search(head) and _TO.search(between):
        return one, other
    if (_TO.search(head) and _FROM.search(between)) or _UP_FROM.search(between):
        return other, one
    return None, None


def _change(before: Quantity, after: Quantity) -> Decimal:
    """What is more in the later number; nothing where the two cannot be compared."""
    alike = before.unit in (None, after.unit) or after.unit is None
    plain = len(before.values) == len(after.values) == 1 and not (before.negative or after.negative)
    if not (alike and plain):
        return Decimal(0)
    scale = before.scale or after.scale or 1, after.scale or before.scale or 1
    return max(after.values) * scale[1] - max(before.values) * scale[0]


def _written(text: str, quantity: Quantity) -> str:
    return text[slice(*quantity.span)].strip()


def way(text: str) -> int:
    """1 where a text tells of a rise, -1 of a fall, 0 of neither or both; only verbs that say so of any number."""
    return bool(UP.search(text)) - bool(DOWN.search(text))


def _is_denied(text: str) -> bool:
    """Whether a change that a text tells is denied, and not something else in it."""
    return any(_DENIED.search(text, 0, found.start()) for verb in (UP, DOWN) for found in verb.finditer(text))


def goes_against_the_page(text: str, quantity: Quantity, value: PageValue) -> bool:
    """Whether a page tells of a number as a rise, and the claim as a fall, or the other way round."""
    at = quantity.digits[0]
    mine = way(clause_at(text, at)) or way(sentence_at(text, at))
    if not mine or _is_denied(text):
        return False
    if told_as_change(text, quantity) and (sign := _sign_of_change(value)):
        return mine * sign < 0
    printed = sentence_of(value)
    before = text[: quantity.span[0]]
    words = "to|auf" if _TO.search(before) else "from|von" if _FROM.search(before) else ""
    same_end = words and re.search(rf"(?i)\b(?:{words})\s\W*{re.escape(value.written)}", printed)
    return bool(same_end) and mine * (way(value.clause) or way(printed)) < 0


def is_of_a_change(value: PageValue) -> bool:
    """Whether a number stands in a column of changes."""
    return value.place is not None and bool(_CHANGE.search(" ".join(value.place.heads)))


def _sign_of_change(value: PageValue) -> int:
    """1 for a rise in a column of changes, -1 for a fall; 0 for a number that stands in none."""
    if value.place is None or _SIGNED.search(" ".join(value.place.labels)):
        return 0
    heads = " ".join([*value.place.heads, *filter(_BOTH.search, value.place.labels)])
    sign = -1 if value.quantity.negative else 1
    return sign if _CHANGE.search(heads) else -sign if _LESS.search(heads) else 0


def sentence_of(value: PageValue) -> str:
    """The sentence that a number stands in, also within a cell."""
    if value.place is None:
        return value.said
    text = value.block.text
    return text if len(text.split()) >= _WORDS_OF_A_SENTENCE else ""
