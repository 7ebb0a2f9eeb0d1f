"""The command that installs what is missing, as it works from where pagesight itself was installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


def install_command(extra: str = "") -> str:
    """Installs pagesight with an extra, such as ``colpali``, from where it came: a clone, a wheel, or the index."""
    return _command(_pagesight(extra), needs_uv=extra == "colpali")


def package_command(*packages: str) -> str:
    """Installs other packages beside pagesight."""
    return _command(list(packages), needs_uv=False)


def _command(what: list[str], *, needs_uv: bool) -> str:
    """By pip where uv is not here, unless pip is not either, or may take a torchvision that does not fit torch."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else "uv" if shutil.which("uv") else None
    if found is None and not needs_uv and importlib.util.find_spec("pip"):
        return shlex.join([sys.executable, "-m", "pip", "install", *what])
    command = shlex.join([found or "uv", "pip", "install", "--python", sys.executable, *what])
    return command if found else f"pip install uv && {command}"


def _pagesight(extra: str) -> list[str]:
    """What names pagesight with the extra in a command, by the origin that its installer wrote down (PEP 610)."""
    origin, extras = _origin(), f"[{extra}]" if extra else ""
    address = origin.get("url", "")
    folder = unquote(urlsplit(address).path)
    if "dir_info" in origin and Path(folder).is_dir():
        return [*(["-e"] if origin["dir_info"].get("editable") else []), folder + extras]
    if "vcs_info" in origin:
        return [f"pagesight{extras} @ {origin['vcs_info']['vcs']}+{address}"]
    if "archive_info" in origin and (not address.startswith("file:") or Path(folder).is_file()):
        return [f"pagesight{extras} @ {address}"]
    return [f"pagesight{extras}"]


def _origin() -> dict[str, Any]:
    # In a clone's own folder the leavings of its build come first, which do not say it.
    found = importlib.metadata.distributions(name="pagesight")
    written = next(filter(None, (installed.read_text("direct_url.json") for installed in found)), None)
    return dict(json.loads(written)) if written else {}
