"""Encoders behind HTTP, over the command line against stand-ins of each published form."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_servers import EncoderServer
from PIL import Image
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import choose, make_encoder
from pagesight.indexing.encoders.remote import model
from pagesight.indexing.errors import EncoderError, EncoderMismatch, SettingsError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

SINGLE = {
    "cohere": ("embed-v4.0", 1536),
    "voyage": ("voyage-multimodal-3.5", 1024),
    "nim": ("nvidia/llama-nemotron-embed-vl-1b-v2", 2048),
    "jina": ("jina-embeddings-v4", 2048),
    "gemini": ("gemini-embedding-2", 3072),
}
KEY = "sk-of-this-server"


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    """No OCR, one attempt's waits of nothing, and a key for the server that a test names."""
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.setenv("PAGESIGHT_ENCODER_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setenv("PAGESIGHT_LONGEST_WAIT", "5")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"], ["Pumps"]])


def index_with(encoder: str, tmp_path: Path, *more: str) -> int:
    return main(["index", str(tmp_path / "a.pdf"), "--encoder", encoder, *more])


def noted() -> dict[str, Any]:
    return dict(json.loads(Path(".pagesight/index.json").read_text())["encoder"])


def ledger() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(".pagesight/costs.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("form", SINGLE)
def test_pages_are_indexed_and_searched_in_each_form(form, tmp_path, capsys):
    model, dim = SINGLE[form]
    with EncoderServer(form, key=KEY) as server:
        assert index_with(f"{model}@{server.url}", tmp_path, "--yes") == 0
        told = capsys.readouterr()
        assert "3 pages" in told.out
        assert model in told.err  # the estimate
        assert (noted()["name"], noted()["dim"]) == (model, dim)
        assert server.url not in Path(".pagesight/index.json").read_text()
        assert KEY not in Path(".pagesight/index.json").read_text()
        pages = server.pages
        assert main(["search", "net revenue", "--json"]) == 0  # the server is known from before
        assert len(json.loads(capsys.readouterr().out)) == 3
        assert (server.pages, server.questions) == (pages, 1)
    kinds = {record["kind"]: record for record in ledger()}
    assert kinds["index"]["pictures"] == 5  # two pages on which it was tried
    assert (kinds["index"]["model"], kinds["search"]["calls"]) == (model, 1)
    assert (kinds["index"]["dollars"] is None) == (form != "gemini")


@pytest.mark.parametrize("form", SINGLE)
def test_vectors_are_the_servers_made_1_and_cut(form, tmp_path):
    model, _ = SINGLE[form]
    dim = 512
    with EncoderServer(form, key=KEY) as server:
        encoder = make_encoder(f"{model}@{server.url}", small_settings(dim=dim, google_api_key=KEY, encoder_key=KEY))
        picture = Image.linear_gradient("L").resize((300, 400)).convert("RGB")
        (page,) = encoder.encode_pages([picture], [PageText.empty()])
        wanted = np.array(server.page(picture, dim))
        np.testing.assert_allclose(page.vectors[0], wanted / np.linalg.norm(wanted), atol=1e-5)
        query = encoder.encode_query(read_query("net revenue"), TermStatistics().idf)
        text = "task: search result | query: net revenue" if form == "gemini" else "net revenue"
        asked = np.array(server.question(text, dim))
        np.testing.assert_allclose(query.vectors[0], asked / np.linalg.norm(asked), atol=1e-5)
        assert encoder.dim == dim


def test_jina_makes_several_vectors_of_a_page(tmp_path):
    with EncoderServer("jina", key=KEY) as server:
        assert index_with(f"jina-embeddings-v4:multi@{server.url}", tmp_path, "--yes") == 0
        assert noted()["dim"] == 128
        body = server.requests[-1][1]
        assert body["return_multivector"] is True


@pytest.mark.slow
def test_gemini_takes_several_pages_a_request_and_many_at_once_elsewhere(tmp_path):
    write_pdf(tmp_path / "a.pdf", [[f"Page {number}"] for number in range(7)])
    with EncoderServer("gemini", key=KEY) as server:
        assert index_with(f"gemini-embedding-2@{server.url}", tmp_path, "--yes") == 0
        assert max(len(body["requests"]) for _, body, _ in server.requests) == 6
    with EncoderServer("voyage", key=KEY) as server:
        server.seconds = 0.1
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes", "--index", "other") == 0
        assert 2 < server.at_once <= 8


class OneSlowServer(EncoderServer):
    """Answers for its fifth page once it has had ten more; ``had`` says whether these came within 20 seconds."""

    had = False

    def __init__(self, form: str, *, key: str) -> None:
        super().__init__(form, key=key)
        self._numbers = itertools.count(1)

    def page(self, picture: Image.Image, dim: int) -> list[float]:
        made = super().page(picture, dim)
        if next(self._numbers) == 5:
            until = time.monotonic() + 20
            while self.pages < 15 and time.monotonic() < until:
                time.sleep(0.01)
            self.had = self.pages >= 15
        return made


@pytest.mark.slow
def test_one_slow_page_keeps_no_others_waiting(tmp_path):
    """Pages go to a server as it has answered others, not when all of a batch are back; they stay in order."""
    pages = [[f"Page {number}"] for number in range(1, 19)]
    write_pdf(tmp_path / "a.pdf", pages)
    with OneSlowServer("voyage", key=KEY) as server:
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes") == 0
        assert server.had
        assert server.at_once <= 8
    with PageIndex.open(".pagesight", settings=small_settings()) as index:
        texts = [index.text(index.page(f"a.pdf p. {number}")) for number in (1, 9, 18)]
    assert texts == ["Page 1", "Page 9", "Page 18"]


@pytest.mark.parametrize("failure", [(429, {"retry-after": "0"}), (503, {}), "breaks"])
@pytest.mark.parametrize("form", ["voyage", "gemini"])
def test_what_passes_is_tried_again(form, failure, tmp_path, monkeypatch):
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)
    model, _ = SINGLE[form]
    with EncoderServer(form, key=KEY) as server:
        server.failures = [failure, failure]
        assert index_with(f"{model}@{server.url}", tmp_path, "--yes") == 0


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda server: setattr(server, "key", "another"), "401 invalid API key"),
        (lambda server: setattr(server, "model", "another"), "404 The model"),
        (lambda server: server.failures.append("nonsense"), "no JSON"),
        (lambda server: server.failures.extend([(500, {})] * 9), "500 try again"),
    ],
)
def test_what_does_not_pass_is_one_clear_error(prepare, said, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)
    with EncoderServer("voyage", key=KEY) as server:
        prepare(server)
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes") == 1
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert KEY not in error


def test_a_page_of_a_proxy_is_no_answer_of_geminis(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)
    with EncoderServer("gemini", key=KEY) as server:
        server.failures = ["nonsense"]
        assert index_with(f"gemini-embedding-2@{server.url}", tmp_path, "--yes") == 0
        assert all("x-server-timeout" not in headers for _, _, headers in server.requests)
        server.failures = ["nonsense"] * 9
        assert main(["search", "revenue"]) == 1
    error = capsys.readouterr().err
    assert "gemini-embedding-2 could not be asked" in error
    assert "Traceback" not in error


def test_a_server_that_is_slow_is_given_up(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_ENCODER_TIMEOUT", "0.3")
    with EncoderServer("cohere", key=KEY) as server:
        server.seconds = 1.0
        assert index_with(f"embed-v4.0@{server.url}", tmp_path, "--yes") == 1
    assert "did not answer within 0.3 s: set PAGESIGHT_ENCODER_TIMEOUT" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_and_pays_nothing_twice(tmp_path, capsys):
    write_pdf(tmp_path / "a.pdf", [[f"Page {number}"] for number in range(9)])
    with EncoderServer("voyage", key=KEY) as server:
        server.fails_after = 5
        name = f"voyage-multimodal-3.5@{server.url}"
        assert index_with(name, tmp_path, "--yes") == 1
        assert "402 no credit left" in capsys.readouterr().err
        server.fails_after = None
        assert index_with(name, tmp_path, "--yes") == 0
        assert server.pages == 9 + 2
        assert index_with(name, tmp_path, "--yes", "--index", "another") == 0  # other index, same pages
        assert server.pages == 9 + 2
        assert index_with(name, tmp_path, "--yes", "--index", "smaller", "--dim", "256") == 0  # other vectors
        assert server.pages == 2 * 11


def test_kept_vectors_that_are_damaged_are_paid_for_again(tmp_path):
    write_pdf(tmp_path / "a.pdf", [["Page 1"], ["Page 2"]])
    promises = "{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000, 1024), }".ljust(117) + "\n"
    with EncoderServer("voyage", key=KEY) as server:
        name = f"voyage-multimodal-3.5@{server.url}"
        assert index_with(name, tmp_path, "--yes") == 0
        kept, asked = sorted((tmp_path / "state").rglob("*.npy")), server.pages
        assert len(kept) == asked == 4  # of two trial pages, too
        for path in kept[:2]:
            path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + promises.encode())
        kept[2].write_bytes(b"")
        kept[3].write_bytes(kept[3].read_bytes()[:-9])
        assert index_with(name, tmp_path, "--yes", "--index", "other") == 0
        assert server.pages == 2 * asked


def test_a_question_with_half_a_character_is_asked_without_it(tmp_path, capsys):
    with EncoderServer("voyage", key=KEY) as server:
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes") == 0
        assert main(["search", "net \udc80 revenue", "--json"]) == 0
        assert "net ? revenue" in str(server.requests[-1][1])
    assert '"a.pdf p. 1"' in capsys.readouterr().out


def test_pages_that_cannot_be_begun_together_are_sent_one_by_one(tmp_path, monkeypatch):
    known_by, failed = model._content, []

    def content(picture: Image.Image) -> bytes:
        if picture.width > 500 and not failed:  # a page, not the trial page
            failed.append(picture)
            raise ValueError("no such pixels")
        return known_by(picture)

    monkeypatch.setattr(model, "_content", content)
    with EncoderServer("voyage", key=KEY) as server:
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes") == 0
        assert server.pages == 2 + 3  # trial pages first
    assert failed


def test_another_server_with_the_same_model_will_do_and_one_with_another_will_not(tmp_path, capsys):
    with EncoderServer("voyage", key=KEY) as first, EncoderServer("voyage", key=KEY) as same:
        assert index_with(f"voyage-multimodal-3.5@{first.url}", tmp_path, "--yes") == 0
        settings = small_settings(encoder=f"voyage-multimodal-3.5@{same.url}", encoder_key=KEY)
        with PageIndex.open(".pagesight", settings=settings) as index:
            assert index.search("net revenue")
        assert (same.pages, same.questions) == (1, 1)
        with PageIndex.open(".pagesight", settings=settings) as index:
            index.search("ferries")
        assert same.pages == 1  # it is known now
    with EncoderServer("voyage", key=KEY, seed=1) as other:
        settings = small_settings(encoder=f"voyage-multimodal-3.5@{other.url}", encoder_key=KEY)
        with (
            PageIndex.open(".pagesight", settings=settings) as index,
            pytest.raises(EncoderMismatch, match="not the one"),
        ):
            index.search("pumps")


def test_nothing_is_paid_without_a_yes(tmp_path, capsys):
    with EncoderServer("gemini", key=KEY) as server:
        name = f"gemini-embedding-2@{server.url}"
        assert index_with(name, tmp_path) == 1
        error = capsys.readouterr().err
        assert "3 pages, about 774 tokens, about $0.0002" in error
        assert "--yes" in error
        assert server.pages <= 1  # the one by which the model is told again


def test_a_limit_in_dollars_ends_the_run_and_more_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_PRICES", '{"gemini-embedding-2": [1000, 0]}')  # 25.8 cents a page
    write_pdf(tmp_path / "a.pdf", [[f"Page {number}"] for number in range(10)])
    with EncoderServer("gemini", key=KEY) as server:
        name = f"gemini-embedding-2@{server.url}"
        assert index_with(name, tmp_path, "--yes", "--dollars", "2.5") == 1
        assert "more than the limit of $2.5" in capsys.readouterr().err
        assert 2 < server.pages <= 9
        assert index_with(name, tmp_path, "--yes", "--dollars", "10") == 0
        assert server.pages == 12
        unpriced = f"voyage-multimodal-3.5@{server.url}"
        assert index_with(unpriced, tmp_path, "--yes", "--dollars", "1", "--index", "v") == 1
        assert "PAGESIGHT_PRICES" in capsys.readouterr().err


# ---- names, keys, addresses


def test_names_have_no_address():
    assert choose("org/model@http://127.0.0.1:8000").name == "org/model@vllm"
    assert choose("org/model@cohere+https://host.example/x/").name == "org/model@cohere"
    assert choose("embed-v4.0@http://127.0.0.1:1").name == choose("embed-v4.0").name == "embed-v4.0"
    for wrong in ("m@http://", "m@ftp://x", "m@nonsense+http://x", "m@http://user:word@host"):
        with pytest.raises(SettingsError):
            choose(wrong)


def test_a_services_key_goes_to_the_service_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VOYAGE_API_KEY", "voyages-own-key")
    monkeypatch.delenv("PAGESIGHT_ENCODER_KEY")
    with EncoderServer("voyage") as server:
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes") == 0
        assert all("authorization" not in headers for _, _, headers in server.requests)
    monkeypatch.delenv("VOYAGE_API_KEY")
    assert index_with("voyage-multimodal-3.5", tmp_path, "--yes", "--index", "b") == 1
    assert "VOYAGE_API_KEY" in capsys.readouterr().err


def test_a_key_goes_to_no_address_that_only_dotenv_names(tmp_path, capsys):
    with EncoderServer("voyage", key=KEY) as server:
        Path(".env").write_text(f"PAGESIGHT_ENCODER=voyage-multimodal-3.5@{server.url}\n")
        assert main(["index", str(tmp_path / "a.pdf"), "--yes"]) == 1
        assert "PAGESIGHT_ENCODER_KEY is not sent to" in capsys.readouterr().err
        assert server.requests == []


def test_an_address_in_an_index_is_not_asked(tmp_path):
    with EncoderServer("voyage", key=KEY) as server, EncoderServer("voyage", key=KEY) as theirs:
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes") == 0
        place = Path(".pagesight/index.json")
        place.write_text(place.read_text().replace('"voyage-multimodal-3.5"', f'"voyage-multimodal-3.5@{theirs.url}"'))
        with pytest.raises((EncoderError, EncoderMismatch, SettingsError)):
            PageIndex.open(".pagesight", settings=small_settings(encoder_key=KEY)).search("net revenue")
        assert theirs.requests == []


def test_dimensions_that_a_service_does_not_have_are_refused_before_anything_is_sent(tmp_path, capsys):
    with EncoderServer("voyage", key=KEY) as server:
        assert index_with(f"voyage-multimodal-3.5@{server.url}", tmp_path, "--yes", "--dim", "300") == 1
        assert "256, 512, 1024, 2048 dimensions, 300 were asked for" in capsys.readouterr().err
        assert server.requests == []
