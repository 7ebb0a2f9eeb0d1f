"""The parts of a document's pages → its outline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pagesight.indexing.outlines.outline import LONGEST_TITLE, MOST_ENTRIES, Outline, OutlineEntry
from pagesight.indexing.outlines.page_parts import PageParts, TallLine

Item = TypeVar("Item", str, int)

#: A bookmark of a file: level from 1, title, page.
Bookmark = tuple[int, str, int]

# Guesses at how documents are set, not measured: how much taller than the document's print a heading is; how many
# headings a page has; on how many pages a running head stands; the lines that make a table of contents; levels.
_TALLER = 1.2
_ON_A_PAGE = 3
_RUNNING_SHARE, _RUNNING_PAGES = 0.3, 3
_FEWEST_BOOKMARKS, _FEWEST_LINES = 3, 4
_LEVELS = 3
_SAME_HEIGHT = 0.1  # of a line's height, by which two still are of one level
_NEXT_LINE = 2.2  # heights between the tops of a heading's lines, at most
_MOST_NAMES, _MOST_YEARS, _MOST_TERMS = 8, 6, 40


def make_outline(
    pages: Sequence[PageParts], bookmarks: Sequence[Bookmark] = (), printed: Mapping[str, int] | None = None
) -> Outline:
    """The outline of a document with these pages; ``printed`` are the numbers of pages by what is printed on them.

    The file's own bookmarks count before its table of contents, and that before lines in larger print.
    """
    headings = _headings(pages)
    contents = _contents(pages, headings, printed or {})
    entries = _bookmarks(bookmarks, len(pages)) or contents or headings or _first_lines(pages)
    captions = [OutlineEntry(_LEVELS, text, page.number, "caption") for page in pages for text in page.captions]
    ordered = sorted([*entries, *dict.fromkeys(captions)], key=lambda entry: entry.page)
    return Outline(
        ordered[:MOST_ENTRIES],
        _most(_on_pages(page.names for page in pages), _MOST_NAMES, 2),
        sorted(_most((year for page in pages for year in page.years), _MOST_YEARS, 1)),
        _most((term for page in pages for term in page.terms), _MOST_TERMS, 1),
    )


def _on_pages(several: Iterable[Sequence[str]]) -> Iterable[str]:
    return (" ".join(one.split())[:LONGEST_TITLE] for each in several for one in each)


def _most(items: Iterable[Item], most: int, least: int) -> list[Item]:
    """The most frequent ones that are there ``least`` times."""
    return [item for item, count in Counter(items).most_common(most) if count >= least]


def _bookmarks(bookmarks: Sequence[Bookmark], pages: int) -> list[OutlineEntry]:
    entries = [
        OutlineEntry(min(max(level, 1), 9), " ".join(title.split())[:LONGEST_TITLE], page, "bookmark")
        for level, title, page in bookmarks
        if title.strip() and 1 <= page <= pages
    ]
    return entries if len(entries) >= _FEWEST_BOOKMARKS else []


def _headings(pages: Sequence[PageParts]) -> list[OutlineEntry]:
    """Lines that are taller than the document's print, without those that stand on many pages."""
    body = _body(pages)
    tall = {page.number: _joined([line for line in page.tall if line.height >= _TALLER * body]) for page in pages}
    running = _running(tall.values(), len(pages))
    kept = [
        (page, line) for page, lines in tall.items() for line in _tallest(lines) if line.text.casefold() not in running
    ]
    levels = _levels([line.height for _, line in kept])
    shown = [(page, line) for page, line in kept if line.height in levels]
    return [OutlineEntry(levels[line.height], line.text[:LONGEST_TITLE], page, "heading") for page, line in shown]


def _running(pages: Iterable[Sequence[TallLine]], count: int) -> set[str]:
    """The lines that stand on many pages."""
    counts = Counter(text for lines in pages for text in {line.text.casefold() for line in lines})
    return {text for text, n in counts.items() if n >= max(_RUNNING_PAGES, _RUNNING_SHARE * count)}


def _tallest(lines: Sequence[TallLine]) -> list[TallLine]:
    """The tallest of a page's lines, from the top down."""
    return sorted(sorted(lines, key=lambda one: -one.height)[:_ON_A_PAGE], key=lambda one: one.top)


def _first_lines(pages: Sequence[PageParts]) -> list[OutlineEntry]:
    """The first line of each page, without those that stand on many: all print is of one size."""
    counts = Counter(page.first.casefold() for page in pages)
    most = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages))
    return [
        OutlineEntry(1, page.first[:LONGEST_TITLE], page.number, "heading")
        for page in pages
        if page.first and counts[page.first.casefold()] < most
    ]


def _body(pages: Sequence[PageParts]) -> float:
    """The height of the document's print: that of the middling line, by words."""
    each = sorted((page.body, page.words) for page in pages if page.words)
    half, seen = sum(words for _, words in each) / 2, 0
    for height, words in each:
        seen += words
        if seen >= half:
            return height
    return 0.0


def _joined(lines: Sequence[TallLine]) -> list[TallLine]:
    """The lines from the top down, those of one heading together."""
    done: list[TallLine] = []
    last_top = 0.0
    for line in sorted(lines, key=lambda one: one.top):
        before = done[-1] if done else None
        step = line.top - last_top
        if before and _same_height(before, line) and 0 < step <= _NEXT_LINE * line.height:
            done[-1] = TallLine(f"{before.text} {line.text}", before.height, before.top)
        else:
            done.append(line)
        last_top = line.top
    return done


def _same_height(one: TallLine, other: TallLine) -> bool:
    return abs(one.height - other.height) <= _SAME_HEIGHT * other.height


def _levels(heights: Sequence[float]) -> dict[float, int]:
    """The level of each height, the tallest first; those that would be deeper than the last are none."""
    levels: dict[float, int] = {}
    tallest, level = 0.0, 0
    for height in sorted(set(heights), reverse=True):
        if not level or height < (1 - _SAME_HEIGHT) * tallest:
            level, tallest = level + 1, height
        if level <= _LEVELS:
            levels[height] = level
    return levels


def _contents(
    pages: Sequence[PageParts], headings: Sequence[OutlineEntry], printed: Mapping[str, int]
) -> list[OutlineEntry]:
    """The lines of a table of contents in the first pages, each with the page of that heading, or of that number."""
    several = _with_contents(pages)
    listed = {page.number for page in several}
    by_title = {entry.title.casefold(): entry.page for entry in reversed(headings) if entry.page not in listed}
    lines = [line for page in several for line in page.contents]
    placed = [(title, by_title.get(title.casefold()) or _counted(label, printed)) for title, label in lines]
    entries = [OutlineEntry(1, title, page, "contents") for title, page in placed if 1 <= page <= len(pages)]
    return entries if len(entries) >= _FEWEST_LINES else []


def _with_contents(pages: Sequence[PageParts]) -> list[PageParts]:
    """Those of the first pages that look like a table of contents."""
    return [page for page in pages[: max(5, len(pages) // 10)] if len(page.contents) >= _FEWEST_LINES]


def _counted(label: str, printed: Mapping[str, int]) -> int:
    """The page that is counted so; 0 for none."""
    return printed.get(label, int(label) if label.isdigit() else 0)
