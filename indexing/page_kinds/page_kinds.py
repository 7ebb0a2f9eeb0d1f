"""From a page's words and its small picture to the kinds of page that it surely is; what is doubtful is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image

from pagesight.indexing.page_kinds.drawn import FEWEST_BARS, Drawn, drawn
from pagesight.indexing.page_kinds.laid_out import Cell, cells_of, is_captioned_table, table_rows, ticks
from pagesight.indexing.pages import Box, PageText

#: The kinds that pages are told by, in the order in which they are named.
KINDS = ("cover", "contents", "appendix", "table", "chart", "map", "photo", "form", "signature")

# All were set while looking at pages of mmlb-dev (docs/quality.md), so they will do worse on other documents.
_MOST_WORDS_OF_A_COVER, _TALL = 90, 1.6
_PHOTO, _PLOT = 0.03, 0.015  # of the page
_MAP, _STREETS = 0.12, 8  # of the page that is drawn on; names that run up or down it
_TURNED = 0.5  # of the words: more run up a page that is to be turned
_GROWING = 0.8  # of the numbers in a table of contents are not below the one before
_LISTED_SHARE = 0.3  # of the lines of a table of contents end in a page: others may have a link to it for a head
_TOP = 0.35  # of the page, where its title stands
_FEWEST_LINES = {"contents": 3, "leaders": 6, "blanks": 3, "boxes": 4}

_CONTENTS = re.compile(r"(?i)(?:table of )?contents|inhalt(?:sverzeichnis)?|table des matières|sommaire|índice")
_LISTED = re.compile(r".*\D[\s.·…_]+(\d{1,4})")
_LEADERS = re.compile(r".*\D(?:\s?[.·…_]){4,}\s?(\d{1,4})")
_APPENDIX = re.compile(r"(?i)(?:appendix|appendices|annex|anhang|anlage)\b.{0,60}")
_NO_MAP = re.compile(r"(?i)(?:strategy|road|process|mind|concept|heat|site|story|key)\s?-?maps?")
_MAP_TITLE = re.compile(r"(?i)(?:.{0,50}\b)?(?:maps?|landkarte|karte|lageplan|stadtplan)(?:\b.{0,50})?")
_BLANK = re.compile(r"_{5,}")
_BOX = ("☐", "☑", "☒", "□", "❑", "❏")
_SIGNED = re.compile(r"/s/.*|(?:\(?signature\)?|signed|unterschrift|signatur)\s?(?:[:(_].*)?", re.IGNORECASE)


def page_kinds(number: int, text: PageText, picture: Image.Image) -> list[str]:
    """The kinds of a page, see `KINDS`, from its words and its picture, `drawn.LONG_SIDE` long."""
    cells, seen = cells_of(text), drawn(picture, text)
    lines = text.text.splitlines()
    if _is_contents(cells, lines):
        return ["contents"]
    found = _drawn_kinds(cells, text, seen) | {
        "appendix": any(_APPENDIX.fullmatch(cell.text) for cell in _titles(cells, text)),
        "form": _is_form(text, lines),
        "signature": any(_SIGNED.fullmatch(cell.text.strip()) for cell in cells),
    }
    found["cover"] = number == 1 and _is_cover(text) and not (found["table"] or found["chart"])
    return [kind for kind in KINDS if found.get(kind)]


def _drawn_kinds(cells: Sequence[Cell], text: PageText, seen: Drawn) -> dict[str, bool]:
    if _is_map(cells, text, seen):
        return {"map": True, "table": False, "chart": False}
    chart = _is_chart(text, seen)
    beside = [cell for cell in cells if not _in_any(cell.box, seen.charts)]
    table = seen.ruled or table_rows(beside) > 0 or is_captioned_table(cells)
    return {"chart": chart, "table": table, "photo": not chart and seen.photo >= _PHOTO}


def _titles(cells: Sequence[Cell], text: PageText) -> list[Cell]:
    """Cells in the upper part of the page that are taller than most of its words, or stand first."""
    if not cells:
        return []
    tall = text.word_height * 1.15
    first = min(cells, key=lambda cell: cell.box[1])
    return [one for one in cells if one.box[1] < _TOP and (one is first or one.box[3] - one.box[1] >= tall)]


def _is_cover(text: PageText) -> bool:
    if not 0 < len(text.words) <= _MOST_WORDS_OF_A_COVER:
        return False
    heights = text.boxes[:, 3] - text.boxes[:, 1]
    return bool(heights.max() >= _TALL * text.word_height) or len(text.words) < _MOST_WORDS_OF_A_COVER / 3


def _is_contents(cells: Sequence[Cell], lines: Sequence[str]) -> bool:
    titled = any(cell.box[1] < _TOP and _CONTENTS.fullmatch(cell.text.strip(" :")) for cell in cells)
    listed, led = _growing(_LISTED, lines), _growing(_LEADERS, lines)
    least = max(_FEWEST_LINES["contents"], _LISTED_SHARE * len(lines))
    return (titled and listed >= least) or led >= _FEWEST_LINES["leaders"]


def _growing(form: re.Pattern[str], lines: Sequence[str]) -> int:
    """In how many numbers lines end as the form has it, if these grow down the page, as pages do."""
    numbers = [int(found[1]) for line in lines if (found := form.fullmatch(line))]
    grows = sum(one <= other for one, other in pairwise(numbers))
    return len(set(numbers)) if grows >= _GROWING * (len(numbers) - 1) else 0


def _is_map(cells: Sequence[Cell], text: PageText, seen: Drawn) -> bool:
    """Whether names run up and down the page in many places, or it is called a map and much is drawn on it."""
    if seen.drawing < _MAP:
        return False
    return (text.source == "text layer" and _streets(text) >= _STREETS) or (
        not seen.charts
        and any(_MAP_TITLE.fullmatch(cell.text) and not _NO_MAP.search(cell.text) for cell in _titles(cells, text))
    )


def _streets(text: PageText) -> int:
    """How many words run up or down, each at a height and a place across of its own."""
    if not text.words:
        return 0
    long = np.array([len(word) >= 3 and word.isalpha() for word in text.words])
    sides = text.boxes[:, 2:] - text.boxes[:, :2]
    stands = long & (sides[:, 1] > 1.5 * sides[:, 0])
    if stands.sum() > _TURNED * long.sum():
        return 0
    upright = text.boxes[stands]
    middles = np.round((upright[:, :2] + upright[:, 2:]) / 2, 2)
    return min(len(np.unique(middles[:, 0])), len(np.unique(middles[:, 1])))


def _is_chart(text: PageText, seen: Drawn) -> bool:
    if seen.charts or seen.pies:
        return True
    return (seen.bars >= FEWEST_BARS or seen.drawing >= _PLOT) and ticks(text) > 0


def _is_form(text: PageText, lines: Sequence[str]) -> bool:
    blanks = sum(_BLANK.search(line) is not None for line in lines)
    boxes = sum(word.startswith(_BOX) for word in text.words)
    return blanks >= _FEWEST_LINES["blanks"] or boxes >= _FEWEST_LINES["boxes"]


def _in_any(box: Box, others: Sequence[Box]) -> bool:
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(one[0] <= middle[0] <= one[2] and one[1] <= middle[1] <= one[3] for one in others)
