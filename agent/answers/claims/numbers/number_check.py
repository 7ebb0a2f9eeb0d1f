"""Whether a number of a claim stands on a page, and is there of what the claim says it is of.

Two questions. Does the page print the value, with the unit? And is there another value on the page that the claim's
words belong to more closely: that of the row, year or sentence which the claim names? Then the claim has taken the
wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber, is_year
from pagesight.agent.answers.claims.numbers.claim_fit import ClaimFit, beside, has
from pagesight.agent.answers.claims.numbers.computed import year_of
from pagesight.agent.answers.claims.numbers.measures import is_rival, is_same, measures_agree
from pagesight.agent.answers.claims.numbers.rates import told_for_another
from pagesight.agent.answers.claims.numbers.rivals import rivals_of
from pagesight.agent.answers.claims.polarity.change_told import goes_against_the_page, sentence_of
from pagesight.agent.answers.claims.polarity.direction import opposed
from pagesight.agent.answers.claims.polarity.opposites import says_the_opposite
from pagesight.agent.answers.claims.words.missing_months import has_month_and_year, is_a_month
from pagesight.indexing.values.ages import ages
from pagesight.indexing.values.clauses import SAME_CLAUSE, clause_at
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.quantities import quantities

_MOST_PLACES = 3  # of one number on a page, those that fit the claim best; a guess, not measured

_NEARLY = 0.5  # of how well the best place fits: another one counts where that says something else; a guess


@dataclass(frozen=True)
class Found:
    """A number's place on a page, or why the page does not say it.

    ``elsewhere`` says that it stands there, but of another thing, ``missing`` that it does not stand there at all,
    ``denied`` that the page says something against it; ``rivals`` are those that fit the claim better.
    """

    value: PageValue | None
    fault: str = ""
    elsewhere: bool = False
    missing: bool = False
    denied: bool = False
    rivals: Sequence[PageValue] = ()


def find_number(number: ClaimNumber, content: PageContent, allowed: frozenset[int] | None) -> Found:
    """Where on the page the number stands; ``allowed`` are the places of the words within the cited region."""
    fit = ClaimFit(number, content)
    within = (value for value in content.values if allowed is None or allowed.issuperset(value.words))
    same = [value for value in within if is_same(number.quantity, value.quantity)]
    if not same:
        return _nowhere(fit, allowed)
    measured = [value for value in same if measures_agree(number, value.quantity, content)]
    otherwise = [value for value in same if value not in measured]
    if told := _told_otherwise(fit, measured, otherwise):
        return Found(None, f"{number.written}: the page says {_told(told)}")
    return _best(fit, measured)


def _told_otherwise(fit: ClaimFit, measured: Sequence[PageValue], otherwise: Sequence[PageValue]) -> PageValue | None:
    """The number in another unit, or at another scale, where that is what the claim is about."""
    best = max(measured, key=fit.of, default=None)
    told = (value for value in otherwise if value.quantity.digits[0] not in ages(value.block.text))
    return next((value for value in told if best is None or fit.gain(value, best) > 0), None)


def _nowhere(fit: ClaimFit, allowed: frozenset[int] | None) -> Found:
    """That a page does not have a number: no fault of one in words that only counts what the page lists, nor of a month
    whose name and year stand apart."""
    counted = fit.number.quantity.spelled and not _says_another(fit)
    if counted or has_month_and_year(fit.content, fit.number.quantity.days):
        return Found(None)
    where = "on the cited page" if allowed is None else "in the cited region"
    return Found(None, f"{fit.number.written} is not {where}", missing=True)


def _says_another(fit: ClaimFit) -> bool:
    """Whether the page has a number for what the claim counts: what it lists may also be counted by whoever reads, but
    no time or length of anything."""
    unit = fit.number.quantity.unit
    if unit and any(value.quantity.unit == unit for value in fit.content.values):
        return True
    rivals = (fit.of(value) for value in fit.content.values if is_rival(fit.number.quantity, value.quantity))
    return max(rivals, default=0) > fit.most / 2


def _told(value: PageValue) -> str:
    unit = value.quantity.unit
    return value.written if not unit or unit in value.written else f"{value.written} ({unit})"


def _of_something_else(number: ClaimNumber, told: str) -> str:
    return f"{number.written} is there, but of something else: for this the page says {told}"


def _best(fit: ClaimFit, same: Sequence[PageValue]) -> Found:
    number = fit.number
    found = sorted(same, key=lambda value: -fit.of(value))[:_MOST_PLACES]
    if is_a_month(number.quantity) and _has_other_numbers(number):
        return Found(found[0])  # it tells when the others were: they are held against it
    first, *others = [_held_against(fit, value) for value in found]
    least = _NEARLY * fit.of(found[0]) if first.denied else 0.0
    right = (one for one in (first, *others) if one.value and not one.fault and fit.of(one.value) >= least)
    return next(right, first)


def _held_against(fit: ClaimFit, value: PageValue) -> Found:
    """A place of the number, with what speaks against its being the claim's."""
    rivals = rivals_of(fit, value)
    fault = _fault(fit, value, rivals)
    return Found(value, fault, elsewhere=bool(fault), denied=bool(fault and not rivals), rivals=rivals)


def _has_other_numbers(number: ClaimNumber) -> bool:
    """Whether a claim tells a number besides dates and years."""
    return any(not (one.year or one.days) for one in quantities(number.text))


def _fault(fit: ClaimFit, value: PageValue, rivals: Sequence[PageValue]) -> str:
    """What speaks against the value's being the claim's; nothing if it is."""
    number = fit.number
    if rivals:
        return _of_something_else(number, _told(rivals[0]))
    if _is_contrary(number, value):
        return f"{number.written}: the page says the opposite, {_told(value)}"
    if other := told_for_another(number.text, number.quantity, value) or _of_another_year(number, value, fit.content):
        return f"{number.written} is there, but {other}"
    return ""


def _is_contrary(number: ClaimNumber, value: PageValue) -> bool:
    """Whether the page says the opposite of what the claim says of the number."""
    text, quantity = number.text, number.quantity
    printed = value.clause if value.place is None else sentence_of(value)
    return (
        opposed(text, quantity, value)
        or goes_against_the_page(text, quantity, value)
        or says_the_opposite(clause_at(text, quantity.digits[0]), printed)
    )


def _of_another_year(number: ClaimNumber, value: PageValue, content: PageContent) -> str:
    """The year that the page tells a number of, where the claim tells it of another one that the page has beside it;
    or ""."""
    mine = frozenset(stem for term, near in number.terms if near >= SAME_CLAUSE for stem in term if is_year(stem))
    theirs = year_of(value)
    if len(mine) != 1 or theirs is None or str(theirs) in mine:
        return ""
    return f"of {theirs}, not {min(mine)}" if _is_told_of(mine, number, value, content) else ""


def _is_told_of(year: frozenset[str], number: ClaimNumber, value: PageValue, content: PageContent) -> bool:
    """Whether the page has a number of a year beside one of another year: in its row, or compared with it."""
    if value.place is None and value.compared and not number.compared:
        return True
    return any(beside(other, value) and has(other, year) for other in content.values)
