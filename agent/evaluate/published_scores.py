"""The measures that published sets go by, from their authors' descriptions; see docs/quality.md for what each says.

Each takes what was answered in brief, and what its set expects.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import cast

import numpy as np

from pagesight.agent.evaluate.scoring import levenshtein

Brief = str | list[str]

# MMLongBench-Doc: what is compared letter for letter, since nearly right is wrong there.
_EXACT = re.compile(
    r".*https://.*|.*\.py|.*ipynb|page.*|\d+(?:[-\s]\d+)?|.*[ap]\.m\..*|\d{4}[-\s]\d{2}(?:[-\s]\d{2})?"
    r"|[\w.%+-]+@[\w.-]+\.[a-z]{2,}",
    re.DOTALL,
)
_BRACKETS = re.compile(r"\s*\([^)]*\)")
_LEAST_SIMILARITY = 0.5
_LEAST_DECIMALS = 2

# SlideVQA: what its authors take out or write alike before they compare.
_ALIKE = (
    ("this is ", ""), ("it is ", ""), ("&", ","), ("and", ","), ("percent", ""), ("organisation", "organization"),
    ("because of", ""), ("because", ""), ("due to", ""), ("hours", "hrs"), ("minites", "min"),
)  # fmt: skip
_PUNCTUATION = str.maketrans("", "", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_SPELLED = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip


def mmlongbench_score(given: Brief, expected: str, form: str) -> float:
    """0–1: by ``form``, "Int", "Float", "Str", "None" or "List" (Ma et al., 2024).

    Whole numbers must be equal. Others may be a part, a per cent or a hundredfold of the expected one, within 1 % or
    equal when rounded. Texts count by their similarity above one half; lists by their least similar pair, and must be
    as long.
    """
    if form == "Int":
        return _same_whole(given, expected)
    if form == "Float":
        return _same_decimal(_bare(_one(given)), _bare(expected))
    if form == "List":
        return _list_score(_listed(given), _listed(expected))
    return _text_score(_bare(_one(given)), _bare(expected))


def mmlongbench_f1(scores: Sequence[float], answerable: Sequence[bool], answered: Sequence[bool]) -> float | None:
    """The harmonic mean of what the answerable questions score a question, and what they score an answer given."""
    right = sum(score for score, may in zip(scores, answerable, strict=True) if may)
    if not any(answerable) or not any(answered):
        return None
    return f1(right / sum(answered), right / sum(answerable))


def slidevqa_scores(given: Brief, expected: str, question: str) -> tuple[float, float, float]:
    """Precision, recall and exact match of words (Tanaka et al., 2023)."""
    words, wanted = (_slidevqa_words(text, question) for text in (_one(given), expected))
    return _overlap(words, wanted)


def evidence_scores(cited: Collection[str], evidence: Collection[str]) -> tuple[float, float, float]:
    """Precision, recall and exact match of the pages cited."""
    return _overlap(sorted(set(cited)), sorted(set(evidence)))


def f1(precision: float, recall: float) -> float:
    """The harmonic mean of the two; 0 where both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def anls_star(given: Brief, variants: Iterable[Sequence[str]]) -> float:
    """ANLS* of lists without regard to case, the best over the ways to write the answer (Peer et al., 2024).

    Raises ImportError without the extra `eval`.
    """
    from anls_star import anls_score

    answer = [text.lower() for text in (given if isinstance(given, list) else [given])]
    scored = [float(cast("float", anls_score(answer, [text.lower() for text in variant]))) for variant in variants]
    return max(scored, default=0.0) if any(answer) else 0.0


def kuiper(effort: Sequence[float], right: Sequence[bool]) -> float | None:
    """How far what is right depends on the effort; less is better, None where all or none is right.

    The spread of the running sum of (right - mean) over the questions from little effort to much (MADQA, 2026).
    """
    order = np.argsort(np.asarray(effort, np.float64), kind="stable")
    values = np.asarray(right, np.float64)[order]
    if len(values) == 0 or values.min() == values.max():
        return None
    sums = np.cumsum(values - values.mean())
    return float(sums.max() - sums.min())


def wasted_effort(effort: Sequence[float], right: Sequence[bool]) -> float | None:
    """The mean effort of wrong answers, as a part of that of right ones."""
    by = {
        which: [one for one, is_right in zip(effort, right, strict=True) if is_right is which]
        for which in (True, False)
    }
    if not by[True] or not by[False] or not sum(by[True]):
        return None
    return (sum(by[False]) / len(by[False])) / (sum(by[True]) / len(by[True]))


def _same_whole(given: Brief, expected: str) -> float:
    try:
        return float(int(expected) == int(float(_one(given))))
    except (ValueError, OverflowError):
        return 0.0


def _same_decimal(given: str, expected: str) -> float:
    try:
        value, wanted = float(given), float(expected)
    except ValueError:
        return 0.0
    if not math.isfinite(value) or not math.isfinite(wanted):
        return 0.0
    return float(any(_close(value, one) for one in (wanted / 100, wanted, wanted * 100)))


def _close(value: float, wanted: float) -> bool:
    places = max(min(_decimals(value), _decimals(wanted)), _LEAST_DECIMALS)
    return math.isclose(wanted, value, rel_tol=0.01) or round(value, places) == round(wanted, places)


def _decimals(number: float) -> int:
    return len(str(number).rpartition(".")[2])


def _list_score(given: list[str], expected: list[str]) -> float:
    if len(given) != len(expected):
        return 0.0
    one, other = sorted(map(_bare, given)), sorted(map(_bare, expected))
    if _is_number(other[0]) or _EXACT.fullmatch(other[0]):
        return float(one == other)
    return min(_similarity(each, wanted) for each, wanted in zip(one, other, strict=True))


def _text_score(given: str, expected: str) -> float:
    return float(given == expected) if _EXACT.fullmatch(expected) else _similarity(given, expected)


def _similarity(one: str, other: str) -> float:
    longest = max(len(one), len(other))
    similarity = 1 - levenshtein(one, other) / longest if longest else 1.0
    return similarity if similarity > _LEAST_SIMILARITY else 0.0


def _bare(text: str) -> str:
    """Lower case, without what stands in brackets, quotation marks around it, a dollar before and a per cent after."""
    text = _BRACKETS.sub("", text.lower().strip()).strip()
    text = re.sub(r"^['\"]|['\"]$", "", text).strip()
    return text.lstrip("$").strip().rstrip("%").strip()


def _one(given: Brief) -> str:
    return given if isinstance(given, str) else str(given)


def _listed(given: Brief) -> list[str]:
    """A list as it comes, or as Python writes one; of another text, that text alone."""
    if isinstance(given, list):
        return given or [""]
    try:
        read = ast.literal_eval(given) if given.startswith("[") else given
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        read = given
    return [str(each) for each in read] or [""] if isinstance(read, list) else [given]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _slidevqa_words(text: str, question: str) -> list[str]:
    text = text.lower()
    for written, alike in _ALIKE:
        text = text.replace(written, alike)
    for asked in ("how many", "which"):  # the thing that is counted need not be said again
        following = question.partition(asked)[2].split()
        text = text.replace(following[0], "") if following else text
    text = re.sub(r"\b(a|an|the)\b", " ", text.translate(_PUNCTUATION))
    if text.startswith(("yes", "no")):
        text = text.split()[0]
    return [str(_SPELLED.index(word)) if word in _SPELLED else word for word in text.split()]


def _overlap(given: Sequence[str], wanted: Sequence[str]) -> tuple[float, float, float]:
    shared = sum((Counter(given) & Counter(wanted)).values())
    if not shared:
        return 0.0, 0.0, 0.0
    return shared / len(given), shared / len(wanted), float(list(given) == list(wanted))
