"""Whether a claim and a page say opposite things of one number: a rise or a fall, a gain or a loss, yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.values.clauses import clause_at, clauses_of, part_with, sentence_at
from pagesight.indexing.values.page_values import PageValue
from pagesight.indexing.values.quantities import Quantity

_UP = re.compile(
    r"(?i)\b(?:rose|rise[sn]?|rising|jump\w*|surg(?:e[sd]?|ing)|soar\w*|increas\w+|grew|grow\w*|up(?! to\b)|"
    r"gain\w*|added|adds|adding|hired|improv\w+|higher|more|climb\w*|stieg\w*|gestiegen|zunahme|zugenommen|wuchs\w*|"
    r"wachs\w*|gewachsen|plus|erhöh\w+|anstieg\w*|вырос\w*|рост\w*|увелич\w+)\b|增长|上升|增加"
)
_DOWN = re.compile(
    r"(?i)\b(?:fell|fall\w*|declin\w+|decreas\w+|drop\w*|shed|cut|down|shr[aiu]nk\w*|reduc\w+|lower|less|fewer|sank\w*|"
    r"slid|slump\w*|plung\w*|sink\w*|gesunken|rückg\w+|zurückge\w+|zurück|schrumpf\w*|abgenommen|abnahme|fiel\w*|"
    r"gefallen|verringer\w+|снизил\w*|упал\w*|сниж\w+|уменьш\w+)\b|下降|减少"
)
_LOSS = re.compile(
    r"(?i)\b(?:loss\w*|lost|negative|minus|outflow\w*|deficit|verlust\w*|fehlbetrag|убыт\w+|used|spent|paid|cost\w*|"
    r"expens\w*|charge\w*)\b|亏损"
)
_GAIN = re.compile(
    r"(?i)\b(?:earn(?:ed|s)|profit of|gained|positive|inflow\w*|surplus|gewinn|überschuss|verdient\w*|прибыл\w*)\b|盈利"
)
_COMPARED = re.compile(
    r"(?i)\b(?:difference|differ\w*|total\w*|sum|combined|(?:al)?together|in all|average|mean|ratio|share|times|twice|"
    r"change\w*|minus|plus|i\.e\.|equals?|margin|half|gap|lead\w*|ahead|spread|differenz|unterschied|summe|insgesamt|zusammen|durchschnitt\w*|"
    r"mittel|anteil|verhältnis|veränder\w+|doppelt|hälfte|d\.h\.|exceed\w*|"
    r"account\w*|made up|makes? up|represent\w*|entspr\w+|ausmach\w*|macht\w*|более|сумм\w+|всего)\b|总计|合计|=|≈"
)
#: What a change is told with: by 3 %, 3 % more, an increase of 3 %, +3 %.
_ABOUT = r"(?:(?:about|around|roughly|approximately|nearly|almost|some|over|rund|etwa|knapp|fast|circa|ca\.)\s)?"
_BY = re.compile(rf"(?i)(?:\b(?:by|um|of|von|plus|minus|another|на)\s{_ABOUT}|[+−–(-])[^\d\w]{{0,3}}$")
_MORE = re.compile(
    r"(?i)^[ (-]{0,2}(?:\w+ ){0,2}(?:more|less|fewer|higher|lower|above|below|over|under|increase|decrease|growth|"
    r"decline|rise|drop|mehr|weniger|höher|niedriger|zuwachs|rückgang|larger|smaller|up|down)\b"
)
_NOT = re.compile(
    r"(?i)\b(?:not|no|never|neither|nor|none|nothing|nobody|cannot|n't|without|kein\w*|nicht|nie|niemals|keinesfalls|weder|ohne|nichts|niemand|не|нет|"
    r"ничего|никогда)\b|n['’]t\b|没有|不是|未"
)
_SHORT_NOT = re.compile(r"(?i)(?:\b(?:wo|ca|sha))?n['’]t\b")
_OF_WHAT_FOLLOWS = re.compile(r"(?i)no|kein\w*|without|ohne")
_OF_ALL = re.compile(r"(?i)nothing|nobody|none|nichts|niemand|ничего")  # has been audited: only what follows counts
_NOT_REALLY = re.compile(
    r"(?i)\b(?:not (?:only|just|yet|more|less|including|counting)|no (?:more|less|fewer|later|longer) than|nicht nur|"
    r"nicht mehr als|without|ohne|no\.|(?<=\w )(?-i:Nothing|Nobody|None|Never|No|Not|Without))\b|\bno\. ?\d"
)
#: What denies without a word for no.
_LACKS = re.compile(
    r"(?i)\b(?:fail\w*|lack\w*|absen\w+|miss\w+|deni\w+|refus\w+|prevent\w*|rather|instead|un\w{4,}|insuffic\w*|"
    r"inadequa\w*|incomplet\w*|impossib\w*|avoid\w*|exempt\w*|waive\w*|dispens\w*|spared?|stop\w*|ceas\w*|free|only|fehl\w+|mangel\w*|statt|un\w{5,})\b"
)
_WORDS_DENIED = 4  # behind a word that denies; a guess, not measured
_NEARLY_ALL = 0.75  # of the words of a sentence; a guess, not measured


def tells_of_change(text: str, quantity: Quantity) -> bool:
    """Whether a number is told as one that may be computed: a change, a sum, a share, a comparison."""
    if quantity.days or quantity.year:
        return False
    return quantity.unit == "pp" or told_as_change(text, quantity) or bool(_COMPARED.search(text))


def told_as_change(text: str, quantity: Quantity) -> bool:
    """Whether a number is told as what something has changed by, or differs by."""
    start, end = quantity.span
    more = _MORE.match(text[end : end + 30])
    told = _BY.search(text[max(0, start - 24) : start])
    directly = re.search(
        r"(?i)(?:\w+(?:ed|ose|ew|ell|ank|tieg|uchs)|\bup|\bdown)\s(?:about |rund |etwa )?$", text[:start]
    )
    return bool(more or ((told or directly) and (_UP.search(text) or _DOWN.search(text))))


def direction(clause: str) -> int:
    """1 where a text tells of a rise, -1 of a fall, 0 of neither or both."""
    return bool(_UP.search(clause)) - bool(_DOWN.search(clause))


def of_a_loss(text: str) -> bool:
    """Whether a text speaks of a loss or of costs, which fall as they come nearer to nothing."""
    return bool(_LOSS.search(text))


def opposed(text: str, quantity: Quantity, value: PageValue) -> bool:
    """Whether the page's sentence or cell says the opposite of what the claim says of the same number."""
    at = quantity.digits[0]
    own = clause_at(text, at)
    return (
        _signs_differ(sentence_at(text, at), quantity, value)
        or _moves_differ(text, own, quantity, value)
        or denies(own, value)
    )


def _signs_differ(said: str, quantity: Quantity, value: PageValue) -> bool:
    printed, page = value.quantity, f"{value.said} {said}"
    if printed.negative and not quantity.negative:
        return quantity.plus or bool(_GAIN.search(said)) or (direction(said) > 0 and printed.unit in ("%", "pp"))
    return quantity.negative and not printed.negative and not (_DOWN.search(page) or _LOSS.search(page))


def _moves_differ(text: str, own: str, quantity: Quantity, value: PageValue) -> bool:
    """Whether claim and page tell of the number as a change, each into another direction."""
    if value.place is not None or quantity.days or not told_as_change(text, quantity):
        return False
    mine = direction(own) or direction(sentence_at(text, quantity.digits[0]))
    theirs = direction(value.clause) or direction(value.said)
    return mine * theirs < 0 and (quantity.unit in ("%", "pp") or bool(_BY.search(text[: quantity.span[0]])))


def denies(claimed: str, value: PageValue) -> bool:
    """Whether the claim denies what the page says of the number, or the page what the claim says."""
    mine, theirs = says_no(claimed), says_no(value.clause if value.place is None else value.said)
    if mine:
        part = part_with(value.said, value.written)
        return not theirs and not says_no(part) and not _LACKS.search(part)
    return value.place is None and drops_a_denial(claimed, value.clause)


def says_no(text: str) -> bool:
    """Whether a text denies something."""
    return bool(_NOT.search(_NOT_REALLY.sub("", text)))


def denial(claimed: str, printed: str) -> bool:
    """Whether one of two texts denies and the other does not."""
    denied = says_no(claimed) and not says_no(printed) and _speaks_of_what_is_denied(claimed, printed)
    return denied or drops_a_denial(claimed, printed)


def _speaks_of_what_is_denied(claimed: str, printed: str) -> bool:
    """Whether a sentence of a page has any word of the claim's clause that denies, "encouraged, but not required", and
    the clause with most of them denies it in no other way."""
    denies = _NOT.search(claimed)
    terms = read_query(clause_at(claimed, denies.start())).terms if denies else []
    told = [term for term in terms if not _NOT.fullmatch(term)]
    clause = max(clauses_of(printed), key=lambda one: len(_said(told, one)), default="")
    return bool(_said(told, clause)) and not _lacks(clause, claimed)


def _lacks(text: str, other: str) -> bool:
    """Whether a text denies something without a word for no, by a word that another one does not have too."""
    held = {stem for term in read_query(other).terms for stem in stems(term)}
    return any(
        found[0].lower() not in other.lower()
        and not (found[0].lower().startswith("un") and _is_told_of(text[found.end() :], held, 1))
        for found in _LACKS.finditer(text)
    )  # an unconstitutional burden is one


def _is_told_of(behind: str, held: set[str], words: int) -> bool:
    """Whether one of the first words of what stands behind a word is among the stems that another text has."""
    return any(stems(word.lower()) & held for word in re.findall(r"\w+", behind)[:words])


def drops_a_denial(claimed: str, printed: str) -> bool:
    """Whether a claim says again what a sentence of a page denies, nearly in its words and without the denial."""
    printed, claimed = _SHORT_NOT.sub(" not", printed), _SHORT_NOT.sub(" not", claimed)
    denies = _NOT.search(printed)
    if not denies or not says_no(printed) or _lacks(claimed, printed):
        return False
    clause = clause_at(printed, denies.start())
    if _OF_WHAT_FOLLOWS.fullmatch(denies[0]):
        clause = clause[clause.index(denies[0]) :]
    theirs = [term for term in read_query(clause).terms if not _NOT.fullmatch(term)]
    if any(says_no(clause) and _said(theirs, clause) for clause in clauses_of(claimed)):
        return False
    said = _said(theirs, claimed)
    again = _says_again([term in said for term in theirs], of_all=bool(_OF_ALL.fullmatch(denies[0])))
    return again or _is_said_there(claimed, clause, clause[clause.index(denies[0]) :])


def _is_said_there(claimed: str, clause: str, denied: str) -> bool:
    """Whether a clause has most words of a claim without numbers, some of them in what it denies."""
    terms = [] if re.search(r"\d", claimed) else read_query(claimed).terms
    return len(terms) > 2 and bool(_said(terms, denied)) and len(_said(terms, clause)) >= _NEARLY_ALL * len(terms)


def _said(terms: Sequence[str], text: str) -> list[str]:
    """Those of some terms that a text has in some form."""
    held = {stem for term in read_query(text).terms for stem in stems(term)}
    return [term for term in terms if stems(term) & held]


def _says_again(words: Sequence[bool], *, of_all: bool) -> bool:
    """Whether enough of a denial's words are said again; of one "of all" what nothing is the case of, and half."""
    if of_all and words and words[-1]:
        return sum(words) >= len(words) / 2
    return len(words) > 1 and sum(words) >= _NEARLY_ALL * len(words)
