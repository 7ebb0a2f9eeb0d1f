"""Which pages hold a term and how often: lists of pages by the term's hash, in arrays that are mapped.

Terms stand there by 64 bits of BLAKE2b: among ten million terms, two share a hash with a probability of 3 in a million.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.snapshot.array_file import ArrayFile

# How far from where it is expected a term is sought at first, in roots of the number of terms: of n even numbers the
# one that is to be the k-th is the k-th but for half of the root of n, as a standard deviation, at most.
_REACH = 3


class Postings(NamedTuple):
    """One entry for each term of each holder: ``terms`` uint64, ``holders`` int32, ``often`` uint16, all (n,)."""

    terms: NDArray[np.uint64]
    holders: NDArray[np.int32]
    often: NDArray[np.uint16]


@lru_cache(maxsize=200_000)
def term_hash(term: str) -> int:
    """The 64 bits that stand for a term, or for any text."""
    return int.from_bytes(hashlib.blake2b(term.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


def counted(texts: Iterable[tuple[int, list[str]]]) -> Postings:
    """The postings of holders (numbers from 0) with the terms of each, repeated ones counted."""
    terms, holders, often = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)], [np.zeros(0, np.uint16)]
    for holder, found in texts:
        distinct, counts = np.unique(np.fromiter(map(term_hash, found), np.uint64, len(found)), return_counts=True)
        terms.append(distinct)
        holders.append(np.full(len(distinct), holder, np.int32))
        often.append(np.minimum(counts, np.iinfo(np.uint16).max).astype(np.uint16))
    return Postings(np.concatenate(terms), np.concatenate(holders), np.concatenate(often))


def packed(name: str, postings: Postings) -> Mapping[str, NDArray[Any]]:
    """The postings as arrays of a file."""
    order = np.lexsort((postings.holders, postings.terms))
    terms, starts = np.unique(postings.terms[order], return_index=True)
    return {
        f"{name}.terms": terms,
        f"{name}.starts": np.append(starts, len(order)).astype(np.int64),
        f"{name}.holders": postings.holders[order],
        f"{name}.often": postings.often[order],
    }


def postings_kinds(file: ArrayFile, name: str) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """The types and shapes of the arrays of `packed`, as long as those in the file."""
    terms, entries = file.length(f"{name}.terms"), file.length(f"{name}.holders")
    return {
        f"{name}.terms": (np.uint64, (terms,)),
        f"{name}.starts": (np.int64, (terms + 1,)),
        f"{name}.holders": (np.int32, (entries,)),
        f"{name}.often": (np.uint16, (entries,)),
    }


class PostingsFile:
    """The postings of that name in a file; holders are numbers below ``most``."""

    def __init__(self, file: ArrayFile, name: str, most: int) -> None:
        self._file = file
        self._name = name
        self._most = most

    def of(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        """The holders of a term, in their order, and how often each has it."""
        place = self._place(np.uint64(term_hash(term)))
        if place is None:
            return np.zeros(0, np.int32), np.zeros(0, np.uint16)
        start, stop = map(int, self._file.part(f"{self._name}.starts", place, place + 2))
        holders, often = (self._file.part(f"{self._name}.{each}", start, stop) for each in ("holders", "often"))
        self._refuse_others(holders)
        return holders, often

    def _place(self, wanted: np.uint64) -> int | None:
        """Where a term stands. Hashes are even, so that it is sought near where it would be if they were quite even."""
        count = self._file.length(f"{self._name}.terms")
        expected, reach = int(wanted) * count >> 64, _REACH * math.isqrt(count) + 1
        while True:
            first, end = max(0, expected - reach), min(count, expected + reach)
            terms = self._file.part(f"{self._name}.terms", first, end)
            place = int(np.searchsorted(terms, wanted))
            if (first < 1 or place > 0) and (end == count or place < len(terms)):
                return first + place if place < len(terms) and terms[place] == wanted else None
            reach *= 4

    def read(self) -> Postings:
        """All of them."""
        starts, holders = self._file.all(f"{self._name}.starts"), self._file.all(f"{self._name}.holders")
        counts = np.diff(starts)
        if int(starts[0]) != 0 or (counts < 0).any() or int(starts[-1]) != len(holders):
            raise self._file.damaged(f"the places of {self._name} are not one after the other")
        self._refuse_others(holders)
        terms = np.repeat(self._file.all(f"{self._name}.terms"), counts)
        return Postings(terms, holders, self._file.all(f"{self._name}.often"))

    def _refuse_others(self, holders: NDArray[np.int32]) -> None:
        if len(holders) and not 0 <= int(holders.min()) <= int(holders.max()) < self._most:
            raise self._file.damaged(f"{self._name} has holders that it has not")
