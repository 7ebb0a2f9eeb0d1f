"""pymilvus, as the rest of this room imports it.

pymilvus loads a `.env` from any folder above the one that it is installed in: not the caller's, whose it would
override.
"""

from __future__ import annotations

from pagesight.indexing.settings import environment

with environment(PYTHON_DOTENV_DISABLED="1"):
    from pymilvus import CollectionSchema, DataType, MilvusClient, MilvusException
    from pymilvus.client.embedding_list import EmbeddingList
    from pymilvus.grpc_gen.milvus_pb2_grpc import add_MilvusServiceServicer_to_server
    from pymilvus.milvus_client import IndexParams

__all__ = [
    "CollectionSchema",
    "DataType",
    "EmbeddingList",
    "IndexParams",
    "MilvusClient",
    "MilvusException",
    "add_MilvusServiceServicer_to_server",
]
