"""The pieces of a final answer as they come, told from what a model thinks aloud."""

from __future__ import annotations

import unicodedata

from pagesight.agent.answers.citation_check import CitationCheck
from pagesight.agent.answers.citations import says_not_found, unfinished

_LONGEST_CITATION = 400


class FinalText:
    """The text of one message of the model, let through from where it shows itself to be the final answer.

    Models think aloud before they call a tool. An answer is known by its first citation, or by saying that nothing was
    found; a text with neither is let through at its end, when it is known that no tool is called. From then on
    only an open bracket is held back, so that a citation to a page that was not shown leaves marked. ``let_through``
    says that some of it has left.
    """

    def __init__(self, check: CitationCheck):
        self.check = check
        self._held = ""
        self._is_answer = False
        self.let_through = False

    def feed(self, text: str) -> str:
        """What may be let through now."""
        self._held = unicodedata.normalize("NFC", self._held + text)
        self._is_answer = self._is_answer or says_not_found(self._held) or self.check.cites(self._held)
        return self._let_through(_settled(self._held)) if self._is_answer else ""

    def rest(self) -> str:
        """What is still held back when the message has ended."""
        return self._let_through(len(self._held))

    def _let_through(self, end: int) -> str:
        piece, self._held = self.check.mark(self._held[:end]), self._held[end:]
        self.let_through = self.let_through or bool(piece)
        return piece


def _settled(text: str) -> int:
    """How much of the text holds no citation that may still go on."""
    return unfinished(text, _LONGEST_CITATION)
