"""How good one answer is: by its words and numbers, by its citations, or in a model's judgement.

Answers are sentences with citations, expected answers a word or a number: `contains` and `numeric` ask whether the one
stands in the other; `exact`, `token_f1` and `anls` compare the whole texts, citations left out.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import RunnableConfig

_CITATION = re.compile(r"\s*\[[^\[\]]*\bp(?:p|ages?)?\.?\s*\d[^\[\]]*\]")
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NUMBER = re.compile(
    r"(?<![\w.])[-–−]?\$?\s?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(%|percent\b|[a-z]+)?", re.I
)
_SCALES = {"thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9, "b": 1e9}
_TOLERANCE = 0.01  # of a fraction, as MMLongBench-Doc has it; whole numbers must be equal
_LEAST_SIMILARITY = 0.5  # below it ANLS counts nothing
_NO_ANSWER = frozenset(("not answerable", "unanswerable", "no answer"))

_JUDGE = """Compare an answer with the expected one. They agree if the answer says what is expected, in whatever words
or units, and nothing against it. Reply with one word: yes or no.

Question: {question}
Expected: {expected}
Answer: {answer}"""


def is_answerable(expected: str) -> bool:
    """Whether an expected answer is one, and not a word that there is none."""
    return normalised(expected) not in _NO_ANSWER


def without_citations(text: str) -> str:
    """The text without its citations."""
    return _CITATION.sub("", text).strip()


def normalised(text: str) -> str:
    """Lower case, without punctuation and articles, as SQuAD compares answers (Rajpurkar et al., 2016)."""
    return " ".join(_ARTICLES.sub(" ", _PUNCTUATION.sub("", text.lower())).split())


def exact(answer: str, expected: str) -> float:
    """1 if the texts are the same but for case, punctuation and articles."""
    return float(normalised(without_citations(answer)) == normalised(expected))


def contains(answer: str, expected: str) -> float:
    """The part of the expected answers, mostly one, that stand in the answer; numbers as numbers."""
    given = f" {normalised(without_citations(answer))} "
    items = _items(expected)
    held = [bool(numeric(answer, item)) or f" {normalised(item)} " in given for item in items]
    return sum(held) / len(held) if held else 0.0


def numeric(answer: str, expected: str) -> float | None:
    """1 if a number in the answer is the expected one; None if none is expected.

    Thousands may be separated and scales written as words: 4,200,000 is 4.2 million. Percentages are their numbers.
    """
    wanted = _numbers(expected)
    if len(wanted) != 1 or not _is_number(expected):
        return None
    return float(any(_equal(found, wanted[0]) for found in _numbers(without_citations(answer))))


def token_f1(answer: str, expected: str) -> float:
    """The harmonic mean of precision and recall over words, as in SQuAD."""
    given, wanted = normalised(without_citations(answer)).split(), normalised(expected).split()
    shared = sum((Counter(given) & Counter(wanted)).values())
    return 2 * shared / (len(given) + len(wanted)) if given and wanted else float(given == wanted)


def anls(answer: str, expected: str) -> float:
    """Normalised Levenshtein similarity, 0 below one half, as in DocVQA (Mathew et al., 2021)."""
    given, wanted = " ".join(without_citations(answer).lower().split()), " ".join(expected.lower().split())
    if not given or not wanted:
        return float(given == wanted)
    similarity = 1 - levenshtein(given, wanted) / max(len(given), len(wanted))
    return similarity if similarity >= _LEAST_SIMILARITY else 0.0


def precision_and_recall(cited: Collection[str], evidence: Collection[str]) -> tuple[float | None, float | None]:
    """Of the pages cited the part that is evidence, and of the evidence the part cited; None where there is none."""
    right = len(set(cited) & set(evidence))
    return (right / len(set(cited)) if cited else None), (right / len(set(evidence)) if evidence else None)


def judged(
    model: BaseChatModel, question: str, expected: str, answer: str, config: RunnableConfig | None = None
) -> bool:
    """Whether a model finds that the answer says what is expected."""
    text = _JUDGE.format(question=question, expected=expected, answer=without_citations(answer))
    return normalised(str(model.invoke(text, config).text)).startswith("yes")


def _items(expected: str) -> list[str]:
    """The members of a list that is written as Python writes it; else the expected answer alone."""
    try:
        found = ast.literal_eval(expected)
    except (ValueError, SyntaxError):
        return [expected]
    return [str(item) for item in found] if isinstance(found, list) and found else [expected]


def _is_number(expected: str) -> bool:
    """Whether it is a number and at most a unit or two."""
    return len(re.findall(r"[^\W\d_]{2,}", expected)) <= 2


def _numbers(text: str) -> list[float]:
    found = []
    for match in _NUMBER.finditer(text):
        value = float(match[1].replace(",", "")) * _SCALES.get((match[2] or "").lower(), 1.0)
        found.append(-value if match[0][0] in "-–−" else value)
    return found


def _equal(found: float, wanted: float) -> bool:
    if wanted == int(wanted) and found == int(found):
        return found == wanted
    return abs(found - wanted) <= _TOLERANCE * abs(wanted)


def levenshtein(one: str, other: str) -> int:
    """How many letters must be put in, left out or changed to make one text the other."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        above, row[0] = row[0], place
        for column, against in enumerate(other, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (letter != against))
    return row[-1]


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the values that there are."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
