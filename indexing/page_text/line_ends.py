"""Words that the end of a line broke: whether the hyphen belongs to the word, as in long-term, or to the break."""

from __future__ import annotations

from collections.abc import Sequence

#: Where a line ends in a hyphen, pdfium gives this in place of hyphen and line break, with the word's two parts joined.
LINE_END_HYPHEN = "\x02"

# First and last parts of words that are written with a hyphen more often than without. A guess, not measured; what the
# page itself has elsewhere counts before them.
_FIRST_PARTS = frozenset(
    """
    above all anglo before best better broad business case century child close community cost cross customer cutting
    data debt decision double early eight eighty employer energy equity euro evidence eye far fast fifty first five
    fixed follow forty forward four fourth free full fund future goal government half hard higher income industry
    job knowledge labour labor large last late long longer low lower market medium mid mission money multi net nine
    ninety non older one open part peer people policy poverty price private problem profit public quality quasi real
    record research resource result right risk rural second self semi senior seven seventy shop short side single six
    sixty small socio south state strong student tax ten third thirty three tree twenty two urban user value vice
    water well white wide work year young zero
    """.split()  # noqa: SIM905 - a text is the readable form of this list
)
_LAST_PARTS = frozenset(
    """
    based term owned related called known driven specific level scale free oriented friendly up off date end old
    day sector cost risk pressure speed rate tech profile to in and of on the house aged sized size led funded
    backed run making taking saving sharing effective efficient intensive party person quarter half class year years
    month week hour minute page point way tier step stage dimensional weighted adjusted produced being defined
    established founded informed equipped trained designed developed looking reaching ranging standing lasting
    """.split()  # noqa: SIM905 - a text is the readable form of this list
)
_SUFFIXES = ("s", "ly", "er", "ing", "ed", "ment", "ness", "dom", "ful", "less", "age", "ity", "ish", "hood", "ship")
_VOWELS = "aeiou"


def joined(words: Sequence[str]) -> list[str]:
    """The words of a page, those that a line's end broke made whole, with the hyphen where it belongs to them."""
    broken = [place for place, word in enumerate(words) if LINE_END_HYPHEN in word]
    if not broken:
        return list(words)
    known = {word.strip(".,;:!?()[]\"'“”‘’").lower() for word in words}
    whole = list(words)
    for place in broken:
        whole[place] = _whole(words[place], known)
    return whole


def _whole(word: str, known: set[str]) -> str:
    while LINE_END_HYPHEN in word:
        first, _, last = word.partition(LINE_END_HYPHEN)
        word = first + ("-" if _is_hyphenated(first, last, known) else "") + last
    return word


def _is_hyphenated(first: str, last: str, known: set[str]) -> bool:
    """Whether a word of these two parts has a hyphen between them."""
    if not first or not last:
        return not last
    if "-" in first or "-" in last.split(LINE_END_HYPHEN)[0] or _begins_another_word(first, last):
        return True
    start = first.rpartition("-")[2].lstrip("\"'“‘([").lower()
    end = last.split(LINE_END_HYPHEN)[0].rstrip(".,;:!?)]\"'”’").lower()
    if f"{start}-{end}" in known or start + end in known:
        return f"{start}-{end}" in known
    if len(start) == 1:
        return True  # X-ray, e-mail, T-shirt: no word is broken after one letter
    return (len(first) > 1 and first.isupper() and last[0].islower()) or _is_compound(start, end)


def _begins_another_word(first: str, last: str) -> bool:
    """Whether the letters where two parts meet cannot be of one word: a digit, or a capital after small letters."""
    if not (first[-1].isalpha() and last[0].isalpha()):
        return True
    return last[0].isupper() and (first[-1].islower() or (len(first) > 1 and last[1:2].islower()))


def _is_compound(start: str, end: str) -> bool:
    """Whether two parts, of which the page says nothing, are mostly written with a hyphen."""
    if start[-1] == end[0] and start[-1] in _VOWELS and len(start) <= 5:
        return True  # co-operative, re-elected, anti-inflation: two of the same vowel
    if end in _LAST_PARTS and len(start) > 2:
        return start in _FIRST_PARTS or len(end) > 4
    return start in _FIRST_PARTS and len(end) > 3 and end not in _SUFFIXES
