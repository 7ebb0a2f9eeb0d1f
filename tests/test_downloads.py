"""Documents from ``https://`` addresses: only public ones are connected to, within limits; redirects are checked."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from documents import pdf
from small_index import small_settings

from pagesight.indexing import PageIndex
from pagesight.indexing.calls import download


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    written = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "certificate.pem"
    path.write_bytes(written + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine, which counts as public here, and whose certificate is trusted."""
    document = pdf(tmp_path / "served.pdf", [[("The fetched ferry", 72, 700, 12)]]).read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = self.path.partition("?")[0]
            if where.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", {"here": "/report.pdf", "loop": "/to/loop"}.get(where[4:], where[4:]))
                self.end_headers()
            elif where == "/slow.pdf":
                self.send_response(200)
                self.end_headers()
                for _ in range(100):
                    self.wfile.write(b"%PDF-1.7 ")
                    time.sleep(0.1)
            elif where == "/large.pdf":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(bytes(3_000_000))
            elif where == "/report.pdf":
                self.send_response(200)
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)
            else:
                self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            pass

    signed = certificate(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    trusting = ssl.create_default_context(cafile=str(signed))
    public = download.is_public
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **_: trusting)
    monkeypatch.setattr(download, "is_public", lambda address: address == "127.0.0.1" or public(address))
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def opened(folder: Path, **settings: object) -> PageIndex:
    return PageIndex.open(folder / "index", settings=small_settings(encoder="lexical", **settings))


def refusal(folder: Path, url: str, **settings: object) -> str:
    with opened(folder, **settings) as index:
        report = index.add([url, pdf(folder / "good.pdf")])
        assert len(report.added) + len(report.unchanged) == 1
        (failure,) = report.failed
    return str(failure.error)


def test_a_file_at_an_address_is_indexed_under_it(tmp_path: Path, site: str) -> None:
    with opened(tmp_path) as index:
        report = index.add(f"{site}/report.pdf?download=1#page=2")
        assert [(one.document, one.path) for one in report.added] == [("report.pdf", f"{site}/report.pdf")]
        assert index.search("fetched ferry")[0].label == "report.pdf p. 1"
        assert [one.document for one in index.add([f"{site}/to/here"]).unchanged] == ["report.pdf"]


@pytest.mark.parametrize(
    "host", ["https://10.0.0.8/a.pdf", "https://169.254.169.254/latest", "http://example.org/a.pdf"]
)
def test_redirects_are_checked(tmp_path: Path, site: str, host: str) -> None:
    said = refusal(tmp_path, f"{site}/to/{host}")
    assert f"which leads to {host}, cannot be fetched" in said


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/to/loop", "leads to more than 5"), ("/none.pdf", "status 404"), ("/large.pdf", "more than 2 MB")],
)
def test_what_cannot_be_fetched_is_one_failure(tmp_path: Path, site: str, path: str, reason: str) -> None:
    assert reason in refusal(tmp_path, site + path, file_megabytes=2)


def test_a_slow_server_is_given_up(tmp_path: Path, site: str) -> None:
    assert "took longer than 1 s" in refusal(tmp_path, f"{site}/slow.pdf", download_seconds=1.0)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a.pdf", "https://localhost/a.pdf", "https://[::1]/a.pdf", "https://0.0.0.0/a.pdf",
        "https://2130706433/a.pdf", "https://0x7f.1/a.pdf", "https://[::ffff:10.0.0.1]/a.pdf", "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data", "https://[64:ff9b::a00:1]/a.pdf", "https://[2002:a00:1::]/a.pdf",
        "https://100.64.0.1/a.pdf",
    ],
)  # fmt: skip
def test_what_is_not_public_is_never_connected_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    said = refusal(tmp_path, url)
    assert url in said
    assert "is no public address" in said


def test_a_name_that_leads_inside_is_refused_and_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def found(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        address = "10.1.2.3" if len(asked) == 1 else "93.184.216.34"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with opened(tmp_path) as index:
        said = str(index.add("https://rebound.example/a.pdf").failed[0].error)
    assert "rebound.example is 10.1.2.3, which is no public address" in said
    assert asked == ["rebound.example"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org/a.pdf", "only https://, s3:// and gs:// addresses are"),
        ("ftp://example.org/a.pdf", "only https://, s3:// and gs:// addresses are"),
        ("file:///etc/passwd", "only https://, s3:// and gs:// addresses are"),
        ("https://ada:word@example.org/a.pdf", "it holds a name or a password"),
        ("https:///a.pdf", "only https://, s3:// and gs:// addresses are"),
    ],
)
def test_other_addresses_are_refused(tmp_path: Path, url: str, reason: str) -> None:
    assert reason in refusal(tmp_path, url)
