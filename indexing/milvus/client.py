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
    from pymilvus.client import entity_helper
    from pymilvus.client.embedding_list import EmbeddingList
    from pymilvus.milvus_client import IndexParams

# It looks at each letter of a row's texts for whether that is a text, a tenth of all that writing takes.
if hasattr(entity_helper, "CHECK_STR_ARRAY"):
    entity_helper.CHECK_STR_ARRAY = False

if _level:
    _log.setLevel(_level)

__all__ = ["CollectionSchema", "DataType", "EmbeddingList", "IndexParams", "MilvusClient", "MilvusException"]
