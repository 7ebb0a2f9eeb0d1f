"""Documents' names as people and models write them: other case, other dashes, no suffix, with or without their folders.

A text is made plain first, so that all spellings of one character are one: full-width letters, digits of other scripts,
typographic spaces, dashes and quotes, composed accents. A plain text remembers where each of its characters came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

_LIKE = {
    **dict.fromkeys("“”„‟«»″〝〞", '"'), **dict.fromkeys("‘’‚‛′׳", "'"), **dict.fromkeys("、،", ","),
    "؛": ";", "。": ".", "〜": "~", "−": "-",
}  # fmt: skip
# A backslash before a mark is Markdown's escape; %20 is a space in the target of a link, &nbsp; one of HTML's.
_PIECE = re.compile(
    r"(?P<space>\s+|%20|&nbsp;|&#160;)|(?P<ascii>[!-$'-\[\]-~]+)|(?P<escape>\\(?=[ !-/:-@\[-`{-~]))|(?P<letter>.)",
    re.DOTALL,
)
_LOOSE = str.maketrans("-_", "  ")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}$")
# Letters that names are looked up by, from their start and from their end: few names share them, suffixes apart.
_START, _END = 3, 8


@lru_cache(maxsize=4096)
def _plain_letter(letter: str) -> str:
    if (digit := unicodedata.decimal(letter, None)) is not None:
        return str(digit)
    category = unicodedata.category(letter)
    if category in ("Cf", "Pd", "Zs"):  # invisible marks, dashes, spaces
        return {"Cf": "", "Pd": "-", "Zs": " "}[category]
    # Superscripts and circled numbers also decompose to digits; they are not read as such.
    kind = unicodedata.decomposition(letter).partition(" ")[0]
    form = unicodedata.normalize("NFKD" if kind in ("<wide>", "<narrow>") else "NFD", letter)
    return _LIKE.get(form, form).casefold()


def _plain_piece(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "ascii":
            return found[0].lower()
        case "space":
            return "\n" if found[0].count("\n") > 1 else " "
        case "escape":
            return ""
    return _plain_letter(found[0])


class PlainText:
    """A text made plain.

    ``plain`` is its lower case with one spelling for each character, runs of white space one space (a new line where
    there was an empty line); ``loose`` is as long, and has spaces for hyphens and underscores; ``written`` is the text.
    """

    def __init__(self, written: str):
        self.written = written
        letters: list[str] = []
        self._places: list[int] = []
        for found in _PIECE.finditer(written):
            plain = _plain_piece(found)
            letters.append(plain)
            start = found.start()
            self._places += range(start, found.end()) if found["ascii"] else [start] * len(plain)
        self.plain = "".join(letters)
        self.loose = self.plain.translate(_LOOSE)
        self._places.append(len(written))

    def place(self, position: int) -> int:
        """Where in ``written`` the plain character at the position begins."""
        return self._places[position]

    def as_written(self, start: int, end: int) -> str:
        """What was written from one position of ``plain`` to before another."""
        return unicodedata.normalize("NFC", self.written[self._places[start] : self._places[end]])


class KnownName(NamedTuple):
    """A document whose name stands in a text, up to before ``end``; ``whole`` is False where it lacks its suffix."""

    document: str
    end: int
    whole: bool


class _Key(NamedTuple):
    """A way to write a document's name; the smaller ``rank``, the nearer to the name itself."""

    rank: int
    document: str


#: Names of documents; as a mapping, each with the numbers of its pages by their printed labels (printed_labels.py).
Names = Iterable[str] | Mapping[str, Mapping[str, int]]


class DocumentNames:
    """The names of documents, found in a text at once however many there are. Threads can share it.

    ``labels`` has the numbers of a document's pages by their printed labels, where they are known.
    """

    labels: Mapping[str, Mapping[str, int]] = MappingProxyType({})

    def __init__(self, names: Iterable[str]):
        self._keys: defaultdict[str, list[_Key]] = defaultdict(list)
        self._documents = frozenset(names)
        for name in sorted(self._documents):
            for rank, key in enumerate(_ways_to_write(PlainText(name).loose)):
                if key:
                    self._keys[key].append(_Key(rank, name))
        self._by_start = _lengths((key[:_START], key) for key in self._keys)
        self._by_end = _lengths((key[-_END:], key) for key in self._keys)

    def __contains__(self, name: object) -> bool:
        return name in self._documents

    def at(self, text: PlainText, start: int, folder: bool = False) -> Iterator[KnownName]:
        """The names that stand at a position of the plain text, longest first.

        After a ``folder`` only names with all their folders count: ``2022/report.pdf`` is not ``2023/report.pdf``.
        """
        for size in range(_START, 0, -1):
            for length in self._by_start.get(text.loose[start : start + size], ()):
                if (size == _START or length == size) and (known := self._known(text, start, start + length, folder)):
                    yield known

    def before(self, text: PlainText, end: int) -> KnownName | None:
        """The longest name, with its suffix, that ends before a position of the plain text."""
        for size in range(min(_END, end), 0, -1):
            for length in self._by_end.get(text.loose[end - size : end], ()):
                known = self._known(text, end - length, end) if length <= end and size in (_END, length) else None
                if known and known.whole and not text.plain[max(0, end - length - 1) : end - length].isalnum():
                    return known
        return None

    def _known(self, text: PlainText, start: int, end: int, folder: bool = False) -> KnownName | None:
        keys = self._keys.get(text.loose[start:end])
        if not keys:
            return None
        nearest = min(key.rank for key in keys)
        documents = [key.document for key in keys if key.rank == nearest and not (folder and nearest > 1)]
        document = _one_of(documents, text, start, end)
        return KnownName(document, end, whole=nearest in (0, 2)) if document else None


def document_names(names: Names) -> DocumentNames:
    """The names made ready, kept for the next reading: a conversation reads many texts with the same names."""
    known = _made_ready(frozenset(names))
    if isinstance(names, Mapping):
        known = copy(known)
        known.labels = names
    return known


@lru_cache(maxsize=8)
def _made_ready(names: frozenset[str]) -> DocumentNames:
    return DocumentNames(names)


def has_suffix(name: str) -> bool:
    """Whether a name ends like a file's."""
    return bool(re.search(r"\.[a-z][a-z0-9]{1,4}$", name.casefold()))


def _ways_to_write(key: str) -> list[str]:
    """The name, then without suffix, then without folders, then without both; empty where it would be the same."""
    file = key.rpartition("/")[2]
    stem, file_stem = _SUFFIX.sub("", key), _SUFFIX.sub("", file)
    without = [stem, file, file_stem if file_stem != file else ""]
    return [key, *(way if way != key else "" for way in without)]


def _one_of(documents: list[str], text: PlainText, start: int, end: int) -> str | None:
    """The only document, or else the one of several that is written as its name is, exactly or but for case."""
    if len(documents) == 1:
        return documents[0]
    written, plain = text.as_written(start, end), text.plain[start:end]
    for alike in (lambda name: name == written, lambda name: PlainText(name).plain == plain):
        same = [name for name in documents if alike(unicodedata.normalize("NFC", name))]
        if len(same) == 1:
            return same[0]
    return None


def _lengths(keys: Iterable[tuple[str, str]]) -> dict[str, list[int]]:
    """The lengths of the keys that share a part, longest first."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for part, key in keys:
        found[part].add(len(key))
    return {part: sorted(lengths, reverse=True) for part, lengths in found.items()}
