"""Makes docs/web-*.png: the page of `pagesight web` in Chromium, with the samples, as everybody sees it without a key.

.venv-dev/bin/python docs/record_page.py [INDEX]     # an index of the samples; one is made if none is named
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
QUESTION = "What mean interest rate do the loans carry?"
PAGESIGHT = Path(sys.executable).with_name("pagesight")
OWN = {**os.environ, "PAGESIGHT_REASONER": "offline"}


def main() -> None:
    """Indexes the samples unless an index is named, serves it, and takes the pictures."""
    with TemporaryDirectory() as folder:
        index = sys.argv[1] if len(sys.argv) > 1 else f"{folder}/index"
        subprocess.run([PAGESIGHT, "index", ROOT / "samples", "--index", index], check=True)
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        with served(index) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take(browser, address, "light", 1280, 800)
            take(browser, address, "dark", 1280, 800, documents=True)
            take(browser, address, "narrow", 380, 760)
            browser.close()


@contextmanager
def served(index: str) -> Iterator[str]:
    """The address of the page while the block runs."""
    command = [PAGESIGHT, "web", "--no-open", "--index", index]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=OWN) as process:
        assert process.stderr
        try:
            yield next(line.split()[-1] for line in process.stderr if "http://" in line)
        finally:
            process.terminate()


def take(browser: Browser, address: str, name: str, width: int, height: int, *, documents: bool = False) -> None:
    """One picture: a question with its page, with the list of documents at the left or on a narrow screen the page."""
    colours = "dark" if name == "dark" else "light"
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=colours, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".took").wait_for()
    page.locator(".markdown .chip").first.click()
    page.locator(".mark-box").first.wait_for()
    if documents:
        page.get_by_role("button", name="Documents", exact=True).click()
        page.get_by_role("button", name="Open annual-report.pdf").wait_for()
    page.wait_for_load_state("networkidle")
    written(page, DOCS / f"web-{name}.png")
    context.close()


def written(page: Page, path: Path) -> None:
    """The picture with 256 colours, which no eye tells from all of them here."""
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
