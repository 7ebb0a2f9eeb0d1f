"""Rerankers of texts: a tiny cross-encoder, and servers in each published form; what cannot be used is one error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from encoder_servers import EncoderServer
from small_index import REPORT, make_index, small_settings

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import EncoderError, SettingsError

QUESTION = "net revenue by region"
KEY = "rerank-key"
MODEL = "some/reranker"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reranked")
    make_index(folder).close()
    return folder / "index"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)


def labels(place: Path, question: str = QUESTION, **settings: Any) -> list[tuple[str, float]]:
    with PageIndex.open(place, settings=small_settings(device="cpu", dtype="float32", **settings)) as index:
        return [(hit.label, hit.score) for hit in index.search(question, top_k=20)]


# a model in this process


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Any:
    pytest.importorskip("sentence_transformers", reason="the extra colpali brings sentence-transformers")
    import tiny_checkpoints

    return tiny_checkpoints.cross_encoder(tmp_path_factory.mktemp("cross") / "encoder")


def test_pages_stand_in_the_order_of_the_models_own_scores(place, tiny):
    from sentence_transformers import CrossEncoder

    found = labels(place, rerank=str(tiny), rerank_weight=1.0)
    with PageIndex.open(place, settings=small_settings()) as index:
        texts = {hit.label: index.text(hit.ref) for hit in index.search(QUESTION, top_k=20)}
    texts = {label: text for label, text in texts.items() if text}  # a photo has none
    found = [(label, score) for label, score in found if label in texts]
    model = CrossEncoder(str(tiny), device="cpu")
    own = {label: float(model.predict([(QUESTION, text)])[0]) for label, text in texts.items()}
    assert len({round(score, 4) for score in own.values()}) > 3
    assert [label for label, _ in found] == sorted(own, key=lambda label: -own[label])
    assert [score for _, score in found] == pytest.approx(sorted(own.values(), reverse=True), abs=1e-4)


def test_the_search_keeps_its_part_of_the_score(place, tiny):
    plain = labels(place)
    assert [label for label, _ in labels(place, rerank=str(tiny), rerank_weight=0.0)] == [label for label, _ in plain]
    both = labels(place, rerank=str(tiny))
    assert {label for label, _ in both} == {label for label, _ in plain}
    scores = [score for _, score in both]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_only_the_best_pages_are_read(place, tiny):
    plain = [label for label, _ in labels(place)]
    two = [label for label, _ in labels(place, "table of net revenue", rerank=str(tiny), rerank_pages=2)]
    assert len(two) >= 5
    found = labels(place, rerank=str(tiny), rerank_pages=2)
    assert len(found) == len(plain)  # all that were asked for are read, however few rerank_pages are


def test_a_long_page_is_read_to_its_end(tmp_path, tiny):
    from sentence_transformers import CrossEncoder

    from pagesight.indexing.rerankers import reranker_of

    reranker = reranker_of(small_settings(rerank=str(tiny), device="cpu", dtype="float32"))
    words = [f"w{number % 7}" for number in range(700)]
    passages = [" ".join(words[start : start + 250]) for start in (0, 200, 400, 600)]
    model = CrossEncoder(str(tiny), device="cpu")
    own = max(float(model.predict([("ferry", passage)])[0]) for passage in passages)
    (score,) = reranker.scores("ferry", [" ".join(words)])
    assert score == pytest.approx(own, abs=1e-4)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ({"has_head": False}, "missing: classifier.bias, classifier.weight"),
        ({"scores": 3}, "no single number"),
    ],
    ids=["a model without its head", "a classifier"],
)
def test_what_is_no_reranker_is_refused(make, said, place, tmp_path):
    pytest.importorskip("sentence_transformers", reason="the extra colpali brings sentence-transformers")
    import tiny_checkpoints

    folder = tiny_checkpoints.cross_encoder(tmp_path / "model", **make)
    with pytest.raises(EncoderError, match=said) as caught:
        labels(place, rerank=str(folder))
    assert "PAGESIGHT_RERANK" in str(caught.value) or "another reranker" in str(caught.value)
    assert "another encoder" not in str(caught.value)


@pytest.mark.parametrize("name", ["bge", "rerank-9", "./no/such folder"])
def test_a_name_that_leads_nowhere_says_what_names_there_are(name, place, capsys):
    status = main(["search", QUESTION, "--index", str(place), "--rerank", name])
    error = capsys.readouterr().err
    assert status == 1
    assert "rerank" in error
    assert "Traceback" not in error


# behind HTTP


@pytest.mark.parametrize(
    ("form", "named"),
    [("vllm", "{model}@{url}"), ("cohere", "{model}@cohere+{url}"), ("voyage", "{model}@voyage+{url}"),
     ("jina", "{model}@jina+{url}")],
    ids=["vllm", "cohere", "voyage", "jina"],
)  # fmt: skip
def test_servers_are_asked_in_their_form(form, named, place, capsys):
    with EncoderServer(f"rerank-{form}", key=KEY, model=MODEL) as server:
        name = named.format(model=MODEL, url=server.url)
        found = labels(place, "people worked appendix", rerank=name, rerank_key=KEY, rerank_weight=1.0)
        assert found[0] == (f"{REPORT} p. 3", pytest.approx(2 / 3))
        assert len(server.requests) == 1
        arguments = ["search", "people worked appendix", "--index", str(place), "--rerank", name, "--json"]
        server.key = None
        assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)[0]["label"] == f"{REPORT} p. 3"


def test_a_servers_refusal_is_one_line_with_the_way_out(place, capsys):
    with EncoderServer("rerank-vllm", key=KEY, model=MODEL) as server:
        assert main(["search", QUESTION, "--index", str(place), "--rerank", f"{MODEL}@{server.url}"]) == 1
        error = capsys.readouterr().err
        assert "the reranker's server" in error
        assert "401 invalid API key" in error
        assert main(["search", QUESTION, "--index", str(place), "--rerank", f"other/model@{server.url}"]) == 1
    assert "401" in capsys.readouterr().err


def test_a_server_that_is_gone_is_named(place, capsys):
    assert main(["search", QUESTION, "--index", str(place), "--rerank", f"{MODEL}@http://127.0.0.1:9"]) == 1
    assert "cannot be reached" in (error := capsys.readouterr().err)
    assert "leave out --rerank" in error.lower()


@pytest.mark.parametrize(
    "results",
    [[], [{"index": 99, "relevance_score": 0.5}], [{"index": 0, "relevance_score": "high"}], "none", [3]],
    ids=["no scores", "another text", "no number", "no list", "no object"],
)
def test_answers_that_say_nothing_are_refused(results, place, monkeypatch):
    with EncoderServer("rerank-vllm", model=MODEL) as server:
        monkeypatch.setattr(server, "answer", lambda *_: {"results": results})
        with pytest.raises(EncoderError, match="answered with"):
            labels(place, rerank=f"{MODEL}@{server.url}")


def test_a_services_key_is_asked_for_and_goes_nowhere_else(place, tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="VOYAGE_API_KEY"):
        labels(place, rerank="rerank-2.5")
    with EncoderServer("rerank-voyage", model="rerank-2.5") as server:
        labels(place, rerank=f"rerank-2.5@voyage+{server.url}", voyage_api_key="of-voyage")
        assert all("authorization" not in headers for _, _, headers in server.requests)
        monkeypatch.chdir(tmp_path)
        Path(".env").write_text(f"PAGESIGHT_RERANK=rerank-2.5@voyage+{server.url}\n")
        monkeypatch.setenv("PAGESIGHT_RERANK_KEY", KEY)
        with pytest.raises(SettingsError, match=r"RERANK_KEY is not sent to .*only the file .*\.env"):
            labels(place)


def test_pages_without_words_keep_their_place(tmp_path):
    from pagesight.indexing.rerankers.rerank import rerank

    class Backwards:
        name = "backwards"

        def scores(self, question: str, texts: Any) -> Any:
            return [place / len(texts) for place, _ in enumerate(texts)]

    class Row:
        def __init__(self, key: str) -> None:
            self.key = key

    ranked = [(Row(key), score) for key, score in (("a", 0.9), ("scan", 0.8), ("b", 0.7), ("c", 0.1))]
    found = rerank(Backwards(), "?", ranked, {"a": "a", "b": "b", "c": "c", "scan": " "}, 1.0)
    assert [row.key for row, _ in found] == ["c", "scan", "b", "a"]
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)


# measured


def test_a_reranker_is_a_run_of_the_evaluation(place, tmp_path, capsys):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        json.dumps({"id": "1", "question": "people worked", "document": REPORT, "pages": [3]}), encoding="utf-8"
    )
    with EncoderServer("rerank-vllm", model=MODEL) as server:
        arguments = ["eval", "retrieval", "--questions", str(questions), "--index", str(place), "--json"]
        assert main([*arguments, "--run", "hybrid", "--run", "reranked", "--rerank", f"{MODEL}@{server.url}"]) == 0
        assert "reranked" in capsys.readouterr().out
        assert len(server.requests) >= 1
    assert main([*arguments, "--run", "reranked"]) == 1
    assert "--rerank" in capsys.readouterr().err
