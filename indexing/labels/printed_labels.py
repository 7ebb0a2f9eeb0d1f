"""Pages by what is printed on them: "report.pdf p. iv", "[manual.pdf pp. A-3 and A-4]".

Only what a document is known to count its pages by is read as a page. What merely looks like it, such as a Roman
numeral, is a page that the document does not have. Plain numbers are always the document's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pagesight.indexing.labels import label_patterns as patterns
from pagesight.indexing.labels.document_names import PlainText

# Roman numerals below 100, which count what stands before the first page; and A-3. Longer ones are rather words: "mix".
_LIKE_A_LABEL = re.compile(r"(?=.)(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})|[a-z]-?\d{1,4}")

Match = Callable[[str, int], "re.Match[str] | None"]


class DocumentLabels(Mapping[str, Mapping[str, int]]):
    """The names of documents, each with the numbers of its pages by their printed labels, read when first asked for.

    ``pages`` gives the (number, label) of a document's pages; an empty label is none.
    """

    def __init__(self, names: Iterable[str], pages: Callable[[str], Iterable[tuple[int, str]]]) -> None:
        self._names = dict.fromkeys(names)
        self._pages = pages
        self._known: dict[str, Mapping[str, int]] = {}

    def __getitem__(self, name: str) -> Mapping[str, int]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = by_label(self._pages(name))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def by_label(pages: Iterable[tuple[int, str]]) -> dict[str, int]:
    """The numbers of pages by their printed labels, made plain; of several with one label the first."""
    found: dict[str, int] = {}
    for number, label in pages:
        plain = PlainText(label).plain.strip()
        if plain and not plain.isdecimal():
            found.setdefault(plain, number)
    return found


def printed_pages(match: Match, at: int, labels: Mapping[str, int]) -> tuple[list[int | str], int] | None:
    """The pages that are named at a position of a plain text, and where they end; None if none are.

    ``match`` matches a pattern of `label_patterns` at a position. A page that the document does not have is the label.
    """
    pages: list[int | str] = []
    pattern, end = patterns.PRINTED, at
    while (found := match(pattern, end)) and (named := _named(found["label"], labels)):
        numbers, length = named
        pages += numbers
        pattern, end = patterns.MORE_PRINTED, found.start("label") + length
    return (pages, end) if pages else None


def _named(written: str, labels: Mapping[str, int]) -> tuple[list[int | str], int] | None:
    """The pages of a word, and how many of its letters name them; a full stop behind it may end the sentence."""
    for label in dict.fromkeys((written, written.rstrip(".-"))):
        if label in labels:
            return [labels[label]], len(label)
        first, dash, last = label.partition("-")
        if dash and first in labels and last in labels and labels[first] <= labels[last]:
            return list(range(labels[first], labels[last] + 1)), len(label)
        if _LIKE_A_LABEL.fullmatch(label):
            return [label], len(label)
    return None
