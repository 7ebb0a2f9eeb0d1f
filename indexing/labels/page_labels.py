"""The grammar of page labels: how people and models write which page of which document they mean.

``annual-report.pdf p. 12`` is the form that we write; ``annual-report, S. 12 f.``, ``docs/annual-report.pdf: page 12``
and ``年度报告.pdf 第12页`` are read as well. One grammar serves the citations of an answer and the labels given to
tools.

Known names come first, since a name may hold what elsewhere divides: commas, brackets, "and", "p. 3". What follows is
read by small regular expressions from one position to the next. No parser library is used: the words of the grammar
are the thousands of names of an index, reading may start at each bracket of a text, and most brackets are no label.
Each reading ends after `LONGEST` characters, so that the time grows with the text alone, whatever stands in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pagesight.indexing.labels import label_patterns as patterns
from pagesight.indexing.labels.document_names import (
    DocumentNames,
    KnownName,
    Names,
    PlainText,
    document_names,
    has_suffix,
)  # fmt: skip
from pagesight.indexing.labels.page_numbers import pages_between, pages_of
from pagesight.indexing.labels.printed_labels import printed_pages

if TYPE_CHECKING:
    from pagesight.indexing.pages import Region

#: What a citation is marked with that was checked and not found; one that is marked is not read again.
NOT_VERIFIED = "not verified"

LONGEST = 1000  # plain characters of a label or of all in one bracket; a guess, not measured
_WORDS_OF_AN_ASIDE = 8  # a guess, not measured, like the next
_WORDS_OF_A_JOINED_ASIDE = 3
_LONG_ENOUGH = 5  # letters of a name without its suffix that words may follow; a guess, not measured
_WORDS_BEFORE_A_NAME = 4  # "page 2 of the file a.pdf"


class PageMention(NamedTuple):
    """A page, or a region ``(ymin, xmin, ymax, xmax)`` of it in 0–1000, that a text names.

    ``document`` is the document's own name where it is known, else what was written. A page that is named by a label
    which the document does not have is 0, and ``printed`` that label.
    """

    document: str
    page: int
    region: Region | None = None
    printed: str = ""

    @property
    def label(self) -> str:
        """Such as ``annual-report.pdf p. 12``."""
        return f"{self.document} p. {self.printed or self.page}"


def page_mentions(label: str, names: Names) -> list[PageMention]:
    """The pages that a label given by itself names, such as ``[A.pdf, S. 2-3]``; none if it is no label."""
    text = PlainText(label)
    known = document_names(names)
    for start in range(len(text.plain)):
        if text.plain[start] in patterns.CLOSING and (found := mentions_in_bracket(text, start, known)):
            return found[0]
        if text.plain[start] not in " \n*_\"'" and text.plain[start] not in patterns.CLOSING:
            break
    reading = _Reading(text, 0, None, known)
    return reading.mentions if reading.succeeds() else _name_and_number(text, known)


def _name_and_number(text: PlainText, names: DocumentNames) -> list[PageMention]:
    """The page of a label that is a known name with its suffix and a number, whatever signs divide them."""
    ends = ((known, patterns.compiled(patterns.A_NUMBER).match(text.plain, known.end)) for known in names.at(text, 0))
    found = next(((known, number) for known, number in ends if number and known.whole), None)
    return [PageMention(found[0].document, int(found[1][1]))] if found else []


def page_mention(label: str, names: Names) -> PageMention | None:
    """The one page that a label names; None if it names none, or several."""
    name, _, number = label.strip().rpartition(" p. ")
    if name in (names := names if isinstance(names, Mapping) else set(names)) and re.fullmatch("[0-9]{1,9}", number):
        return PageMention(name, int(number))
    mentions = page_mentions(label, names)
    return mentions[0] if len({(one.document, one.page, one.printed) for one in mentions}) == 1 else None


def mentions_in_bracket(
    text: PlainText, start: int, names: DocumentNames, context: Callable[[], str | None] = lambda: None
) -> tuple[list[PageMention], int] | None:
    """What the bracket that opens at a position of the plain text names, and where it ends; None if more stands in it.

    ``context`` gives the document that is meant where the bracket names a page only.
    """
    reading = _Reading(text, start + 1, text.plain[start], names, context)
    return (reading.mentions, reading.at + 1) if reading.succeeds() else None


class _Start(NamedTuple):
    """Where a known name may begin; ``wrapper`` is a bracket before it that must be closed behind it."""

    at: int
    wrapper: str = ""
    folder: bool = False
    whole: bool = False


class _Reading:
    """One reading of labels from a position on, up to what closes them, or up to the end of a label by itself."""

    def __init__(
        self,
        text: PlainText,
        start: int,
        opening: str | None,
        names: DocumentNames,
        context: Callable[[], str | None] = lambda: None,
    ):
        self._text, self._plain, self._names, self._context = text, text.plain, names, context
        self._alone = opening is None
        self._closing = patterns.CLOSING[opening] if opening and opening != "`" else ""
        self._code = opening == "`"
        self._any_name = opening in (None, "[")
        self._stop = min(start + LONGEST, len(self._plain))
        if self._code:  # ends at the next one, which elsewhere is emphasis
            end = self._plain.find("`", start, self._stop)
            self._stop = end if end >= 0 else start
        self.at = self._before = start
        self._is_nested = False
        self.mentions: list[PageMention] = []
        self._group = 0  # where in the mentions those of the last pages begin
        self._document: str | None = None

    def succeeds(self) -> bool:
        """Reads all; False unless pages are named and nothing else stands there."""
        while True:
            self._before = self.at
            self.at = self._end(patterns.BETWEEN, self.at)
            if self._closed():
                return bool(self.mentions)
            divided = self._before < self.at and not self._plain[self._before : self.at].isspace()
            if not (
                self._named()
                or self._paged()
                or self._placed()
                or self._nested()
                or self._unknown()
                or self._aside(divided)
            ):
                return False

    def _closed(self) -> bool:
        if not self._closing:
            return self.at >= self._stop and (self._code or self._stop == len(self._plain))
        return self._plain.startswith(self._closing, self.at)

    def _match(self, pattern: str, at: int) -> re.Match[str] | None:
        return patterns.compiled(pattern).match(self._plain, at, self._stop)

    def _end(self, pattern: str, at: int) -> int:
        """Where a pattern that always matches ends."""
        found = self._match(pattern, at)
        return found.end() if found else at

    # Known names

    def _named(self) -> bool:
        for start in self._starts():
            for known in self._names.at(self._text, start.at, start.folder):
                if (known.whole or not start.whole) and self._take(known, start.at, start.wrapper):
                    return True
        return False

    def _starts(self) -> Iterator[_Start]:
        """Where a known name may begin: here, in brackets or quotes, after "see" and the like, after its folders."""
        yield from (_Start(at) for at in range(self._before, min(self.at, self._before + 8)))
        yield from self._openings(self.at)
        if self._code:
            return
        position = self.at
        for _ in range(3):
            lead = self._match(patterns.LEAD, position)
            if not lead or self._cites(position, lead.end()):
                break
            position = lead.end()
            yield from self._openings(position)
        if not self._match(patterns.REGION_IN_WORDS, self.at):
            yield from self._starts_of_words()

    def _openings(self, at: int) -> Iterator[_Start]:
        yield _Start(at)
        if (bare := self._end(patterns.DECORATION, at)) > at:
            yield _Start(at := bare)
        wrapper = self._plain[at : at + 1]
        if wrapper == "<" or wrapper in patterns.CLOSING:
            yield _Start(self._end(patterns.DECORATION, at + 1), wrapper)

    def _starts_of_words(self) -> Iterator[_Start]:
        end = self._end(patterns.BEFORE_A_NAME, self.at)
        for word in patterns.compiled(patterns.WORD_START).finditer(self._plain, self.at + 1, end):
            if self._cites(self.at, word.start()):
                return
            folder = self._plain[word.start() - 1] in "/\\"
            yield _Start(word.start(), folder=folder, whole=not folder)
        if self._plain.startswith("(", end) and not self._cites(self.at, end):
            yield _Start(end + 1, "(", whole=True)

    def _cites(self, start: int, end: int) -> bool:
        return bool(patterns.compiled(patterns.STRICT).search(self._plain, start, end))

    def _take(self, known: KnownName, start: int, wrapper: str) -> bool:
        end = self._after_wrapper(known.end, wrapper)
        sure = known.whole or known.end - start >= _LONG_ENOUGH
        if end is None:
            return False
        found = self._pages_after(end, bare=known.whole, after_words=sure) or self._printed_after(end, known.document)
        return found is not None and self._add_mentions(known.document, *found)

    def _after_wrapper(self, at: int, wrapper: str) -> int | None:
        letter = self._plain[at : at + 1]
        if _goes_on(letter):
            return None
        if not wrapper:
            return at
        at = self._end(patterns.DECORATION, at)
        if not self._plain.startswith(">" if wrapper == "<" else patterns.CLOSING[wrapper], at):
            return None
        target = self._match(patterns.TARGET, at + 1)
        return target.end() if target else at + 1

    # Pages

    def _pages_after(
        self, name_end: int, bare: bool = False, after_words: bool = False
    ) -> tuple[Sequence[int | str], int] | None:
        """The pages after a name and where they end, in brackets or not.

        ``bare``: also a mere number; ``after_words``: also those after words such as "on" and "table 3".
        """
        at = self._end(patterns.SEPARATOR, name_end)
        if self._plain.startswith("(", at) and (found := self._pages(at + 1)):
            end = self._end(patterns.DECORATION, found[1])
            return (found[0], end + 1) if self._plain.startswith(")", end) else None
        may_be_bare = bare and self._plain[name_end:at].strip() in (",", ":", "#", "@", "|", "") and at > name_end
        if (found := self._pages(at, may_be_bare)) or not after_words:
            return found
        words = self._match(patterns.TO_ITS_PAGE, name_end)
        return self._pages(words.end()) if words else None

    def _printed_after(self, name_end: int, document: str) -> tuple[list[int | str], int] | None:
        """The pages after a known name by what is printed on them, and where they end."""
        at = self._end(patterns.SEPARATOR, name_end)
        bracket = self._plain.startswith("(", at)
        found = self._printed(document, at + bracket)
        if not found or not bracket:
            return found
        end = self._end(patterns.DECORATION, found[1])
        return (found[0], end + 1) if self._plain.startswith(")", end) else None

    def _printed(self, document: str, at: int) -> tuple[list[int | str], int] | None:
        labels = self._names.labels.get(document)
        return None if labels is None else printed_pages(self._match, at, labels)

    def _pages(self, at: int, bare: bool = False) -> tuple[list[int], int] | None:
        first = self._match(patterns.MARKED, at) or (self._match(patterns.BARE, at) if bare else None)
        if not first:
            return None
        pages = pages_of(first)
        at = first.end()
        while True:
            if to := self._match(patterns.RANGE, at):
                pages += pages_between(pages.pop(), int(to["number"]))
            elif to := self._one_more(at):
                pages += pages_of(to)
            else:
                return pages, at
            at = to.end()

    def _one_more(self, at: int) -> re.Match[str] | None:
        found = self._match(patterns.LIST, at)
        if not found or found["mark"]:
            return found
        tail = self._match(patterns.TAIL, found.end())
        word = tail[1] if tail else None
        if word and word not in patterns.MAY_FOLLOW:
            return None
        return None if next(self._names.at(self._text, found.start("number")), None) else found

    def _add_mentions(self, document: str, pages: Sequence[int | str], end: int) -> bool:
        self._document, self._group = document, len(self.mentions)
        self.mentions += [
            PageMention(document, page) if isinstance(page, int) else PageMention(document, 0, printed=page)
            for page in pages
        ]
        total = self._match(patterns.TOTAL, end)
        self.at = total.end() if total else end
        return True

    def _paged(self) -> bool:
        """A page without a name before it: "page 2 of a.pdf", or a further page of the same document."""
        words = self._match(patterns.TO_A_PAGE, self.at)
        found = self._pages(self.at) or (self._pages(words.end()) if words else None)
        if not found:
            return self._paged_as_printed()
        pages, end = found
        if named := self._name_after(end):
            return self._add_mentions(named[0], pages, named[1])
        document = self._document or self._context()
        return bool(document) and self._add_mentions(document or "", pages, end)

    def _paged_as_printed(self) -> bool:
        """The same by what is printed on the page: "page iv of a.pdf"."""
        first = self._match(patterns.PRINTED, self.at)
        named = self._name_after(first.end()) if first else None
        document = named[0] if named else self._document or self._context()
        if not first or document is None:
            return False
        found = self._printed(document, self.at)
        return found is not None and self._add_mentions(document, found[0], named[1] if named else found[1])

    def _name_after(self, at: int) -> tuple[str, int] | None:
        between = self._match(patterns.BEFORE_ITS_NAME, at)
        position = between.end() if between else at
        for _ in range(_WORDS_BEFORE_A_NAME):
            if named := self._name_alone(position):
                return named if position > at else None
            word = self._match(patterns.WORD_BEFORE_ITS_NAME, position)
            if not word:
                return None
            position = word.end()
        return self._name_alone(position)

    def _name_alone(self, at: int) -> tuple[str, int] | None:
        """The known name, with its suffix, that stands here and has no page of its own after it."""
        for start in self._openings(at):
            for known in self._names.at(self._text, start.at):
                end = self._after_wrapper(known.end, start.wrapper)
                if end is not None and known.whole and not self._pages_after(end):
                    return known.document, end
        return None

    # Regions

    def _placed(self) -> bool:
        """A region: of the last pages, or once more of them."""
        found = self._match(patterns.PLACE, self.at)
        if not self.mentions or not found:
            return False
        group = self.mentions[self._group :]
        again = any(mention.region for mention in group)
        if not (again or found["word"] or found["open"] or found["outer"]):
            return False
        region = _checked(*(int(number) for number in found.groups()[-4:]))
        placed = [
            mention._replace(region=region) for mention in dict.fromkeys(one._replace(region=None) for one in group)
        ]
        self.mentions[self._group :] = [*group, *placed] if again else placed
        self.at = found.end()
        return True

    def _nested(self) -> bool:
        """Labels in a bracket of their own after others: "p. 2 (see also b.pdf p. 1)"."""
        letter = self._plain[self.at : self.at + 1]
        if not self.mentions or letter not in patterns.CLOSING or self._is_nested:
            return False
        inner = _Reading(self._text, self.at + 1, letter, self._names, lambda: self._document)
        inner._is_nested = True
        if not inner.succeeds() or inner.at >= self._stop:
            return False
        self._group = len(self.mentions)
        self.mentions += inner.mentions
        self._document, self.at = inner.mentions[-1].document, inner.at + 1
        return True

    # What is not known

    def _unknown(self) -> bool:
        """A document that is not known: by a file's suffix, or by the page in the form that is asked for."""
        start = self.at
        while lead := self._match(patterns.SEEN, start):
            start = lead.end()
        if self._code:
            return False
        end = start
        while (name := self._match(patterns.WITH_SUFFIX, end)) and name.end() - start < patterns.LONGEST_NAME:
            end = name.end()
            if found := self._pages_after(end):
                return self._add_mentions(self._as_name(start, end), *found)
        strict = self._match(patterns.STRICTLY_CITED, start) if self._any_name else None
        if not strict or _is_no_name(strict["name"]):
            return False
        found = self._pages_after(strict.end("name"))
        return found is not None and self._add_mentions(self._as_name(start, strict.end("name")), *found)

    def _as_name(self, start: int, end: int) -> str:
        return self._text.as_written(start, end).strip(" \t\n*_`\"'“”„«»,:(")

    def _aside(self, divided: bool) -> bool:
        """What stands beside a page, such as ", table 1"; only where it is sure that a document is meant."""
        found = self._match(patterns.ASIDE, self.at)
        if not found or not self._document or not self._is_sure(self._document):
            return False
        words = len(found[0].split())
        most = _WORDS_OF_AN_ASIDE if divided or found[0].startswith("(") else _WORDS_OF_A_JOINED_ASIDE
        if found[0].strip() == NOT_VERIFIED or (words > most and not self._alone):
            return False
        self.at = found.end()
        return True

    def _is_sure(self, document: str) -> bool:
        return has_suffix(document) or document in self._names


def _goes_on(letter: str) -> bool:
    """Whether a name goes on with this letter; Chinese, Japanese and Korean (decomposed) set no space after one."""
    undivided = letter >= "\u2e80" or "\u1100" <= letter <= "\u11ff"
    return (letter.isalnum() and not undivided) or (letter != "" and unicodedata.combining(letter) > 0)


def _checked(ymin: int, xmin: int, ymax: int, xmax: int) -> Region | None:
    return (ymin, xmin, ymax, xmax) if ymin < ymax <= 1000 and xmin < xmax <= 1000 else None


def _is_no_name(written: str) -> bool:
    words = re.findall(rf"{patterns.LETTER}+", written)
    return (
        not words
        or words[0] in patterns.plain_words(patterns.NO_NAME)
        or words[-1] in patterns.plain_words(patterns.LEADS_ON)
    )
