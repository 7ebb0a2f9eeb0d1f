"""Servers of page encoders on loopback, one for each published form, as strict as the services.

Written from the services' documents (facts in docs/encoders.md): unknown fields, other sizes and other media types are
refused with 400 as there, a missing key with 401, an unknown model with 404. The vectors are made of the picture and
the text, so that the same page has the same vector and another page another.

    with EncoderServer("voyage", key="k") as server:
        ... f"voyage-multimodal-3.5@{server.url}" ...
        assert server.pages == 3
"""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from gemini_wire import camel
from PIL import Image

Json = dict[str, Any]
_LONGEST_LIFE = 120.0


class Refused(Exception):
    """The service refuses a request: its status and what it says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def only(body: Json, allowed: dict[str, type | tuple[type, ...]], *, needed: tuple[str, ...] = ()) -> None:
    """Refuse fields that are not published, of another type, or missing."""
    for name, value in body.items():
        if name not in allowed:
            raise Refused(400, f"Extra inputs are not permitted: {name}")
        if not isinstance(value, allowed[name]):
            raise Refused(400, f"{name} has the wrong type")
    for name in needed:
        if name not in body:
            raise Refused(400, f"Field required: {name}")


def one_of(value: Any, allowed: tuple[Any, ...], name: str) -> None:
    if value not in allowed:
        raise Refused(400, f"{name} must be one of {allowed}")


def picture_of(url: str, most: int = 16_000_000) -> Image.Image:
    """The picture in a data: address; PNG and JPEG alone are taken."""
    head, comma, data = url.partition(",")
    if not comma or head not in ("data:image/png;base64", "data:image/jpeg;base64"):
        raise Refused(400, "images must be data:image/png;base64 or data:image/jpeg;base64")
    return decoded(data, most)


@cache
def _random(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((768, 3072), np.float32)


def decoded(data: str, most: int = 16_000_000) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        picture.load()
    except (ValueError, OSError) as error:
        raise Refused(400, f"not an image: {error}") from error
    if picture.format not in ("PNG", "JPEG") or picture.width * picture.height > most:
        raise Refused(400, f"{picture.format} of {picture.size}: PNG and JPEG up to {most} pixels are taken")
    return picture.convert("RGB")


class EncoderServer:
    """``form`` is the protocol; ``pages`` and ``questions`` count what was encoded, ``at_once`` the most at one time.

    ``failures`` are answered first, each a status with headers, or "breaks" and "stalls"; ``seed`` makes other vectors,
    ``noise`` is the part of each number that is another one, as on another card.
    """

    def __init__(
        self,
        form: str,
        *,
        key: str | None = None,
        model: str | None = None,
        seed: int = 0,
        noise: float = 0.0,
        life: float = _LONGEST_LIFE,
    ) -> None:
        self.form, self.key, self.seed, self.noise, self.life = form, key, seed, noise, life
        self.model = model or _MODELS.get(form)
        self.requests: list[tuple[str, Json, dict[str, str]]] = []
        self.failures: list[tuple[int, dict[str, str]] | str] = []
        self.pages = self.questions = 0
        self.seconds = 0.0
        self.at_once = self._running = 0
        self.fails_after: int | None = None
        self.loses_answers = 0
        #: Gemini's jobs by name; each is looked at so often before it ends, as ``job_ends`` says, "" for well.
        self.jobs: dict[str, Json] = {}
        self.job_looks, self.job_ends, self.job_refuses = 1, "", 0
        self._lock = threading.Lock()
        self._http = _Http(self)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> EncoderServer:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        self._end = threading.Timer(self.life, self._http.shutdown)
        self._end.daemon = True
        self._end.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.cancel()
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, body: Json, headers: dict[str, str]) -> Json:
        with self._lock:
            self.requests.append((path, body, headers))
            self._running += 1
            self.at_once = max(self.at_once, self._running)
            late = self.fails_after is not None and self.pages >= self.fails_after
        try:
            given = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-goog-api-key")
            if self.key is not None and given != self.key:
                raise Refused(401, "invalid API key")
            if late:
                raise Refused(402, "no credit left")
            time.sleep(self.seconds)
            return _ANSWERS[self.form](self, path, body)
        finally:
            with self._lock:
                self._running -= 1

    def knows(self, model: Any) -> None:
        if model != self.model:
            raise Refused(404, f"The model `{model}` does not exist.")

    def page(self, picture: Image.Image, dim: int) -> list[float]:
        """A page's vector: of its picture, small."""
        with self._lock:
            self.pages += 1
        small = np.asarray(picture.resize((16, 16)), np.float32).reshape(-1) / 255 - 0.5
        return self._projected(small, dim)

    def question(self, text: str, dim: int) -> list[float]:
        with self._lock:
            self.questions += 1
        letters = np.zeros(768, np.float32)
        for place, letter in enumerate(text.encode()):
            letters[(letter * 31 + place) % 768] += 1
        return self._projected(letters, dim)

    def together(self, picture: Image.Image, text: str, dim: int) -> list[float]:
        """The vector of a picture and a text in one content."""
        seen, said = self.page(picture, dim), self.question(text, dim)
        return [one + other for one, other in zip(seen, said, strict=True)]

    def _projected(self, features: np.ndarray, dim: int) -> list[float]:
        found = (features @ _random(self.seed)[: len(features)])[:dim]
        found[::2] *= 1 + self.noise
        return [float(number) for number in found]


_MODELS = {
    "cohere": "embed-v4.0",
    "voyage": "voyage-multimodal-3.5",
    "nim": "nvidia/llama-nemotron-embed-vl-1b-v2",
    "jina": "jina-embeddings-v4",
    "gemini": "gemini-embedding-2",
}


def _cohere(server: EncoderServer, path: str, body: Json) -> Json:
    """docs.cohere.com, and vLLM's /v2/embed."""
    if path != "/v2/embed":
        raise Refused(404, "not found")
    only(body, {"model": str, "input_type": str, "inputs": list, "embedding_types": list, "output_dimension": int,
                "texts": list, "images": list, "max_tokens": int, "truncate": str},
         needed=("model", "input_type", "embedding_types"))  # fmt: skip
    server.knows(body["model"])
    one_of(body["input_type"], ("search_document", "search_query", "classification", "clustering"), "input_type")
    dim = body.get("output_dimension", 1536)
    one_of(dim, (256, 512, 1024, 1536), "output_dimension")
    if not 1 <= len(body["inputs"]) <= 96:
        raise Refused(400, "1 to 96 inputs")
    found = []
    for one in body["inputs"]:
        only(one, {"content": list}, needed=("content",))
        kinds = [part["type"] for part in one["content"]]
        if kinds == ["text", "image_url"]:
            said, seen = one["content"]
            if body["input_type"] != "search_query":
                raise Refused(400, "a question is a query")
            found.append(server.together(picture_of(seen["image_url"]["url"]), said["text"], dim))
            continue
        (part,) = one["content"]
        if part["type"] == "image_url":
            only(part, {"type": str, "image_url": dict})
            if body["input_type"] != "search_document":
                raise Refused(400, "a page is a document")
            found.append(server.page(picture_of(part["image_url"]["url"]), dim))
        else:
            only(part, {"type": str, "text": str}, needed=("text",))
            found.append(server.question(part["text"], dim))
    return {"id": "e", "embeddings": {"float": found}, "meta": {"billed_units": {"image_tokens": 1200 * len(found)}}}


def _voyage(server: EncoderServer, path: str, body: Json) -> Json:
    """docs.voyageai.com."""
    if path != "/v1/multimodalembeddings":
        raise Refused(404, "not found")
    only(body, {"model": str, "inputs": list, "input_type": str, "truncation": bool, "output_encoding": str,
                "output_dimension": int}, needed=("model", "inputs"))  # fmt: skip
    server.knows(body["model"])
    one_of(body.get("input_type", "document"), ("document", "query"), "input_type")
    dim = body.get("output_dimension", 1024)
    one_of(dim, (256, 512, 1024, 2048), "output_dimension")
    found = []
    for place, one in enumerate(body["inputs"]):
        only(one, {"content": list}, needed=("content",))
        if [part["type"] for part in one["content"]] == ["text", "image_base64"] and body["input_type"] == "query":
            said, seen = one["content"]
            vector = server.together(picture_of(seen["image_base64"]), said["text"], dim)
            found.append({"object": "embedding", "embedding": vector, "index": place})
            continue
        (part,) = one["content"]
        if part["type"] == "image_base64":
            only(part, {"type": str, "image_base64": str})
            vector = server.page(picture_of(part["image_base64"]), dim)
        else:
            only(part, {"type": str, "text": str}, needed=("text",))
            vector = server.question(part["text"], dim)
        found.append({"object": "embedding", "embedding": vector, "index": place})
    return {"object": "list", "data": found, "model": body["model"], "usage": {"image_pixels": 0, "total_tokens": 2995}}


def _nim(server: EncoderServer, path: str, body: Json) -> Json:
    """docs.nvidia.com/nim/nemo-retriever/text-embedding."""
    if path != "/v1/embeddings":
        raise Refused(404, "not found")
    only(body, {"model": str, "input": list, "input_type": str, "modality": str, "truncate": str, "dimensions": int,
                "encoding_format": str}, needed=("model", "input", "input_type"))  # fmt: skip
    server.knows(body["model"])
    one_of(body["input_type"], ("query", "passage"), "input_type")
    one_of(body.get("modality", "text"), ("text", "image", "text_image"), "modality")
    dim = body.get("dimensions", 2048)
    found = []
    for place, one in enumerate(body["input"]):
        is_picture = body.get("modality") == "image"
        vector = server.page(picture_of(one), dim) if is_picture else server.question(one, dim)
        found.append({"object": "embedding", "index": place, "embedding": vector})
    return {"object": "list", "data": found, "model": body["model"], "usage": {"prompt_tokens": 10, "total_tokens": 10}}


def _jina(server: EncoderServer, path: str, body: Json) -> Json:
    """jina.ai."""
    if path != "/v1/embeddings":
        raise Refused(404, "not found")
    only(body, {"model": str, "task": str, "input": list, "dimensions": int, "embedding_type": str,
                "return_multivector": bool, "late_chunking": bool, "truncate": bool},
         needed=("model", "input"))  # fmt: skip
    server.knows(body["model"])
    one_of(body.get("task", "retrieval.passage"), ("retrieval.passage", "retrieval.query", "text-matching"), "task")
    one_of(body.get("embedding_type", "float"), ("float", "base64"), "embedding_type")
    several, dim = body.get("return_multivector", False), body.get("dimensions", 2048)
    if several and "dimensions" in body:
        raise Refused(422, "dimensions do not go with return_multivector")
    found = []
    for place, one in enumerate(body["input"]):
        only(one, {"image": str, "text": str})
        size = 128 if several else dim
        vector = server.page(decoded(one["image"]), size) if "image" in one else server.question(one["text"], size)
        rows = [vector, vector[::-1], [-number for number in vector]]
        told = {"embeddings": rows} if several else {"embedding": vector}
        found.append({"object": "embedding", "index": place} | told)
    return {
        "model": body["model"],
        "object": "list",
        "data": found,
        "usage": {"total_tokens": 700, "prompt_tokens": 700},
    }


def _gemini(server: EncoderServer, path: str, body: Json) -> Json:
    """ai.google.dev/gemini-api/docs/embeddings: batchEmbedContents."""
    if path.startswith("/v1beta/batches"):
        return _gemini_jobs(server, path.removeprefix("/v1beta/").partition("?")[0])
    model, _, call = path.removeprefix("/v1beta/models/").partition(":")
    if call == "asyncBatchEmbedContent":
        server.knows(model)
        return _gemini_job(server, body)
    if call != "batchEmbedContents":
        raise Refused(404, f"unknown method {path}")
    server.knows(model)
    only(body, {"requests": list}, needed=("requests",))
    pictures = 0
    found = []
    for one in body["requests"]:
        only(
            one,
            {"model": str, "content": dict, "outputDimensionality": int, "embedContentConfig": dict},
            needed=("model", "content"),
        )
        dim = one.get("outputDimensionality") or (one.get("embedContentConfig") or {}).get("outputDimensionality", 3072)
        if not 128 <= dim <= 3072:
            raise Refused(400, "output_dimensionality must be 128 to 3072")
        only(one["content"], {"parts": list, "role": str}, needed=("parts",))
        *said, part = (camel(part) for part in one["content"]["parts"])  # the service takes both spellings
        if said:
            only(said[0], {"text": str}, needed=("text",))
            pictures += 1
            seen = decoded(part["inlineData"]["data"].replace("-", "+").replace("_", "/"))
            found.append(server.together(seen, said[0]["text"], dim))
        elif "inlineData" in part:
            only(part["inlineData"], {"mimeType": str, "data": str})
            one_of(part["inlineData"]["mimeType"], ("image/png", "image/jpeg"), "mimeType")
            pictures += 1
            found.append(server.page(decoded(part["inlineData"]["data"].replace("-", "+").replace("_", "/")), dim))
        else:
            only(part, {"text": str}, needed=("text",))
            if not part["text"].startswith(("task: search result | query: ", "title: ")):
                raise Refused(400, "a question without its task is embedded as nothing in particular")
            found.append(server.question(part["text"], dim))
    if pictures > 6:
        raise Refused(400, "up to 6 images per request")
    tokens = 258 * pictures + 10 * (len(found) - pictures)
    return {"embeddings": [{"values": vector} for vector in found], "usageMetadata": {"promptTokenCount": tokens}}


def _gemini_job(server: EncoderServer, body: Json) -> Json:
    """ai.google.dev/gemini-api/docs/batch-api: a job with its requests inline, 20 MB at most."""
    only(body, {"batch": dict}, needed=("batch",))
    only(body["batch"], {"displayName": str, "inputConfig": dict}, needed=("displayName", "inputConfig"))
    asked = body["batch"]["inputConfig"]["requests"]["requests"]
    if len(json.dumps(asked)) > 20_000_000 or not asked:
        raise Refused(400, "inline requests may have 20 MB")
    made = []
    for number, one in enumerate(asked):
        only(one, {"request": dict, "metadata": dict}, needed=("request",))
        pages, found = server.pages, _gemini_one(server, one["request"])
        if number < server.job_refuses:
            server.pages = pages
            made.append({"error": {"code": 3, "message": "the picture cannot be read"}})
        else:
            made.append({"response": {"embedding": {"values": found}, "tokenCount": "258"}})
    name = f"batches/{len(server.jobs) + 1:08d}"
    state = {"state": "BATCH_STATE_PENDING", "displayName": body["batch"]["displayName"], "model": server.model}
    server.jobs[name] = {"looks": server.job_looks, "ends": server.job_ends, "made": made, "state": state}
    return {"name": name, "metadata": state}


def _gemini_one(server: EncoderServer, one: Json) -> list[float]:
    only(one, {"model": str, "content": dict, "outputDimensionality": int}, needed=("content",))
    (part,) = (camel(part) for part in one["content"]["parts"])
    one_of(part["inlineData"]["mimeType"], ("image/png", "image/jpeg"), "mimeType")
    picture = decoded(part["inlineData"]["data"].replace("-", "+").replace("_", "/"))
    return server.page(picture, one.get("outputDimensionality", 3072))


def _gemini_jobs(server: EncoderServer, name: str) -> Json:
    if name == "batches":
        return {"operations": [{"name": name, "metadata": job["state"]} for name, job in server.jobs.items()]}
    if name not in server.jobs:
        raise Refused(404, f"{name} is not found")
    job = server.jobs[name]
    job["looks"] -= 1
    if job["looks"] >= 0:
        return {"name": name, "metadata": job["state"] | {"state": "BATCH_STATE_RUNNING"}}
    if job["ends"]:
        return {"name": name, "done": True, "metadata": job["state"] | {"state": f"BATCH_STATE_{job['ends']}"}}
    output = {"inlinedEmbedContentResponses": {"inlinedResponses": job["made"]}}
    return {"name": name, "done": True, "metadata": job["state"] | {"state": "BATCH_STATE_SUCCEEDED", "output": output}}


def _reranked(
    path: str, fields: dict[str, type | tuple[type, ...]], results: str
) -> Callable[[EncoderServer, str, Json], Json]:
    """A reranker's answers: a text's score is the part of the question's words that it holds, best first."""

    def answered(server: EncoderServer, asked: str, body: Json) -> Json:
        if asked != path:
            raise Refused(404, "not found")
        only(body, {"model": str, "query": str, "documents": list, **fields}, needed=("model", "query", "documents"))
        server.knows(body["model"])
        if not body["query"].strip() or not 1 <= len(body["documents"]) <= 1000:
            raise Refused(400, "a query, and 1 to 1000 documents")
        if not all(isinstance(text, str) and text.strip() for text in body["documents"]):
            raise Refused(400, "documents must be texts that are not empty")
        words = {*body["query"].lower().split()}
        judged = [len(words & {*text.lower().split()}) / len(words) for text in body["documents"]]
        order = sorted(range(len(judged)), key=lambda place: -judged[place])
        return {"model": server.model, results: [{"index": at, "relevance_score": judged[at]} for at in order]}

    return answered


_ANSWERS: dict[str, Callable[[EncoderServer, str, Json], Json]] = {
    "cohere": _cohere,
    "voyage": _voyage,
    "nim": _nim,
    "jina": _jina,
    "gemini": _gemini,
    # docs.vllm.ai, docs.cohere.com/reference/rerank, docs.voyageai.com/reference/reranker-api, jina.ai/reranker.
    "rerank-vllm": _reranked("/v1/rerank", {"top_n": int, "truncate_prompt_tokens": int}, "results"),
    "rerank-cohere": _reranked("/v2/rerank", {"top_n": int, "max_tokens_per_doc": int, "priority": int}, "results"),
    "rerank-voyage": _reranked("/v1/rerank", {"top_k": int, "truncation": bool, "return_documents": bool}, "data"),
    "rerank-jina": _reranked("/v1/rerank", {"top_n": int, "return_documents": bool}, "results"),
}


class VllmServer(EncoderServer):
    """vLLM's ``/pooling`` and ``/tokenize`` over a tiny model of colpali-engine; prompts are taken as they come."""

    def __init__(self, model: Any, processor: Any, name: str, **options: Any) -> None:
        super().__init__("vllm", model=name, **options)
        self._network, self._processor = model, processor
        self._one = threading.Lock()
        self.tokenizes = True

    def answer_of(self, path: str, body: Json) -> Json:
        if path == "/tokenize" and self.tokenizes:
            only(body, {"model": str, "prompt": str, "add_special_tokens": bool, "return_token_strs": bool},
                 needed=("prompt",))  # fmt: skip
            self.knows(body["model"])
            ids = self._processor.tokenizer(body["prompt"], add_special_tokens=body.get("add_special_tokens", True))
            told: Json = {"count": len(ids["input_ids"]), "max_model_len": 4096, "tokens": ids["input_ids"]}
            if body.get("return_token_strs"):
                told["token_strs"] = self._processor.tokenizer.convert_ids_to_tokens(ids["input_ids"])
            return told
        if path != "/pooling":
            raise Refused(404, "Not Found")
        return self._pooled(body)

    def _pooled(self, body: Json) -> Json:
        shared: dict[str, Any] = {
            "model": str, "task": str, "encoding_format": str, "embed_dtype": str, "endianness": str,
            "add_special_tokens": bool, "mm_processor_kwargs": dict, "dimensions": int, "use_activation": bool,
        }  # fmt: skip
        chat = {"messages": list, "chat_template": str, "add_generation_prompt": bool, "chat_template_kwargs": dict}
        only(body, shared | (chat if "messages" in body else {"input": (list, str)}), needed=("model",))
        self.knows(body["model"])
        one_of(body.get("task"), ("token_embed",), "task")
        inputs = self._of_messages(body) if "messages" in body else self._of_texts(body)
        import torch

        with self._one, torch.no_grad():
            found = self._network(**inputs)
        vectors = found[0][inputs["attention_mask"][0].bool()].float().numpy()
        data: Any = vectors.tolist()
        if body.get("encoding_format", "float") == "base64":
            kind = {"float32": "f4", "float16": "f2"}[body.get("embed_dtype", "float32")]
            order = {"little": "<", "big": ">"}[body.get("endianness", "little")]
            data = base64.b64encode(vectors.astype(order + kind).tobytes()).decode()
        rows = [{"index": 0, "object": "pooling", "data": data}]
        usage = {"prompt_tokens": len(vectors), "total_tokens": len(vectors)}
        return {"id": "pool-1", "object": "list", "created": 1, "model": body["model"], "data": rows, "usage": usage}

    def _of_messages(self, body: Json) -> Any:
        (message,) = body["messages"]
        only(message, {"role": str, "content": list})
        pictures = [part for part in message["content"] if part["type"] == "image_url"]
        (one,) = pictures
        with self._lock:
            self.pages += 1
        prompt = (
            body.get("chat_template") or "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>?<|im_end|>\n"
        )
        picture = picture_of(one["image_url"]["url"])
        inputs = self._processor(text=[prompt], images=[picture], return_tensors="pt", padding="longest")
        return self._as_engine(inputs)

    def _of_texts(self, body: Json) -> Any:
        (text,) = body["input"] if isinstance(body["input"], list) else [body["input"]]
        with self._lock:
            self.questions += 1
        return self._processor.tokenizer([text], return_tensors="pt", add_special_tokens=body["add_special_tokens"])

    def _as_engine(self, inputs: Any) -> Any:
        """colpali-engine's classes take pixels with a dimension for the batch."""
        inputs["pixel_values"] = inputs["pixel_values"][None]
        return inputs


_ANSWERS["vllm"] = lambda server, path, body: server.answer_of(path, body)  # type: ignore[attr-defined]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, encoder: EncoderServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.encoder = encoder


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_GET(self) -> None:
        """Jobs, by name, and the list of them."""
        self._answer({})

    def do_POST(self) -> None:
        encoder: EncoderServer = self.server.encoder  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        failure = encoder.failures.pop(0) if encoder.failures else None
        if failure == "breaks":
            self.close_connection = True
            return
        if failure == "stalls":
            time.sleep(5)
            self.close_connection = True
            return
        if failure == "nonsense":
            self._send(200, b"<html>gateway</html>", {})
            return
        if isinstance(failure, tuple):
            self._send(failure[0], json.dumps({"error": {"message": "try again"}}).encode(), failure[1])
            return
        if self.headers.get("content-type", "").partition(";")[0] != "application/json":
            self._send(415, b'{"error": {"code": 415, "message": "application/json is taken"}}', {})
            return
        self._answer(json.loads(raw))

    def _answer(self, body: Json) -> None:
        encoder: EncoderServer = self.server.encoder  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = encoder.answer(self.path, body, headers)
        except Refused as refusal:
            told = {"error": {"code": refusal.status, "message": refusal.message, "status": "REFUSED"}}
            self._send(refusal.status, json.dumps(told).encode(), {})
            return
        except (KeyError, TypeError, ValueError) as error:
            self._send(400, json.dumps({"detail": f"bad request: {error!r}"}).encode(), {})
            return
        if encoder.loses_answers:
            encoder.loses_answers -= 1
            self.close_connection = True
            return
        self._send(200, json.dumps(answer).encode(), {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
