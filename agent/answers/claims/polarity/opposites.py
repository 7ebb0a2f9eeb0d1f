"""Whether a claim says again what a sentence of a page says, but for one thing that is the other way round there.

That may be a rise for a fall, a word for its opposite (fewer for more, favourable for unfavourable), or the two sides
of a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pagesight.agent.answers.claims.polarity.change_told import DOWN, UP, way
from pagesight.agent.answers.claims.polarity.direction import says_no
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.clauses import parts_of

_NOT_SO = ("in", "un", "im", "non", "dis")
_NEARLY_ALL = 0.75  # of the words of a claim; a guess, not measured
_THAN = re.compile(r"(?i)\b(?:than|over|als|чем)\b|超过")
#: What leads from a statement to what explains it, whose denials are none of the statement.
_EXPLAINS = re.compile(r":\s|,?\s(?:since|because|as (?=it|they)|weil|da(?= (?:er|sie|es)))\s")
#: Words of which each means the opposite of the other; those of one side mean nearly the same.
_PAIRS = [
    ("more most", "less least fewer fewest"), ("higher highest", "lower lowest"), ("better best", "worse worst"),
    ("larger largest bigger biggest greater greatest", "smaller smallest"), ("longer longest", "shorter shortest"),
    ("earlier earliest", "later latest"), ("faster fastest", "slower slowest"), ("older oldest", "younger youngest"),
    ("stronger strongest", "weaker weakest"), ("wider widest", "narrower narrowest"), ("high", "low"),
    ("deeper deepest", "shallower shallowest"), ("heavier heaviest", "lighter lightest"), ("full", "empty"),
    ("simple simplest easy easier easiest", "difficult complicated harder hardest"), ("strong", "weak"),
    ("cheap cheaper cheapest", "expensive"), ("ahead", "behind"), ("above", "below"), ("before", "after"),
    ("hoch", "niedrig"), ("teurer teuerste", "billiger billigste günstiger günstigste"), ("breiter", "schmaler"),
    ("positive", "negative"), ("maximum", "minimum"), ("always", "never"), ("inside", "outside"),
    ("include includes included including", "exclude excludes excluded excluding"),
    ("accept accepts accepted", "reject rejects rejected refuse refused"), ("majority", "minority"),
    ("allow allows allowed permitted", "forbid forbids forbidden prohibited banned"),
    ("win wins won", "lose loses lost"),
    ("support supports supported favor favour favors favours", "oppose opposes opposed"),
    ("open opened", "closed shut"),
    ("increase increases increased rise growth gain", "decrease decreases decreased fall decline drop loss"),
    ("mehr meisten meiste", "weniger wenigsten wenigste"),
    ("höher höhere höchste höchsten", "niedriger niedrigere niedrigste niedrigsten geringer geringste geringsten"),
    ("besser bessere beste besten", "schlechter schlechtere schlechteste schlechtesten"),
    ("größer größere größte größten", "kleiner kleinere kleinste kleinsten"),
    ("länger längere längste längsten", "kürzer kürzere kürzeste kürzesten"), ("früher", "später"),
    ("stärker stärkste", "schwächer schwächste"), ("oberhalb", "unterhalb"), ("vor", "nach"), ("immer", "nie niemals"),
    ("required must obliged mandatory obligatory", "encouraged optional voluntary may"),
    ("improve improves improved", "deteriorate deteriorates deteriorated worsen worsens worsened"),
    ("muss müssen verpflichtend vorgeschrieben", "kann können freiwillig"),
    ("mindestens", "höchstens"), ("mehrheit", "minderheit"), ("erlaubt", "verboten untersagt"),
    ("positiv positive positiver", "negativ negative negativer"), ("anstieg zunahme zuwachs", "rückgang abnahme"),
]  # fmt: skip
_SIDES = [tuple(frozenset(tokenize(side)) for side in pair) for pair in _PAIRS]


def says_the_opposite(claimed: str, printed: str) -> bool:
    """Whether a claim says again most of what a sentence of a page says, or a part of it, and one thing the other way
    round."""
    return any(_says_the_opposite(claimed, part) for part in {printed, *parts_of(printed)})


def _says_the_opposite(claimed: str, printed: str) -> bool:
    printed = _part_told(claimed, printed)
    if says_no(claimed) != says_no(printed):
        return False
    terms = [term for term in read_query(claimed).terms if not (UP.fullmatch(term) or DOWN.fullmatch(term))]
    tokens = tokenize(printed)
    held = frozenset().union(*map(stems, tokens))
    turned = _words_turned(tokenize(claimed), tokens)
    opposite = [term in turned or _has_opposite(term, tokens) for term in terms]
    said = [bool(stems(term) & held) or other for term, other in zip(terms, opposite, strict=True)]
    if sum(said) < _NEARLY_ALL * len(terms):
        return False
    words = bool(turned) or any(opposite) or way(claimed) * way(printed) < 0
    return words != _sides_turned(claimed, printed)


def _part_told(claimed: str, printed: str) -> str:
    """The sentence of a page without what explains it, where the claim has no word of that."""
    told, *explained = _EXPLAINS.split(printed, maxsplit=1)
    return told if explained and not _stems(claimed) & (_stems(explained[0]) - _stems(told)) else printed


def _has_opposite(term: str, tokens: Sequence[str]) -> bool:
    """Whether a sentence has a claim's word with a prefix that denies it, or without the claim's, and not as it is."""
    bare = [term.removeprefix(no) for no in _NOT_SO if term.startswith(no) and len(term) > len(no) + 4]
    return term not in tokens and any(other in tokens for other in [*(f"{no}{term}" for no in _NOT_SO), *bare])


def _words_turned(mine: Sequence[str], theirs: Sequence[str]) -> frozenset[str]:
    """A claim's words of which a sentence has only the opposite, where the claim does not have that too."""
    return frozenset(
        word
        for pair in _SIDES for one, other in (pair, pair[::-1])
        if one.intersection(mine) and not other.intersection(mine)
        and other.intersection(theirs) and not one.intersection(theirs)
        for word in one.intersection(mine)
    )  # fmt: skip


def _sides_turned(claimed: str, printed: str) -> bool:
    """Whether of two things that are compared a claim has each in the place of the other."""
    mine, theirs = _compared(claimed), _compared(printed)
    return bool(mine and theirs and mine[0] & theirs[1] and mine[1] & theirs[0])


def _compared(text: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The stems before the word that compares, and behind it, without those that stand on both sides."""
    found = _THAN.search(text)
    if not found:
        return None
    before, behind = (_stems(part) for part in (text[: found.start()], text[found.end() :]))
    return before - behind, behind - before


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem for term in read_query(text).terms for stem in stems(term))
