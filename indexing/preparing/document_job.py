"""A document of which pages are to be read, and what was found of it while they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pagesight.indexing.documents.metadata import Metadata
from pagesight.indexing.documents.sources import Failure, Source
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.outlines.read_outline import OutlinedPages
from pagesight.indexing.pages import Correction, PageRow
from pagesight.indexing.preparing.add_report import page_ranges
from pagesight.indexing.preparing.attached_documents import WITHIN


@dataclass
class DocumentJob:
    """A document of which pages are missing in the index.

    ``left_out`` are pages that are not wanted, and blank; ``faults`` say of others that are blank why they are,
    ``warnings`` of which pages something may be missing, ``of_document`` what else of the document; ``given_up`` counts
    the last pages in a row that took too much; ``repairs`` that it was whole and became damaged, ``before`` are
    its rows from then; ``corrections`` are those of its pages by number, ``outlined`` is what its pages tell of its
    outline.
    """

    source: Source
    path: str
    page_count: int
    missing: list[int]
    metadata: Metadata
    left_out: frozenset[int] = frozenset()
    faults: dict[int, str] = field(default_factory=dict)
    warnings: dict[str, list[int]] = field(default_factory=dict)
    of_document: list[str] = field(default_factory=list)
    given_up: int = 0
    repairs: bool = False
    corrections: dict[int, tuple[Correction, ...]] = field(default_factory=dict)
    before: dict[int, PageRow] = field(default_factory=dict)
    outlined: OutlinedPages = field(default_factory=OutlinedPages)

    @property
    def shown(self) -> Path:
        """What people are told of where it is."""
        return Path(self.path) if WITHIN in Path(self.path).name else self.source.path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.shown.name

    @property
    def to_read(self) -> int:
        """How many pages are to be read and encoded."""
        return sum(number not in self.left_out for number in self.missing)

    @property
    def is_blank(self) -> bool:
        """Whether no page of the document could be read."""
        return len(self.faults) == self.page_count - len(self.left_out)

    def all_warnings(self) -> list[str]:
        """What may be missing of the document, and on which of its pages."""
        of_pages = [f"{page_ranges(numbers)} of {self.name}: {text}" for text, numbers in self.warnings.items()]
        return [f"{self.name}: {text}" for text in self.of_document] + of_pages

    def failure(self) -> Failure | None:
        """One failure for all pages that cannot be read; None where all can."""
        if not self.faults:
            return None
        which, why = f"{page_ranges(self.faults)} of {self.name}", next(iter(self.faults.values()))
        are = "is" if len(self.faults) == 1 else "are"
        if self.repairs:
            said = f"{which} cannot be read; what the index has of it stays"
        elif self.is_blank:
            said = f"{self.name} is not in the index, since none of its pages can be read"
        else:
            said = f"{which} {are} not in the index; its other pages are"
        return Failure(self.shown, UnreadableDocument(f"{said}. {why}"))
