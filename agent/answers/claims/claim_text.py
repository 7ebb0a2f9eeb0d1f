"""Divides an answer into claims: its sentences without citations and marks, each with the citations that follow it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pagesight.agent.answers.citations import Bracket, Citation

_SENTENCE_END = re.compile(
    r"(?<=[^\W\d_]{3}[.!?])[\"”“»']?\s+(?=[^\W\d_a-zäöüß]|\d|[\"„“«(*])|(?<=[\d)%\"”“»][.!?])\s+(?=[A-ZÄÖÜ„“\"])"
)
_ABBREVIATION = re.compile(r"\b(?:approx|incl|excl|Nos?|Nr|Inc|Ltd|Corp|vgl|bzw|inkl|etc|Mio|Mrd|Tsd|Abb|Tab|Fig)\.$")
_MARKS = re.compile(
    r"^\s*(?:#{1,6}\s+|>\s*|[-*+•–]\s+|\d{1,2}[.)]\s+(?=\D))+|\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`"
)
_RULE = re.compile(r"^[\s|:\-–—]+$")
#: Between brackets that belong together, and between a sentence and what it cites.
_NOTHING = re.compile(r"[\s.,;:!?)\]]*(?:and|und|&)?\s*")


class CitedSentence(NamedTuple):
    """A sentence, or a part of one, with what it cites."""

    text: str
    citations: list[Citation]


def cited_sentences(text: str, brackets: Iterable[Bracket]) -> list[CitedSentence]:
    """The sentences of an answer in their order; one that ends in no citation has that of the next in its paragraph."""
    every = list(brackets)
    return [found for start, end in _paragraphs(text) for found in _of_paragraph(text, start, end, every)]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Each paragraph, item of a list and row of a table."""
    start = 0
    for found in re.finditer(r"\n\s*\n|\n(?=\s*(?:[-*+•–]\s|\d{1,2}[.)]\s|\||#))|$(?![\s\S])", text):
        if text[start : found.start()].strip():
            yield start, found.start()
        start = found.end()
    if text[start:].strip():
        yield start, len(text)


def _of_paragraph(text: str, start: int, end: int, brackets: Sequence[Bracket]) -> Iterator[CitedSentence]:
    own = [bracket for bracket in brackets if start <= bracket.start < end]
    waiting: list[str] = []
    cited: list[Citation] = []
    at = start
    for bracket in own:
        piece = text[at : bracket.start]
        at = bracket.end
        if cited and not _NOTHING.fullmatch(piece):
            yield from _with(waiting, cited)
            waiting, cited = [], []
        if not cited:
            waiting += _sentences(_without_end(piece) if not waiting else piece)
        cited = [*cited, *bracket.citations]
    yield from _with(waiting, cited)
    yield from _with(_sentences(_after_citation(text[at:end], bool(own))), [])


def _with(sentences: Sequence[str], citations: list[Citation]) -> Iterator[CitedSentence]:
    for sentence in sentences:
        yield CitedSentence(sentence, list(dict.fromkeys(citations)))


def _without_end(piece: str) -> str:
    """What stands before a citation, without the full stop of the sentence before it."""
    return re.sub(r"^[\s.,;:!?|]+", "", piece)


def _after_citation(piece: str, cited: bool) -> str:
    return _without_end(piece) if cited else piece


def _sentences(piece: str) -> list[str]:
    """The sentences of a piece of text, without marks of Markdown."""
    if _RULE.match(piece):
        return []
    parts: list[str] = []
    for part in _SENTENCE_END.split(" ".join(piece.split())):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    plain = (_MARKS.sub("", part).replace("|", " ").strip() for part in parts)
    return [part for part in plain if re.search(r"\w", part)]
