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
    diapositiva diapositivas lámina lâmina folha folhas fl fls fol folio folios
    pagine pagg   pagina's blz bladzijde bladzijden dia dia's
    str strona strony stron stronie slajd slajdy strana strany stránka stránky snímek
    с стр страница страницы страниц странице страницах слайд слайде слайды стор сторінка сторінки сторінці
    sid sida sidor sidan side sider siden lysbilde sivu sivut sivulla
    sf syf sayfa sayfalar sayfası sayfaları sayfada slayt
    σ σελ σελίδα σελίδες   oldal oldalak
    ص صفحة صفحات الصفحة الصفحات الصفحتان الصفحتين شريحة الشريحة الشرائح   صفحه اسلاید صفحہ صفحے
    עמ עמ' ע' עמוד עמודים   पृ पृष्ठ पृष्ठों पेज स्लाइड পৃ পৃষ্ঠা পৃষ্ঠায় পাতা স্লাইড   trang tr   halaman hal hlm
    หน้า หน้าที่ สไลด์"""
_PAGE_JOINED = "第 页 页码 頁 頁目 頁碼 幻灯片 投影片 ページ ページ目 スライド 제 쪽 페이지 슬라이드"
#: "no." and the like between the word and the number.
_NUMBERED = """no nos nr nro num number nummer n° nº № numéro núm nums número numéros números
    numero номер رقم संख्या क्रमांक नंबर নং নম্বর số nomor ke- 번호 番号 编号 ที่"""
#: "pages from 2 to 4".
_FROM = "from von da de od с z із від von de la du desde del dari từ من از"
_AND = """and or plus und u sowie oder et ou y e ed i oraz и а та і en og och ja ve και és dan
    और तथा एवं ও এবং اور và và cả และ"""
_AND_JOINED = "和 及 与 與 以及 と および 및 과 와 و"
_TO = """to through thru till until bis à al a até ate tot t/m do по до til ile έως ως إلى حتى تا से sampai s/d sd
    đến tới থেকে עד ถึง"""
_TO_JOINED = "至 到 から 에서 부터"
_OF = "of from in von aus de du des der di del della dal do da van uit z ze из з من का dari của ของ"
#: What may stand between a name and a page, in front of a page, and between a page and its name: "a.pdf, on page 2".
_FILLERS = """at on in the of its this s pdf file document doc   auf der die das dem den im am datei dokument
    à a la le les au aux sur en dans l' d' fichier   el los las del documento archivo   na no nas nos da do dos arquivo
    pelo pela   alla nella al   op het bestand   w z od pliku dokumentu plik   на в с из от файла документа файле
    في رقم من الملف الوثيقة   के का की में पर फ़ाइल से   এর   و   di pada dari dokumen   trên ở của trong tệp
    på från av   nin nın nun nün in ın un ün den dan   ב של"""
#: The same in languages that divide no words.
_FILLERS_JOINED = "の 的 之 中 內 内 上 의 에 ของ"
_SEE = """see also source sources from per ref reference references doc document documents file according to in
    cf c.f siehe auch vgl quelle quellen beleg belege aus dokument datei voir véase ver fuente fuentes fonte fontes
    vedi fonti zie bron bronnen zob patrz źródło źródła см источник источники документ bkz kaynak
    المصدر انظر स्रोत nguồn sumber"""
_SEE_JOINED = "来源 资料来源 出处 参见 见 文件 出典 参照 出所 資料 출처 참조"
#: "also p. 3", "ibid. p. 3": of the document before it.
_SAME = "also ebenso aussi également también também anche ook ibid ibidem ebd ebenda idem там же"
_REGION = """region regions région régions región regiones regione região area área bereich ausschnitt regio gebied
    obszar область регион منطقة المنطقة bölge क्षेत्र box bbox box_2d coordinates 区域 區域 領域 영역"""
# A name that nobody knows is none when it begins or ends like this: "[Table 3, page 2]", "[continued on page 3]".
NO_NAME = """table tab figure fig chart section chapter appendix footnote note line row column
    tabelle abbildung abb kapitel anhang abschnitt fußnote tableau tabla"""
_ORDINALS = "st nd rd th e er ère re ème eme de ste a o ª º ° я й е ый ая"
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
_MARK = (
    rf"(?:{_words(_PAGE)}(?!{LETTER})\.?|{_words(_PAGE_JOINED)})"
    rf"(?:\s*{_words(_NUMBERED)}(?!{LETTER})\.?)?[\s*_:=#.~\"'`]*(?:{_words(_FROM)}\s+)?"
)
# Neither "2.5", "2nd", "2²" or "2 %" is a page; "2f." and "2 ff." say that more follow.
_AFTER = r"(?![\d\u00b2\u00b3\u00b9\u2070-\u209f\u2460-\u24ffa-z\u00df-\u024f\u0370-\u06ff]|\.\d|\s*[%‰°€$£¥])"
_UNIT = (
    rf"(?:{_words(' '.join(word for word in _PAGE.split() if len(word) > 2))}(?!{LETTER})\.?|{_words(_PAGE_JOINED)})"
)
_NUMBER = (
    rf"(?P<number>\d{{1,9}})(?P<more>\s?ff?(?!{LETTER})\.?)?{_AFTER}(?:\s*{_words(_PAGE_JOINED)})?"
    rf"(?:\.?\s*{_UNIT}(?!\s*\d))?"
)
_ORDINAL = rf"(?:\.|-?{_words(_ORDINALS)})?"
_LISTED = (
    rf"(?:\s*[-~,&・]\s*|\.?\s+(?:{_words(_AND)}|{_words(_TO)})\s+"
    rf"|\s*(?:{_words(_AND_JOINED)}|{_words(_TO_JOINED)})\s*)"
)
# "page 2", "2nd page", "2-4 pages", and "page two" in Chinese.
MARKED = (
    rf"{_MARK}{_NUMBER}"
    rf"|(?P<ordinal>\d{{1,9}}){_ORDINAL}(?:\s*{_words(_NUMBERED)})?\s*{_UNIT}"
    rf"|(?P<first>\d{{1,9}})(?={_ORDINAL}(?:{_LISTED}\d{{1,9}}{_ORDINAL}){{1,4}}\s*{_UNIT})"
    r"|第\s*(?P<han>[〇零一二两兩三四五六七八九十百]{1,7})\s*(?:[页頁张張]|ページ)"
)
# Four digits are rather a year.
BARE = rf"(?P<number>\d{{1,3}})(?=(?:\s*[-~,&]\s*\d{{1,3}}(?!\d))*\s*(?:$|[{_ANY_CLOSING},;|]))"
# A page by what is printed on it, and one more: "p. iv", "pp. A-3 and A-4".
_PRINTED_LABEL = r"(?P<label>[^\W_][\w.-]{0,39})(?![^\W_])"
PRINTED = rf"{_MARK}{_PRINTED_LABEL}"
MORE_PRINTED = (
    rf"(?:\s*[,;&+]\s*(?:{_words(_AND)}\s+)?|\s+{_words(_AND)}\s+|\s*{_words(_AND_JOINED)}\s*)"
    rf"(?:{_MARK})?{_PRINTED_LABEL}"
)
RANGE = (
    rf"(?:{_SKIP}(?:-|~|\.\.\.?|…)|\.?\s+{_words(_TO)}\s|\s*{_words(_TO_JOINED)})"
    rf"{_SKIP}(?:{_MARK})?{_NUMBER}"
)
LIST = (
    rf"(?:\s*[,;&+・]\s*(?:{_words(_AND)}\s+)?|\.?\s+{_words(_AND)}\.?\s+|\s*{_words(_AND_JOINED)}\s*)"
    rf"(?P<mark>{_MARK})?{_NUMBER}"
)
TOTAL = rf"\s*(?:/|{_words(_OF)}\s|共)\s*\d{{1,9}}(?!\d)"
#: All that follows the name in a label that tools are given: signs, perhaps a word for a page, and a number.
A_NUMBER = r"[\W_]+(?:(?:p|pg|page)(?![^\W\d_])(?:\W*(?:no|nr|number|#)(?![^\W\d_]))?)?[\W_]*(?<![-−])(\d{1,9})[\W_]*$"
# What follows a number that is one of a list: no other word, or it is a name ("10-k.pdf") or a count ("3 tables").
TAIL = rf"[\s\-._]*({LETTER}+)?"
MAY_FOLLOW = plain_words(" ".join([_AND, _AND_JOINED, _TO, _TO_JOINED, _OF, _PAGE, _PAGE_JOINED, _REGION]))

DECORATION = _SKIP
BETWEEN = rf"[\s*_`\"'~,;|&+/.:\-…]*(?:(?:{_words(_AND)}(?!{LETTER})|{_words(_AND_JOINED)})[\s,:]*)?"
SEPARATOR = rf"(?:[^\w{_ANY_BRACKET}\n]|[_\n])*"  # any signs but brackets
_FILLER = (
    rf"(?:{_words(_FILLERS)}(?!{LETTER})|{_words(_FILLERS_JOINED)}"
    rf"|(?:{_words(NO_NAME)}(?!{LETTER})\.?|§)\s*[a-z]?[\d.]{{1,6}})"
)
#: What stands between a name and its page, with at least one word: ", on page 2", ", table 3, page 2".
TO_ITS_PAGE = rf"(?:{SEPARATOR}{_FILLER}){{1,4}}{SEPARATOR}(?={MARKED})"
#: What stands in front of a page: "on page 2 of a.pdf", "see also p. 3".
TO_A_PAGE = rf"(?:(?:{_FILLER}|{_words(f'{_SEE} {_SAME}')}(?!{LETTER})[.,:]*)\s*){{1,3}}(?={MARKED})"
TARGET = r"\([^()\s]*\)"
LEAD = (
    rf"(?:(?:{_words(f'{_SEE} {_FILLERS}')}(?!{LETTER})[.:]?|{_words(_SEE_JOINED)}:?)"
    rf"|[^:,{_ANY_BRACKET}|;\n]{{1,30}}:(?![\\/\d]))[\s:]*"
)
SEEN = rf"{_words(_SEE)}(?!{LETTER})[.:]?[\s:]*"
BEFORE_A_NAME = rf"[^{_ANY_BRACKET};|\n]{{0,{LONGEST_ASIDE}}}"
WORD_START = r"(?<![^\W_])[^\W_]|(?<=[/\\])."
#: What stands between a page and its name, and each word of it: "page 2 of the file a.pdf".
BEFORE_ITS_NAME = r"\s*[,(:-]\s*|\s+"
WORD_BEFORE_ITS_NAME = rf"(?:{_words(f'{_OF} {_FILLERS}')}(?:(?<=')|(?!{LETTER}))|{_words(_FILLERS_JOINED)})[\s'.:]*"
STRICT = r"(?<![^\W_])(?:pp?\.|pages?|seiten?)\s*\d"
WITH_SUFFIX = rf"[^{_ANY_BRACKET};|\n]{{1,{LONGEST_NAME}}}?\.[a-z][a-z0-9]{{1,4}}(?![^\W_])"
STRICTLY_CITED = rf"(?P<name>[^\[\];|\n]{{1,{LONGEST_NAME}}}?)[\s,:]+(?=(?:pp?\.|pages?\s|seiten?\s)\s*\d)"

_COORDINATE = r"(?:[yx]_?(?:min|max)\s*[=:]?\s*)?(\d{1,9})"
PLACE = (
    rf"(?P<outer>\()?\s*(?P<word>{_words(_REGION)}(?!{LETTER})[\s:=]*)?(?P<open>[\[({{])?\s*"
    + r"(?:\s*,\s*|\s+)".join([_COORDINATE] * 4)
    + r"(?!\d)\s*(?(open)[\])}])\s*(?(outer)\))"
)
REGION_IN_WORDS = rf"{_words(_REGION)}(?!{LETTER})[\s:=]*[\[({{]?\s*{_COORDINATE}\s*,"
ASIDE = (
    rf"(?:(?!\s{_words(_AND)}\s)[^{_ANY_BRACKET};|,\n]){{1,{LONGEST_ASIDE}}}"
    rf"|\([^{_ANY_BRACKET}\n]{{0,{LONGEST_ASIDE}}}\)"
)
