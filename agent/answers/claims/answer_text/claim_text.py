"""Divides an answer into claims: its sentences, items and rows without citations and marks, each with what it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from pagesight.agent.answers.citations import Bracket, Citation
from pagesight.agent.answers.claims.answer_text.answer_tables import read_rows
from pagesight.indexing.pages import Region
from pagesight.indexing.values.clauses import COUNTED

_SENTENCE_END = re.compile(
    r"(?<=[^\W\d_]{3}[.!?])[\"”“»']?\s+(?=[^\W\d_a-zäöüß]|\d|[\"„“«(*])"
    rf"|(?<=[\d)%\"”“»][.!?])(?!(?<=\d\.)\s+{COUNTED})\s+(?=[A-ZÄÖÜА-Я„“\"])|(?<=[。！？])"
)
_ABBREVIATION = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|U\.S|Dr|Prof|approx|incl|excl|Nos?|Nr|Inc|Ltd|Corp|vgl|bzw|inkl|etc|Mio|Mrd|Tsd|Abb|Tab|Fig)\.$"
)
_ITEM = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+•–]\s+|\d{1,2}[.)]\s+(?=\D))+")
_MARKS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`")
_PERIOD = re.compile(r"(?<=\b[FGCQH][YJ1-4])(?=(?:19|20)\d\d\b)")  # of FY2023
#: Between brackets that belong together.
_NOTHING = re.compile(r"[\s.,;:!?)\]]*(?:and|und|&|и)?\s*")
#: What stands beside citations that are those of the table or list before.
_SOURCE = re.compile(r"(?i)\W*(?:sources?|quellen?|see|siehe|from|источник|来源)?\W*")
_SOURCE_LINE = re.compile(r"\n[ \t]*(?=[^\w\n]*\[[^\n]*\]\W*\Z)")
#: A sentence with a number that says nothing without the one before it.
_REFERS_BACK = re.compile(
    r"(?:(?:That|This|These|Those) (?:is|are|was|were|equals?|corresponds?)|"
    r"(?:Das|Dies) (?:ist|sind|war|waren|entspricht))\b.*\d",
    re.DOTALL,
)
_LEAD_WORDS = 4  # before a citation that speaks of what follows: "As shown on [a.pdf p. 2], …"; a guess, not measured


@dataclass(frozen=True)
class CitedSentence:
    """A sentence, or a part of one, with what it cites.

    ``with_heads`` is what is checked where that is more than the text: a row's cells with the heads of their columns,
    or "that is 5 % more" with the sentence before it.
    """

    text: str
    citations: list[Citation]
    with_heads: str = ""

    @property
    def places(self) -> list[tuple[str, Region | None]]:
        """The labels and regions that it cites."""
        return [(one.label, one.region) for one in self.citations]

    @property
    def checked(self) -> str:
        """The text to be checked, with the years of business years and quarters apart: FY 2023, Q4 2024."""
        return _PERIOD.sub(" ", self.with_heads or self.text)


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
    paragraphs = []
    for start, end in _with_sources_apart(text, _paragraphs(text)):
        stretch = _Stretch(text, start, end, [one for one in every if start <= one.start < end])
        paragraphs.append(_paragraph(stretch, heads.get(start)))
    _share_sources(paragraphs)
    return [sentence for paragraph in paragraphs for sentence in _with_what_is_meant(paragraph.sentences)]


@dataclass(frozen=True)
class _Stretch:
    """A part of an answer, ``text[start:end]``, with the brackets in it."""

    text: str
    start: int
    end: int
    brackets: list[Bracket]

    @property
    def said(self) -> str:
        """What stands there, brackets and all."""
        return self.text[self.start : self.end]

    @cached_property
    def cites(self) -> list[Citation]:
        """All citations of its brackets."""
        return [citation for bracket in self.brackets for citation in bracket.citations]

    @cached_property
    def plain(self) -> str:
        """What stands there without the brackets."""
        starts = [self.start, *(bracket.end for bracket in self.brackets)]
        ends = [*(bracket.start for bracket in self.brackets), self.end]
        return "".join(self.text[start:end] for start, end in zip(starts, ends, strict=True))

    @property
    def leads_on(self) -> bool:
        """Whether it ends in a colon, before or after its citation."""
        return self.said.rstrip(" *_").endswith((":", "：")) or self.plain.rstrip(" *_").endswith(":")

    def pieces(self) -> list[_Piece]:
        """What stands before each group of brackets, and after the last; never none."""
        groups = list(self._groups())
        befores = [[], *(cites for _, cites in groups[:-1])]
        afters = [*(text for text, _ in groups[1:]), ""]
        around = zip(groups, befores, afters, strict=True)
        return [_Piece(text, cites, before, after) for (text, cites), before, after in around]

    def _groups(self) -> Iterator[tuple[str, list[Citation]]]:
        """Each piece of text with the citations after it, those that stand side by side together."""
        at, piece = self.start, ""
        cited: list[Citation] = []
        for bracket in self.brackets:
            between = self.text[at : bracket.start]
            if cited and not _NOTHING.fullmatch(between):
                yield piece, cited
                piece, cited = "", []
            piece = piece if cited else between
            cited = [*cited, *bracket.citations]
            at = bracket.end
        if cited:
            yield piece, cited
        yield self.text[at : self.end], []


@dataclass(frozen=True)
class _Piece:
    """A piece of a paragraph with the citations after it, those right before it, and the text of the next piece."""

    text: str
    cites: list[Citation]
    before: list[Citation]
    after: str

    def sentences(self) -> list[str]:
        """Its sentences; the full stop of the sentence before it is not its own."""
        return _sentences(_without_end(self.text) if self.before else self.text)

    def goes_on_from(self) -> list[Citation]:
        """The citations that its first sentence belongs to, because it goes on after them and cites nothing itself."""
        return self.before if not self.cites and re.match(r"\s*[,(]|\s*[a-zäöüßа-я]", self.text) else []

    def leads_to(self, sentences: Sequence[str]) -> list[Citation]:
        """Its citations if they, and the last of its ``sentences``, only lead to what comes next; else none."""
        leads_in = not sentences or _leads_in(sentences[-1], self.text)
        return self.cites if leads_in and _goes_on(self.after, bare=not sentences) else []


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Each paragraph, item of a list and row of a table."""
    start = 0
    for found in re.finditer(r"\n\s*\n|\n(?=\s*(?:[-*+•–]\s|\d{1,2}[.)]\s|\||#))", text):
        if text[start : found.start()].strip():
            yield start, found.start()
        start = found.end()
    if text[start:].strip():
        yield start, len(text)


def _with_sources_apart(text: str, paragraphs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The paragraphs; a line of citations below an item is one of its own, since it may be that of the whole list."""
    for start, end in paragraphs:
        source = _SOURCE_LINE.search(text, start, end) if _ITEM.match(text[start:end]) else None
        if source:
            yield start, source.start()
        yield source.end() if source else start, end


def _paragraph(stretch: _Stretch, with_heads: str | None) -> _Paragraph:
    """A stretch by what it is: a line of sources, a row, of which ``with_heads`` tells more, an item or plain text."""
    if stretch.cites and _SOURCE.fullmatch(stretch.plain):
        return _Paragraph("source", [], stretch.cites)
    if with_heads is not None:
        row = " ".join(_MARKS.sub("", stretch.plain).replace("|", " ").split())
        rows = list(_with([row] if row and with_heads else [], stretch.cites, with_heads))
        return _Paragraph("item", rows, stretch.cites)
    kind: Literal["text", "item"] = "item" if _ITEM.match(stretch.said) or _is_pair(stretch.said) else "text"
    return _Paragraph(kind, list(_of_pieces(stretch.pieces())), stretch.cites, stretch.leads_on)


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


def _with_what_is_meant(sentences: Sequence[CitedSentence]) -> Iterator[CitedSentence]:
    """The sentences; one that speaks of the one before it, and cites the same, is checked together with that."""
    before: CitedSentence | None = None
    for one in sentences:
        if before and one.citations and one.places == before.places and _REFERS_BACK.match(one.text):
            one = replace(one, with_heads=f"{before.text.rstrip(' .')}, {one.text[0].lower()}{one.text[1:]}")
        yield one
        before = one


def _of_pieces(pieces: Iterable[_Piece]) -> Iterator[CitedSentence]:
    """The sentences between the brackets: each belongs to those after it, or to those before where these lead in."""
    lead: list[Citation] = []
    for piece in pieces:
        sentences = piece.sentences()
        if first := lead or piece.goes_on_from():
            yield from _with(sentences[:1], [*first, *(piece.cites if len(sentences) == 1 else [])])
            sentences = sentences[1:]
        lead = piece.leads_to(sentences)
        yield from _with(sentences[:-1] if lead else sentences, piece.cites)


def _leads_in(sentence: str, piece: str) -> bool:
    """Whether what stands before a citation only leads to what follows it, as "According to" does."""
    ended = piece.rstrip().endswith((".", "!", "?", ":", "。"))
    return not ended and len(sentence.split()) < _LEAD_WORDS and not re.search(r"\d", sentence)


def _goes_on(piece: str, *, bare: bool) -> bool:
    return bool(re.match(r"\s*,|\s+[a-zäöüßа-я]" if not bare else r"\s*,|\s+\w", piece))


def _with(sentences: Sequence[str], citations: list[Citation], with_heads: str = "") -> Iterator[CitedSentence]:
    for sentence in sentences:
        yield CitedSentence(sentence, list(dict.fromkeys(citations)), with_heads)


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
