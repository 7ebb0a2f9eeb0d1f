"""What a question asks for, by its words: which kind of thing, in which unit, of what, and whether to compare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.mentioned_units import mentioned_units
from pagesight.indexing.values.quantities import quantities

#: Words about the answer or the place of it, which no page needs to hold.
_FRAME = frozenset(
    tokenize(
        "according document documents report page pages figure table chart graph diagram slide slides section paper "
        "text author authors shown show shows given listed mentioned name names many much number total percentage "
        "percent following answer please list write use used based presentation question format laut "
        "high large big long old far heavy tall loud hoch groß lang schwer teuer dokument bericht seite tabelle "
        "abbildung viele among stand stands steht heißt autor autoren verfasser"
    )
)
#: The kind of thing that a question asks for, by its words; the first that fits counts.
Wanted = Literal["number", "date", "name", "telephone", "mail", "web", "meaning"]
#: What is measured or counted, where a question asks what it is.
_MEASURED = (
    r"(?:total|average|mean|median|net|gross|number|amount|revenues?|sales|turnover|income|profits?|loss(?:es)?|earnings|"
    r"costs?|prices?|fees?|salar(?:y|ies)|wages?|budget|expens\w+|spending|debt|assets|liabilities|margin|dividends?|"
    r"tax(?:es)?|interest|rent|weight|height|width|length|depth|size|area|volume|capacity|speed|temperature|pressure|"
    r"voltage|power|energy|distance|population|age|duration|percentages?|shares?|proportion|rates?|ratio)"
)
_GEMESSEN = (
    r"(?:summe|gesamt\w+|durchschnitt\w*|anzahl|höhe|umsatz\w*|gewinn|verlust|ergebnis|kosten|preis|gebühr|gehalt|budget|"
    r"ausgaben|schulden|vermögen|marge|dividende|steuern?|zins\w*|miete|gewicht|breite|länge|tiefe|größe|fläche|volumen|"
    r"kapazität|geschwindigkeit|temperatur|druck|spannung|leistung|entfernung|alter|dauer|anteil|quote)"
)
_ASKS: list[tuple[Wanted, re.Pattern[str]]] = [
    ("telephone", re.compile(r"(?i)\b(?:tele)?phone (?:no|number)\b|\btelefon(?:nummer)?\b|\bfax (?:no|number)\b")),
    ("mail", re.compile(r"(?i)\be-?mail(?: address)?\b")),
    ("web", re.compile(r"(?i)\b(?:web ?(?:site|page|address)|url|webseite|internetadresse)\b")),
    ("number", re.compile(
        r"(?i)\b(?:how (?:much|many|high|large|big|long|old|far|fast|heavy|tall|loud|often)|what (?:percentage|percent|"
        r"share|number|amount|price|rate|value|proportion)|which (?:share|revenue|sound|level|percentage)|by how|cost|"
        r"wie (?:viel|viele|hoch|groß|lang|laut|schwer|teuer)|was kostet|anteil|leistungszahl|"
        r"in (?:millions|percent|euros|dollars))\b"
        rf"|\b(?:what|which) (?:is|was|are|were) (?:[\w.&'’-]+ ){{0,5}}?{_MEASURED}\b"
        rf"|\bwas (?:ist|war|sind|waren) (?:\w+ ){{0,3}}?{_GEMESSEN}\b"
    )),
    ("date", re.compile(
        r"(?i)(?:^|[,;:] ?|since |until |\?)when\b|\b(?:which (?:day|date|year|month|quarter)|"
        r"what (?:date|year|day)|wann|welche[mrs]? (?:tag|jahr))\b"
    )),
    ("meaning", re.compile(
        r"(?i)^\W*(?:what (?:is|are|does)|what's|was (?:ist|sind|bedeutet|heißt)) (?:an? |the |eine? |der |die |das )?"
        r"(?P<of>[\w/&.“”\"„’'-]+(?: [\w/&.“”\"„’'-]+){0,2}?)(?: mean| stand for| do| used for)?\W*$"
    )),
    ("name", re.compile(r"(?i)\b(?:who|whose|whom|which (?:person|firm|company)|wer|wem|wen)\b")),
]  # fmt: skip
#: In which unit the answer is wanted: "in millions of euros", "how many thousand tonnes".
_UNIT_ASKED = re.compile(
    r"(?i),? \(?\bin (?:thousands?|millions?|billions?|percent|per cent|euros|dollars|dB\(A\)|kW|kg)"
    r"(?: of (?:\w+ )?(?:euros|dollars|tonnes))?\)?|\b(?:thousand|million|billion)s?\b"
)
_NAME = re.compile(r"(?<![.?!:] )(?<!^)(?<![\"“„])\b[A-Z][\w'’-]*[A-Za-z0-9]\b")
_PLACE = re.compile(
    r"(?i)\b(?:pages?|slides?|figures?|fig\.|tables?|seiten?|abbildung|tabelle|section)\s*\d+(?:\s*[-–]\s*\d+)?"
)
_SHARE = re.compile(r"(?i)\b(?:percentage|percent|prozent\w*|share|anteil)\b")
#: How what is asked for looks, where it looks like nothing else.
_LOOKS: dict[Wanted | None, re.Pattern[str]] = {
    "telephone": re.compile(
        r"(?<![\w.,])(?!\d\d[./-]\d\d[./-]\d\d)(?:\+|\(0|0)\d[\d ()/.-]{6,}\d(?![\w.,]\d)"
        r"|(?<!\d)\d{3}[ .-]\d{3}[ .-]\d{4}(?!\d)"
    ),
    "mail": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "web": re.compile(r"(?i)\b(?:https?://|www\.)\S+|(?<![@\w.])[\w-]+\.(?:com|org|net|gov|edu|de|co\.uk)\b"),
}
_QUARTER = re.compile(
    r"(?i)\b(?:the )?(?P<which>first|second|third|fourth|last|1st|2nd|3rd|4th|"
    r"ersten?|zweiten?|dritten?|vierten?|[1-4]\.) "
    r"(?:quarter|quartal)(?: (?:of|des jahres|in))?(?: (?P<year>(?:19|20)\d\d))?"
)
_QUARTERS = {
    "first": 1, "1st": 1, "erste": 1, "1.": 1, "second": 2, "2nd": 2, "zweite": 2, "2.": 2,
    "third": 3, "3rd": 3, "dritte": 3, "3.": 3, "fourth": 4, "4th": 4, "last": 4, "vierte": 4, "4.": 4,
}  # fmt: skip
#: What a question says of the answer's form, up to its end: "Please give your answer to the nearest hundred".
_FORM = re.compile(
    r"(?is)(?<=[.?!,;:])\s*(?:please |bitte )?(?:write|give|return|provide|express|format|round|answer|output|"
    r"antworte\w*|gib|schreibe?|(?:the |your |die )?(?:answer|output|antwort) (?:should|must|soll\w*))\b[^?]{0,60}?"
    r"\b(?:answers?|format(?:ted)?|integers?|decimals?|alphabetical|nearest|floats?|strings?|list|one word|percents?|"
    r"antwort|liste|wort)\b.*$"
)
#: Price lists say prices, and accounts what is spent: who asks what a thing costs asks for its price.
_COSTS = re.compile(
    r"(?i)\b(?:what|how much) (?:does|do|did|would|will) (?P<thing>.+?) cost\b"
    r"|\bwas (?:kostet|kosten|kostete) (?P<sache>.+)"
)
#: A title page says who the author is, and seldom that somebody wrote it.
_WROTE = re.compile(r"(?i)\bwho wrote (?P<work>.+)|\bwer (?:hat (?P<werk>.+?) geschrieben|schrieb (?P<buch>.+))")
_MOST_ASKED = re.compile(
    r"(?i)\b(?:largest|highest|most|biggest|greatest|maximum|longest|tallest|heaviest|best|top|oldest|loudest|fastest|"
    r"größte[nrsm]?|höchste[nrsm]?|meisten?|längste[nrsm]?|schwerste[nrsm]?|teuerste[nrsm]?)\b"
)
_LEAST_ASKED = re.compile(
    r"(?i)\b(?:smallest|lowest|least|fewest|minimum|shortest|lightest|cheapest|worst|youngest|slowest|"
    r"kleinste[nrsm]?|niedrigste[nrsm]?|wenigsten?|kürzeste[nrsm]?|leichteste[nrsm]?|billigste[nrsm]?|geringste[nrsm]?)\b"
)
#: What is to be worked out of two numbers, by the question's words; the first that fits counts.
Operation = Literal["change", "ratio", "sum", "difference"]
_OPERATIONS: list[tuple[Operation, re.Pattern[str]]] = [
    ("change", re.compile(
        r"(?i)\bpercent(?:age)? (?:change|increase|decrease|growth|rise)\b|\b(?:growth|change) rate\b|"
        r"\bby (?:how many|what) percent\b|\bum wie ?viel prozent\b|\bveränderungsrate\b"
    )),
    ("ratio", re.compile(
        r"(?i)\bratio (?:of|between)\b|\bmultiple of\b|\bhow many times\b|\bverhältnis\b|\bwie ?viel ?mal\b"
    )),
    ("sum", re.compile(r"(?i)\b(?:combined|sum of|total of|together|altogether|in sum|summe|zusammen|insgesamt)\b")),
    ("difference", re.compile(
        r"(?i)\bby how (?:much|many)\b|\bhow (?:much|many) (?:\w+ ){0,2}?(?:more|less|fewer|higher|lower|larger)\b|"
        r"\b(?:difference|gap|decrease|increase|growth|change) (?:\w+ ){0,3}?(?:between|from|in|of)\b|"
        r"\bum wie ?viel\b|\bwie viele? (?:mehr|weniger)\b|\b(?:unterschied|differenz|anstieg|rückgang)\b"
    )),
]  # fmt: skip
#: What everybody shortens, and few pages do.
_STANDS_FOR = {
    "CEO": "chief executive officer", "CFO": "chief financial officer", "COO": "chief operating officer",
    "CTO": "chief technology officer", "GDP": "gross domestic product", "VAT": "value added tax",
}  # fmt: skip
_OTHERWISE = {short.casefold(): words for short, words in _STANDS_FOR.items()} | {
    words: short for short, words in _STANDS_FOR.items()
}
_SHORT_OR_LONG = re.compile(rf"\b(?:{'|'.join(_STANDS_FOR)}|(?i:{'|'.join(_STANDS_FOR.values())}))\b(?! ?[()])")
#: Tables say the weight of a thing, and who asks says how heavy it is; the second ones also ask for rates and sums, so
#: they count where they are asked of a name: "How high is the Tarn 8?"
_DEGREES = {
    "heavy": "weight", "tall": "height", "wide": "width", "deep": "depth", "thick": "thickness", "fast": "speed",
    "loud": "noise, sound", "hot": "temperature", "cold": "temperature",
    "schwer": "Gewicht", "breit": "Breite", "tief": "Tiefe", "dick": "Dicke", "schnell": "Geschwindigkeit",
    "laut": "Schall, Lautstärke", "heiß": "Temperatur", "kalt": "Temperatur", "teuer": "Preis",
}  # fmt: skip
_DEGREES_OF_A_NAME = {
    "high": "height", "long": "length", "large": "size", "big": "size",
    "hoch": "Höhe", "lang": "Länge", "groß": "Größe",
}  # fmt: skip
_HOW = re.compile(rf"(?i)\b(?:how|wie) (?P<degree>{'|'.join(_DEGREES)})\b(?! ?[()])")
_HOW_OF_A_NAME = re.compile(
    rf"\b(?:[Hh]ow|[Ww]ie) (?P<degree>{'|'.join(_DEGREES_OF_A_NAME)})(?! ?[()])"
    r"(?= (?:is|are|was|ist|sind|war) (?:the |an? |der |die |das |eine? )?[\w-]+ \d+\w?\??$)"
)
_COUNT = re.compile(r"(?i)\bhow many\b|\bnumber of\b|\bcount of\b|\bwie viele\b|\banzahl\b")


def as_pages_say(question: str) -> str:
    """The question with words that pages have: "the price of …" for "what does … cost", the author for who wrote, Q4
    for "fourth quarter", the weight beside "how heavy", what CEO stands for beside it and the other way round; without
    the form of the answer."""
    said = _WROTE.sub(_as_author, _COSTS.sub(_as_price, _FORM.sub("", question)))
    said = _QUARTER.sub(_short_quarter, said)
    said = _HOW_OF_A_NAME.sub(_with_its_noun, _HOW.sub(_with_its_noun, said))
    return _SHORT_OR_LONG.sub(lambda found: f"{found[0]} ({_OTHERWISE[found[0].casefold()]})", said)


def _as_price(found: re.Match[str]) -> str:
    return f"what is the price of {found['thing']}" if found["thing"] else f"was ist der Preis für {found['sache']}"


def _with_its_noun(found: re.Match[str]) -> str:
    nouns = _DEGREES | _DEGREES_OF_A_NAME
    return f"{found[0]} ({nouns[found['degree'].lower()]})"


def _as_author(found: re.Match[str]) -> str:
    if found["work"]:
        return f"who is the author of {found['work']}"
    return f"wer ist der Autor von {found['werk'] or found['buch']}"


def _short_quarter(found: re.Match[str]) -> str:
    which = found["which"].lower()
    quarter = f"Q{_QUARTERS.get(which) or _QUARTERS[which.rstrip('n')]}"
    return f"{quarter} {found['year']}" if found["year"] else quarter


def wanted_kind(question: str) -> Wanted | None:
    """What kind of thing it asks for; None where it does not say."""
    return next((kind for kind, asks in _ASKS if asks.search(question)), None)


def says_what_is_meant(text: str, question: str) -> bool:
    """Whether a text says what the thing is that a question asks the meaning of: "X is …", "“X” means …", "… (X)"."""
    asked = next(asks for kind, asks in _ASKS if kind == "meaning").search(question)
    if asked is None:
        return False
    of = re.escape(asked["of"].strip("“”\"„’'?. "))
    return re.search(
        rf"(?i)(?:^|[.:;] )\W*(?:an? |the |eine? |der |die |das )?(?:[\w-]+ ){{0,4}}?\(?{of}\b"
        rf"[”“\"’')]*(?: \([^)]*\))?,? "
        rf"(?:is|are|means?|refers? to|stands? for|denotes?|ist|sind|bedeutet|heißt|steht für|bezeichnet)\b.*\w"
        rf"|\({of}\)",
        text,
    ) is not None  # fmt: skip


def looks_like(text: str, kind: Wanted | None) -> bool:
    """Whether a text has what looks like the kind of thing that is asked for, such as a telephone number."""
    return kind in _LOOKS and bool(_LOOKS[kind].search(text))


def wanted_units(question: str) -> frozenset[str]:
    """The units that the answer may have: of "how many grams" g, of "what percentage" %."""
    named = [unit for unit, _ in mentioned_units(question) if unit]
    return frozenset([*named, "%"] if _SHARE.search(question) else named)


def wanted_extreme(question: str) -> Literal["most", "least"] | None:
    """Whether it asks for the largest or the smallest of several; None for neither, or both."""
    most, least = bool(_MOST_ASKED.search(question)), bool(_LEAST_ASKED.search(question))
    return None if most == least else "most" if most else "least"


def extreme_words(question: str) -> list[str]:
    """The words by which it asks for the largest or the smallest."""
    return [*_MOST_ASKED.findall(question), *_LEAST_ASKED.findall(question)]


def asked_operation(question: str) -> Operation | None:
    """What it asks to be worked out of two numbers; None for nothing."""
    return next((operation for operation, asks in _OPERATIONS if asks.search(question)), None)


def operation_words(question: str) -> list[str]:
    """The words by which it asks for that, such as "difference between"."""
    return [words for _, asks in _OPERATIONS for words in asks.findall(question)]


def asks_for_a_count(question: str) -> bool:
    """Whether it asks how many of something there are."""
    return bool(_COUNT.search(question))


def years_of(question: str) -> list[str]:
    """The years that it names."""
    return [question[slice(*one.digits)] for one in quantities(question) if one.year]


def asked_terms(question: str) -> list[str]:
    """The terms of a question that an answer's page should hold."""
    for kind, asks in _ASKS:
        if kind in _LOOKS:  # pages write "Tel:" or nothing before a telephone number
            question = asks.sub(" ", question)
    terms = read_query(_UNIT_ASKED.sub(" ", _without_places(question))).terms
    return [term for term in terms if term not in _FRAME] or list(read_query(question).terms)


def names_and_numbers(question: str) -> list[str]:
    """The terms of names in an English question, whose other nouns are small, and its years and numbers."""
    numbers = re.findall(r"(?<![\w.,])\d(?:[\d.,]*\d)?(?!\w)", _without_places(question))  # P7 is a name
    english = not re.search(r"(?i)[äöüß]|\b(?:der|die|das|welche\w*|wie|wer)\b|^\W*was\b", question)
    after_the_first = question.split()[1:]
    capitals = sum(word[:1].isupper() for word in after_the_first)
    in_small_letters = capitals <= len(after_the_first) / 2  # a question in capitals tells no names
    named = _NAME.findall(question) if english and in_small_letters else []
    tokens = [token for text in [*numbers, *named] for token in tokenize(text) if token not in _FRAME]
    told = read_query(question).terms  # "The Limes" is named by one word
    return [token for token in tokens if token.isdigit() or (len(token) > 1 and token in told)]


def _without_places(question: str) -> str:
    """The question without the pages and figures that it names: they need not stand on the page."""
    return _PLACE.sub(" ", question)


def abbreviated(terms: Sequence[str]) -> dict[str, list[str]]:
    """The first letters of three to five words of a question that follow each other, each with these words: a table may
    say SPF for a seasonal performance factor."""
    found: dict[str, list[str]] = {}
    for length in range(3, 6):
        for at in range(len(terms) - length + 1):
            words = list(terms[at : at + length])
            if all(word.isalpha() for word in words):
                found["".join(word[0] for word in words)] = words
    return found
