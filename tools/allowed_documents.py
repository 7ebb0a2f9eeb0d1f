"""Which documents a conversation may use: a boundary that holds by document, whatever labels and messages say.

Documents are named by name, path, id or a pattern such as ``reports/*``, or by a condition on their metadata. A name
stands for the document that it names when the boundary is drawn, and for its later versions, and never for another
document that has come to bear it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pagesight.indexing.documents.conditions import Condition, read_condition
from pagesight.indexing.errors import SettingsError, UnknownDocument, UnknownPage
from pagesight.indexing.labels.printed_labels import DocumentLabels
from pagesight.indexing.pages import DocumentRecord, PageRef, is_document_id

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

#: What a context may narrow a call by.
_NARROWING = ("documents", "where", "tenant")
_LIKE = 0.85  # of 1: how near a key is that must be misspelt; "document" is .94, "tenant_id" .80. A guess, not measured
#: Names that a message lists at most: a guess, not measured.
_MOST_NAMES = 20

Rule = Callable[[DocumentRecord], bool]


@dataclass(frozen=True)
class AllowedDocuments:
    """The documents of an index that meet all ``rules``; without any, all. Changes of the index count at once.

    Without ``by_path`` a document is named by its name and its id alone: who asks over a network learns nothing of
    where files lie. ``on_pages`` are conditions that speak of single pages: documents without such a page are left out,
    and a search finds such pages alone.
    """

    index: PageIndex
    rules: tuple[Rule, ...] = ()
    by_path: bool = True
    on_pages: tuple[str, ...] = ()

    def narrowed(self, documents: Sequence[str] | None = None, where: str | None = None) -> AllowedDocuments:
        """Of these the ones that are named and meet the condition; None narrows nothing, and no names are none.

        Raises UnknownDocument for a name that none of these has, BadCondition, SettingsError for another kind of thing.
        """
        rules = self.rules
        _check("documents", documents, "a list of names, ids or patterns", _are_names)
        _check("where", where, "a condition such as 'year >= 2020'", lambda given: isinstance(given, str))
        if documents is not None:
            rules += (self._named(documents),)
        if where is not None:
            condition = read_condition(where)
            rules += (lambda record: self._has(record, condition),)
            if condition.of_pages:
                return replace(self, rules=rules, on_pages=(*self.on_pages, where))
        return replace(self, rules=rules)

    @property
    def where(self) -> str | None:
        """The condition that pages must meet; None for no such one."""
        return " and ".join(f"({one})" for one in self.on_pages) or None

    def _has(self, record: DocumentRecord, condition: Condition) -> bool:
        """Whether the document meets the condition, or, where it speaks of pages, one of its pages does."""
        if not condition.of_pages:
            return condition(record.metadata)
        kinds = self.index.page_kinds(record.document_id).values()
        return any(condition.on_page(record.metadata, of_page) for of_page in kinds)

    def within(self, context: object) -> AllowedDocuments:
        """Of these the ones that a call's context leaves: by its ``documents``, ``where`` and ``tenant``.

        A context is a mapping or an object. A tenant's documents are those whose metadata has it as ``tenant``. Raises
        as `narrowed`, and SettingsError for one of these that is of another kind, or that is misspelt.
        """
        documents, where, tenant = (_given(context, name) for name in _NARROWING)
        _refuse_misspelt(context)
        if documents is None and where is None and tenant is None:
            return self
        _check("tenant", tenant, "a text or a number", lambda given: isinstance(given, str | int))
        narrowed = self.narrowed(documents, where)
        if tenant is None:
            return narrowed
        return replace(narrowed, rules=(*narrowed.rules, lambda record: record.metadata.get("tenant") == tenant))

    @property
    def is_all(self) -> bool:
        """Whether there is no boundary."""
        return not self.rules

    def records(self) -> list[DocumentRecord]:
        """The documents, by name."""
        return [record for record in self.index.documents() if self._meets(record)]

    def names(self) -> list[str]:
        """Their names."""
        return [record.document for record in self.records()]

    def printed_labels(self) -> Mapping[str, Mapping[str, int]]:
        """Their names, each with the numbers of its pages by their printed labels, such as "iv"."""
        every = self.index.printed_labels()
        return DocumentLabels(self.names(), lambda name: ((page, label) for label, page in every[name].items()))

    def ids(self) -> list[str] | None:
        """Their ids; None for all."""
        return None if self.is_all else [record.document_id for record in self.records()]

    def holds(self, ref: PageRef) -> bool:
        """Whether a page's document, by its id, is among them."""
        if self.is_all:
            return True
        try:
            record = self.index.document(ref.document_id)
        except UnknownDocument:
            return False
        return record.document_id == ref.document_id and self._meets(record)

    def page(self, label: str) -> PageRef:
        """The page with that label. Raises UnknownPage and UnknownDocument, which name no document outside."""
        if self.is_all:
            return self.index.page(label)
        try:
            ref = self.index.page(label)
        except (UnknownPage, UnknownDocument) as error:
            raise UnknownPage(self._past_the_last(label) or self._not_among(repr(label[:200]))) from error
        if not self.holds(ref):  # in the same words: there being such a page outside is told to nobody
            raise UnknownPage(self._not_among(repr(label[:200])))
        return ref

    def document(self, name: str) -> DocumentRecord:
        """The document of that name, id or path. Raises UnknownDocument, which names no document outside."""
        try:
            record = self.index.document(name)
        except UnknownDocument as error:
            if self.is_all:
                raise
            raise UnknownDocument(self._not_among(repr(name[:200]))) from error
        if not self._meets(record) or not (self.by_path or name in (record.document, record.document_id)):
            raise UnknownDocument(self._not_among(repr(name[:200])))
        return record

    def _named(self, documents: Sequence[str]) -> Rule:
        ids: set[str] = set()
        paths: set[str] = set()
        patterns: list[str] = []
        for name in documents:
            named, record = self._one(name)
            if record is None:
                patterns.append(name)
            else:
                (ids if named == "id" else paths).add(record.document_id if named == "id" else record.path)
        return lambda record: (
            record.document_id in ids
            or record.path in paths
            or any(self._fits(record, pattern) for pattern in patterns)
        )

    def _one(self, name: str) -> tuple[str, DocumentRecord | None]:
        """The document of that name, path or id, and whether it is its id; None for a pattern that some match."""
        try:
            record = self.document(name)
        except UnknownDocument:
            if any(self._fits(record, name) for record in self.records()):
                return "pattern", None
            raise
        by_id = is_document_id(name) and record.document_id == name and record.document != name
        return "id" if by_id else "name", record

    def _fits(self, record: DocumentRecord, pattern: str) -> bool:
        """Whether a pattern fits the document's name, or the path at which it was found, from the folder we are in."""
        if fnmatchcase(record.document, pattern):
            return True
        return self.by_path and fnmatchcase(record.path, os.path.abspath(pattern))  # noqa: PTH100

    def _past_the_last(self, label: str) -> str:
        """What is wrong with a label of one of these documents that has no such page; "" for another label."""
        for record in self.records():
            number = re.fullmatch(r" p\. ([0-9]{1,9})", label.removeprefix(record.document))
            if number and label.startswith(record.document):
                return f"{record.document} has pages 1 to {record.pages}, not {number[1]}"
        return ""

    def _meets(self, record: DocumentRecord) -> bool:
        return all(rule(record) for rule in self.rules)

    def _not_among(self, what: str) -> str:
        names = self.names()
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return (
            f"{what} is not among the documents of this conversation, which are "
            f"{', '.join(names[:_MOST_NAMES]) or 'none'}{more}"
        )


def _given(context: object, name: str) -> Any:
    return context.get(name) if isinstance(context, Mapping) else getattr(context, name, None)


def _refuse_misspelt(context: object) -> None:
    """Raises SettingsError for a key that nearly is one of ours, where that one is missing: it would narrow nothing."""
    keys = context if isinstance(context, Mapping) else getattr(context, "__dict__", {})
    for key in keys:
        near = get_close_matches(str(key).lower(), _NARROWING, 1, _LIKE)
        if key not in _NARROWING and near and _given(context, near[0]) is None:
            raise SettingsError(
                f"{key!r} in the context narrows nothing: did you mean {near[0]!r}? If it is your own, give it a name "
                "that is less like it"
            )


def _are_names(given: object) -> bool:
    return isinstance(given, list | tuple | set | frozenset) and all(isinstance(name, str) for name in given)


def _check(name: str, given: object, wanted: str, fits: Callable[[Any], bool]) -> None:
    if given is not None and not fits(given):
        raise SettingsError(f"{name!r} is {given!r}: it must be {wanted}, or be left out")
