"""A server that speaks Milvus' protocol on loopback, says that it is of some version, and records what it is asked.

Milvus Lite answers for it, but for collections with an array of structs, which Lite does not have: there it keeps the
rows that it is sent and answers searches by exact MaxSim over them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import MilvusLite
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2

_OK = common_pb2.Status(code=0)


@dataclass
class Recorded:
    """What was asked: requests by the name of the call, and the ``authorization`` of every call."""

    address: str
    requests: dict[str, list[Any]] = field(default_factory=dict)
    authorizations: set[str | None] = field(default_factory=set)


class _Servicer(MilvusServicer):
    def __init__(self, data: MilvusLite, version: str, recorded: Recorded) -> None:
        super().__init__(data)
        self._version, self._recorded = version, recorded
        self._schemas: dict[str, schema_pb2.CollectionSchema] = {}
        self._rows: dict[str, dict[int, np.ndarray]] = {}

    def GetVersion(self, request: Any, context: Any) -> Any:
        return milvus_pb2.GetVersionResponse(status=_OK, version=self._version)

    def HasCollection(self, request: Any, context: Any) -> Any:
        if request.collection_name in self._schemas:
            return milvus_pb2.BoolResponse(status=_OK, value=True)
        return super().HasCollection(request, context)

    def CreateCollection(self, request: Any, context: Any) -> Any:
        schema = schema_pb2.CollectionSchema.FromString(request.schema)
        if not schema.struct_array_fields:
            return super().CreateCollection(request, context)
        self._schemas[request.collection_name] = schema
        self._rows[request.collection_name] = {}
        return self._record("CreateCollection", schema, _OK)

    def DescribeCollection(self, request: Any, context: Any) -> Any:
        if schema := self._schemas.get(request.collection_name):
            return milvus_pb2.DescribeCollectionResponse(
                status=_OK, schema=schema, collection_name=request.collection_name
            )
        return super().DescribeCollection(request, context)

    def CreateIndex(self, request: Any, context: Any) -> Any:
        if request.collection_name not in self._schemas:
            return super().CreateIndex(request, context)
        return self._record("CreateIndex", request, _OK)

    def DescribeIndex(self, request: Any, context: Any) -> Any:
        if request.collection_name not in self._schemas:
            return super().DescribeIndex(request, context)
        found = milvus_pb2.IndexDescription(index_name="patches", state=common_pb2.IndexState.Finished)
        return milvus_pb2.DescribeIndexResponse(status=_OK, index_descriptions=[found])

    def LoadCollection(self, request: Any, context: Any) -> Any:
        return _OK if request.collection_name in self._schemas else super().LoadCollection(request, context)

    def GetLoadingProgress(self, request: Any, context: Any) -> Any:
        if request.collection_name in self._schemas:
            return milvus_pb2.GetLoadingProgressResponse(status=_OK, progress=100)
        return super().GetLoadingProgress(request, context)

    def Upsert(self, request: Any, context: Any) -> Any:
        if request.collection_name not in self._schemas:
            return super().Upsert(request, context)
        columns = {column.field_name: column for column in request.fields_data}
        keys = list(columns["id"].scalars.long_data.data)
        vectors = columns["patches"].struct_arrays.fields[0].vectors
        for key, page in zip(keys, vectors.vector_array.data, strict=True):
            self._rows[request.collection_name][key] = np.array(page.float_vector.data).reshape(-1, page.dim)
        answer = milvus_pb2.MutationResult(status=_OK, upsert_cnt=len(keys))
        return self._record("Upsert", request, answer)

    def Delete(self, request: Any, context: Any) -> Any:
        if request.collection_name not in self._schemas:
            return super().Delete(request, context)
        return self._record("Delete", request, milvus_pb2.MutationResult(status=_OK))

    def Search(self, request: Any, context: Any) -> Any:
        if request.collection_name not in self._schemas:
            return super().Search(request, context)
        asked = common_pb2.PlaceholderGroup.FromString(request.placeholder_group).placeholders[0]
        limit = int(next(pair.value for pair in request.search_params if pair.key == "topk"))
        scores = {
            key: float((np.frombuffer(asked.values[0], np.float32).reshape(-1, page.shape[1]) @ page.T).max(1).sum())
            for key, page in self._rows[request.collection_name].items()
        }
        best = sorted(scores, key=lambda key: -scores[key])[:limit]
        found = schema_pb2.SearchResultData(
            num_queries=1, top_k=len(best), topks=[len(best)], scores=[scores[key] for key in best],
            ids=schema_pb2.IDs(int_id=schema_pb2.LongArray(data=best)), primary_field_name="id",
        )  # fmt: skip
        return self._record("Search", request, milvus_pb2.SearchResults(status=_OK, results=found))

    def _record(self, call: str, request: Any, answer: Any) -> Any:
        self._recorded.requests.setdefault(call, []).append(request)
        return answer


class _Authorizations(grpc.ServerInterceptor):
    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        self._recorded.authorizations.add(dict(details.invocation_metadata).get("authorization"))
        return continuation(details)


@contextmanager
def recording_server(
    folder: Path, version: str, credentials: grpc.ServerCredentials | None = None
) -> Iterator[Recorded]:
    """A server of the version, with TLS if there are credentials."""
    data = MilvusLite(str(folder))
    recorded = Recorded("")
    server = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[_Authorizations(recorded)])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(_Servicer(data, version, recorded), server)
    if credentials:
        recorded.address = f"https://127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
    else:
        recorded.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield recorded
    finally:
        server.stop(0).wait()
        data.close()


def pairs(found: Any) -> dict[str, Any]:
    """Key-value pairs of a message, those in JSON read."""
    read = {}
    for pair in found:
        try:
            read[pair.key] = json.loads(pair.value)
        except ValueError:
            read[pair.key] = pair.value
    return read
