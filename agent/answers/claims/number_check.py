"""Whether a number of a claim stands on a page, and is there of what the claim says it is of.

Two questions. Does the page print the value, with the unit? And is there another value on the page that the claim's
words belong to more closely: that of the row, year or sentence which the claim names? Then the claim has taken the
wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pagesight.agent.answers.claims.claim_fit import ClaimFit, beside, is_alone
from pagesight.agent.answers.claims.claim_number import ClaimNumber
from pagesight.agent.answers.claims.direction import opposed
from pagesight.agent.answers.claims.measures import is_rival, is_same, may_be_taken_for, measures_agree
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.quantities import Quantity, may_be_a_name, quantities, same_value

_MOST_PLACES = 3  # of one number on a page, those that fit the claim best; a guess, not measured


@dataclass(frozen=True)
class Found:
    """A number's place on a page, or why the page does not say it.

    ``elsewhere`` says that it stands there, but of another thing, ``missing`` that it does not stand there at all;
    ``rivals`` are those that fit the claim better.
    """

    value: PageValue | None
    fault: str = ""
    elsewhere: bool = False
    missing: bool = False
    rivals: Sequence[PageValue] = ()


def find_number(number: ClaimNumber, content: PageContent, allowed: frozenset[int] | None) -> Found:
    """Where on the page the number stands; ``allowed`` are the places of the words within the cited region."""
    fit = ClaimFit(number, content)
    within = (value for value in content.values if allowed is None or allowed.issuperset(value.words))
    same = [value for value in within if is_same(number.quantity, value.quantity)]
    if not same:
        return _nowhere(fit, allowed)
    measured = [value for value in same if measures_agree(number, value.quantity, content)]
    return _best(fit, measured) if measured else Found(None, f"{number.written}: the page says {_told(same[0])}")


def _nowhere(fit: ClaimFit, allowed: frozenset[int] | None) -> Found:
    """That a page does not have a number: no fault of one in words that only counts what the page lists."""
    if fit.number.quantity.spelled and not _says_another(fit):
        return Found(None)
    where = "on the cited page" if allowed is None else "in the cited region"
    return Found(None, f"{fit.number.written} is not {where}", missing=True)


def find_year(number: ClaimNumber, content: PageContent) -> Found:
    """Whether a year that is all that a claim tells is of what it says: of the two in a sentence, the right one."""
    fit = ClaimFit(number, content)
    years = [value for value in content.values if value.quantity.year and value.place is None]
    same = sorted((one for one in years if is_same(number.quantity, one.quantity)), key=lambda one: -fit.of(one))
    if not same or not fit.most:
        return Found(None)
    better = _better_years(fit, same[0], [one for one in years if one.block is same[0].block])
    if not better or _tells_one_of(number.text, better):
        return Found(same[0])
    return Found(None, _of_something_else(number, better[0].written))


def _better_years(fit: ClaimFit, year: PageValue, beside_it: Sequence[PageValue]) -> list[PageValue]:
    """The years of its paragraph, itself among them, that the claim is of rather than of this one."""
    most = max(fit.of(one) for one in beside_it)
    return [one for one in beside_it if fit.gain(one, year, of=most) > 0]


def _tells_one_of(text: str, values: Sequence[PageValue]) -> bool:
    """Whether a claim has one of some years too."""
    years = [one for one in quantities(text) if one.year]
    return any(is_same(year, value.quantity) for value in values for year in years)


def _says_another(fit: ClaimFit) -> bool:
    """Whether the page has a number for what the claim counts: what it lists may also be counted by whoever reads."""
    rivals = (fit.of(value) for value in fit.content.values if is_rival(fit.number.quantity, value.quantity))
    return max(rivals, default=0) > fit.most / 2


def _told(value: PageValue) -> str:
    unit = value.quantity.unit
    return value.written if not unit or unit in value.written else f"{value.written} ({unit})"


def _of_something_else(number: ClaimNumber, told: str) -> str:
    return f"{number.written} is there, but of something else: for this the page says {told}"


def _best(fit: ClaimFit, same: Sequence[PageValue]) -> Found:
    number = fit.number
    if not fit.most and number.terms and not _is_telling(number.quantity) and fit.is_in_its_language:
        return Found(None, f"{number.written} is there, but the page has none of the claim's words", elsewhere=True)
    found = sorted(same, key=lambda value: -fit.of(value))[:_MOST_PLACES]
    rivals = [_rivals(fit, value) for value in found]
    faults = [_fault(fit, value, better) for value, better in zip(found, rivals, strict=True)]
    accepted = next((value for value, fault in zip(found, faults, strict=True) if not fault), None)
    return Found(accepted) if accepted else Found(found[0], faults[0], elsewhere=True, rivals=rivals[0])


def _is_telling(quantity: Quantity) -> bool:
    """Whether a number is hardly on a page by chance: a date, or three digits and more."""
    digits = max((len(str(abs(value)).replace(".", "").strip("0")) for value in quantity.values), default=0)
    return bool(quantity.days) or digits >= 3


def _rivals(fit: ClaimFit, value: PageValue) -> list[PageValue]:
    """The numbers of the page that the claim's words are of more closely, the best first."""
    rivals = [
        other for other in fit.content.values
        if is_rival(fit.number.quantity, other.quantity) and may_be_taken_for(other.quantity, value.quantity)
        and not fit.content.is_furniture(other.block) and not fit.content.tables.is_of_an_axis(other.block)
        and not is_alone(other)
        and not _is_of_another_kind(fit.number.quantity, value, other)
        and not _roles_tell(fit.number, value, other)
    ]  # fmt: skip
    better = [(gain, other) for other in rivals if (gain := fit.gain(other, value)) > 0]
    return [other for _, other in sorted(better, key=lambda one: -one[0])]


def _is_of_another_kind(claimed: Quantity, value: PageValue, rival: PageValue) -> bool:
    """Whether a rival without a unit cannot be meant where the claim and the value have one: the number of a name, or
    one of a table where others have units, or of another sentence."""
    if rival.quantity.unit is not None or not (claimed.unit or claimed.scale):
        return False
    named = may_be_a_name(rival.block.text, rival.quantity)
    in_tables = value.place is not None and rival.place is not None
    return named or bool(value.quantity.unit and (in_tables or not beside(rival, value)))


def _fault(fit: ClaimFit, value: PageValue, rivals: Sequence[PageValue]) -> str:
    """What speaks against the value's being the claim's; nothing if it is."""
    number = fit.number
    if rivals:
        return _of_something_else(number, _told(rivals[0]))
    if not fit.is_about(value) and fit.is_in_its_language:
        return f"{number.written} is there, but not of what the claim is about"
    if _the_other_way_round(number, value, fit.content):
        return f"{number.written}: the page says it the other way round, “{value.said}”"
    if opposed(number.text, number.quantity, value):
        return f"{number.written}: the page says the opposite, {_told(value)}"
    return ""


def _the_other_way_round(number: ClaimNumber, value: PageValue, content: PageContent) -> bool:
    """Whether the claim compares two numbers as the page does, but with the one in the place of the other."""
    if value.place is not None or value.compared == number.compared:
        return False
    return number.compares and any(
        other.block is value.block and other.said == value.said and other.compared == number.compared
        and any(same_value(one, other.quantity) for one in quantities(number.text))
        for other in content.values
    )  # fmt: skip


def _roles_tell(number: ClaimNumber, value: PageValue, rival: PageValue) -> bool:
    """Whether "after", "from" and the like already tell the value from a rival in its sentence, as the claim does."""
    same_sentence = rival.block is value.block and rival.said == value.said and number.compares
    return same_sentence and rival.compared != value.compared and number.compared == value.compared
