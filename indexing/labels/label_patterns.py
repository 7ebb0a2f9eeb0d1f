"""The words for "page", "region", "see" and the like by language, and the patterns that page labels are read with.

Patterns are for plain text (`PlainText.plain`): lower case, one spelling for each character.
"""

from __future__ import annotations

import re
from functools import cache

from pagesight.indexing.labels.document_names import PlainText

#: What may open a label in a text, and what closes it; full-width brackets are made plain before.
CLOSING = dict(zip("[({【〔〖⟦〚⟨〈《「『`", "])}】〕〗⟧〛⟩〉》」』`", strict=True))

LONGEST_NAME = 200  # of a document that is not known, and of what stands before a known one; a guess, not measured
LONGEST_ASIDE = 60  # a guess, not measured

# Words, by language: English, German, French, Spanish and Portuguese, Italian, Dutch, Polish and Czech, Russian and
# Ukrainian, Scandinavian and Finnish, Turkish, Greek, Hungarian, Arabic, Persian and Urdu, Hebrew, Hindi and Bengali,
# Vietnamese, Indonesian, Thai; then those that are written without spaces: Chinese, Japanese, Korean.
_PAGE = """p pp pg pgs page pages slide slides sl sheet sheets   s ss seite seiten folie folien bl blatt
    diapositive diapositives diapo diapos planche planches   pág págs pag pags página páginas pagina paginas
    diapositiva diapositivas lámina lâmina   pagine pagg   pagina's blz bladzijde bladzijden dia dia's
    str strona strony stron stronie slajd slajdy strana strany stránka stránky snímek
    с стр страница страницы страниц странице слайд слайды стор сторінка сторінки
    sid sida sidor sidan side sider siden lysbilde sivu sivut sivulla   sf syf sayfa sayfalar sayfası slayt
    σ σελ σελίδα σελίδες   oldal oldalak   ص صفحة صفحات الصفحة الصفحات شريحة   صفحه اسلاید صفحہ
    עמ עמ' ע' עמוד עמודים   पृ पृष्ठ पेज পৃষ্ঠা   trang tr   halaman hal hlm   หน้า"""
_PAGE_JOINED = "第 页 页码 頁 頁目 幻灯片 ページ ページ目 スライド 쪽 페이지 슬라이드"
_AND = "and or plus und sowie oder et ou y e ed i oraz и та en og och ja ve και és dan"
_TO = "to through thru till until bis à al a até ate tot t/m do по до til ile έως إلى حتى से sampai"
_OF = "of from in von aus de du des der di del della dal van uit z ze из з من का"
_SEE = """see also source sources from per ref reference references doc document documents file according to in
    cf c.f siehe auch vgl quelle quellen beleg belege aus dokument datei voir véase ver fuente fuentes fonte fontes
    vedi fonti zie bron bronnen zob patrz źródło źródła см источник источники документ bkz kaynak
    المصدر انظر स्रोत nguồn sumber"""
_SEE_JOINED = "来源 资料来源 出处 参见 见 文件 出典 参照 出所 資料 출처 참조"
_REGION = """region regions région régions región regiones regione região area área bereich ausschnitt regio gebied
    obszar область регион منطقة المنطقة bölge क्षेत्र box bbox box_2d coordinates 区域 區域 領域 영역"""
# A name that nobody knows is none when it begins or ends like this: "[Table 3, page 2]", "[continued on page 3]".
NO_NAME = """table figure fig chart section chapter appendix footnote note line row column
    tabelle abbildung abb kapitel anhang abschnitt fußnote tableau tabla"""
LEADS_ON = "on at to the and see on auf sur en op na em su auch also cf vgl siehe page pages"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of this module, compiled at its first use."""
    return re.compile(pattern)


@cache
def plain_words(words: str) -> frozenset[str]:
    """Words divided by white space, made plain."""
    return frozenset({PlainText(word).plain for word in words.split()})


@cache
def _words(words: str) -> str:
    longest_first = sorted(plain_words(words), key=len, reverse=True)
    return "(?:" + "|".join(map(re.escape, longest_first)) + ")"


# The patterns are compiled when they are first needed: all together they take 70 ms.
LETTER = r"[^\W\d_]"
_SKIP = r"[\s*_`\"'~]*"  # white space, emphasis, quotes
_ANY_CLOSING = re.escape("".join(CLOSING.values()))
_ANY_BRACKET = re.escape("".join(CLOSING) + "".join(CLOSING.values())).replace("`", "")
_MARK = rf"(?:{_words(_PAGE)}(?!{LETTER})\.?|{_words(_PAGE_JOINED)})(?:\s*(?:no|nr|n°|№)\b\.?)?[\s*_:=#.]*"
# Neither "2.5", "2nd" or "2²" is a page; "2f." and "2 ff." say that more follow.
_AFTER = r"(?![\d\u00b2\u00b3\u00b9\u2070-\u209f\u2460-\u24ffa-z\u00df-\u024f\u0370-\u06ff]|\.\d)"
_NUMBER = rf"(?P<number>\d{{1,9}})(?P<more>\s?ff?(?!{LETTER})\.?)?{_AFTER}(?:\s*{_words(_PAGE_JOINED)})?"
_UNIT = _words(" ".join(word for word in _PAGE.split() if len(word) > 2))
MARKED = (
    rf"{_MARK}{_NUMBER}"
    rf"|(?P<ordinal>\d{{1,9}})(?:\.|st|nd|rd|th|[ªº°])?\s*(?:{_UNIT}(?!{LETTER})\.?|{_words(_PAGE_JOINED)})"
)
BARE = rf"(?P<number>\d{{1,3}})(?=\s*(?:$|[{_ANY_CLOSING},;|]))"  # four digits are rather a year
RANGE = rf"(?:{_SKIP}(?:-|~|\.\.\.?|…)|\s+{_words(_TO)}\s|\s*(?:至|到|から)){_SKIP}(?:{_MARK})?{_NUMBER}"
LIST = (
    rf"(?:\s*[,;&+]\s*(?:{_words(_AND)}\s+)?|\s+{_words(_AND)}\s+|\s*(?:和|及|与|與|と|및|và|و)\s*)"
    rf"(?P<mark>{_MARK})?{_NUMBER}"
)
TOTAL = rf"\s*(?:/|{_words(_OF)}\s|共)\s*\d{{1,9}}(?!\d)"
#: All that follows the name in a label that tools are given: signs, perhaps a word for a page, and a number.
A_NUMBER = r"[\W_]+(?:(?:p|pg|page)(?![^\W\d_])(?:\W*(?:no|nr|number|#)(?![^\W\d_]))?)?[\W_]*(?<![-−])(\d{1,9})[\W_]*$"
# What follows a number that is one of a list: no other word, or it is a name ("10-k.pdf") or a count ("3 tables").
TAIL = rf"[\s\-._]*({LETTER}+)?"
MAY_FOLLOW = plain_words(" ".join([_AND, _TO, _OF, _PAGE, _PAGE_JOINED, _REGION]))

DECORATION = _SKIP
BETWEEN = rf"[\s*_`\"'~,;|&+/.:\-…]*(?:(?:{_words(_AND)}(?!{LETTER})|和|及|与|與|と|및)[\s,:]*)?"
SEPARATOR = r"[\s*_`\"'~,:;|.#&?\-]*"
TARGET = r"\([^()\s]*\)"
LEAD = (
    rf"(?:(?:{_words(_SEE)}(?!{LETTER})[.:]?|{_words(_SEE_JOINED)}:?)"
    rf"|[^:,{_ANY_BRACKET}|;\n]{{1,30}}:(?![\\/\d]))[\s:]*"
)
SEEN = rf"{_words(_SEE)}(?!{LETTER})[.:]?[\s:]*"
BEFORE_A_NAME = rf"[^{_ANY_BRACKET};|\n]{{0,{LONGEST_ASIDE}}}"
WORD_START = r"(?<![^\W_])[^\W_]|(?<=[/\\])."
OF_A_NAME = rf"\s*(?:[,(-]|{_words(_OF)}(?!{LETTER})(?:\s+the(?!{LETTER}))?)\s*"
STRICT = r"(?<![^\W_])(?:pp?\.|pages?|seiten?)\s*\d"
WITH_SUFFIX = rf"[^{_ANY_BRACKET};|\n]{{1,{LONGEST_NAME}}}?\.[a-z][a-z0-9]{{1,4}}(?![^\W_])"
STRICTLY_CITED = rf"(?P<name>[^\[\];|\n]{{1,{LONGEST_NAME}}}?)[\s,:]+(?=(?:pp?\.|pages?\s|seiten?\s)\s*\d)"

_COORDINATE = r"(?:[yx]_?(?:min|max)\s*[=:]?\s*)?(\d{1,9})"
PLACE = (
    rf"(?P<outer>\()?\s*(?P<word>{_words(_REGION)}(?!{LETTER})[\s:=]*)?(?P<open>[\[({{])?\s*"
    + r"(?:\s*,\s*|\s+)".join([_COORDINATE] * 4)
    + r"(?!\d)\s*(?(open)[\])}])\s*(?(outer)\))"
)
ASIDE = (
    rf"(?:(?!\s{_words(_AND)}\s)[^{_ANY_BRACKET};|,\n]){{1,{LONGEST_ASIDE}}}"
    rf"|\([^{_ANY_BRACKET}\n]{{0,{LONGEST_ASIDE}}}\)"
)
