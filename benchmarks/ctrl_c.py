"""How long a run of `pagesight index` goes on after Ctrl-C, by the moment at which it comes.

python benchmarks/ctrl_c.py [--runs 3]     # on a quiet machine

Files of all kinds are indexed, one of them a page that takes minutes. Wanted: 2 seconds at most, at any moment.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from test_ctrl_c import MOMENTS, mixed
from waiting import waited_for


def main() -> None:
    """Prints the seconds of each run, by moment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with TemporaryDirectory() as folder:
        files, longest = mixed(Path(folder) / "files"), 0.0
        for moment in MOMENTS:
            took = [seconds_after(moment, files, Path(folder) / f"index-{moment}-{run}") for run in range(runs)]
            longest = max(longest, *took)
            print(f"{moment!s:>8}", *(f"{one:5.2f}" for one in took))
        print(f"longest {longest:.2f} s (limit 2 s)")


def seconds_after(moment: float | str, files: Path, index: Path) -> float:
    """From Ctrl-C at this moment of a run to its end."""
    command = [sys.executable, "-m", "pagesight.agent.cli", "index", str(files), f"--index={index}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        if isinstance(moment, str):
            waited_for(lambda: list(index.glob("multivectors/*/*")))
        else:
            time.sleep(moment)
        started = time.monotonic()
        run.send_signal(signal.SIGINT)
        run.wait(60)
        return time.monotonic() - started


if __name__ == "__main__":
    main()
