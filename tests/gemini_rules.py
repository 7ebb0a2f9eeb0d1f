"""The rules of Gemini's service, by generation of model: what it refuses, and how. Written from its documents.

https://ai.google.dev/gemini-api/docs/function-calling, /thought-signatures, /gemini-3, /image-understanding and
/files, and what `facts/gemini.md` gathers of the changes since. `verdict` looks at one request.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gemini_fields import unknown_field
from gemini_wire import Json, Recorded, Reply, StoredFile, decoded, failure

#: Bytes: a request with what stands in it, and a PDF in it. Vertex AI takes 500 MiB.
LONGEST_REQUEST, LONGEST_VERTEX_REQUEST, LONGEST_PDF = 100_000_000, 500 * 2**20, 50_000_000
MOST_PICTURES = 3600
#: The word that stands for a signature which there is none of: for calls of other models.
BYPASS = "skip_thought_signature_validator"

_PATH = re.compile(r"^/(v1|v1beta)/models/([^/:]+):(generateContent|streamGenerateContent)(\?|$)")
_VERTEX_PATH = re.compile(
    r"^/(v1|v1beta1)/projects/[^/]+/locations/[^/]+/publishers/google/models/([^/:]+):(generateContent|"
    r"streamGenerateContent)(\?|$)"
)
_PICTURES = {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}
_IN_REPLIES = {"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"}
_SAMPLING = ("temperature", "topP", "topK", "presencePenalty", "frequencyPenalty")
_NEWEST = (99, 0)


@dataclass(frozen=True)
class Verdict:
    """Why a request is not answered, and what it gets instead. ``fault`` if whoever asked could have known."""

    why: str
    reply: Reply
    fault: bool = True


@dataclass(frozen=True)
class Signed:
    """What a signature was made for: by which model, for which key, and on which part."""

    model: str
    key: str
    version: int
    call: Json | None


@dataclass
class Ledger:
    """What the service remembers: signatures that it made, files that it stored, answers that it has begun."""

    files: dict[str, StoredFile]
    address: str
    signatures: dict[bytes, Signed] = field(default_factory=dict)
    version: int = 1
    begun: dict[bytes, Json] = field(default_factory=dict)

    def promise(self, token: str, request: Recorded) -> None:
        """The same request, with the token, may go on with its answer."""
        if token:
            self.begun[decoded(token)] = request.body


def generation(model: str) -> tuple[int, int]:
    """(3, 5) for ``gemini-3.5-flash``; a name without a number is the newest."""
    found = re.search(r"gemini-(\d+)(?:\.(\d+))?", model)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def has_ids(model: str) -> bool:
    """Whether each of the model's calls has an id."""
    return generation(model) >= (3, 5)


def model_of(path: str) -> str:
    """The model that a request's path names; "" if it names none."""
    found = _PATH.match(path) or _VERTEX_PATH.match(path)
    return found[2] if found else ""


def verdict(request: Recorded, ledger: Ledger) -> Verdict | None:
    """The first rule that the request breaks; None for one that is answered."""
    return next((found for rule in _RULES if (found := rule(request, ledger))), None)


def _refused(message: str, *, fault: bool = True, status: int = 400, name: str = "INVALID_ARGUMENT") -> Verdict:
    return Verdict(message, failure(status, name, message), fault)


def _silent(why: str) -> Verdict:
    """What does not fit together is not refused: the answer is empty."""
    return Verdict(why, Reply([], "STOP"))


# The request as a whole


def _address(request: Recorded, _: Ledger) -> Verdict | None:
    if not model_of(request.path):
        return _refused(f"there is nothing at {request.path}", status=404, name="NOT_FOUND")
    if not request.vertex and not request.key:
        return _refused("Method doesn't allow unregistered callers", status=403, name="PERMISSION_DENIED")
    return None


def _size(request: Recorded, _: Ledger) -> Verdict | None:
    limit = LONGEST_VERTEX_REQUEST if request.vertex else LONGEST_REQUEST
    if request.size > limit:
        return _refused(f"Request payload size exceeds the limit: {limit} bytes.")
    if len([part for part in request.media if _is_picture(part)]) > MOST_PICTURES:
        return _refused(f"Please use fewer than {MOST_PICTURES} images in your request.")
    for part in request.media:
        blob = part.get("inlineData", {})
        if blob.get("mimeType") == "application/pdf" and len(decoded(blob["data"])) > LONGEST_PDF:
            return _refused(f"The document is larger than {LONGEST_PDF} bytes.")
    return None


def _fields(request: Recorded, _: Ledger) -> Verdict | None:
    unknown = unknown_field(request.body, vertex=request.vertex, v1=request.path.startswith("/v1/"))
    return _refused(f"Invalid JSON payload received. Unknown name {unknown}: Cannot find field.") if unknown else None


def _continuation(request: Recorded, ledger: Ledger) -> Verdict | None:
    """An answer that ended with CONTINUATION goes on where the same request comes with its token."""
    if "continuationToken" not in request.body:
        return None
    begun = ledger.begun.get(_bytes(request.body["continuationToken"]))
    if begun is None or begun["contents"] != request.body["contents"]:
        return _refused("The continuation token does not belong to this request.")
    return None


def _is_picture(part: Json) -> bool:
    return any(part.get(kind, {}).get("mimeType", "").startswith("image/") for kind in ("inlineData", "fileData"))


# How the model is to answer


def _generation_config(request: Recorded, _: Ledger) -> Verdict | None:
    made = generation(model_of(request.path))
    config = request.body.get("generationConfig", {})
    sampling = [name for name in _SAMPLING if name in config]
    if sampling and made >= (3, 6):
        return _refused(f"{sampling[0]} is not supported for this model.")
    if str(config.get("mediaResolution", "")).endswith("ULTRA_HIGH"):
        return _refused("MEDIA_RESOLUTION_ULTRA_HIGH can only be set for a part.")
    if "cachedContent" in request.body and made[0] >= 4 and made != _NEWEST:
        return _refused("Explicit caching is not supported for this model.")
    return _thinking(config.get("thinkingConfig", {}), made)


def _thinking(thinking: Json, made: tuple[int, int]) -> Verdict | None:
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        return _refused("thinking_budget and thinking_level cannot both be set.")
    if "thinkingBudget" in thinking and made[0] >= 4 and made != _NEWEST:
        return _refused("Thinking budget is not supported for this model.")
    if "thinkingLevel" in thinking and made < (3, 0):
        return _refused("Thinking level is not supported for this model.")
    if str(thinking.get("thinkingLevel", "LOW")).upper() not in ("MINIMAL", "LOW", "MEDIUM", "HIGH"):
        return _refused(f"Invalid value at 'thinking_level': {thinking['thinkingLevel']!r}")
    return None


# The parts


def _parts(request: Recorded, _: Ledger) -> Verdict | None:
    for number, content in enumerate(request.body.get("contents", [])):
        if not content.get("parts"):
            return _refused(f"* GenerateContentRequest.contents[{number}].parts: contents.parts must not be empty.")
        for part in content["parts"]:
            if fault := _part(part, model_of(request.path)):
                return fault
    return None


_KINDS = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip


def _part(part: Json, model: str) -> Verdict | None:
    if sum(kind in part for kind in _KINDS) != 1:
        return _refused("contents.parts.data: required oneof field 'data' must have one initialized field")
    if "mediaResolution" in part and generation(model) < (3, 0):
        return _refused("Media resolution per part is not supported for this model.")
    if "functionResponse" in part:
        return _response_part(part["functionResponse"], model)
    blob = part.get("inlineData")
    return _blob(blob, _PICTURES) if blob else None


def _response_part(response: Json, model: str) -> Verdict | None:
    if not response.get("name") or not isinstance(response.get("response"), dict):
        return _refused("function_response.name and function_response.response: required field is missing")
    nested = response.get("parts", [])
    if nested and generation(model) < (3, 0):
        return _refused("Multimodal function responses are not supported for this model.")
    return next((found for one in nested if (found := _blob(one.get("inlineData"), _IN_REPLIES))), None)


def _blob(blob: Json | None, pictures: set[str]) -> Verdict | None:
    if blob is None:
        return None
    mime = blob.get("mimeType", "")
    if (mime.startswith("image/") or pictures is _IN_REPLIES) and mime not in pictures:
        return _refused(f"Unsupported MIME type: {mime}")
    try:
        empty = not decoded(blob.get("data", ""))
    except ValueError:
        return _refused("Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed")
    return _refused("Unable to process input image: it is empty.") if empty else None


# Turns and calls


def _turns(request: Recorded, _: Ledger) -> Verdict | None:
    contents = request.body.get("contents") or []
    roles = [content.get("role", "user") for content in contents]
    if not contents:
        return _refused("* GenerateContentRequest.contents: contents is not specified")
    if set(roles) - {"user", "model"}:
        return _refused("Please use a valid role: user, model.")
    if roles[0] != "user" or _named(contents[0], "functionResponse"):
        return _refused("Please ensure that multiturn requests begin with a user turn.")
    if any(role == following for role, following in pairwise(roles)):
        return _refused("Please ensure that multiturn requests alternate between user and model.")
    if roles[-1] == "model" and _takes_no_prefill(model_of(request.path)):
        return _refused("Requests that end with a model turn are not supported for this model.")
    return next((found for content in contents if (found := _side(content))), None)


def _takes_no_prefill(model: str) -> bool:
    return generation(model) >= (3, 6) or model.startswith("gemini-3.5-flash-lite")


def _side(content: Json) -> Verdict | None:
    """Calls are the model's, their replies the user's."""
    wrong = "functionCall" if content.get("role", "user") == "user" else "functionResponse"
    return (
        _refused(f"a {wrong} cannot stand in a turn of the {content.get('role')}") if _named(content, wrong) else None
    )


def _named(content: Json, kind: str) -> list[Json]:
    return [part[kind] for part in content["parts"] if kind in part]


def _calls(request: Recorded, _: Ledger) -> Verdict | None:
    contents = request.body.get("contents", [])
    model = model_of(request.path)
    for content, following in zip(contents, [*contents[1:], None], strict=True):
        calls = _named(content, "functionCall")
        replies = _named(following, "functionResponse") if following else []
        if replies and not calls:
            return _refused("Please ensure that function response turn comes immediately after a function call turn.")
        if calls and following and len(calls) != len(replies):
            return _refused(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if following and replies and (fault := _pairs(calls, replies, model) or _siblings(following, model)):
            return fault
    return None


def _pairs(calls: list[Json], replies: list[Json], model: str) -> Verdict | None:
    for call, reply in zip(calls, replies, strict=True):
        if call["name"] != reply["name"]:
            return _silent(f"the reply of {reply['name']} stands where that of {call['name']} is expected")
        if has_ids(model) and not call.get("id"):
            return _silent(f"the call of {call['name']} has no id")
        if has_ids(model) and call["id"] != reply.get("id"):
            return _silent(f"the reply of {reply['name']} has the id {reply.get('id')}, its call {call['id']}")
    return None


def _siblings(content: Json, model: str) -> Verdict | None:
    """From 3 on a picture stands inside its reply; what a person adds stands after a text."""
    if generation(model) < (3, 0):
        return None
    texts = [number for number, part in enumerate(content["parts"]) if "text" in part]
    own = content["parts"][: texts[0]] if texts else content["parts"]
    if any("inlineData" in part or "fileData" in part for part in own):
        return _silent("a picture stands beside the reply of a tool, not inside it")
    return None


# Thought signatures


def _signatures(request: Recorded, ledger: Ledger) -> Verdict | None:
    asked_by = (model_of(request.path), request.key, ledger.version)
    for content in request.body.get("contents", []):
        for part in content["parts"]:
            if "thoughtSignature" in part and (found := _signature(part, asked_by, ledger)):
                return found
    return _missing_signature(request)


def _signature(part: Json, asked_by: tuple[str, str, int], ledger: Ledger) -> Verdict | None:
    if part["thoughtSignature"] == BYPASS:
        return None
    signed = ledger.signatures.get(_bytes(part["thoughtSignature"]))
    if signed is None:
        return _corrupted("a signature that the service has not made")
    if (signed.model, signed.key, signed.version) != asked_by:
        return _corrupted("a signature made by another model, key or version", fault=False)
    call = part.get("functionCall")
    if (signed.call is None) != (call is None) or (call is not None and not _same(call, signed.call or {})):
        return _corrupted("a signature on another part than its own")
    return None


def _corrupted(why: str, *, fault: bool = True) -> Verdict:
    return Verdict(why, failure(400, "INVALID_ARGUMENT", "Corrupted thought signature."), fault)


def _same(call: Json, signed: Json) -> bool:
    return all(call.get(name) == signed.get(name) for name in ("name", "args", "id"))


def _bytes(signature: str) -> bytes:
    try:
        return decoded(signature)
    except ValueError:
        return b""


def _missing_signature(request: Recorded) -> Verdict | None:
    """Since the last words of the user the first call of each step must have its signature, from 3 on."""
    if generation(model_of(request.path)) < (3, 0):
        return None
    for content in reversed(request.body.get("contents", [])):
        calls = [part for part in content["parts"] if "functionCall" in part]
        if content.get("role", "user") == "user" and not _named(content, "functionResponse"):
            return None
        if any("text" in part for part in content["parts"]) and content.get("role", "user") == "user":
            return None
        if calls and "thoughtSignature" not in calls[0]:
            return _refused("Function call is missing a thought_signature in functionCall parts.")
    return None


# Stored files


def _files(request: Recorded, ledger: Ledger) -> Verdict | None:
    addresses = [part["fileData"].get("fileUri", "") for part in request.media if "fileData" in part]
    return next((found for address in addresses if (found := _file(address, request, ledger))), None)


def _file(address: str, request: Recorded, ledger: Ledger) -> Verdict | None:
    if not address.startswith(ledger.address):
        return None
    if request.vertex:
        return _refused(f"Unsupported file URI type: {address}")
    stored, name = ledger.files.get(address), address.rpartition("/")[2]
    gone = f"You do not have permission to access the File {name} or it may not exist."
    if stored is None:
        return _refused(gone, fault=False, status=403, name="PERMISSION_DENIED")
    if stored.key != request.key:
        return _refused(gone, status=403, name="PERMISSION_DENIED")
    if stored.polls_until_active > 0:
        return _refused(f"The File {name} is not in an ACTIVE state and usage is not allowed.")
    return None


_RULES: list[Callable[[Recorded, Ledger], Verdict | None]] = [
    _address, _size, _fields, _continuation, _generation_config, _parts, _turns, _calls, _signatures, _files,
]  # fmt: skip


# What the service puts into its answers


def completed(parts: list[Json], request: Recorded, ledger: Ledger, number: int) -> list[Json]:
    """The parts of an answer as the model gives them: calls with ids, and a signature on the part that has one."""
    model = model_of(request.path)
    named = [_with_id(part, f"call-{number}-{place}") if has_ids(model) else part for place, part in enumerate(parts)]
    if generation(model) < (3, 0):
        return named
    return list(_signed(named, request, ledger, number))


def _with_id(part: Json, name: str) -> Json:
    call = part.get("functionCall")
    return {**part, "functionCall": {"id": name, **call}} if call else part


def _signed(parts: list[Json], request: Recorded, ledger: Ledger, number: int) -> Iterator[Json]:
    """With calls the first of them is signed, else the last text."""
    calls = [place for place, part in enumerate(parts) if "functionCall" in part]
    texts = [place for place, part in enumerate(parts) if "text" in part and not part.get("thought")]
    place = (calls[:1] or texts[-1:] or [None])[0]
    for position, part in enumerate(parts):
        if position != place or "thoughtSignature" in part:
            yield part
            continue
        yield {**part, "thoughtSignature": _made(part.get("functionCall"), request, ledger, number)}


def _made(call: Any, request: Recorded, ledger: Ledger, number: int) -> str:
    signature = f"\xff\xfe signed {number} {len(ledger.signatures)}".encode("latin-1")
    ledger.signatures[signature] = Signed(model_of(request.path), request.key, ledger.version, call)
    return base64.b64encode(signature).decode()
