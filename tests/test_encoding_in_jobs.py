"""`--batch`: gemini-embedding-2 encodes pages in the service's jobs, at half the price; nothing is paid for twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from encoder_servers import EncoderServer
from small_index import write_pdf

from pagesight.agent.cli import main

KEY = "sk-of-this-server"
PAGES = 5


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setattr("pagesight.indexing.calls.jobs._LOOK_EVERY", 0.01)
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)
    write_pdf(tmp_path / "a.pdf", [[f"Page {number} of the report"] for number in range(PAGES)])


@pytest.fixture
def server():
    with EncoderServer("gemini", key=KEY) as running:
        yield running


def run(server: EncoderServer, tmp_path: Path, *more: str) -> int:
    return main(["index", str(tmp_path / "a.pdf"), "--encoder", f"gemini-embedding-2@{server.url}", "--yes", *more])


def calls(server: EncoderServer, name: str) -> list[Any]:
    return [body for path, body, _ in server.requests if path.endswith(name)]


def in_jobs(server: EncoderServer) -> int:
    return sum(len(job["made"]) for job in server.jobs.values())


def encoded_in_jobs(monkeypatch) -> None:
    """Jobs of two pages at most."""
    monkeypatch.setattr("pagesight.indexing.calls.jobs._JOB_BYTES", 60_000)


@pytest.mark.slow
def test_pages_are_encoded_in_jobs_at_half_the_price(server, tmp_path, capsys):
    server.job_looks = 3
    assert run(server, tmp_path, "--batch") == 0
    told = capsys.readouterr()
    assert "5 pages" in told.out
    assert "about $0.0001, as jobs, which may take a day" in told.err
    assert in_jobs(server) == PAGES
    tried = sum(len(body["requests"]) for body in calls(server, ":batchEmbedContents"))
    assert tried == 2  # the pages on which it is tried, and no other
    assert main(["search", "page 3", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    noted = [json.loads(line) for line in Path(".pagesight/costs.jsonl").read_text().splitlines()]
    dollars = sum(one["dollars"] for one in noted if one["kind"] == "index")
    assert dollars == pytest.approx((2 + PAGES / 2) * 258 * 0.2 / 1e6)
    vectors = {path: len(body) for path, body, _ in server.requests}
    assert run(server, tmp_path, "--batch", "--index", "other") == 0  # the same pages: kept
    assert in_jobs(server) == PAGES
    assert vectors


def test_the_vectors_are_those_of_pages_one_by_one(server, tmp_path):
    assert run(server, tmp_path, "--batch", "--dim", "256") == 0
    jobs = calls(server, ":asyncBatchEmbedContent")
    assert jobs[0]["batch"]["inputConfig"]["requests"]["requests"][0]["request"]["outputDimensionality"] == 256
    before = server.pages
    assert run(server, tmp_path, "--dim", "256", "--index", "one by one") == 0
    assert server.pages == before


@pytest.mark.parametrize("lost", ["before the answer", "while it waits"])
def test_a_run_that_was_cut_off_takes_up_its_jobs(lost, server, tmp_path, monkeypatch, capsys):
    encoded_in_jobs(monkeypatch)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        where = "encoders.remote.gemini._made" if lost == "while it waits" else "calls.jobs._log.info"
        cut.setattr(f"pagesight.indexing.{where}", killed)
        assert run(server, tmp_path, "--batch") == 130
    begun = in_jobs(server)
    assert begun >= 1
    assert run(server, tmp_path, "--batch") == 0
    assert in_jobs(server) == PAGES  # none of them twice


def test_a_job_whose_answer_was_lost_is_found_by_its_name(server, tmp_path):
    assert run(server, tmp_path, "--index", "first", "--pages", "1") == 0  # the pages on which it is tried
    server.loses_answers = 1
    assert run(server, tmp_path, "--batch") == 0
    assert in_jobs(server) == PAGES - 1
    assert len(server.jobs) == 1


def test_pages_without_a_result_are_sent_again_and_then_named(server, tmp_path, capsys):
    server.job_refuses = 1
    assert run(server, tmp_path, "--batch") == 1
    assert "1 pages came back from their job without vectors (the picture cannot be read)" in capsys.readouterr().err
    assert [len(job["made"]) for job in server.jobs.values()] == [5, 1]
    server.job_refuses = 0
    assert run(server, tmp_path, "--batch") == 0
    assert [len(job["made"]) for job in server.jobs.values()] == [5, 1, 1]


@pytest.mark.parametrize("end", ["EXPIRED", "FAILED", "CANCELLED"])
def test_a_job_that_comes_to_nothing_is_told_and_sent_anew(end, server, tmp_path, capsys):
    server.job_ends = end
    assert run(server, tmp_path, "--batch") == 1
    told = capsys.readouterr().err
    assert f"1 jobs ended without a result (batches/00000001: {end.lower()})" in told
    assert "run the same again to send anew what was in them" in told
    server.job_ends = ""
    assert run(server, tmp_path, "--batch") == 0
    assert in_jobs(server) == 2 * PAGES


def test_a_limit_of_dollars_holds_for_jobs(server, tmp_path, monkeypatch, capsys):
    encoded_in_jobs(monkeypatch)
    page = 258 * 0.2 / 1e6
    assert run(server, tmp_path, "--batch", "--dollars", f"{page * 2.6:.7f}") == 1  # one page tried, three at half
    assert "more than the limit" in capsys.readouterr().err
    assert 1 <= in_jobs(server) <= 3
    assert run(server, tmp_path, "--batch", "--dollars", "1") == 0
    assert in_jobs(server) == PAGES


def test_services_without_jobs_say_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PAGESIGHT_ENCODER_KEY", KEY)
    with EncoderServer("voyage", key=KEY) as server:
        name = f"voyage-multimodal-3.5@{server.url}"
        assert main(["index", str(tmp_path / "a.pdf"), "--encoder", name, "--yes", "--batch"]) == 1
    assert "voyage-multimodal-3.5 encodes in no jobs: leave out --batch" in capsys.readouterr().err
