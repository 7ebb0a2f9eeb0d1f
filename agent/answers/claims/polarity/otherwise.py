"""Whether a page says otherwise than a claim without numbers: by a denial, an opposite, or a question of a form that
is answered beside it with yes or no."""

from __future__ import annotations

from collections.abc import Sequence

from pagesight.agent.answers.claims.polarity.direction import denial, says_no
from pagesight.agent.answers.claims.polarity.opposites import says_the_opposite
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.blocks import same_row
from pagesight.indexing.values.page_values import PageContent

_ANSWERS = {"yes": True, "ja": True, "no": False, "nein": False}


def says_otherwise(text: str, printed: str, words: Sequence[int], content: PageContent) -> bool:
    """Whether the ``printed`` sentence, or the answer beside the words that it is from, says something else."""
    return denial(text, printed) or says_the_opposite(text, printed) or _is_answered_otherwise(text, words, content)


def _is_answered_otherwise(text: str, words: Sequence[int], content: PageContent) -> bool:
    """Whether the words are a question that is answered with no where the claim says it is so, or the other way."""
    question = " ".join(content.text.words[word] for word in words)
    answer = _answer_beside(words, content)
    return "?" in question and answer is not None and answer == says_no(text)


def _answer_beside(words: Sequence[int], content: PageContent) -> bool | None:
    """What stands to the right of some words, if it is yes or no; None for anything else."""
    box = content.box(words)
    for cell in content.tables.cells:
        if cell.box[0] >= box[2] and same_row(cell.box, box):
            return _ANSWERS.get(" ".join(tokenize(cell.text)))
    return None
