"""How fast pages are encoded: `python benchmarks/encoding.py`, for other models `--models vidore/colpali-v1.3 …`.

Each model is made at its true size with random weights, saved, and loaded and used as any other: `PageIndex.add` on a
PDF with a text layer, so that reading, rendering, encoding and writing are in it. Each runs in a process of its own. By
default those that take a page in minutes on two cores; on a GPU, all. Prints a table and writes results/encoding.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "encoding.json"
sys.path.insert(0, str(ROOT / "tests"))

import httpx  # noqa: E402
from served import FORMS  # noqa: E402

from pagesight.indexing import PageIndex, load_settings  # noqa: E402
from pagesight.indexing.preparing import journey  # noqa: E402
from pagesight.indexing.writing import commit, take_pages  # noqa: E402

# Sizes as in the published configurations; what is not here is as in the tiny checkpoints of the tests, or by default.
_SIGLIP_BASE = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
_QWEN_MROPE = {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1000000.0}
_QWEN35_MROPE = {
    "rope_type": "default", "mrope_section": [11, 11, 10], "mrope_interleaved": True, "rope_theta": 10000000.0,
    "partial_rotary_factor": 0.25,
}  # fmt: skip
_TILES = {"size": {"longest_edge": 2048}, "max_image_size": {"longest_edge": 512}}
_QWEN_PICTURES = {"size": {"shortest_edge": 4 * 28 * 28, "longest_edge": 768 * 28 * 28}}
_QWEN35_PICTURES = {"size": {"shortest_edge": 4 * 32 * 32, "longest_edge": 1792 * 32 * 32}}


def _qwen3_5(
    hidden: int, inner: int, layers: int, heads: tuple[int, int, int], vision: dict[str, int]
) -> dict[str, Any]:
    """A ColQwen3.5 of these sizes; heads for questions, for keys, and of the linear attention's values."""
    text = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers, "head_dim": 256,
            "num_attention_heads": heads[0], "num_key_value_heads": heads[1], "vocab_size": 248320,
            "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 16,
            "linear_num_value_heads": heads[2], "rope_parameters": _QWEN35_MROPE, "layer_types": None}  # fmt: skip
    looks = vision | {"out_hidden_size": hidden, "num_position_embeddings": 2304}
    config = {"text_config": text, "vision_config": looks}
    return {"family": "ColQwen3_5", "pages": 64, "gpu": True, "config": config, "pictures": _QWEN35_PICTURES}


_VISION_SMALL = {"depth": 12, "hidden_size": 768, "intermediate_size": 3072, "num_heads": 12}
_VISION_MIDDLE = {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16}
_VISION_LARGE = {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16}
MODELS: dict[str, dict[str, Any]] = {
    "openai/clip-vit-base-patch32": {
        "family": "CLIP", "pages": 48,
        "config": {
            "projection_dim": 512,
            "text_config": {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12,
                            "num_attention_heads": 8, "vocab_size": 49408, "projection_dim": 512},
            "vision_config": _SIGLIP_BASE | {"image_size": 224, "patch_size": 32, "projection_dim": 512},
        },
        "pictures": {"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}},
    },
    "google/siglip-base-patch16-384": {
        "family": "SigLIP", "pages": 24,
        "config": {
            "text_config": _SIGLIP_BASE | {"vocab_size": 32000, "projection_size": 768},
            "vision_config": _SIGLIP_BASE | {"image_size": 384, "patch_size": 16},
        },
        "pictures": {"size": {"height": 384, "width": 384}},
    },
    "ModernVBERT/colmodernvbert": {
        "family": "ColModernVBert", "pages": 1,
        "config": {
            "pixel_shuffle_factor": 4,
            "text_config": {"hidden_size": 768, "intermediate_size": 1152, "num_hidden_layers": 22,
                            "num_attention_heads": 12, "vocab_size": 50408, "layer_types": None},
            "vision_config": _SIGLIP_BASE | {"image_size": 512, "patch_size": 16},
        },
        "pictures": _TILES, "image_seq_len": 64,
    },
    "vidore/colSmol-256M": {
        "family": "ColIdefics3", "pages": 1,
        "config": {
            "scale_factor": 4,
            "text_config": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "head_dim": 64,
                            "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49280},
            "vision_config": _SIGLIP_BASE | {"image_size": 512, "patch_size": 16},
        },
        "pictures": _TILES, "image_seq_len": 64,
    },
    "vidore/colpali-v1.3": {
        "family": "ColPali", "pages": 64, "gpu": True,
        "config": {
            "projection_dim": 2048, "hidden_size": 2048, "vocab_size": 257216,
            "text_config": {"hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers": 18, "head_dim": 256,
                            "num_attention_heads": 8, "num_key_value_heads": 1, "vocab_size": 257216,
                            "num_image_tokens": 1024},
            "vision_config": {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27,
                              "num_attention_heads": 16, "image_size": 448, "patch_size": 14, "projection_dim": 2048},
        },
        "pictures": {"size": {"height": 448, "width": 448}, "image_seq_length": 1024},
    },
    "vidore/colqwen2-v1.0": {
        "family": "ColQwen2", "pages": 64, "gpu": True,
        "config": {
            "text_config": {"hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
                            "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 151936,
                            "rope_parameters": _QWEN_MROPE, "layer_types": None},
            "vision_config": {"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4},
        },
        "pictures": _QWEN_PICTURES,
    },
    "vidore/colqwen2.5-v0.2": {
        "family": "ColQwen2_5", "pages": 64, "gpu": True,
        "config": {
            "text_config": {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
                            "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": 151936,
                            "rope_parameters": _QWEN_MROPE, "layer_types": None},
            "vision_config": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
                              "out_hidden_size": 2048, "fullatt_block_indexes": [7, 15, 23, 31]},
        },
        "pictures": _QWEN_PICTURES,
    },
    "vultr/VultronRetrieverFlash-Qwen3.5-0.8B": _qwen3_5(1024, 3584, 24, (8, 2, 16), _VISION_SMALL),
    "vultr/VultronRetrieverCore-Qwen3.5-4.5B": _qwen3_5(2560, 9216, 32, (16, 4, 32), _VISION_MIDDLE),
    "vultr/VultronRetrieverPrime-Qwen3.5-8B": _qwen3_5(4096, 12288, 32, (16, 4, 32), _VISION_LARGE),
}  # fmt: skip
LEXICAL = {"lexical": {"pages": 400}}
# Behind a stand-in on loopback, in a process of its own, that takes so many seconds for each request (served.py).
SERVED: dict[str, dict[str, Any]] = {
    f"{model}, served": {"form": form, "model": model, "pages": 96, "seconds": seconds, "pages_a_request": 1}
    for form, (model, seconds) in FORMS.items()
}
SERVED["gemini-embedding-2, served"]["pages_a_request"] = 6


def main() -> None:
    """Measures each model in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--models", nargs="+", choices=[*LEXICAL, *SERVED, *MODELS], help="by default those that suit the machine"
    )
    parser.add_argument("--pages", type=int, help="pages to encode; by default as many as suit the model")
    parser.add_argument("--seconds", type=float, help="seconds that stand-ins for servers take for a request")
    parser.add_argument("--one", choices=[*LEXICAL, *SERVED, *MODELS], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.pages, options.seconds)))
        return
    rows = []
    for name in options.models or _suitable():
        print(f"{name} …", file=sys.stderr, flush=True)
        more = ["--pages", str(options.pages)] if options.pages else []
        more += ["--seconds", str(options.seconds)] if options.seconds else []
        done = subprocess.run([sys.executable, __file__, "--one", name, *more], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{name} could not be measured")
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": _machine(), "models": rows}, indent=2) + "\n")
    print(_table(rows))


def measure(name: str, pages: int | None, seconds: float | None) -> dict[str, Any]:
    """A model's row; seconds, pages a second, bytes. A server's stand-in takes the ``seconds``, if any, a request."""
    pages = pages or (LEXICAL | SERVED | MODELS)[name]["pages"]
    if name in SERVED and seconds:
        SERVED[name]["seconds"] = seconds
    with tempfile.TemporaryDirectory() as folder, _server_of(name) as address:
        os.environ["XDG_STATE_HOME"] = folder  # or the second run would find its pages paid for
        encoder = address or (str(_at_true_size(name, Path(folder) / "model")) if name in MODELS else name)
        document = _document(Path(folder) / "pages.pdf", pages)
        settings = load_settings(ocr=False, google_api_key="none" if address else None, voyage_api_key="none")
        with PageIndex.open(Path(folder) / "index", encoder=encoder, settings=settings) as index:
            row = _added(index, document, pages)
        busy = httpx.get(f"{address.partition('@')[2]}/busy").json() if address else {}
    row = {"model": name, "device": _device() if name in MODELS else "cpu", "pages": pages} | row
    if address:
        at_once = settings.encoding.encoder_requests * SERVED[name]["pages_a_request"]
        row["overhead"] = row["seconds"] / pages - SERVED[name]["seconds"] / at_once
        row |= {f"server_{what}": value for what, value in busy.items()}
    return row | {"memory": _peak(), "gpu_memory": _gpu_peak()}


def _added(index: PageIndex, document: Path, pages: int) -> dict[str, Any]:
    """Adds the document, and says how long each part of it took."""
    index.encoder.encode_pages([], [])  # loads the model, and checks that it looks at pages
    made: Any = journey.Journey
    encoded, read, written = _Timed(made._encoded), _Timed(made._read), _Timed(commit.write_batch)
    made._encoded, made._read, take_pages.write_batch = encoded.method(), read.method(), written  # type: ignore
    _forget_peak()
    used, own, started = _processor_seconds(), time.process_time(), time.perf_counter()
    report = index.add(document)
    wall, used, own = time.perf_counter() - started, _processor_seconds() - used, time.process_time() - own
    if report.failed or report.pages != pages:
        sys.exit(f"{report.pages} of {pages} pages: {report.failed}")
    row = {"seconds": wall, "pages_per_second": pages / wall, "pages_per_processor_second": pages / used}
    row["processor"] = own / pages
    row |= {"busy": encoded.share, "encode": encoded.seconds / pages}
    return row | {"read": read.seconds / pages, "write": written.seconds / pages}


@contextlib.contextmanager
def _server_of(name: str) -> Iterator[str | None]:
    """The address of a stand-in for a served model, which takes its seconds for each page; None for others."""
    if name not in SERVED:
        yield None
        return
    served = SERVED[name]
    command = [sys.executable, str(ROOT / "benchmarks" / "served.py"), served["form"], str(served["seconds"])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield f"{served['model']}@{process.stdout.readline().strip()}"
        process.stdin.close()


class _Timed:
    """A function that notes when it ran."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._runs: list[tuple[float, float]] = []

    def __call__(self, *arguments: Any) -> Any:
        started = time.perf_counter()
        result = self._function(*arguments)
        self._runs.append((started, time.perf_counter()))
        return result

    def method(self) -> Callable[..., Any]:
        """The same as a method of a class: instances hand themselves over."""
        return lambda *arguments: self(*arguments)

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self._runs)

    @property
    def share(self) -> float:
        """Of the time from the first call's start to the last one's end."""
        return self.seconds / (self._runs[-1][1] - self._runs[0][0])


def _at_true_size(name: str, folder: Path) -> Path:
    """The folder of a checkpoint with random weights, of the sizes that the model was published with."""
    import tiny_checkpoints
    import torch
    from transformers import AutoConfig

    model = MODELS[name]
    family = model["family"]
    (tiny_checkpoints.COLPALI_ENGINE | tiny_checkpoints.SENTENCE_TRANSFORMERS)[family](folder)
    (folder / "model.safetensors").unlink()
    _change(folder / "config.json", model["config"])
    more = {name: model[name] for name in ("image_seq_len",) if name in model}
    _change(folder / "processor_config.json", {"image_processor": model["pictures"]} | more)
    config = AutoConfig.from_pretrained(folder)
    with torch.device(_device()):
        made = _class(json.loads((folder / "config.json").read_text())["architectures"][0])(config)
    made.to(torch.bfloat16 if _device() != "cpu" else torch.float32).save_pretrained(folder)
    return folder


def _class(name: str) -> Any:
    import transformers
    from colpali_engine import models

    return getattr(models, name, None) or getattr(transformers, name)


def _change(file: Path, changes: dict[str, Any]) -> None:
    file.write_text(json.dumps(_merged(json.loads(file.read_text()), changes)))


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    inner = {key: _merged(old[key], value) for key, value in new.items() if isinstance(value, dict) and key in old}
    return {key: value for key, value in (old | new | inner).items() if value is not None}


def _document(path: Path, pages: int) -> Path:
    """A PDF of A4 pages, each with 500 words and a chart."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen import canvas

    sheet = canvas.Canvas(str(path), pagesize=A4)
    for number in range(pages):
        for bar in range(12):
            sheet.rect(72 + 36 * bar, 60, 24, 10 + (37 * (number + 1) * (bar + 1)) % 90, fill=1)
        for row in range(50):
            words = [f"word{(number * 31 + row * 17 + word * 7) % 4001}" for word in range(10)]
            sheet.drawString(72, A4[1] - 72 - 12 * row, " ".join(words))
        sheet.showPage()
    sheet.save()
    return path


def _suitable() -> list[str]:
    from_here = shutil.which("nvidia-smi") is not None and _device() != "cpu"
    return [*LEXICAL, *(name for name, model in MODELS.items() if from_here or not model.get("gpu"))]


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _forget_peak() -> None:
    if "torch" in sys.modules and _device() == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()


def _peak() -> int:
    """Bytes of memory that the process had at most, loading included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _gpu_peak() -> int | None:
    if "torch" not in sys.modules or _device() != "cuda":
        return None
    import torch

    return int(torch.cuda.max_memory_allocated())


def _machine() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"processor": platform.machine(), "cores": os.cpu_count(), "gpu": gpu, "load": round(os.getloadavg()[0], 1)}


def _table(rows: list[dict[str, Any]]) -> str:
    titles = [
        "model",
        "device",
        "pages",
        "pages/s",
        "busy",
        "s a page: encoding",
        "reading",
        "writing",
        "GB",
        "GB, GPU",
    ]
    lines = [f"| {' | '.join(titles)} | in the way |", "|---|---|" + "---:|" * 8 + "---|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(row: dict[str, Any]) -> str:
    cells = [row["model"], row["device"], str(row["pages"]), f"{row['pages_per_second']:.3g}", f"{row['busy']:.0%}"]
    cells += [f"{row[what]:.3f}" for what in ("encode", "read", "write")]
    cells += [f"{row['memory'] / 1e9:.1f}", f"{row['gpu_memory'] / 1e9:.1f}" if row["gpu_memory"] else ""]
    return f"| {' | '.join(cells)} | {_in_the_way(row)} |"


def _in_the_way(row: dict[str, Any]) -> str:
    """What keeps the encoder from being busy."""
    if "overhead" in row:
        return (
            f"{1000 * row['overhead']:.0f} ms a page beyond what the server takes; processor time of this process, "
            f"writing too: {1000 * row['processor']:.0f} ms; the server was busy {row['server_busy']:.0%} of the time, "
            f"{row['server_at_once']:.1f} requests at once"
        )
    if row["model"] == "lexical":
        return f"{row['pages_per_processor_second']:.0f} pages a second of one core"
    if row["busy"] >= 0.9:
        return ""
    return "reading and rendering" if row["read"] > row["write"] else "writing"


if __name__ == "__main__":
    main()
