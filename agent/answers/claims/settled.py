"""Citations of an answer as they should stand: a page corrected where the one beside it says the claim, and regions
drawn to the very words. What is changed is checked again, and told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from pagesight.agent.answers.citations import Bracket, Citation, CitationReader
from pagesight.agent.answers.claims.check_claims import Checked, claims_within
from pagesight.agent.answers.claims.claim import IN_A_PICTURE, Claim
from pagesight.agent.answers.claims.words.cited_page import region_around
from pagesight.indexing.pages import Box, Region, page_label
from pagesight.tools.allowed_documents import AllowedDocuments

_MOST_PAGES = 8  # citations whose neighbours are tried, since each is a check of the whole answer; a guess
_SMALLER = 0.9  # a region that is hardly smaller than the one cited says nothing new; a guess, not measured


@dataclass(frozen=True)
class Settled:
    """An answer's ``text`` with its citations corrected, its claims, and what was changed, a line each."""

    text: str
    claims: list[Claim]
    changes: list[str]


@dataclass(frozen=True)
class _Draft:
    """An answer with its claims; ``notes`` are what was changed for each of them."""

    text: str
    claims: list[Claim]
    notes: tuple[tuple[str, ...], ...]

    @property
    def doubted(self) -> set[int]:
        """Which claims the cited pages do not say, by their place."""
        return {at for at, claim in enumerate(self.claims) if claim.outcome == "unsupported"}

    @property
    def stated(self) -> set[int]:
        """Which claims the cited pages state: what was only computed from a page, or stands in a chart, may be so by
        chance."""
        told = {at for at, claim in enumerate(self.claims) if claim.outcome in ("supported", "read")}
        return {at for at in told if self.claims[at].reason != IN_A_PICTURE}

    def citing(self, bracket: Bracket) -> list[int]:
        """Which claims cite what stands in a bracket."""
        return [at for at, claim in enumerate(self.claims) if any(one.at == bracket.start for one in claim.citations)]


def settled(documents: AllowedDocuments, text: str, shown: Collection[str], check: Checked = claims_within) -> Settled:
    """An answer with its citations corrected; only pages with the labels that were ``shown`` are cited anew.

    A wrong page gives way to the one before or after it where all that cites it is said there, as the check finds. A
    region that has the words becomes the one around them. Each claim's reason tells what was done to its citations.
    """
    claims = check(documents, text)
    draft = _Draft(text, claims, ((),) * len(claims))
    settling = _Settling(documents, frozenset(shown), check)
    draft = settling.with_regions(settling.with_pages(draft))
    told = [
        replace(claim, reason="; ".join([claim.reason, *notes])) if notes else claim
        for claim, notes in zip(draft.claims, draft.notes, strict=True)
    ]
    return Settled(draft.text, told, list(dict.fromkeys(note for notes in draft.notes for note in notes)))


@dataclass(frozen=True)
class _Settling:
    documents: AllowedDocuments
    shown: frozenset[str]
    check: Checked

    def with_pages(self, draft: _Draft) -> _Draft:
        """The answer with a neighbour cited in the place of each page that does not say it, where that does."""
        for place, bracket in enumerate(self._brackets(draft.text)[:_MOST_PAGES]):
            if draft.doubted.intersection(draft.citing(bracket)):
                draft = self._with_a_neighbour(draft, place)
        return draft

    def with_regions(self, draft: _Draft) -> _Draft:
        """The answer with each cited region drawn to the words in it that say the claims."""
        for place, bracket in enumerate(self._brackets(draft.text)):
            citing = draft.citing(bracket)
            if citing and not draft.doubted.intersection(citing):
                draft = self._drawn(draft, place, [draft.claims[at] for at in citing])
        return draft

    def _brackets(self, text: str) -> list[Bracket]:
        return list(CitationReader(self.documents.printed_labels()).read(text))

    def _with_a_neighbour(self, draft: _Draft, place: int) -> _Draft:
        bracket = self._brackets(draft.text)[place]
        for one in bracket.citations:
            for other in self._neighbours(one):
                changed = [other if each == one else each for each in bracket.citations]
                note = f"{one.label} was cited, it stands on {other.label}: corrected"
                tried = self._rewritten(draft, bracket, changed, note)
                if tried and draft.doubted & tried.stated and not tried.doubted - draft.doubted:
                    return tried
        return draft

    def _neighbours(self, citation: Citation) -> Iterator[Citation]:
        for page in (citation.page + 1, citation.page - 1):
            label = page_label(citation.document, page)
            if label in self.shown:
                yield Citation(label, citation.document, page)

    def _drawn(self, draft: _Draft, place: int, claims: Sequence[Claim]) -> _Draft:
        bracket = self._brackets(draft.text)[place]
        drawn = [_drawn_to(one, claims) for one in bracket.citations]
        if drawn == bracket.citations:
            return draft
        tried = self._rewritten(draft, bracket, drawn, "the cited region was drawn to the words that say it")
        return tried if tried and not tried.doubted - draft.doubted else draft

    def _rewritten(self, draft: _Draft, bracket: Bracket, citations: Sequence[Citation], note: str) -> _Draft | None:
        """The answer with a bracket of its text written anew; None where its claims are others by that."""
        written = " ".join(f"[{one}]" for one in dict.fromkeys(citations))
        text = draft.text[: bracket.start] + written + draft.text[bracket.end :]
        claims = self.check(self.documents, text)
        if [one.text for one in claims] != [one.text for one in draft.claims]:
            return None
        citing = draft.citing(bracket)
        notes = tuple((*said, note) if at in citing else said for at, said in enumerate(draft.notes))
        return _Draft(text, claims, notes)


def _drawn_to(citation: Citation, claims: Sequence[Claim]) -> Citation:
    """The citation with its region drawn to the words in it that support the claims; as it is where there are none."""
    if citation.region is None:
        return citation
    region = citation.region
    boxes = [
        box for claim in claims for one in claim.evidence if one.label == citation.label
        for box in one.boxes if _is_in(box, region)
    ]  # fmt: skip
    if not boxes:
        return citation
    drawn = region_around(boxes)
    return replace(citation, region=drawn) if _size(drawn) < _SMALLER * _size(region) else citation


def _is_in(box: Box, region: Region) -> bool:
    across, down = 500 * (box[0] + box[2]), 500 * (box[1] + box[3])
    return region[0] <= down <= region[2] and region[1] <= across <= region[3]


def _size(region: Region) -> int:
    return (region[2] - region[0]) * (region[3] - region[1])
