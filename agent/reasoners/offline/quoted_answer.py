"""The text of an answer without a model: quotations, or why there is none, and which words stand nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from pagesight.agent.answers.citations import NOT_FOUND_IN
from pagesight.agent.reasoners.offline.asked import asked_terms
from pagesight.agent.reasoners.offline.follow_up import language_of
from pagesight.agent.reasoners.offline.measured_question import PageOnHand, Question
from pagesight.agent.reasoners.offline.passages import Passage
from pagesight.indexing.pages import Hit

_LONGEST_QUOTE = 600
_SAID = {
    "en": {
        "quoted": "No language model was used: these are the lines that match the question best.",
        "missed": "The best pages for this question were {pages}; their lines share too few of its words.",
        "nothing": "The search found no page.",
        "unsaid": "Nowhere in these documents: {words}.",
        "model": "No language model was used: only words were compared.",
    },
    "de": {
        "quoted": "Ohne Sprachmodell beantwortet: Dies sind die Zeilen, die am besten zur Frage passen.",
        "missed": "Am besten passten {pages}; ihre Zeilen haben zu wenige Wörter mit der Frage gemeinsam.",
        "nothing": "Die Suche fand keine Seite.",
        "unsaid": "Nirgends in diesen Dokumenten: {words}.",
        "model": "Ohne Sprachmodell beantwortet: Es wurden nur Wörter verglichen.",
    },
}


_QUOTATION_MARKS = {"en": ("“", "”"), "de": ("„", "“")}


def unsaid_words(question: str, quotes: Sequence[Passage], found: Sequence[PageOnHand]) -> list[str]:
    """The words of a question, as it was asked, that the documents that are quoted have nowhere, or where none is
    quoted, those found, nor what stands for them; only where they are a third of the question: one alone among many,
    such as "happen", says nothing."""
    terms, cited = asked_terms(question), {one.hit.ref.document_id for one in quotes}
    pages = [page for page in found if page.hit.ref.document_id in cited or not cited]
    asked = Question.of(question, pages)
    lacking = [
        term
        for term in terms
        if pages and all(page.pervading.get(term) == 0 and not asked.is_on(page, term) for page in pages)
    ]
    return lacking if 3 * len(lacking) >= len(terms) else []


def answer_text(
    question: str, hits: Sequence[Hit], quotes: Sequence[Passage], failures: Sequence[str], unsaid: Sequence[str]
) -> str:
    """The quotations with their citations, or why there are none; and the words that are ``unsaid``."""
    language = language_of(question)
    said, (before, behind) = _SAID[language], _QUOTATION_MARKS[language]
    words = said["unsaid"].format(words=", ".join(f"{before}{word}{behind}" for word in unsaid)) if unsaid else ""
    if quotes:
        lines = "\n".join(f"- {quoted(one)} [{one.hit.label}]" for one in quotes)
        return f"{lines}\n\n" + " ".join(filter(None, [words, said["quoted"]]))
    pages = ", ".join(dict.fromkeys(hit.label for hit in hits))
    why = " ".join(failures) or (said["missed"].format(pages=pages) if pages else said["nothing"])
    return " ".join(filter(None, [f"{NOT_FOUND_IN[language]}.", why, words])) + f"\n\n{said['model']}"


def quoted(passage: Passage) -> str:
    """A cell as it is told, anything else in quotation marks; what is too long ends in an ellipsis."""
    text = (
        passage.text if len(passage.text) <= _LONGEST_QUOTE else passage.text[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    )
    return text if passage.cell else f"“{text}”"
