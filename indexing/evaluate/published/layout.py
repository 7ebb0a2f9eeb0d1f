"""What a published question set looks like: the columns of its rows, and how a row is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pagesight.indexing.errors import QuestionsError

if TYPE_CHECKING:
    from pagesight.indexing.evaluate.published.local_copy import LocalCopy
    from pagesight.indexing.evaluate.questions import JudgedQuestion

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """One published set: ``name`` as its measures go by, ``title`` as people know it, ``hub`` its repository there.

    ``columns`` are in each row, ``also`` in some versions of it; ``marks``, some of the former, tell it from the
    others. ``read`` makes a question of a row and where it stands; ``source`` is where its documents are had.
    """

    name: str
    title: str
    hub: str
    source: str
    marks: frozenset[str]
    columns: frozenset[str]
    also: frozenset[str]
    read: Callable[[str, Row, LocalCopy], JudgedQuestion]

    def check(self, where: str, row: Row) -> None:
        """Raises QuestionsError, naming the column, for a row that lacks one or has one that is not known."""
        if missing := sorted(self.columns - set(row)):
            raise QuestionsError(f"{where} lacks the column {missing[0]!r}, which {self.title} has: get the copy anew.")
        if unknown := sorted(set(row) - self.columns - self.also):
            raise QuestionsError(
                f"{where} has the column {unknown[0]!r}, which is not known of {self.title}: it may be a later "
                "version, whose meaning nobody has checked. Take the column out to go on without it."
            )


def text_of(where: str, row: Row, column: str) -> str:
    """A text in that column. Raises QuestionsError, naming it, if there is none."""
    value = row[column]
    if not isinstance(value, str) or not value.strip():
        raise QuestionsError(f"{where}: the column {column!r} is {value!r:.80}, where a text is expected.")
    return value


def list_of(where: str, row: Row, column: str, kind: type) -> list[Any]:
    """A list of ``kind`` in that column. Raises QuestionsError, naming it, if it is another thing."""
    value = row[column]
    if not isinstance(value, list) or not all(isinstance(each, kind) and not isinstance(each, bool) for each in value):
        raise QuestionsError(f"{where}: the column {column!r} is {value!r:.80}, no list of {kind.__name__}.")
    return value
