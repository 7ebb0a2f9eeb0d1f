"""The check of a text's citations against the pages that the model was really shown, or whose words it was told."""

from __future__ import annotations

from collections.abc import Iterable

from pagesight.agent.answers.citations import Citation, CitationReader
from pagesight.indexing.labels.document_names import Names
from pagesight.tools.messages.conversation import Conversation
from pagesight.tools.messages.sent_pictures import CallLimits


class CitationCheck:
    """Tells citations to pages that were shown from others, and marks the others in the text.

    ``documents`` are the names that citations may hold, ``shown`` the labels of the pages that were shown or read.
    """

    def __init__(self, documents: Names, shown: Iterable[str]):
        self._reader = CitationReader(documents)
        self._shown = frozenset(shown)

    def cited(self, text: str) -> tuple[list[Citation], list[Citation]]:
        """The citations in a text, each once: those to pages that were shown, and the others."""
        every = [citation for bracket in self._reader.read(text) for citation in bracket.citations]
        each = list(dict.fromkeys(every))
        return [one for one in each if one.label in self._shown], [one for one in each if one.label not in self._shown]

    def mark(self, text: str) -> str:
        """The text with each citation to a page that was not shown written as ``[… — not verified]``."""
        marked, done = "", 0
        for bracket in self._reader.read(text):
            marked += text[done : bracket.start] + self._bracket(text[bracket.start : bracket.end], bracket.citations)
            done = bracket.end
        return marked + text[done:]

    def shown(self, labels: Iterable[str]) -> list[str]:
        """Those of the labels whose pages were shown, each once."""
        return [label for label in dict.fromkeys(labels) if label in self._shown]

    def cites(self, text: str) -> bool:
        """Whether the text holds a citation."""
        return next(self._reader.read(text), None) is not None

    def _bracket(self, written: str, citations: list[Citation]) -> str:
        if all(citation.label in self._shown for citation in citations):
            return written
        marks = ["" if citation.label in self._shown else " — not verified" for citation in citations]
        return " ".join(f"[{citation}{mark}]" for citation, mark in zip(citations, marks, strict=True))


def check_at(conversation: Conversation, limits: CallLimits, position: int) -> CitationCheck:
    """The check for the answer at ``position``, by what was found and shown until then."""
    shown = conversation.sent_pictures(limits).labels_shown(position) | conversation.labels_read(position)
    return CitationCheck(conversation.documents(position), shown - {*conversation.withheld(position)})


def check_of_next(conversation: Conversation, limits: CallLimits, withheld: Iterable[str]) -> CitationCheck:
    """The check for the answer that is on its way; ``withheld`` are labels of pages that its call cannot rest on."""
    shown = conversation.sent_pictures(limits).labels_shown() | conversation.labels_read()
    return CitationCheck(conversation.documents(), shown - {*withheld})
