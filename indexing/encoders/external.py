"""Models that run in an environment of their own: a process is given pages and questions and gives vectors back.

What runs there is workers/serve.py with a script: one of those beside it, for models that are known to need other
packages than pagesight has, or anybody's own. docs/encoders.md describes both.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from pagesight.indexing.configuration import environment
from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.encoder_process import EncoderProcess
from pagesight.indexing.encoders.registry import KNOWN, SCRIPT_PREFIX
from pagesight.indexing.encoders.vision import VisionEncoder
from pagesight.indexing.encoders.workers.serve import PROTOCOL, Message
from pagesight.indexing.errors import EncoderError, SettingsError
from pagesight.indexing.pages import PageText
from pagesight.indexing.settings import Settings, key_variables
from pagesight.indexing.vectors.multivector import MultiVector

_WORKERS = Path(__file__).with_name("workers")
_MOST_DIMENSIONS = 32_768  # Milvus takes no more
_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)

#: Makes the environment in which the scripts in workers/ run.
MAKE_ENVIRONMENT = (
    "uv venv --python 3.12 ENVIRONMENT && uv pip install --python ENVIRONMENT "
    "'transformers==4.52.3' torch torchvision pillow peft einops timm requests"
)
# Repositories that a model takes code or a part of itself from, beside its own.
_ALSO_NEEDED = {
    "TIGER-Lab/VLM2Vec-Full": ("microsoft/Phi-3.5-vision-instruct",),
    "jinaai/jina-clip-v2": (
        "jinaai/jina-clip-implementation",
        "jinaai/jina-embeddings-v3",
        "jinaai/xlm-roberta-flash-implementation",
    ),
    "nomic-ai/nomic-embed-vision-v1.5": ("nomic-ai/nomic-embed-text-v1.5", "nomic-ai/nomic-bert-2048"),
}


class ScriptEncoder(VisionEncoder):
    """The encoder of a script of the user's, which is given the words of pages where it wants them."""

    def _encode(self, pictures: Sequence[Image], texts: Sequence[PageText]) -> list[MultiVector]:
        return self._script().encode_pages(pictures, texts)

    def _check_that_it_looks(self) -> None:
        if "pictures" in self._script().wants:
            super()._check_that_it_looks()

    def _script(self) -> ExternalModel:
        model = self._loaded()
        assert isinstance(model, ExternalModel)
        return model


class ExternalModel:
    """A model in a process; see `pagesight.indexing.encoders.interface.PageModel`.

    A process that has ended is started again by the next request. Raises EncoderError, SettingsError.
    """

    def __init__(self, checkpoint: Checkpoint, settings: Settings) -> None:
        self._name, self._settings = checkpoint.name, settings
        self._script = _script(checkpoint.name)
        self._options = _options(checkpoint, settings)
        self._process, hello = self._start()
        self.dim, self.revision = int(hello["dim"]), str(hello["revision"])
        self.wants: list[str] = hello["wants"]

    def encode_pages(self, pictures: Sequence[Image], texts: Sequence[PageText] = ()) -> list[MultiVector]:
        """Vectors and boxes as the process makes them. Raises EncoderError, MemoryError if the process says so."""
        read = texts if "words" in self.wants and texts else [PageText.empty()] * len(pictures)
        arrays = [np.asarray(picture.convert("RGB")) for picture in pictures]
        arrays = arrays if "pictures" in self.wants else [_NO_PICTURE] * len(pictures)
        arrays += [text.boxes for text in read]
        _, found = self._ask({"type": "pages", "words": [text.words for text in read]}, arrays)
        if len(found) != 2 * len(pictures):
            raise self._bad_answer(f"vectors of {len(found) / 2:g} pages instead of {len(pictures)}")
        halves = zip(found[: len(pictures)], found[len(pictures) :], strict=True)
        return [self._checked(vectors, boxes) for vectors, boxes in halves]

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """The vectors of a question and the token of each, as the process makes them. Raises EncoderError."""
        header, found = self._ask({"type": "query", "question": question})
        tokens = header.get("tokens")
        if len(found) != 1 or not isinstance(tokens, list):
            raise self._bad_answer("no vectors of a question with the token of each")
        no_boxes = np.full((*found[0].shape[:1], 4), np.nan, np.float32)
        vectors = self._checked(found[0], no_boxes).vectors
        if len(tokens) != len(vectors):
            raise self._bad_answer(f"{len(vectors)} vectors of a question with {len(tokens)} tokens")
        return np.asarray(vectors, np.float32), [str(token) for token in tokens]

    def _start(self) -> tuple[EncoderProcess, dict[str, Any]]:
        """A process whose encoder is loaded, and what it says of itself."""
        program = command(self._name, self._settings)
        try:
            with environment.set_to(**_variables(self._options)):
                process = EncoderProcess(self._name, program, self._settings.encoding.encoder_timeout)
            hello, _ = process.ask({"type": "hello", "protocol": PROTOCOL, "options": self._options})
        except EncoderError as error:
            raise EncoderError(f"{error}{_remedy(self._options)}") from error
        self._check_hello(hello)
        hello["revision"] = hello.get("revision") or self._options["revision"] or _fingerprint(self._script)
        return process, hello

    def _check_hello(self, hello: dict[str, Any]) -> None:
        if (protocol := hello.get("protocol")) != PROTOCOL:
            raise EncoderError(
                f"the process of the encoder {self._name} speaks version {protocol!r} of the protocol, this pagesight "
                f"speaks {PROTOCOL}. Set PAGESIGHT_ENCODER_PYTHON to a plain Python, which runs pagesight's own "
                "workers/serve.py."
            )
        dim, wants = hello.get("dim"), hello.get("wants")
        if type(dim) is not int or not 1 <= dim <= _MOST_DIMENSIONS:
            raise self._bad_answer(f"{dim!r} as its dimensions, of 1 to {_MOST_DIMENSIONS:,}")
        if not isinstance(wants, list) or not wants or not {*map(str, wants)} <= {"pictures", "words"}:
            raise self._bad_answer(f"{wants!r} as what it wants, of pictures and words")

    def _ask(self, header: dict[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> Message:
        if not self._process.runs:
            self._process, hello = self._start()
            if (hello["dim"], hello["revision"]) != (self.dim, self.revision):
                raise self._bad_answer("other dimensions or another revision than when it was started first")
        answer, found = self._process.ask(header, arrays)
        if answer.get("type") == "error" and answer.get("kind") == "out of memory":
            raise MemoryError(f"{self._name} is out of memory")
        if answer.get("type") != "vectors":
            raise self._bad_answer(f"{answer.get('text') or answer} instead of vectors")
        return answer, found

    def _checked(self, vectors: NDArray[Any], boxes: NDArray[Any]) -> MultiVector:
        """A page's vectors and boxes, once their shapes and numbers are those of vectors and boxes."""
        least = 1 if "pictures" in self.wants else 0  # a page may have no words
        shape = vectors.shape
        if len(shape) != 2 or shape[1] != self.dim or shape[0] < least or vectors.dtype != np.float32:
            raise self._bad_answer(f"vectors of shape {list(shape)} instead of [n, {self.dim}] with n ≥ {least}")
        if not np.isfinite(vectors).all():
            raise self._bad_answer("vectors that are no numbers")
        if boxes.shape != (len(vectors), 4) or boxes.dtype != np.float32:
            raise self._bad_answer(f"boxes of shape {list(boxes.shape)} instead of [{len(vectors)}, 4]")
        known = boxes[~np.isnan(boxes).all(axis=1)]
        if not ((known >= 0) & (known <= 1)).all() or not (known[:, :2] < known[:, 2:]).all():
            raise self._bad_answer("boxes that are not (left, top, right, bottom) between 0 and 1, nor NaN")
        return MultiVector(vectors, boxes)

    def _bad_answer(self, what: str) -> EncoderError:
        return EncoderError(f"the encoder {self._name} gave {what}. Correct {self._script}, or take another encoder.")


def command(name: str, settings: Settings) -> list[str]:
    """What starts the process of an encoder. Raises SettingsError or EncoderError where a part of it is missing."""
    script, python = _script(name), _python(name, settings)
    if not script.is_file():
        raise EncoderError(
            f"the encoder {name} cannot be started: there is no script {script}. Bring it back, or make a new index "
            "with another encoder."
        )
    if shutil.which(python) is None:
        raise EncoderError(
            f"the encoder {name} cannot be started: {python} is no program. Set PAGESIGHT_ENCODER_PYTHON to the "
            "Python of its environment, such as ENVIRONMENT/bin/python."
        )
    return [python, str(_WORKERS / "serve.py"), str(script)]


def _script(name: str) -> Path:
    own = name.startswith(SCRIPT_PREFIX)
    return Path(name.removeprefix(SCRIPT_PREFIX)) if own else _WORKERS / f"{KNOWN[name].family}.py"


def _python(name: str, settings: Settings) -> str:
    """The Python that runs the encoder; for a script, where none is set, the one that runs pagesight."""
    if settings.encoding.encoder_python:
        return str(settings.encoding.encoder_python.expanduser())
    if name.startswith(SCRIPT_PREFIX):
        return sys.executable
    raise SettingsError(
        f"{name} runs in an environment of its own. Make it: `{MAKE_ENVIRONMENT}`; then set "
        "PAGESIGHT_ENCODER_PYTHON=ENVIRONMENT/bin/python."
    )


def _options(checkpoint: Checkpoint, settings: Settings) -> dict[str, Any]:
    """What the script's ``load`` is given; a known model is loaded as its index notes it, a script as it is set."""
    known = KNOWN.get(checkpoint.name)
    return {
        "model": known.repository if known else None,
        "variant": known.variant if known else None,
        "revision": checkpoint.revision if known else settings.encoding.revision,
        "device": settings.encoding.device,
        "dtype": settings.encoding.dtype,
        "visual_tokens": settings.encoding.visual_tokens,
    }


def _variables(options: dict[str, Any]) -> dict[str, str | None]:
    """What the process finds in its environment that this one does not have, and the keys that it does not find."""
    # What a model's code would fetch beside itself, nobody has read: it must be in the hub's cache.
    offline = {"HF_HUB_OFFLINE": "1"} if options["model"] else {}
    return dict.fromkeys(key_variables()) | offline


def _remedy(options: dict[str, Any]) -> str:
    """What the environment and the cache of a known model must hold."""
    if not options["model"]:
        return ""
    fetch = [f"`hf download {options['model']} --revision {options['revision']}`"]
    fetch += [f"`hf download {repository}`" for repository in _ALSO_NEEDED.get(options["model"], ())]
    return f" Its environment is made by `{MAKE_ENVIRONMENT}`; what it loads is fetched by {', '.join(fetch)}."


def _fingerprint(script: Path) -> str:
    return hashlib.sha256(script.read_bytes()).hexdigest()[:16]
