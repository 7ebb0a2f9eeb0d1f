"""A stand-in for a server of page encoders, in a process of its own: `python benchmarks/served.py FORM SECONDS`.

It takes half to one and a half times so many seconds for each request, whatever number it answers at once, and prints
its address. ``GET /busy`` tells on which part of the time from its first request to its last it had one to answer, and
how many on average.
"""

from __future__ import annotations

import base64
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from encoder_servers import EncoderServer, Json, Refused

#: By form: a model, and seconds that it takes for a request. The seconds are a guess at what services take.
FORMS = {
    "voyage": ("voyage-multimodal-3.5", 0.4),
    "gemini": ("gemini-embedding-2", 1.2),
    "vllm": ("vultr/VultronRetrieverCore-Qwen3.5-4.5B", 0.4),
}
# As many as the model makes of a page, with its prompt.
_TOKENS, _DIM = 1792 + 11, 320


class Served(EncoderServer):
    """The stand-in of the tests, which notes how busy it is."""

    def __init__(self, form: str, seconds: float) -> None:
        super().__init__(form, model=FORMS[form][0])
        self._usual, self._drawn = seconds, random.Random(0)
        self._since = self._begun = self._any = self._all = 0.0
        made = np.random.default_rng(0).standard_normal((_TOKENS, _DIM)).astype("<f4")
        both = made, np.ascontiguousarray(made[:, ::-1])
        self._made = {
            "float": [one.tolist() for one in both],
            "base64": [base64.b64encode(one.tobytes()).decode() for one in both],
        }

    _count = 0

    def answer(self, path: str, body: Json, headers: dict[str, str]) -> Json:
        """The answer, with the time noted."""
        if path == "/busy":
            lasted = max(self._since - self._begun, 1e-9)
            return {"busy": self._any / lasted, "at_once": self._all / lasted}
        self._note(1)  # also what is refused
        try:
            time.sleep(self._usual * (0.5 + self._drawn.random()))
            return super().answer(path, body, headers)
        finally:
            self._note(-1)

    def answer_of(self, path: str, body: Json) -> Json:
        """vLLM's form: vectors of a page, and no tokens. One page's are not the next one's: an encoder is tried so."""
        if path != "/pooling":
            raise Refused(404, "not found")
        self.pages += 1
        made = self._made[body.get("encoding_format", "float")][self.pages % 2]
        row = {"index": 0, "object": "pooling", "data": made}
        return {"id": "pool-1", "object": "list", "created": 1, "model": body["model"], "data": [row]}

    def page(self, picture: Any, dim: int) -> list[float]:
        """Another vector each time: making it of the picture would take a processor."""
        self.pages += 1
        return [float(number) for number in np.random.default_rng(self.pages).standard_normal(dim)]

    def _note(self, more: int) -> None:
        with self._lock:
            now = time.perf_counter()
            self._begun = self._begun or now
            before = self._count
            self._any += (now - self._since) * (before > 0) if self._since else 0.0
            self._all += (now - self._since) * before if self._since else 0.0
            self._since, self._count = now, before + more


if __name__ == "__main__":
    with Served(sys.argv[1], float(sys.argv[2])) as server:
        server._end.cancel()
        print(server.url, flush=True)
        sys.stdin.read()
