"""A script in several processes that begin its work at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

LONGEST = 120  # s


def run_together(script: str, names: Sequence[str]) -> None:
    """Runs the script once for each name, its argument; it prints "ready" and waits for a line before it begins."""
    running = [
        subprocess.Popen([sys.executable, "-c", script, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait(LONGEST) for process in running] == [0] * len(names)
    for process in running:
        process.communicate()
