"""From files to ranked pages. Knows nothing of agents.

from pagesight.indexing import PageIndex

with PageIndex.open("my-index") as index:
    index.add("documents/")
    for hit in index.search("net revenue 2023"):
        print(hit.label, hit.score, hit.lines)
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagesight.indexing.audit.audit import Audit, Breadth, Measured
    from pagesight.indexing.documents.sources import Failure, PassedOver
    from pagesight.indexing.encoders.interface import PageEncoder
    from pagesight.indexing.errors import (
        AnswerBlocked,
        AnswerCutOff,
        BadCondition,
        BadCorrection,
        BadRegion,
        BadToken,
        EmptyAnswer,
        EmptyQuestion,
        EncoderError,
        EncoderMismatch,
        IndexInUse,
        IndexMissing,
        IndexWarning,
        KeyRefused,
        LoginRefused,
        MissingExtra,
        MissingPath,
        NoDocuments,
        PageIndexError,
        PagesightError,
        QuestionsError,
        ReasonerError,
        RequestError,
        ServerUnreachable,
        SettingsError,
        SourceError,
        StorageFull,
        UnknownDocument,
        UnknownPage,
        UnreadableDocument,
        VectorsMissing,
    )
    from pagesight.indexing.index import PageIndex
    from pagesight.indexing.lexical.document_prior import Subject
    from pagesight.indexing.lexical.query import Query
    from pagesight.indexing.outlines.outline import Outline, OutlineEntry
    from pagesight.indexing.pages import (
        Box,
        Correction,
        DocumentRecord,
        Hit,
        Hits,
        PageRef,
        PageRow,
        PageText,
        Region,
        VectorRecord,
    )
    from pagesight.indexing.preparing.add_report import AddReport, PageWarning, Progress
    from pagesight.indexing.preparing.shown_document import ShownDocument
    from pagesight.indexing.ranking.picture_question import PictureQuestion
    from pagesight.indexing.ranking.rank_pages import Weights
    from pagesight.indexing.settings import Settings, load_settings
    from pagesight.indexing.shards.prepare_on_ray import prepare_on_ray
    from pagesight.indexing.shards.prepare_shards import prepare
    from pagesight.indexing.storage.index_encoder import EncoderRecord
    from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors
    from pagesight.indexing.writing.classify import Classified

__all__ = [
    "AddReport",
    "AnswerBlocked",
    "AnswerCutOff",
    "Audit",
    "BadCondition",
    "BadCorrection",
    "BadRegion",
    "BadToken",
    "Box",
    "Breadth",
    "Classified",
    "Correction",
    "DocumentRecord",
    "EmptyAnswer",
    "EmptyQuestion",
    "EncoderError",
    "EncoderMismatch",
    "EncoderRecord",
    "Failure",
    "Hit",
    "Hits",
    "IndexInUse",
    "IndexMissing",
    "IndexWarning",
    "KeyRefused",
    "LoginRefused",
    "Measured",
    "MissingExtra",
    "MissingPath",
    "MultiVector",
    "NoDocuments",
    "Outline",
    "OutlineEntry",
    "PageEncoder",
    "PageIndex",
    "PageIndexError",
    "PageRef",
    "PageRow",
    "PageText",
    "PageWarning",
    "PagesightError",
    "PassedOver",
    "PictureQuestion",
    "Progress",
    "Query",
    "QueryVectors",
    "QuestionsError",
    "ReasonerError",
    "Region",
    "RequestError",
    "ServerUnreachable",
    "Settings",
    "SettingsError",
    "ShownDocument",
    "SourceError",
    "StorageFull",
    "Subject",
    "UnknownDocument",
    "UnknownPage",
    "UnreadableDocument",
    "VectorRecord",
    "VectorsMissing",
    "Weights",
    "load_settings",
    "prepare",
    "prepare_on_ray",
]

_NAMES = {
    "preparing.shown_document": "ShownDocument",
    "preparing.add_report": "AddReport PageWarning Progress",
    "audit.audit": "Audit Breadth Measured",
    "documents.sources": "Failure PassedOver",
    "encoders.interface": "PageEncoder",
    "errors": (
        "AnswerBlocked AnswerCutOff BadCondition BadCorrection BadRegion BadToken EmptyAnswer EmptyQuestion "
        "EncoderError EncoderMismatch IndexInUse IndexMissing IndexWarning KeyRefused LoginRefused MissingExtra "
        "MissingPath NoDocuments PageIndexError PagesightError QuestionsError ReasonerError RequestError "
        "ServerUnreachable SettingsError SourceError StorageFull UnknownDocument UnknownPage "
        "UnreadableDocument VectorsMissing"
    ),
    "index": "PageIndex",
    "lexical.document_prior": "Subject",
    "lexical.query": "Query",
    "outlines.outline": "Outline OutlineEntry",
    "pages": "Box Correction DocumentRecord Hit Hits PageRef PageRow PageText Region VectorRecord",
    "ranking.picture_question": "PictureQuestion",
    "ranking.rank_pages": "Weights",
    "settings": "Settings load_settings",
    "shards.prepare_on_ray": "prepare_on_ray",
    "shards.prepare_shards": "prepare",
    "storage.index_encoder": "EncoderRecord",
    "vectors.multivector": "MultiVector QueryVectors",
    "writing.classify": "Classified",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

# Silent unless the program that uses it wants to hear: logging.getLogger("pagesight").
logging.getLogger("pagesight").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    # Loaded when first used: Milvus, pdfium and Pillow cost seconds that the command line's help should not take.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
