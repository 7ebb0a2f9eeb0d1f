"""Serves one page encoder over a pipe: run by the Python of the encoder's own environment, where it needs numpy alone.

    python serve.py SCRIPT

The Python is 3.10 or newer. SCRIPT defines ``load(options)``; docs/encoders.md says what that returns, and describes
the messages. What SCRIPT prints goes to stderr. When stdin ends, so does this process, also in the middle of a batch.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import queue
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

PROTOCOL = 1

#: Bytes of a message's header, of one of its arrays and of all of them, at most.
LONGEST_HEADER, LONGEST_ARRAY, LONGEST_MESSAGE = 16 << 20, 256 << 20, 1 << 30

_DTYPES = ("<f4", "|u1")
_CHUNK = 1 << 20  # what is read at once: memory grows with what arrives, not with what a length promises
_GRACE = 3.0  # seconds that a batch has to end by itself when nobody waits for it any more

Message = tuple[dict[str, Any], list[NDArray[Any]]]


class ProtocolError(ValueError):
    """What came through the pipe is no message."""


@dataclass(frozen=True)
class Options:
    """What pagesight asks of the encoder; None where nothing was set.

    ``model`` and ``revision`` name a repository and its commit, ``variant`` which of its vectors; ``device`` is auto,
    cuda, mps or cpu; ``dtype`` is auto, float32, bfloat16 or float16; ``visual_tokens`` the image tokens of a page at
    most.
    """

    model: str | None = None
    variant: str | None = None
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    visual_tokens: int | None = None

    def torch_device(self) -> str:
        """The device, "auto" being a GPU if there is one."""
        import torch

        if self.device != "auto":
            return self.device
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    def torch_dtype(self) -> Any:
        """The torch dtype, "auto" being bfloat16 on GPUs and float32 on CPUs."""
        import torch

        auto = "float32" if self.torch_device() == "cpu" else "bfloat16"
        return getattr(torch, auto if self.dtype == "auto" else self.dtype)


@dataclass(frozen=True)
class Page:
    """A page: ``picture`` (height, width, 3) uint8; ``words`` with ``boxes`` (n, 4), 0–1 of the page, if wanted."""

    picture: NDArray[Any]
    words: list[str]
    boxes: NDArray[Any]


def write_message(stream: BinaryIO, header: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
    """Write a message to a pipe that is not buffered; arrays are float32 or uint8."""
    described = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays]
    _write_frame(stream, json.dumps({**header, "arrays": described}).encode())
    for array in arrays:
        _write_frame(stream, array.tobytes())


def read_message(stream: BinaryIO) -> Message | None:
    """The next message; None where the pipe ends before it. Raises ProtocolError."""
    frame = _read_frame(stream, LONGEST_HEADER)
    if frame is None:
        return None
    try:
        header = json.loads(frame)
        described = [(str(array["dtype"]), tuple(array["shape"])) for array in header["arrays"]]
        sizes = [_size(*array) for array in described]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError(f"a header that is not one: {bytes(frame[:60])!r} ({error})") from error
    if sum(sizes) > LONGEST_MESSAGE:
        raise ProtocolError(f"arrays of {sum(sizes):,} bytes in one message; {LONGEST_MESSAGE:,} are allowed")
    return header, [_read_array(stream, *array) for array in described]


def _size(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of an array. Raises ValueError for one that is not allowed."""
    if dtype not in _DTYPES or not all(type(length) is int and length >= 0 for length in shape):
        raise ValueError(f"an array of type {dtype!r} and shape {list(shape)!r}")
    size = np.dtype(dtype).itemsize
    for length in shape:
        size *= length
    if size > LONGEST_ARRAY:
        raise ValueError(f"an array of {size:,} bytes; {LONGEST_ARRAY:,} are allowed")
    return size


def _read_array(stream: BinaryIO, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    wanted = _size(dtype, shape)
    frame = _read_frame(stream, wanted)
    if frame is None or len(frame) != wanted:
        raise ProtocolError(f"an array of shape {list(shape)} in {len(frame or b'')} bytes instead of {wanted}")
    return np.frombuffer(frame, dtype).reshape(shape)


def _write_frame(stream: BinaryIO, content: bytes) -> None:
    rest = memoryview(len(content).to_bytes(8, "big") + content)
    while rest:
        rest = rest[stream.write(rest[:_CHUNK]) :]


def _read_frame(stream: BinaryIO, longest: int) -> bytearray | None:
    start = _read(stream, 8)
    if not start:
        return None
    length = int.from_bytes(start, "big")
    if len(start) == 8 and length > longest:
        raise ProtocolError(f"a frame of {length:,} bytes, which begins {bytes(start)!r}; {longest:,} are allowed")
    content = _read(stream, length) if len(start) == 8 else bytearray()
    if len(start) < 8 or len(content) < length:
        raise ProtocolError("a frame that breaks off before its end")
    return content


def _read(stream: BinaryIO, length: int) -> bytearray:
    """The next bytes; fewer where the pipe ends."""
    content = bytearray()
    while len(content) < length:
        chunk = stream.read(min(_CHUNK, length - len(content)))
        if not chunk:
            break
        content += chunk
    return content


class _ScriptServer:
    """The script's encoder, once it is loaded, and the answers that it gives."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._encoder: Any = None

    def answer(self, header: dict[str, Any], arrays: list[NDArray[Any]]) -> Message:
        answers = {"hello": self._hello, "pages": self._pages, "query": self._query}
        try:
            return answers[header["type"]](header, arrays)
        except (RuntimeError, MemoryError) as error:  # anything else ends the process, with its traceback on stderr
            if not out_of_memory(error):
                raise
        free_memory()
        return {"type": "error", "kind": "out of memory"}, []

    def _hello(self, header: dict[str, Any], _: list[NDArray[Any]]) -> Message:
        told = {"type": "hello", "protocol": PROTOCOL}
        if header["protocol"] != PROTOCOL:
            return told, []
        self._encoder = encoder = _module(self._script).load(Options(**header["options"]))
        told |= {"dim": int(encoder.dim), "revision": getattr(encoder, "revision", None)}
        return {**told, "wants": list(getattr(encoder, "wants", ("pictures",)))}, []

    def _pages(self, header: dict[str, Any], arrays: list[NDArray[Any]]) -> Message:
        pictures, boxes = arrays[: len(header["words"])], arrays[len(header["words"]) :]
        pages = [Page(*page) for page in zip(pictures, header["words"], boxes, strict=True)]
        found = [page if isinstance(page, tuple) else (page, None) for page in self._encoder.encode_pages(pages)]
        vectors = [_as_float32(page) for page, _ in found]
        looks = [np.full((len(page), 4), np.nan) if boxes is None else boxes for page, boxes in found]
        return {"type": "vectors"}, [*vectors, *map(_as_float32, looks)]

    def _query(self, header: dict[str, Any], _: list[NDArray[Any]]) -> Message:
        vectors, tokens = self._encoder.encode_query(header["question"])
        return {"type": "vectors", "tokens": [str(token) for token in tokens]}, [_as_float32(vectors)]


def _module(script: str) -> Any:
    """The script as a module, which stays where its functions are looked for."""
    loader = importlib.machinery.SourceFileLoader("encoder", script)
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = sys.modules[loader.name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _as_float32(array: Any) -> NDArray[Any]:
    """An array, a torch tensor on whatever device, or lists of numbers, as the protocol sends it."""
    if hasattr(array, "detach"):
        array = array.detach().float().cpu().numpy()
    return np.asarray(array, "<f4")


def out_of_memory(error: Exception) -> bool:
    """Whether a device or the machine had too little memory; torch says it for CPUs in words only."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return "out of memory" in str(error).lower() or "can't allocate memory" in str(error).lower()


def free_memory() -> None:
    """Hand back what torch keeps of the GPU's memory without using it; does not import torch."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to who started this process. What is printed from now on goes to stderr, where it breaks no message."""
    requests, answers = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb", 0), os.fdopen(answers, "wb", 0)


def _receive(requests: BinaryIO, inbox: queue.Queue[Any]) -> None:
    """Put each request into the inbox; when there will be no more, see to it that the process ends."""
    try:
        while (message := read_message(requests)) is not None:
            inbox.put(message)
    finally:
        inbox.put(None)
        time.sleep(_GRACE)
        os._exit(0)


def main(script: str) -> None:
    """Answer requests from stdin until it ends."""
    sys.path[0] = os.path.dirname(os.path.abspath(script))  # noqa: PTH100, PTH120 (as Python itself does it)
    requests, answers = pipes()
    inbox: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_receive, args=(requests, inbox), daemon=True).start()
    served = _ScriptServer(script)
    while (message := inbox.get()) is not None:
        write_message(answers, *served.answer(*message))


if __name__ == "__main__":
    main(sys.argv[1])
