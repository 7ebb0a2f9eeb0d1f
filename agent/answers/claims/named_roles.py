"""Who a page says is what, as contracts do: "Castor Estates Ltd (the landlord)"; and claims that tell it of another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.page_values import PageContent

_NAME = r"[A-ZÄÖÜ][\w'’&.-]*(?: (?:[A-ZÄÖÜ&][\w'’&.-]*|of|und|and|von|van|de))*"
_GIVEN = re.compile(
    rf"(?P<name>{_NAME}),? \((?:hereinafter |nachfolgend |the |der |die |das )*"
    r"[“„\"'‘]?(?P<role>[^\W\d_]{4,})[”“\"'’]?\)"
)
_IS = r"(?:is|are|was|were|ist|war|sind|heißt)"
_CLAIMED = [
    re.compile(
        rf"(?i:\b(?:the|der|die|das) )(?P<role>[^\W\d_]{{4,}})(?: {_IS}(?: the| die| der)?|:) (?P<name>{_NAME})"
    ),
    re.compile(rf"(?P<name>{_NAME}) {_IS} (?:the|der|die|das) (?P<role>[^\W\d_]{{4,}})"),
]


def told_of_another(text: str, content: PageContent) -> str:
    """Who the page says is what a claim says that somebody else of the page is; "" for no such claim."""
    given = {role.lower(): name for block in content.blocks for name, role in _pairs(_GIVEN, block.text)}
    for pattern in _CLAIMED:
        for name, role in _pairs(pattern, text):
            right = given.get(role.lower())
            others = [other for other in given.values() if other != right and _share(name, other)]
            if right and others and not _share(name, right):
                return f"the {role} is {right}"
    return ""


def _pairs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    return ((found["name"], found["role"]) for found in pattern.finditer(text))


def _share(one: str, other: str) -> bool:
    return not set(tokenize(one)).isdisjoint(tokenize(other))
