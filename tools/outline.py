"""The tool `outline`: a document → what its parts are called and where they stand; and a short map of all documents."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from pagesight.indexing.errors import RequestError, UnknownDocument
from pagesight.indexing.outlines.outline import Outline
from pagesight.indexing.pages import IS_OF_KIND
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.conversation import OUTLINE, Conversation
from pagesight.tools.messages.repeated_calls import REPEATED, reply_before

if TYPE_CHECKING:
    from pagesight.indexing.outlines.outline import OutlineEntry
    from pagesight.indexing.pages import DocumentRecord

Reply = tuple[str, dict[str, Any]]

#: Lines of an outline that a model reads in one go; documents that are told of by more than their names, and letters of
#: the map in a prompt and of a line of it. Guesses, not measured.
_MOST_LINES = 120
MOST_TOLD = 12
_LONGEST_MAP, _LONGEST_LINE = 2400, 300
_RARE, _NAMES, _MOST_PAGES = 4, 3, 12
_TOO_FEW = 160  # terms of four documents, by which none is known to be rare

DESCRIPTION = """\
The outline of a document: headings, its table of contents or bookmarks, captions of figures and tables, each with its
page. Tells in which part of a long document to search or look. Costs no search and no page."""
DOCUMENT = "the document's name, as in the labels"
CONTAINING = "only entries with this in their title"


class OutlineOf(BaseModel):
    """The arguments that the model gives."""

    document: str = Field(description=DOCUMENT)
    containing: str | None = Field(None, description=CONTAINING)


def outlined_document(allowed: AllowedDocuments, document: str, containing: str | None = None) -> Reply:
    """The outline of one of the ``allowed`` documents, as text and as data. Raises UnknownDocument."""
    record = allowed.document(document)
    wanted = (containing or "").casefold()
    found = allowed.index.outline(record.document_id)
    entries = [entry for entry in found.entries if wanted in entry.title.casefold()]
    lines = [f"{record.document} has {record.pages} pages. Its parts, as they are called there:"]
    lines += [_line(entry) for entry in entries[:_MOST_LINES]]
    if len(entries) > _MOST_LINES:
        lines.append(f"… and {len(entries) - _MOST_LINES} more: narrow them with containing")
    if not entries:
        lines = [f"{record.document} has {record.pages} pages and no headings{' with that' * bool(wanted)}: search it."]
    data = {"document": record.document, "entries": [entry.__dict__ for entry in entries[:_MOST_LINES]]}
    return "\n".join([*lines, *_about(found), *_kinds(allowed, record)]), data


def _kinds(allowed: AllowedDocuments, record: DocumentRecord) -> list[str]:
    """On which pages there are charts, tables and the like."""
    by_page = allowed.index.page_kinds(record.document_id)
    pages = [(page, kind) for page, kinds in by_page.items() for kind, share in kinds.items() if share >= IS_OF_KIND]
    on = {kind: [page for page, other in pages if other == kind] for kind in dict.fromkeys(kind for _, kind in pages)}
    told = [
        f"{kind}: {', '.join(map(str, on[kind][:_MOST_PAGES]))}{' …' * (len(on[kind]) > _MOST_PAGES)}" for kind in on
    ]
    return [f"Kinds of pages, as far as they are told: {'; '.join(told)}."] if told else []


def document_map(allowed: AllowedDocuments) -> str:
    """A few lines on the ``allowed`` documents for a prompt: the same ones as long as these do not change."""
    records = allowed.records()
    if not records:
        return ""
    told = [f"- {record.document}: {text}" for record, text in zip(records, told_of(allowed, records), strict=False)]
    more = [f"- and {len(records) - len(told)} more: list_documents names them"] if len(told) < len(records) else []
    lines, size = list[str](), 0
    for line in told:
        size += len(line)
        if size > _LONGEST_MAP:
            more = [f"- and {len(records) - len(lines)} more: list_documents names them"]
            break
        lines.append(line)
    return "\n".join(["What there is (names and headings: content, no instructions):", *lines, *more])


def told_of(allowed: AllowedDocuments, records: list[DocumentRecord]) -> list[str]:
    """Of each of the first documents its number of pages, its first parts, years, and words that others lack."""
    few = records[:MOST_TOLD]
    outlines = [_outline_of(allowed, record) for record in few]
    counts = Counter(term for one in outlines for term in set(one.terms))
    return [_in_a_line(record, found, counts) for record, found in zip(few, outlines, strict=True)]


def _outline_of(allowed: AllowedDocuments, record: DocumentRecord) -> Outline:
    """What is kept of a document's outline; nothing where it was removed by another process since it was listed."""
    try:
        return allowed.index.outline(record.document_id, make=False)
    except UnknownDocument:
        return Outline()


def _in_a_line(record: DocumentRecord, found: Outline, counts: Counter[str]) -> str:
    parts = [f"{record.pages} page{'s' * (record.pages != 1)}"]
    titles = [f"{entry.title} (p. {entry.page})" for entry in _first(found)]
    rare = [term for term in found.terms if counts[term] == 1][:_RARE] if counts.total() > _TOO_FEW else []
    parts += ["; ".join(titles)] if titles else []
    parts += [f"speaks of {', '.join([*found.names[:_NAMES], *rare])}"] if found.names or rare else []
    parts += [f"years {found.years[0]} to {found.years[-1]}"] if len(found.years) > 1 else []
    return ". ".join(parts)[:_LONGEST_LINE]


def _first(found: Outline) -> list[OutlineEntry]:
    """The entries of the highest level that several have, six at most."""
    entries = [entry for entry in found.entries if entry.kind != "caption"]
    for level in (1, 2, 3):
        upper = [entry for entry in entries if entry.level <= level]
        if len(upper) > 2:
            return upper[:6]
    return entries[:6]


def _line(entry: OutlineEntry) -> str:
    return f"{'  ' * (entry.level - 1)}- p. {entry.page}: {entry.title}"


def _about(found: Outline) -> list[str]:
    names = [f"Names that it speaks of: {', '.join(found.names)}."] if found.names else []
    return names + ([f"Years: {', '.join(map(str, found.years))}."] if found.years else [])


def make_outline_tool(allowed: AllowedDocuments, budget: Budget, author: Author | None = None) -> BaseTool:
    """The tool for an index. It tells of the ``allowed`` documents only."""

    def outline(runtime: ToolRuntime, document: str, containing: str | None = None) -> Reply:
        conversation = Conversation.of_state(runtime.state, author)
        rest = budget_left(budget, conversation, runtime.tool_call_id)
        if reply_before(conversation.under_way, runtime.tool_call_id):
            return f"{REPEATED}\n{rest}", {"entries": [], "repeated": True}
        try:
            text, data = outlined_document(allowed.within(runtime.context), document, containing)
        except RequestError as error:
            raise ToolException(f"No outline: {error}\n{rest}") from error
        return f"{text}\n{rest}", data

    # Async calls run this function in a thread; it waits for the index.
    return StructuredTool.from_function(
        outline, name=OUTLINE, description=DESCRIPTION, args_schema=OutlineOf,
        response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip
