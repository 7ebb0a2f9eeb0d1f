"""Which passages of the pages found answer a question best, by words alone; or none, where the pages don't speak of it.

A page that is quoted must hold the question's names and numbers and most of what is rare in it: a line of a stranger
page that shares two words is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from pagesight.agent.reasoners.offline.measured_question import PageOnHand, Question, Scored
from pagesight.agent.reasoners.offline.passages import Passage

# Chosen on one half of mmlb-dev's documents and measured on the other (docs/quality.md).
_MOST = 6
_NEAR_THE_BEST, _NEAR_WHAT_ANSWERS, _NEAR_ON_ANOTHER_PAGE = 0.2, 0.8, 0.4
_LEAST_OF_PASSAGES = 0.1  # of what the question's words weigh, in the passages that are quoted


def best_passages(
    question: str,
    pages: Sequence[PageOnHand],
    said_before: Sequence[str] = (),
    *,
    most: int = _MOST,
    least: float = _LEAST_OF_PASSAGES,
) -> list[Passage]:
    """The passages, six at ``most``, best first, of one page or of two that fit alike; none if no page speaks of it.

    What was ``said_before`` is not said again while there is something else. ``least`` is the share, 0-1, of what the
    question's words weigh that they must hold together.
    """
    asked = Question.of(question, pages)
    speaking = {page.hit.label: asked.is_spoken_of(page, pages) for page in pages}
    scored = [Scored(one, asked.score(one)) for one in asked.passages if speaking[one.hit.label]]
    fitting = asked.without_running_heads([one for one in scored if one.score > 0])
    fresh = [one for one in fitting if one.passage.text not in said_before]
    chosen = _chosen(asked, sorted(fresh or fitting, key=lambda one: -one.score))[:most]
    return chosen if asked.is_covered_by(chosen, least) else []


def _chosen(asked: Question, ranked: Sequence[Scored]) -> list[Passage]:
    """The best, others of its page that are near it, and the best of one other page that is as good."""
    chosen: list[Passage] = []
    for one, score in ranked:
        best = ranked[0]
        same_page = one.hit.label == best.passage.hit.label
        least = _NEAR_ON_ANOTHER_PAGE if not same_page else _NEAR_THE_BEST
        if asked.says_the_meaning(best.passage) or (same_page and (one.cell or best.passage.cell)):
            least = _NEAR_WHAT_ANSWERS  # beside the right cell, or what a thing is, nothing else is needed
        near = score >= least * best.score
        if near and not any(_repeats(one, other) for other in chosen):
            chosen.append(one)
        if len(chosen) == _MOST:
            break
    return chosen


def _repeats(one: Passage, other: Passage) -> bool:
    """Whether two passages say the same: in the same words, or of the same place."""
    if one.text.casefold() == other.text.casefold():
        return True
    if one.hit.label != other.hit.label or not one.words or not other.words:
        return False
    return len(one.words & other.words) >= min(len(one.words), len(other.words)) / 2
