"""Who may do what with the service: tokens, their documents, other hosts and origins, hostile requests."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from service_server import QUESTION, Served, served
from small_index import REPORT, SHEET, small_settings, write_pdf
from waiting import SOON

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import PageIndexError

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")

SECRET = "geheim <img src=x onerror=alert(1)> & ü.pdf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two tenants' documents."""
    folder = tmp_path_factory.mktemp("tenants")
    with PageIndex.open(folder / "index", settings=small_settings()) as index:
        first = write_pdf(folder / REPORT, [["Net revenue rose to 4.2 billion euros in 2023."], ["Appendix"]])
        index.add([first], metadata={"tenant": "acme"})
        index.add(
            [write_pdf(folder / SECRET, [["The net revenue of Borg was 7 million."]])], metadata={"tenant": "borg"}
        )
        index.add([write_pdf(folder / SHEET, [["Public sheet of pumps and revenue"]])])
    return folder / "index"


@pytest.fixture(scope="module")
def ids(folder: Path) -> dict[str, str]:
    with PageIndex.open(folder, settings=small_settings(), create=False) as index:
        return {record.document: record.document_id for record in index.documents()}


@pytest.fixture(scope="module")
def service(folder: Path, ids: dict[str, str]) -> Iterator[Served]:
    tokens = {
        "owner": {},
        "acme": {"where": "tenant == 'acme'", "metadata": {"tenant": "acme"}},
        "borg": {"where": "tenant == 'borg'", "metadata": {"tenant": "borg"}},
        "sheet": {"ids": [ids[SHEET]]},
        "none": {"ids": []},
        "reader": {"scopes": ["read"]},
        "asker": {"scopes": ["ask"]},
    }
    plan = {"origins": ("https://app.example",), "hosts": ("pages.example",)}
    with served(folder, tokens=tokens, plan=plan, reasoner="offline") as running:
        yield running


# tokens


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic {}", "{}", "Bearer {}x", "bearer \x00", "Bearer ü"]
)
def test_without_a_known_token_nothing_is_told(service: Served, header: str | None) -> None:
    sent = {} if header is None else {"Authorization": header.format(service.sent["owner"]).encode("latin-1")}
    with httpx.Client(base_url=service.address) as client:
        for method, path in [
            ("GET", "/documents"), ("POST", "/ask"), ("POST", "/documents"), ("GET", "/threads"), ("GET", "/me"),
            ("GET", f"/pages/{quote(REPORT)}%20p.%201.png"), ("GET", "/metrics"), ("GET", "/nothing"),
            ("POST", "/session"),
        ]:  # fmt: skip
            if header and "\x00" in header:
                continue
            reply = client.request(method, path, headers=sent, content=b"{not json")
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer"), path
            assert reply.headers["content-type"] == "application/problem+json"
            assert REPORT not in reply.text


def test_a_token_does_what_its_scopes_say(service: Served) -> None:
    with service.client("reader") as client:
        assert client.get("/documents").status_code == 200
        refused = client.post("/ask", json={"question": QUESTION})
        assert (refused.status_code, refused.json()["detail"]) == (403, "this token may read, not ask")
        assert client.get("/threads").status_code == 403
        assert client.post("/documents", files={"files": ("a.pdf", b"x")}).status_code == 403
        assert client.delete(f"/documents/{REPORT}").status_code == 403
    with service.client("asker") as client:
        assert client.post("/ask", json={"question": QUESTION}).status_code == 200
        assert client.get("/documents").status_code == 403
        assert client.get(f"/pages/{quote(REPORT)}%20p.%201.png").status_code == 403


def test_each_token_sees_its_own_documents_in_every_route(service: Served, ids: dict[str, str]) -> None:
    outside = [SECRET, ids[SECRET]]
    with service.client("acme") as client:
        assert [one["document"] for one in client.get("/documents").json()["documents"]] == [REPORT]
        assert {hit["document"] for hit in client.get("/search", params={"query": "net revenue"}).json()["hits"]} == {
            REPORT
        }
        answer = client.post("/ask", json={"question": "What was the net revenue of Borg?"})
        assert "7 million" not in answer.text
        assert client.get("/me").json()["documents"] == 1
        replies = [client.get(f"/documents/{quote(name, safe='')}") for name in outside]
        replies += [client.delete(f"/documents/{quote(name, safe='')}") for name in outside]
        replies += [client.get(f"/documents/{ids[SECRET]}/file")]
        for label in (f"{SECRET} p. 1", f"{ids[SECRET]}:1"):
            replies += [client.get(f"/pages/{quote(label, safe='')}.{kind}") for kind in ("png", "json")]
        replies += [client.post("/search", json={"query": "revenue", "documents": [name]}) for name in outside]
        replies += [client.post("/ask", json={"question": QUESTION, "documents": [name]}) for name in outside]
        for reply in replies:
            assert reply.status_code == 404, reply.request.url
            told = reply.json()["detail"].replace(SECRET, "").replace(repr(SECRET), "")
            assert "geheim" not in told.replace(quote(SECRET), "")
            assert SHEET not in told
        wide = client.post("/ask", json={"question": "What was the net revenue of Borg?", "where": "tenant == 'borg'"})
        assert wide.json()["hits"] == []
        assert (
            client.post("/search", json={"query": "revenue", "documents": ["*"]}).json()["hits"][0]["document"]
            == REPORT
        )


def test_what_is_not_there_and_what_is_outside_are_told_alike(service: Served, ids: dict[str, str]) -> None:
    spellings = (SECRET, SECRET.upper(), "none.pdf")
    with service.client("acme") as client:

        def told(asked: str, name: str) -> tuple[int, str]:
            reply = client.get(asked)
            return reply.status_code, reply.json()["detail"].replace(repr(name), "NAME")

        pages = {
            told(f"/pages/{quote(label, safe='')}.{kind}", label)
            for name in spellings for page in ("1", "77") for kind in ("png", "json")
            if (label := f"{name} p. {page}")
        }  # fmt: skip
        keys = {told(f"/pages/{key}.png", key.partition(":")[0]) for key in (f"{ids[SECRET]}:1", f"{'0' * 16}:9")}
        documents = {told(f"/documents/{quote(name, safe='')}", name) for name in (*spellings, ids[SECRET])}
        assert [len(each) for each in (pages, keys, documents)] == [1, 1, 1]
        (past_the_last,) = {told(f"/pages/{quote(f'{REPORT} p. 77', safe='')}.png", "")}
        assert past_the_last == (404, f"{REPORT} has pages 1 to 2, not 77")


@pytest.mark.parametrize("token", ["owner", "acme"])
def test_where_files_lie_on_the_service_is_told_to_nobody(service: Served, folder: Path, token: str) -> None:
    path = str(folder.parent / REPORT)
    with service.client(token) as client:
        assert client.get(f"/documents/{quote(path, safe='')}").status_code == 404
        for pattern in (path, str(folder.parent / "*"), "/*", "*/*"):
            for asked in ("/search", "/ask"):
                body = {"query" if asked == "/search" else "question": "revenue", "documents": [pattern]}
                assert client.post(asked, json=body).status_code == 404, pattern
        assert client.post("/search", json={"query": "revenue", "documents": ["annual*"]}).json()["hits"]


@pytest.mark.parametrize("token", ["owner", "acme", ""])
def test_what_is_wrong_with_the_service_itself_is_told_to_who_sees_all(
    service: Served, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise PageIndexError("`pagesight index /srv/borg` has damaged /srv/index")

    for name in ("search", "adocuments"):
        monkeypatch.setattr(PageIndex, name, gone)
    with service.client(token) as client:
        replies = [client.get("/healthz")]
        if token:
            replies += [client.post("/search", json={"query": "revenue"})]
    for reply in replies:
        assert reply.status_code == 503
        assert ("/srv" in reply.text) == (token == "owner" and reply.request.url.path == "/search")


def test_the_counts_of_all_tokens_are_for_those_that_see_all(service: Served) -> None:
    for token, status in (("owner", 200), ("reader", 200), ("acme", 403), ("none", 403)):
        with service.client(token) as client:
            assert client.get("/metrics").status_code == status


def test_a_boundary_of_ids_and_one_of_nothing(service: Served, ids: dict[str, str]) -> None:
    with service.client("sheet") as client:
        assert [one["document"] for one in client.get("/documents").json()["documents"]] == [SHEET]
        assert client.get(f"/pages/{ids[SHEET]}:1.png?width=50").status_code == 200
        assert client.get(f"/pages/{ids[REPORT]}:1.png?width=50").status_code == 404
    with service.client("none") as client:
        assert client.get("/documents").json() == {"documents": [], "total": 0}
        assert client.get("/search", params={"query": "revenue"}).json()["hits"] == []


def test_conversations_belong_to_their_token(service: Served) -> None:
    with service.client("acme") as one, service.client("borg") as other:
        one.post("/ask", json={"question": QUESTION, "thread_id": "same"})
        other.post("/ask", json={"question": "What did Borg earn?", "thread_id": "same"})
        assert [turn["question"] for turn in one.get("/threads/same").json()["turns"]] == [QUESTION]
        assert [turn["question"] for turn in other.get("/threads/same").json()["turns"]] == ["What did Borg earn?"]
        one.post("/ask", json={"question": QUESTION, "thread_id": "mine"})
        assert "mine" not in other.get("/threads").text
        for guess in ("mine", "acme/mine", "acme%2Fmine", "..%2Facme%2Fmine"):
            assert other.get(f"/threads/{guess}").status_code == 404
            assert other.delete(f"/threads/{guess}").status_code == 404
        assert one.get("/threads/mine").status_code == 200


def test_words_are_corrected_by_who_may_write_and_sees_the_page(service: Served, ids: dict[str, str]) -> None:
    page, hidden = f"/pages/{quote(REPORT)}%20p.%201", f"/pages/{ids[SECRET]}:1"
    asked = {"was": "4.2 billion", "now": "4.4 <b>billion</b>"}
    with service.client("reader") as client:
        assert client.post(f"{page}/corrections", json=asked).status_code == 403
        assert client.get(f"{page}/words").json()["words"][:2] == ["Net", "revenue"]
    with service.client("acme") as client:
        assert client.post(f"{hidden}/corrections", json={"was": "7", "now": "8"}).status_code == 404
        assert client.get(f"{hidden}/words").status_code == 404
        made = client.post(f"{page}/corrections", json=asked)
        assert (made.status_code, made.json()["by"], made.json()["now"]) == (201, "acme", "4.4 <b>billion</b>")
        again = client.post(f"{page}/corrections", json=asked)
        assert (again.status_code, again.json()["title"]) == (422, "Bad correction")
        assert "4.4 <b>billion</b>" in client.get(f"{page}.json").json()["text"]
        hits = client.get("/search", params={"query": "revenue 4.4"}).json()["hits"]
        assert hits[0]["lines"][0] == "Net revenue rose to 4.4 <b>billion</b> euros in 2023."
        told = client.get(f"{page}/words").json()
        assert told["words"][4:6] == ["4.4", "<b>billion</b>"]
        assert len(told["boxes"]) == len(told["lines"]) == len(told["words"])
    known = made.json()["id"]
    with service.client("borg") as client:
        assert client.get("/corrections").json() == {"corrections": []}
        assert client.get("/corrections", params={"documents": REPORT}).status_code == 404
        assert client.delete(f"{page}/corrections/{known}").status_code == 404
    with service.client("reader") as client:
        assert [one["id"] for one in client.get("/corrections").json()["corrections"]] == [known]
        assert client.delete(f"{page}/corrections/{known}").status_code == 403
    with service.client("acme") as client:
        assert [one["id"] for one in client.delete(f"{page}/corrections/{known}").json()["corrections"]] == [known]
        assert client.delete(f"{page}/corrections/{known}").status_code == 422
        box = client.get(f"{page}/words").json()["boxes"][4]
        made = client.post(f"{page}/corrections", json={"was": "4.2", "now": "4.3", "box": box})
        assert client.delete(f"{page}/corrections/{made.json()['id']}").status_code == 200


# where requests come from


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1", "a" * 300])
def test_other_names_of_this_machine_are_refused(service: Served, host: str) -> None:
    with service.client() as client:
        assert client.get("/me", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:9", "pages.example", "PAGES.example:443"])
def test_its_own_names_are_taken(service: Served, host: str) -> None:
    with service.client() as client:
        assert client.get("/me", headers={"Host": host}).status_code == 200


def test_pages_of_others_may_neither_ask_nor_read(service: Served) -> None:
    with service.client() as client:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "https://app.example.evil"):
            reply = client.get("/me", headers={"Origin": origin})
            assert (reply.status_code, "access-control-allow-origin" in reply.headers) == (403, False)
            asked_first = client.options("/ask", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
            assert (asked_first.status_code, "access-control-allow-origin" in asked_first.headers) == (403, False)
        own = client.get("/me", headers={"Origin": service.address})
        assert (own.status_code, "access-control-allow-origin" in own.headers) == (200, False)


def test_a_named_origin_may(service: Served) -> None:
    asked_first = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    reply = httpx.options(f"{service.address}/ask", headers=asked_first)
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "https://app.example"
    assert "authorization" in reply.headers["access-control-allow-headers"]
    with service.client() as client:
        told = client.get("/me", headers={"Origin": "https://app.example"})
    assert told.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in told.headers


def test_a_cookie_is_for_the_services_own_page(service: Served, ids: dict[str, str]) -> None:
    with service.client() as client:
        begun = client.post("/session")
    assert begun.status_code == 204
    said = begun.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    name, _, value = begun.headers["set-cookie"].partition(";")[0].partition("=")
    with httpx.Client(base_url=service.address, cookies={name: value}) as page:
        assert page.get(f"/pages/{ids[REPORT]}:1.png?width=50").status_code == 200
        assert page.post("/search", json={"query": "revenue"}).status_code == 403
        assert page.post("/search", json={"query": "revenue"}, headers={"Origin": service.address}).status_code == 200
        assert page.delete("/session", headers={"Origin": service.address}).status_code == 204
    with httpx.Client(base_url=service.address, cookies={name: "other"}) as page:
        assert page.get("/me").status_code == 401


def test_replies_are_inert_in_a_browser(service: Served, ids: dict[str, str]) -> None:
    with service.client() as client:
        shown = client.get(f"/documents/{ids[SECRET]}/file")
        assert shown.headers["content-type"] == "application/pdf"
        assert "<script>" not in shown.headers["content-disposition"]
        assert shown.content.startswith(b"%PDF")
        for reply in (client.get("/documents"), client.get(f"/pages/{quote(SECRET, safe='')}%20p.%201.json"), shown):
            assert reply.status_code == 200
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert SECRET in client.get("/documents").text  # as text in JSON


# hostile requests


@pytest.mark.parametrize(
    "label",
    [
        "../../../../etc/passwd", "..", ".", "/etc/passwd", "a/../b.pdf p. 1", "%00", "x\u202ep. 1", "😀 p. 1",
        "<script>alert(1)</script> p. 1", f"{REPORT} p. 0", f"{REPORT} p. 99", f"{REPORT} p. {'9' * 400}",
        f"{'0' * 16}:1", f"{'0' * 16}:{'9' * 30}", "a" * 5000, "' OR 1=1 --", "{label}",
    ],
)  # fmt: skip
def test_labels_that_are_none_are_not_found(service: Served, label: str) -> None:
    with service.client("acme") as client:
        for kind in ("png", "json"):
            reply = client.get(f"/pages/{quote(label, safe='')}.{kind}")
            assert reply.status_code == 404
            assert reply.headers["content-type"] == "application/problem+json"
            assert SECRET not in reply.text or "script" in label
            assert "root:" not in reply.text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 422), (b"\xff\xfe", 400), (b"[" * 50_000, 400), (b'{"question": NaN}', 422), (b"null", 422)],
)
def test_bad_json_is_a_problem_and_the_service_goes_on(service: Served, body: bytes, status: int) -> None:
    with service.client() as client:
        reply = client.post("/ask", content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code == status
        assert reply.headers["content-type"] == "application/problem+json"
        assert client.get("/healthz").status_code == 200


def test_bodies_above_the_limit_are_refused_announced_or_not(service: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000

    with service.client() as client:
        for content in (b" " * 2_000_000, pieces()):
            reply = client.post("/ask", content=content, headers={"Content-Type": "application/json"})
            assert reply.status_code == 413
            assert "1,000,000" in reply.json()["detail"]


def test_a_client_that_sends_slowly_holds_nobody_up_and_is_ended(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagesight.agent.servers.guard.SECONDS_A_PIECE", 4.0)
    head = (
        f"POST /ask HTTP/1.1\r\nHost: {service.address.removeprefix('http://')}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {service.sent['owner']}\r\nContent-Length: 100\r\n\r\n{{"
    )
    host, port = service.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(head.encode())
        with service.client() as client:
            assert client.get("/documents").status_code == 200
        slow.setblocking(False)
        with pytest.raises(BlockingIOError):  # it was not waited for
            slow.recv(4096)
        slow.settimeout(SOON)
        assert b"408" in slow.recv(4096).split(b"\r\n")[0]


def test_what_is_not_there_is_a_problem_too(service: Served) -> None:
    with service.client() as client:
        assert client.get("/nothing").json()["title"] == "Not found"
        assert client.put("/ask").json()["status"] == 405
        assert client.get("/docs").status_code == 404


# the files of tokens, and the command


def test_tokens_are_made_kept_as_hashes_and_taken_away(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = own_folder / "tokens.json"
    options = ["--tokens", str(file), "--scope", "read", "--where", "tenant == 'acme'", "--meta", "tenant=acme"]
    assert main(["token", "acme", *options]) == 0
    sent = capsys.readouterr().out.strip()
    assert file.stat().st_mode & 0o777 == 0o600
    assert sent not in file.read_text()
    (kept,) = json.loads(file.read_text())["tokens"]
    assert (kept["name"], kept["scopes"], kept["metadata"]) == ("acme", ["read"], {"tenant": "acme"})
    assert main(["token", "acme", *options]) == 1
    assert "there is a token named 'acme' already" in capsys.readouterr().err
    assert main(["token", "b", "--tokens", str(file), "--scope", "rule"]) == 1
    assert main(["token", "../b", "--tokens", str(file)]) == 1
    assert main(["token", "b", "--tokens", str(file), "--where", "tenant ="]) == 1
    assert main(["token", "b", "--tokens", str(file), "--id", "report.pdf"]) == 1
    assert main(["token", "acme", "--tokens", str(file), "--remove"]) == 0
    assert json.loads(file.read_text()) == {"tokens": []}


@pytest.mark.parametrize(
    ("mode", "text", "part"),
    [
        (0o644, '{"tokens": []}', "chmod 600"), (0o600, '{"tokens": []}', "no token in"),
        (0o600, "[]", "cannot be used"), (0o600, '{"tokens": [{"name": "a", "sha256": "b"}]}', "sha256"),
        (0o600, None, "cannot be read"),
        (0o600, json.dumps({"tokens": [{"name": "a", "sha256": "0" * 64}] * 2}), "two tokens"),
    ],
)  # fmt: skip
def test_a_file_of_tokens_that_cannot_be_used_is_refused_before_anything_listens(
    folder: Path, own_folder: Path, capsys: pytest.CaptureFixture[str], mode: int, text: str | None, part: str
) -> None:
    file = own_folder / "tokens.json"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    assert main(["serve-http", "--index", str(folder), "--port", "0", "--tokens", str(file)]) == 1
    assert part in capsys.readouterr().err


def test_others_can_reach_it_only_where_tokens_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve-http", "--index", str(folder), "--host", "0.0.0.0", "--port", "0"]) == 1
    assert "--tokens FILE" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="ports of others are refused otherwise elsewhere")
def test_a_port_that_is_taken_is_named(folder: Path, service: Served, capsys: pytest.CaptureFixture[str]) -> None:
    port = service.address.rpartition(":")[2]
    assert main(["serve-http", "--index", str(folder), "--port", port]) == 1
    assert f"port {port}" in capsys.readouterr().err
