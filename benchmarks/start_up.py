"""What starting a command costs: seconds and CPU seconds of whole processes, and what their imports take, by package.

python benchmarks/start_up.py [--runs 5]     # on a quiet machine; indexes samples/ first

Wanted: "there is no index" 0.3 s, `search` 1.2 s, `ask` without a model 2.0 s on two quiet cores.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "pagesight.agent.cli"]
_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| *(\S+)")


def main() -> None:
    """Prints the best of some runs of each command, and the ten packages whose imports take longest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with TemporaryDirectory() as folder:
        index = f"{folder}/index"
        subprocess.run([*COMMAND, "index", str(ROOT / "samples"), "--index", index], check=True, stdout=sys.stderr)
        os.environ["PAGESIGHT_REASONER"] = "offline"
        # Where Python may not keep what it compiled, each start compiles all libraries: half of `ask`'s time.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        asked = "What mean interest rate do the loans carry?"
        for limit, words in (
            (0.15, ["--help"]),
            (0.3, ["search", asked, "--index", f"{folder}/none"]),
            (1.2, ["search", asked, "--index", index]),
            (2.0, ["ask", asked, "--no-evidence", "--index", index]),
        ):
            timed(words)  # which compiles what no start before has
            wall, cpu = zip(*(timed(words) for _ in range(runs)), strict=True)
            print(f"{words[0]:8} {min(wall):5.2f} s, CPU {min(cpu):5.2f} s (limit {limit} s)")
            print("         " + ", ".join(f"{name} {1e-6 * took:.2f}" for name, took in imports(words).most_common(10)))


def timed(words: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command in a process of its own, from its start to its exit."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*COMMAND, *words], capture_output=True, check=False)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imports(words: list[str]) -> Counter[str]:
    """Microseconds that importing takes, by package, as `python -X importtime` counts them."""
    done = subprocess.run([sys.executable, "-X", "importtime", *COMMAND[1:], *words], capture_output=True, text=True)
    found: Counter[str] = Counter()
    for took, name in _LINE.findall(done.stderr):
        found[name.split(".")[0]] += int(took)
    return found


if __name__ == "__main__":
    main()
