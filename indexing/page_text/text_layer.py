"""The words of a PDF's text layer, by pdfium: each as it is printed, with its box, its font, and who drew it when."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from pagesight.indexing.documents import pdfium_pointers as plain
from pagesight.indexing.documents.page_objects import PageObjects
from pagesight.indexing.page_text.accents import ACCENT, with_accents
from pagesight.indexing.page_text.line_ends import LINE_END_HYPHEN, joined
from pagesight.indexing.page_text.raised import SLASH, with_raised
from pagesight.indexing.page_text.right_to_left import RIGHT_TO_LEFT, in_logical_order, lines_in_logical_order
from pagesight.indexing.page_text.unspoken import apart_from, has_blank_lines, is_meaningless, unread_words, wide_texts
from pagesight.indexing.page_text.words import cleaned, is_on_page

# When a word goes on with the line of its predecessor: as parts of the lower one's height, and of the page's width.
# Guesses, not measured; a gutter between columns is wider.
_LEAST_BESIDE = 0.25
_LEAST_GAP, _WIDEST_GAP = -0.005, 0.015

# Where a font that is not embedded is not on this machine, pdfium knows no heights of its characters: these parts of
# its size are usual above and below the line. What it says then is nothing, or some hundredths of a point.
_ABOVE, _BELOW, _FLAT = 0.8, 0.2, 0.05

#: How a word is drawn: as usual, in a colour that may not be seen on white, on a layer that may be switched off or
#: through a mask, or not at all (PDF 32000-1, table 106), as OCR layers over scans are.
DRAWN, LIGHT, LAYERED, INVISIBLE = range(4)
_INVISIBLE_MODES, _LINE_MODES = (3, 7), (1, 5)
_LIGHT = 225  # of 255, in each colour, or from there on transparent. A guess, not measured


@dataclass(frozen=True)
class LayerWords:
    """n words of a text layer: their boxes (n, 4) in 0–1 of the picture, and lines (n,).

    ``fonts`` (n,) are numbers of their own, ``inks`` (n,) one of DRAWN, LIGHT, LAYERED, INVISIBLE, ``orders`` (n,) when
    they are drawn among all that the page draws, -1 where that is not known, ``colours`` (n, 3) theirs in 0–255, -1
    likewise. ``spelled`` (n,) are single letters drawn in one go with the one before them, without a blank between:
    their word is set wide.
    """

    words: list[str]
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]
    fonts: NDArray[np.int64]
    inks: NDArray[np.int8]
    orders: NDArray[np.int64]
    colours: NDArray[np.int16]
    spelled: NDArray[np.bool_]

    @classmethod
    def empty(cls) -> LayerWords:
        """No words."""
        none = np.zeros(0, np.int64)
        lines, inks, spelled = none.astype(np.int32), none.astype(np.int8), none.astype(np.bool_)
        return cls([], np.zeros((0, 4), np.float32), lines, none, inks, none, np.zeros((0, 3), np.int16), spelled)

    def only(self, kept: NDArray[np.bool_]) -> LayerWords:
        """Those of the words that (n,) ``kept`` says, in their order."""
        return self if kept.all() else self.in_order(np.flatnonzero(kept).tolist())

    def in_order(self, places: list[int]) -> LayerWords:
        """The words at these places, in this order."""
        words = [self.words[place] for place in places]
        arrays = (self.boxes, self.lines, self.fonts, self.inks, self.orders, self.colours, self.spelled)
        return LayerWords(words, *(array[places] for array in arrays))  # type: ignore[arg-type]


_NOWHERE = np.zeros((0, 4), np.float32)
_WORD = re.compile(r"\S+")
_LEAST_SPELLED = 4  # single letters on a page, for it to be asked which of them are spelled; a guess, not measured


def read_text_layer(
    page: Any, objects: PageObjects, to_page: NDArray[np.float64]
) -> tuple[LayerWords, NDArray[np.float32]]:
    """The words of an open page of pdfium's, which draws these objects; none without text. And where text is drawn of
    which the layer says nothing, (m, 4) in 0–1 of the picture.

    ``to_page`` is that of `to_picture`. Needs the lock `PDFIUM`.
    """
    textpage = pdfium.FPDFText_LoadPage(page)
    if not textpage:
        return LayerWords.empty(), _NOWHERE
    try:
        return _words(textpage, _characters(textpage), to_page, objects)
    finally:
        pdfium.FPDFText_ClosePage(textpage)


def _characters(textpage: Any) -> str:
    """The page's characters, one for each of pdfium's indices; halves of rare ones stay halves."""
    count = pdfium.FPDFText_CountChars(textpage)
    room = (ctypes.c_ushort * (count + 1))()
    given = pdfium.FPDFText_GetText(textpage, 0, count, room)
    if given == count + 1:
        characters = bytes(room)[: 2 * count].decode("utf-16-le", "surrogatepass")
        whole = characters if len(characters) == count else "".join(map(chr, room[:count]))
        return whole.replace("\ufffe", LINE_END_HYPHEN)
    get = pdfium.FPDFText_GetUnicode  # it leaves some out
    return "".join([chr(get(textpage, index)) for index in range(count)])


def _words(
    textpage: Any, characters: str, to_page: NDArray[np.float64], page_objects: PageObjects
) -> tuple[LayerWords, NDArray[np.float32]]:
    """The words with their boxes and lines, and where others are; what lies outside the crop box is not on the page."""
    raws, starts = characters.split(), [match.start() for match in _WORD.finditer(characters)]
    layer = plain.address(textpage)
    pieces, rectangles = plain.rectangles(layer, starts, _on_first_lines(raws, characters), len(characters))
    words = _as_printed(textpage, raws, starts, pieces.tolist())
    drawn = [place for place, word in enumerate(words) if word]
    if not drawn:
        return LayerWords.empty(), _NOWHERE
    objects = [plain.text_object(layer, starts[place]) or 0 for place in drawn]
    corners = _around(rectangles, pieces)
    boxes = _to_boxes(_with_heights(corners[drawn], np.array(objects, np.int64)), to_page)
    lines = _line_numbers(characters, starts, raws)[drawn]
    spelled = _spelled(textpage, raws, starts, drawn, objects)
    styles = _styles(objects, page_objects)
    found = LayerWords([words[place] for place in drawn], boxes, lines, *styles, spelled)
    unread = _to_boxes(corners[unread_words(raws, words, pieces)], to_page)
    if len(unread) or has_blank_lines(characters):
        rest = _second_halves(layer, [(raws[place], starts[place]) for place in drawn], len(characters))
        known = np.concatenate([boxes, _to_boxes(rest, to_page)])
        texts = _to_boxes(wide_texts(page_objects, objects), to_page)
        unread = np.concatenate([unread, apart_from(texts, known)])
    found = found.only(is_on_page(found.boxes))
    found = replace(found, words=joined(found.words), lines=_rejoin_lines(found.boxes, found.lines))
    if RIGHT_TO_LEFT.search("".join(found.words)):
        found = found.in_order(lines_in_logical_order(found.words, found.boxes, found.lines))
    return found, unread[is_on_page(unread)].clip(0, 1)


def _as_printed(textpage: Any, raws: list[str], starts: list[int], pieces: list[int]) -> list[str]:
    """The words; empty where none is drawn, or it means nothing."""
    return [
        raw if _is_plain(raw, count) else _printed(textpage, raw, start, count)
        for raw, start, count in zip(raws, starts, pieces, strict=True)
    ]


def _spelled(
    textpage: Any, raws: list[str], starts: list[int], drawn: list[int], objects: list[int]
) -> NDArray[np.bool_]:
    """(n,): those of the ``drawn`` that are a letter behind one of the same text object, with a blank of pdfium's own
    between."""
    spelled = np.zeros(len(drawn), np.bool_)
    single = [len(raws[place]) == 1 for place in drawn]
    if sum(single) < _LEAST_SPELLED:
        return spelled
    for place, (before, after) in enumerate(pairwise(drawn), start=1):
        if single[place - 1] and single[place] and objects[place - 1] == objects[place] != 0:
            between = range(starts[before] + 1, starts[after])
            spelled[place] = all(pdfium.FPDFText_IsGenerated(textpage, blank) == 1 for blank in between)
    return spelled


def _is_plain(raw: str, pieces: int) -> bool:
    """Whether a word drawn in so many pieces is printed as its characters say.

    A figure after a piece may be raised, and a grave accent may stand over a letter.
    """
    plain = raw.isascii() and raw.isprintable() and "`" not in raw
    return pieces > 0 and plain and (pieces == 1 or not raw[-1].isdigit())


def _on_first_lines(raws: list[str], characters: str) -> list[int]:
    """How many characters of each word stand on the line that it begins on."""
    if LINE_END_HYPHEN not in characters:
        return list(map(len, raws))
    return [place if (place := raw.find(LINE_END_HYPHEN)) > 0 else len(raw) for raw in raws]


def _second_halves(layer: int, words: list[tuple[str, int]], characters: int) -> NDArray[np.float64]:
    """(m, 4) left, bottom, right, top of what stands on the next line of words, with their starts, that a line's end
    broke."""
    broken = [(start + place + 1, start + len(raw)) for raw, start in words if (place := raw.find(LINE_END_HYPHEN)) > 0]
    begins, lengths = [begin for begin, _ in broken], [end - begin for begin, end in broken]
    return plain.rectangles(layer, begins, lengths, characters)[1][:, [0, 3, 2, 1]]


def _line_numbers(characters: str, starts: list[int], raws: list[str]) -> NDArray[np.int32]:
    """(n,) lines of the words: a new one begins where characters between two words say so, or a word was broken."""
    ends = [match.start() for match in re.finditer("\n", characters)]
    lines = np.cumsum(np.diff(np.searchsorted(ends, starts), prepend=0) > 0)
    if LINE_END_HYPHEN in characters:
        broken = np.array([LINE_END_HYPHEN in raw for raw in raws])
        lines = lines + np.cumsum(broken) - broken
    return lines.astype(np.int32)


def _around(rectangles: NDArray[np.float64], pieces: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 4) left, bottom, right, top around each word's rectangles (m, 4) left, top, right, bottom, of which it has
    as many as ``pieces`` (n,) says; zeros for words without any."""
    if len(rectangles) == len(pieces) and (pieces == 1).all():
        return rectangles[:, [0, 3, 2, 1]]
    found, has_some = np.zeros((len(pieces), 4)), pieces > 0
    if has_some.any():
        starts = (np.cumsum(pieces) - pieces)[has_some]
        low, high = np.minimum.reduceat(rectangles, starts), np.maximum.reduceat(rectangles, starts)
        found[has_some] = np.stack([low[:, 0], low[:, 3], high[:, 2], high[:, 1]], axis=1)
    return found


def _styles(
    objects: list[int], page_objects: PageObjects
) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int64], NDArray[np.int16]]:
    """Fonts, inks, orders (n,) and colours (n, 3) of words, by the text objects that they begin in."""
    reader, font, texts = plain.ObjectReader(), plain.text_font, page_objects.texts
    known: dict[int, tuple[int, int, int, tuple[int, ...]]] = {0: (0, DRAWN, -1, _UNKNOWN)}
    for thing in set(objects) - known.keys():
        order = texts.get(thing, -1)
        known[thing] = font(thing) or 0, *_ink(thing, order, page_objects, reader)
    fonts, inks, orders, colours = zip(*map(known.__getitem__, objects), strict=True)
    numbers = np.array(fonts, np.int64), np.array(inks, np.int8), np.array(orders, np.int64)
    return *numbers, np.array(colours, np.int16)


def _ink(thing: int, order: int, objects: PageObjects, reader: plain.ObjectReader) -> tuple[int, int, tuple[int, ...]]:
    """The ink of a text object, its order, and its colour."""
    mode = plain.text_mode(thing)
    if mode in _INVISIBLE_MODES:
        return INVISIBLE, order, _UNKNOWN
    frame = objects.frames.get(order)
    in_form = frame is not None and (frame.layered or objects.forms_may_hide)
    is_black = mode not in _LINE_MODES and reader.is_black(thing)
    colour = (0, 0, 0, 255) if is_black else reader.fill(thing, line=mode in _LINE_MODES)
    shown = _UNKNOWN if colour is None else colour[:3]
    if in_form or reader.is_in_layer(thing) or plain.has_transparency(thing):
        return LAYERED, order, shown
    return (LIGHT if _is_light(colour) else DRAWN), order, shown


_UNKNOWN = (-1, -1, -1)


def _is_light(colour: tuple[int, int, int, int] | None) -> bool:
    return colour is not None and (min(colour[:3]) >= _LIGHT or colour[3] < 255 - _LIGHT)


def _printed(textpage: Any, raw: str, start: int, pieces: int) -> str:
    """The characters as they are printed: raised ones marked so, accents on their letters, those of right-to-left
    scripts in logical order.

    Empty where none is drawn, in no ``pieces``, or most mean nothing.
    """
    if not pieces:
        return ""
    if SLASH in raw or (pieces > 1 and raw[-1].isdigit()):
        raw = with_raised(textpage, raw, start)
    if not raw.isascii() and RIGHT_TO_LEFT.search(raw):
        raw = in_logical_order(textpage, raw, start)
    elif ACCENT.search(raw):
        raw = with_accents(textpage, raw, start)
    if is_meaningless(raw):
        return ""
    return LINE_END_HYPHEN.join(cleaned(part) for part in raw.split(LINE_END_HYPHEN))


def _with_heights(corners: NDArray[np.float64], objects: NDArray[np.int64]) -> NDArray[np.float64]:
    """The corners; those of hardly any height get that of their font's size."""
    flat = corners[:, 3] - corners[:, 1] <= _FLAT
    for place in np.flatnonzero(flat & (objects > 0)).tolist():
        size = ctypes.c_float()
        thing = ctypes.cast(int(objects[place]), pdfium.FPDF_PAGEOBJECT)
        if pdfium.FPDFTextObj_GetFontSize(thing, size):
            corners[place, 1] -= _BELOW * size.value
            corners[place, 3] += _ABOVE * size.value
    return corners


def _to_boxes(corners: NDArray[np.float64], to_page: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, 4) left, bottom, right, top in points → (n, 4) left, top, right, bottom in 0–1 of the picture."""
    first = corners[:, :2] @ to_page[:, :2].T + to_page[:, 2]
    second = corners[:, 2:] @ to_page[:, :2].T + to_page[:, 2]
    return np.hstack([np.minimum(first, second), np.maximum(first, second)]).astype(np.float32)


def _rejoin_lines(boxes: NDArray[np.float32], lines: NDArray[np.int32]) -> NDArray[np.int32]:
    """Line numbers without the breaks that pdfium makes at raised and lowered characters in the middle of a line.

    A word goes on with its predecessor's line where it follows on its right, nearer than a gutter, and they are beside
    each other for a quarter of the smaller one's height or more.
    """
    if not len(lines):
        return lines
    before, after = boxes[:-1], boxes[1:]
    beside = np.minimum(before[:, 3], after[:, 3]) - np.maximum(before[:, 1], after[:, 1])
    height = np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    gap = after[:, 0] - before[:, 2]
    goes_on = (beside >= _LEAST_BESIDE * height) & (gap > _LEAST_GAP) & (gap < _WIDEST_GAP) & (height > 0)
    breaks = (np.diff(lines) > 0) & ~goes_on
    return np.concatenate([[0], np.cumsum(breaks)]).astype(np.int32)
