"""Ctrl-C at ten moments of a run over files of all kinds: it ends soon, keeps what is written, leaves no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from documents import picture_of_text
from small_index import small_settings, write_pdf
from test_odd_files import ADD, slow_pdf
from test_other_kinds import docx
from waiting import SOON, waited_for

from pagesight.indexing import PageIndex
from pagesight.indexing.integrity.verify import verify

#: Seconds from the start of the command: before its imports are through, while it reads, converts, waits for a slow
#: page; and once something is written.
MOMENTS = (0.3, 0.8, 1.5, 2.2, 3, 4, 5, 6.5, 8, "written")


def mixed(folder: Path) -> Path:
    folder.mkdir()
    write_pdf(folder / "a.pdf", [["The ferry Aurora carries 1200 passengers."]] * 20)
    picture_of_text([("The lock keeper earns 3,120 thalers", 40, 60)]).save(folder / "b.png")
    docx(folder / "c.docx", "The mast is 17 m.")
    (folder / "d.html").write_text("<!doctype html><p>The sheep are 808.</p>")
    slow_pdf(folder / "e.pdf")
    return folder


def processes_with(mark: str) -> list[int]:
    """The processes that run and were started, by way of others too, with this in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            running = (place / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            if running and mark.encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ctrl_c_at_any_moment_ends_a_run_soon_and_keeps_what_is_written(tmp_path: Path) -> None:
    files = mixed(tmp_path / "files")
    written = 0
    for number, moment in enumerate(MOMENTS):
        place, mark = tmp_path / f"index-{number}", f"CTRL_C_TEST={os.getpid()}-{number}"
        name, _, value = mark.partition("=")
        command = [sys.executable, "-c", ADD, str(files), f"--index={place}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, name: value}) as run:
            if isinstance(moment, str):
                assert waited_for(lambda place=place: list(place.glob("multivectors/*/*")))
            else:
                time.sleep(moment)
            run.send_signal(signal.SIGINT)
            run.wait(SOON)
            assert run.stderr is not None
            told = run.stderr.read()
        assert run.returncode in (130, -signal.SIGINT), (moment, told)
        assert "Traceback" not in told or not place.exists(), (moment, told)  # Python itself, while it imports
        assert waited_for(lambda mark=mark: not processes_with(mark)), (moment, processes_with(mark))
        if (place / "index.json").exists():
            found = verify(str(place), small_settings())
            assert [one for one in found.damage if "pages are there" not in one.why] == [], moment
            with PageIndex.open(place, settings=small_settings()):  # as whoever goes on would
                written = max(written, found.pages)
    assert written >= 8
