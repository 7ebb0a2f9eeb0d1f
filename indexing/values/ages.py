"""Ages that say whom a text is about, in English and German: "aged 18 to 29", "65 and older", "18- bis 29-Jährige"."""

from __future__ import annotations

import re
from functools import lru_cache

_AGE = r"(?P<{0}>(?<![\d.,])\d{{1,2}})(?![\d%]|[.,]\d)"
_ONE, _OTHER = _AGE.format("one"), _AGE.format("other")
_TO = r"(?:[-–]| ?(?:to|and|bis|und) ?|- bis )"
_UPWARD = r"(?:\+| (?:years )?(?:and|or) (?:older|over|above|younger|under)| Jahren? und (?:älter|jünger))"
_PEOPLE = (
    r"(?:people|persons|those|adults|americans|voters|men|women|children|users|respondents|seniors|menschen|personen|"
    r"erwachsenen?|befragten?|männer|frauen|kinder)"
)
_FORMS = [
    re.compile(
        rf"(?i)\b(?:ages?|aged|im Alter (?:von|zwischen)) (?:from |between )?{_ONE}(?:{_TO}{_OTHER}|{_UPWARD})?"
    ),
    re.compile(rf"(?i)(?<!\w){_ONE}(?:{_TO}{_OTHER})?(?:[ -]years?[ -]olds?\b|[ -]Jährige\w*| Jahren? alt\b)"),
    re.compile(rf"(?i)(?<!\w){_ONE}{_UPWARD}(?!\w)"),
    re.compile(rf"(?i)\b{_PEOPLE} (?:under|over|below|above|unter|über|ab|{_ONE}{_TO}) ?{_OTHER}(?! ?(?:%|per|proz))"),
    re.compile(rf"(?i)\b(?:under|over|unter|über)-{_ONE}s?\b|\b(?:ab|unter|über) {_OTHER} Jahren?(?!\w)"),
]
#: An age group before another one that says what both are: "65-69 and 70-74 year olds".
_LISTED = re.compile(rf"(?i)(?<!\w){_ONE}[-–]{_OTHER}(?:,| and| or| und| oder| to)\s(?=\d)")


@lru_cache(maxsize=4000)
def ages(text: str) -> frozenset[int]:
    """Where the ages of a text begin."""
    found = (match for form in _FORMS for match in form.finditer(text))
    every = {match.start(name) for match in found for name in match.groupdict() if match[name]}
    for listed in _LISTED.finditer(text):
        if listed.end() in every:
            every |= {listed.start("one"), listed.start("other")}
    return frozenset(every)
