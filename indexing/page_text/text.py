"""From a page to its words and where they stand: each part of it by the text layer or by OCR, whichever says more.

What the layer covers and says rightly is the layer's; pictures with words, letters drawn as outlines, and what the
layer says wrongly are read by OCR. Boxes lie on the picture that `OpenDocument.picture` makes of the page, cropped and
turned alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.drawn_without import drawn_without
from pagesight.indexing.documents.page_objects import PageObjects, cuts_of, read_objects
from pagesight.indexing.documents.pdf import PdfDocument, to_picture
from pagesight.indexing.page_text.annotations import Note, read_annotations
from pagesight.indexing.page_text.fractions import with_fractions
from pagesight.indexing.page_text.letter_spacing import as_read
from pagesight.indexing.page_text.ocr import moved, ocr_long_side, read_page_picture, read_part
from pagesight.indexing.page_text.reading_order import Line, lines_of, merged
from pagesight.indexing.page_text.regions import WHOLE, in_rows, over_their_ink, to_boxes, uncovered, unread_part
from pagesight.indexing.page_text.scripts import languages_in
from pagesight.indexing.page_text.soundness import differs_from_picture, strange
from pagesight.indexing.page_text.text_layer import INVISIBLE, LayerWords, read_text_layer
from pagesight.indexing.page_text.visibility import Cuts, looked_at
from pagesight.indexing.page_text.words import on_page
from pagesight.indexing.pages import Box, PageText

LAYER, OCR = "text layer", "ocr"

# Pixels of the longer side of a picture on which a line of small print is four pixels high, in a third of the time that
# one takes which OCR reads. A guess, not measured.
_SMALL = 700

# Which part of the words of an invisible layer over a scan may lie on blank paper. Of 22 scanned pages whose layer lies
# on their words, at most .03 does; of four on which it does not, .13 to .25.
_MOST_UNSEEN = 0.08


@dataclass(frozen=True)
class PageReading:
    """A page's words; ``warnings`` say what may be missing, each as it goes on from "page 3 of report.pdf: "."""

    text: PageText
    warnings: tuple[str, ...] = ()


def read_text(document: OpenDocument, number: int, *, ocr: bool, languages: str = "auto") -> PageText:
    """The page's words in reading order, each with its box on the page's picture; see `read_page`."""
    return read_page(document, number, ocr=ocr, languages=languages).text


def read_page(document: OpenDocument, number: int, *, ocr: bool, languages: str = "auto") -> PageReading:
    """The page's words in reading order, each with its box on the page's picture.

    Words are as printed: 10⁶ is not 106. One that is broken at the end of a line stands whole where its first part
    does, with the first part's box. What cannot be seen is left out, what stands in form fields and annotations is in.
    With ``ocr``, what no text layer says is read from the picture, in ``languages`` as in
    `DocumentSettings.ocr_languages`. Several threads may read at once, and OCR gains by it: one page keeps one core
    busy. Raises UnknownPage; UnreadableDocument for a page that is damaged; MissingExtra if OCR cannot start.
    """
    page = _PageToRead(document, number)
    if not isinstance(document, PdfDocument):
        document.size(number)  # an unknown page is an error with and without OCR
        whole = [np.array([0, 0, 1, 1], np.float32)] if ocr else []
        return _read_regions(page, LayerWords.empty(), whole, [], languages)
    printed = _read_printed(document, number)
    found, seen = looked_at(
        printed.layer, printed.objects, printed.areas, printed.bars, printed.cuts,
        lambda objects: drawn_without(document, number, objects, _SMALL),
    )  # fmt: skip
    layer = as_read(with_fractions(found.only(seen)), page.aspect)
    if not ocr:
        return PageReading(_with_notes(layer, [], printed.notes))
    sound = _sound(layer, _share_unseen(found, seen), page)
    regions = _regions(printed, layer.boxes[~sound], bool(sound.any()))
    return _read_regions(page, layer.only(sound), regions, printed.notes, languages)


class _PageToRead:
    """A page of a document, whose picture is made when it is first looked at."""

    def __init__(self, document: OpenDocument, number: int) -> None:
        self._document, self._number = document, number

    @cached_property
    def picture(self) -> Image.Image:
        long_side = ocr_long_side(self._document.size(self._number))
        return self._document.picture(self._number, long_side=long_side)

    @cached_property
    def aspect(self) -> float:
        """The page's width as a part of its height."""
        width, height = self._document.size(self._number)
        return width / height


@dataclass(frozen=True)
class _Printed:
    """What pdfium says of a page: its words, what it draws and where, (m, 4) in 0–1; what stands in fields and
    annotations, and where those are that are drawn with words of their own; ``unread`` is text of which the layer says
    nothing."""

    layer: LayerWords
    objects: PageObjects
    areas: NDArray[np.float32]
    bars: NDArray[np.float32]
    cuts: Cuts
    pictures: NDArray[np.float32]
    outlines: NDArray[np.float32]
    unread: NDArray[np.float32]
    notes: list[Note]
    drawn: list[Box]


def _read_printed(document: PdfDocument, number: int) -> _Printed:
    with document.page(number) as page:
        to_page = to_picture(page)
        objects = read_objects(page)
        objects.forms_may_hide = bool(objects.frames) and document.has_layers
        layer, unread = read_text_layer(page, objects, to_page)
        areas = to_boxes([where for _, where, _ in objects.areas], to_page)
        bars = to_boxes([where for _, where in objects.bars], to_page)
        cut = cuts_of(objects, set(layer.orders.tolist()))
        shown = to_boxes([one.where for one in cut.values()], to_page)
        cuts = {order: (box, one.is_exact) for (order, one), box in zip(cut.items(), shown, strict=True)}
        pictures = to_boxes(objects.pictures, to_page)
        outlines = to_boxes([*objects.outlines, *in_rows(objects.strokes)], to_page)
        return _Printed(layer, objects, areas, bars, cuts, pictures, outlines, unread, *read_annotations(page, to_page))


def _sound(layer: LayerWords, share_unseen: float, page: _PageToRead) -> NDArray[np.bool_]:
    """(n,): the words that say what is printed, decided for each font, apart for what is not drawn.

    A layer of OCR's over a scan, which is not drawn, must lie on the scan's words and be alike to them.
    """
    sound = np.ones(len(layer.words), np.bool_)
    groups = 2 * layer.fonts + (layer.inks == INVISIBLE)
    for group in np.unique(groups).tolist():
        ours, invisible = np.flatnonzero(groups == group), bool(group % 2)
        words = [layer.words[place] for place in ours.tolist()]
        misplaced = invisible and share_unseen > _MOST_UNSEEN
        doubtful = not misplaced and (invisible or strange(words))
        sound[ours] = not misplaced
        if doubtful:
            sound[ours] = not differs_from_picture(words, layer.boxes[ours], page.picture, invisible)
    return sound


def _share_unseen(layer: LayerWords, seen: NDArray[np.bool_]) -> float:
    """Which part of the words of a layer that is not drawn lies where the page is blank."""
    invisible = layer.inks == INVISIBLE
    return float(1 - seen[invisible].mean()) if invisible.any() else 0.0


def _regions(printed: _Printed, unsound: NDArray[np.float32], has_words: bool) -> list[NDArray[np.float32]]:
    """Where OCR looks: on the whole page where nothing on it is a word, and there is something on it."""
    if not has_words and (printed.areas.size or printed.outlines.size or printed.objects.count):
        return [np.array([0, 0, 1, 1], np.float32)]
    others = [*unsound, *printed.unread, *(np.array(box, np.float32) for box in printed.drawn)]
    return uncovered(printed.pictures, printed.outlines, others)


def _read_regions(
    page: _PageToRead, layer: LayerWords, regions: Sequence[NDArray[np.float32]], notes: Sequence[Note], languages: str
) -> PageReading:
    """The layer's words and what OCR reads where it looks."""
    found, warnings = list[Line](), tuple[str, ...]()
    said = [note.box for note in notes if not note.is_drawn]
    known = np.concatenate([layer.boxes, np.array(said, np.float32).reshape(-1, 4)])
    if regions and (scanned := np.flatnonzero(layer.inks == INVISIBLE)).size:
        known[scanned] = over_their_ink(page.picture, known[scanned])
    near = languages_in(" ".join(layer.words))
    for region in regions:
        unread = unread_part(page.picture, region, known)
        if unread is None:
            continue
        part, place = unread
        is_whole = (region[2:] - region[:2]).prod() >= WHOLE
        read = read_page_picture(part, languages) if is_whole else read_part(part, languages, near)
        found += moved(read.lines, place)
        warnings += read.warnings
    shown = {" ".join(line.words) for line in found}  # a stamp's note may say what it shows
    text = _with_notes(layer, found, [note.without(shown) for note in notes])
    return PageReading(text, tuple(dict.fromkeys(warnings)))


def _with_notes(layer: LayerWords, found: Sequence[Line], notes: Sequence[Note]) -> PageText:
    """The layer's words, lines that OCR found, and what fields and annotations say, in the order of reading."""
    said = [
        Line(words, np.array([note.box] * len(words), np.float32), note.in_line and len(note.lines) == 1)
        for note in notes
        for words in note.lines
    ]
    letters = sum(map(len, layer.words)), sum(len(word) for line in found for word in line.words)
    if not found and not said:
        return on_page(layer.words, layer.boxes, layer.lines, LAYER)
    own = lines_of(layer.words, layer.boxes, layer.lines)
    source = LAYER if letters[0] >= letters[1] else OCR
    if own or said:
        return merged(own, [*found, *said], source)
    return merged(found, [], source)  # OCR has brought them into the order of reading
