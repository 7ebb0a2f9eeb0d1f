"""`pagesight web` without a browser: the page's files, the way in, what other pages may do with it, the command."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from service_server import Served, served, wait_until

from pagesight.agent.answers.claims import german_reasons
from pagesight.agent.cli import main

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra web brings it")

ROOM = Path(__file__).parent.parent / "agent" / "servers" / "web"
BUILT, SOURCE = ROOM / "static", ROOM / "source"
#: What a browser does not fetch: the name of a format, and where a fault in marked is to be told.
NAMES = {"http://www.w3.org/", "https://github.com/"}


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Served]:
    with served(folder, reasoner="offline", plan={"page": True}) as running:
        yield running


def test_what_was_built_is_of_these_sources() -> None:
    own = [SOURCE / name for name in ("index.html", "package-lock.json", "tsconfig.json", "vite.config.ts")]
    own += [path for folder in ("public", "src") for path in (SOURCE / folder).iterdir()]
    files = {path.relative_to(SOURCE).as_posix(): path for path in own}
    files["src/german_reasons.json"] = Path(german_reasons.__file__).with_suffix(".json")
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    script = (BUILT / "app.js").read_text(encoding="utf-8")
    assert digest.hexdigest() in script[:200], "run `make web`: the sources have changed since the page was built"


def test_nothing_comes_from_another_host_and_nothing_is_inline() -> None:
    for path in BUILT.iterdir():
        found = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}/", path.read_text(encoding="utf-8")))
        assert not found - NAMES, path
    start = (BUILT / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>(.*?)</script>", start) == [""]
    assert "<style" not in start
    assert " on" not in re.sub(r"<noscript>.*?</noscript>", "", start)


def test_the_page_is_small() -> None:
    import gzip

    over_the_wire = sum(len(gzip.compress(path.read_bytes())) for path in BUILT.iterdir())
    assert over_the_wire < 100_000


def test_each_file_comes_with_a_policy_that_lets_nothing_else_in(service: Served) -> None:
    with service.client(token="") as client:
        for path in ("/", "/app.js", "/app.css", "/icon.svg"):
            reply = client.get(path)
            assert reply.status_code == 200, path
            policy = dict(
                part.strip().partition(" ")[::2] for part in reply.headers["content-security-policy"].split(";")
            )
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert policy["require-trusted-types-for"] == "'script'"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert client.get(path, headers={"If-None-Match": reply.headers["etag"]}).status_code == 304


def test_the_address_with_the_token_leads_to_one_without_it(service: Served) -> None:
    with service.client(token="") as client:
        assert client.get("/me").status_code == 401
        reply = client.get("/", params={"token": service.sent["owner"]})
        assert (reply.status_code, reply.headers["location"]) == (303, "/")
        assert reply.headers["cache-control"] == "no-store"
        cookie = reply.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert client.get("/me").json()["documents"] == 4
        wrong = client.get("/", params={"token": "x"})
        assert wrong.status_code == 401
        assert "pagesight web" in wrong.json()["detail"]
        assert "set-cookie" not in wrong.headers


def test_pages_of_others_can_do_nothing_with_the_cookie(service: Served) -> None:
    with service.client(token="") as client:
        client.get("/", params={"token": service.sent["owner"]})
        asked = {"question": "What?"}
        assert client.post("/ask", json=asked, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.post("/ask", json=asked).status_code == 403  # nothing says that it is the page's own
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_a_service_without_the_page_has_none(folder: Path) -> None:
    with served(folder, reasoner="offline") as running, running.client() as client:
        assert client.get("/").status_code == 404


def test_the_sources_name_no_file_that_is_not_built() -> None:
    start = (BUILT / "index.html").read_text(encoding="utf-8")
    named = {urlsplit(address).path.removeprefix("/") for address in re.findall(r'(?:src|href)="([^"]+)"', start)}
    assert named == {"app.js", "app.css", "icon.svg"}
    assert named | {"index.html"} == {path.name for path in BUILT.iterdir()}


def test_a_missing_extra_is_named_before_an_index_is_made(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "sse_starlette"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sse_starlette", None)
    assert main(["web", "--no-open"]) == 1
    assert "needs the extra web" in capsys.readouterr().err
    assert not (own_folder / ".pagesight").exists()
    monkeypatch.undo()
    importlib.import_module("sse_starlette")


@pytest.mark.slow
def test_the_command_makes_an_index_prints_the_address_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pagesight.agent.cli", "web", "--no-open", "--index", str(tmp_path / "new")]
    environment = {**os.environ, "PAGESIGHT_REASONER": "offline"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        end = threading.Timer(240, process.kill)
        end.start()
        try:
            assert process.stderr
            address = next(line.split()[-1] for line in process.stderr if "http://127.0.0.1:" in line)
            with httpx.Client(follow_redirects=True) as client:
                wait_until(lambda: _answers(client, address), 150)
                place = address.partition("?")[0]
                assert client.get(f"{place}me").json()["documents"] == 0
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            end.cancel()
    assert process.returncode in (0, 130, -signal.SIGINT)


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == 200
    except httpx.TransportError:
        return False
