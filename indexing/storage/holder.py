"""Who holds an index, in a small file beside its lock, for those who find it in use."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from pagesight.indexing.storage.address import shown


def this_process() -> dict[str, Any]:
    """This process, as others should see it named; how it was started is shortened."""
    command = shown(" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]))[:200]
    return {"pid": os.getpid(), "command": command, "host": platform.node()}


def read_holder(path: Path) -> dict[str, Any]:
    """What the file says; nothing if it is not there or not whole."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def named(holder: dict[str, Any]) -> str:
    """The process in words."""
    if "pid" not in holder:
        return "another process"
    where = f" on {holder['host']}" if holder.get("host") not in (None, platform.node()) else ""
    return f"process {holder['pid']}{where} ({holder.get('command', '')})"


def described(path: Path) -> str:
    """The process in the file, in words."""
    return named(read_holder(path))
