"""What one token may ask for: questions at a time, dollars of a day; and tokens that change while the service runs."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from gemini_server import GeminiServer
from service_server import QUESTION, Served, served, wait_until

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")

from pagesight.agent.cli import main
from pagesight.agent.servers import tokens as token_files
from pagesight.agent.servers.tokens import TokenFile, Tokens, new_token, write_tokens
from pagesight.indexing.calls.ledger import Ledger, Spent, Today

NOT_FOUND = "Not found in these documents."


def ask(running: Served, token: str, **asked: object) -> httpx.Response:
    with running.client(token) as client:
        return client.post("/ask", json={"question": QUESTION, **asked})


def test_a_token_has_so_many_questions_at_a_time_and_others_do_not_wait(server: GeminiServer, folder: Path) -> None:
    tokens = {"busy": {"questions": 2}, "other": {}}
    server.seconds_of_silence = 1.5
    for _ in range(4):
        server.says(NOT_FOUND)
    with served(folder, tokens=tokens, google_base_url=server.url) as running:
        replies: list[httpx.Response] = []
        threads = [threading.Thread(target=lambda: replies.append(ask(running, "busy"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(server.model_requests) == 2)
        refused = ask(running, "busy")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert refused.json()["detail"].startswith("the token busy has 2 under way")
        assert ask(running, "other").status_code == 200
        for thread in threads:
            thread.join()
        assert [reply.status_code for reply in replies] == [200, 200]
        server.seconds_of_silence = 0.0
        assert ask(running, "busy").status_code == 200  # its places are free again


def test_a_day_has_so_many_dollars_over_all_processes(server: GeminiServer, folder: Path) -> None:
    tokens = {"acme": {"dollars_a_day": 0.5}, "other": {"dollars_a_day": 0.5}}
    ledger = Ledger(folder)
    ledger.add(Spent("ask", "m", dollars=9.0))  # the command line's
    ledger.add(Spent("ask", "m", dollars=9.0, by="acme", at=datetime.now(UTC) - timedelta(days=1)))
    for _ in range(2):
        server.says(NOT_FOUND)
    with served(folder, tokens=tokens, google_base_url=server.url) as running:
        assert ask(running, "acme").status_code == 200
        assert ledger.read()[0][-1].by == "acme"
        ledger.add(Spent("ask", "m", dollars=0.51, by="acme"))  # as another process notes it
        refused = ask(running, "acme")
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:pagesight:day-s-dollars-spent"
        assert "0.51 of 0.50 US dollars today" in refused.json()["detail"]
        assert 0 < int(refused.headers["retry-after"]) <= 24 * 3600 + 1
        assert ask(running, "acme", offline=True).status_code == 200  # which costs nothing
        assert ask(running, "other").status_code == 200
    assert len(server.model_requests) == 2


def test_a_ledger_is_read_on_from_where_it_was_and_unpriced_records_count(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    today = Today(ledger)
    assert today.dollars("a") == 0
    ledger.add(Spent("ask", "m", dollars=0.25, by="a"))
    ledger.add(Spent("ask", "m", dollars=None, input_tokens=1_000_000, by="b"))
    assert (today.dollars("a"), today.dollars("b") > 1) == (0.25, True)
    with ledger.path.open("ab") as file:
        file.write(b'{"kind": "ask", "mo')  # another process is in the middle of a line
        file.flush()
        assert today.dollars("a") == 0.25
        file.write(b'del": "m", "dollars": 0.5, "by": "a"}\n')
    assert today.dollars("a") == 0.75
    ledger.path.unlink()
    assert today.dollars("a") == 0


def test_a_token_that_is_taken_away_is_refused_by_a_service_that_runs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens.json"
    monkeypatch.setattr(token_files, "_LOOK_EVERY", 0.0)
    assert main(["token", "a", "--tokens", str(file), "--questions", "3", "--dollars-a-day", "1.5"]) == 0
    sent = {"a": capsys.readouterr().out.strip()}
    known = TokenFile(file)
    a = known.find(sent["a"])
    assert a is not None
    assert (a.questions, a.dollars_a_day) == (3, 1.5)
    assert main(["token", "b", "--tokens", str(file)]) == 0
    sent["b"] = capsys.readouterr().out.strip()
    assert known.find(sent["b"])
    assert main(["token", "a", "--tokens", str(file), "--remove"]) == 0
    assert (known.find(sent["a"]), known.find(sent["b"]) is not None) == (None, True)
    file.write_text("{")
    assert known.find(sent["b"])  # what cannot be read locks nobody out


def test_a_boundary_that_is_drawn_anew_holds_for_the_next_question(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens.json"
    monkeypatch.setattr(token_files, "_LOOK_EVERY", 0.0)
    sent, made = new_token("a")
    write_tokens(file, Tokens((made,)))
    with served(folder, plan={"tokens": TokenFile(file)}, reasoner="offline") as running:
        running.sent["a"] = sent
        assert ask(running, "a").json()["hits"]
        write_tokens(file, Tokens((made.model_copy(update={"where": "year > 3000"}),)))
        assert ask(running, "a").json()["hits"] == []
        write_tokens(file, Tokens())
        assert ask(running, "a").status_code == 401


@pytest.mark.parametrize("options", [["--questions", "0"], ["--dollars-a-day", "0"], ["--dollars-a-day", "-1"]])
def test_limits_that_are_none_are_refused(tmp_path: Path, options: list[str]) -> None:
    assert main(["token", "a", "--tokens", str(tmp_path / "tokens.json"), *options]) != 0
