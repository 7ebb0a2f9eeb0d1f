"""Divides an answer into claims: its sentences, items and rows without citations and marks, each with what it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pagesight.agent.answers.citations import Bracket, Citation
from pagesight.agent.answers.claims.answer_tables import read_rows

_SENTENCE_END = re.compile(
    r"(?<=[^\W\d_]{3}[.!?])[\"”“»']?\s+(?=[^\W\d_a-zäöüß]|\d|[\"„“«(*])|(?<=[\d)%\"”“»][.!?])\s+(?=[A-ZÄÖÜА-Я„“\"])"
    r"|(?<=[。！？])"
)
_ABBREVIATION = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|U\.S|Dr|Prof|approx|incl|excl|Nos?|Nr|Inc|Ltd|Corp|vgl|bzw|inkl|etc|Mio|Mrd|Tsd|Abb|Tab|Fig)\.$"
)
_ITEM = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+•–]\s+|\d{1,2}[.)]\s+(?=\D))+")
_MARKS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`")
#: Between brackets that belong together.
_NOTHING = re.compile(r"[\s.,;:!?)\]]*(?:and|und|&|и)?\s*")
#: What stands beside citations that are those of the table or list before.
_SOURCE = re.compile(r"(?i)\W*(?:sources?|quellen?|see|siehe|from|источник|来源)?\W*")
_LEAD_WORDS = 4  # before a citation that speaks of what follows: "As shown on [a.pdf p. 2], …"; a guess, not measured


@dataclass(frozen=True)
class CitedSentence:
    """A sentence, or a part of one, with what it cites.

    ``with_heads`` is what is checked where that is more than the text: a row's cells with the heads of their columns.
    """

    text: str
    citations: list[Citation]
    with_heads: str = ""

    @property
    def checked(self) -> str:
        """The text to be checked."""
        return self.with_heads or self.text


@dataclass
class _Paragraph:
    """A paragraph, an item of a list or a row of a table, with its sentences."""

    kind: Literal["text", "item", "source"]
    sentences: list[CitedSentence]
    cites: list[Citation]
    leads_on: bool = False


def cited_sentences(text: str, brackets: Iterable[Bracket]) -> list[CitedSentence]:
    """The sentences of an answer in their order; one that ends in no citation has that of the next in its paragraph.

    Rows of a table and items of a list that cite nothing have the citations of a line of sources right after them, or
    of the line before that ends in a colon.
    """
    every = list(brackets)
    heads = read_rows(text, [(one.start, one.end) for one in every])
    paragraphs = [_paragraph(text, start, end, every, heads.get(start)) for start, end in _paragraphs(text)]
    _share_sources(paragraphs)
    return [sentence for paragraph in paragraphs for sentence in paragraph.sentences]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Each paragraph, item of a list and row of a table."""
    start = 0
    for found in re.finditer(r"\n\s*\n|\n(?=\s*(?:[-*+•–]\s|\d{1,2}[.)]\s|\||#))", text):
        if text[start : found.start()].strip():
            yield start, found.start()
        start = found.end()
    if text[start:].strip():
        yield start, len(text)


def _paragraph(text: str, start: int, end: int, brackets: Sequence[Bracket], with_heads: str | None) -> _Paragraph:
    own = [bracket for bracket in brackets if start <= bracket.start < end]
    cites = [citation for bracket in own for citation in bracket.citations]
    said = text[start:end]
    plain = "".join(text[a:b] for a, b in _between(own, start, end))
    if cites and _SOURCE.fullmatch(plain):
        return _Paragraph("source", [], cites)
    if with_heads is not None:
        row = " ".join(part for part in _MARKS.sub("", plain).replace("|", " ").split())
        rows = [CitedSentence(row, list(dict.fromkeys(cites)), with_heads)] if with_heads and row else []
        return _Paragraph("item", rows, cites)
    kind: Literal["text", "item"] = "item" if _ITEM.match(said) or _is_pair(said) else "text"
    sentences = list(_of_paragraph(text, start, end, own))
    return _Paragraph(
        kind, sentences, cites, said.rstrip(" *_").endswith((":", "：")) or plain.rstrip(" *_").endswith(":")
    )


def _is_pair(said: str) -> bool:
    """Whether a line names a thing and what it is: "**Revenue:** 885.4"."""
    return bool(re.match(r"\s*\*\*[^*\n]+\*\*", said))


def _share_sources(paragraphs: Sequence[_Paragraph]) -> None:
    """Gives rows and items without citations those of the sources after them, or of the lead before them."""
    lead: list[Citation] = []
    for at, paragraph in enumerate(paragraphs):
        if paragraph.kind != "item":
            lead = paragraph.cites if paragraph.leads_on else []
            continue
        after = next((one for one in paragraphs[at + 1 :] if one.kind != "item"), None)
        shared = lead or (after.cites if after and after.kind == "source" else [])
        if shared:
            paragraph.sentences = [
                one if one.citations else replace(one, citations=list(dict.fromkeys(shared)))
                for one in paragraph.sentences
            ]


def _between(brackets: Sequence[Bracket], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a text between its brackets."""
    at = start
    for bracket in brackets:
        yield at, bracket.start
        at = bracket.end
    yield at, end


def _of_paragraph(text: str, start: int, end: int, brackets: Sequence[Bracket]) -> Iterator[CitedSentence]:
    """The sentences between the brackets: each belongs to those after it, or to those before where these lead in."""
    lead: list[Citation] = []
    pieces = list(_groups(text, start, end, brackets))
    for at, (piece, cited) in enumerate(pieces):
        sentences = _sentences(_without_end(piece) if at else piece)
        goes_on = at > 0 and bool(re.match(r"\s*[,(]|\s*[a-zäöüßа-я]", piece))
        if lead or (goes_on and not cited):
            first = lead or pieces[at - 1][1]
            yield from _with(sentences[:1], [*first, *(cited if len(sentences) == 1 else [])])
            sentences = sentences[1:]
        lead = []
        if cited and (not sentences or _leads_in(sentences[-1], piece)):
            lead = cited if at + 1 < len(pieces) and _goes_on(pieces[at + 1][0], bare=not sentences) else []
            if lead and sentences:
                sentences = sentences[:-1]
        yield from _with(sentences, cited)


def _groups(text: str, start: int, end: int, brackets: Sequence[Bracket]) -> Iterator[tuple[str, list[Citation]]]:
    """Each piece of text with the citations after it, those that stand side by side together."""
    at, piece = start, ""
    cited: list[Citation] = []
    for bracket in brackets:
        between = text[at : bracket.start]
        if cited and not _NOTHING.fullmatch(between):
            yield piece, cited
            piece, cited = "", []
        piece = piece if cited else between
        cited = [*cited, *bracket.citations]
        at = bracket.end
    if cited:
        yield piece, cited
    yield text[at:end], []


def _leads_in(sentence: str, piece: str) -> bool:
    """Whether what stands before a citation only leads to what follows it, as "According to" does."""
    ended = piece.rstrip().endswith((".", "!", "?", ":", "。"))
    return not ended and len(sentence.split()) < _LEAD_WORDS and not re.search(r"\d", sentence)


def _goes_on(piece: str, *, bare: bool) -> bool:
    return bool(re.match(r"\s*,|\s+[a-zäöüßа-я]" if not bare else r"\s*,|\s+\w", piece))


def _with(sentences: Sequence[str], citations: list[Citation]) -> Iterator[CitedSentence]:
    for sentence in sentences:
        yield CitedSentence(sentence, list(dict.fromkeys(citations)))


def _without_end(piece: str) -> str:
    """What stands after a citation, without the full stop of the sentence before it."""
    return re.sub(r"^[\s.,;:!?|。]+", "", piece)


def _is_in_a_quotation(part: str) -> bool:
    """Whether a quotation that begins in a part ends only after it."""
    straight = part.count('"') % 2 == 1
    return straight or any(part.rfind(opening) > part.rfind(closing) for opening, closing in ("“”", "„“", "«»"))


def _sentences(piece: str) -> list[str]:
    """The sentences of a piece of text, without marks of Markdown."""
    parts: list[str] = []
    lines = re.split(r"\n(?=\s*\*\*)", _ITEM.sub("", piece))
    for part in (part for line in lines for part in _SENTENCE_END.split(" ".join(line.split()))):
        if parts and (_ABBREVIATION.search(parts[-1]) or _is_in_a_quotation(parts[-1])):
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    plain = (_MARKS.sub("", part).replace("|", " ").strip() for part in parts)
    return [part for part in plain if re.search(r"\w", part)]
