"""An index without documents takes another encoder: by the library, and in the page, where its price is said first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from encoder_servers import EncoderServer
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import EncoderMismatch, PageIndexError, SettingsError

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")
from service_server import served, wait_until

PAID = "gemini-embedding-2"
KEY = "AIza-test-key"


@pytest.fixture
def encoding() -> Iterator[EncoderServer]:
    with EncoderServer("gemini", key=KEY) as server:
        yield server


def asked_at(server: EncoderServer) -> dict[str, Any]:
    return {"google_base_url": server.url, "google_api_key": KEY}


def pages(folder: Path, name: str, *lines: str) -> Path:
    return write_pdf(folder / name, [[line] for line in lines])


def test_an_empty_index_takes_another_encoder_and_one_with_documents_keeps_its_own(
    tmp_path: Path, encoding: EncoderServer
) -> None:
    settings = small_settings(**asked_at(encoding))
    source = pages(tmp_path, "a.pdf", "The ferry Aurora", "Heat pumps")
    with PageIndex.open(tmp_path / "i", settings=settings) as index:

        def refuses(count: int) -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            index.add(source, approve=refuses)  # Milvus has been opened meanwhile, with the first one's dimensions
        with pytest.raises(SettingsError, match="there is no encoder"):
            index.use_encoder("no-such-encoder")
        assert index.encoder.name == "lexical"
        index.use_encoder(PAID)
        assert (index.encoder.name, index.encoder.dim) == (PAID, 3072)
        assert index.add(source).pages == 2
        assert index.search("ferry")[0].label == "a.pdf p. 1"
        with pytest.raises(PageIndexError, match="has documents"):
            index.use_encoder("lexical")
        index.remove("a.pdf")
        with pytest.raises(PageIndexError, match="can be restored"):
            index.use_encoder("lexical")
    with PageIndex.open(tmp_path / "i", settings=settings) as again:
        assert again.encoder.name == PAID
        assert again.restore("a.pdf")[0].document == "a.pdf"
        assert again.search("ferry")[0].label == "a.pdf p. 1"


def test_who_has_it_open_with_the_encoder_before_cannot_write_to_it(tmp_path: Path, encoding: EncoderServer) -> None:
    with PageIndex.open(tmp_path / "i", settings=small_settings(**asked_at(encoding))) as index:
        index.use_encoder(PAID)
        made = {name: (tmp_path / "i" / name).read_bytes() for name in ("index.json", "index.backup.json")}
    with PageIndex.open(tmp_path / "other", settings=small_settings()) as before:
        for name, content in made.items():  # as another process does meanwhile
            (tmp_path / "other" / name).write_bytes(content)
        with pytest.raises(EncoderMismatch, match=f"made with the encoder {PAID}"):
            before.add(pages(tmp_path, "a.pdf", "The ferry Aurora"))


def test_two_who_share_an_index_in_a_process_keep_its_encoder(tmp_path: Path, encoding: EncoderServer) -> None:
    settings = small_settings(**asked_at(encoding))
    with (
        PageIndex.open(tmp_path / "i", settings=settings) as index,
        PageIndex.open(tmp_path / "i", settings=settings),
        pytest.raises(PageIndexError, match="cannot be changed"),
    ):
        index.use_encoder(PAID)
    assert encoding.pages == 0


def test_the_price_of_the_chosen_encoder_is_said_before_anything_is_sent(
    tmp_path: Path, encoding: EncoderServer
) -> None:
    PageIndex.open(tmp_path / "i", settings=small_settings()).close()
    content = pages(tmp_path, "a.pdf", "The ferry Aurora", "Heat pumps").read_bytes()
    how = {"reasoner": "offline", **asked_at(encoding)}
    with served(tmp_path / "i", plan={"page": True}, **how) as running, running.client() as client:
        told = client.get("/encoders").json()
        assert (told["encoder"], told["changeable"]) == ("lexical", True)
        offers = {one["model"]: one for one in told["others"]}
        assert (offers[PAID]["pages"], offers[PAID]["lacks"]) == (1000, "")
        assert 0 < offers[PAID]["dollars"] < 1
        assert "COHERE_API_KEY" in offers["embed-v4.0"]["lacks"]

        def sent(**form: str) -> httpx.Response:
            files = {"files": ("a.pdf", content), **{name: (None, value) for name, value in form.items()}}
            return client.post("/documents", files=files)

        def reaches(reply: httpx.Response, state: str) -> dict[str, Any]:
            address = f"/jobs/{reply.json()['id']}"
            wait_until(lambda: client.get(address).json()["state"] == state)
            return dict(client.get(address).json())

        assert sent(encoder=f"external:{tmp_path}/script.py").status_code == 422
        stopped = sent(encoder=PAID, ask="price")
        assert reaches(stopped, "asking")["estimate"]["pages"] == 2
        client.delete(f"/jobs/{stopped.json()['id']}")
        reaches(stopped, "stopped")
        assert (encoding.pages, client.get("/me").json()["encoder"]) == (0, "lexical")
        confirmed = sent(encoder=PAID, ask="price")
        reaches(confirmed, "asking")
        client.post(f"/jobs/{confirmed.json()['id']}/confirm")
        assert reaches(confirmed, "done")["report"]["added"][0]["document"] == "a.pdf"
        told = client.get("/encoders").json()
        assert (told["encoder"], told["pages"], told["changeable"]) == (PAID, 2, False)
        assert {"model": "lexical", "dollars": 0.0}.items() <= told["others"][0].items()
        assert client.post("/search", json={"query": "ferry"}).json()["hits"][0]["label"] == "a.pdf p. 1"
        failed = sent(encoder="lexical")
        assert "has documents" in reaches(failed, "failed")["message"]
    with served(tmp_path / "i", **how) as shared, shared.client() as client:
        refused = client.post("/documents", files={"files": ("a.pdf", content), "encoder": (None, "lexical")})
        assert refused.status_code == 422  # others may have opened it


def test_the_price_is_that_of_all_encoders_of_the_index(tmp_path: Path, encoding: EncoderServer) -> None:
    how = {"reasoner": "offline", **asked_at(encoding)}
    with PageIndex.open(tmp_path / "i", encoder=["lexical", PAID], settings=small_settings(**how)):
        pass
    content = pages(tmp_path, "a.pdf", "The ferry Aurora", "Heat pumps").read_bytes()
    before = encoding.pages
    with served(tmp_path / "i", plan={"page": True}, **how) as running, running.client() as client:
        both = f"lexical and {PAID}"
        assert client.get("/me").json()["encoder"] == both
        told = client.get("/encoders").json()
        assert (told["encoder"], told["own"]["model"]) == (both, both)
        assert told["own"]["dollars"] > 0
        job = client.post("/documents", files={"files": ("a.pdf", content), "ask": (None, "price")}).json()["id"]
        wait_until(lambda: client.get(f"/jobs/{job}").json()["state"] == "asking")
        assert client.get(f"/jobs/{job}").json()["estimate"]["pages"] == 2
        assert encoding.pages == before
        client.post(f"/jobs/{job}/confirm")
        wait_until(lambda: client.get(f"/jobs/{job}").json()["state"] == "done")
        assert encoding.pages >= before + 2


def test_encoding_in_jobs_has_a_price_and_no_time(tmp_path: Path, encoding: EncoderServer) -> None:
    PageIndex.open(tmp_path / "i", settings=small_settings()).close()
    how = {"reasoner": "offline", "encoder_batch": True, **asked_at(encoding)}
    with served(tmp_path / "i", **how) as running, running.client() as client:
        offers = {one["model"]: one for one in client.get("/encoders").json()["others"]}
        assert offers[PAID]["seconds"] is None
        assert offers[PAID]["dollars"] > 0
