"""A server that speaks Gemini's protocol on loopback, for tests: scripted replies, recorded requests, stored files.

It is the fake at the edge of the world. The real clients talk to it over HTTP (``base_url``), so what a test reads in
`GeminiServer.requests` is what would have gone to Google. Known: ``generateContent``, ``streamGenerateContent``
(server-sent events), and the Files API (upload in the resumable protocol, get, list, delete).

    with GeminiServer() as server:
        server.calls("search_pages", query="net revenue")
        server.says("4.2 billion [annual-report.pdf p. 3].")
        ...
        assert server.model_requests[1].pictures == [("image/png", ...)]
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

LONGEST_LIFE = 120.0
_SOCKET_TIMEOUT = 20.0
#: Below these keys stand names that are the caller's own and not the protocol's.
_FOREIGN = {"args", "response", "properties"}


@dataclass
class Recorded:
    """One request as it came: ``body`` is the JSON with its keys in camelCase, whichever casing the client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json
    files: dict[str, StoredFile] = field(repr=False, default_factory=dict)

    @property
    def streams(self) -> bool:
        return ":streamGenerateContent" in self.path

    @property
    def parts(self) -> list[Json]:
        """The parts of all contents, in the order of the wire."""
        return [part for content in self.body.get("contents", []) for part in content["parts"]]

    @property
    def texts(self) -> list[str]:
        return [part["text"] for part in self.parts if "text" in part]

    @property
    def pictures(self) -> list[tuple[str, bytes]]:
        """MIME type and bytes of each picture, inline or by reference to a stored file, in order."""
        return [found for part in self.parts if (found := self.picture(part))]

    @property
    def replies(self) -> list[str]:
        """What the tools' replies say, in order."""
        return [reply_text(part) for part in self.parts if "functionResponse" in part]

    def picture(self, part: Json) -> tuple[str, bytes] | None:
        """MIME type and bytes of one part that is a picture."""
        if "inlineData" in part:
            return part["inlineData"]["mimeType"], decoded(part["inlineData"]["data"])
        if "fileData" in part:
            stored = self.files[part["fileData"]["fileUri"]]
            return part["fileData"]["mimeType"], stored.data
        return None


@dataclass
class StoredFile:
    """A file of the Files API."""

    name: str
    uri: str
    mime_type: str
    data: bytes = b""
    polls_until_active: int = 0
    expires: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(hours=48))

    def as_json(self, state: str | None = None) -> Json:
        return {
            "name": self.name,
            "uri": self.uri,
            "mimeType": self.mime_type,
            "sizeBytes": str(len(self.data)),
            "state": state or ("PROCESSING" if self.polls_until_active > 0 else "ACTIVE"),
            "expirationTime": self.expires.isoformat().replace("+00:00", "Z"),
        }


@dataclass
class Reply:
    """A scripted reply: the parts of one candidate, or none; or an HTTP error."""

    parts: list[Json] | None = None
    finish: str = "STOP"
    feedback: Json | None = None
    status: int = 200
    error: Json | None = None
    tokens: tuple[int, int] = (100, 10)

    def whole(self) -> Json:
        return self._chunk(self.parts, self.finish, self.tokens)

    def chunks(self) -> Iterator[Json]:
        """The same as a stream sends it: texts in pieces, tokens counted up, the reason at the end."""
        pieces = [piece for part in self.parts or [] for piece in _pieces(part)]
        for number, piece in enumerate(pieces[:-1], 1):
            yield self._chunk([piece], None, (self.tokens[0], min(number, self.tokens[1])))
        yield self._chunk(pieces[-1:] if self.parts is not None else None, self.finish, self.tokens)

    def _chunk(self, parts: list[Json] | None, finish: str | None, tokens: tuple[int, int]) -> Json:
        usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1], "totalTokenCount": sum(tokens)}
        chunk: Json = {"usageMetadata": usage, "modelVersion": "gemini-test"}
        if self.feedback:
            chunk["promptFeedback"] = self.feedback
        if parts is not None:
            candidate: Json = {"index": 0, "content": {"role": "model", "parts": parts}}
            chunk["candidates"] = [candidate | ({"finishReason": finish} if finish else {})]
        return chunk


class GeminiServer:
    """Use as a context manager; ``url`` goes to the client's ``base_url``. Replies are given in the order scripted."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.files: dict[str, StoredFile] = {}
        self.polls_until_active = 0
        self.life_of_files = timedelta(hours=48)
        self.refusal_of_files: Reply | None = None
        self._replies: deque[Reply] = deque()
        self._lock = threading.Lock()
        self._http = _Http(self)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> GeminiServer:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        self._end = threading.Timer(LONGEST_LIFE, self._http.shutdown)
        self._end.daemon = True
        self._end.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.cancel()
        self._http.shutdown()
        self._http.server_close()

    # What it answers next

    def says(self, text: str, *, finish: str = "STOP", tokens: tuple[int, int] = (100, 10)) -> None:
        self._replies.append(Reply([{"text": text}], finish, tokens=tokens))

    def calls(self, name: str, /, *, aloud: str = "", **arguments: Any) -> None:
        self.calls_at_once([(name, arguments)], aloud=aloud)

    def calls_at_once(self, calls: list[tuple[str, Json]], *, aloud: str = "") -> None:
        """Several tool calls in one reply; ``aloud`` is a text before them."""
        parts = [{"text": aloud}] if aloud else []
        self._replies.append(Reply([*parts, *({"functionCall": {"name": n, "args": a}} for n, a in calls)]))

    def blocks_the_prompt(self, reason: str = "SAFETY") -> None:
        self._replies.append(Reply(None, feedback={"blockReason": reason}))

    def ends_empty(self, finish: str = "STOP", text: str = "") -> None:
        self._replies.append(Reply([{"text": text}] if text else [], finish))

    def gives_no_candidate(self) -> None:
        self._replies.append(Reply(None))

    def fails(self, status: int, name: str, message: str, reason: str | None = None) -> None:
        self._replies.append(failure(status, name, message, reason))

    # What it was asked

    @property
    def model_requests(self) -> list[Recorded]:
        """The requests to a model, in order."""
        return [request for request in self.requests if "enerateContent" in request.path]

    @property
    def uploads(self) -> list[Recorded]:
        """The requests that started an upload."""
        return [request for request in self.requests if request.headers.get("x-goog-upload-command") == "start"]

    # What the handler calls

    def record(self, request: Recorded) -> None:
        with self._lock:
            self.requests.append(request)

    def next_reply(self) -> Reply:
        with self._lock:
            return (
                self._replies.popleft() if self._replies else failure(400, "INVALID_ARGUMENT", "no reply is scripted")
            )

    def start_file(self, mime_type: str) -> StoredFile:
        with self._lock:
            name = f"files/f{len(self.files)}"
            expires = datetime.now(UTC) + self.life_of_files
            stored = StoredFile(name, f"{self.url}/v1beta/{name}", mime_type, b"", self.polls_until_active, expires)
            self.files[stored.uri] = stored
            return stored


def failure(status: int, name: str, message: str, reason: str | None = None) -> Reply:
    """An HTTP error as Google writes it."""
    error: Json = {"code": status, "status": name, "message": message}
    if reason:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return Reply(status=status, error={"error": error})


def reply_text(part: Json) -> str:
    """The text in a tool's reply, which stands in ``output`` as a string or as blocks of text."""
    output = part["functionResponse"]["response"].get("output", "")
    return output if isinstance(output, str) else "\n".join(block["text"] for block in output)


def decoded(data: str) -> bytes:
    """Bytes from base64 in either alphabet, with or without padding."""
    data = data.replace("-", "+").replace("_", "/")
    return base64.b64decode(data + "=" * (-len(data) % 4))


def camel(value: Any, key: str = "") -> Any:
    """The JSON with the protocol's keys in camelCase; clients mix both casings."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict) or key in _FOREIGN:
        return value
    return {_camel(name): camel(item, _camel(name)) for name, item in value.items()}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _pieces(part: Json) -> list[Json]:
    if "text" not in part:
        return [part]
    return [{"text": piece} for piece in re.findall(r"(?s).{1,12}", part["text"])]


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
            self._start_upload()
        elif request.streams:
            self._stream(self.server.gemini.next_reply())
        else:
            reply = self.server.gemini.next_reply()
            self._send(reply.status, reply.error or reply.whole())

    def do_GET(self) -> None:
        self._record({})
        stored = self._stored()
        if self.path.rstrip("/").endswith("/files"):
            self._send(200, {"files": [one.as_json() for one in self.server.gemini.files.values()]})
        elif stored:
            stored.polls_until_active -= 1
            self._send(200, stored.as_json())
        else:
            self._missing()

    def do_DELETE(self) -> None:
        self._record({})
        stored = self._stored()
        if not stored:
            self._missing()
            return
        del self.server.gemini.files[stored.uri]
        self._send(200, {})

    def _record(self, body: Json) -> Recorded:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Recorded(self.command, self.path, headers, camel(body), self.server.gemini.files)
        self.server.gemini.record(request)
        return request

    def _start_upload(self) -> None:
        if self.server.gemini.refusal_of_files:
            self._send(self.server.gemini.refusal_of_files.status, self.server.gemini.refusal_of_files.error or {})
            return
        stored = self.server.gemini.start_file(self.headers.get("x-goog-upload-header-content-type", ""))
        session = f"{self.server.gemini.url}/upload-session/{stored.name}"
        self._send(200, {}, {"X-Goog-Upload-URL": session, "X-Goog-Upload-Status": "active"})

    def _take(self, raw: bytes) -> None:
        stored = self.server.gemini.files[
            f"{self.server.gemini.url}/v1beta/{self.path.removeprefix('/upload-session/')}"
        ]
        stored.data += raw
        if "finalize" in self.headers.get("x-goog-upload-command", ""):
            self._send(200, {"file": stored.as_json()}, {"X-Goog-Upload-Status": "final"})
        else:
            self._send(200, {}, {"X-Goog-Upload-Status": "active"})

    def _stored(self) -> StoredFile | None:
        return self.server.gemini.files.get(self.server.gemini.url + self.path.split("?")[0])

    def _missing(self) -> None:
        self._send(404, failure(404, "NOT_FOUND", "no such file").error or {})

    def _stream(self, reply: Reply) -> None:
        if reply.error:
            self._send(reply.status, reply.error)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for chunk in reply.chunks():
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n")
            self.wfile.flush()

    def _send(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Tests read `requests`; nothing is printed."""
