"""What is asked: the last question, put together with those that it goes on from, and the language of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.tools.messages.conversation import Conversation

#: How a question opens that goes on from the one before it: "and the year before?", "und im Jahr davor?".
_GOES_ON = re.compile(
    r"\W*(and|but|or|what about|how about|also|then|und|aber|oder|auch|was ist mit|wie steht es mit|dann)\b",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_YEAR_BEFORE = re.compile(
    r"(?i)\b(?:(?:year|one) before|(?:previous|prior|last) year|jahr (?:davor|zuvor)|vorjahr\w*)\b"
)
#: A question of fewer words of its own goes on as well, such as "In Asia?".
_OWN_WORDS = 2

_GERMAN = frozenset(
    tokenize("der das dem den des ein eine ist im wie welche welcher welches wer wo wann warum und für")
)
_ENGLISH = frozenset(tokenize("the what how which who where when why is are does did do of and for many much"))
_FUNCTION_WORDS = _GERMAN | _ENGLISH | frozenset(tokenize("but or about also then in aber oder auch dann mit im"))


def asked_with_what_went_before(conversation: Conversation) -> str:
    """The last question; where it goes on from the ones before it, after these, back to one that does not."""
    asked = conversation.asked[first_of_those_gone_on_from(conversation.asked) :]
    text = asked[0] if asked else ""
    for question in asked[1:]:
        text = _gone_on(text, question)
    return text


def first_of_those_gone_on_from(asked: Sequence[str]) -> int:
    """The place of the last question that stands for itself: those after it go on from it."""
    return next((at for at in reversed(range(len(asked))) if not _goes_on(asked[at])), 0)


def _gone_on(before: str, question: str) -> str:
    """A question after the one that it goes on from; that one's year gives way to its own, or to the year before."""
    named = YEAR.findall(question)
    if _YEAR_BEFORE.search(question) and YEAR.search(before):
        before = YEAR.sub(lambda year: str(int(year[0]) - 1), before)
        question = _YEAR_BEFORE.sub("", question)
    elif len(named) == 1 and YEAR.search(before):
        before = YEAR.sub(named[0], before)
        question = YEAR.sub("", question)
    elif named:
        before = YEAR.sub("", before)
    # Nothing is left of "and the year before?" and "and in 2024?".
    return f"{before} {question}" if {*tokenize(question)} - _FUNCTION_WORDS else before


def _goes_on(question: str) -> bool:
    return bool(_GOES_ON.match(question)) or len(read_query(question).terms) < _OWN_WORDS


def language_of(question: str) -> Literal["en", "de"]:
    """The language to answer in."""
    words = set(tokenize(question))
    german = len(words & _GERMAN) + bool(re.search("[äöüß]", question.lower()))
    return "de" if german > len(words & _ENGLISH) else "en"
