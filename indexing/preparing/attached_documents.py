"""The documents within documents: attachments of PDFs and parts of portfolios, each a document of its own.

They are called after the one that holds them, ``portfolio.pdf › invoice.pdf``, and come before it: where that one is
whole in the index, so are they.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pagesight.indexing.documents.sources import Source, find_documents
from pagesight.indexing.errors import SourceError
from pagesight.indexing.preparing.page_readers import PageReaders

#: Between the name of a document and that of what it holds.
WITHIN = " › "

_DEEPEST = 3  # documents within documents within documents; a guess, not measured
_TOO_DEEP = f"it lies more than {_DEEPEST} documents deep. Save it as a file of its own, and index that"


@dataclass(frozen=True)
class Attached:
    """A document within another: the path that it is known by, and where its bytes are for now.

    ``fault`` says why it is none, and then there is no ``source``.
    """

    path: str
    source: Source | None
    fault: str = ""


class AttachedDocuments:
    """The documents within documents, in a folder of their own until the ``with`` statement ends."""

    def __init__(self, readers: PageReaders) -> None:
        self._readers = readers
        self._folder = tempfile.TemporaryDirectory(prefix="pagesight-")

    def __enter__(self) -> AttachedDocuments:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def of(self, source: Source, path: str, depth: int = 1) -> Iterator[Attached]:
        """What the document at a path holds, the innermost first. Raises UnreadableDocument, MissingExtra."""
        if source.kind not in ("pdf", "mail"):
            return
        for name, content in self._readers.attachments(source.path, called=Path(path)):
            within = f"{path}{WITHIN}{name}"
            if content is None or depth > _DEEPEST:
                why = "it is too large to be taken out" if content is None else _TOO_DEEP
                yield Attached(within, None, why)
                continue
            file = Path(tempfile.mkdtemp(dir=self._folder.name)) / Path(within).name[-_LONGEST_NAME:]
            file.write_bytes(content)
            found = find_documents([file])
            for failure in found.failures:
                yield Attached(within, None, str(failure.error).replace(str(file), name))
            for inner in found.sources:
                with suppress(SourceError):  # which is told of it when it is opened itself
                    yield from self.of(inner, within, depth + 1)
                yield Attached(within, inner)


_LONGEST_NAME = 60  # characters of the file's name for now: with its end, which says what it is
