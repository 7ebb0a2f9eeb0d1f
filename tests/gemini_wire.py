"""Gemini's protocol as the server for tests keeps it: requests as they came, scripted replies, stored files."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

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
    size: int = 0

    @property
    def streams(self) -> bool:
        return ":streamGenerateContent" in self.path

    @property
    def vertex(self) -> bool:
        """Whether it was made to Vertex AI."""
        return "/projects/" in self.path

    @property
    def key(self) -> str:
        """The key of the Gemini API, in a header or in the address; "" without one."""
        in_address = parse_qs(urlsplit(self.path).query).get("key", [""])
        return self.headers.get("x-goog-api-key", "") or in_address[0]

    @property
    def parts(self) -> list[Json]:
        """The parts of all contents, in the order of the wire."""
        return [part for content in self.body.get("contents", []) for part in content.get("parts", [])]

    @property
    def media(self) -> list[Json]:
        """The parts that are pictures or documents, also those inside the replies of tools, in order."""
        return [one for part in self.parts for one in media_in(part)]

    @property
    def texts(self) -> list[str]:
        return [part["text"] for part in self.parts if "text" in part]

    @property
    def pictures(self) -> list[tuple[str, bytes]]:
        """MIME type and bytes of each picture, inline or by reference to a stored file, in order."""
        return [found for part in self.media if (found := self.picture(part))]

    @property
    def replies(self) -> list[str]:
        """What the tools' replies say, in order."""
        return [reply_text(part) for part in self.parts if "functionResponse" in part]

    def picture(self, part: Json) -> tuple[str, bytes] | None:
        """MIME type and bytes of one part that is a picture."""
        if "inlineData" in part:
            return part["inlineData"]["mimeType"], decoded(part["inlineData"]["data"])
        if "fileData" in part and part["fileData"]["fileUri"] in self.files:
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
    key: str = ""

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
    """A scripted reply: the parts of one candidate, or none; or an HTTP error with ``headers``.

    ``thinking`` and ``cached`` are tokens, ``usage`` more of what is counted; ``model`` answers instead of the one that
    is asked. ``breaks`` after so many pieces of a stream, the connection then ends, or, with ``drips``, each piece
    comes after so many seconds; with ``error`` or ``body`` that is its next event. ``body`` are bytes that come in the
    place of an answer. ``token`` goes with the finish CONTINUATION; ``others`` are texts of more candidates.
    """

    parts: list[Json] | None = None
    finish: str | None = "STOP"
    feedback: Json | None = None
    status: int = 200
    error: Json | None = None
    tokens: tuple[int, int] = (100, 10)
    thinking: int = 0
    cached: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    breaks: int | None = None
    drips: float = 0.0
    model: str = ""
    usage: Json = field(default_factory=dict)
    token: str = ""
    others: list[str] = field(default_factory=list)
    body: bytes = b""

    @property
    def fault(self) -> bytes:
        """What comes in the place of an answer, or of its next piece; empty for an answer."""
        return self.body or (json.dumps(self.error).encode() if self.error else b"")

    def whole(self) -> Json:
        return self._chunk(self.parts, self.finish, self.tokens)

    def chunks(self) -> Iterator[Json]:
        """The same as a stream sends it: texts in pieces, tokens counted up, the reason at the end."""
        pieces = [piece for part in self.parts or [] for piece in _pieces(part)]
        for number, piece in enumerate(pieces[:-1], 1):
            yield self._chunk([piece], None, (self.tokens[0], min(number, self.tokens[1])))
        yield self._chunk(pieces[-1:] if self.parts is not None else None, self.finish, self.tokens)

    def _chunk(self, parts: list[Json] | None, finish: str | None, tokens: tuple[int, int]) -> Json:
        usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1]}
        usage |= {"totalTokenCount": sum(tokens) + self.thinking}
        usage |= {"thoughtsTokenCount": self.thinking} if self.thinking else {}
        usage |= {"cachedContentTokenCount": self.cached} if self.cached else {}
        chunk: Json = {"usageMetadata": usage | self.usage, "modelVersion": self.model}
        if self.feedback:
            chunk["promptFeedback"] = self.feedback
        if parts is not None:
            chunk["candidates"] = [self._candidate(number, of, finish) for number, of in enumerate(self._each(parts))]
        return chunk

    def _each(self, parts: list[Json]) -> list[list[Json]]:
        """The parts of each candidate: the scripted ones, and those of the others."""
        return [parts, *([{"text": text}] for text in self.others)]

    def _candidate(self, number: int, parts: list[Json], finish: str | None) -> Json:
        candidate: Json = {"index": number, "content": {"role": "model", "parts": parts}}
        candidate |= {"finishReason": finish} if finish else {}
        return candidate | ({"continuationToken": self.token} if finish and self.token else {})


def failure(
    status: int, name: str, message: str, reason: str | None = None, *, wait: str = "", retry_after: str = ""
) -> Reply:
    """An HTTP error as Google writes it; ``wait`` such as ``"12s"`` is its RetryInfo, ``retry_after`` the header."""
    error: Json = {"code": status, "status": name, "message": message}
    if reason:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    if wait:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": wait}]
    return Reply(status=status, error={"error": error}, headers={"Retry-After": retry_after} if retry_after else {})


def media_in(part: Json) -> list[Json]:
    """The pictures and documents that a part is or, the reply of a tool, holds."""
    if "functionResponse" in part:
        return list(part["functionResponse"].get("parts", []))
    return [part] if "inlineData" in part or "fileData" in part else []


def reply_text(part: Json) -> str:
    """The text in a tool's reply, which stands in ``output`` as a string or as blocks of text."""
    output = part["functionResponse"]["response"].get("output", "")
    return output if isinstance(output, str) else "\n".join(block["text"] for block in output)


def decoded(data: str) -> bytes:
    """Bytes from base64 in either alphabet, with or without padding. Raises ValueError for what is none."""
    data = data.replace("-", "+").replace("_", "/")
    return base64.b64decode(data + "=" * (-len(data) % 4), validate=True)


def camel(value: Any, key: str = "") -> Any:
    """The JSON with the protocol's keys in camelCase; clients mix both casings."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict) or key in _FOREIGN:
        return value
    return {camel_name(name): camel(item, camel_name(name)) for name, item in value.items()}


def camel_name(name: str) -> str:
    """``inline_data`` as ``inlineData``."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _pieces(part: Json) -> list[Json]:
    """A text in pieces, its signature with an empty one at the end."""
    if "text" not in part:
        return [part]
    rest = {name: value for name, value in part.items() if name not in ("text", "thoughtSignature")}
    pieces = [{"text": piece, **rest} for piece in re.findall(r"(?s).{1,12}", part["text"])]
    signature = {"thoughtSignature": part["thoughtSignature"]} if "thoughtSignature" in part else None
    return [*pieces, {"text": "", **rest, **signature}] if signature else pieces
