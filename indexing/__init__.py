"""From files to ranked pages. Knows nothing of agents.

from pagesight.indexing import PageIndex

with PageIndex.open("my-index") as index:
    index.add("documents/")
    for hit in index.search("net revenue 2023"):
        print(hit.label, hit.score, hit.lines)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagesight.indexing.index import PageIndex
    from pagesight.indexing.ingest import AddReport, Progress
    from pagesight.indexing.pages import Box, DocumentRecord, Hit, PageRef, Region
    from pagesight.indexing.settings import Settings, load_settings

_HOMES = {
    "PageIndex": "index",
    "AddReport": "ingest",
    "Progress": "ingest",
    "Box": "pages",
    "DocumentRecord": "pages",
    "Hit": "pages",
    "PageRef": "pages",
    "Region": "pages",
    "Settings": "settings",
    "load_settings": "settings",
}

__all__ = [
    "AddReport",
    "Box",
    "DocumentRecord",
    "Hit",
    "PageIndex",
    "PageRef",
    "Progress",
    "Region",
    "Settings",
    "load_settings",
]


def __getattr__(name: str) -> Any:
    # Loaded when first used: Milvus, pdfium and Pillow cost seconds that the command line's help should not take.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
