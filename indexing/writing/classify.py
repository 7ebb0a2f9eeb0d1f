"""Labels of pages by zero-shot classification: how like each of some labels a page is, by an encoder that looks at it.

What it says is kept beside the kinds that are told without a model (`pagesight.indexing.page_kinds`), and asked for as
these are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pagesight.indexing.errors import RequestError
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.opening.index_parts import IndexParts, WritingParts
from pagesight.indexing.page_kinds.page_kinds import KINDS
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.interfaces import Lost
from pagesight.indexing.vectors.maxsim import best_similarities, scores
from pagesight.indexing.vectors.multivector import QueryVectors
from pagesight.indexing.writing.kinds_again import write_kinds
from pagesight.indexing.writing.recover import begin_writing

# By how much likenesses of 0 to 1 are multiplied before they are compared. CLIP learns at most 100 (Radford et al.,
# 2021); ColPali's loss has 50 (colpali-engine: a temperature of .02, scores divided by the question's vectors).
_OF_ONE_VECTOR, _OF_SEVERAL = 100.0, 50.0
# CLIP, SigLIP and jina-clip, which all say so in their names, were trained on what is said of pictures; others on what
# is asked of pages.
_CAPTIONED = re.compile("clip", re.IGNORECASE)
_CAPTION, _QUESTION = "a picture of a page with a {label}", "Which page shows a {label}?"
_HOLE = "{label}"
_LABEL = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_LABELS = 40


@dataclass(frozen=True)
class Classified:
    """What `PageIndex.classify` did, by the ``encoder`` of that name and a ``prompt``.

    ``pages`` says how many pages each label is the likeliest of. ``lost`` are the keys of pages whose vectors are gone
    or damaged: they got no labels.
    """

    encoder: str
    prompt: str
    pages: Mapping[str, int]
    lost: Sequence[str] = ()


def classify(
    parts: IndexParts,
    labels: Sequence[str],
    encoder: str | None,
    prompt: str | None,
    documents: Sequence[str] | None,
    progress: Callable[[int, int], None],
) -> Classified:
    """Label pages; see `PageIndex.classify`."""
    keys = _keys(labels)
    by = _looking(parts, encoder)
    prompt = prompt or (_CAPTION if _CAPTIONED.search(by.name) else _QUESTION)
    if _HOLE not in prompt:
        raise RequestError(f"the prompt {prompt!r} has no place for a label: write {_HOLE} where it goes.")
    idf, rules = parts.view().statistics.idf, parts.term_rules
    asked = [by.encoder.encode_query(read_query(prompt.replace(_HOLE, label), rules), idf) for label in labels]
    found, lost = Counter[str](dict.fromkeys(keys, 0)), Lost()
    with parts.writing() as writing:
        begin_writing(writing)
        view = writing.catalog.view()
        wanted = view.entries if documents is None else view.matching(documents)
        entries = [entry for known, entry in view.entries.items() if known in wanted]
        for done, entry in enumerate(entries, 1):
            labelled = {page: dict(zip(keys, shares, strict=True)) for page, shares in _shares(by, entry, asked, lost)}
            found.update(max(shares, key=shares.__getitem__) for shares in labelled.values())
            _keep(writing, entry, labelled)
            progress(done, len(entries))
        writing.flush()
    return Classified(by.name, prompt, dict(found), sorted(lost))


def _keys(labels: Sequence[str]) -> list[str]:
    """The labels as conditions name them. Raises RequestError for what cannot be told apart."""
    keys = [_key(label) for label in labels]
    if len(set(keys)) != len(keys) or not 2 <= len(keys) <= _MOST_LABELS:
        raise RequestError(
            f"pages are told apart by 2 to {_MOST_LABELS} labels that differ, not by {', '.join(labels)!r}."
        )
    return keys


def _key(label: str) -> str:
    """A label as conditions name it, after ``page_``."""
    key = re.sub(r"[\s-]+", "_", label.strip().lower())
    if not _LABEL.fullmatch(key):
        raise RequestError(
            f"the label {label!r} cannot be asked for: a label has letters from a to z, digits and spaces."
        )
    return key


def _looking(parts: IndexParts, encoder: str | None) -> IndexEncoder:
    """The encoder to go by: the one that is named, or the first that looks at pages."""
    several = [parts.encoder_called(encoder)] if encoder else parts.encoders
    for one in several:
        if one.encoder.needs_pictures and one.recorded.finished:
            return one
    raise RequestError(
        f"{' and '.join(one.name for one in several)} cannot say what a page looks like: add an encoder that has seen "
        "all pages, `pagesight index --encoder NAME` (`pagesight encoders` lists them)."
    )


def _shares(
    by: IndexEncoder, entry: Entry, asked: Sequence[QueryVectors], lost: Lost
) -> Iterator[tuple[int, list[float]]]:
    """Each page's number, and how much it is of each label, together 1; blank pages are left out."""
    seen = [row for row in entry.rows.values() if (encoded := row.encoded(by.id)) and encoded.vectors]
    gone = Lost()
    pages = list(by.multivectors.read(seen, gone))
    seen = [row for row in seen if row.key not in gone]
    lost.update(gone)
    like = np.stack([scores(one, best_similarities(one.vectors, pages)) / one.weights.sum() for one in asked], axis=1)
    for row, page, of_labels in zip(seen, pages, like, strict=True):
        shares = np.exp((of_labels - of_labels.max()) * (_OF_ONE_VECTOR if len(page) == 1 else _OF_SEVERAL))
        yield row.page, np.round(shares / shares.sum(), 3).tolist()


def _keep(writing: WritingParts, entry: Entry, labelled: Mapping[int, Mapping[str, float]]) -> None:
    """Keep pages' labels, in place of those of an earlier call."""
    kinds = {}
    for page, labels in labelled.items():
        known = entry.rows[page].kinds or {}
        now = {kind: share for kind, share in known.items() if kind in KINDS} | dict(labels)
        if now != known:
            kinds[page] = now
    if kinds:
        write_kinds(writing, entry, kinds)
