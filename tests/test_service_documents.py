"""Uploads and removals over HTTP: jobs with progress, what a token may bring, other writers, several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from encoder_servers import EncoderServer
from service_server import QUESTION, Served, events, served, wait_until
from small_index import REPORT, SHEET, make_index, small_settings, write_pdf
from waiting import SOON

from pagesight.indexing import PageIndex

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")

ACME = {"where": "tenant == 'acme'", "metadata": {"tenant": "acme"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_index(folder).close()
    return folder


@pytest.fixture(scope="module")
def service(made: Path) -> Iterator[Served]:
    tokens = {"owner": {}, "acme": ACME, "other": {"ids": []}}
    with served(made / "index", tokens=tokens, reasoner="offline", service_upload_megabytes=2) as running:
        yield running


def pdf(tmp_path: Path, *lines: str) -> bytes:
    return write_pdf(tmp_path / "new.pdf", [list(lines)]).read_bytes()


def ended(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}

    def over() -> bool:
        told.update(client.get(f"/jobs/{job['id']}").json())
        return told["state"] in ("done", "failed", "stopped", "lost")

    wait_until(over)
    return told


def test_an_upload_is_a_job_and_what_it_brings_is_found_asked_shown_and_removed(
    service: Served, tmp_path: Path
) -> None:
    with service.client("acme") as client:
        content = pdf(tmp_path, "The ferry Aurora carries 1200 passengers.")
        files = [("files", ("fleet/ferry ü <b>.pdf", content)), ("files", ("broken.pdf", b"no document"))]
        sent = client.post("/documents", files=files, data={"metadata": json.dumps({"year": 2024})})
        assert sent.status_code == 202
        assert sent.headers["location"] == f"/jobs/{sent.json()['id']}"
        job = ended(client, sent.json())
        assert job["state"] == "done"
        assert job["files"] == ["broken.pdf", "fleet/ferry ü <b>.pdf"]
        assert [one["id"] for one in client.get("/jobs").json()["jobs"]] == [job["id"]]
        (added,) = job["report"]["added"]
        assert added["metadata"] == {"year": 2024, "tenant": "acme", "uploaded_by": "acme"}
        assert "path" not in added
        (failed,) = job["report"]["failed"]
        assert failed["document"] == "broken.pdf"
        assert str(tmp_path.parent.parent) not in failed["reason"]
        assert "/" not in failed["reason"].split("broken.pdf")[0]
        label = f"{added['document']} p. 1"
        assert client.get("/search", params={"query": "ferry Aurora"}).json()["hits"][0]["label"] == label
        answer = client.post("/ask", json={"question": "How many passengers does the ferry Aurora carry?"}).json()
        assert answer["citations"][0]["label"] == label
        assert client.get(f"/pages/{quote(label, safe='')}.png?width=60").status_code == 200
        assert client.get(f"/documents/{added['document_id']}/file").content == content
        gone = client.delete(f"/documents/{quote(added['document'], safe='')}")
        assert gone.status_code == 200
        assert gone.json()["report"]["removed"][0]["document_id"] == added["document_id"]
        assert client.get("/documents").json()["total"] == 0


def test_progress_comes_as_events_and_a_new_version_replaces_the_old_one(service: Served, tmp_path: Path) -> None:
    with service.client() as client:
        pages = [[f"Page {number} of a long report about whales"] for number in range(1, 31)]
        content = write_pdf(tmp_path / "long.pdf", pages).read_bytes()
        job = client.post("/documents", files={"files": ("whales.pdf", content)}).json()
        with client.stream("GET", f"/jobs/{job['id']}", headers={"Accept": "text/event-stream"}) as reply:
            told = list(events(reply.iter_lines()))
        assert [name for name, _ in told][-1] == "end"
        assert told[-1][1]["report"]["added"][0]["pages"] == 30
        again = client.post(
            "/documents", files={"files": ("whales.pdf", pdf(tmp_path, "Whales, second edition"))}
        ).json()
        assert ended(client, again)["report"]["replaced"][0]["document"] == "whales.pdf"
        assert client.get("/documents/whales.pdf").json()["pages"] == 1


@pytest.mark.parametrize(
    ("name", "data", "status", "part"),
    [
        ("../evil.pdf", {}, 422, "../evil.pdf"), ("/etc/evil.pdf", {}, 422, "/etc/evil.pdf"),
        (".hidden.pdf", {}, 422, "name"), ("a\\b.pdf", {}, 422, "name"), ("a.pdf.meta.json", {}, 422, "name"),
        ("a/./b.pdf", {}, 422, "name"), ("x" * 300 + ".pdf", {}, 422, "name"),
        ("a.pdf", {"metadata": "[]"}, 422, "JSON object"), ("a.pdf", {"metadata": '{"a": [1]}'}, 422, "JSON object"),
        ("a.pdf", {"metadata": "{"}, 422, "JSON object"), ("a.pdf", {"metadata": '{"a": 1e999}'}, 422, "no number"),
    ],
)  # fmt: skip
def test_an_upload_that_cannot_be_kept_is_a_problem(
    service: Served, name: str, data: dict[str, str], status: int, part: str
) -> None:
    with service.client() as client:
        reply = client.post("/documents", files={"files": (name, b"%PDF-1.4")}, data=data)
        assert reply.status_code == status
        assert part in reply.json()["detail"]


def test_an_upload_without_files_one_twice_and_one_too_large(service: Served) -> None:
    with service.client() as client:
        assert "no file" in client.post("/documents", data={"metadata": "{}"}).json()["detail"]
        twice = [("files", ("a.pdf", b"1")), ("files", ("a.pdf", b"2"))]
        assert "two files" in client.post("/documents", files=twice).json()["detail"]
        large = client.post("/documents", files={"files": ("a.pdf", b" " * 3_000_000)})
        assert (large.status_code, "2,000,000" in large.json()["detail"]) == (413, True)
        wrong = client.post("/documents", content=b"x", headers={"Content-Type": "multipart/form-data"})
        assert 400 <= wrong.status_code < 500


def test_a_token_brings_only_what_it_may_see_and_never_takes_others_documents(
    service: Served, made: Path, tmp_path: Path
) -> None:
    theirs = (made / "sources" / SHEET).read_bytes()
    with service.client() as owner, service.client("acme") as acme, service.client("other") as other:
        before = owner.get(f"/documents/{SHEET}").json()
        job = ended(acme, acme.post("/documents", files={"files": ("mine.pdf", theirs)}).json())
        assert "outside of what this token may see" in job["report"]["failed"][0]["reason"]
        assert SHEET not in json.dumps(job)
        assert owner.get(f"/documents/{SHEET}").json() == before
        assert acme.get("/documents").json()["total"] == 0
        # What the token says of its documents stands above what the upload says.
        content = pdf(tmp_path, "A plan of acme's own")
        sent = acme.post("/documents", files={"files": ("plan.pdf", content)}, data={"metadata": '{"tenant": "borg"}'})
        assert ended(acme, sent.json())["report"]["added"][0]["metadata"]["tenant"] == "acme"
        # A token of ids sees what it brought itself; jobs are their token's.
        sent = other.post("/documents", files={"files": ("plan.pdf", pdf(tmp_path, "Another plan"))}).json()
        ended(other, sent)
        (own,) = other.get("/documents").json()["documents"]
        assert own["metadata"]["uploaded_by"] == "other"
        assert acme.get(f"/jobs/{sent['id']}").status_code == 404
        assert sent["id"] not in acme.get("/jobs").text
        assert acme.delete(f"/jobs/{sent['id']}").status_code == 404
        assert acme.delete(f"/documents/{own['document_id']}").status_code == 404
        assert acme.get("/documents").json()["total"] == 1


@pytest.mark.slow
def test_an_upload_waits_for_who_writes_from_elsewhere_says_so_and_can_be_stopped(
    service: Served, made: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, time; from pathlib import Path; from pagesight.indexing.storage.sharing import WriterLock\n"
        "with WriterLock(Path(sys.argv[1])).held(0): print('held', flush=True); time.sleep(60)"
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", program, str(made / "index")], stdout=subprocess.PIPE, text=True
        ) as writer,
        service.client() as client,
    ):
        try:
            assert writer.stdout
            assert writer.stdout.readline() == "held\n"
            with service.client("acme") as bounded:  # which is not told whose command it is
                theirs = bounded.post("/documents", files={"files": ("theirs.pdf", pdf(tmp_path, "Theirs"))}).json()
                job = f"/jobs/{theirs['id']}"
                wait_until(lambda: bounded.get(job).json()["message"])
                assert bounded.get(job).json()["message"] == "another program writes to the index"
                assert bounded.delete(job).status_code == 202
            files = {"files": ("late.pdf", pdf(tmp_path, "The late train"))}
            first = client.post("/documents", files=files).json()
            second = client.post("/documents", files={"files": ("later.pdf", pdf(tmp_path, "The later train"))}).json()
            wait_until(lambda: "is writing" in client.get(f"/jobs/{first['id']}").json()["message"])
            began = time.monotonic()
            assert client.get("/search", params={"query": "revenue"}).json()["hits"]
            assert client.post("/ask", json={"question": QUESTION}).status_code == 200
            assert time.monotonic() - began < SOON
            assert client.delete(f"/jobs/{second['id']}").status_code == 202
        finally:
            writer.kill()
        assert ended(client, first)["state"] == "done"
        assert ended(client, second)["state"] == "stopped"
        assert client.get("/documents/late.pdf").status_code == 200
        assert client.get("/documents/later.pdf").status_code == 404


def test_a_job_whose_process_ended_is_lost_and_not_forgotten(made: Path, service: Served) -> None:
    ended_process = {"pid": 1, "started": "0", "host": os.uname().nodename}
    job = {"id": "0123456789abcdef", "kind": "add", "owner": "owner", "files": ["a.pdf"], "process": ended_process}
    (made / "index-service" / "0123456789abcdef.json").write_text(json.dumps(job))
    with service.client() as client:
        told = client.get("/jobs/0123456789abcdef").json()
        assert told["state"] == "lost"
        assert "send it again" in told["message"]
        assert client.get("/jobs/..%2f0123456789abcdef").status_code == 404


@contextmanager
def processes(index: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The command itself: its process, the address, and the token."""
    command = [
        sys.executable,
        "-m",
        "pagesight.agent.cli",
        "serve-http",
        "--index",
        str(index),
        "--port",
        "0",
        *options,
    ]
    environment = {**os.environ, "PAGESIGHT_REASONER": "offline", "PAGESIGHT_OCR": "false"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        end = threading.Timer(240, process.kill)
        end.start()
        try:
            assert process.stderr
            address = process.stderr.readline().split()[-1]
            token = process.stderr.readline().split()[-1]
            client = httpx.Client()
            wait_until(lambda: _answers(client, address), 150)
            yield process, address, token
        finally:
            end.cancel()
            process.send_signal(signal.SIGINT)
            with_time = threading.Timer(20, process.kill)
            with_time.start()
            process.wait()
            with_time.cancel()


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_two_processes_share_index_jobs_conversations_and_counts(tmp_path: Path) -> None:
    make_index(tmp_path).close()
    with processes(tmp_path / "index", "--workers", "2") as (_, address, token):
        headers = {"Authorization": f"Bearer {token}"}

        def asks(path: str, **how: Any) -> httpx.Response:
            # A connection of its own: any of the processes takes it.
            return httpx.request(how.pop("method", "GET"), address + path, headers=headers, timeout=60, **how)

        sent = asks(
            "/documents", method="POST", files={"files": ("ferry.pdf", pdf(tmp_path, "The ferry Aurora"))}
        ).json()
        wait_until(lambda: asks(f"/jobs/{sent['id']}").json()["state"] == "done")
        for number in range(6):
            asks("/ask", method="POST", json={"question": QUESTION, "thread_id": f"t{number}"})
        wait_until(lambda: all(asks("/documents/ferry.pdf").status_code == 200 for _ in range(6)))
        assert all(len(asks("/threads").json()["threads"]) == 6 for _ in range(4))
        assert all('pagesight_questions_total{outcome="answered"} 6.0' in asks("/metrics").text for _ in range(4))


def test_ctrl_c_ends_the_command_with_a_connection_open(tmp_path: Path) -> None:
    make_index(tmp_path).close()
    with processes(tmp_path / "index") as (process, address, token):
        client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60)
        assert client.get(f"{address}/documents/{REPORT}").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


def test_a_quotation_mark_in_a_name_is_kept_as_browsers_send_it(service: Served, tmp_path: Path) -> None:
    with service.client() as client:
        sent = client.post("/documents", files={"files": ('the "Aurora".pdf', pdf(tmp_path, "A ferry of that name"))})
        job = ended(client, sent.json())
        assert [one["document"] for one in job["report"]["added"]] == ['the "Aurora".pdf']


def test_a_report_is_not_for_tokens_with_a_boundary(service: Served) -> None:
    with service.client("acme") as client:
        client.post("/ask", json={"question": QUESTION, "thread_id": "bounded"})
        refused = client.get("/threads/bounded/report")
        assert refused.status_code == 403
        assert "see all documents" in refused.json()["detail"]


def test_what_costs_money_is_confirmed_first(tmp_path: Path) -> None:
    with EncoderServer("gemini", key="AIza-test-key") as encoding:
        name, key = f"gemini-embedding-2@{encoding.url}", {"encoder_key": "AIza-test-key"}
        PageIndex.open(tmp_path / "paid", encoder=name, settings=small_settings(**key)).close()
        with served(tmp_path / "paid", reasoner="offline", encoder=name, **key) as running, running.client() as client:
            pages = write_pdf(tmp_path / "a.pdf", [["Pumps"], ["Ferries"]]).read_bytes()
            asks = {"files": ("a.pdf", pages), "ask": (None, "price")}

            def asking() -> dict[str, Any]:
                job = client.post("/documents", files=asks).json()
                wait_until(lambda: client.get(f"/jobs/{job['id']}").json()["state"] == "asking")
                return dict(client.get(f"/jobs/{job['id']}").json())

            before = encoding.pages
            stopped, confirmed = asking(), asking()
            assert confirmed["estimate"]["pages"] == 2
            assert 0 < confirmed["estimate"]["dollars"] < 0.01
            client.delete(f"/jobs/{stopped['id']}")
            wait_until(lambda: client.get(f"/jobs/{stopped['id']}").json()["state"] == "stopped")
            assert encoding.pages == before
            assert client.post(f"/jobs/{stopped['id']}/confirm").status_code == 409
            assert client.post(f"/jobs/{confirmed['id']}/confirm").status_code == 202
            wait_until(lambda: client.get(f"/jobs/{confirmed['id']}").json()["state"] == "done")
            assert encoding.pages >= before + 2  # and one by which the model is known again
            assert client.get("/documents").json()["total"] == 1
            told = client.get("/encoders").json()
            assert (told["encoder"], told["pages"]) == ("gemini-embedding-2", 2)
            assert "gemini-embedding-2" not in [one["model"] for one in told["others"]]
            # who does not ask is not asked: as the command line with --yes
            other = write_pdf(tmp_path / "b.pdf", [["Buoys"]]).read_bytes()
            job = client.post("/documents", files={"files": ("b.pdf", other)}).json()
            wait_until(lambda: client.get(f"/jobs/{job['id']}").json()["state"] == "done")
