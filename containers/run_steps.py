"""Runs the steps of the Containerfile without a builder, then the service that comes out: uploads, asks, ends it.

python containers/run_steps.py FOLDER [EXTRAS]     # installs into FOLDER; needs the package index, a minute
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).parent.parent
_INTO = "/opt/pagesight"
#: What the image's own stage does, which needs its root: it is read by tests/test_container.py and not run.
_BUILD = 1


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage: names and what follows them."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text(encoding="utf-8"))
    lines = [line.partition(" ") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found: list[list[tuple[str, str]]] = []
    for name, _, rest in lines:
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest.strip()))
    return found


def build(into: Path, extras: str) -> None:
    """The first stage, with ``into`` in the place of the image's folder."""
    with tempfile.TemporaryDirectory(prefix="pagesight-image-") as folder:
        for name, rest in stages()[_BUILD - 1]:
            if name == "COPY":
                _copy(Path(folder), *rest.split())
            elif name == "RUN":
                command = rest.replace(_INTO, str(into)).replace('"$EXTRAS"', extras)
                subprocess.run(["sh", "-c", command], cwd=folder, check=True)


def ask(installed: Path) -> str:
    """What the installed service answers about a sample that is uploaded to it."""
    command = installed / "bin" / "pagesight"
    with tempfile.TemporaryDirectory(prefix="pagesight-data-") as data:
        environment = {**os.environ, "PAGESIGHT_INDEX": f"{data}/index", "PAGESIGHT_REASONER": "offline"}
        tokens = ["--tokens", f"{data}/tokens.json"]
        made = subprocess.run(
            [command, "token", "me", *tokens], capture_output=True, text=True, check=True, env=environment, cwd=data
        )
        serving = [command, "serve-http", "--create", "--port", "0", *tokens]
        with subprocess.Popen(serving, stderr=subprocess.PIPE, text=True, env=environment, cwd=data) as service:
            try:
                assert service.stderr
                address = service.stderr.readline().split()[-1]
                return _asked(address, made.stdout.strip())
            finally:
                service.send_signal(signal.SIGINT)


def _asked(address: str, token: str) -> str:
    boundary = uuid.uuid4().hex
    sample = (ROOT / "samples" / "price-list.pdf").read_bytes()
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="prices.pdf"\r\n\r\n'
    form = head.encode() + sample + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Authorization": f"Bearer {token}"}

    def sent(path: str, body: bytes | None = None, kind: str = "application/json") -> dict[str, object]:
        request = urllib.request.Request(address + path, body, {**headers, "Content-Type": kind})
        with urllib.request.urlopen(request, timeout=120) as reply:
            return dict(json.load(reply))

    _until(lambda: sent("/healthz")["status"] == "ok")
    job = sent("/documents", form, f"multipart/form-data; boundary={boundary}")
    _until(lambda: sent(f"/jobs/{job['id']}")["state"] == "done")
    return str(sent("/ask", json.dumps({"question": "What does a heat pump cost?"}).encode())["answer"])


def _until(holds: object) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            if holds():  # type: ignore[operator]
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.5)


def _copy(folder: Path, source: str, target: str, *more: str) -> None:
    *sources, target = source, target, *more
    for name in sources:
        place = folder / target / (Path(name).name if target.endswith("./") or target == "./" else "")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place = folder / target if not target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)


def main() -> None:
    """Installs, asks, and says what came out."""
    into = Path(sys.argv[1]).resolve()
    shutil.rmtree(into, ignore_errors=True)
    build(into, sys.argv[2] if len(sys.argv) > 2 else "http")
    answer = ask(into)
    assert "prices.pdf p. " in answer, answer
    print(f"the Containerfile's steps make a service that answers: {answer.splitlines()[0]}")


if __name__ == "__main__":
    main()
