"""What an index sends to servers that the tests have no binary of: newer ones, and those with TLS."""

from __future__ import annotations

import datetime
from base64 import b64encode
from pathlib import Path

import grpc
import numpy as np
import pytest
from milvus_wire import pairs, recording_server
from pymilvus.grpc_gen import common_pb2, schema_pb2
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import ServerUnreachable
from pagesight.indexing.milvus.capabilities import LITE, capabilities

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]


@pytest.mark.parametrize(
    ("version", "max_sim"),
    [
        ("v2.3.5-lite", False),
        ("2.4.17", False),
        ("v2.5.0", False),
        ("2.6.3", False),
        ("2.6.4", True),
        ("v2.6.11-dev", True),
        ("3.0.0-beta", True),
        ("nightly", True),
    ],
)
def test_what_a_version_can_do(version: str, max_sim: bool) -> None:
    able = capabilities(version)
    assert (able.max_sim, able.graph) == (max_sim, "HNSW")
    assert capabilities("milvus_lite-3.2.2") == LITE


def test_arrays_of_vectors_on_newer_servers(tmp_path: Path) -> None:
    pages = [[f"keyword{number:04d} stands here"] for number in range(30)]
    with recording_server(tmp_path / "server", "2.6.4") as server:
        settings = small_settings(candidates=5, ef=100, exhaustive_below=0)
        with PageIndex.open(f"{server.address}/reports", settings=settings) as index:
            index.add(write_pdf(tmp_path / "long.pdf", [*pages, [], ["Umwälzpumpe"]]))
            # only the vectors are alike: BM25 does not know the word
            assert index.search("Umwälzpumpen", top_k=1)[0].page == 32
            query, dim = index.query_vectors("Umwälzpumpen"), index.encoder.dim
            found = index.multivector(index.page("long.pdf p. 32")).vectors
            identity = index.document("long.pdf").document_id
            index.remove("long.pdf")
        asked = server.requests

    (schema,) = asked["CreateCollection"]
    (patches,) = schema.struct_array_fields
    (vector,) = patches.fields
    assert [field.name for field in schema.fields] == ["id", "document_id"]
    assert (patches.name, vector.name) == ("patches", "vector")
    assert vector.data_type == schema_pb2.DataType.ArrayOfVector
    assert vector.element_type == schema_pb2.DataType.FloatVector
    assert pairs(vector.type_params) == {"dim": dim, "max_capacity": 4096}

    (index_asked,) = asked["CreateIndex"]
    assert index_asked.field_name == "patches[vector]"
    wanted = {"index_type": "HNSW", "metric_type": "MAX_SIM_IP"}
    assert pairs(index_asked.extra_params).items() >= wanted.items()

    written = [row for request in asked["Upsert"] for row in request.fields_data if row.field_name == "patches"]
    lists = [page for row in written for page in row.struct_arrays.fields[0].vectors.vector_array.data]
    assert len(lists) == 31  # the empty page has no vector
    np.testing.assert_allclose(np.array(lists[-1].float_vector.data).reshape(-1, dim), found, atol=1e-3)

    (search,) = asked["Search"]
    (placeholder,) = common_pb2.PlaceholderGroup.FromString(search.placeholder_group).placeholders
    assert placeholder.type == common_pb2.PlaceholderType.EmbListFloatVector
    sent = np.frombuffer(placeholder.values[0], np.float32).reshape(-1, dim)
    np.testing.assert_allclose(sent, query.vectors * query.weights[:, None], rtol=1e-5)
    params = pairs(search.search_params)
    assert (params["anns_field"], params["metric_type"], params["topk"]) == ("patches[vector]", "MAX_SIM_IP", 5)
    assert params["params"]["ef"] == 100

    (delete,) = asked["Delete"]
    assert delete.expr == f'document_id in ["{identity}"]'


def test_a_search_keeps_to_documents_on_newer_servers(tmp_path: Path) -> None:
    with recording_server(tmp_path / "server", "2.6.4") as server:
        with PageIndex.open(server.address, settings=small_settings(exhaustive_below=0, candidates=1)) as index:
            for name in ("a.pdf", "b.pdf"):
                index.add(write_pdf(tmp_path / name, [[*FERRY, name], ["Annex"]]))
            index.search("ferry Aurora", documents=["b.pdf"])
            identity = index.document("b.pdf").document_id
        assert server.requests["Search"][0].dsl == f'document_id in ["{identity}"]'


@pytest.mark.parametrize("token", ["root:a-password", "an-api-key"])
def test_the_login_goes_with_every_call_and_is_not_shown(tmp_path: Path, token: str) -> None:
    with recording_server(tmp_path / "server", "2.5.4") as server:
        settings = small_settings(milvus_token=token)
        assert token not in repr(settings)
        with PageIndex.open(server.address, settings=settings) as index:
            index.add(write_pdf(tmp_path / "a.pdf", [FERRY]))
            assert index.search("ferry Aurora")[0].label == "a.pdf p. 1"
        assert server.authorizations == {b64encode(token.encode()).decode()}


def certificate(folder: Path, name: str) -> tuple[grpc.ServerCredentials, Path]:
    """A certificate for a name that only its owner has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(public)
    return grpc.ssl_server_credentials([(private, public)]), folder / "server.pem"


def test_tls_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    credentials, path = certificate(tmp_path, "milvus.example")
    with recording_server(tmp_path / "server", "2.5.4", credentials) as server:
        known = small_settings(milvus_certificate=path, milvus_server_name="milvus.example")
        with PageIndex.open(server.address, settings=known) as index:
            index.add(write_pdf(tmp_path / "a.pdf", [FERRY]))
            assert index.search("ferry Aurora")[0].label == "a.pdf p. 1"
        for address, settings in (
            (server.address, small_settings()),
            (server.address, small_settings(milvus_certificate=path)),  # the name is another
            (server.address.replace("https", "http"), known),
        ):
            with pytest.raises(ServerUnreachable, match="PAGESIGHT_MILVUS_CERTIFICATE"):
                PageIndex.open(address, settings=settings)
