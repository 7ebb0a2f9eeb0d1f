"""A server that speaks Gemini's protocol on loopback, for tests: scripted replies, recorded requests, stored files.

It is the fake at the edge of the world. The real clients talk to it over HTTP (``base_url``), so what a test reads in
`GeminiServer.requests` is what would have gone to Google. Known: ``generateContent``, ``streamGenerateContent``
(server-sent events), the Files API (upload in the resumable protocol, get, list, delete), and jobs (`Batches`). It
keeps the service's rules (`gemini_rules`): what these refuse is refused, and fails the test that asked, unless that
`expects` it.

    with GeminiServer() as server:
        server.calls("search_pages", query="net revenue")
        server.says("4.2 billion [annual-report.pdf p. 3].")
        ...
        assert server.model_requests[1].pictures == [("image/png", ...)]
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from gemini_batches import Batches, RefusedBatch
from gemini_rules import Ledger, Verdict, completed, model_of, verdict
from gemini_wire import Json, Recorded, Reply, StoredFile, camel, failure, reply_text

__all__ = ["BrokenRules", "GeminiServer", "Recorded", "Reply", "failure", "reply_text"]

LONGEST_LIFE = 120.0
_SOCKET_TIMEOUT = 20.0


class BrokenRules(AssertionError):
    """A test made requests that the service would refuse, or would not understand."""


class GeminiServer:
    """Use as a context manager; ``url`` goes to the client's ``base_url``. Replies are given in the order scripted.

    At the end it raises BrokenRules for the `faults` of the requests.
    """

    def __init__(self, life: float = LONGEST_LIFE) -> None:
        self._life = life
        self.requests: list[Recorded] = []
        self.files: dict[str, StoredFile] = {}
        self.polls_until_active = 0
        self.life_of_files = timedelta(hours=48)
        self.refusal_of_files: Reply | None = None
        self.refuses_deletion = False
        self.refuses_unknown_files = 403
        self.uploads_that_break = 0
        self.seconds_of_silence = 0.0
        self.waits_from: int | None = None
        self.faults: list[str] = []
        self.batches = Batches()
        self._numbered = self._answered = 0
        self._replies: deque[Reply] = deque()
        self._lock = threading.Lock()
        self._http = _Http(self)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._ledger = Ledger(self.files, self.url)

    def __enter__(self) -> GeminiServer:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        self._end = threading.Timer(self._life, self._http.shutdown)
        self._end.daemon = True
        self._end.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end.cancel()
        self._http.shutdown()
        self._http.server_close()
        if self.faults and kind is None:
            raise BrokenRules("Gemini's rules were broken:\n" + "\n".join(self.faults))

    @contextlib.contextmanager
    def expects(self, part: str) -> Iterator[None]:
        """Within it a request breaks a rule, and why says ``part``: that fails no test."""
        before, self.faults = self.faults, []
        yield
        told, self.faults = self.faults, before
        assert any(part in fault for fault in told), f"no request broke the rule {part!r}: {told}"

    def forgets_signatures(self) -> None:
        """From now on the thought signatures made so far count as corrupted, as after a new version of the model."""
        self._ledger.version += 1

    # What it answers next

    def says(self, text: str, **how: Any) -> None:
        """``how`` are fields of a `Reply`, such as ``finish``, ``tokens``, ``thinking``, ``breaks``."""
        self._replies.append(Reply([{"text": text}], **how))

    def calls(self, name: str, /, *, aloud: str = "", **arguments: Any) -> None:
        self.calls_at_once([(name, arguments)], aloud=aloud)

    def calls_at_once(self, calls: list[tuple[str, Json]], *, aloud: str = "") -> None:
        """Several tool calls in one reply; ``aloud`` is a text before them."""
        parts = [{"text": aloud}] if aloud else []
        self.replies(Reply([*parts, *({"functionCall": {"name": n, "args": a}} for n, a in calls)]))

    def replies(self, *replies: Reply) -> None:
        """Replies as they are, such as those of `gemini_recordings`."""
        self._replies.extend(replies)

    def blocks_the_prompt(self, reason: str = "SAFETY") -> None:
        self._replies.append(Reply(None, feedback={"blockReason": reason}))

    def ends_empty(self, finish: str = "STOP", text: str = "") -> None:
        self._replies.append(Reply([{"text": text}] if text else [], finish))

    def gives_no_candidate(self) -> None:
        self._replies.append(Reply(None))

    def fails(self, status: int, name: str, message: str, reason: str | None = None, **how: str) -> None:
        self._replies.append(failure(status, name, message, reason, **how))

    # What it was asked

    @property
    def model_requests(self) -> list[Recorded]:
        """The requests to a model, in order."""
        asked = [request for request in self.requests if "enerateContent" in request.path]
        return [request for request in asked if ":batch" not in request.path]

    @property
    def uploads(self) -> list[Recorded]:
        """The requests that started an upload."""
        return [request for request in self.requests if request.headers.get("x-goog-upload-command") == "start"]

    @property
    def replies_left(self) -> int:
        return len(self._replies)

    # What the handler calls

    def answer_to(self, request: Recorded) -> Reply:
        """The next reply, or what the service says to a request that breaks its rules, or names a file that is gone."""
        found = verdict(request, self._ledger)
        if found:
            self._note(found, request)
            return self._as_refused(found)
        reply = self.next_reply()
        with self._lock:
            self._answered += 1
            parts = reply.parts and completed(reply.parts, request, self._ledger, self._answered)
        self._ledger.promise(reply.token, request)
        return replace(reply, parts=parts, model=reply.model or model_of(request.path))

    def _note(self, found: Verdict, request: Recorded) -> None:
        if found.fault:
            self.faults.append(f"{request.path}: {found.why}")

    def _as_refused(self, found: Verdict) -> Reply:
        gone = not found.fault and found.reply.status == 403
        return replace(found.reply, status=self.refuses_unknown_files) if gone else found.reply

    def stays_silent(self) -> bool:
        """Waits, until whoever asked has gone, with the requests from the number ``waits_from`` on."""
        if self.waits_from is None or len(self.model_requests) <= self.waits_from:
            return False
        time.sleep(3)
        return True

    def record(self, request: Recorded) -> None:
        with self._lock:
            self.requests.append(request)

    def next_reply(self) -> Reply:
        with self._lock:
            return (
                self._replies.popleft() if self._replies else failure(400, "INVALID_ARGUMENT", "no reply is scripted")
            )

    def start_file(self, mime_type: str, key: str) -> StoredFile:
        with self._lock:
            self._numbered += 1
            name = f"files/f{self._numbered}"
            expires = datetime.now(UTC) + self.life_of_files
            stored = StoredFile(
                name, f"{self.url}/v1beta/{name}", mime_type, b"", self.polls_until_active, expires, key
            )
            self.files[stored.uri] = stored
            return stored


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, gemini: GeminiServer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gemini = gemini


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    timeout = _SOCKET_TIMEOUT

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        uploads = self.path.startswith("/upload-session/")
        request = self._record({} if uploads or not raw else json.loads(raw))
        if uploads:
            self._take(raw)
        elif self.path.startswith("/upload/"):
            self._start_upload(request.key)
        else:
            time.sleep(self.server.gemini.seconds_of_silence)
            if self.server.gemini.stays_silent():
                return
            if ":batchGenerateContent" in self.path:
                self._batch(lambda batches: batches.begin(*self._batched(request)))
                return
            reply = self.server.gemini.answer_to(request)
            (self._stream if request.streams else self._answer)(reply)

    def do_GET(self) -> None:
        request = self._record({})
        if "/batches" in self.path:
            self._batch(lambda batches: batches.told(self.path))
            return
        if urlsplit(self.path).path.rstrip("/").endswith("/files"):
            own = [one.as_json() for one in self.server.gemini.files.values() if one.key == request.key]
            self._send(200, {"files": own} if own else {})
        elif stored := self._stored(request.key):
            stored.polls_until_active -= 1
            self._send(200, stored.as_json())

    def _batched(self, request: Recorded) -> tuple[str, Json, Callable[[Json], Json]]:
        model = self.path.partition("/models/")[2].partition(":")[0]
        path = f"/v1beta/models/{model}:generateContent"

        def answered(one: Json) -> Json:
            if one.pop("model", f"models/{model}") != f"models/{model}":
                return {"error": {"code": 3, "message": "a job is of one model"}}
            asked = replace(request, path=path, body=one, size=len(json.dumps(one)))
            reply = self.server.gemini.answer_to(asked)
            return {"error": (reply.error or {}).get("error")} if reply.fault else {"response": reply.whole()}

        return model, request.body, answered

    def _batch(self, call: Callable[[Batches], Json]) -> None:
        batches = self.server.gemini.batches
        try:
            said = call(batches)
        except RefusedBatch as refused:
            self._send(refused.status, failure(refused.status, "INVALID_ARGUMENT", str(refused)).error or {})
            return
        if self.command == "POST" and batches.loses:
            batches.loses -= 1
            self._send(503, failure(503, "UNAVAILABLE", "the answer was lost").error or {})
            return
        self._send(200, said)

    def do_DELETE(self) -> None:
        if stored := self._stored(self._record({}).key):
            if self.server.gemini.refuses_deletion:
                said = f"You do not have permission to delete the File {stored.name}."
                self._send(403, failure(403, "PERMISSION_DENIED", said).error or {})
                return
            del self.server.gemini.files[stored.uri]
            self._send(200, {})

    def _record(self, body: Json) -> Recorded:
        headers = {name.lower(): value for name, value in self.headers.items()}
        size = int(headers.get("content-length") or 0)
        request = Recorded(self.command, self.path, headers, camel(body), self.server.gemini.files, size)
        self.server.gemini.record(request)
        return request

    def _start_upload(self, key: str) -> None:
        if self.server.gemini.refusal_of_files:
            self._send(self.server.gemini.refusal_of_files.status, self.server.gemini.refusal_of_files.error or {})
            return
        stored = self.server.gemini.start_file(self.headers.get("x-goog-upload-header-content-type", ""), key)
        session = f"{self.server.gemini.url}/upload-session/{stored.name}"
        self._send(200, {}, {"X-Goog-Upload-URL": session, "X-Goog-Upload-Status": "active"})

    def _take(self, raw: bytes) -> None:
        if self.server.gemini.uploads_that_break:
            self.server.gemini.uploads_that_break -= 1
            self.close_connection = True
            return
        stored = self.server.gemini.files[
            f"{self.server.gemini.url}/v1beta/{self.path.removeprefix('/upload-session/')}"
        ]
        stored.data += raw
        if "finalize" in self.headers.get("x-goog-upload-command", ""):
            self._send(200, {"file": stored.as_json()}, {"X-Goog-Upload-Status": "final"})
        else:
            self._send(200, {}, {"X-Goog-Upload-Status": "active"})

    def _stored(self, key: str) -> StoredFile | None:
        """The file that the request is about; one that is not there, or another key's, is refused."""
        name = "files/" + urlsplit(self.path).path.rpartition("/")[2]
        stored = next((one for one in self.server.gemini.files.values() if one.name == name), None)
        if stored and stored.key == key:
            return stored
        if stored:
            said = f"You do not have permission to access the File {name} or it may not exist."
            self._send(403, failure(403, "PERMISSION_DENIED", said).error or {})
        else:
            self._send(404, failure(404, "NOT_FOUND", "no such file").error or {})
        return None

    def _answer(self, reply: Reply) -> None:
        """The reply in one piece, byte by byte if it drips."""
        if not reply.drips:
            self._send_bytes(reply.status, reply.fault or json.dumps(reply.whole()).encode(), reply.headers)
            return
        self._begin("application/json")
        for byte in json.dumps(reply.whole()).encode():
            self._write(bytes([byte]))
            time.sleep(reply.drips)
        self._write(b"", last=True)

    def _stream(self, reply: Reply) -> None:
        if reply.fault and reply.breaks is None:
            self._send_bytes(reply.status, reply.fault, reply.headers)
            return
        self._begin("text/event-stream")
        for number, chunk in enumerate(reply.chunks()):
            if number == reply.breaks and reply.fault:
                self._write(b"data: " + reply.fault + b"\r\n\r\n")
                self._write(b"", last=True)
                return
            if number == reply.breaks:
                self._write(b'data: {"candidates": [')
                return
            time.sleep(reply.drips)
            self._write(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n")
        self._write(b"", last=True)

    def _begin(self, content_type: str) -> None:
        """Headers of an answer of unknown length, in chunks: so a connection that ends early is known to be broken."""
        self.protocol_version = "HTTP/1.1"
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()

    def _write(self, piece: bytes, *, last: bool = False) -> None:
        with contextlib.suppress(OSError):  # whoever asked has gone
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
            self.wfile.write(b"0\r\n\r\n" if last else b"")
            self.wfile.flush()

    def _send(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(body).encode(), headers)

    def _send_bytes(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Tests read `requests`; nothing is printed."""
