"""Makes docs/web-*.png: the page of `pagesight web` in Chromium, with the samples, as everybody sees it without a key.

.venv-dev/bin/python docs/record_page.py [INDEX]     # an index of the samples; one is made if none is named
.venv-dev/bin/python docs/record_page.py --frames DIR    # a newcomer's way as numbered pictures, from an empty index
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
QUESTION = "What mean interest rate do the loans carry?"
PAGESIGHT = Path(sys.executable).with_name("pagesight")
OWN = {**os.environ, "PAGESIGHT_REASONER": "offline"}


def main() -> None:
    """Indexes the samples unless an index is named, serves it, and takes the pictures."""
    if sys.argv[1:2] == ["--frames"]:
        record(Path(sys.argv[2]))
        return
    with TemporaryDirectory() as folder:
        index = sys.argv[1] if len(sys.argv) > 1 else f"{folder}/index"
        subprocess.run([PAGESIGHT, "index", ROOT / "samples", "--index", index], check=True)
        with served(index) as address, sync_playwright() as driver:
            browser = chromium(driver)
            take(browser, address, "light", 1280, 800)
            take(browser, address, "dark", 1280, 800, documents=True)
            take(browser, address, "narrow", 380, 760)
            browser.close()


def chromium(driver: Playwright) -> Browser:
    """The browser of this machine."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return driver.chromium.launch(executable_path=found, args=["--no-sandbox"])


def record(folder: Path) -> None:
    """From an empty index to a cited page, a correction and a table: a picture of each step, with the seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with TemporaryDirectory() as index, served(index) as address, sync_playwright() as driver:
        size = {"width": 1280, "height": 800}
        page = chromium(driver).new_context(viewport=size, locale="en-US", reduced_motion="reduce").new_page()
        page.set_default_timeout(300_000)
        frames = itertools.count(1)

        def frame(name: str) -> None:
            drawn(page)
            page.screenshot(path=folder / f"{next(frames):02}-{name}.png")
            print(f"{time.monotonic() - started:6.1f} s  {name}")

        page.goto(address)
        page.locator(".badge").wait_for()
        frame("empty")
        page.get_by_role("button", name="Documents", exact=True).click()
        page.locator("input[data-for=files]").set_input_files(sorted((ROOT / "samples").glob("*.pdf")))
        page.locator(".job progress").first.wait_for()
        frame("uploading")
        page.locator(".job[data-state=done]").wait_for()
        frame("documents")
        page.get_by_role("button", name="Ask", exact=True).first.click()
        page.get_by_label("Your question").fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator(".steps li").first.wait_for()
        frame("asked")
        page.locator(".took").wait_for()
        page.locator(".mark-box").first.wait_for()
        page.wait_for_load_state("networkidle")
        frame("cited")
        page.get_by_role("button", name="Zoom in").click(click_count=3)
        page.wait_for_load_state("networkidle")
        frame("zoomed")
        page.get_by_role("button", name="Fit to width").click()
        page.get_by_role("button", name="Correct words").click()
        page.locator(".word[aria-label='4.3']").click()
        frame("word")
        page.locator(".correction input").fill("4.8")
        page.keyboard.press("Enter")
        page.locator(".corrected li").wait_for()
        frame("corrected")
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Table", exact=True).click()
        page.get_by_label("Question for each document").fill("What does it cost?")
        page.keyboard.press("Enter")
        page.locator(".swept").first.wait_for()
        frame("table")


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
    drawn(page)
    written(page, DOCS / f"web-{name}.png")
    context.close()


def drawn(page: Page) -> None:
    """Waits until the page's picture is there, if one is shown."""
    page.locator(".stage[aria-busy=true]").wait_for(state="detached")


def written(page: Page, path: Path) -> None:
    """The picture with 256 colours, which no eye tells from all of them here."""
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
