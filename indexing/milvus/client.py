"""pymilvus, as the rest of this room imports it.

pymilvus loads a `.env` from any folder above the one that it is installed in: not the caller's, whose it would
override.
"""

from __future__ import annotations

import logging

from pagesight.indexing.configuration import environment

_log = logging.getLogger("pymilvus")
_level = _log.level  # which the import sets anew

with environment.set_to(PYTHON_DOTENV_DISABLED="1"):
    from pymilvus import CollectionSchema, DataType, MilvusClient, MilvusException
    from pymilvus.client.embedding_list import EmbeddingList
    from pymilvus.milvus_client import IndexParams

if _level:
    _log.setLevel(_level)

__all__ = ["CollectionSchema", "DataType", "EmbeddingList", "IndexParams", "MilvusClient", "MilvusException"]
