"""What every test starts from: an empty folder, none of the caller's settings or keys, and no network but loopback.

Tests that hold for every index take its `place`. It is a folder; with ``--milvus ADDRESS`` it is an index on that
server, and only these tests run, with those that take `address` or `milvus`.
"""

from __future__ import annotations

import os
import signal
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:  # imported late, once the environment is cleared
    from gemini_server import GeminiServer

    from pagesight.indexing import PageIndex

#: Variables that would change what the tests see: settings, keys, and services that libraries report to.
FOREIGN = ("PAGESIGHT_", "GOOGLE_", "GEMINI_", "OPENAI_", "ANTHROPIC_", "LANGSMITH_", "LANGCHAIN_", "MILVUS_")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--milvus http://USER:PASSWORD@HOST:PORT``: run the tests that hold for every index on a Milvus server."""
    parser.addoption("--milvus", metavar="ADDRESS", default=None, help="a Milvus server for the indexes of tests")


def pytest_configure() -> None:
    """Clears the environment before anything is collected, also for the processes that tests start."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="pagesight-tests-")  # for what starts before a test
    # A chat in a terminal is forked from here, and gRPC's handlers of a fork can end it before it has started.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    # Importing pymilvus loads the `.env` found in any folder above it, the clone's too, into the environment.
    os.environ["PYTHON_DOTENV_DISABLED"] = "1"
    # A job in the background of a shell ignores Ctrl-C, and so would the processes that tests send it to.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in an empty folder of its own, so that nothing of the caller's is found."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the server has no part in."""
    if config.getoption("milvus"):
        kept = [item for item in items if {"place", "address", "milvus"} & set(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    """The small index, which the tests of a module share and leave as it is."""
    from small_index import make_index

    with make_index(tmp_path_factory.mktemp("index")) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that no process holds."""
    from small_index import make_index

    folder = tmp_path_factory.mktemp("index")
    make_index(folder).close()
    return folder / "index"


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    """A server on loopback that speaks Gemini's protocol."""
    from gemini_server import GeminiServer

    with GeminiServer() as running:
        yield running


@pytest.fixture
def gemini(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> GeminiServer:
    """The same server, which the environment names with a key; what it refuses is not asked again."""
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-test-key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    monkeypatch.setenv("PAGESIGHT_MAX_RETRIES", "1")
    return server


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where the test's index goes: nothing is there yet."""
    return request.getfixturevalue("milvus") if request.config.getoption("milvus") else str(tmp_path / "index")


@pytest.fixture
def address(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a new index on a server: the given one, or else Milvus Lite's own on loopback."""
    if request.config.getoption("milvus"):
        yield request.getfixturevalue("milvus")
        return
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    running, data, port = start_server_in_thread(str(tmp_path / "server"))
    yield f"http://127.0.0.1:{port}/test_reports"
    running.stop(0).wait()
    data.close()


@pytest.fixture
def milvus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a new index on the server; what indexes of this and longer names left there is dropped."""
    given = request.config.getoption("milvus")
    if not given:
        pytest.skip("needs a Milvus server: make test-server")
    parts = urlsplit(given)
    token = f"{parts.username}:{parts.password}"
    monkeypatch.setenv("PAGESIGHT_MILVUS_TOKEN", token)
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield f"http://{parts.hostname}:{parts.port}/{name}"
    from pymilvus import MilvusClient

    client = MilvusClient(f"http://{parts.hostname}:{parts.port}", token=token)
    for collection in client.list_collections():
        if collection.startswith(name):
            client.drop_collection(collection)
    client.close()


@pytest.fixture
def object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a stand-in of S3 on loopback (moto's), which all processes are led to; it has the bucket archive."""
    boto3 = pytest.importorskip("boto3", reason="the extra `remote` is not installed")
    pytest.importorskip("s3fs", reason="the extra `remote` is not installed")
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="archive")
    yield client
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    server.stop()
