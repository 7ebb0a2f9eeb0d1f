"""Makes docs/terminal.svg: a real chat about the samples, driven in tmux and drawn as it stood on the terminal.

.venv/bin/python docs/record_terminal.py      # needs tmux; without a key, so that everybody gets the same
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "terminal.svg"
COLUMNS, ROWS = 100, 60
SESSION = f"pagesight-recording-{os.getpid()}"
LINES = [
    ("How high was the net revenue in 2023?", "best."),
    ("And the year before?", "best."),
    ("What mean interest rate do the loans carry?", "best."),
    ("/pages", "found"),
    ("/threads", "this one"),
]
#: What rich writes around a drawing, less the fonts that it would fetch.
SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def main() -> None:
    """Indexes the samples, plays the lines in a terminal of tmux and writes the drawing."""
    with TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        pagesight = Path(sys.executable).with_name("pagesight")
        subprocess.run([pagesight, "index", ROOT / "samples", "--index", index], check=True)
        command = ["env", "TERM=xterm-256color", "COLORTERM=truecolor", "PAGESIGHT_REASONER=offline"]
        command += [str(pagesight), "chat", "--index", str(index)]
        tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", folder, shlex.join(command))
        try:
            screen = play()
        finally:
            tmux("kill-session")
    TARGET.write_text(drawn(screen), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")


def play() -> str:
    """Types the lines, each when the prompt is there, and returns the screen with its colours."""
    shown = until("ends the chat", 1)
    for line, last in LINES:
        tmux("send-keys", line, "Enter")
        shown = until(last, shown.count(last) + 1)
    time.sleep(1)
    return tmux("capture-pane", "-e", "-p")


def until(text: str, times: int) -> str:
    """Waits until the text stands on the screen so many times and the prompt waits below."""
    for _ in range(600):
        shown = tmux("capture-pane", "-p")
        if shown.count(text) >= times and shown.rstrip().endswith(">"):
            return shown
        time.sleep(0.2)
    raise SystemExit(f"{text!r} did not come:\n{shown}")


def tmux(command: str, *arguments: str) -> str:
    """Runs a command of tmux on our own session; returns what it prints."""
    target = ["-s" if command == "new-session" else "-t", SESSION]
    return subprocess.run(["tmux", command, *target, *arguments], check=True, capture_output=True, text=True).stdout


def drawn(screen: str) -> str:
    """The screen as SVG."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(f"$ pagesight chat\n{screen.rstrip()}"))
    return console.export_svg(title="pagesight chat", code_format=SVG, unique_id="pagesight")


if __name__ == "__main__":
    main()
