"""What the text of a table's cell is: a number, a head, a date."""

from __future__ import annotations

import re
from functools import lru_cache

from pagesight.indexing.values.quantities import Quantity, may_be_a_name, quantities

_RANGE = re.compile(r"\d+ ?(?:[-–] ?\d+|\+)(?: [^\W\d_]+)?(?: \(n ?= ?[\d,.]+\))?")
_SAMPLE = re.compile(r"(?i)\bn ?= ?$")
_CODE = re.compile(r"[A-Z]{1,2}\d{2,}")  # B16: a value, too


@lru_cache(maxsize=4000)
def is_data(text: str) -> bool:
    """Whether a cell is a number that is no year, or a mark that stands for none."""
    found = quantities(text)
    letters = sum(letter.isalpha() for letter in text)
    return (any(not (one.year or one.days) for one in found) and letters <= 3) or not any(
        letter.isalnum() for letter in text
    )


def can_head(text: str) -> bool:
    """Whether a cell may head a column: it says something, if only "%", and has no numbers but years and those of
    names."""
    says = text.strip(" ()") == "%" or any(letter.isalnum() for letter in text)
    return says and not has_numbers(text) and not _CODE.fullmatch(text)


def several_heads(text: str) -> bool:
    """Whether a cell is the heads of several columns."""
    return len(re.findall(r"\b(?:19|20)\d\d\b", text)) > 1 or len(quantities(text)) > 1


@lru_cache(maxsize=4000)
def has_numbers(text: str) -> bool:
    """Whether a text has numbers but years, dates and those of names."""
    return any(not (one.year or one.days or may_be_a_name(text, one)) for one in quantities(text))


def is_date(text: str) -> bool:
    """Whether a cell is nothing but a date in digits."""
    return any(one.days for one in quantities(text)) and not re.search(r"[^\W\d_]", text)


def numbers_without_unit(text: str) -> list[str]:
    """The numbers of a cell that say nothing of what they are in."""
    return [text[slice(*one.digits)] for one in quantities(text) if not (one.year or one.days or one.unit or one.scale)]


def own_label(text: str) -> str:
    """What stands before the numbers of a row that is one cell, each of which is one column's."""
    first = next((one.span[0] for one in quantities(text) if not one.year), 0)
    return text[:first].strip(" |:")


def only_numbers(text: str) -> bool:
    """Whether a cell is a number, a year or a date, without words."""
    return is_data(text) or (all(one.year or one.days for one in quantities(text)) and not re.search(r"[^\W\d_]", text))


def is_a_sample(text: str, quantity: Quantity) -> bool:
    """Whether a number tells of how many answers others are, in the name of their row: (n=350)."""
    return _SAMPLE.search(text[: quantity.digits[0]]) is not None


def is_range(text: str) -> bool:
    """Whether a cell is a range of numbers, such as 25-34 or 65+, and maybe of how many answers."""
    return bool(_RANGE.fullmatch(text))
