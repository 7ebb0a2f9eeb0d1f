"""The numbers of a page that a claim's words belong to more closely than to the one that it has."""

from __future__ import annotations

from pagesight.agent.answers.claims.answer_text.claim_number import ClaimNumber, is_year
from pagesight.agent.answers.claims.numbers.claim_fit import ClaimFit, beside, has, is_alone
from pagesight.agent.answers.claims.numbers.measures import is_rival, is_same, may_be_taken_for
from pagesight.agent.answers.claims.polarity.change_told import is_of_a_change
from pagesight.agent.answers.claims.polarity.direction import told_as_change
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.values.blocks import same_row
from pagesight.indexing.values.page_values import PageContent, PageValue
from pagesight.indexing.values.quantities import Quantity, may_be_a_name, quantities

_HALF = 0.5  # of a row's words; a guess, not measured
# How much of what the claim's words weigh a number elsewhere on the page must have to be meant: rather than one without
# any words, and than another one; tried on claims of strangers.
_TELLING_FIT, _OTHER_FIT = 0.75, 0.55


def rivals_of(fit: ClaimFit, value: PageValue) -> list[PageValue]:
    """The numbers of the page that the claim's words are of more closely, the best first."""
    in_company = _is_in_company(fit, value)
    better = [
        (gain, other) for other in fit.content.values
        if _may_be_meant(fit.number, value, other) and _tells_what_it_is_of(fit.content, other)
        and _words_can_tell(fit, value, other)
        and ((gain := fit.gain(other, value, in_doubt=not in_company or beside(other, value))) > 0
             or _is_of_the_row_named(fit.number, value, other) or _is_of_the_column_named(fit, value, other))
    ]  # fmt: skip
    return [other for _, other in sorted(better, key=lambda one: -one[0])]


def _may_be_meant(number: ClaimNumber, value: PageValue, other: PageValue) -> bool:
    """Whether another number is of a kind with the claim's, and of a role that the claim may have confused."""
    return (
        is_rival(number.quantity, other.quantity)
        and may_be_taken_for(other.quantity, value.quantity, number.quantity)
        and not _is_of_another_kind(number.quantity, value, other)
        and not _is_a_change_of_it(number, value, other)
        and not _roles_tell(number, value, other)
        and not (_named_share(number, value) == 1 and _named_share(number, other) < 1)
    )


def _is_of_the_row_named(number: ClaimNumber, value: PageValue, other: PageValue) -> bool:
    """Whether the claim has all of the words that another row of the column is called by, and few of the value's own:
    "net revenue" is of a row "Revenue", and not of "Net financial debt"."""
    few = _named_share(number, value) < _HALF
    return few and _named_share(number, other) == 1 and beside(other, value)


def _is_of_the_column_named(fit: ClaimFit, value: PageValue, other: PageValue) -> bool:
    """Whether the claim has all words by which the head of another column of the row differs from the value's own, and
    none of those by which that differs."""
    if not (value.place and other.place and value.place.labels and value.place.labels == other.place.labels):
        return False
    heads = [frozenset(read_query(" ".join(place.heads)).terms) for place in (value.place, other.place)]
    own, others = (
        [not fit.near_stems.isdisjoint(stems(term)) for term in terms]
        for terms in (heads[0] - heads[1], heads[1] - heads[0])
    )
    return bool(others) and all(others) and not any(own)


def _named_share(number: ClaimNumber, value: PageValue) -> float:
    """Which part of the words that a table's row is called by the claim has; _HALF where there are none."""
    label = value.place.labels[0] if value.place and value.place.labels else ""
    claimed = frozenset(stem for term, _ in number.terms for stem in term)
    named = [not claimed.isdisjoint(stems(term)) for term in read_query(label).terms]
    return sum(named) / len(named) if named else _HALF


def _tells_what_it_is_of(content: PageContent, other: PageValue) -> bool:
    """Whether a number stands with words of its own: not along an axis, at the page's edge, or in a bare chart."""
    tables, block = content.tables, other.block
    aside = content.is_furniture(block) or tables.is_of_an_axis(block) or tables.is_numbering(block)
    return not (aside or content.is_of_a_picture(other) or is_alone(other))


def _words_can_tell(fit: ClaimFit, value: PageValue, other: PageValue) -> bool:
    """Whether the claim's words can choose between two numbers: those of one row, column or sentence, or in the page's
    language one that has most of them elsewhere, the more where nothing is known of the value."""
    if not beside(other, value) and not fit.is_in_its_language:
        return False
    if value.place and not other.place and not _is_of_its_years(fit, other):
        return False
    needed = _TELLING_FIT if is_alone(value) else 0.0 if _stand_together(value, other) else _OTHER_FIT
    return fit.of(other) >= needed * fit.most


def _is_of_its_years(fit: ClaimFit, other: PageValue) -> bool:
    """Whether a number is of the years that the claim tells its own of, as far as the page has them."""
    return all(has(other, term) for term, _ in fit.weights if any(map(is_year, term)))


def _stand_together(one: PageValue, other: PageValue) -> bool:
    """Whether two numbers stand in one sentence, row or column; a row may be one that no words stand before."""
    both = one.place is not None and other.place is not None
    return beside(one, other) or (both and same_row(one.block.box, other.block.box))


def _is_in_company(fit: ClaimFit, value: PageValue) -> bool:
    """Whether the claim's other numbers, years and those of names aside, all stand in the sentence or row of one."""
    text, mine = fit.number.text, fit.number.quantity.digits
    plain = (one for one in quantities(text) if not (one.year or may_be_a_name(text, one)))
    others = [one for one in plain if one.digits != mine]
    said = [one.quantity for one in fit.content.values if one is not value and beside(one, value)]
    return bool(others) and all(any(is_same(one, printed) for printed in said) for one in others)


def _is_a_change_of_it(number: ClaimNumber, value: PageValue, rival: PageValue) -> bool:
    """Whether one of two numbers is a change, and the claim tells by its words which of them it has."""
    changes = is_of_a_change(value), is_of_a_change(rival)
    return changes[0] != changes[1] and changes[0] == told_as_change(number.text, number.quantity)


def _is_of_another_kind(claimed: Quantity, value: PageValue, rival: PageValue) -> bool:
    """Whether a rival without a unit cannot be meant where the claim and the value have one: the number of a name, or
    one of a table where others have units, or of another sentence."""
    if rival.quantity.unit is not None or not (claimed.unit or claimed.scale):
        return False
    named = may_be_a_name(rival.block.text, rival.quantity)
    in_tables = value.place is not None and rival.place is not None
    return named or rival.place is None or bool(value.quantity.unit and in_tables)


def _roles_tell(number: ClaimNumber, value: PageValue, rival: PageValue) -> bool:
    """Whether "after", "from" and the like already tell the value from a rival in its sentence, as the claim does."""
    same_sentence = rival.block is value.block and rival.said == value.said and number.compares
    return same_sentence and rival.compared != value.compared and number.compared == value.compared
