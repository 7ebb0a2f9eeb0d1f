"""Correcting words of a page that were read wrongly, and taking that back.

A correction stands in its page's row, and so in its page file, beside the terms and the text that come of it: it goes
where they go, and is kept when the page is read anew. An encoder that looks at words makes the page's vectors anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pagesight.indexing.calls.whole_text import whole_text
from pagesight.indexing.corrections.corrected import (
    Place,
    box_around,
    corrected,
    overlap,
    place_of_words,
    places_of,
)
from pagesight.indexing.errors import BadCorrection, UnknownPage
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import (
    MOST_CORRECTIONS,
    MOST_LETTERS,
    Box,
    Correction,
    PageRef,
    PageRow,
    PageText,
)
from pagesight.indexing.preparing.encoded_page import kept_vectors, terms_of
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.writing.commit import batch_with, record_if_whole, with_candidates
from pagesight.indexing.writing.recover import begin_writing

_LONGEST_NAME = 64  # letters of who corrects


def correct_words(
    parts: WritingParts, ref: PageRef, read: PageText, was: str, now: str, at: Box | int | None, by: str
) -> Correction:
    """Note that ``was`` should be ``now``, and make the page's terms, text and vectors by it.

    ``read`` is the page as it is read, without corrections. ``at`` says which one is meant where it stands there more
    than once: the box of these very words, or which of them by number, from 1. Raises BadCorrection, UnknownPage.
    """
    begin_writing(parts)
    row = _row(parts, ref)
    if len(row.corrections) >= MOST_CORRECTIONS:
        raise BadCorrection(f"{row.label} has {MOST_CORRECTIONS} corrections, which is the most: undo some of them.")
    text = corrected(read, row.corrections)
    place = _meant(text, row.label, was, at)
    new = _checked(f"{place.before}{' '.join(now.split())}{place.after}")
    if new == _checked(place.was):
        raise BadCorrection(f"{row.label} says {new!r} there already: nothing was changed.")
    correction = Correction(
        secrets.token_hex(6), place.was, new, box_around(text, place.words), by[:_LONGEST_NAME],
        datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    _rewrite(parts, row, read, (*row.corrections, correction))
    return correction


def undo_correction(parts: WritingParts, ref: PageRef, read: PageText, known: str) -> list[Correction]:
    """Take back a correction of the page, and those made later of its words; returns them. Raises BadCorrection."""
    begin_writing(parts)
    row = _row(parts, ref)
    first = next((place for place, one in enumerate(row.corrections) if one.id == known), None)
    if first is None:
        raise BadCorrection(f"{row.label} has no correction {known!r}: it may have been undone already.")
    box = row.corrections[first].box
    gone = [one for one in row.corrections[first:] if one.id == known or overlap(one.box, box) > 0]
    _rewrite(parts, row, read, tuple(one for one in row.corrections if one not in gone))
    return gone


def _row(parts: WritingParts, ref: PageRef) -> PageRow:
    entry = parts.catalog.get(ref.document_id)
    if entry is None or not entry.complete or ref.page not in entry.rows:
        raise UnknownPage(f"there is no page {ref.label!r} in the index; it may have been removed or replaced.")
    return entry.rows[ref.page]


def _meant(text: PageText, label: str, was: str, at: Box | int | None) -> Place:
    """The words that are meant. Raises BadCorrection where they are not there, or more than once."""
    if isinstance(at, tuple):
        if place := place_of_words(text, was, at):
            return place
        raise BadCorrection(
            f"{label} has no {was[:MOST_LETTERS]!r} there: its words may have been corrected meanwhile."
        )
    found = places_of(text, was)
    if not found:
        raise BadCorrection(
            f"{label} has no {was[:MOST_LETTERS]!r} in one line, as it was read: `pagesight view --text` prints it."
        )
    if at is None and len(found) > 1:
        raise BadCorrection(
            f"{was[:MOST_LETTERS]!r} stands {len(found)} times on {label}: say which one, from the top, with --nth, or "
            "name the words beside it too."
        )
    if at is not None and not 1 <= at <= len(found):
        raise BadCorrection(f"{was[:MOST_LETTERS]!r} stands {len(found)} times on {label}: there is no number {at}.")
    return found[(at or 1) - 1]


def _checked(words: str) -> str:
    """The words without what no line has. Raises BadCorrection for none, or too many letters."""
    kept = "".join(letter for letter in words if letter.isprintable())
    kept = " ".join(whole_text(kept).split())
    if not kept or len(kept) > MOST_LETTERS:
        raise BadCorrection(
            f"a correction has 1 to {MOST_LETTERS} letters, not {len(kept)}: correct a few words at once."
        )
    return kept


def _rewrite(parts: WritingParts, row: PageRow, read: PageText, corrections: tuple[Correction, ...]) -> None:
    """Write the page's row, and vectors that are made of words, as they are with these corrections."""
    parts.sharing.confirm()
    text = corrected(read, corrections)
    document = parts.store.whole_rows(row.document_id)
    batch = sorted((one for one in document if one.batch == row.batch), key=lambda one: one.page)
    new = replace(
        next(one for one in batch if one.page == row.page), corrections=corrections, text=text.text,
        terms=terms_of(text, parts.term_rules),
    )  # fmt: skip
    for one in parts.encoders:
        if not one.encoder.needs_pictures and new.encoded(one.id):
            new = _encoded(parts, one, new, batch, text)
    if parts.page_files:
        parts.page_files.write([new if one.page == new.page else one for one in batch])
    parts.catalog.add(parts.store.write_pages([new]))
    record_if_whole(parts, row.document_id)
    _drop_surplus(parts, row, new)
    parts.flush()


def _drop_surplus(parts: WritingParts, before: PageRow, after: PageRow) -> None:
    """Forget candidates of a page that it has no more."""
    for encoder, candidates in parts.candidates.items():
        had, has = before.encoded(encoder), after.encoded(encoder)
        if had and has and has.candidates < had.candidates:
            candidates.drop_surplus(before.ordinal, before.page, has.candidates)


def _encoded(parts: WritingParts, by: IndexEncoder, row: PageRow, batch: Sequence[PageRow], text: PageText) -> PageRow:
    """The row, once vectors of the text by an encoder are written for its page."""
    made = kept_vectors([row.page], by.encoder.encode_pages([None], [text]), parts.recipe, by.name)
    kept = made[0].vectors
    by.multivectors.write(row.document_id, row.batch, batch_with(by, batch, {row.page: kept}))
    row = row.with_encoded(by.id, by.recorded_of(row.key, kept))
    (row,) = with_candidates(parts, by.id, [row], made)
    return row
